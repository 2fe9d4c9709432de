"""Everything that can be delivered twice is: steps, workers' calls, task tokens."""

from contextlib import suppress
from typing import Any

import pytest

from groundwork.jobs.errors import JobFailedError, WorkError
from groundwork.table_client import ConflictError
from tests.support.fault_rows import Survived
from tests.support.faults import (
    BOXES_AND_CLASSES,
    EACH,
    Run,
    Scenario,
    assert_nothing_lost,
    own_points_of,
    some,
)
from tests.support.state_machine import Call


@pytest.mark.fault(
    what="double delivery, one after the other",
    where="every step of every kind of job",
    outcome="the second delivery comes to the same result and changes nothing",
)
@EACH
def test_every_step_may_run_twice(scenario: Scenario, survived: Survived) -> None:
    expected = Run(scenario).go().outcome()
    run = Run(scenario)

    def twice(call: Call, step: Any) -> Any:
        first = step()
        survived.at(1)
        assert step() == first, f"{call} came to another end when it ran again"
        return first

    run.shop.machine.around = twice
    run.go()
    assert_nothing_lost(run)
    assert run.outcome() == expected


def delivered_again_at(scenario: Scenario, name: str) -> Run:
    """Make the call that is going on at a point once more, from begin to end, in its middle."""
    run = Run(scenario)
    shop = run.shop
    shop.machine.around = lambda call, step: shop.do(step)

    def again() -> None:
        doing, shop.doing = shop.doing, None
        if doing is not None:
            with suppress(WorkError, ConflictError, JobFailedError):
                doing()

    run.points.plan(name, "before", again)
    run.go()
    assert run.points.fired == [name]
    return run


@pytest.mark.fault(
    what="double delivery, side by side",
    where="before every write of every step and of every worker's call, the same step or call runs "
    "from begin to end; then the first goes on with what it read before",
    outcome="one of the two finds that it came late; the job ends with the very same labels",
)
@EACH
def test_every_step_and_call_may_run_beside_itself(scenario: Scenario, survived: Survived) -> None:
    expected = Run(scenario).go().outcome()
    for name in some(own_points_of(scenario), 11):
        run = delivered_again_at(scenario, name)
        assert_nothing_lost(run)
        assert run.outcome() == expected, f"another outcome after {name}"
        survived.at(1)


@pytest.mark.fault(
    what="double delivery, one after the other",
    where="every worker's call: take, take ahead, start, release, decline, answer, changed answer",
    outcome="the second call gets the same task, or is told that it came late",
)
@BOXES_AND_CLASSES
def test_workers_may_send_every_call_twice(scenario: Scenario, survived: Survived) -> None:
    expected = Run(scenario).go().outcome()
    run = Run(scenario)
    run.crew.twice = True
    run.go()
    assert_nothing_lost(run)
    assert run.outcome() == expected
    survived.at(run.crew.calls)


@pytest.mark.fault(
    what="double delivery of task tokens",
    where="with every token that wakes the loop, that one and all earlier ones come once more",
    outcome="Step Functions refuses what it knows no longer, which is no error",
)
@EACH
def test_task_tokens_may_come_again(scenario: Scenario, survived: Survived) -> None:
    expected = Run(scenario).go().outcome()
    run = Run(scenario)
    machine = run.shop.machine
    wake = machine.wake
    sent: list[tuple[str, dict[str, Any]]] = []

    def again(token: str, outcome: dict[str, Any]) -> None:
        sent.append((token, outcome))
        for each in sent:
            wake(*each)
        wake(token, outcome)
        survived.at(len(sent))

    machine.wake = again  # type: ignore[method-assign]  # wraps it
    run.go()
    assert machine.refused_tokens
    assert_nothing_lost(run)
    assert run.outcome() == expected
