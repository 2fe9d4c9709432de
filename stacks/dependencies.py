"""Assemble the dependencies layer: what functions need beside their runtime, for their platform.

The CDK CLI runs this file when it publishes the layer, not at synthesis, and reads the archive's
path from stdout: https://docs.aws.amazon.com/cdk/v2/guide/assets.html
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

PROJECT = Path(__file__).resolve().parent.parent
REQUIREMENTS = PROJECT / "lambdas" / "requirements.txt"
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
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAXIMUM_UNPACKED_BYTES = 250 * 1024**2
_EPOCH = (1980, 1, 1, 0, 0, 0)
_NOT_NEEDED = ("__pycache__", "tests", "test", "bin", "include")


class LayerError(Exception):
    """The layer can't be assembled."""


def layer_hash() -> str:
    """Return what the layer's content follows from, as one hash."""
    recipe = [REQUIREMENTS.read_text(encoding="utf-8"), PYTHON_VERSION, *PLATFORMS]
    recipe.append(Path(__file__).read_text(encoding="utf-8"))
    return hashlib.sha256("\0".join(recipe).encode()).hexdigest()


def assemble(folder: Path) -> Path:
    """Return the layer's archive below a folder, installing the packages if it isn't there."""
    archive = folder / f"dependencies-{layer_hash()[:16]}.zip"
    if not archive.exists():
        with tempfile.TemporaryDirectory(prefix="groundwork-layer-") as work:
            _install(Path(work) / "python")
            _pack(Path(work), archive)
    return archive


def assemble_local(folder: Path) -> Path:
    """Return a layer without packages: the local cloud's functions use the host's own."""
    archive = folder / "dependencies-local.zip"
    with tempfile.TemporaryDirectory(prefix="groundwork-layer-") as work:
        note = Path(work) / "python" / "README.txt"
        note.parent.mkdir()
        note.write_text("The local cloud's functions use the host's installed packages.\n")
        _pack(Path(work), archive)
    return archive


def publishes_to_local_cloud(environment: dict[str, str]) -> bool:
    """Tell from the SDK's endpoint setting whether the CLI publishes to this machine."""
    host = urlsplit(environment.get("AWS_ENDPOINT_URL", "")).hostname or ""
    return host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")


def _install(target: Path) -> None:
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--requirement", str(REQUIREMENTS), "--target", str(target), "--no-compile"]
    command += ["--only-binary=:all:", "--python-version", PYTHON_VERSION]
    command += ["--implementation", "cp"]
    for platform in PLATFORMS:
        command += ["--platform", platform]
    # pip's own output goes to stderr: stdout is the archive's path and nothing else.
    done = subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603 - fixed command
    if done.returncode:
        raise LayerError(
            f"pip could not install lambdas/requirements.txt for {PLATFORMS[1]}, Python "
            f"{PYTHON_VERSION} (exit code {done.returncode}). What it said is above; it needs the "
            "package index or a mirror of it."
        )


def _pack(root: Path, archive: Path) -> None:
    """Write a zip that depends on the files' names and contents only."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and _is_needed(path, root))
    unpacked = sum(path.stat().st_size for path in files)
    if unpacked > MAXIMUM_UNPACKED_BYTES:
        raise LayerError(
            f"the packages take {unpacked / 1024**2:.0f} MB unpacked; a function may have 250 MB: "
            "remove some from lambdas/requirements.txt"
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


def main() -> int:
    """Print the path of the archive to publish."""
    folder = PROJECT / "build" / "layers"
    try:
        local = publishes_to_local_cloud(dict(os.environ))
        archive = assemble_local(folder) if local else assemble(folder)
    except LayerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - read by a person in the CLI's output
        return 1
    print(archive)  # noqa: T201 - the CDK CLI reads this line
    return 0


if __name__ == "__main__":
    sys.exit(main())
