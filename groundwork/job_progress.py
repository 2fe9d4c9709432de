"""How a labeling job stands, on any account: what the service tells, and what its output shows.

The service tells status and counters. Iteration and open tasks are not in its API; they are read
from the job's output in S3, as far as it has them and may be read.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from groundwork.manifest import read_lines
from groundwork.results.files import Files

_OVER = frozenset({"Completed", "Failed", "Stopped"})
_ANSWER = re.compile(r"annotations/intermediate/\d+/answers/(\d+)/([^/]+)\.[0-9a-f]+\.json")


@dataclass(frozen=True)
class WorkerState:
    """What a worker who has answered in the open batch did, and what is left for this worker.

    Parameters
    ----------
    answered
        Answers of this worker.
    tasks_open
        Objects that still need an answer and have none of this worker's.
    """

    answered: int
    tasks_open: int


@dataclass(frozen=True)
class BatchState:
    """The batch that is with people.

    Parameters
    ----------
    tasks_open
        Objects that still need an answer; None where the output does not tell it.
    answered
        Objects of the batch that have all answers, and are in no counter yet.
    workers
        By worker id, those who have answered in this batch.
    """

    iteration: int
    tasks_open: int | None = None
    answered: int = 0
    workers: Mapping[str, WorkerState] = field(default_factory=dict)


@dataclass(frozen=True)
class JobProgress:
    """A labeling job at a moment.

    Parameters
    ----------
    counters
        As DescribeLabelingJob names them.
    expected_end
        When it would end at its pace since its creation; None before anything is labeled, and
        after the end.
    """

    name: str
    status: str
    counters: Mapping[str, int]
    failure_reason: str | None
    created_at: datetime
    batch: BatchState | None
    expected_end: datetime | None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.status in _OVER

    def to_dict(self) -> dict[str, Any]:
        """Return everything as ``--json`` prints it."""
        return {
            "name": self.name,
            "status": self.status,
            "failure_reason": self.failure_reason,
            "counters": dict(self.counters),
            "created_at": self.created_at.isoformat(),
            "iteration": None if self.batch is None else self.batch.iteration,
            "tasks_open": None if self.batch is None else self.batch.tasks_open,
            "workers": {}
            if self.batch is None
            else {worker: asdict(state) for worker, state in self.batch.workers.items()},
            "expected_end": None if self.expected_end is None else self.expected_end.isoformat(),
        }


class _BatchLine(msgspec.Struct):
    id: int
    input: msgspec.Raw = msgspec.Raw(b"null")


def job_progress(
    description: Mapping[str, Any], batch: BatchState | None, now: datetime
) -> JobProgress:
    """Put together what DescribeLabelingJob answered and what the output shows."""
    counters: Mapping[str, int] = description["LabelCounters"]
    created_at: datetime = description["CreationTime"]
    status = str(description["LabelingJobStatus"])
    return JobProgress(
        name=str(description["LabelingJobName"]),
        status=status,
        counters=counters,
        failure_reason=description.get("FailureReason"),
        created_at=created_at,
        batch=None if status in _OVER else batch,
        expected_end=None
        if status in _OVER
        else expected_end(counters, batch.answered if batch else 0, created_at, now),
    )


def expected_end(
    counters: Mapping[str, int], answered: int, created_at: datetime, now: datetime
) -> datetime | None:
    """Return when nothing will be left, if labeling goes on as it did since the job's creation."""
    done = counters.get("TotalLabeled", 0) + counters.get("FailedNonRetryableError", 0) + answered
    left = counters.get("Unlabeled", 0) - answered
    elapsed_seconds = (now - created_at).total_seconds()
    if done <= 0 or elapsed_seconds <= 0:
        return None
    return now + timedelta(seconds=max(0, left) * elapsed_seconds / done)


def read_batch(output: Files, workers_per_object: int) -> BatchState | None:
    """Return the newest batch that a job's output shows; None if it shows none.

    Our engine writes what a batch holds and each answer as it comes in. Ground Truth writes the
    answers of an object when all are there, so that the iteration is known and the open tasks are
    not.
    """
    newest = _newest(output, "annotations/intermediate/{}/batch.jsonl")
    if newest:
        return _open_batch(output, newest, workers_per_object)
    iteration = 0
    while _has_any(output, f"annotations/worker-response/iteration-{iteration + 1}"):
        iteration += 1
    return BatchState(iteration) if iteration else None


def _newest(output: Files, name: str) -> int:
    iteration = 0
    while output.exists(name.format(iteration + 1)):
        iteration += 1
    return iteration


def _has_any(output: Files, folder: str) -> bool:
    return next(iter(output.paths(folder)), None) is not None


def _open_batch(output: Files, iteration: int, workers_per_object: int) -> BatchState:
    folder = f"annotations/intermediate/{iteration}"
    if output.exists(f"{folder}/output.manifest"):
        return BatchState(iteration, 0)
    decoder = msgspec.json.Decoder(_BatchLine)
    lines = read_lines(output.stream(f"{folder}/batch.jsonl"))
    entries = (decoder.decode(line.body) for line in lines)
    wanted = {entry.id for entry in entries if bytes(entry.input) != b"null"}
    answered_by: dict[str, set[int]] = {}
    for path in output.paths(f"{folder}/answers"):
        found = _ANSWER.fullmatch(path)
        if found:
            answered_by.setdefault(found[2], set()).add(int(found[1]))
    answers = Counter(each for objects in answered_by.values() for each in objects)
    still_open = {each for each in wanted if answers[each] < workers_per_object}
    workers = {
        worker: WorkerState(len(objects), len(still_open - objects))
        for worker, objects in sorted(answered_by.items())
    }
    return BatchState(iteration, len(still_open), len(wanted) - len(still_open), workers)
