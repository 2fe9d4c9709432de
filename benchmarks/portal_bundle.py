"""How much code of the portal's own a worker's browser loads, compressed as it travels."""

import gzip
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
GOAL_KB = 300
_ELEMENTS = "crowd-html-elements.js"


def run() -> dict[str, Any]:
    """Add up what the largest page loads: the task page, with the elements in its frame."""
    folder = PROJECT / "portal" / "dist"
    files = [folder / "index.html", *sorted((folder / "assets").glob("*"))]
    sizes = {
        path.name: len(gzip.compress(path.read_bytes(), mtime=0)) / 1000
        for path in files
        if path.is_file()
    }
    total = sum(sizes.values())
    return {
        "name": "portal_bundle",
        "figure": round(total, 1),
        "unit": "kB compressed, task page with its frame",
        "against": GOAL_KB,
        "ratio": round(total / GOAL_KB, 3),
        "details": {
            "goal_kb": GOAL_KB,
            "jobs_page_kb": round(total - sizes.get(_ELEMENTS, 0), 1),
            "files_kb": {name: round(size, 1) for name, size in sizes.items()},
        },
    }
