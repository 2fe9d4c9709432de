"""The table of built-in tasks against the SDK's own documentation, which names every ARN."""

import json
import re
from functools import cache

import pytest
from botocore.loaders import Loader

from groundwork.contract import portal_url
from groundwork.contract.arns import (
    Arn,
    ArnFormatError,
    TeamKind,
    labeling_job_arn,
    workforce_arn,
    workteam_arn,
)
from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    HUMAN_TASK_UIS,
    OTHER_REGIONS_ACCOUNT,
    REGION_ACCOUNTS,
    BuiltinTask,
    algorithm_arn,
    consolidation_lambda_arn,
    human_task_ui_arn,
    pre_lambda_arn,
    task_of_lambda_arn,
)


@cache
def service_model_text() -> str:
    return json.dumps(Loader().load_service_model("sagemaker", "service-2"))


def test_every_function_that_the_sdk_names_is_in_the_table_and_no_other() -> None:
    documented = set(
        re.findall(r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:\w+-\w+", service_model_text())
    )

    ours = {
        make(region, task)
        for region in REGION_ACCOUNTS
        for task in BUILTIN_TASKS.values()
        for make in (pre_lambda_arn, consolidation_lambda_arn)
    }

    assert len(ours) == 12 * 23 * 2
    assert ours == documented


def test_every_page_and_algorithm_that_the_sdk_names_is_in_the_table() -> None:
    pages = set(re.findall(r"394669845002:human-task-ui/(\w+)", service_model_text()))
    algorithms = set(
        re.findall(
            r"027400017018:labeling-job-algorithm-specification/([\w-]+)", service_model_text()
        )
    )

    assert pages == HUMAN_TASK_UIS
    assert {task.algorithm for task in BUILTIN_TASKS.values()} - {None} == algorithms


def test_arns_of_a_task() -> None:
    boxes, entities = BUILTIN_TASKS["BoundingBox"], BUILTIN_TASKS["NamedEntityRecognition"]

    assert pre_lambda_arn("us-west-2", boxes) == (
        "arn:aws:lambda:us-west-2:081040173940:function:PRE-BoundingBox"
    )
    assert consolidation_lambda_arn("eu-central-1", boxes) == (
        "arn:aws:lambda:eu-central-1:203001061592:function:ACS-BoundingBox"
    )
    assert algorithm_arn("eu-west-1", boxes) == (
        "arn:aws:sagemaker:eu-west-1:027400017018:"
        "labeling-job-algorithm-specification/object-detection"
    )
    assert algorithm_arn("eu-west-1", entities) is None
    assert human_task_ui_arn("eu-west-1", boxes) is None
    assert human_task_ui_arn("eu-west-1", entities) == (
        "arn:aws:sagemaker:eu-west-1:394669845002:human-task-ui/NamedEntityRecognition"
    )
    assert f":{OTHER_REGIONS_ACCOUNT}:" in pre_lambda_arn("eu-north-1", boxes)


@pytest.mark.parametrize("task", BUILTIN_TASKS.values(), ids=lambda task: task.key)
def test_a_task_is_told_by_its_functions(task: BuiltinTask) -> None:
    assert task_of_lambda_arn(pre_lambda_arn("ap-south-1", task)) is task
    assert task_of_lambda_arn(consolidation_lambda_arn("us-east-1", task)) is task


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:lambda:us-east-1:123456789012:function:PRE-BoundingBox",
        "arn:aws:lambda:us-east-1:432418664414:function:PRE-Nonsense",
        "arn:aws:lambda:us-east-1:432418664414:layer:PRE-BoundingBox",
        "arn:aws:lambda:us-east-1:432418664414:function:XYZ-BoundingBox",
        "arn:aws:sns:us-east-1:432418664414:function:PRE-BoundingBox",
        "not an arn",
    ],
)
def test_other_functions_are_of_no_built_in_task(arn: str) -> None:
    assert task_of_lambda_arn(arn) is None


def test_each_task_has_either_a_template_element_or_a_page_of_the_service() -> None:
    for task in BUILTIN_TASKS.values():
        if task.key == "PassThrough":
            assert (task.crowd_element, task.human_task_ui) == (None, None)
        else:
            assert task.crowd_element or task.human_task_ui
        assert (task.crowd_element is None) == (task.crowd_name is None)


def test_labels_follow_the_documented_limits() -> None:
    classification = {key for key, task in BUILTIN_TASKS.items() if task.minimum_labels == 2}
    fifty = {key for key, task in BUILTIN_TASKS.items() if task.maximum_labels == 50}

    assert classification == {
        "ImageMultiClass",
        "ImageMultiClassMultiLabel",
        "TextMultiClass",
        "TextMultiClassMultiLabel",
    }
    assert fifty == {
        "BoundingBox",
        "AdjustmentBoundingBox",
        "ImageMultiClassMultiLabel",
        "TextMultiClassMultiLabel",
    }


def test_an_arn_is_taken_apart_and_put_together() -> None:
    text = workteam_arn("eu-west-1", "123456789012", "team-a")

    arn = Arn.parse(text)

    assert text == "arn:aws:sagemaker:eu-west-1:123456789012:workteam/private-crowd/team-a"
    assert str(arn) == text
    assert (arn.region, arn.account, arn.resource_type) == ("eu-west-1", "123456789012", "workteam")
    assert arn.resource_name == "team-a"
    assert arn.team_kind is TeamKind.PRIVATE
    assert str(Arn.parse("arn:aws:s3:::bucket")) == "arn:aws:s3:::bucket"


def test_arns_of_other_partitions_start_with_theirs() -> None:
    assert labeling_job_arn("cn-north-1", "1", "a").startswith("arn:aws-cn:sagemaker:")
    assert workforce_arn("us-gov-west-1", "1", "a").startswith("arn:aws-us-gov:sagemaker:")


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("workteam/public-crowd/default", TeamKind.PUBLIC),
        ("workteam/vendor-crowd/abc", TeamKind.VENDOR),
        ("workteam/other-crowd/abc", None),
        ("workteam/team", None),
        ("labeling-job/private-crowd/x", None),
    ],
)
def test_a_teams_kind_is_told_by_its_arn(resource: str, kind: TeamKind | None) -> None:
    assert Arn.parse(f"arn:aws:sagemaker:us-east-1:1:{resource}").team_kind is kind


@pytest.mark.parametrize("text", ["", "arn:aws", "urn:aws:s3:::b", "arn:aws:s3:::", "arn::s3:::b"])
def test_text_that_is_no_arn_is_refused(text: str) -> None:
    with pytest.raises(ArnFormatError, match="is not an ARN"):
        Arn.parse(text)


@pytest.mark.parametrize(
    ("sub_domain", "url"),
    [
        ("abc.labeling.eu-west-1.sagemaker.aws", "https://abc.labeling.eu-west-1.sagemaker.aws"),
        ("localhost:4566", "http://localhost:4566"),
        ("abc.execute-api.localhost:4566", "http://abc.execute-api.localhost:4566"),
        ("localhost.example.com", "https://localhost.example.com"),
        ("127.0.0.1:80", "http://127.0.0.1:80"),
        ("https://portal.example.com/", "https://portal.example.com"),
        ("http://portal.localhost:1", "http://portal.localhost:1"),
    ],
)
def test_the_portals_url_follows_its_host(sub_domain: str, url: str) -> None:
    assert portal_url(sub_domain) == url
