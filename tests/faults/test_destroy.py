"""A stack is destroyed while its job runs: at any write, also with the role or the files gone."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from groundwork.contract.dispatch import dispatch
from groundwork.custom_resources.labeling_job import LabelingJobResource
from groundwork.jobs.errors import WorkError
from groundwork.jobs.model import JobStatus
from groundwork.preflight import Findings
from groundwork.s3_client import S3Error
from groundwork.service import ServiceRefusedError
from tests.support.contract_fakes import fake_engine
from tests.support.fake_services import FakeService, resource_event
from tests.support.fault_rows import Survived
from tests.support.faults import (
    EACH,
    Run,
    Scenario,
    assert_nothing_lost,
    own_points_of,
    some,
)
from tests.support.job_fakes import ACCOUNT, BUCKET, REGION, refusal


class LabelingApi(FakeService):
    """The labeling API of a workshop, as the custom resource's client sees it."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        shop = run.shop
        self._engine = fake_engine(
            region=REGION, account=ACCOUNT, jobs=shop.store, loop=shop.machine, clock=shop.clock
        )

    def call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        target = "".join(part.title() for part in operation.split("_"))
        body = json.dumps(parameters).encode()
        answer = dispatch(self._engine, f"SageMaker.{target}", body, request_id="request")
        told: dict[str, Any] = json.loads(answer.body)
        if answer.status != 200:
            raise ServiceRefusedError(operation, told["__type"], told["message"])
        return told


class Destruction:
    """CloudFormation deletes the job, looking again until that is done."""

    def __init__(self, run: Run) -> None:
        self.begun = False
        self._run = run
        self._resource = LabelingJobResource(
            LabelingApi(run),
            lambda request, engine: Findings(),
            clock=run.shop.clock,
            sleep=run.shop.clock.advance,
            region=REGION,
            account=ACCOUNT,
        )
        self._event = resource_event(
            "Delete",
            "Custom::LabelingJob",
            {"Engine": "open"},
            physical_id=run.shop.job().arn,
        )

    def begin(self) -> None:
        self.begun = True
        self._event |= self._resource.on_event(self._event)
        self.is_done()

    def is_done(self) -> bool:
        return bool(self._resource.is_complete(self._event)["IsComplete"])

    def go(self) -> None:
        """Let people work as long as they can, and the loop end."""
        run = self._run
        run.shop.loop.run()
        with suppress(S3Error, WorkError):
            run.scenario.people_do(run.crew)
        for _ in range(200):
            if self.begun and self.is_done():
                break
            found = False
            for person in (0, 1, 2):
                with suppress(S3Error):
                    task = run.crew.take(person)
                    found = found or task is not None
                    run.crew.submit(person, task)
            if not found and not self.begun:
                run.shop.clock.advance(3600)
                run.shop.machine.time_out()
        assert self.begun
        assert self.is_done(), f"the stack cannot be deleted: {run.shop.job()}"
        job = run.shop.job()
        assert job.status is not JobStatus.FAILED or job.failure_reason
        assert run.shop.machine.sleeping == []
        assert run.shop.machine.failed == []


@pytest.mark.fault(
    what="destroy while running",
    where="before every write of every kind of job the stack's job is deleted: in preparation, "
    "selection, work, consolidation, training, inference, judging, publishing, failing",
    outcome="the job is stopped, its accepted answers are published, and the deletion completes",
)
@EACH
def test_a_stack_may_be_destroyed_at_any_moment(scenario: Scenario, survived: Survived) -> None:
    for name in some(own_points_of(scenario), 15):
        run = Run(scenario)
        destruction = Destruction(run)
        run.points.plan(name, "before", destruction.begin)
        destruction.go()
        assert_nothing_lost(run)
        survived.at(1)


def close_bucket(run: Run) -> None:
    def refuse(operation: str, key: str) -> None:
        raise refusal("AccessDenied", operation)

    run.shop.s3.before = refuse


def empty_bucket(run: Run) -> None:
    for place in [place for place in run.shop.s3.objects if place[0] == BUCKET]:
        del run.shop.s3.objects[place]


@pytest.mark.fault(
    what="destroy while running, in the wrong order",
    where="before every write of every kind of job, the job's role is gone or its bucket is "
    "emptied, and then the job is deleted",
    outcome="the job is Stopped, or Failed and says why, and the deletion completes",
)
@pytest.mark.parametrize("damage", [close_bucket, empty_bucket], ids=["role gone", "bucket empty"])
@EACH
def test_a_stack_may_be_destroyed_after_its_role_or_files(
    scenario: Scenario, damage: Callable[[Run], None], survived: Survived
) -> None:
    for name in some(own_points_of(scenario), 17):
        run = Run(scenario)
        destruction = Destruction(run)

        def destroy(run: Run = run, destruction: Destruction = destruction) -> None:
            damage(run)
            destruction.begin()

        run.points.plan(name, "before", destroy)
        destruction.go()
        survived.at(1)
