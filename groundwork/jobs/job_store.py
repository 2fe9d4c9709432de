"""Jobs, batches, tasks and leases in DynamoDB."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from groundwork.jobs import tasks
from groundwork.jobs.automation.settings import Automation
from groundwork.jobs.errors import (
    JobExistsError,
    JobFailedError,
    JobFormatError,
    JobNotFoundError,
)
from groundwork.jobs.model import (
    AnswerRecord,
    Batch,
    BatchState,
    Counters,
    Job,
    JobStatus,
    Lease,
    Progress,
    Task,
)
from groundwork.table_client import (
    AVAILABLE_INDEX,
    Add,
    Check,
    ConflictError,
    Discard,
    Exchange,
    Item,
    Put,
    SortKeys,
    Table,
    Write,
)

# Of a job's items and files together. Raise it when older code would misread what newer code
# writes, after a snapshot was taken (tests/support/release_snapshot.py). Items without one are of
# format 1.
FORMAT = 1
# Concurrent transactions on one item refuse each other, so that done tasks are counted on several.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
_COUNT_SHARDS = 8
_MAXIMUM_SHUFFLE = 0xFFFFFFFF
# What a process gives out in a moment, as tasks that are not are charged and sent for nothing.
_SEARCH_PAGE = 10
_WRITE_THREADS = 16
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateLabelingJob.html
_MAXIMUM_NAME_CHARACTERS = 63
_ATTEMPTS = 20
# Leases remove themselves this long after they ran out, without anybody's doing.
_KEPT_AFTER_END = timedelta(days=7)
_HELD = "held"
# Among the writes of a lease.
_PLACE_OF_HAND = 1
_log = logging.getLogger(__name__)
_OPEN_STATUSES = (JobStatus.INITIALIZING, JobStatus.IN_PROGRESS, JobStatus.STOPPING)


class HandChangedError(Exception):
    """The worker holds other tasks of the batch than was thought."""


@dataclass(frozen=True, order=True)
class LeasePointer:
    """Where in a batch a worker's lease is."""

    object_id: int
    nonce: str

    @classmethod
    def parse(cls, text: str) -> LeasePointer:
        """Read a pointer as it is kept."""
        object_id, _, nonce = text.partition(".")
        return cls(int(object_id), nonce)

    def __str__(self) -> str:
        """Return the pointer as it is kept."""
        return f"{self.object_id}.{self.nonce}"


@dataclass(frozen=True)
class Hand:
    """What a worker holds of a batch.

    Parameters
    ----------
    kept
        What the worker's item has, which the next lease expects there.
    held
        What the worker holds, as far as is known.
    """

    kept: frozenset[LeasePointer] = frozenset()
    held: frozenset[LeasePointer] = frozenset()


