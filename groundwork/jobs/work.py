"""What a worker can do: find jobs, take tasks, answer them, give them back."""

from __future__ import annotations

import hashlib
import json
import random as random_module
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from groundwork.jobs import job_metrics, layout, tasks
from groundwork.jobs.errors import (
    AnswerTooLargeError,
    JobNotFoundError,
    JobNotOpenError,
    LeaseNotFoundError,
    NotInTeamError,
)
from groundwork.jobs.job_store import Hand, HandChangedError, JobStore, LeasePointer
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import (
    AnswerRecord,
    Batch,
    BatchState,
    Clock,
    FilesForJob,
    Job,
    JobStatus,
    Lease,
    Task,
)
from groundwork.jobs.remembered import FoundTasks, OpenWork, RememberedJobs
from groundwork.jobs.task_inputs import TaskInputs
from groundwork.table_client import ConflictError

# Below the 6 MB that a function's request may have, with room for its envelope:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAXIMUM_ANSWER_BYTES = 5 * 1024 * 1024
# Boxes and classes of a batch are in memory together when they are consolidated: a thousand boxes
# take less than half of this. Answers to custom pages may hold whole pictures.
MAXIMUM_BUILTIN_ANSWER_BYTES = 256 * 1024
# How often a change of a task is decided anew because another worker's came first.
_ATTEMPTS = 20
# No longer than any that was given out: what does not fit into a key is not asked for.
_LEASE_ID = re.compile(r"([A-Za-z0-9-]{1,63})\.([0-9]{1,12})\.([0-9]{1,12})\.([A-Za-z0-9]{1,64})")
# The task that a worker sees, and one ahead of it.
_MOST_HELD = 2


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
    """A task that a worker holds, or answered and may still change.

    ``ahead`` is as in ``Lease``; ``answered`` tells that the worker's answer is in.
    """

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
    ahead: bool = False
    answered: bool = False


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
        self._remembered = RememberedJobs(store)
        self._found = FoundTasks()
        self._files_for_job = files_for_job
        self._inputs = TaskInputs(files_for_job)
        self._loop = loop
        self._clock = clock
        self._random = random

    def jobs_for(self, worker: Worker) -> list[WorkerJob]:
        """Return the open jobs of the worker's teams, newest first."""
        now = self._clock()
        jobs = [job for arn in worker.team_arns for job in self._store.list_open(arn)]
        jobs.sort(key=lambda job: (job.created_at, job.name), reverse=True)
        return [self._listed(job, worker, now) for job in jobs]

    def take(
        self,
        worker: Worker,
        job_name: str,
        besides: Collection[str] = (),
        again: str | None = None,
    ) -> LeasedTask | None:
        """Lease a task; one that the worker holds already comes first. None: nothing to do now.

        Parameters
        ----------
        again
            A lease that ran out: its task is given before others if it can be had.
        besides
            Lease ids of tasks that are at hand: another is wanted ahead of its time, which begins
            with ``start``. One such is given at a time.
        """
        wish = _Wish(
            besides=tuple(map(_LeasePlace.parse, besides)),
            again=None if again is None else _LeasePlace.parse(again),
        )
        remembered = self._remembered.open_work(job_name, self._clock())
        if remembered is not None and self._is_late(remembered.batch):
            remembered = None
        work = remembered or self._open_work(worker, job_name)
        if work is None:
            return None
        _require_member(worker, work.job)
        leased = self._take_besides(worker, work, wish)
        if leased is not None:
            return leased
        # That there is nothing to do has to be so now, and whatever the worker says to hold.
        if remembered is not None:
            work = self._open_work(worker, job_name)
            if work is None:
                return None
        leased = self._take_checked(worker, work, wish)
        if leased is None:
            self._wake_if_over(work.job, work.batch.iteration)
        return leased

    def _take_besides(self, worker: Worker, work: OpenWork, wish: _Wish) -> LeasedTask | None:
        """Lease a task if the worker holds what they say, which the write finds out."""
        said = wish.hand(work)
        if len(said) >= _MOST_HELD:
            return None
        try:
            return self._lease_some(worker, work, wish, Hand(said, said))
        except HandChangedError:
            return None

    def _take_checked(self, worker: Worker, work: OpenWork, wish: _Wish) -> LeasedTask | None:
        """Give a task that the worker holds and does not have at hand, or else lease one."""
        job = work.job
        at_hand = {place.nonce for place in wish.besides}
        for _ in range(_ATTEMPTS):
            kept, held = self._held(worker, job)
            for task, lease in sorted(held, key=lambda each: each[1].ahead):
                if lease.nonce not in at_hand:
                    return self._leased(job, task, lease)
            if len(held) >= _MOST_HELD:
                return None
            hand = Hand(
                kept, frozenset(LeasePointer(task.object_id, lease.nonce) for task, lease in held)
            )
            try:
                return self._lease_some(worker, work, wish, hand)
            except HandChangedError:
                continue
        raise ConflictError(f"what {worker.worker_id} holds of job {job.name} kept changing")

    def start(self, worker: Worker, lease_id: str) -> LeasedTask:
        """Begin the time of a task that was taken ahead; of any other it began before."""
        place = _LeasePlace.parse(lease_id)
        job = self._job_of(worker, place)
        for _ in range(_ATTEMPTS):
            task = self._task(job, place)
            now = self._clock()
            lease = tasks.held_lease(task, worker.worker_id, place.nonce, now)
            if not lease.ahead:
                return self._leased(job, task, lease)
            batch = self._remembered.batch(job.name, place.iteration)
            expires_at = self._expiry(job, batch, now)
            started = tasks.start(task, lease, expires_at, now)
            begun = tasks.held_lease(started, worker.worker_id, place.nonce, now)
            try:
                self._store.save_task(task, started, now)
            except ConflictError:
                continue
            return self._leased(job, started, begun)
        raise ConflictError(f"task {place.object_id} of job {job.name} kept changing")

    def leases(self, worker: Worker, job_name: str) -> list[LeasedTask]:
        """Return the tasks of a job that the worker holds, for going on with them."""
        job = self._job(worker, job_name)
        _, held = self._held(worker, job)
        return [self._leased(job, task, lease) for task, lease in held]

    def resume(self, worker: Worker, lease_id: str) -> LeasedTask:
        """Return a task that the worker holds, or answered while its batch is still open.

        Raises
        ------
        WorkError
            One of its kinds, when the worker has nothing to do with it (any more).
        """
        place = _LeasePlace.parse(lease_id)
        job = self._job_of(worker, place)
        task = self._task(job, place)
        now = self._clock()
        answer = tasks.own_answer(task, worker.worker_id, place.nonce)
        if answer is None:
            lease = tasks.held_lease(task, worker.worker_id, place.nonce, now)
            return self._leased(job, task, lease)
        batch = self._require_open(job, place.iteration)
        lease = Lease(worker.worker_id, place.nonce, now, self._expiry(job, batch, now))
        return replace(self._leased(job, task, lease), answered=True)

    def submit(
        self,
        worker: Worker,
        lease_id: str,
        answer_content: Mapping[str, Any],
        time_spent_seconds: float | None = None,
        *,
        replaces: bool = False,
    ) -> None:
        """Store an answer and close the lease; the same answer again changes nothing.

        Parameters
        ----------
        answer_content
            What the template's form answered, by element name.
        time_spent_seconds
            The portal's own measure; without it, the time since the task was taken.
        replaces
            Put it in the place of the answer that was accepted under this lease, while the batch
            is open; the time is added to that one's.

        Raises
        ------
        WorkError
            One of its kinds, when the answer cannot be accepted any more.
        """
        place = _LeasePlace.parse(lease_id)
        job = self._job_of(worker, place)
        content = _canonical(answer_content, job)
        digest = hashlib.sha256(content).hexdigest()
        stored = False
        for _ in range(_ATTEMPTS):
            task = self._task(job, place)
            now = self._clock()
            earlier = tasks.own_answer(task, worker.worker_id, place.nonce)
            if replaces and earlier is not None and earlier.digest != digest:
                self._require_open(job, place.iteration)
                self._store_answer(job, task, worker.worker_id, digest, content)
                record = replace(
                    earlier,
                    digest=digest,
                    submitted_at=now,
                    time_spent_seconds=earlier.time_spent_seconds + (time_spent_seconds or 0.0),
                )
                after = tasks.replace_answer(task, earlier, record)
                try:
                    self._store.save_task(task, after, now, while_batch_open=True)
                except ConflictError:
                    continue
                break
            if tasks.is_answered(task, worker.worker_id, place.nonce, digest):
                break
            lease = tasks.held_lease(task, worker.worker_id, place.nonce, now)
            if not stored:
                self._store_answer(job, task, worker.worker_id, digest, content)
                stored = True
            spent = (now - lease.accepted_at).total_seconds()
            record = AnswerRecord(
                worker_id=worker.worker_id,
                nonce=place.nonce,
                digest=digest,
                accepted_at=lease.accepted_at,
                submitted_at=now,
                time_spent_seconds=spent if time_spent_seconds is None else time_spent_seconds,
                issuer=worker.issuer,
                sub=worker.sub,
            )
            after = tasks.submit(task, record, now)
            try:
                self._store.save_task(task, after, now, returned=(lease,))
            except ConflictError:
                continue
            job_metrics.submitted(job, worker, task, record)
            if not after.closed:
                return
            break
        else:
            raise ConflictError(f"task {place.object_id} of job {job.name} kept changing")
        self._wake_if_over(job, place.iteration)

    def release(self, worker: Worker, lease_id: str) -> None:
        """Give a task back for anybody, the same worker included."""
        self._give_back(worker, lease_id, tasks.release, declined=False)

    def decline(self, worker: Worker, lease_id: str) -> None:
        """Give a task back for anybody else."""
        self._give_back(worker, lease_id, tasks.decline, declined=True)

    def _give_back(
        self,
        worker: Worker,
        lease_id: str,
        decide: Callable[[Task, Lease, datetime], Task],
        *,
        declined: bool,
    ) -> None:
        place = _LeasePlace.parse(lease_id)
        job = self._job_of(worker, place)
        for _ in range(_ATTEMPTS):
            task = self._task(job, place)
            now = self._clock()
            lease = tasks.held_lease(task, worker.worker_id, place.nonce, now)
            after = decide(task, lease, now)
            try:
                self._store.save_task(task, after, now, returned=(lease,))
            except ConflictError:
                continue
            job_metrics.given_back(job, worker, task, lease, now, declined=declined)
            if after.closed:
                self._wake_if_over(job, place.iteration)
            return
        raise ConflictError(f"task {place.object_id} of job {job.name} kept changing")

    def _job(self, worker: Worker, name: str) -> Job:
        """Return a job that is open to the worker."""
        job = self._store.get(name)
        _require_member(worker, job)
        if job.status is JobStatus.STOPPING or job.status.is_final:
            raise JobNotOpenError(f"The job {job.title!r} has ended; there is nothing to do on it.")
        return job

    def _job_of(self, worker: Worker, place: _LeasePlace) -> Job:
        """Return a lease's job, also one that has ended: the answer may be in already."""
        try:
            job = self._remembered.job(place.job)
        except JobNotFoundError:
            raise LeaseNotFoundError("There is no such task.") from None
        _require_member(worker, job)
        return job

    def _task(self, job: Job, place: _LeasePlace) -> Task:
        task = self._store.find_task(job.name, place.iteration, place.object_id)
        if task is None:
            raise LeaseNotFoundError("There is no such task (any more).")
        return task

    def _open_work(self, worker: Worker, job_name: str) -> OpenWork | None:
        """Return a job and its batch if people work on it now."""
        read_at = self._clock()
        self._remembered.forget(job_name)
        job = self._job(worker, job_name)
        batch = self._open_batch(job)
        if batch is None:
            return None
        work = OpenWork(job, batch, read_at)
        self._remembered.keep(work)
        return work

    def _open_batch(self, job: Job) -> Batch | None:
        """Return the batch that people work on now, or None; wake a loop that overslept its end."""
        if job.status is not JobStatus.IN_PROGRESS or job.iteration == 0:
            return None
        batch = self._store.find_batch(job.name, job.iteration)
        if batch is None or batch.state is not BatchState.OPEN:
            return None
        if self._is_late(batch):
            self._wake(batch)
            return None
        return batch

    def _require_open(self, job: Job, iteration: int) -> Batch:
        batch = self._store.find_batch(job.name, iteration, counted=True)
        if batch is None or batch.state is not BatchState.OPEN or self._is_over(batch):
            raise JobNotOpenError("This answer is being worked on and cannot be changed any more.")
        return batch

    def _held(
        self, worker: Worker, job: Job
    ) -> tuple[frozenset[LeasePointer], list[tuple[Task, Lease]]]:
        """Return what the worker's item has of the present batch, and what they really hold."""
        now = self._clock()
        hand = self._store.hand(worker.worker_id, job.name, job.iteration)
        held = [
            (task, lease)
            for pointer in sorted(hand.held)
            if (task := self._store.find_task(job.name, job.iteration, pointer.object_id))
            for lease in task.leases
            if lease.nonce == pointer.nonce and lease.expires_at > now
        ]
        return hand.kept, held

    def _lease_some(
        self, worker: Worker, work: OpenWork, wish: _Wish, hand: Hand
    ) -> LeasedTask | None:
        for seen in self._could_take(worker, work, wish):
            leased = self._lease(worker, work, seen, hand, ahead=bool(wish.besides))
            if leased is not None:
                return leased
        return None

    def _could_take(self, worker: Worker, work: OpenWork, wish: _Wish) -> Iterator[Task]:
        """Yield what the worker could probably take: first the task that they want again."""
        batch = (work.job.name, work.batch.iteration)
        if wish.again and wish.again.batch == batch:
            task = self._store.find_task(*batch, wish.again.object_id)
            if task is not None:
                yield task

        def can_take(task: Task) -> bool:
            return tasks.can_take(task, worker.worker_id, self._clock())

        while found := self._found.give(batch, self._clock(), can_take):
            yield found
        start = self._random.getrandbits(32)
        for page in self._store.search_available(*batch, worker.worker_id, self._clock(), start):
            for place, task in enumerate(page):
                self._found.keep(batch, page[place + 1 :], self._clock())
                yield task

    def _lease(
        self, worker: Worker, work: OpenWork, seen: Task, hand: Hand, *, ahead: bool
    ) -> LeasedTask | None:
        """Lease a task as it was seen or, where that leads nowhere, as it is by now.

        What the index shows is seldom old, so that few tasks have to be read again.
        """
        task: Task | None = seen
        for may_be_old in (True, False):
            now = self._clock()
            if task is not None and tasks.can_take(task, worker.worker_id, now):
                lease = Lease(
                    worker_id=worker.worker_id,
                    nonce=f"{self._random.getrandbits(96):024x}",
                    accepted_at=now,
                    expires_at=self._expiry(work.job, work.batch, now),
                    ahead=ahead,
                )
                taken = tasks.take(task, lease, now)
                with suppress(ConflictError):
                    self._store.save_task(task, taken, now, leased=(lease, hand))
                    job_metrics.accepted(work.job, worker, taken, lease)
                    return self._leased(work.job, taken, lease)
            if may_be_old:
                task = self._store.find_task(seen.job, seen.iteration, seen.object_id)
        self._settle(work.job, task, self._clock())
        return None

    def _settle(self, job: Job, task: Task | None, now: datetime) -> None:
        """Close a declined task whose last lease ran out; its place in the index came back."""
        settled = task and tasks.settle(task, now)
        if task and settled and settled is not task:
            try:
                self._store.save_task(task, settled, now)
            except ConflictError:
                return
            self._wake_if_over(job, task.iteration)

    def _expiry(self, job: Job, batch: Batch, now: datetime) -> datetime:
        limit = now + timedelta(seconds=job.task_time_limit_seconds)
        return min(limit, batch.closes_at) if batch.closes_at else limit

    def _leased(self, job: Job, task: Task, lease: Lease) -> LeasedTask:
        return LeasedTask(
            lease_id=str(_LeasePlace(job.name, task.iteration, task.object_id, lease.nonce)),
            job_name=job.name,
            title=job.title,
            description=job.description,
            object_id=task.object_id,
            task_input=self._inputs.of(job, task),
            template_uri=job.template_uri,
            role_arn=job.role_arn,
            accepted_at=lease.accepted_at,
            expires_at=lease.expires_at,
            time_limit_seconds=job.task_time_limit_seconds,
            ahead=lease.ahead,
        )

    def _listed(self, job: Job, worker: Worker, now: datetime) -> WorkerJob:
        batch = self._open_batch(job)
        left = 0
        if batch is not None:
            left = self._store.count_available(job.name, batch.iteration, worker.worker_id, now)
            if left == 0:
                self._wake_if_over(job, batch.iteration)
        return WorkerJob(
            name=job.name,
            title=job.title,
            description=job.description,
            status=job.status,
            created_at=job.created_at,
            tasks_left=left,
            customer=job.account,
            task_time_limit_seconds=job.task_time_limit_seconds,
        )

    def _store_answer(
        self, job: Job, task: Task, worker_id: str, digest: str, content: bytes
    ) -> None:
        uri = layout.answer_uri(job, task.iteration, task.object_id, worker_id, digest)
        self._files_for_job(job).put(
            uri, content, content_type="application/json", kms_key_id=job.kms_key_id
        )

    def _wake_if_over(self, job: Job, iteration: int) -> None:
        """Wake the loop if the batch is complete or its time is over.

        Whoever notices does it, since the one who should have may have been cut off before.
        """
        batch = self._remembered.batch(job.name, iteration)
        done = self._store.count_done(job.name, iteration)
        if self._is_over(replace(batch, done=done)):
            # What wakes the loop is another every hour.
            self._wake(self._store.get_batch(job.name, iteration))

    def _is_over(self, batch: Batch) -> bool:
        return batch.is_complete or self._is_late(batch)

    def _is_late(self, batch: Batch) -> bool:
        return batch.closes_at is not None and batch.closes_at <= self._clock()

    def _wake(self, batch: Batch) -> None:
        if batch.state is BatchState.OPEN and batch.task_token:
            outcome = {"job": batch.job, "iteration": batch.iteration, "outcome": "closed"}
            self._loop.wake(batch.task_token, outcome)


