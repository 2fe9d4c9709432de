"""The rules of CreateLabelingJob, one by one."""

from typing import Any

import pytest

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    algorithm_arn,
    consolidation_lambda_arn,
    human_task_ui_arn,
    pre_lambda_arn,
)
from groundwork.contract.rules import (
    OPEN_ENGINE_TASKS,
    labeling_job_problems,
    open_engine_problems,
    task_of,
)
from groundwork.contract.service_model import validate
from tests.support.labeling_requests import labeling_job_request, with_human_task
from tests.support.labeling_service import ACCOUNT, REGION

OWN_FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:my-function"
VENDOR_ARN = f"arn:aws:sagemaker:{REGION}:111111111111:workteam/vendor-crowd/abc"


def problems(request: dict[str, Any], region: str = REGION) -> list[str]:
    assert validate("CreateLabelingJob", request) == []
    return labeling_job_problems(request, region=region, account=ACCOUNT)


def with_page_of_service(request: dict[str, Any], task_key: str) -> dict[str, Any]:
    arn = human_task_ui_arn(REGION, BUILTIN_TASKS[task_key])
    if arn is None:
        return request
    return with_human_task(request, UiConfig={"HumanTaskUiArn": arn})


@pytest.mark.parametrize("task_key", BUILTIN_TASKS)
def test_a_right_request_for_any_built_in_task_has_no_problems(task_key: str) -> None:
    request = with_page_of_service(labeling_job_request(task_key), task_key)

    assert task_of(request) == BUILTIN_TASKS[task_key]
    assert problems(request) == []


def test_a_custom_job_needs_no_functions_and_no_labels() -> None:
    request = with_human_task(
        labeling_job_request(), PreHumanTaskLambdaArn=None, AnnotationConsolidationConfig=None
    )
    del request["LabelCategoryConfigS3Uri"]

    assert task_of(request) is None
    assert problems(request) == []
    assert open_engine_problems(request) == []


def test_own_functions_make_a_custom_job() -> None:
    request = with_human_task(
        labeling_job_request(),
        PreHumanTaskLambdaArn=OWN_FUNCTION,
        AnnotationConsolidationConfig={"AnnotationConsolidationLambdaArn": OWN_FUNCTION},
    )

    assert task_of(request) is None
    assert problems(request) == []
    assert open_engine_problems(request) == []


@pytest.mark.parametrize(
    ("task_key", "name", "words"),
    [
        ("BoundingBox", "boxes-metadata", "must not end in -metadata"),
        ("BoundingBox", "source", "is reserved"),
        ("BoundingBox", "source-ref", "is reserved"),
        ("BoundingBox", "boxes-ref", "must not end in -ref for task type BoundingBox"),
        ("SemanticSegmentation", "masks", "has to end in -ref"),
        ("VerificationSemanticSegmentation", "checked-ref", "must not end in -ref"),
        ("3DPointCloudObjectDetection", "cuboids-ref", "must not end in -ref"),
        ("3DPointCloudObjectTracking", "tracks", "has to end in -ref"),
        ("AdjustmentVideoObjectTracking", "tracks", "has to end in -ref"),
    ],
)
def test_the_label_attributes_name_follows_the_task(task_key: str, name: str, words: str) -> None:
    request = labeling_job_request(task_key, LabelAttributeName=name)

    (problem,) = problems(with_page_of_service(request, task_key))

    assert words in problem
    assert repr(name) in problem


def test_a_custom_jobs_label_attribute_has_no_ref() -> None:
    request = with_human_task(
        labeling_job_request(LabelAttributeName="boxes-ref"),
        PreHumanTaskLambdaArn=None,
        AnnotationConsolidationConfig=None,
    )

    assert problems(request) == [
        "LabelAttributeName 'boxes-ref' must not end in -ref for a custom task"
    ]


def test_both_functions_have_to_be_of_the_same_task() -> None:
    other = consolidation_lambda_arn(REGION, BUILTIN_TASKS["ImageMultiClass"])
    request = with_human_task(
        labeling_job_request(),
        AnnotationConsolidationConfig={"AnnotationConsolidationLambdaArn": other},
    )

    (problem,) = problems(request)

    assert "PreHumanTaskLambdaArn is for BoundingBox" in problem
    assert "AnnotationConsolidationLambdaArn is for ImageMultiClass" in problem


def test_a_built_in_task_needs_both_functions() -> None:
    request = with_human_task(labeling_job_request(), AnnotationConsolidationConfig=None)

    (problem,) = problems(request)

    assert "needs both PRE-BoundingBox and ACS-BoundingBox" in problem


def test_a_built_in_function_goes_with_ones_own() -> None:
    request = with_human_task(
        labeling_job_request(),
        AnnotationConsolidationConfig={"AnnotationConsolidationLambdaArn": OWN_FUNCTION},
    )

    assert problems(request) == []