class JobStore:
    """Keeps jobs and the tasks of their current batch.

    Parameters
    ----------
    table
        The engine's table (``groundwork.table_client.Table``), or a stand-in.
    """

    def __init__(self, table: Table) -> None:
        self._table = table

    @classmethod
    def from_environment(cls) -> JobStore:
        """Use the table that the function was deployed with."""
        return cls(Table.from_environment())

    def create(self, job: Job, beside: Sequence[Write] = ()) -> None:
        """Keep a new job; raises JobExistsError when the name is taken, in whatever case.

        Parameters
        ----------
        beside
            What is written with it or not at all.
        """
        try:
            self._table.transact([Put(_job_item(job, 0), only_new=True), *beside])
        except ConflictError:
            raise JobExistsError(
                f"Labeling job name {job.name!r} is taken: names are unique in an account and "
                "region, upper and lower case being the same, and a job cannot be deleted. "
                "Choose another name."
            ) from None

    def get(self, name: str) -> Job:
        """Return a job by its name, in whatever case; raises JobNotFoundError."""
        return _job(self._job_item(name))

    def change(self, name: str, decide: Callable[[Job], Job]) -> Job:
        """Change a job by a pure decision, made anew when another writer came first.

        Parameters
        ----------
        decide
            Gives the job as it should be; the same value changes nothing.
        """
        for _ in range(_ATTEMPTS):
            item = self._job_item(name)
            job = _job(item)
            wanted = decide(job)
            if wanted == job:
                return job
            version = int(item["version"])
            try:
                self._table.put(Put(_job_item(wanted, version + 1), expected_version=version))
            except ConflictError:
                continue
            return wanted
        raise ConflictError(f"job {name} kept changing while it was written")

    def request_stop(self, name: str, now: datetime) -> Job:
        """Ask a job to stop; asking again, or when it has ended, changes nothing.

        Use ``groundwork.jobs.lifecycle.stop_job``, which also wakes the loop.
        """

        def stopping(job: Job) -> Job:
            if job.status.is_final or job.status is JobStatus.STOPPING:
                return job
            return replace(job, status=JobStatus.STOPPING, modified_at=now)

        return self.change(name, stopping)

    def list_open(self, workteam_arn: str) -> Iterator[Job]:
        """Yield a team's jobs that have not ended, oldest first."""
        yield from _readable(self._table.query(_team_key(workteam_arn), index=AVAILABLE_INDEX))

    def create_batch(self, batch: Batch) -> Batch:
        """Keep a new batch and return it, or the one that is there already."""
        try:
            self._table.put(Put(_batch_item(batch, 0), only_new=True))
        except ConflictError:
            return self.get_batch(batch.job, batch.iteration)
        return batch

    def find_batch(self, job: str, iteration: int, *, counted: bool = False) -> Batch | None:
        """Return a batch, or None; its done tasks are 0 unless they are to be counted.

        Counting is a query of its own. The function that has the network may make none.
        """
        item = self._table.get(_batches_key(job), _batch_key(iteration))
        if item is None:
            return None
        return self._counted(_batch(item)) if counted else _batch(item)

    def get_batch(self, job: str, iteration: int, *, counted: bool = False) -> Batch:
        """Return a batch that has to be there, as ``find_batch`` does."""
        batch = self.find_batch(job, iteration, counted=counted)
        if batch is None:
            raise JobFailedError(f"batch {iteration} of job {job} is missing from the table")
        return batch

    def progress_after(self, job: str, iteration: int) -> Progress:
        """Return how far a job is after a batch, which has to be published."""
        progress = self.get_batch(job, iteration).after
        if progress is None:
            raise JobFailedError(f"batch {iteration} of job {job} was never published")
        return progress

    def change_batch(self, job: str, iteration: int, decide: Callable[[Batch], Batch]) -> Batch:
        """Change a batch by a pure decision, made anew when another writer came first.

        Parameters
        ----------
        decide
            Gives the batch as it should be; the same value changes nothing.
        """
        for _ in range(_ATTEMPTS):
            item = self._table.get(_batches_key(job), _batch_key(iteration))
            if item is None:
                raise JobFailedError(f"batch {iteration} of job {job} is missing from the table")
            batch = self._counted(_batch(item))
            wanted = decide(batch)
            if wanted == batch:
                return batch
            version = int(item["version"])
            try:
                self._table.put(Put(_batch_item(wanted, version + 1), expected_version=version))
            except ConflictError:
                continue
            return wanted
        raise ConflictError(f"batch {iteration} of job {job} kept changing while it was written")

    def count_done(self, job: str, iteration: int) -> int:
        """Count a batch's tasks that need nobody any more."""
        counts = self._table.query(_tasks_key(job, iteration), SortKeys(prefix="COUNT#"))
        return sum(int(item["done"]) for item in counts)

    def add_tasks(self, new_tasks: Iterable[Task]) -> None:
        """Keep new tasks; those that are there already stay as they are."""

        def add(task: Task) -> None:
            try:
                self._table.put(Put(_task_item(task), only_new=True))
            except ConflictError:
                return

        with ThreadPoolExecutor(_WRITE_THREADS) as pool:
            for _ in pool.map(add, new_tasks):
                pass

    def tasks(self, job: str, iteration: int) -> Iterator[Task]:
        """Yield a batch's tasks in order of their objects."""
        for item in self._table.query(_tasks_key(job, iteration), SortKeys(prefix="TASK#")):
            yield _task(item)

    def find_task(self, job: str, iteration: int, object_id: int) -> Task | None:
        """Return a task, or None."""
        item = self._table.get(_tasks_key(job, iteration), _task_key(object_id))
        return None if item is None else _task(item)

    def search_available(
        self, job: str, iteration: int, worker_id: str, now: datetime, start: int
    ) -> Iterator[list[Task]]:
        """Yield tasks that a worker could probably take, from a random place on, then from the top.

        Each list is what a request found. The index lags behind by moments, so that any task may
        have changed.

        Parameters
        ----------
        start
            The random place, as 32 bits.
        """
        middle = _available_key(0, start)
        ranges = (
            SortKeys(lowest=middle, highest=_available_key(_epoch(now), _MAXIMUM_SHUFFLE)),
            SortKeys(lowest=_available_key(0, 0), highest=middle),
        )
        for keys in ranges:
            for page in self._table.pages(
                _tasks_key(job, iteration),
                keys,
                index=AVAILABLE_INDEX,
                lacking=("workers_done", worker_id),
                page_size=_SEARCH_PAGE,
            ):
                yield [_task(item) for item in page]

    def count_available(self, job: str, iteration: int, worker_id: str, now: datetime) -> int:
        """Count the tasks that a worker could take now."""
        return self._table.count(
            _tasks_key(job, iteration),
            SortKeys(
                lowest=_available_key(0, 0), highest=_available_key(_epoch(now), _MAXIMUM_SHUFFLE)
            ),
            index=AVAILABLE_INDEX,
            lacking=("workers_done", worker_id),
        )

    def save_task(
        self,
        before: Task,
        after: Task,
        now: datetime,
        *,
        leased: tuple[Lease, Hand] | None = None,
        returned: tuple[Lease, ...] = (),
        while_batch_open: bool = False,
    ) -> None:
        """Write a decision on a task with its leases and the batch's count, all or nothing.

        Parameters
        ----------
        leased
            A lease that the decision gave out, and what its worker had in hand before.
        returned
            Leases that the decision ended.
        while_batch_open
            Write only if the batch is open at that moment, which consolidation ends first.

        Raises
        ------
        HandChangedError
            If the worker has something else in hand.
        ConflictError
            If the task is not any more the one that the decision was made on.
        """
        writes: list[Write] = [Put(_task_item(after, now), expected_version=before.version)]
        if leased:
            writes.append(_into_hand(after, *leased))
        writes += [_out_of_hand(after, lease) for lease in returned]
        if after.closed and not before.closed:
            shard = f"COUNT#{after.object_id % _COUNT_SHARDS:02d}"
            key = _tasks_key(after.job, after.iteration)
            writes.append(Add(key, shard, "done", 1, after.removed_at))
        if while_batch_open:
            key, batch = _batches_key(after.job), _batch_key(after.iteration)
            writes.append(Check(key, batch, "state", BatchState.OPEN.value))
        try:
            self._table.transact(writes)
        except ConflictError as error:
            if leased and _PLACE_OF_HAND in error.refused:
                raise HandChangedError(f"{leased[0].worker_id} holds other tasks") from None
            raise

    def close_task(self, task: Task, now: datetime) -> Task:
        """Let a task take no further answers, and return it as it then is."""
        for _ in range(_ATTEMPTS):
            if task.closed:
                return task
            closed = tasks.close(task)
            try:
                self.save_task(task, closed, now, returned=task.leases)
            except ConflictError:
                again = self.find_task(task.job, task.iteration, task.object_id)
                task = again or closed
                continue
            return closed
        raise ConflictError(f"task {task.object_id} of job {task.job} kept changing")

    def hand(self, worker_id: str, job: str, iteration: int) -> Hand:
        """Return what a worker was given of a batch, also what ran out or was ended meanwhile."""
        kept: set[LeasePointer] = set()
        older: set[LeasePointer] = set()
        keys = SortKeys(prefix=_leases_prefix(iteration))
        for item in self._table.query(_worker_key(worker_id, job), keys):
            kept.update(map(LeasePointer.parse, item.get(_HELD, ())))
            # Before there were hands, each lease had an item.
            if "nonce" in item:
                older.add(LeasePointer(int(item["object_id"]), item["nonce"]))
        return Hand(frozenset(kept), frozenset(kept | older))

    def list(self) -> list[Job]:
        """Return every job."""
        return list(_readable(self._table.query("JOB")))

    def _job_item(self, name: str) -> Item:
        # Whoever types an address may ask for what DynamoDB takes for no key.
        fits = 0 < len(name) <= _MAXIMUM_NAME_CHARACTERS
        item = self._table.get("JOB", name.lower()) if fits else None
        if item is None:
            raise JobNotFoundError(
                f"There is no labeling job named {name[: _MAXIMUM_NAME_CHARACTERS + 1]!r}."
            )
        return item

    def _counted(self, batch: Batch) -> Batch:
        return replace(batch, done=self.count_done(batch.job, batch.iteration))


