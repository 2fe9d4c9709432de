"""A package that is not pinned, not licensed as it must be, or known to be open is found."""

import json
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, cast

import pytest

from tools.audit_dependencies import (
    PROJECT,
    Exemption,
    Package,
    is_allowed,
    layer_problems,
    license_problems,
    npm_packages,
    pin_problems,
    read_npm_audit,
    read_pip_audit,
)

PINNED = {
    "requirements.txt": "# Why.\n-r lambdas/requirements.txt\nclick==8.5.1\n",
    "requirements-dev.txt": "python-dateutil==2.9.0.post0\n",
    "lambdas/requirements.txt": "python-liquid==2.3.6\nBabel==2.19.0\n",
    "lambdas/requirements-onnxruntime.txt": "",
    "package.json": '{"dependencies": {"vite": "8.3.8"}}',
    "package-lock.json": '{"packages": {"": {}, "node_modules/vite": {"integrity": "sha512-x"}}}',
}


def project(folder: Path, **changed: str) -> Path:
    for name, text in {**PINNED, **changed}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_this_project_pins_everything_and_its_layers_are_whole() -> None:
    names = {each.metadata["Name"].replace("_", "-").lower(): each for each in distributions()}
    assert list(pin_problems(PROJECT)) == []
    assert list(layer_problems(PROJECT, names)) == []


def test_pinned_files_are_fine(tmp_path: Path) -> None:
    assert list(pin_problems(project(tmp_path))) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("requirements.txt", "click>=8"),
        ("requirements.txt", "click"),
        ("requirements.txt", "click==8.*"),
        ("requirements.txt", "click~=8.5"),
        ("requirements.txt", "click @ git+https://host/click"),
        ("requirements-dev.txt", "click==8.5.1,<9"),
        ("lambdas/requirements.txt", "numpy<3"),
        ("package.json", '{"devDependencies": {"vite": "^8.3.8"}}'),
        ("package.json", '{"dependencies": {"vite": "latest"}}'),
        ("package-lock.json", '{"packages": {"node_modules/vite": {}}}'),
        ("package-lock.json", '{"packages": {"node_modules/vite": {"integrity": "sha1-x"}}}'),
    ],
)
def test_what_may_change_by_itself_is_told(tmp_path: Path, name: str, text: str) -> None:
    [problem] = pin_problems(project(tmp_path, **{name: text}))
    assert problem.startswith(f"{name}: ")


class Installed:
    """A distribution, as far as it is asked."""

    def __init__(self, version: str, *requires: str) -> None:
        self.version = version
        self.requires = requires


def installed(**changed: Installed) -> Mapping[str, Distribution]:
    found = {"python-liquid": Installed("2.3.6", "babel>=2"), "babel": Installed("2.19.0")}
    return cast(Mapping[str, Distribution], {**found, **changed})


def test_a_layer_that_names_all_its_packages_is_whole(tmp_path: Path) -> None:
    assert list(layer_problems(project(tmp_path), installed())) == []


@pytest.mark.parametrize(
    ("babel", "problem"),
    [
        (Installed("2.19.0", "pytz"), "babel needs pytz, which no layer pins"),
        (Installed("2.20.0"), "babel is 2.20.0 here and 2.19.0 in a layer"),
        (Installed("2.19.0", "pytz; python_version < '3.9'", "x; extra == 'dev'"), ""),
    ],
)
def test_what_a_layer_lacks_is_told(tmp_path: Path, babel: Installed, problem: str) -> None:
    problems = list(layer_problems(project(tmp_path), installed(babel=babel)))
    assert [each.partition(";")[0] for each in problems] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 OR GPL-3.0-only", True),
        ("BSD-3-Clause AND MIT AND Zlib", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("AGPL-3.0-or-later OR SSPL-1.0", False),
        ("(MIT OR GPL-3.0-only) AND GPL-3.0-only", False),
        ("UNKNOWN", False),
        ("", False),
        ("MIT-like", False),
    ],
)
def test_licences_are_those_on_the_list(expression: str, allowed: bool) -> None:
    assert is_allowed(expression) == allowed


def test_an_exemption_holds_for_one_package_and_one_licence() -> None:
    exempt = {"tool": Exemption("MPL-2.0", "why")}
    packages = [Package("tool", "1", "MPL-2.0"), Package("tool-linux-x64", "1", "MPL-2.0")]
    assert list(license_problems(packages, exempt)) == []
    changed = list(license_problems([*packages, Package("tool", "2", "SSPL-1.0")], exempt))
    assert [problem.partition(";")[0] for problem in changed] == [
        "tool 2 has the licence 'SSPL-1.0'"
    ]
    assert "other 1 has the licence" in next(
        license_problems([Package("other", "1", "MPL-2.0")], {})
    )
    assert list(license_problems([], exempt)) == [
        "tool needs no exemption; take it out of tools/audit_dependencies.py"
    ]


def test_npms_packages_are_read_for_all_platforms() -> None:
    lock = {
        "packages": {
            "": {"name": "groundwork"},
            "node_modules/a": {"version": "1.0.0", "license": "MIT"},
            "node_modules/a/node_modules/@b/c": {"version": "2.0.0", "optional": True},
        }
    }
    assert npm_packages(lock) == [Package("a", "1.0.0", "MIT"), Package("@b/c", "2.0.0", "UNKNOWN")]


def test_vulnerable_packages_are_told() -> None:
    advisory = {"id": "PYSEC-1", "fix_versions": ["2.0"]}
    python = {"dependencies": [{"name": "a", "version": "1.0", "vulns": [advisory]}]}
    assert read_pip_audit(python).vulnerable == ("a 1.0: PYSEC-1, fixed in: 2.0",)
    via = ["below", {"source": 1, "range": "<2", "url": "https://advisory"}]
    npm = {"vulnerabilities": {"a": {"via": via}}}
    assert read_npm_audit(npm).vulnerable == ("a <2: https://advisory",)


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        (read_pip_audit, "no answer"),
        (read_pip_audit, {"dependencies": [{"name": "a", "skip_reason": "not found"}]}),
        (read_npm_audit, "no answer"),
        (read_npm_audit, {"message": "405 - POST https://registry/x"}),
        (read_npm_audit, {}),
    ],
)
def test_what_could_not_be_looked_up_is_not_called_safe(read: Any, answer: Any) -> None:
    advisories = read(json.loads(json.dumps(answer)))
    assert advisories.vulnerable == ()
    [told] = advisories.unchecked
    assert "vulnerabilities of" in told
    assert "https://" not in told


def test_an_audit_that_found_nothing_says_nothing() -> None:
    python = {"dependencies": [{"name": "a", "version": "1", "vulns": []}]}
    assert read_pip_audit(python).unchecked == ()
    assert read_npm_audit({"vulnerabilities": {}}).unchecked == ()
