"""Tasks that are taken ahead, and answers that are changed afterwards."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from groundwork.jobs.errors import (
    AlreadyAnsweredError,
    JobNotOpenError,
    LeaseExpiredError,
    LeaseNotFoundError,
)
from groundwork.jobs.work import LeasedTask, Worker
from groundwork.table_client import Check, Write
from tests.support.job_fakes import Workshop, box, boxes_answer, worker

ANN, BEN = worker(1), worker(2)
ANSWER = boxes_answer(box("cat", 1, 2, 10, 12))
OTHER = boxes_answer(box("dog", 3, 4, 10, 12))


def workshop(objects: int = 3, *, workers: int = 1) -> Workshop:
    made = Workshop()
    made.start(made.add_images(objects), workers=workers, batch=10)
    return made


def taken(shop: Workshop, person: Worker, *besides: LeasedTask) -> LeasedTask:
    task = shop.work.take(person, "job", [each.lease_id for each in besides])
    assert task is not None
    return task


def test_a_worker_has_one_task_ahead_and_no_more() -> None:
    shop = workshop(4)
    first = taken(shop, ANN)
    second = taken(shop, ANN, first)
    assert (first.ahead, second.ahead) == (False, True)
    assert first.object_id != second.object_id
    assert shop.work.take(ANN, "job", [first.lease_id, second.lease_id]) is None
    # Asking again for what was not received gives the same.
    assert taken(shop, ANN, first) == second
    # A worker who comes back goes on with what they were at.
    assert taken(shop, ANN) == first
    shop.work.submit(ANN, first.lease_id, ANSWER)
    assert taken(shop, ANN, second).object_id not in {first.object_id, second.object_id}


def test_a_task_ahead_is_nobody_elses() -> None:
    shop = workshop(2)
    taken(shop, ANN, taken(shop, ANN))
    assert shop.work.take(BEN, "job") is None


def test_the_time_of_a_task_ahead_begins_when_it_is_seen_and_only_once() -> None:
    shop = workshop(2)
    limit = timedelta(seconds=taken(shop, ANN).time_limit_seconds)
    ahead = taken(shop, ANN, taken(shop, ANN))
    shop.clock.advance(limit.total_seconds() - 10)
    started = shop.work.start(ANN, ahead.lease_id)
    assert started.lease_id == ahead.lease_id
    assert not started.ahead
    assert started.expires_at - started.accepted_at == limit
    assert started.expires_at > ahead.expires_at + limit - timedelta(seconds=11)
    shop.clock.advance(limit.total_seconds() - 10)
    again = shop.work.start(ANN, ahead.lease_id)
    assert again.expires_at == started.expires_at
    shop.clock.advance(11)
    with pytest.raises(LeaseExpiredError):
        shop.work.start(ANN, ahead.lease_id)


def test_a_task_ahead_that_nobody_came_to_see_goes_back() -> None:
    shop = workshop(2)
    first = taken(shop, ANN)
    ahead = taken(shop, ANN, first)
    shop.clock.advance(first.time_limit_seconds + 1)
    with pytest.raises(LeaseExpiredError):
        shop.work.start(ANN, ahead.lease_id)
    assert {taken(shop, BEN).object_id, taken(shop, ANN).object_id} == {0, 1}


def test_a_task_whose_time_ran_out_is_given_again_to_who_asks_for_it() -> None:
    shop = workshop(30)
    for _ in range(3):
        first = taken(shop, ANN)
        shop.clock.advance(first.time_limit_seconds + 1)
        again = shop.work.take(ANN, "job", again=first.lease_id)
        assert again is not None
        assert again.object_id == first.object_id
        assert again.lease_id != first.lease_id
        shop.work.release(ANN, again.lease_id)


def test_a_task_that_somebody_else_has_by_now_is_not_given_again() -> None:
    shop = workshop(2)
    first = taken(shop, ANN)
    shop.clock.advance(first.time_limit_seconds + 1)
    while taken(shop, BEN).object_id != first.object_id:
        shop.work.submit(BEN, taken(shop, BEN).lease_id, ANSWER)
    other = shop.work.take(ANN, "job", again=first.lease_id)
    assert other is None or other.object_id != first.object_id


def test_a_task_ahead_is_released_and_answered_like_any_other() -> None:
    shop = workshop(3)
    ahead = taken(shop, ANN, taken(shop, ANN))
    shop.work.release(ANN, ahead.lease_id)
    with pytest.raises(LeaseNotFoundError):
        shop.work.start(ANN, ahead.lease_id)
    first = taken(shop, ANN)
    again = taken(shop, ANN, first)
    shop.work.submit(ANN, again.lease_id, ANSWER)
    assert shop.work.resume(ANN, again.lease_id).answered


def test_nobody_starts_anothers_task() -> None:
    shop = workshop(2)
    ahead = taken(shop, ANN, taken(shop, ANN))
    with pytest.raises(LeaseNotFoundError):
        shop.work.start(BEN, ahead.lease_id)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_answer_can_be_changed_while_the_batch_is_open_and_counts_once(workers: int) -> None:
    shop = workshop(2, workers=workers)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER, 4)
    again = shop.work.resume(ANN, task.lease_id)
    assert (again.answered, again.task_input) == (True, task.task_input)
    done = shop.store.get_batch("job", 1, counted=True).done
    for _ in range(2):
        shop.work.submit(ANN, task.lease_id, OTHER, 3, replaces=True)
    stored = shop.store.find_task("job", 1, task.object_id)
    assert stored is not None
    (answer,) = stored.answers
    assert answer.time_spent_seconds == 7
    assert shop.store.get_batch("job", 1, counted=True).done == done
    shop.answer_all([ANN, BEN], lambda *_: ANSWER)
    label = shop.output()[task.object_id][shop.job().label_attribute]
    if workers == 1:
        assert [each["left"] for each in label["annotations"]] == [3]


def test_changing_needs_to_be_said() -> None:
    shop = workshop(2)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER)
    with pytest.raises(AlreadyAnsweredError):
        shop.work.submit(ANN, task.lease_id, OTHER)


def test_a_first_answer_may_say_that_it_replaces_one() -> None:
    shop = workshop(2)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER, replaces=True)
    assert shop.work.resume(ANN, task.lease_id).answered


def test_nobody_changes_anothers_answer() -> None:
    shop = workshop(2, workers=2)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER)
    with pytest.raises(LeaseNotFoundError):
        shop.work.resume(BEN, task.lease_id)
    with pytest.raises(LeaseNotFoundError):
        shop.work.submit(BEN, task.lease_id, OTHER, replaces=True)


def test_a_complete_batch_takes_no_changes() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER)
    with pytest.raises(JobNotOpenError):
        shop.work.resume(ANN, task.lease_id)
    with pytest.raises(JobNotOpenError):
        shop.work.submit(ANN, task.lease_id, OTHER, replaces=True)


def test_consolidation_that_begins_meanwhile_wins_over_a_change() -> None:
    shop = workshop(2)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER)

    def close_first(writes: Sequence[Write]) -> None:
        if any(isinstance(write, Check) for write in writes):
            shop.table.before_write = lambda _: None
            shop.stop()

    shop.table.before_write = close_first
    with pytest.raises(JobNotOpenError):
        shop.work.submit(ANN, task.lease_id, OTHER, replaces=True)
