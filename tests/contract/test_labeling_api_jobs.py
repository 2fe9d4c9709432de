"""Labeling job operations through an unmodified SageMaker client."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from groundwork.audits.audit_job import audit_job_name, audit_job_request, start_audit_job
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.model import Counters, Job, JobStatus
from groundwork.service_client import ServiceClient
from groundwork.table_client import Table
from tests.support.labeling_requests import (
    LABELS,
    LABELS_KEY,
    MANIFEST,
    MANIFEST_KEY,
    TEAM_ARN,
    TEMPLATE,
    TEMPLATE_KEY,
    labeling_job_request,
    with_human_task,
)
from tests.support.labeling_service import (
    ACCOUNT,
    BUCKET,
    REGION,
    STATE_MACHINE_ARN,
    LabelingService,
    create_state_machine,
)

JOB_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def team_and_files(service: LabelingService) -> None:
    cognito = {"UserPool": "us-east-1_Pool", "UserGroup": "labelers", "ClientId": "client"}
    service.labeling().create_workteam(
        WorkteamName="team-a",
        Description="who labels",
        MemberDefinitions=[{"CognitoMemberDefinition": cognito}],
    )
    s3 = service.emulator("s3")
    for key, body in ((MANIFEST_KEY, MANIFEST), (LABELS_KEY, LABELS), (TEMPLATE_KEY, TEMPLATE)):
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


@pytest.fixture
def jobs(service: LabelingService) -> JobStore:
    return JobStore(Table(service.table()))


@pytest.fixture
def no_loop(service: LabelingService) -> Iterator[None]:
    service.emulator("stepfunctions").delete_state_machine(stateMachineArn=STATE_MACHINE_ARN)
    yield
    create_state_machine(service)


def stored(jobs: JobStore, name: str, day: int = 0, **changes: Any) -> None:
    """Keep a job without starting a loop for it."""
    created = START + timedelta(days=day)
    job = Job(
        name=name,
        arn=f"{JOB_ARN}/{name}",
        status=JobStatus.IN_PROGRESS,
        created_at=created,
        modified_at=created,
        request=labeling_job_request(LabelingJobName=name),
        reference_code=f"code-{name}",
    )
    jobs.create(replace(job, **changes))


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    said = error.value.response["Error"]
    return said["Code"], said["Message"]


def names(page: dict[str, Any]) -> list[str]:
    return [job["LabelingJobName"] for job in page["LabelingJobSummaryList"]]


def test_a_created_job_is_described_as_requested(labeling: Any) -> None:
    request = labeling_job_request(
        LabelingJobName="Created-As-Requested",
        StoppingConditions={"MaxHumanLabeledObjectCount": 10},
        Tags=[{"Key": "team", "Value": "cats"}],
    )

    arn = labeling.create_labeling_job(**request)["LabelingJobArn"]
    job = labeling.describe_labeling_job(LabelingJobName="created-as-requested")

    assert arn == job["LabelingJobArn"] == f"{JOB_ARN}/Created-As-Requested"
    assert job["LabelingJobStatus"] == "Initializing"
    for member, value in request.items():
        assert job[member] == value
    assert set(job["LabelCounters"].values()) == {0}
    assert len(job["JobReferenceCode"]) == 32
    assert abs((datetime.now(UTC) - job["CreationTime"]).total_seconds()) < 60
    assert "LabelingJobOutput" not in job


def test_an_audit_job_is_made_of_what_a_job_is_described_as(labeling: Any) -> None:
    labeling.create_labeling_job(
        **labeling_job_request(
            LabelingJobName="to-be-audited",
            StoppingConditions={"MaxPercentageOfInputDatasetLabeled": 50},
        )
    )
    described = labeling.describe_labeling_job(LabelingJobName="to-be-audited")

    name = audit_job_name("to-be-audited", seed=4)
    manifest = f"s3://{BUCKET}/{MANIFEST_KEY}"
    request = audit_job_request(described, name=name, manifest=manifest, workers_per_object=3)
    start_audit_job(ServiceClient(labeling), request)
    audit = labeling.describe_labeling_job(LabelingJobName=name)

    assert audit["LabelAttributeName"] == "audit"
    assert audit["HumanTaskConfig"] == {
        **described["HumanTaskConfig"],
        "NumberOfHumanWorkersPerDataObject": 3,
    }
    assert "StoppingConditions" not in audit


def test_creating_a_job_starts_its_loop(service: LabelingService, labeling: Any) -> None:
    labeling.create_labeling_job(**labeling_job_request(LabelingJobName="with-a-loop"))

    execution = service.emulator("stepfunctions").describe_execution(
        executionArn=f"{STATE_MACHINE_ARN.replace('stateMachine', 'execution')}:with-a-loop"
    )
    assert execution["status"] == "RUNNING"
    assert json.loads(execution["input"]) == {"job": "with-a-loop", "iteration": 0}


def test_a_jobs_name_is_taken_whatever_its_case(labeling: Any) -> None:
    labeling.create_labeling_job(**labeling_job_request(LabelingJobName="taken"))

    with pytest.raises(labeling.exceptions.ResourceInUse, match="already exists and is Init"):
        labeling.create_labeling_job(**labeling_job_request(LabelingJobName="TAKEN"))


@pytest.mark.usefixtures("no_loop")
def test_a_job_whose_loop_does_not_start_has_failed(labeling: Any) -> None:
    request = labeling_job_request(LabelingJobName="no-loop")

    with pytest.raises(ClientError) as error:
        labeling.create_labeling_job(**request)
    assert refusal(error)[0] == "InternalFailure"
    assert STATE_MACHINE_ARN not in refusal(error)[1]

    job = labeling.describe_labeling_job(LabelingJobName="no-loop")
    assert job["LabelingJobStatus"] == "Failed"
    assert "loop could not be started" in job["FailureReason"]
    with pytest.raises(labeling.exceptions.ResourceInUse, match="loop could not be started"):
        labeling.create_labeling_job(**request)


def test_every_broken_rule_is_told_at_once(labeling: Any) -> None:
    request = with_human_task(
        labeling_job_request(LabelAttributeName="boxes-ref"),
        TaskTimeLimitInSeconds=30_000,
        WorkteamArn=f"arn:aws:sagemaker:{REGION}:394669845002:workteam/public-crowd/default",
    )

    with pytest.raises(ClientError) as error:
        labeling.create_labeling_job(**request)

    code, message = refusal(error)
    assert code == "ValidationException"
    assert message.startswith("3 validation errors detected: ")
    assert "must not end in -ref for task type BoundingBox" in message
    assert "takes at most 28800" in message
    assert "Mechanical Turk" in message


def test_what_the_job_needs_outside_is_checked_and_told_at_once(
    service: LabelingService, labeling: Any
) -> None:
    s3 = service.emulator("s3")
    s3.delete_object(Bucket=BUCKET, Key=MANIFEST_KEY)
    labels = {"document-version": "2018-11-28", "labels": [{"label": "a"}, {"label": "a"}]}
    s3.put_object(Bucket=BUCKET, Key=LABELS_KEY, Body=json.dumps(labels).encode())
    s3.put_object(Bucket=BUCKET, Key=TEMPLATE_KEY, Body=b"<p>Hello</p>")
    labeling.delete_workteam(WorkteamName="team-a")

    with pytest.raises(ClientError) as error:
        labeling.create_labeling_job(**labeling_job_request(LabelingJobName="nothing-there"))

    code, message = refusal(error)
    assert code == "ValidationException"
    assert f"The work team {TEAM_ARN} does not exist" in message
    assert f"s3://{BUCKET}/{MANIFEST_KEY}" in message
    assert "label 'a' occurs 2 times" in message
    assert "there is no <crowd-bounding-box>" in message
    with pytest.raises(labeling.exceptions.ResourceNotFound):
        labeling.describe_labeling_job(LabelingJobName="nothing-there")


def test_a_work_team_is_named_by_its_exact_arn(labeling: Any) -> None:
    request = with_human_task(labeling_job_request(), WorkteamArn=TEAM_ARN.replace("-a", "-A"))

    with pytest.raises(ClientError, match=f"does not exist; there is {TEAM_ARN}"):
        labeling.create_labeling_job(**request)


@pytest.mark.parametrize("operation", ["describe_labeling_job", "stop_labeling_job"])
def test_a_missing_job_is_not_found(labeling: Any, operation: str) -> None:
    with pytest.raises(labeling.exceptions.ResourceNotFound, match="'nothing'"):
        getattr(labeling, operation)(LabelingJobName="nothing")


def test_a_stopped_job_goes_through_stopping_and_keeps_its_output(
    labeling: Any, jobs: JobStore
) -> None:
    stored(jobs, "boxes", counters=Counters(human_labeled=3, unlabeled=7))

    labeling.stop_labeling_job(LabelingJobName="boxes")
    stopping = labeling.describe_labeling_job(LabelingJobName="boxes")
    labeling.stop_labeling_job(LabelingJobName="boxes")
    jobs.change("boxes", lambda job: replace(job, status=JobStatus.STOPPED))
    labeling.stop_labeling_job(LabelingJobName="boxes")
    stopped = labeling.describe_labeling_job(LabelingJobName="boxes")

    assert stopping["LabelingJobStatus"] == "Stopping"
    assert stopping["LastModifiedTime"] > stopping["CreationTime"]
    assert stopped["LabelingJobStatus"] == "Stopped"
    assert stopped["LabelingJobOutput"] == {
        "OutputDatasetS3Uri": f"s3://{BUCKET}/output/boxes/manifests/output/output.manifest"
    }
    assert stopped["LabelCounters"] == {
        "TotalLabeled": 3,
        "HumanLabeled": 3,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 0,
        "Unlabeled": 7,
    }


def test_stopping_a_job_that_never_got_a_loop_gives_it_one(
    service: LabelingService, labeling: Any, jobs: JobStore
) -> None:
    stored(jobs, "orphan", status=JobStatus.INITIALIZING)

    labeling.stop_labeling_job(LabelingJobName="ORPHAN")

    assert (
        labeling.describe_labeling_job(LabelingJobName="orphan")["LabelingJobStatus"] == "Stopping"
    )
    executions = service.emulator("stepfunctions").list_executions(
        stateMachineArn=STATE_MACHINE_ARN
    )["executions"]
    assert "orphan" in [execution["name"] for execution in executions]


def test_jobs_come_in_pages_and_in_order(labeling: Any, jobs: JobStore) -> None:
    for day, name in enumerate(["delta", "Alpha", "charlie", "bravo", "echo"]):
        stored(jobs, name, day)
    jobs.change("alpha", lambda job: replace(job, status=JobStatus.COMPLETED))

    def listed(**parameters: Any) -> list[list[str]]:
        pages = labeling.get_paginator("list_labeling_jobs").paginate(
            PaginationConfig={"PageSize": 2}, **parameters
        )
        return [names(page) for page in pages]

    assert listed() == [["delta", "Alpha"], ["charlie", "bravo"], ["echo"]]
    assert listed(SortOrder="Descending") == [["echo", "bravo"], ["charlie", "Alpha"], ["delta"]]
    assert listed(SortBy="Name") == [["Alpha", "bravo"], ["charlie", "delta"], ["echo"]]
    assert listed(SortBy="Status") == [["Alpha", "bravo"], ["charlie", "delta"], ["echo"]]
    assert listed(SortBy="Status", SortOrder="Descending")[0] == ["echo", "delta"]


def test_jobs_are_listed_by_filters(labeling: Any, jobs: JobStore) -> None:
    for day, name in enumerate(["cats", "dogs", "wildcats"]):
        stored(jobs, name, day)
    later = START + timedelta(days=9)
    jobs.change(
        "cats",
        lambda job: replace(
            job, status=JobStatus.FAILED, failure_reason="no images", modified_at=later
        ),
    )

    def listed(**parameters: Any) -> list[str]:
        return names(labeling.list_labeling_jobs(**parameters))

    assert listed(NameContains="CATS") == ["cats", "wildcats"]
    assert listed(StatusEquals="InProgress") == ["dogs", "wildcats"]
    assert listed(CreationTimeAfter=START + timedelta(hours=1)) == ["dogs", "wildcats"]
    assert listed(CreationTimeBefore=START + timedelta(hours=1)) == ["cats"]
    assert listed(LastModifiedTimeAfter=START + timedelta(days=5)) == ["cats"]
    assert listed(LastModifiedTimeBefore=START + timedelta(days=1)) == ["dogs"]
    assert listed(NameContains="cats", StatusEquals="Stopped") == []
    (failed,) = labeling.list_labeling_jobs(StatusEquals="Failed")["LabelingJobSummaryList"]
    assert failed["FailureReason"] == "no images"
    assert failed["WorkteamArn"] == TEAM_ARN
    assert failed["PreHumanTaskLambdaArn"].endswith("PRE-BoundingBox")


def test_a_work_teams_jobs_are_listed_with_its_own_counters(labeling: Any, jobs: JobStore) -> None:
    counters = Counters(human_labeled=3, failed=1, unlabeled=6)
    for day, name in enumerate(["first", "second", "third"]):
        stored(jobs, name, day, counters=counters)
    other = labeling_job_request(LabelingJobName="other")
    stored(jobs, "other", 4, request=with_human_task(other, WorkteamArn=f"{TEAM_ARN}-2"))

    page = labeling.list_labeling_jobs_for_workteam(WorkteamArn=TEAM_ARN, MaxResults=2)
    rest = labeling.list_labeling_jobs_for_workteam(
        WorkteamArn=TEAM_ARN, MaxResults=2, NextToken=page["NextToken"]
    )
    found = labeling.list_labeling_jobs_for_workteam(
        WorkteamArn=TEAM_ARN, JobReferenceCodeContains="second"
    )

    assert names(page) == ["first", "second"]
    assert names(rest) == ["third"]
    assert "NextToken" not in rest
    assert names(found) == ["second"]
    assert page["LabelingJobSummaryList"][0] == {
        "LabelingJobName": "first",
        "JobReferenceCode": "code-first",
        "WorkRequesterAccountId": ACCOUNT,
        "CreationTime": START,
        "NumberOfHumanWorkersPerDataObject": 2,
        "LabelCounters": {"HumanLabeled": 3, "PendingHuman": 6, "Total": 10},
    }


def test_the_jobs_of_a_missing_work_team_are_not_found(labeling: Any) -> None:
    with pytest.raises(labeling.exceptions.ResourceNotFound, match="does not exist"):
        labeling.list_labeling_jobs_for_workteam(WorkteamArn=f"{TEAM_ARN}-2")


def test_a_work_team_with_a_running_job_cannot_be_deleted(labeling: Any, jobs: JobStore) -> None:
    stored(jobs, "boxes")

    with pytest.raises(labeling.exceptions.ResourceInUse, match=r"not ended: boxes\. Stop"):
        labeling.delete_workteam(WorkteamName="team-a")

    jobs.change("boxes", lambda job: replace(job, status=JobStatus.STOPPED))
    assert labeling.delete_workteam(WorkteamName="team-a")["Success"] is True
