"""Task tokens that are lost or late, clocks that differ, leases that end at the very moment."""

import itertools
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from groundwork.jobs.errors import LeaseExpiredError, WorkError
from groundwork.jobs.model import JobStatus
from groundwork.jobs.work import Work
from tests.support.fault_rows import Survived, every_point
from tests.support.faults import (
    BOXES_AND_CLASSES,
    EACH,
    PEOPLE,
    Crew,
    FaultShop,
    Run,
    Scenario,
    assert_nothing_lost,
    seen_box,
    seen_class,
    some,
)
from tests.support.job_fakes import worker


@pytest.mark.fault(
    what="lost task tokens",
    where="every token that would wake the loop, of people's answers and of a stop",
    outcome="the loop looks by itself within the hour, and the job ends with the same labels",
)
@EACH
def test_no_token_ever_arrives(scenario: Scenario, survived: Survived) -> None:
    expected = Run(scenario).go().outcome()
    run = Run(scenario)
    run.shop.machine.wake = lambda token, outcome: survived.at(1)  # type: ignore[method-assign]
    run.go()
    assert_nothing_lost(run)
    assert run.outcome()[:2] == expected[:2]


@pytest.mark.fault(
    what="late task tokens",
    where="every token comes an hour late, when the loop has looked by itself and waits anew",
    outcome="Step Functions refuses it, which is no error; the job ends with the same labels",
)
@BOXES_AND_CLASSES
def test_every_token_is_of_an_older_wait(scenario: Scenario, survived: Survived) -> None:
    expected = Run(scenario).go().outcome()
    run = Run(scenario)
    shop, machine = run.shop, run.shop.machine
    wake = machine.wake

    def late(token: str, outcome: dict[str, Any]) -> None:
        machine.wake = wake  # type: ignore[method-assign]  # what happens meanwhile is in time
        shop.clock.advance(3600)
        machine.time_out()
        machine.wake = late  # type: ignore[method-assign]  # wraps it
        wake(token, outcome)
        survived.at(1)

    machine.wake = late  # type: ignore[method-assign]  # wraps it
    run.go()
    assert machine.refused_tokens
    assert_nothing_lost(run)
    assert run.outcome()[:2] == expected[:2]


@pytest.mark.fault(
    what="the last answer comes while the loop begins to wait anew",
    where="before and after every read and write of the step that keeps the new token",
    outcome="either the answer finds the new token or the step finds the answer: the loop goes on "
    "at once, not an hour later",
)
def test_the_last_answer_may_come_between_two_waits(survived: Survived) -> None:
    places = itertools.count()
    for place in places:
        shop = FaultShop()
        shop.start(shop.add_images(1), batch=1)
        crew = Crew(shop, seen_box)
        task = crew.take(0)
        hit = act_at(shop, place, lambda: crew.submit(0, task))  # noqa: B023 - used at once
        shop.clock.advance(60)
        shop.machine.time_out()
        if not hit():
            assert place > 3
            break
        shop.machine.run()
        assert shop.machine.sleeping == [], f"the loop sleeps after an answer at place {place}"
        assert shop.job().status is JobStatus.COMPLETED
        survived.at(1)


def act_at(shop: FaultShop, place: int, act: Callable[[], None]) -> Callable[[], bool]:
    """Do something before one of the table's reads and writes in the step ``open_batch``."""
    seen = itertools.count()
    done = False
    inside = False
    around = shop.machine.around

    def enter(call: Any, step: Callable[[], Any]) -> Any:
        nonlocal inside
        inside = call.step == "open_batch"
        try:
            return around(call, step)
        finally:
            inside = False

    def before() -> None:
        nonlocal done, inside
        if inside and not done and next(seen) == place:
            done, inside = True, False
            act()
            inside = True

    shop.machine.around = enter
    for operation in ("get", "pages", "transact"):
        setattr(shop.table, operation, _preceded(getattr(shop.table, operation), before))
    return lambda: done


def _preceded(call: Callable[..., Any], before: Callable[[], None]) -> Callable[..., Any]:
    def preceded(*arguments: Any, **more: Any) -> Any:
        before()
        return call(*arguments, **more)

    return preceded


@pytest.mark.fault(
    what="clock skew",
    where="the steps' function and two processes of the portal, each 5 minutes ahead, right, or 5 "
    "minutes behind, with tasks of 5 minutes",
    outcome="a lease may seem over to one and not to another: then one of the two answers is "
    "accepted, and the other is told; the job completes",
)
@BOXES_AND_CLASSES
def test_the_functions_clocks_may_differ(scenario: Scenario, survived: Survived) -> None:
    for skews in some(list(itertools.product((-301, 0, 301), repeat=3)), 13):
        run = Run(scenario)
        shop = run.shop
        engine = shop.machine.engine
        assert engine is not None
        shop.machine.engine = replace(engine, clock=skewed(shop, skews[0]))
        run.crew.processes = [process(shop, skewed(shop, skew)) for skew in skews[1:]]
        other = run.crew.sibling()
        other.processes = list(reversed(run.crew.processes))
        shop.loop.run()
        # Both machines give out tasks, and the same people answer on the other one.
        held = [(person, crew.take(person)) for crew in (run.crew, other) for person in (0, 1, 2)]
        for person, task in held:
            other.submit(person, task)
        run.go()
        assert_nothing_lost(run)
        assert run.shop.job().status is JobStatus.COMPLETED
        survived.at(1)


