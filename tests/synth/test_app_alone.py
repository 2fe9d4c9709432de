"""The app as the CDK CLI runs it: without credentials, network or a git checkout."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.synthesis import CDK_CONTEXT, PROJECT
from tests.synth.conftest import WORKERS

_LIBRARY_CACHE = Path.home() / ".cache" / "aws" / "jsii" / "package-cache"
_PARTS = (
    "app.py",
    "cdk.json",
    "requirements.txt",
    "stacks",
    "lambdas",
    "groundwork",
    "portal/dist",
)


@pytest.fixture(scope="module")
def bare_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the project's own files in a folder that is no git checkout."""
    folder = tmp_path_factory.mktemp("copy")
    for part in _PARTS:
        source = PROJECT / part
        if source.is_dir():
            shutil.copytree(
                source, folder / part, ignore=shutil.ignore_patterns("__pycache__", ".git")
            )
        else:
            shutil.copyfile(source, folder / part)
    return folder


def _run(folder: Path, out: Path, **context: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        # Node runs the library; a home that holds no credentials, proxies that lead nowhere.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONPATH": str(folder),
        "CDK_OUTDIR": str(out),
        "CDK_CONTEXT_JSON": json.dumps({**CDK_CONTEXT, **context}),
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "1",
        # Only the unpacked library is taken from the real home: unpacking it again takes long.
        "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(_LIBRARY_CACHE),
    }
    command = [sys.executable, "app.py"]
    offline = ["unshare", "--user", "--net", "--map-root-user"]
    if shutil.which("unshare") and subprocess.run([*offline, "true"], check=False).returncode == 0:
        command = [*offline, *command]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_all_stacks_synthesize_with_nothing_but_the_packages(
    bare_copy: Path, tmp_path: Path
) -> None:
    """And with every policy finding acknowledged: an open one would end it."""
    done = _run(bare_copy, tmp_path, engine="open", worker_emails=WORKERS)

    assert done.returncode == 0, done.stdout + done.stderr
    assert {path.name for path in tmp_path.glob("*.template.json")} == {
        "Groundwork.template.json",
        "GroundworkEngine.template.json",
    }
    assert list((bare_copy / "build" / "layers").glob("*.zip")) == []


def test_a_wrong_configuration_ends_before_any_template(bare_copy: Path, tmp_path: Path) -> None:
    """The CLI shows the problems and deploys nothing; no traceback hides them."""
    out = tmp_path / "out"
    done = _run(bare_copy, out, engine="opne", batch_size="no", worker_email="ana@example.com")

    assert done.returncode == 1
    assert "The configuration has 3 problems; nothing was deployed." in done.stderr
    assert "Did you mean open?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(out.glob("*.template.json"))


def test_an_engine_without_its_pages_says_how_to_build_them(
    bare_copy: Path, tmp_path: Path
) -> None:
    index = bare_copy / "portal" / "dist" / "index.html"
    kept = index.rename(tmp_path / "index.html")
    try:
        done = _run(bare_copy, tmp_path / "out", engine="open", worker_emails=WORKERS)
    finally:
        kept.rename(index)

    assert done.returncode == 1
    assert "The worker portal is not built" in done.stderr
    assert "`make setup`" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_in_cdk_json_finds_the_projects_packages() -> None:
    """A shell with and without an activated environment runs the same Python."""
    command = json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))["app"]
    shown = subprocess.run(
        command.replace("app.py", "-c 'import sys; print(sys.prefix)'"),
        shell=True,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )

    local = PROJECT / ".venv"
    assert not local.exists() or Path(shown.stdout.strip()) == local
