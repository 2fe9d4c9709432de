"""What a worker can do: find jobs, take tasks, answer them, give them back."""

from __future__ import annotations

import hashlib
import random as random_module
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import Job, JobStatus
from groundwork.s3_client import S3Client

Clock = Callable[[], datetime]
FilesForJob = Callable[[Job], S3Client]

# Below the 6 MB that a function's request may have, with room for its envelope:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAXIMUM_ANSWER_BYTES = 5 * 1024 * 1024


@dataclass(frozen=True)
class Worker:
    """A signed-in member of the workforce."""

    sub: str
    issuer: str
    email: str
    team_arns: frozenset[str]
    region: str

    @property
    def worker_id(self) -> str:
        """The id under which the worker's answers are published."""
        identity = hashlib.sha256(f"{self.issuer}{self.sub}".encode()).hexdigest()
        return f"private.{self.region}.{identity[:16]}"


@dataclass(frozen=True)
class WorkerJob:
    """A job as a worker sees it in the list."""

    name: str
    title: str
    description: str
    status: JobStatus
    created_at: datetime
    tasks_left: int
    customer: str
    task_time_limit_seconds: int


@dataclass(frozen=True)
class LeasedTask:
    """A task that a worker holds."""

    lease_id: str
    job_name: str
    title: str
    description: str
    object_id: int
    task_input: Mapping[str, Any]
    template_uri: str | None
    role_arn: str
    accepted_at: datetime
    expires_at: datetime
    time_limit_seconds: int


class Work:
    """The worker API's operations.

    Parameters
    ----------
    store, loop
        The engine's state, and what wakes its loop.
    files_for_job
        Gives S3 with the job's own role.
    clock, random
        The time, and what spreads workers over tasks and makes lease ids unguessable; use
        ``random.SystemRandom`` outside tests.
    """

    def __init__(
        self,
        store: JobStore,
        files_for_job: FilesForJob,
        loop: LoopClient,
        clock: Clock,
        random: random_module.Random,
    ) -> None:
        self._store = store
        self._files_for_job = files_for_job
        self._loop = loop
        self._clock = clock
        self._random = random

    def jobs_for(self, worker: Worker) -> list[WorkerJob]:
        """Return the open jobs of the worker's teams, newest first."""
        raise NotImplementedError

    def take(self, worker: Worker, job_name: str) -> LeasedTask | None:
        """Lease a task; one that the worker holds already comes first. None: nothing to do now."""
        raise NotImplementedError

    def leases(self, worker: Worker, job_name: str) -> list[LeasedTask]:
        """Return the tasks of a job that the worker holds, for going on with them."""
        raise NotImplementedError

    def resume(self, worker: Worker, lease_id: str) -> LeasedTask:
        """Return a task that the worker holds."""
        raise NotImplementedError

    def submit(
        self,
        worker: Worker,
        lease_id: str,
        answer_content: Mapping[str, Any],
        time_spent_seconds: float | None = None,
    ) -> None:
        """Store an answer and close the lease; the same answer again changes nothing.

        Parameters
        ----------
        answer_content
            What the template's form answered, by element name.
        time_spent_seconds
            The portal's own measure; without it, the time since the task was taken.
        """
        raise NotImplementedError

    def release(self, worker: Worker, lease_id: str) -> None:
        """Give a task back for anybody, the same worker included."""
        raise NotImplementedError

    def decline(self, worker: Worker, lease_id: str) -> None:
        """Give a task back for anybody else."""
        raise NotImplementedError