def test_ones_own_consolidation_makes_a_custom_job_of_any_input() -> None:
    own = {"AnnotationConsolidationLambdaArn": OWN_FUNCTION}
    boxes = with_human_task(labeling_job_request(), AnnotationConsolidationConfig=own)
    through = with_human_task(
        labeling_job_request("PassThrough"), AnnotationConsolidationConfig=own
    )

    assert task_of(boxes) is None
    assert open_engine_problems(boxes) == []
    assert task_of(through) is None
    (problem,) = open_engine_problems(through)
    assert "task type PassThrough" in problem


def test_functions_have_to_be_of_the_jobs_region_and_its_account() -> None:
    task = BUILTIN_TASKS["BoundingBox"]
    request = with_human_task(
        labeling_job_request(),
        PreHumanTaskLambdaArn=pre_lambda_arn("eu-west-1", task),
        AnnotationConsolidationConfig={
            "AnnotationConsolidationLambdaArn": consolidation_lambda_arn("eu-west-1", task)
        },
    )

    found = problems(request)

    assert len(found) == 4
    assert any("is in eu-west-1; the job runs in us-east-1" in text for text in found)
    assert any(
        "568282634449 has no built-in functions in us-east-1; there it is 432418664414" in text
        for text in found
    )


def test_a_foreign_account_with_a_built_in_functions_name_is_told_the_right_one() -> None:
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:PRE-BoundingBox"
    request = with_human_task(labeling_job_request(), PreHumanTaskLambdaArn=arn)

    (problem,) = [text for text in problems(request) if arn in text]

    assert "there it is 432418664414" in problem


@pytest.mark.parametrize(
    ("function", "words"),
    [("PRE-Boxes", "there is no built-in task type 'Boxes'"), ("ACS-BoundingBox", "a PRE- func")],
)
def test_a_function_has_to_exist_and_be_of_the_right_kind(function: str, words: str) -> None:
    arn = f"arn:aws:lambda:{REGION}:432418664414:function:{function}"

    found = problems(with_human_task(labeling_job_request(), PreHumanTaskLambdaArn=arn))

    assert any(words in text for text in found)


def test_a_region_without_ground_truth_has_functions_of_one_account() -> None:
    task = BUILTIN_TASKS["BoundingBox"]
    request = with_human_task(
        labeling_job_request(),
        PreHumanTaskLambdaArn=pre_lambda_arn("eu-north-1", task),
        AnnotationConsolidationConfig={
            "AnnotationConsolidationLambdaArn": consolidation_lambda_arn("eu-north-1", task)
        },
        WorkteamArn=f"arn:aws:sagemaker:eu-north-1:{ACCOUNT}:workteam/private-crowd/a",
    )

    assert problems(request, "eu-north-1") == []


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ({}, "UiConfig is empty"),
        (
            {
                "UiTemplateS3Uri": "s3://b/t.html",
                "HumanTaskUiArn": f"arn:aws:sagemaker:{REGION}:394669845002:human-task-ui/A",
            },
            "both UiTemplateS3Uri and HumanTaskUiArn",
        ),
        ({"UiTemplateS3Uri": "s3://b/templates/"}, "names a bucket or folder"),
        ({"UiTemplateS3Uri": "https://b/t.html"}, "write s3://<bucket>/<key>"),
        (
            {"HumanTaskUiArn": f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:human-task-ui/mine"},
            "the service's pages are in account 394669845002",
        ),
        (
            {
                "HumanTaskUiArn": f"arn:aws:sagemaker:{REGION}:394669845002:"
                "human-task-ui/VideoObjectTracking"
            },
            "task type BoundingBox has none; give UiTemplateS3Uri",
        ),
    ],
)
def test_a_job_has_one_worker_page_that_fits(page: dict[str, str], words: str) -> None:
    (problem,) = problems(with_human_task(labeling_job_request(), UiConfig=page))

    assert words in problem


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("human-task-ui/3DPointCloudObjectTracking", "without a leading 3D"),
        ("human-task-ui/VideoObjectTracking", "is for VideoObjectTracking; task type 3DPoint"),
    ],
)
def test_a_page_of_the_service_has_to_be_the_tasks_own(page: str, words: str) -> None:
    arn = f"arn:aws:sagemaker:{REGION}:394669845002:{page}"
    request = labeling_job_request("3DPointCloudObjectTracking")

    (problem,) = problems(with_human_task(request, UiConfig={"HumanTaskUiArn": arn}))

    assert words in problem


def test_a_task_with_a_page_of_the_service_takes_no_template() -> None:
    (problem,) = problems(labeling_job_request("NamedEntityRecognition"))

    assert "394669845002:human-task-ui/NamedEntityRecognition, not a template" in problem


