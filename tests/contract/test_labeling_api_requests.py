"""The protocol: what is refused before any operation looks at it."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.labeling_service import LabelingService


def post(service: LabelingService, target: str, body: bytes) -> tuple[int, Any, dict[str, Any]]:
    request = urllib.request.Request(
        service.api_url, data=body, headers={"X-Amz-Target": target}, method="POST"
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.load(error)


def test_every_answer_has_a_request_id(labeling: Any) -> None:
    metadata = labeling.list_workteams()["ResponseMetadata"]

    assert metadata["HTTPStatusCode"] == 200
    assert metadata["RequestId"]


def test_all_problems_of_a_request_are_told_at_once(service: LabelingService) -> None:
    body = json.dumps({"WorkteamName": "-bad-", "MemberDefinitions": [], "Description": ""})

    status, headers, answer = post(service, "SageMaker.CreateWorkteam", body.encode())

    assert status == 400
    assert headers["x-amzn-errortype"] == "ValidationException"
    assert headers["content-type"] == "application/x-amz-json-1.1"
    assert answer["__type"] == "ValidationException"
    assert answer["message"].startswith("4 validation errors detected: ")
    assert (
        "Value '-bad-' at 'workteamName' failed to satisfy constraint: Member must satisfy regular "
        "expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    ) in answer["message"]
    assert "Value '[]' at 'memberDefinitions'" in answer["message"]
    assert "Value '' at 'description'" in answer["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff", b'{"WorkteamName": "\\ud800"}'])
def test_what_is_no_json_object_is_a_serialization_exception(
    service: LabelingService, body: bytes
) -> None:
    status, _, answer = post(service, "SageMaker.DescribeWorkteam", body)

    assert (status, answer["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize("target", ["", "SageMaker.Nonsense", "Other.ListWorkteams"])
def test_an_unknown_target_is_told(service: LabelingService, target: str) -> None:
    status, _, answer = post(service, target, b"{}")

    assert (status, answer["__type"]) == (400, "UnknownOperationException")
    assert repr(target) in answer["message"]


def test_an_operation_of_sagemaker_that_the_engine_lacks_is_told(labeling: Any) -> None:
    with pytest.raises(ClientError) as error:
        labeling.list_training_jobs()
    assert error.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "labeling operations only" in error.value.response["Error"]["Message"]

    with pytest.raises(ClientError, match="Amazon A2I"):
        labeling.create_human_task_ui(HumanTaskUiName="a", UiTemplate={"Content": "b"})


def test_a_value_of_the_wrong_type_is_a_validation_exception(service: LabelingService) -> None:
    _, _, answer = post(service, "SageMaker.ListWorkteams", b'{"MaxResults": "5", "NextToken": 1}')

    assert answer["message"].startswith("2 validation errors detected: ")
    assert "Value '5' at 'maxResults'" in answer["message"]
