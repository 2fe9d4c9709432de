"""A folder that looks like the project's, for commands that write into it or other code in it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.support.local_workshop import PROJECT

# Everything that commands write (build, photos, reports, the local cloud's data) is the copy's own.
_SHOWN = (
    *("app.py", "cdk.json", "groundwork", "lambdas", "node_modules", "portal", "stacks"),
    *("requirements.txt", "workshop"),
)


def show_project(folder: Path) -> Path:
    """Link the project's parts into an empty folder."""
    for name in _SHOWN:
        (folder / name).symlink_to(PROJECT / name)
    return folder


def next_release(folder: Path, changes: Mapping[str, tuple[str, str]]) -> Path:
    """Copy the project's code into an empty folder, with changes: file, what was, what is.

    What is assembled of it is looked for where the project has it already.
    """
    show_project(folder)
    for name in ("app.py", "groundwork", "lambdas", "stacks"):
        (folder / name).unlink()
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("*.pyc"))
        else:
            shutil.copy(PROJECT / name, folder / name)
    (PROJECT / "build").mkdir(exist_ok=True)
    (folder / "build").symlink_to(PROJECT / "build")
    for name, (was, becomes) in changes.items():
        text = (folder / name).read_text(encoding="utf-8")
        assert text.count(was) == 1, f"{name} has no {was!r} to change"
        (folder / name).write_text(text.replace(was, becomes), encoding="utf-8")
    return folder