def _job_item(job: Job, version: int) -> Item:
    item: Item = {
        "PK": "JOB",
        "SK": job.name.lower(),
        "version": version,
        "format": FORMAT,
        "name": job.name,
        "arn": job.arn,
        "status": job.status.value,
        "created_at": job.created_at.isoformat(),
        "modified_at": job.modified_at.isoformat(),
        # As text, since DynamoDB's numbers would not come back as they were.
        "request": json.dumps(job.request),
        "reference_code": job.reference_code,
        "failure_reason": job.failure_reason,
        "counters": asdict(job.counters),
        "iteration": job.iteration,
        "total_objects": job.total_objects,
        "final_model": job.final_model,
    }
    if job.automation is not None:
        item["automation"] = _automation_item(job.automation)
    if job.status in _OPEN_STATUSES:
        item["available_pk"] = _team_key(job.workteam_arn)
        item["available_sk"] = f"{job.created_at.isoformat()}#{job.name.lower()}"
    return item


def _readable(items: Iterable[Item]) -> Iterator[Job]:
    """Yield jobs without those of a newer release, which must not hold up the others."""
    for item in items:
        try:
            yield _job(item)
        except JobFormatError as error:
            _log.warning("job left out", extra={"job": item["name"], "reason": str(error)})


def _job(item: Item) -> Job:
    written = int(item.get("format", 1))
    if written > FORMAT:
        raise JobFormatError(
            f"The labeling job {item['name']!r} was written by a newer release, in format "
            f"{written}; this one reads formats up to {FORMAT}. Deploy the newer release again: "
            "nothing of the job is lost."
        )
    total = item["total_objects"]
    # Items of before automated labeling was there have neither.
    automation, final_model = item.get("automation"), item.get("final_model")
    return Job(
        name=item["name"],
        arn=item["arn"],
        status=JobStatus(item["status"]),
        created_at=datetime.fromisoformat(item["created_at"]),
        modified_at=datetime.fromisoformat(item["modified_at"]),
        request=json.loads(item["request"]),
        reference_code=item["reference_code"],
        failure_reason=item["failure_reason"],
        counters=_counters(item["counters"]),
        iteration=int(item["iteration"]),
        total_objects=None if total is None else int(total),
        automation=None if automation is None else _automation(automation),
        final_model=None if final_model is None else int(final_model),
    )


