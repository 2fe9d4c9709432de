"""What a process of the worker API remembers of jobs, so that not every call reads them again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from groundwork.jobs.job_store import JobStore
from groundwork.jobs.model import Batch, Job, Task
from groundwork.recent import Recent

# How late a process notices at most that people do not work on a job any more.
OPEN_FOR = timedelta(seconds=1)
# How long tasks are given out that a search found besides the one that it was for.
FOUND_FOR = timedelta(seconds=1)
_REMEMBERED = 64


@dataclass(frozen=True)
class OpenWork:
    """A job and the batch of it that people worked on when both were read."""

    job: Job
    batch: Batch
    read_at: datetime


class FoundTasks:
    """Tasks that somebody's search found and nobody was given yet, as the index showed them.

    Each is given out once, to a worker who can take it as it was; the write says whether that is
    still so.
    """

    def __init__(self) -> None:
        self._found: Recent[tuple[str, int], tuple[datetime, list[Task]]] = Recent(_REMEMBERED)

    def keep(self, batch: tuple[str, int], tasks: list[Task], now: datetime) -> None:
        """Keep what a search found, in the place of what another one did."""
        self._found.keep(batch, (now, tasks))

    def give(
        self, batch: tuple[str, int], now: datetime, can_take: Callable[[Task], bool]
    ) -> Task | None:
        """Return a task of a batch that can be taken and forget it; None if there is none."""
        found_at, tasks = self._found.get(batch) or (now, [])
        if now - found_at < FOUND_FOR:
            for place, task in enumerate(tasks):
                if can_take(task):
                    return tasks.pop(place)
        return None


class RememberedJobs:
    """Jobs and batches as they were read before.

    What never changes may be of any age: a job's request, and a batch's size and end once people
    worked on it. That they do was so ``OPEN_FOR`` ago at most. So somebody may be given a task of a
    batch that ended a moment ago, as may somebody who comes just before: the step that ends a batch
    closes each of its tasks, on the condition that it saw the task's leases, and a closed task
    takes neither leases nor answers. That there is nothing to do is not remembered.
    """

    def __init__(self, store: JobStore) -> None:
        self._jobs = lru_cache(_REMEMBERED)(store.get)
        self._batches = lru_cache(_REMEMBERED)(store.get_batch)
        self._open: Recent[str, OpenWork] = Recent(_REMEMBERED)

    def job(self, name: str) -> Job:
        """Return a job for what was requested; raises JobNotFoundError."""
        return self._jobs(name)

    def batch(self, job: str, iteration: int) -> Batch:
        """Return a batch that people worked on, for its size and its end."""
        return self._batches(job, iteration)

    def open_work(self, name: str, now: datetime) -> OpenWork | None:
        """Return a job that people worked on a moment ago, by its name in whatever case."""
        work = self._open.get(name.lower())
        return work if work and now - work.read_at < OPEN_FOR else None

    def keep(self, work: OpenWork) -> None:
        """Remember a job that people work on."""
        self._open.keep(work.job.name.lower(), work)

    def forget(self, name: str) -> None:
        """Remember no longer that people work on a job."""
        self._open.forget(name.lower())
