"""Jobs that nothing drives any more are found, and no others."""

from typing import Any

import pytest

from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import JobStatus
from groundwork.jobs.watching import Watched, watch
from tests.support.job_fakes import Workshop, boxes_answer, worker

MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:loop"


class Executions:
    """A Step Functions client with running executions of these names; `meanwhile` is called."""

    def __init__(self, *names: str, meanwhile: Any = lambda: None) -> None:
        self._names = names
        self._meanwhile = meanwhile
        self.asked: list[dict[str, str]] = []

    def get_paginator(self, operation: str) -> "Executions":
        assert operation == "list_executions"
        return self

    def paginate(self, **parameters: str) -> list[dict[str, Any]]:
        self.asked.append(parameters)
        self._meanwhile()
        return [{"executions": [{"name": name}]} for name in self._names]


def look(shop: Workshop, executions: Executions) -> Watched:
    return watch(shop.store, LoopClient(MACHINE, executions))


@pytest.fixture
def shop() -> Workshop:
    """Return a workshop with three jobs that wait for people."""
    shop = Workshop()
    for name in ("birds", "birds-2", "cats"):
        shop.start(shop.add_images(1), name=name)
    return shop


def test_a_job_whose_execution_runs_is_driven_also_by_a_further_one(shop: Workshop) -> None:
    executions = Executions("birds", "birds-2_250", "cats_again-1")

    assert look(shop, executions) == Watched(3, ())
    assert executions.asked == [{"stateMachineArn": MACHINE, "statusFilter": "RUNNING"}]


def test_a_job_without_an_execution_of_its_own_is_stuck(shop: Workshop) -> None:
    assert look(shop, Executions("birds-2", "cats-2")) == Watched(3, ("birds", "cats"))


def test_a_stopping_job_is_stuck_too_and_one_that_has_ended_is_not(shop: Workshop) -> None:
    shop.store.request_stop("birds", shop.clock())
    shop.stop("cats")

    assert look(shop, Executions("birds-2")) == Watched(2, ("birds",))


def test_a_job_that_ends_while_it_is_looked_at_is_not_stuck(shop: Workshop) -> None:
    executions = Executions("birds", "birds-2", meanwhile=lambda: shop.stop("cats"))

    assert look(shop, executions).stuck == ()
    assert shop.job("cats").status is JobStatus.STOPPED


def test_nobody_is_asked_while_nothing_is_open() -> None:
    executions = Executions()

    assert look(Workshop(), executions) == Watched(0, ())
    assert executions.asked == []


@pytest.mark.parametrize(
    "after", ["select_batch", "open_batch", "consolidate", "publish_iteration"]
)
def test_a_loop_that_died_anywhere_goes_on_from_the_iteration_before(
    after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/operations.md says: whatever the dead execution had done is not done twice."""
    shop = Workshop()
    shop.start(shop.add_images(3), batch=2)
    answered = shop.answer_all([worker(1)], lambda *_: boxes_answer())
    whole = shop.output()

    again = Workshop()
    again.start(again.add_images(3), batch=2)
    dies = Death(again, after, monkeypatch)
    people = [worker(1)]
    done = again.answer_all(people, lambda *_: boxes_answer())
    assert dies.died
    iteration = max(0, again.job().iteration - 1)
    again.loop._select("job", iteration)
    again.loop.run()
    done += again.answer_all(people, lambda *_: boxes_answer())

    assert again.job().status is JobStatus.COMPLETED
    assert sorted(done) == sorted(answered)
    assert len(again.output()) == len(whole)
    assert again.job().counters == shop.job().counters


class Death:
    """The end of an execution after one of its steps of the first batch or of the choice after."""

    def __init__(self, shop: Workshop, after: str, patch: pytest.MonkeyPatch) -> None:
        self.died = False
        step = shop.loop._step

        def dying(name: str, job: str, iteration: int, **more: Any) -> Any:
            result = step(name, job, iteration, **more)
            if name == after and not self.died:
                self.died = True
                shop.loop.waiting.clear()
                raise _DeadError
            return result

        run = shop.loop.run

        def running() -> None:
            try:
                run()
            except _DeadError:
                return

        patch.setattr(shop.loop, "_step", dying)
        patch.setattr(shop.loop, "run", running)


class _DeadError(BaseException):
    """Nobody catches it: the execution is gone."""
