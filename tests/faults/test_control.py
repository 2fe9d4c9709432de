"""Faults while a job is created, stopped, handed over, and in CloudFormation's events."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    algorithm_arn,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from groundwork.contract.dispatch import dispatch
from groundwork.contract.engine import Engine
from groundwork.contract.registry_store import RegistryStore
from groundwork.custom_resources.labeling_job import LabelingJobResource
from groundwork.jobs.model import JobStatus
from groundwork.jobs.steps import publishing
from groundwork.preflight import Findings
from groundwork.s3_client import S3Client
from groundwork.table_client import Write
from groundwork.unavailable import UnavailableError
from tests.support.contract_fakes import FakeRegistry, fake_engine
from tests.support.fake_services import (
    ACCOUNT,
    REGION,
    FakeClock,
    FakeLabeling,
    resource_event,
)
from tests.support.fault_rows import Survived
from tests.support.faults import (
    WHENS,
    FaultShop,
    Points,
    Run,
    Scenario,
    When,
    assert_nothing_lost,
    crash,
    crashing,
    points_of,
    seen_box,
    some,
)
from tests.support.faulty_framework import (
    FaultyFramework,
    lives_with_crashes,
    lives_with_throttling,
)
from tests.support.job_fakes import CrashError, image_bytes
from tests.support.labeling_requests import (
    LABELS,
    LABELS_KEY,
    MANIFEST,
    MANIFEST_KEY,
    TEMPLATE,
    TEMPLATE_KEY,
    labeling_job_request,
)
from tests.support.labeling_service import BUCKET

NAME = "boxes-1"


class _Registry(FakeRegistry):
    """One work team, and tags in the engine's table."""

    def __init__(self, shop: FaultShop) -> None:
        self._stored = RegistryStore(shop.table)

    def tags(self, arn: str) -> dict[str, str]:
        return self._stored.tags(arn)

    def only_these(self, arn: str, tags: dict[str, str]) -> list[Write]:
        return self._stored.only_these(arn, tags)


def labeling_api(shop: FaultShop) -> Engine:
    """The labeling API over a workshop's table, files and loop."""
    for key, data in ((MANIFEST_KEY, MANIFEST), (LABELS_KEY, LABELS), (TEMPLATE_KEY, TEMPLATE)):
        shop.s3.add(f"s3://{BUCKET}/{key}", data)
    shop.s3.add(f"s3://{BUCKET}/images/1.jpg", image_bytes())
    return fake_engine(
        jobs=shop.store,
        loop=shop.machine,
        registry=_Registry(shop),
        files_for_role=lambda role_arn, session_name: S3Client(shop.s3),
        clock=shop.clock,
    )


def ask(engine: Engine, operation: str, **request: Any) -> dict[str, Any]:
    """Ask as an SDK does, which asks again when the function died or failed."""
    body = json.dumps(request).encode()
    for _ in range(3):
        try:
            answer = dispatch(engine, f"SageMaker.{operation}", body, request_id="request")
        except CrashError:
            continue
        told: dict[str, Any] = json.loads(answer.body)
        return told
    raise AssertionError("the labeling API never answered")


REQUEST = labeling_job_request(Tags=[{"Key": "a", "Value": "b"}])


def create(engine: Engine) -> dict[str, Any]:
    return ask(engine, "CreateLabelingJob", **REQUEST)


def points_while(act: Callable[[Engine], Any], prepare: Callable[[Engine], Any]) -> list[str]:
    shop = FaultShop()
    engine = labeling_api(shop)
    prepare(engine)
    points = Points(shop)
    act(engine)
    return points.names


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of CreateLabelingJob, which the SDK then sends again",
    outcome="one job with its tags and one loop, whether the second answer is the ARN or "
    "ResourceInUse",
)
def test_a_crash_while_a_job_is_created_leaves_one_that_runs(survived: Survived) -> None:
    for name in points_while(create, lambda engine: None):
        for when in WHENS:
            shop = FaultShop()
            engine = labeling_api(shop)
            points = Points(shop)
            points.plan(name, when, crash)
            told = create(engine)
            assert points.fired == [name]
            assert "LabelingJobArn" in told or told["__type"] == "ResourceInUse"
            shop.machine.run()
            assert shop.machine.started == [NAME]
            described = ask(engine, "DescribeLabelingJob", LabelingJobName=NAME)
            assert described["LabelingJobStatus"] == "InProgress"
            assert described["Tags"] == [{"Key": "a", "Value": "b"}]
            survived.at(1)


