"""Writes the tables of ``docs/reliability.md`` of what the fault tests counted."""

import ast
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCUMENT = PROJECT / "docs" / "reliability.md"
_FOLDERS = ("tests/faults", "tests/e2e")
_ROW = re.compile(r"^\| .* \| ([\d,]+) \| .* \| `(\w+)` \|$")
_BEGIN, _END = "<!-- faults -->\n", "<!-- /faults -->\n"
_HEAD = "| fault | where injected | points | outcome | test |\n|---|---|---:|---|---|\n"


@dataclass(frozen=True)
class FaultTest:
    """A fault test as its source says."""

    path: str
    name: str
    what: str
    where: str
    outcome: str


def fault_tests() -> list[FaultTest]:
    """Return all tests with the marker ``fault``, in the order of files and lines."""
    return [
        test
        for folder in _FOLDERS
        for path in sorted((PROJECT / folder).glob("test_*.py"))
        for test in _in_file(path)
    ]


def _in_file(path: Path) -> Iterator[FaultTest]:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == (
                "pytest.mark.fault"
            ):
                texts = {
                    str(keyword.arg): ast.literal_eval(keyword.value)
                    for keyword in decorator.keywords
                }
                yield FaultTest(str(path.relative_to(PROJECT)), node.name, **texts)


def tables(tests: list[FaultTest], points: Mapping[str, int]) -> str:
    """Return a table for each file of tests.

    Parameters
    ----------
    points
        How many points each test survived, by its name.
    """
    total = sum(points[test.name] for test in tests)
    parts = [f"{len(tests)} tests let faults happen at {total:,} points.\n"]
    for path, group in groupby(tests, lambda test: test.path):
        parts.append(f"\n### [{Path(path).name}](../{path})\n\n{_HEAD}")
        parts += [
            f"| {test.what} | {test.where} | {points[test.name]:,} | {test.outcome} "
            f"| `{test.name}` |\n"
            for test in group
        ]
    return "".join(parts)


def with_tables(document: str, written: str) -> str:
    """Return the document with other tables."""
    before, _, rest = document.partition(_BEGIN)
    return f"{before}{_BEGIN}{written}{_END}{rest.partition(_END)[2]}"


def points_in(document: str) -> dict[str, int]:
    """Return the points that a document tells, by the test's name."""
    rows = (_ROW.match(line) for line in document.splitlines())
    return {row[2]: int(row[1].replace(",", "")) for row in rows if row}


def read_points(folder: Path) -> Counter[str]:
    """Add up the rows that a run left."""
    points: Counter[str] = Counter()
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            points[row["test"].rpartition("::")[2]] += row["points"]
    return points


def main(folder: Path) -> int:
    """Write the tables; refuse if a fault test left no row, since it did not pass."""
    tests, points = fault_tests(), read_points(folder)
    missing = [test.name for test in tests if test.name not in points]
    if missing:
        print(f"{DOCUMENT} was not written; these tests have not passed: {', '.join(missing)}")
        return 1
    document = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(with_tables(document, tables(tests, points)), encoding="utf-8")
    print(f"{DOCUMENT} was written: {len(tests)} tests, {sum(points.values()):,} points")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
