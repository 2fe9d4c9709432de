"""What each fault test survived, written down as the tests run, for ``docs/reliability.md``.

A fault test has the marker ``fault`` with ``what``, ``where`` and ``outcome`` as literal texts, and
says through the fixture ``survived`` at how many points it let the fault happen.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# The folder for the rows. With it, the tests go to all points; without, to a part of the many.
ROWS_FOLDER = "GROUNDWORK_FAULT_ROWS"


@dataclass
class Survived:
    """How many points a test let its fault happen at."""

    points: int = 0

    def at(self, points: int) -> None:
        """Count points that were survived."""
        self.points += points


_SURVIVED = pytest.StashKey[Survived]()


@pytest.fixture
def survived(request: pytest.FixtureRequest) -> Survived:
    """Where a fault test counts."""
    assert request.node.get_closest_marker("fault"), "only fault tests count points"
    survived: Survived = request.node.stash.setdefault(_SURVIVED, Survived())
    return survived


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Write a row for each fault test that passed."""
    outcome: Any = yield
    report = outcome.get_result()
    folder = os.environ.get(ROWS_FOLDER)
    if report.when != "call" or not report.passed or item.get_closest_marker("fault") is None:
        return
    counted = item.stash.get(_SURVIVED, Survived())
    if not counted.points:
        report.outcome = "failed"
        report.longrepr = "a fault test has to count its points: survived.at(...)"
    elif folder:
        file = Path(folder) / f"{os.environ.get('PYTEST_XDIST_WORKER', 'all')}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        row = {"test": item.nodeid.partition("[")[0], "points": counted.points}
        with file.open("a", encoding="utf-8") as rows:
            rows.write(f"{json.dumps(row)}\n")


def every_point() -> bool:
    """Whether the tests are to go to all points."""
    return ROWS_FOLDER in os.environ
