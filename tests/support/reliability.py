"""Writes ``docs/reliability.md`` of the rows that the fault tests left: see ``make reliability``."""

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

INTRODUCTION = """\
# What survives which fault

`make reliability` runs every test below at all of its points and writes this page from what they counted; `make unit` runs
the same tests at a part of the points. A point is one place in one run at which the fault happens once: before a write,
after it, in place of a call. The tests first run the job without faults to list the points, then once more for each, with
the deployed state machine's own definition deciding what is retried, caught and waited for. A test on the page has passed.

## What is guaranteed

After each fault, each test checks that

* every answer that the portal accepted is in the output once, and no object has more answers than were asked for;
* the output has the input's lines in their order, and the job's counters are those of its lines;
* the job ends as Completed, Stopped or Failed, and says why if it failed;
* no task is open or held, no batch and no execution waits.

| this holds because | of |
|---|---|
| a decision is written only if what it was made on is still so | conditional writes: tasks, batches and jobs have versions; a lease, the hand that holds it and the batch's count change together or not at all |
| an answer is in before it is accepted | it is stored in S3 under its own digest, then its lease is closed; the same answer again changes nothing, another one is refused |
| a step may run again, twice, or beside itself | what it writes has a name that follows from job and iteration, what was decided once is read and not decided again, and what is published follows from files that never change |
| no list has to be complete | steps find files by name; S3 is never listed, the index only proposes tasks and the write decides |
| nobody has to be woken | whoever finds a batch complete wakes the loop, and the loop looks by itself each hour |
| a service may have a bad hour | the SDK retries; then steps are tried again for more than an hour, and workers get 503 with Retry-After, upon which the page sends the answer again |
| a job does not hang | what cannot go on is failed with its reason, after its labels were published; if that cannot be done either, it is failed without, which is tried for a month |
| whoever deletes a stack need not wait for people | the deletion stops the job, which ends with what is there |

## What is not

* An answer that the portal did not accept may be in the output: the worker's page was cut off before it heard so.
* A notice to the team may come twice; a mail that SNS loses is not sent again.
* A lost wake-up costs up to an hour if no worker of the team looks at the portal meanwhile.
* A service that fails for longer than about an hour ends the job as Failed. If it was S3, the last batch is not in an output
  manifest; its answers are in the job's output folder, below `annotations/intermediate`.
* What people do to the job's files while it runs (deleting them, changing them) ends it as Failed; nothing brings them back.
  The bucket keeps older versions for that.
* The customer's own functions may be called twice for the same object, which Lambda itself does not exclude.
* Clocks that are apart by more than a task's time limit make workers' leases end early or late; no answer is doubled by it.

## The faults

"""


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


def page(tests: list[FaultTest], points: Mapping[str, int]) -> str:
    """Return the document.

    Parameters
    ----------
    points
        How many points each test survived, by its name.
    """
    total = sum(points[test.name] for test in tests)
    parts = [
        INTRODUCTION,
        f"{len(tests)} kinds of faults at {total:,} points in all.\n",
    ]
    for path, group in groupby(tests, lambda test: test.path):
        parts.append(f"\n### [{Path(path).name}](../{path})\n\n")
        parts.append(
            "| fault | where injected | points | outcome | test |\n|---|---|---:|---|---|\n"
        )
        parts += [
            f"| {test.what} | {test.where} | {points[test.name]:,} | {test.outcome} "
            f"| `{test.name}` |\n"
            for test in group
        ]
    return "".join(parts)


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
    """Write the document; refuse if a fault test left no row, since it did not pass."""
    tests, points = fault_tests(), read_points(folder)
    missing = [test.name for test in tests if test.name not in points]
    if missing:
        print(f"{DOCUMENT} was not written; these tests have not passed: {', '.join(missing)}")
        return 1
    DOCUMENT.write_text(page(tests, points), encoding="utf-8")
    print(f"{DOCUMENT} was written: {len(tests)} kinds of faults, {sum(points.values()):,} points")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