@pytest.mark.fault(
    what="two requests in the same instant",
    where="CreateLabelingJob with the name of a job that another request makes between any of its "
    "reads and writes, with other tags",
    outcome="ResourceInUse; the job has the tags of the request that made it",
)
def test_two_jobs_of_one_name_do_not_mix(survived: Survived) -> None:
    other = labeling_job_request(Tags=[{"Key": "other", "Value": "job"}])
    for name in points_while(create, lambda engine: None):
        shop = FaultShop()
        engine = labeling_api(shop)
        points = Points(shop)
        told: list[dict[str, Any]] = []
        points.plan(
            name,
            "before",
            lambda: told.append(ask(engine, "CreateLabelingJob", **other)),  # noqa: B023 - used at once
        )
        told.append(create(engine))
        assert points.fired == [name]
        refused = ["__type" in each for each in told]
        assert sorted(refused) == [False, True]
        described = ask(engine, "DescribeLabelingJob", LabelingJobName=NAME)
        assert described["Tags"] == (other if refused[1] else REQUEST)["Tags"]
        shop.machine.run()
        assert shop.machine.started == [NAME]
        survived.at(1)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of CreateLabelingJob, which nobody sends again; somebody "
    "describes or stops the job",
    outcome="if there is a job, its loop is started then",
)
@pytest.mark.parametrize("operation", ["DescribeLabelingJob", "StopLabelingJob"])
def test_a_job_that_was_left_without_a_loop_gets_one(operation: str, survived: Survived) -> None:
    for name in points_while(create, lambda engine: None):
        for when in WHENS:
            shop = FaultShop()
            engine = labeling_api(shop)
            points = Points(shop)
            points.plan(name, when, crash)
            with pytest.raises(CrashError):
                dispatch(
                    engine,
                    "SageMaker.CreateLabelingJob",
                    json.dumps(REQUEST).encode(),
                    request_id="request",
                )
            told = ask(engine, operation, LabelingJobName=NAME)
            if told.get("__type") != "ResourceNotFound":
                shop.machine.run()
                stops = operation == "StopLabelingJob"
                wanted = JobStatus.STOPPED if stops else JobStatus.IN_PROGRESS
                assert shop.job(NAME).status is wanted
            survived.at(1)


@pytest.mark.fault(
    what="function crash",
    where="before and after every write of StopLabelingJob, which the SDK then sends again",
    outcome="the job is Stopped",
)
def test_a_crash_while_a_job_is_stopped_does_not_keep_it(survived: Survived) -> None:
    def begin(engine: Engine) -> None:
        create(engine)
        engine.loop.run()  # type: ignore[attr-defined]  # the state machine in memory

    def stop(engine: Engine) -> dict[str, Any]:
        return ask(engine, "StopLabelingJob", LabelingJobName=NAME)

    for name in points_while(stop, begin):
        for when in WHENS:
            shop = FaultShop()
            engine = labeling_api(shop)
            begin(engine)
            points = Points(shop)
            points.plan(name, when, crash)
            stop(engine)
            assert points.fired == [name]
            shop.machine.run()
            assert shop.job(NAME).status is JobStatus.STOPPED
            survived.at(1)


@pytest.mark.fault(
    what="Step Functions fails",
    where="starting the loop in CreateLabelingJob, beyond the SDK's retries",
    outcome="the job is Failed and says why, and whoever sends it again is told so",
)
def test_a_loop_that_cannot_be_started_fails_the_job(survived: Survived) -> None:
    shop = FaultShop()
    engine = labeling_api(shop)

    def throttled(job_name: str) -> None:
        raise UnavailableError("starting the loop: ThrottlingException")

    shop.machine.start = throttled  # type: ignore[method-assign]  # wraps it
    assert create(engine)["__type"] == "InternalFailure"
    again = create(engine)
    assert again["__type"] == "ResourceInUse"
    assert "ThrottlingException" in again["message"]
    assert shop.job(NAME).status is JobStatus.FAILED
    assert "ThrottlingException" in str(shop.job(NAME).failure_reason)
    survived.at(1)


# --- the hand-over to a fresh execution ----------------------------------------------------------


def _begin_long(shop: FaultShop) -> Callable[[int], Mapping[str, Any]]:
    shop.start(shop.add_images(4), batch=1, run=False)
    return seen_box


LONG = Scenario("handed over", 4, 1, _begin_long, lambda crew: None)


@pytest.mark.fault(
    what="function crash, lost and repeated answers",
    where="before and after the start of the next execution and every write around it, in a job "
    "that hands over after each batch",
    outcome="one execution goes on for each hand-over; the job ends with the very same labels",
)
def test_a_hand_over_may_break_off(survived: Survived, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "ITERATIONS_PER_EXECUTION", 1)
    reference = Run(LONG).go()
    expected = reference.outcome()
    assert reference.shop.machine.started == ["job", "job_1", "job_2", "job_3"]
    for name in some(points_of(LONG), 17):
        for when in WHENS:
            run = crashing(LONG, name, when)
            assert_nothing_lost(run)
            assert run.outcome() == expected
            assert run.shop.machine.started == reference.shop.machine.started
            survived.at(1)
    for place in range(len(reference.shop.machine.started) - 1):
        for when in WHENS:
            run = Run(LONG)
            lose_start(run, place, when)
            run.go()
            assert_nothing_lost(run)
            assert run.outcome() == expected
            assert run.shop.machine.retries == ["HandOver"]
            survived.at(1)