@dataclass(frozen=True)
class _Wish:
    """Which task is wanted: besides those at hand, perhaps a certain one again."""

    besides: tuple[_LeasePlace, ...]
    again: _LeasePlace | None

    def hand(self, work: OpenWork) -> frozenset[LeasePointer]:
        """Return what the worker says to hold of a batch."""
        batch = (work.job.name, work.batch.iteration)
        return frozenset(
            LeasePointer(place.object_id, place.nonce)
            for place in self.besides
            if place.batch == batch
        )


@dataclass(frozen=True)
class _LeasePlace:
    """What a lease id says: which task, and which lease on it."""

    job: str
    iteration: int
    object_id: int
    nonce: str

    @classmethod
    def parse(cls, lease_id: str) -> _LeasePlace:
        found = _LEASE_ID.fullmatch(lease_id)
        if found is None:
            raise LeaseNotFoundError("There is no such task.")
        job, iteration, object_id, nonce = found.groups()
        return cls(job, int(iteration), int(object_id), nonce)

    @property
    def batch(self) -> tuple[str, int]:
        return self.job, self.iteration

    def __str__(self) -> str:
        return f"{self.job}.{self.iteration}.{self.object_id}.{self.nonce}"


def _require_member(worker: Worker, job: Job) -> None:
    if job.workteam_arn not in worker.team_arns:
        raise NotInTeamError("You are not a member of the work team that this job is for.")


def _canonical(answer_content: Mapping[str, Any], job: Job) -> bytes:
    """Return an answer as the same bytes for the same content, whoever sends it again."""
    content = json.dumps(answer_content, sort_keys=True, separators=(",", ":")).encode()
    most = MAXIMUM_ANSWER_BYTES if job.task is None else MAXIMUM_BUILTIN_ANSWER_BYTES
    if len(content) > most:
        raise AnswerTooLargeError(
            f"The answer has {len(content):,} bytes; at most {most:,} are accepted."
        )
    return content