def test_a_built_in_task_needs_its_labels() -> None:
    request = labeling_job_request()
    del request["LabelCategoryConfigS3Uri"]

    assert problems(request) == [
        "LabelCategoryConfigS3Uri is missing; task type BoundingBox needs its labels"
    ]


def test_the_role_and_a_private_team_are_of_the_jobs_account() -> None:
    request = with_human_task(
        labeling_job_request(RoleArn="arn:aws:iam::123456789012:role/r"),
        WorkteamArn="arn:aws:sagemaker:eu-west-1:123456789012:workteam/private-crowd/a",
    )

    found = problems(request)

    assert len(found) == 3
    assert "RoleArn arn:aws:iam::123456789012:role/r is in account 123456789012" in found[0]
    assert "a private work team has to be in the job's, 000000000000" in found[1]
    assert "is in eu-west-1; the job runs in us-east-1" in found[2]


def test_the_public_team_is_refused_because_mechanical_turk_is_closed() -> None:
    arn = f"arn:aws:sagemaker:{REGION}:394669845002:workteam/public-crowd/default"
    request = with_human_task(
        labeling_job_request(),
        WorkteamArn=arn,
        PublicWorkforceTaskPrice={"AmountInUsd": {"Cents": 36}},
    )

    (problem,) = problems(request)

    assert arn in problem
    assert "Mechanical Turk, which closed on 30 September 2026" in problem


def test_a_price_is_for_the_public_team_only() -> None:
    request = with_human_task(
        labeling_job_request(), PublicWorkforceTaskPrice={"AmountInUsd": {"Cents": 36}}
    )

    assert problems(request) == [
        "HumanTaskConfig.PublicWorkforceTaskPrice is for the public work team only"
    ]


def test_a_work_team_is_of_a_known_kind() -> None:
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/team-a"

    (problem,) = problems(with_human_task(labeling_job_request(), WorkteamArn=arn))

    assert "expected workteam/<private-crowd, public-crowd, vendor-crowd>/<name>" in problem


def test_a_vendors_team_is_for_ground_truth_only() -> None:
    request = with_human_task(labeling_job_request(), WorkteamArn=VENDOR_ARN)

    assert problems(request) == []
    (problem,) = open_engine_problems(request)
    assert VENDOR_ARN in problem
    assert "vendors' people work in Ground Truth only" in problem


@pytest.mark.parametrize("title", ["two\nlines", "  "])
def test_a_title_is_one_line(title: str) -> None:
    (problem,) = problems(with_human_task(labeling_job_request(), TaskTitle=title))

    assert "has to be a single line" in problem


def test_time_limits_follow_the_task() -> None:
    day = 24 * 3600
    cuboids = with_page_of_service(
        labeling_job_request("3DPointCloudObjectDetection"), "3DPointCloudObjectDetection"
    )

    assert problems(with_human_task(labeling_job_request(), TaskTimeLimitInSeconds=28_800)) == []
    assert problems(with_human_task(cuboids, TaskTimeLimitInSeconds=30 * day)) == []
    assert problems(with_human_task(labeling_job_request(), TaskTimeLimitInSeconds=28_801)) == [
        "HumanTaskConfig.TaskTimeLimitInSeconds is 28801; task type BoundingBox takes at most 28800"
    ]
    (problem,) = problems(
        with_human_task(labeling_job_request(), TaskAvailabilityLifetimeInSeconds=31 * day)
    )
    assert "at most 2592000 (30 days)" in problem


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("s3://[/out", "no bucket is named '['"),
        ("s3://bucket/" + "k" * 1_010, None),
        ("s3://bucket/#1?.jsonl", None),
    ],
)
def test_any_address_that_the_service_model_takes_is_judged(uri: str, problem: str | None) -> None:
    found = problems(
        labeling_job_request(
            InputConfig={"DataSource": {"S3DataSource": {"ManifestS3Uri": uri}}},
            OutputConfig={"S3OutputPath": uri},
        )
    )

    assert len(found) == (0 if problem is None else 2)
    assert all(str(problem) in text for text in found)


def test_a_job_has_an_input_and_an_output() -> None:
    request = labeling_job_request(
        InputConfig={"DataSource": {}}, OutputConfig={"S3OutputPath": "https://bucket/output"}
    )

    found = problems(request)

    assert found == [
        "InputConfig.DataSource is empty: give S3DataSource (a manifest) or SnsDataSource",
        "OutputConfig.S3OutputPath is not an S3 URI: 'https://bucket/output'; "
        "write s3://<bucket>/<key>",
    ]


@pytest.mark.parametrize("task_key", [key for key, task in BUILTIN_TASKS.items() if task.algorithm])
def test_automated_labeling_takes_the_tasks_own_algorithm(task_key: str) -> None:
    arn = algorithm_arn(REGION, BUILTIN_TASKS[task_key])
    config = {"LabelingJobAlgorithmSpecificationArn": arn}
    request = labeling_job_request(task_key, LabelingJobAlgorithmsConfig=config)

    assert problems(request) == []
    assert (open_engine_problems(request) == []) == (task_key in OPEN_ENGINE_TASKS)


