"""What workers hold, whatever they say about it."""

from collections.abc import Callable, Sequence

import pytest

from groundwork.jobs.work import LeasedTask, Work, Worker
from groundwork.table_client import Write
from tests.support.job_fakes import Workshop, boxes_answer, worker

ANN, BEN = worker(1), worker(2)
ANSWER = boxes_answer()


def workshop(objects: int = 6) -> Workshop:
    made = Workshop()
    made.start(made.add_images(objects), batch=10)
    return made


def taken(work: Work, person: Worker, *besides: str) -> LeasedTask:
    task = work.take(person, "job", besides)
    assert task is not None
    return task


def meanwhile(shop: Workshop, act: Callable[[], object]) -> None:
    """Let somebody act between what the next call reads and what it writes."""

    def first(writes: Sequence[Write]) -> None:
        shop.table.before_write = lambda writes: None
        act()

    shop.table.before_write = first


def test_who_says_to_hold_nothing_gets_what_they_hold() -> None:
    shop = workshop()
    first = taken(shop.work, ANN)
    ahead = taken(shop.work, ANN, first.lease_id)
    assert taken(shop.processes[1], ANN) == first
    shop.work.submit(ANN, first.lease_id, ANSWER)
    assert taken(shop.processes[1], ANN) == ahead


@pytest.mark.parametrize("held", [1, 2])
def test_who_says_to_hold_what_they_do_not_gets_what_there_is(held: int) -> None:
    shop = workshop()
    given_back: list[str] = []
    for _ in range(held):
        given_back.append(taken(shop.work, ANN, *given_back).lease_id)
    for lease_id in given_back:
        shop.work.release(ANN, lease_id)
    task = taken(shop.work, ANN, *given_back)
    assert shop.work.leases(ANN, "job") == [task]


def test_nobody_gets_more_than_two_tasks_by_saying_so() -> None:
    shop = workshop()
    first = taken(shop.work, ANN)
    second = taken(shop.work, ANN, first.lease_id)
    made_up = f"job.1.0.{'0' * 24}"
    for said in ([], [made_up], [first.lease_id], [first.lease_id, made_up]):
        task = shop.work.take(ANN, "job", said)
        assert task in (first, second)
    assert shop.work.take(ANN, "job", [first.lease_id, second.lease_id, made_up]) is None
    assert len(shop.work.leases(ANN, "job")) == 2


def test_two_windows_at_once_get_the_same_task() -> None:
    shop = workshop()
    seen: list[LeasedTask] = []
    meanwhile(shop, lambda: seen.append(taken(shop.processes[1], ANN)))
    assert [taken(shop.work, ANN)] == seen


def test_two_windows_that_want_a_task_ahead_at_once_get_one() -> None:
    shop = workshop()
    first = taken(shop.work, ANN).lease_id
    seen: list[LeasedTask] = []
    meanwhile(shop, lambda: seen.append(taken(shop.processes[1], ANN, first)))
    assert [taken(shop.work, ANN, first)] == seen
    assert len(shop.work.leases(ANN, "job")) == 2


def test_an_answer_that_comes_in_meanwhile_does_not_keep_anybody_from_the_next_task() -> None:
    shop = workshop()
    first = taken(shop.work, ANN).lease_id
    meanwhile(shop, lambda: shop.processes[1].submit(ANN, first, ANSWER))
    ahead = taken(shop.work, ANN, first)
    assert shop.work.leases(ANN, "job") == [ahead]


def test_what_ran_out_is_not_held() -> None:
    shop = workshop(1)
    first = taken(shop.work, ANN)
    shop.clock.advance(first.time_limit_seconds + 1)
    assert shop.work.leases(ANN, "job") == []
    second = taken(shop.work, ANN)
    assert shop.work.leases(ANN, "job") == [second]


def test_a_lease_of_before_an_upgrade_is_held_and_takes_its_answer() -> None:
    shop = workshop(2)
    task = taken(shop.work, ANN)
    *_, nonce = task.lease_id.split(".")
    [key] = [key for key in shop.table.items if key[0].startswith("WORKER#")]
    del shop.table.items[key]
    old = (key[0], f"LEASE#000001#{task.object_id:09d}")
    shop.table.items[old] = {
        "PK": old[0],
        "SK": old[1],
        "object_id": task.object_id,
        "nonce": nonce,
        "expires_at": 2_000_000_000,
    }
    assert shop.work.leases(ANN, "job") == [task]
    assert shop.work.take(BEN, "job") != task
    shop.work.submit(ANN, task.lease_id, ANSWER)
    assert shop.work.leases(ANN, "job") == []
