"""Automated labeling through an unmodified SageMaker client: its settings and its models."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from groundwork.contract.builtin_tasks import BUILTIN_TASKS, algorithm_arn
from groundwork.jobs.automation.models import ModelOrigin, ModelRecord
from groundwork.jobs.automation.settings import Automation
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.model import Counters, Job, JobStatus
from groundwork.table_client import Table
from tests.support.labeling_requests import (
    LABELS,
    LABELS_KEY,
    MANIFEST,
    MANIFEST_KEY,
    TEMPLATE,
    TEMPLATE_KEY,
    labeling_job_request,
)
from tests.support.labeling_service import ACCOUNT, BUCKET, REGION, LabelingService

ARNS = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
ALGORITHM = algorithm_arn(REGION, BUILTIN_TASKS["BoundingBox"])
TARGET, PERCENTAGE = (
    "groundwork:auto-labeling-target",
    "groundwork:auto-labeling-sample-percentage",
)


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
def model(service: LabelingService, jobs: JobStore) -> str:
    """A finished job's model for cats and dogs, by its ARN."""
    ended_job(jobs, "boxes-of-2025", "BoundingBox")
    keep_model(service, "boxes-of-2025")
    return f"{ARNS}:model/boxes-of-2025-7"


def ended_job(jobs: JobStore, name: str, task_key: str) -> None:
    moment = datetime(2025, 11, 1, 12, tzinfo=UTC)
    jobs.create(
        Job(
            name=name,
            arn=f"{ARNS}:labeling-job/{name}",
            status=JobStatus.COMPLETED,
            created_at=moment,
            modified_at=moment,
            request=labeling_job_request(task_key, LabelingJobName=name),
            reference_code=f"code-{name}",
            counters=Counters(human_labeled=30, machine_labeled=70),
            automation=Automation(0.6),
            final_model=7,
        )
    )


def keep_model(
    service: LabelingService, job: str, classes: tuple[str, ...] = ("cat", "dog")
) -> None:
    record = ModelRecord(7, "BoundingBox", classes, ModelOrigin.TRAINED, 30, 30, "", 1, 2.0)
    service.emulator("s3").put_object(
        Bucket=BUCKET,
        Key=f"output/{job}/training/7/model.json",
        Body=json.dumps(record.to_json()).encode(),
    )


def automated(name: str, *, model: str | None = None, **tags: str) -> dict[str, Any]:
    config = {"LabelingJobAlgorithmSpecificationArn": ALGORITHM}
    if model is not None:
        config["InitialActiveLearningModelArn"] = model
    request = labeling_job_request(LabelingJobName=name, LabelingJobAlgorithmsConfig=config)
    if tags:
        request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    return request


def refusal(labeling: Any, request: dict[str, Any]) -> str:
    with pytest.raises(ClientError) as error:
        labeling.create_labeling_job(**request)
    said = error.value.response["Error"]
    assert said["Code"] == "ValidationException"
    message: str = said["Message"]
    return message


def test_a_job_keeps_what_its_tags_ask_for(labeling: Any, jobs: JobStore) -> None:
    labeling.create_labeling_job(**automated("as-by-default"))
    labeling.create_labeling_job(**automated("as-asked", **{TARGET: "0.75", PERCENTAGE: "10"}))

    assert jobs.get("as-by-default").automation == Automation(0.6)
    assert jobs.get("as-asked").automation == Automation(0.75, 0.1)
    described = labeling.describe_labeling_job(LabelingJobName="as-asked")
    assert described["Tags"] == [
        {"Key": PERCENTAGE, "Value": "10"},
        {"Key": TARGET, "Value": "0.75"},
    ]
    config = described["LabelingJobAlgorithmsConfig"]
    assert config == {"LabelingJobAlgorithmSpecificationArn": ALGORITHM}


def test_a_job_without_automated_labeling_has_no_settings_of_it(
    labeling: Any, jobs: JobStore
) -> None:
    labeling.create_labeling_job(**labeling_job_request(LabelingJobName="by-people"))

    assert jobs.get("by-people").automation is None


def test_everything_wrong_about_automation_is_told_at_once(labeling: Any) -> None:
    request = automated(
        "all-wrong",
        model=f"{ARNS}:model/nobody-made-this-1",
        **{TARGET: "1.5", PERCENTAGE: "much", "groundwork:auto-labeling-x": "1", "aws:x": "1"},
    )

    message = refusal(labeling, request)

    assert message.startswith("5 validation errors detected: ")
    assert "'groundwork:auto-labeling-x' is none of" in message
    assert f"tag '{TARGET}' is '1.5'" in message
    assert f"tag '{PERCENTAGE}' is 'much'" in message
    assert "nobody-made-this-1: no labeling job of this account and region has ended" in message
    assert "begins with aws:" in message


def test_a_finished_jobs_model_can_be_the_first_of_another(
    labeling: Any, jobs: JobStore, model: str
) -> None:
    ended = labeling.describe_labeling_job(LabelingJobName="boxes-of-2025")
    assert ended["LabelingJobOutput"]["FinalActiveLearningModelArn"] == model

    labeling.create_labeling_job(**automated("goes-on", model=model))

    automation = jobs.get("goes-on").automation
    assert automation is not None
    assert automation.initial_model == f"s3://{BUCKET}/output/boxes-of-2025/training/7"
    described = labeling.describe_labeling_job(LabelingJobName="goes-on")
    config = described["LabelingJobAlgorithmsConfig"]
    assert config["InitialActiveLearningModelArn"] == model


@pytest.mark.parametrize(
    "name",
    [
        "boxes-of-2025-6",
        "boxes-of-2025",
        "Boxes-of-2025-7",
        "boxes-of-2025-7/boxes-of-2025-7",
        "-7",
    ],
)
def test_other_names_are_no_models(labeling: Any, model: str, name: str) -> None:
    message = refusal(labeling, automated("misnamed", model=f"{ARNS}:model/{name}"))

    assert f"model/{name}: no labeling job" in message


@pytest.mark.parametrize(
    ("here", "there"), [(ACCOUNT, "999999999999"), (REGION, "eu-west-3")], ids=["account", "region"]
)
def test_a_model_of_another_account_or_region_is_unknown(
    labeling: Any, model: str, here: str, there: str
) -> None:
    elsewhere = model.replace(here, there)
    assert elsewhere != model

    assert "no labeling job of this account and region" in refusal(
        labeling, automated("elsewhere", model=elsewhere)
    )


def test_a_model_fits_its_task_type_only(labeling: Any, jobs: JobStore) -> None:
    ended_job(jobs, "classes-of-2025", "ImageMultiClass")

    message = refusal(labeling, automated("boxes", model=f"{ARNS}:model/classes-of-2025-7"))

    assert "is a model for task type ImageMultiClass, not for BoundingBox" in message


def test_a_model_fits_its_labels_in_their_order_only(
    service: LabelingService, labeling: Any, jobs: JobStore
) -> None:
    ended_job(jobs, "dogs-first", "BoundingBox")
    keep_model(service, "dogs-first", ("dog", "cat"))

    message = refusal(labeling, automated("cats-first", model=f"{ARNS}:model/dogs-first-7"))

    assert "tells dog, cat apart; the job has cat, dog" in message


def test_a_model_whose_files_are_gone_is_told_before_the_job_begins(
    labeling: Any, jobs: JobStore
) -> None:
    ended_job(jobs, "removed", "BoundingBox")

    message = refusal(labeling, automated("too-late", model=f"{ARNS}:model/removed-7"))

    assert f"its files in s3://{BUCKET}/output/removed/training/7 are gone" in message
