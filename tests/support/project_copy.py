"""A folder that looks like the project's, for commands that write into it."""

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