def lose_start(run: Run, place: int, when: When) -> None:
    """Let a start fail once, before it took effect or after."""
    machine = run.shop.machine
    begin = machine.begin
    starts = 0

    def failing(name: str, data: Any) -> None:
        nonlocal starts
        starts += 1
        if starts == place + 1 and when == "before":
            raise machine.failure("StepFunctions.SdkClientException")
        begin(name, data)
        if starts == place + 1:
            raise machine.failure("StepFunctions.SdkClientException")

    machine.begin = failing  # type: ignore[method-assign]  # wraps it


# --- CloudFormation's events ---------------------------------------------------------------------

TASK = BUILTIN_TASKS["BoundingBox"]


def properties(**others: Any) -> dict[str, Any]:
    return {
        "NamePrefix": "Workshop",
        "InputManifestUri": "s3://data/input.manifest",
        "OutputPath": "s3://data/output/",
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/job",
        "WorkteamArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/annotators",
        "TaskType": "BoundingBox",
        "LabelAttributeName": "label",
        "LabelCategoryConfigUri": "s3://data/labels.json",
        "UiTemplateUri": "s3://data/template.html",
        "TaskTitle": "Draw boxes",
        "TaskDescription": "Draw a box around every logo",
        "WorkersPerObject": "1",
        "BatchSize": "100",
        "TaskTimeLimitSeconds": "300",
        "AutoLabeling": "false",
        "Engine": "open",
        "PreLambdaArn": pre_lambda_arn(REGION, TASK),
        "ConsolidationLambdaArn": consolidation_lambda_arn(REGION, TASK),
        "AlgorithmArn": algorithm_arn(REGION, TASK),
        **others,
    }


class Deployment(FaultyFramework):
    """Custom::LabelingJob under a stack's events."""

    def __init__(self) -> None:
        self.labeling = FakeLabeling()
        clock = FakeClock()
        super().__init__(clock, self._go_on_stopping)
        self.watch(self.labeling)
        self._resource = LabelingJobResource(
            self.labeling,
            lambda request, engine: Findings(),
            clock=clock,
            sleep=clock.sleep,
            region=REGION,
            account=ACCOUNT,
        )

    def _go_on_stopping(self) -> None:
        for job in self.labeling.jobs.values():
            if job["LabelingJobStatus"] == "Stopping":
                job["LabelingJobStatus"] = "Stopped"

    def life(self) -> None:
        """Create the stack, change the job, and destroy the stack."""
        kind, first, second = "Custom::LabelingJob", properties(), properties(BatchSize="7")
        old = self.run(self._resource, resource_event("Create", kind, first, request_id="create"))
        assert self.running() == [old]
        update = resource_event(
            "Update", kind, second, old=first, physical_id=old, request_id="update"
        )
        new = self.run(self._resource, update)
        assert new != old
        self.run(
            self._resource,
            resource_event("Delete", kind, first, physical_id=old, request_id="clean-up"),
        )
        assert self.running() == [new]
        self.run(
            self._resource,
            resource_event("Delete", kind, second, physical_id=new, request_id="delete"),
        )
        assert self.running() == []
        assert len(self.labeling.jobs) == 2

    def running(self) -> list[str]:
        return [
            job["LabelingJobArn"]
            for job in self.labeling.jobs.values()
            if job["LabelingJobStatus"] == "InProgress"
        ]


@pytest.mark.fault(
    what="function crash",
    where="before and after every call that Custom::LabelingJob makes while a stack is created, "
    "changed and destroyed",
    outcome="one job for each definition, none that runs after the deletion",
)
def test_cloudformations_events_survive_crashes(survived: Survived) -> None:
    for _ in lives_with_crashes(Deployment):
        survived.at(1)


@pytest.mark.fault(
    what="throttling and 5xx, beyond the SDK's retries",
    where="every call that Custom::LabelingJob makes while it waits for its job to start or stop",
    outcome="the framework looks again; one job for each definition, none after the deletion",
)
def test_cloudformation_waits_for_a_busy_labeling_api(survived: Survived) -> None:
    for deployment in lives_with_throttling(Deployment):
        survived.at(deployment.throttled)


@pytest.mark.fault(
    what="double delivery, one after the other",
    where="every event of Custom::LabelingJob while a stack is created, changed and destroyed",
    outcome="the second delivery is about the same job; none is started twice",
)
def test_cloudformations_events_may_come_twice(survived: Survived) -> None:
    deployment = Deployment()
    deployment.twice = True
    deployment.life()
    survived.at(deployment.calls)
