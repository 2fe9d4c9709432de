"""Just before any write, somebody else does something: stops the job, works on it, waits."""

from collections.abc import Callable

import pytest

from groundwork.jobs.lifecycle import stop_job
from groundwork.jobs.model import JobStatus
from tests.support.fault_rows import Survived
from tests.support.faults import (
    BOXES_AND_CLASSES,
    EACH,
    Crew,
    FaultShop,
    Run,
    Scenario,
    assert_nothing_lost,
    own_points_of,
    some,
)


@pytest.mark.fault(
    what="stop in between",
    where="before every write: while objects are selected, people work, answers are consolidated, "
    "a model is trained or labels, a batch is published, the job ends or fails; the loop goes on "
    "before that write, or after it",
    outcome="the job is Stopped (or had ended), with every answer that was accepted before",
)
@EACH
def test_a_stop_may_come_at_any_moment(scenario: Scenario, survived: Survived) -> None:
    points = [(name, goes_on) for name in own_points_of(scenario) for goes_on in (False, True)]
    for name, goes_on in some(points, 13):
        run = Run(scenario)

        def stop(shop: FaultShop = run.shop, goes_on: bool = goes_on) -> None:
            stop_job(shop.store, shop.machine, "job", shop.clock())  # type: ignore[arg-type]
            if goes_on:
                shop.machine.run()

        run.points.plan(name, "before", stop)
        run.go()
        assert run.points.fired == [name]
        assert_nothing_lost(run)
        assert run.shop.job().status in (JobStatus.STOPPED, scenario.ends)
        survived.at(1)


def take_and_answer(rival: Crew) -> None:
    rival.submit(2, rival.take(2))


def take_and_keep(rival: Crew) -> None:
    rival.take(2)


def take_and_release(rival: Crew) -> None:
    rival.release(2, rival.take(2))


def take_and_decline(rival: Crew) -> None:
    rival.decline(2, rival.take(2))


RIVALS = [take_and_answer, take_and_keep, take_and_release, take_and_decline]


@pytest.mark.fault(
    what="another worker in between",
    where="before every write of a job by people, another worker takes a task and answers, keeps, "
    "releases or declines it",
    outcome="each decision is made anew on what is there by then; no object has more answers than "
    "asked for",
)
@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.__name__.replace("_", " "))
@BOXES_AND_CLASSES
def test_another_worker_may_come_first(
    scenario: Scenario, rival: Callable[[Crew], None], survived: Survived
) -> None:
    for name in some(own_points_of(scenario), 29):
        run = Run(scenario)
        other = run.crew.sibling()
        run.points.plan(name, "before", lambda: rival(other))  # noqa: B023 - used in this round
        run.go()
        assert run.points.fired == [name]
        assert_nothing_lost(run)
        survived.at(1)


@pytest.mark.fault(
    what="an hour passes in between",
    where="before every write of a job by people, leases run out and the loop looks by itself",
    outcome="expired tasks go to others, and the job completes",
)
@BOXES_AND_CLASSES
def test_an_hour_may_pass_at_any_moment(scenario: Scenario, survived: Survived) -> None:
    for name in some(own_points_of(scenario), 9):
        run = Run(scenario)
        shop = run.shop

        def hour() -> None:
            shop.clock.advance(3600)  # noqa: B023 - used in this round
            shop.machine.time_out()  # noqa: B023 - used in this round

        run.points.plan(name, "before", hour)
        run.go()
        assert run.points.fired == [name]
        assert_nothing_lost(run)
        assert run.shop.job().status is JobStatus.COMPLETED
        survived.at(1)
