"""Find jobs that nothing drives any more.

Whatever a loop does ends or is tried again within the hour, and a batch that waits for people has
an execution that waits with it. So a job is stuck if it has not ended and no execution of its runs:
somebody stopped it, or it died where it could not tell.
"""

from dataclasses import dataclass

from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient


@dataclass(frozen=True)
class Watched:
    """How many jobs have not ended, and the names of those that are stuck."""

    open_jobs: int
    stuck: tuple[str, ...]


def watch(store: JobStore, loop: LoopClient) -> Watched:
    """Look at all jobs once.

    A job that has just been created may be seen before its execution is, so that only what more
    than one look finds is worth an alarm.
    """
    names = [job.name for job in store.list() if not job.status.is_final]
    driven = loop.running_jobs() if names else frozenset()
    # Whatever has ended since it was listed is no more driven, and not stuck.
    stuck = tuple(
        name for name in names if name not in driven and not store.get(name).status.is_final
    )
    return Watched(len(names), stuck)
