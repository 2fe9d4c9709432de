"""What a process of the worker API reads again, and what it may remember."""

import pytest

from groundwork.jobs.errors import JobNotOpenError
from groundwork.jobs.work import LeasedTask, Work, Worker
from tests.support.job_fakes import Workshop, boxes_answer, worker

ANN, BEN = worker(1), worker(2)
ANSWER = boxes_answer()


def workshop(objects: int = 6, *, workers: int = 1, batch: int = 10) -> Workshop:
    made = Workshop()
    made.start(made.add_images(objects), workers=workers, batch=batch)
    return made


def taken(work: Work, person: Worker) -> LeasedTask:
    task = work.take(person, "job")
    assert task is not None
    return task


def reads_of(shop: Workshop, person: Worker, action: str) -> list[str]:
    """Have a worker take or answer a task; return what was read for it, S3 included."""
    task = taken(shop.work, person) if action == "answer" else None
    shop.table.reads.clear()
    shop.s3.calls.clear()
    if task is None:
        taken(shop.work, person)
    else:
        shop.work.submit(person, task.lease_id, ANSWER)
    reads = [read.replace(person.worker_id, "...") for read in shop.table.reads]
    return reads + [operation for operation, _ in shop.s3.calls]


def test_taking_a_task_reads_what_there_is() -> None:
    shop = workshop()
    assert reads_of(shop, ANN, "take") == [
        "JOB",
        "JOB#job",
        "BATCH#job#000001 available",
        "get_object",
    ]
    assert reads_of(shop, BEN, "take") == []
    shop.clock.advance(1)
    assert reads_of(shop, worker(3), "take") == ["JOB", "JOB#job", "BATCH#job#000001 available"]


def test_an_answer_reads_its_task_and_the_last_one_of_an_object_the_count() -> None:
    shop = workshop(workers=2)
    assert reads_of(shop, ANN, "answer") == ["JOB", "BATCH#job#000001", "put_object"]
    assert reads_of(shop, ANN, "answer") == ["BATCH#job#000001", "put_object"]


def test_a_stop_is_noticed_within_a_second() -> None:
    shop = workshop()
    shop.work.submit(ANN, taken(shop.work, ANN).lease_id, ANSWER)
    shop.store.request_stop("job", shop.clock())
    task = taken(shop.work, ANN)
    shop.clock.advance(1)
    with pytest.raises(JobNotOpenError, match="has ended"):
        shop.work.take(BEN, "job")
    # As for whoever took a task just before the stop.
    shop.stop()
    with pytest.raises(JobNotOpenError, match="takes no answers any more"):
        shop.work.submit(ANN, task.lease_id, ANSWER)


def test_no_process_gives_out_tasks_of_a_batch_that_was_closed() -> None:
    shop = workshop()
    shop.processes[1].take(BEN, "job")
    shop.stop()
    with pytest.raises(JobNotOpenError, match="has ended"):
        shop.processes[1].take(ANN, "job")


def test_the_next_batch_is_found_at_once_by_every_process() -> None:
    shop = workshop(2, batch=1)
    task = taken(shop.work, ANN)
    assert shop.processes[1].take(BEN, "job") is None
    shop.work.submit(ANN, task.lease_id, ANSWER)
    shop.loop.run()
    assert {taken(shop.work, ANN).object_id} == {1}
    assert shop.processes[1].take(BEN, "job") is None


def test_a_process_that_remembers_a_batch_does_not_give_out_tasks_after_its_end() -> None:
    shop = Workshop()
    shop.start(shop.add_images(3), lifetime=60)
    shop.clock.advance(59.5)
    taken(shop.work, ANN)
    shop.clock.advance(0.6)
    assert shop.work.take(BEN, "job") is None


def test_a_task_that_the_index_shows_as_it_was_is_read_again() -> None:
    shop = workshop(1, workers=3)
    shop.table.index_lag = 1
    first = taken(shop.work, ANN)
    assert taken(shop.work, BEN).object_id == first.object_id
    shop.work.release(ANN, first.lease_id)
    assert taken(shop.work, ANN).object_id == first.object_id


def test_the_index_makes_nobody_take_a_task_too_often() -> None:
    shop = workshop(1)
    shop.table.index_lag = 1
    task = taken(shop.work, ANN)
    assert shop.work.take(BEN, "job") is None
    shop.work.submit(ANN, task.lease_id, ANSWER)
    assert shop.work.take(ANN, "job") is None


def test_what_a_search_found_besides_is_given_to_others() -> None:
    shop = workshop(5)
    people = [worker(number) for number in range(5)]
    given = [taken(shop.work, person).object_id for person in people]
    assert sorted(given) == [0, 1, 2, 3, 4]


def test_what_a_search_found_is_nothing_for_those_who_had_it_already() -> None:
    shop = workshop(2, workers=2)
    for _ in range(2):
        shop.work.submit(ANN, taken(shop.work, ANN).lease_id, ANSWER)
    assert shop.work.take(ANN, "job") is None
    assert taken(shop.work, BEN).object_id in (0, 1)


def test_what_another_process_gave_out_meanwhile_is_not_given_again() -> None:
    shop = workshop(4)
    taken(shop.work, ANN)
    others = [taken(shop.processes[1], worker(number)) for number in (3, 4)]
    last = taken(shop.work, BEN)
    assert last.object_id not in {task.object_id for task in others}
    assert shop.work.take(worker(5), "job") is None
