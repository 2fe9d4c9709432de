"""Folders put together for assets."""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from stacks.paths import BUILD


class NotBuiltError(Exception):
    """Something that is deployed has to be built first; the message says how."""


def staged(name: str, files: Mapping[str, Path]) -> Path:
    """Copy files to their places in a folder that is named by its content, and return it.

    Parameters
    ----------
    name
        What the folder's name begins with.
    files
        The file for each path in the folder.
    """
    digest = hashlib.sha256()
    for place, path in sorted(files.items()):
        content = path.read_bytes()
        digest.update(f"{place}\0{len(content)}\0".encode())
        digest.update(content)
    folder = BUILD / "assets" / f"{name}-{digest.hexdigest()[:16]}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Two syntheses at the same time each write their own copy; the first to finish is kept.
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            for place, path in files.items():
                copy = Path(work) / "copy" / place
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
            try:
                (Path(work) / "copy").rename(folder)
            except OSError:
                if not folder.exists():
                    raise
    return folder