def test_tags_about_automated_labeling_are_checked_together() -> None:
    arn = algorithm_arn(REGION, BUILTIN_TASKS["BoundingBox"])
    tags = {
        "groundwork:auto-labeling-target": "60 %",
        "groundwork:auto-labeling-sample-percentage": "51",
        "groundwork:auto-labeling-goal": "0.6",
        "team": "cats",
    }
    request = labeling_job_request(
        LabelingJobAlgorithmsConfig={"LabelingJobAlgorithmSpecificationArn": arn},
        Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
    )

    unknown, target, percentage = open_engine_problems(request)

    assert "'groundwork:auto-labeling-goal' is none of" in unknown
    assert "'60 %'; a number above 0, at most 1 is expected" in target
    assert "'51'; a number from 0 to 50 is expected" in percentage


@pytest.mark.parametrize("value", ["0", "-0.1", "1.01", "nan", "inf", ""])
def test_a_target_is_a_share(value: str) -> None:
    arn = algorithm_arn(REGION, BUILTIN_TASKS["BoundingBox"])
    request = labeling_job_request(
        LabelingJobAlgorithmsConfig={"LabelingJobAlgorithmSpecificationArn": arn},
        Tags=[{"Key": "groundwork:auto-labeling-target", "Value": value}],
    )

    assert len(open_engine_problems(request)) == 1


def test_tags_without_automated_labeling_mean_a_mistake() -> None:
    request = labeling_job_request(
        Tags=[{"Key": "groundwork:auto-labeling-target", "Value": "0.7"}]
    )

    (problem,) = open_engine_problems(request)

    assert "does not ask for automated labeling; add LabelingJobAlgorithmsConfig" in problem


def test_a_key_or_a_network_for_training_is_refused_rather_than_ignored() -> None:
    config = {
        "LabelingJobAlgorithmSpecificationArn": algorithm_arn(REGION, BUILTIN_TASKS["BoundingBox"]),
        "LabelingJobResourceConfig": {"VolumeKmsKeyId": "key"},
    }

    (problem,) = open_engine_problems(labeling_job_request(LabelingJobAlgorithmsConfig=config))

    assert "LabelingJobResourceConfig: the open engine learns in its own functions" in problem


def test_a_wrong_algorithm_is_told_the_right_one() -> None:
    arn = algorithm_arn(REGION, BUILTIN_TASKS["ImageMultiClass"])
    config = {"LabelingJobAlgorithmSpecificationArn": arn}

    (problem,) = problems(labeling_job_request(LabelingJobAlgorithmsConfig=config))

    assert f"takes {algorithm_arn(REGION, BUILTIN_TASKS['BoundingBox'])} " in problem


def test_a_task_without_an_algorithm_is_not_automated() -> None:
    config = {"LabelingJobAlgorithmSpecificationArn": "arn:aws:sagemaker:us-east-1:1:x"}
    request = labeling_job_request("VideoMultiClass", LabelingJobAlgorithmsConfig=config)

    (problem,) = problems(request)

    assert "task type VideoMultiClass cannot be labeled automatically" in problem
    assert "BoundingBox" in problem


def test_streaming_is_neither_automated_nor_in_the_open_engine() -> None:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:images"
    arn = algorithm_arn(REGION, BUILTIN_TASKS["BoundingBox"])
    request = labeling_job_request(
        InputConfig={"DataSource": {"SnsDataSource": {"SnsTopicArn": topic}}},
        OutputConfig={"S3OutputPath": "s3://bucket/output", "SnsTopicArn": topic},
    )
    automated = {
        **request,
        "LabelingJobAlgorithmsConfig": {"LabelingJobAlgorithmSpecificationArn": arn},
    }

    assert problems(request) == []
    assert [text.partition(":")[0] for text in open_engine_problems(request)] == [
        "InputConfig.DataSource.SnsDataSource",
        "OutputConfig.SnsTopicArn",
    ]
    assert problems(automated) == [
        "LabelingJobAlgorithmsConfig: a streaming job cannot be labeled automatically"
    ]


@pytest.mark.parametrize("task_key", BUILTIN_TASKS)
def test_the_open_engine_tells_which_tasks_it_has(task_key: str) -> None:
    request = with_page_of_service(labeling_job_request(task_key), task_key)

    found = open_engine_problems(request)

    if task_key in OPEN_ENGINE_TASKS:
        assert found == []
    else:
        (problem,) = found
        assert f"task type {task_key}" in problem
        assert "BoundingBox, ImageMultiClass and custom tasks" in problem
