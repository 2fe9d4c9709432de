"""The job store's conditions and indexes hold in DynamoDB, here the emulator's."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from groundwork.jobs import tasks
from groundwork.jobs.automation.settings import Automation
from groundwork.jobs.errors import JobExistsError
from groundwork.jobs.job_store import Hand, HandChangedError, JobStore, LeasePointer
from groundwork.jobs.model import Batch, BatchState, Counters, Job, JobStatus, Lease, Task
from groundwork.table_client import Add, ConflictError, Delete, Put, Table
from tests.support.job_fakes import TEAM, job_request
from tests.support.labeling_service import LabelingService

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
JOB = Job(
    name="Birds",
    arn="arn:aws:sagemaker:us-east-1:111122223333:labeling-job/Birds",
    status=JobStatus.IN_PROGRESS,
    created_at=NOW,
    modified_at=NOW,
    request=job_request(name="Birds"),
    reference_code="reference",
    counters=Counters(human_labeled=1, unlabeled=2),
)


@pytest.fixture
def table(service: LabelingService) -> Table:
    return Table(service.table())


@pytest.fixture
def store(table: Table) -> JobStore:
    return JobStore(table)


def task(number: int, **changes: Any) -> Task:
    made = Task(
        job="Birds",
        iteration=1,
        object_id=number,
        workers_wanted=1,
        input_start=0,
        input_length=10,
        shuffle=number * 1000,
        removed_at=2_000_000_000,
    )
    return replace(made, **changes)


def lease(worker_id: str = "ann", nonce: str = "n1") -> Lease:
    return Lease(worker_id, nonce, NOW, LATER)


def available(store: JobStore, worker_id: str, now: datetime = NOW, start: int = 0) -> list[int]:
    pages = store.search_available("Birds", 1, worker_id, now, start)
    return [candidate.object_id for page in pages for candidate in page]


def held(store: JobStore, worker_id: str) -> set[str]:
    return set(map(str, store.hand(worker_id, "Birds", 1).held))


def test_what_a_job_asks_of_automated_labels_comes_back_as_it_was(store: JobStore) -> None:
    automation = Automation(0.1 + 0.2, 1 / 3, "s3://bucket/output/first/training/7")
    job = replace(JOB, name="automated", automation=automation, final_model=3)

    store.create(job)

    assert store.get("automated") == job


def test_jobs_of_before_automated_labeling_go_on(store: JobStore, table: Table) -> None:
    store.create(replace(JOB, name="older"))
    item = table.get("JOB", "older")
    assert item is not None
    del item["final_model"]
    table.put(Put(item))

    assert store.get("older") == replace(JOB, name="older")


def test_a_job_is_kept_changed_and_found_whatever_the_case(store: JobStore) -> None:
    store.create(JOB)
    with pytest.raises(JobExistsError):
        store.create(replace(JOB, name="BIRDS"))
    assert store.get("birds") == JOB
    assert list(store.list_open(TEAM)) == [JOB]
    ended = store.change("birds", lambda job: replace(job, status=JobStatus.FAILED))
    assert store.list() == [ended]
    assert list(store.list_open(TEAM)) == []


def test_a_batch_is_kept_once_and_counts_its_tasks(store: JobStore) -> None:
    batch = Batch("Birds", 1, BatchState.SELECTED, total=2)
    assert store.create_batch(batch) == batch
    assert store.create_batch(replace(batch, total=99)) == batch
    store.add_tasks([task(1), task(9)])
    for number in (1, 9):
        store.close_task(task(number), NOW)
    assert store.get_batch("Birds", 1, counted=True).done == 2
    assert store.find_batch("Birds", 2) is None
    opened = store.change_batch("Birds", 1, lambda b: replace(b, task_token="token"))
    assert store.get_batch("Birds", 1, counted=True) == opened


def test_tasks_that_are_there_already_stay_as_they_are(store: JobStore) -> None:
    store.add_tasks([task(number) for number in range(40)])
    taken = tasks.take(task(3), lease(), NOW)
    store.save_task(task(3), taken, NOW, leased=(lease(), Hand()))
    store.add_tasks([task(number) for number in range(41)])
    assert store.find_task("Birds", 1, 3) == taken
    assert [found.object_id for found in store.tasks("Birds", 1)] == list(range(41))


def test_a_taken_task_leaves_the_index_until_its_lease_runs_out(store: JobStore) -> None:
    store.add_tasks([task(1), task(2)])
    store.save_task(task(1), tasks.take(task(1), lease(), NOW), NOW, leased=(lease(), Hand()))
    assert available(store, "ben") == [2]
    assert available(store, "ben", LATER) == [2, 1]
    assert store.count_available("Birds", 1, "ben", NOW) == 1
    assert held(store, "ann") == {"1.n1"}


def test_what_a_worker_declined_is_not_offered_to_them_again(store: JobStore) -> None:
    store.add_tasks([task(1, workers_wanted=2), task(2, workers_wanted=2)])
    first = task(1, workers_wanted=2)
    taken = tasks.take(first, lease(), NOW)
    store.save_task(first, taken, NOW, leased=(lease(), Hand()))
    store.save_task(taken, tasks.decline(taken, lease(), NOW), NOW, returned=(lease(),))
    assert available(store, "ann") == [2]
    assert available(store, "ben") == [1, 2]
    assert store.count_available("Birds", 1, "ann", NOW) == 1
    assert held(store, "ann") == set()


def test_a_search_begins_anywhere_and_sees_everything(store: JobStore) -> None:
    store.add_tasks([task(number) for number in range(60)])
    found = available(store, "ann", start=30_500)
    assert found[:2] == [31, 32]
    assert sorted(found) == list(range(60))


def test_a_decision_on_a_stale_task_is_refused_as_a_whole(store: JobStore) -> None:
    store.add_tasks([task(1)])
    taken = tasks.take(task(1), lease(), NOW)
    store.save_task(task(1), taken, NOW, leased=(lease(), Hand()))
    late = lease("ben", "n2")
    with pytest.raises(ConflictError):
        store.save_task(task(1), tasks.take(task(1), late, NOW), NOW, leased=(late, Hand()))
    assert held(store, "ben") == set()
    assert store.find_task("Birds", 1, 1) == taken


def test_a_lease_is_refused_to_a_worker_who_holds_something_else(store: JobStore) -> None:
    store.add_tasks([task(number) for number in (1, 2, 3)])
    first, second = lease(nonce="n1"), lease(nonce="n2")
    store.save_task(task(1), tasks.take(task(1), first, NOW), NOW, leased=(first, Hand()))
    taken = tasks.take(task(2), second, NOW)
    one, two = LeasePointer(1, "n1"), LeasePointer(2, "n2")
    for wrong in (Hand(), Hand(frozenset({two})), Hand(frozenset({one, two}))):
        with pytest.raises(HandChangedError):
            store.save_task(task(2), taken, NOW, leased=(second, wrong))
    assert store.find_task("Birds", 1, 2) == task(2)
    both = Hand(frozenset({one}), frozenset({one}))
    store.save_task(task(2), taken, NOW, leased=(second, both))
    assert held(store, "ann") == {"1.n1", "2.n2"}
    # What ran out makes room, and nothing is left of a hand that was emptied.
    third = lease(nonce="n3")
    only = Hand(frozenset({two, one}), frozenset())
    taken = tasks.take(task(3), third, NOW)
    store.save_task(task(3), taken, NOW, leased=(third, only))
    assert held(store, "ann") == {"3.n3"}
    store.save_task(taken, tasks.release(taken, third, NOW), NOW, returned=(third,))
    assert held(store, "ann") == set()
    again = lease(nonce="n4")
    released = store.find_task("Birds", 1, 3)
    assert released is not None
    store.save_task(released, tasks.take(released, again, NOW), NOW, leased=(again, Hand()))


def test_leases_of_before_an_upgrade_are_found_and_join_the_hand(
    store: JobStore, table: Table
) -> None:
    store.add_tasks([task(1)])
    table.put(
        Put(
            {
                "PK": "WORKER#ann#Birds",
                "SK": "LEASE#000001#000000007",
                "object_id": 7,
                "nonce": "old",
                "expires_at": 2_000_000_000,
            }
        )
    )
    hand = store.hand("ann", "Birds", 1)
    assert hand == Hand(frozenset(), frozenset({LeasePointer(7, "old")}))
    store.save_task(task(1), tasks.take(task(1), lease(), NOW), NOW, leased=(lease(), hand))
    assert held(store, "ann") == {"1.n1", "7.old"}


def test_of_many_workers_only_one_gets_a_task(store: JobStore) -> None:
    store.add_tasks([task(1)])

    def try_to_take(number: int) -> bool:
        mine = lease(f"worker-{number}", f"n{number}")
        try:
            store.save_task(task(1), tasks.take(task(1), mine, NOW), NOW, leased=(mine, Hand()))
        except ConflictError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(try_to_take, range(40))) == 1


def test_a_transaction_writes_adds_and_removes_together(table: Table) -> None:
    table.put(Put({"PK": "a", "SK": "1", "version": 0}))
    table.transact(
        [
            Put({"PK": "a", "SK": "2", "version": 1}, only_new=True),
            Delete("a", "1"),
            Add("a", "count", "done", 2, 2_000_000_000),
        ]
    )
    table.transact([Add("a", "count", "done", 1, 2_000_000_000)])
    items = {item["SK"]: item for item in table.query("a")}
    assert set(items) == {"2", "count"}
    assert items["count"]["done"] == 3
    with pytest.raises(ConflictError):
        table.transact(
            [
                Put({"PK": "a", "SK": "2", "version": 2}, expected_version=0),
                Add("a", "count", "done", 1, 2_000_000_000),
            ]
        )
    count = table.get("a", "count")
    assert count is not None
    assert count["done"] == 3
