"""What workers can do with tasks, and what they cannot."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from groundwork.jobs.errors import (
    AlreadyAnsweredError,
    AnswerTooLargeError,
    JobNotFoundError,
    JobNotOpenError,
    LeaseExpiredError,
    LeaseNotFoundError,
    NotInTeamError,
)
from groundwork.jobs.model import JobStatus
from groundwork.jobs.work import LeasedTask, Worker
from groundwork.table_client import Add, Discard, Put, Write
from tests.support.job_fakes import (
    BUCKET,
    ROLE,
    TEAM,
    CrashError,
    Workshop,
    box,
    boxes_answer,
    refusal,
    worker,
)

ANN, BEN, CYD = worker(1), worker(2), worker(3)
ANSWER = boxes_answer(box("cat", 1, 2, 10, 12))


def workshop(objects: int = 3, *, workers: int = 1, batch: int = 10, lifetime: int = 0) -> Workshop:
    made = Workshop()
    made.start(made.add_images(objects), workers=workers, batch=batch, lifetime=lifetime or None)
    return made


def taken(shop: Workshop, person: Worker) -> LeasedTask:
    task = shop.work.take(person, "job")
    assert task is not None
    return task


def test_a_worker_id_follows_from_who_the_worker_is() -> None:
    assert ANN.worker_id == worker(1).worker_id
    assert ANN.worker_id != BEN.worker_id
    prefix, digest = ANN.worker_id.rsplit(".", 1)
    assert prefix == "private.us-east-1"
    assert len(digest) == 16


def test_the_list_shows_open_jobs_of_the_workers_teams_only() -> None:
    shop = workshop(3)
    (listed,) = shop.work.jobs_for(ANN)
    assert (listed.name, listed.title, listed.description, listed.status) == (
        "job",
        "Find the animals",
        "Draw a box around each",
        JobStatus.IN_PROGRESS,
    )
    assert (listed.tasks_left, listed.customer, listed.task_time_limit_seconds) == (
        3,
        "111122223333",
        300,
    )
    assert shop.work.jobs_for(replace(ANN, team_arns=frozenset({TEAM + "-other"}))) == []


def test_tasks_left_counts_what_this_worker_could_take() -> None:
    shop = workshop(2, workers=2)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER)
    assert shop.work.jobs_for(ANN)[0].tasks_left == 1
    assert shop.work.jobs_for(BEN)[0].tasks_left == 2


def test_a_task_shows_the_image_the_labels_and_its_limits() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    assert task.task_input == {
        "taskObject": f"s3://{BUCKET}/photos/0000.jpg",
        "labels": ["cat", "dog"],
        "manifestLine": {"source-ref": f"s3://{BUCKET}/photos/0000.jpg", "number": 0},
    }
    assert task.template_uri == f"s3://{BUCKET}/template.liquid"
    assert task.role_arn == ROLE
    assert task.object_id == 0
    assert task.expires_at - task.accepted_at == timedelta(seconds=300)


def test_a_lease_ends_with_the_batch_at_the_latest() -> None:
    shop = workshop(1, lifetime=60)
    task = taken(shop, ANN)
    assert task.expires_at - task.accepted_at < timedelta(seconds=60)


def test_what_a_worker_holds_comes_back_before_anything_new() -> None:
    shop = workshop(3)
    first = taken(shop, ANN)
    assert taken(shop, ANN) == first
    assert shop.work.leases(ANN, "job") == [first]
    assert shop.work.resume(ANN, first.lease_id) == first
    assert shop.work.leases(BEN, "job") == []


def test_no_two_workers_hold_the_same_task_unless_two_are_wanted() -> None:
    shop = workshop(2)
    assert taken(shop, ANN).object_id != taken(shop, BEN).object_id
    assert shop.work.take(CYD, "job") is None

    both = workshop(1, workers=2)
    assert taken(both, ANN).object_id == taken(both, BEN).object_id
    assert both.work.take(CYD, "job") is None


def test_an_answer_is_stored_before_its_lease_is_closed() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    stored: list[Sequence[str]] = []
    shop.table.before_write = lambda writes: stored.append(shop.s3.keys("/answers/0/"))
    shop.work.submit(ANN, task.lease_id, ANSWER)
    assert len(stored[0]) == 1


def test_the_same_answer_again_changes_nothing() -> None:
    shop = workshop(1, workers=2)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER)
    before = shop.table.items.copy()
    shop.work.submit(ANN, task.lease_id, ANSWER)
    assert shop.table.items == before


def test_the_same_answer_is_still_fine_when_the_job_has_gone_on() -> None:
    shop = workshop(2, batch=1)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER)
    shop.loop.run()
    assert shop.job().iteration == 2
    shop.work.submit(ANN, task.lease_id, ANSWER)


def test_another_answer_under_an_answered_lease_is_refused() -> None:
    shop = workshop(2)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, ANSWER)
    with pytest.raises(AlreadyAnsweredError, match="Another answer"):
        shop.work.submit(ANN, task.lease_id, boxes_answer())


def test_a_changed_answer_after_a_crash_is_the_one_that_counts() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)

    def crash(writes: Sequence[Write]) -> None:
        raise CrashError

    shop.table.before_write = crash
    with pytest.raises(CrashError):
        shop.work.submit(ANN, task.lease_id, boxes_answer())
    shop.table.before_write = lambda writes: None
    shop.work.submit(ANN, task.lease_id, ANSWER)
    shop.loop.run()
    assert len(shop.output()[0]["animals"]["annotations"]) == 1


def test_an_expired_lease_is_told_so_and_the_task_comes_back_by_itself() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    shop.clock.advance(301)
    with pytest.raises(LeaseExpiredError, match="The time for this task ran out at 2026-03-01"):
        shop.work.submit(ANN, task.lease_id, ANSWER)
    again = taken(shop, BEN)
    assert again.object_id == task.object_id
    with pytest.raises(LeaseExpiredError):
        shop.work.submit(ANN, task.lease_id, ANSWER)
    shop.work.submit(BEN, again.lease_id, ANSWER)


def test_a_worker_may_take_a_task_again_whose_time_ran_out() -> None:
    shop = workshop(1)
    first = taken(shop, ANN)
    shop.clock.advance(301)
    second = taken(shop, ANN)
    assert second.object_id == first.object_id
    assert second.lease_id != first.lease_id


def test_a_released_task_is_for_anybody_and_a_declined_one_for_anybody_else() -> None:
    shop = workshop(1, workers=2)
    task = taken(shop, ANN)
    shop.work.release(ANN, task.lease_id)
    again = taken(shop, ANN)
    assert again.object_id == task.object_id
    shop.work.decline(ANN, again.lease_id)
    assert shop.work.take(ANN, "job") is None
    assert taken(shop, BEN).object_id == task.object_id
    with pytest.raises(LeaseNotFoundError, match="You do not hold this task"):
        shop.work.submit(ANN, again.lease_id, ANSWER)


def test_nobody_uses_another_workers_lease() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    for use in (shop.work.resume, shop.work.release, shop.work.decline):
        with pytest.raises(LeaseNotFoundError):
            use(BEN, task.lease_id)
    with pytest.raises(LeaseNotFoundError):
        shop.work.submit(BEN, task.lease_id, ANSWER)


@pytest.mark.parametrize("name", ["", "j" * 64, "j" * 5_000, "한" * 2_000, "..", "job\x00"])
def test_a_made_up_job_finds_nothing(name: str) -> None:
    with pytest.raises(JobNotFoundError) as refused:
        workshop(1).work.take(ANN, name)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize(
    "lease_id",
    ["", "nonsense", "job.1.0", "job.x.0.abc", "job.1.99.abc", "gone.1.0.abc", "job.1.0.abc",
     "job.²..a", "job.-1.0.a", "job.1.0.a.b", f"job.{'9' * 5_000}.1.a", f"{'j' * 3_000}.1.1.a",
     f"job.1.1.{'a' * 5_000}"],
)  # fmt: skip
def test_a_made_up_lease_id_finds_nothing(lease_id: str) -> None:
    shop = workshop(1)
    with pytest.raises(LeaseNotFoundError):
        shop.work.resume(ANN, lease_id)


def test_people_outside_the_team_get_nothing() -> None:
    shop = workshop(1)
    stranger = replace(BEN, team_arns=frozenset({TEAM + "-other"}))
    task = taken(shop, ANN)
    with pytest.raises(NotInTeamError):
        shop.work.take(stranger, "job")
    with pytest.raises(NotInTeamError):
        shop.work.resume(stranger, task.lease_id)
    # Somebody removed from the team in the middle of a task is not in it any more.
    with pytest.raises(NotInTeamError):
        shop.work.submit(replace(ANN, team_arns=frozenset()), task.lease_id, ANSWER)


def test_a_job_that_does_not_exist_is_told_so() -> None:
    with pytest.raises(JobNotFoundError, match="There is no labeling job named 'none'"):
        workshop(1).work.take(ANN, "none")


def test_an_answer_that_is_too_large_is_refused() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    with pytest.raises(AnswerTooLargeError, match="at most 262,144 are accepted"):
        shop.work.submit(ANN, task.lease_id, {"text": "x" * 300_000})

    shop = Workshop()
    shop.start(['{"source": "text"}'], task=None)
    task = taken(shop, ANN)
    shop.work.submit(ANN, task.lease_id, {"text": "x" * 300_000})
    with pytest.raises(AnswerTooLargeError, match="at most 5,242,880 are accepted"):
        shop.work.submit(ANN, task.lease_id, {"text": "x" * 6_000_000}, replaces=True)


def test_after_a_stop_there_is_nothing_to_take_and_no_answer_is_accepted() -> None:
    shop = workshop(2)
    task = taken(shop, ANN)
    shop.stop()
    with pytest.raises(JobNotOpenError, match="has ended"):
        shop.work.take(ANN, "job")
    with pytest.raises(JobNotOpenError, match="takes no answers any more"):
        shop.work.submit(ANN, task.lease_id, ANSWER)
    assert shop.work.jobs_for(ANN) == []


def test_an_answer_that_comes_between_the_stop_and_its_effect_counts() -> None:
    shop = workshop(2)
    task = taken(shop, ANN)
    shop.store.request_stop("job", shop.clock())
    shop.work.submit(ANN, task.lease_id, ANSWER)
    shop.stop()
    assert shop.job().status is JobStatus.STOPPED
    assert "animals" in shop.output()[task.object_id]


def test_a_conflicting_write_makes_a_worker_take_another_task() -> None:
    shop = workshop(2)
    others: list[LeasedTask] = []

    def ben_comes_first(writes: Sequence[Write]) -> None:
        shop.table.before_write = lambda writes: None
        put = writes[0]
        assert isinstance(put, Put)
        wanted = put.item["object_id"]
        while (task := taken(shop, BEN)).object_id != wanted:
            shop.work.release(BEN, task.lease_id)
        others.append(task)

    shop.table.before_write = ben_comes_first
    assert taken(shop, ANN).object_id != others[0].object_id


def test_an_answer_survives_another_writer_coming_first() -> None:
    shop = workshop(1, workers=2)
    mine, theirs = taken(shop, ANN), taken(shop, BEN)

    def ben_comes_first(writes: Sequence[Write]) -> None:
        shop.table.before_write = lambda writes: None
        shop.work.submit(BEN, theirs.lease_id, boxes_answer())

    shop.table.before_write = ben_comes_first
    shop.work.submit(ANN, mine.lease_id, ANSWER)
    shop.loop.run()
    (response,) = (shop.json(key) for key in shop.s3.keys("worker-response"))
    assert len(response["answers"]) == 2


def test_task_lease_and_count_are_written_together() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    transactions: list[Sequence[Write]] = []
    shop.table.before_write = transactions.append
    shop.work.submit(ANN, task.lease_id, ANSWER)
    (kinds,) = ([type(write) for write in writes] for writes in transactions)
    assert kinds == [Put, Discard, Add]


def test_a_last_answer_whose_wake_up_call_was_lost_is_noticed_by_the_next_visitor() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    sleeping = dict(shop.loop.waiting)
    shop.loop.waiting.clear()
    shop.work.submit(ANN, task.lease_id, ANSWER)
    shop.loop.waiting.update(sleeping)

    shop.work.jobs_for(BEN)
    shop.loop.run()
    assert shop.job().status is JobStatus.COMPLETED


def test_a_last_answer_whose_wake_up_call_was_lost_is_noticed_within_the_hour() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)
    sleeping = dict(shop.loop.waiting)
    shop.loop.waiting.clear()
    shop.work.submit(ANN, task.lease_id, ANSWER)
    shop.loop.waiting.update(sleeping)

    shop.loop.time_out()
    assert shop.job().status is JobStatus.COMPLETED


def test_an_answer_that_cannot_be_stored_leaves_the_task_with_its_worker() -> None:
    shop = workshop(1)
    task = taken(shop, ANN)

    def refuse(operation: str, key: str) -> None:
        if operation == "put_object":
            raise refusal("AccessDenied", "PutObject")

    shop.s3.before = refuse
    with pytest.raises(Exception, match=r"put_object s3://images/out/job/.*AccessDenied"):
        shop.work.submit(ANN, task.lease_id, ANSWER)
    shop.s3.before = lambda operation, key: None
    assert shop.work.leases(ANN, "job") == [task]
    shop.work.submit(ANN, task.lease_id, ANSWER)


def test_time_spent_is_the_portals_measure_or_the_time_since_the_task_was_taken() -> None:
    shop = workshop(2)
    for spent in (12.5, None):
        task = taken(shop, ANN)
        shop.clock.advance(40)
        shop.work.submit(ANN, task.lease_id, ANSWER, time_spent_seconds=spent)
    shop.loop.run()
    times = sorted(
        shop.json(key)["answers"][0]["timeSpentInSeconds"]
        for key in shop.s3.keys("worker-response")
    )
    assert times == [12.5, pytest.approx(40, abs=0.01)]