def skewed(shop: FaultShop, seconds: float) -> Callable[[], datetime]:
    return lambda: shop.clock() + timedelta(seconds=seconds)


def process(shop: FaultShop, clock: Callable[[], datetime]) -> Work:
    return Work(
        shop.store,
        lambda job: shop.files,
        shop.loop,  # type: ignore[arg-type]  # stands in for the client
        clock,
        shop.random,
    )


@pytest.mark.fault(
    what="expired leases at the edge",
    where="an answer within 20 microseconds before, at and after the end of its lease, which "
    "somebody else waits for, has taken, or has answered",
    outcome="it is accepted or told to be late, never both; the object has one answer",
)
@pytest.mark.parametrize("rival", ["waits", "takes", "answers"])
def test_an_answer_may_come_at_the_end_of_its_lease(rival: str, survived: Survived) -> None:
    for microseconds in some(range(-20, 21), 8):
        shop = FaultShop()
        shop.start(shop.add_images(1), batch=1)
        first = shop.work.take(PEOPLE[0], "job")
        assert first is not None
        shop.clock.now = first.expires_at + timedelta(microseconds=microseconds)
        second = None
        if rival != "waits":
            second = shop.processes[1].take(PEOPLE[1], "job")
        if second is not None and rival == "answers":
            shop.work.submit(PEOPLE[1], second.lease_id, seen_box(2))
        accepted = []
        try:
            shop.work.submit(PEOPLE[0], first.lease_id, seen_box(1))
            accepted.append(PEOPLE[0].worker_id)
        except WorkError as error:
            assert microseconds > -20 or not isinstance(error, LeaseExpiredError)
        late = second or shop.processes[1].take(PEOPLE[1], "job")
        if late is not None:
            try:
                shop.processes[2].submit(PEOPLE[1], late.lease_id, seen_box(2))
                accepted.append(PEOPLE[1].worker_id)
            except WorkError:
                assert accepted
        shop.loop.run()
        assert shop.job().status is JobStatus.COMPLETED
        (key,) = shop.s3.keys("/worker-response/")
        published = [answer["workerId"] for answer in shop.json(key)["answers"]]
        assert published == accepted
        survived.at(1)


@pytest.mark.fault(
    what="workers in the same instant",
    where="8 workers on threads of their own take tasks and answer them all at once, with 1 to 3 "
    "workers for each object",
    outcome="nobody gets a task twice, no object has more answers than asked for, all that were "
    "accepted are published",
)
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_many_answer_in_the_same_instant(workers: int, survived: Survived) -> None:
    people = [worker(number) for number in range(8)]
    for seed in range(20 if every_point() else 3):
        scenario = Scenario("at once", 6, workers, lambda shop: seen_class, lambda crew: None)
        run = Run(scenario)
        shop, crew = run.shop, run.crew
        shop.random = random.Random(seed)
        shop.start(shop.add_images(6), batch=6, workers=workers, task="ImageMultiClass")
        start = threading.Barrier(len(people))
        problems: list[BaseException] = []

        def label(number: int) -> None:
            process, who = shop.process(), people[number]  # noqa: B023 - joined in this round
            try:
                start.wait()  # noqa: B023
                while (task := process.take(who, "job")) is not None:
                    key = who.worker_id, task.object_id
                    crew.tried.setdefault(key, []).append(seen_class(task.object_id))  # noqa: B023
                    process.submit(who, task.lease_id, seen_class(task.object_id))
                    assert key not in crew.accepted, "the task was given twice"  # noqa: B023
                    crew.accepted[key] = seen_class(task.object_id)  # noqa: B023
            except BaseException as error:
                problems.append(error)  # noqa: B023

        threads = [threading.Thread(target=label, args=(each,)) for each in range(len(people))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert problems == []
        crew.label()
        assert_nothing_lost(run)
        assert len(crew.accepted) == 6 * workers
        assert shop.job().counters.human_labeled == 6
        survived.at(len(crew.accepted))


@pytest.mark.fault(
    what="an index that lags behind",
    where="all queries of the index of available tasks show the table as it was 1 to 5 writes ago",
    outcome="the write finds out what is so; the job ends with the same labels",
)
@pytest.mark.parametrize("lag", range(1, 6))
@BOXES_AND_CLASSES
def test_the_index_may_lag_behind(scenario: Scenario, lag: int, survived: Survived) -> None:
    expected = Run(scenario).go().outcome()
    run = Run(scenario)
    run.shop.table.index_lag = lag
    run.go()
    assert_nothing_lost(run)
    assert run.outcome() == expected
    survived.at(sum(read.endswith(" available") for read in run.shop.table.reads))


@pytest.mark.fault(
    what="listings of S3 that lag behind",
    where="every call of S3 by every kind of job",
    outcome="no step and no worker's call lists a bucket: names follow from job and iteration",
)
@EACH
def test_nothing_depends_on_a_listing(scenario: Scenario, survived: Survived) -> None:
    run = Run(scenario)

    def refuse(**arguments: Any) -> None:
        raise AssertionError(f"somebody listed {arguments}")

    run.shop.s3.list_objects_v2 = refuse  # type: ignore[method-assign,assignment]
    run.go()
    assert_nothing_lost(run)
    survived.at(len(run.shop.s3.calls))