def _automation_item(automation: Automation) -> Item:
    # As text, since boto3 refuses to write floating-point numbers.
    return {
        "target": repr(automation.target),
        "sampled_share": repr(automation.sampled_share),
        "initial_model": automation.initial_model,
    }


def _automation(item: Item) -> Automation:
    return Automation(
        target=float(item["target"]),
        sampled_share=float(item["sampled_share"]),
        initial_model=item["initial_model"],
    )


def _counters(item: Item) -> Counters:
    return Counters(**{name: int(number) for name, number in item.items()})


def _batch_item(batch: Batch, version: int) -> Item:
    return {
        "PK": _batches_key(batch.job),
        "SK": _batch_key(batch.iteration),
        "version": version,
        "job": batch.job,
        "iteration": batch.iteration,
        "state": batch.state.value,
        "total": batch.total,
        "selected": batch.selected,
        "before": asdict(batch.before),
        "after": None if batch.after is None else asdict(batch.after),
        "next_byte": batch.next_byte,
        "next_line": batch.next_line,
        "opened_at": _text(batch.opened_at),
        "closes_at": _text(batch.closes_at),
        "closed_at": _text(batch.closed_at),
        "stopped": batch.stopped,
        "task_token": batch.task_token,
    }


def _batch(item: Item) -> Batch:
    return Batch(
        job=item["job"],
        iteration=int(item["iteration"]),
        state=BatchState(item["state"]),
        total=int(item["total"]),
        selected=int(item["selected"]),
        before=_progress(item["before"]),
        after=None if item["after"] is None else _progress(item["after"]),
        next_byte=int(item["next_byte"]),
        next_line=int(item["next_line"]),
        opened_at=_time(item["opened_at"]),
        closes_at=_time(item["closes_at"]),
        closed_at=_time(item["closed_at"]),
        stopped=item["stopped"],
        task_token=item["task_token"],
    )


def _progress(item: Item) -> Progress:
    return Progress(
        next_byte=int(item["next_byte"]),
        next_line=int(item["next_line"]),
        counters=_counters(item["counters"]),
        labeled_by_people=int(item["labeled_by_people"]),
        snapshot=int(item["snapshot"]),
        finished_since_snapshot=int(item["finished_since_snapshot"]),
    )


def _task_item(task: Task, now: datetime | None = None) -> Item:
    item: Item = {
        "PK": _tasks_key(task.job, task.iteration),
        "SK": _task_key(task.object_id),
        "version": task.version,
        "job": task.job,
        "iteration": task.iteration,
        "object_id": task.object_id,
        "workers_wanted": task.workers_wanted,
        "input_start": task.input_start,
        "input_length": task.input_length,
        "shuffle": task.shuffle,
        "leases": [_lease_item(lease) for lease in task.leases],
        "answers": [_answer_item(answer) for answer in task.answers],
        "declined_by": list(task.declined_by),
        "closed": task.closed,
        "expires_at": task.removed_at,
    }
    # DynamoDB has no empty sets.
    if done := tasks.workers_done(task):
        item["workers_done"] = set(done)
    if not task.closed:
        free_from = None if now is None else tasks.available_from(task, now)
        item["available_pk"] = item["PK"]
        item["available_sk"] = _available_key(
            0 if free_from is None else _epoch(free_from), task.shuffle
        )
    return item


