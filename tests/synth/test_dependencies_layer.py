"""The layer that the CDK CLI assembles when it publishes."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from stacks import dependencies
from tests.support.synthesis import PROJECT


def test_the_hash_follows_the_requirements_and_the_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another pin or platform is another layer; the same recipe is the same."""
    before = dependencies.layer_hash()
    assert dependencies.layer_hash() == before

    monkeypatch.setattr(dependencies, "PYTHON_VERSION", "3.14")
    assert dependencies.layer_hash() != before
    monkeypatch.undo()

    other = tmp_path / "requirements.txt"
    other.write_text("numpy==1.0.0\n")
    monkeypatch.setattr(dependencies, "REQUIREMENTS", other)
    assert dependencies.layer_hash() != before


def test_the_local_cloud_gets_a_note_in_place_of_packages() -> None:
    """Its functions use the host's own, so that nothing is downloaded; stdout is the path."""
    done = subprocess.run(
        [sys.executable, str(PROJECT / "stacks" / "dependencies.py")],
        env={"AWS_ENDPOINT_URL": "http://localhost:4566", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )

    (line,) = done.stdout.splitlines()
    with zipfile.ZipFile(line) as archive:
        assert archive.namelist() == ["python/README.txt"]


@pytest.mark.parametrize(
    ("endpoint", "is_local"),
    [
        ("http://localhost:4566", True),
        ("http://127.0.0.1:4730", True),
        ("http://x.localhost:4566", True),
        ("https://vpce-1.s3.eu-west-1.vpce.amazonaws.com", False),
        ("", False),
    ],
)
def test_only_an_endpoint_on_this_machine_is_local(endpoint: str, is_local: bool) -> None:
    """A private endpoint of AWS's own gets real packages."""
    environment = {"AWS_ENDPOINT_URL": endpoint} if endpoint else {}

    assert dependencies.publishes_to_local_cloud(environment) is is_local


def test_a_packed_folder_depends_on_its_content_only(tmp_path: Path) -> None:
    """Times and order of writing leave no trace, and what no function imports is left out."""
    archives = []
    for number, names in enumerate((["a.py", "b.py"], ["b.py", "a.py"])):
        root = tmp_path / str(number)
        for name in names:
            (root / "python" / "tests").mkdir(parents=True, exist_ok=True)
            (root / "python" / name).write_text(name)
            (root / "python" / "tests" / "test_a.py").write_text("x")
        archive = tmp_path / f"{number}.zip"
        dependencies._pack(root, archive)
        archives.append(archive.read_bytes())
        with zipfile.ZipFile(archive) as packed:
            assert packed.namelist() == ["python/a.py", "python/b.py"]

    assert archives[0] == archives[1]


def test_an_assembled_layer_fits_a_function() -> None:
    """Lambda's limit is 250 MB unpacked, all layers together."""
    found = sorted((PROJECT / "build" / "layers").glob("dependencies-????????????????.zip"))
    if not found:
        pytest.skip("no layer was assembled here: deploy to AWS, or run stacks/dependencies.py")
    for path in found:
        with zipfile.ZipFile(path) as archive:
            assert sum(entry.file_size for entry in archive.infolist()) < 200 * 1024**2
            tops = {name.split("/")[1] for name in archive.namelist()}
            assert {"numpy", "PIL", "liquid"} < tops
            libraries = [name for name in archive.namelist() if ".so" in name and "numpy/" in name]
            assert all("aarch64" in name for name in libraries)