def _task(item: Item) -> Task:
    return Task(
        job=item["job"],
        iteration=int(item["iteration"]),
        object_id=int(item["object_id"]),
        workers_wanted=int(item["workers_wanted"]),
        input_start=int(item["input_start"]),
        input_length=int(item["input_length"]),
        shuffle=int(item["shuffle"]),
        leases=tuple(_lease(lease) for lease in item["leases"]),
        answers=tuple(_answer(answer) for answer in item["answers"]),
        declined_by=tuple(item["declined_by"]),
        closed=item["closed"],
        removed_at=int(item["expires_at"]),
        version=int(item["version"]),
    )


def _lease_item(lease: Lease) -> Item:
    return {
        "worker_id": lease.worker_id,
        "nonce": lease.nonce,
        "accepted_at": lease.accepted_at.isoformat(),
        "expires_at": lease.expires_at.isoformat(),
        "ahead": lease.ahead,
    }


def _lease(item: Item) -> Lease:
    return Lease(
        worker_id=item["worker_id"],
        nonce=item["nonce"],
        accepted_at=datetime.fromisoformat(item["accepted_at"]),
        expires_at=datetime.fromisoformat(item["expires_at"]),
        ahead=item.get("ahead", False),
    )


def _answer_item(answer: AnswerRecord) -> Item:
    return {
        "worker_id": answer.worker_id,
        "nonce": answer.nonce,
        "digest": answer.digest,
        "accepted_at": answer.accepted_at.isoformat(),
        "submitted_at": answer.submitted_at.isoformat(),
        # As text, since boto3 refuses to write floating-point numbers.
        "time_spent_seconds": repr(answer.time_spent_seconds),
        "issuer": answer.issuer,
        "sub": answer.sub,
    }


def _answer(item: Item) -> AnswerRecord:
    return AnswerRecord(
        worker_id=item["worker_id"],
        nonce=item["nonce"],
        digest=item["digest"],
        accepted_at=datetime.fromisoformat(item["accepted_at"]),
        submitted_at=datetime.fromisoformat(item["submitted_at"]),
        time_spent_seconds=float(item["time_spent_seconds"]),
        issuer=item["issuer"],
        sub=item["sub"],
    )


def _into_hand(task: Task, lease: Lease, hand: Hand) -> Exchange:
    return Exchange(
        *_hand_key(lease.worker_id, task.job, task.iteration),
        _HELD,
        before=frozenset(map(str, hand.kept)),
        after=frozenset(map(str, {*hand.held, _pointer(task, lease)})),
        expires_at=_end_of_hand(lease),
    )


def _out_of_hand(task: Task, lease: Lease) -> Discard:
    return Discard(
        *_hand_key(lease.worker_id, task.job, task.iteration),
        _HELD,
        member=str(_pointer(task, lease)),
        expires_at=_end_of_hand(lease),
    )


def _pointer(task: Task, lease: Lease) -> LeasePointer:
    return LeasePointer(task.object_id, lease.nonce)


def _end_of_hand(lease: Lease) -> int:
    return _epoch(lease.expires_at + _KEPT_AFTER_END)


def _team_key(workteam_arn: str) -> str:
    return f"TEAM#{workteam_arn}"


def _batches_key(job: str) -> str:
    return f"JOB#{job}"


def _batch_key(iteration: int) -> str:
    return f"BATCH#{iteration:06d}"


def _tasks_key(job: str, iteration: int) -> str:
    return f"BATCH#{job}#{iteration:06d}"


def _task_key(object_id: int) -> str:
    return f"TASK#{object_id:09d}"


def _worker_key(worker_id: str, job: str) -> str:
    return f"WORKER#{worker_id}#{job}"


def _leases_prefix(iteration: int) -> str:
    return f"LEASE#{iteration:06d}#"


def _hand_key(worker_id: str, job: str, iteration: int) -> tuple[str, str]:
    return _worker_key(worker_id, job), f"{_leases_prefix(iteration)}HAND"


def _available_key(epoch_seconds: int, shuffle: int) -> str:
    return f"{epoch_seconds:012d}#{shuffle:08x}"


def _epoch(moment: datetime) -> int:
    return int(moment.timestamp())


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
