"""Requests to the labeling API: every one is answered, or refused with what is wrong."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwork.contract.dispatch import dispatch
from groundwork.contract.operations import NOT_DONE, OPERATIONS
from groundwork.contract.registry_store import RegistryStore
from groundwork.jobs.job_store import JobStore
from tests.support.contract_fakes import FakeFiles, fake_engine
from tests.support.fuzzing import ODD_TEXTS, hostile, hostile_json, hostile_slowly
from tests.support.job_fakes import MemoryTable
from tests.support.labeling_requests import (
    LABELS,
    LABELS_KEY,
    MANIFEST,
    MANIFEST_KEY,
    TEAM_ARN,
    TEMPLATE,
    TEMPLATE_KEY,
    labeling_job_request,
)
from tests.support.labeling_service import BUCKET, ROLE_ARN

FILES = {
    f"s3://{BUCKET}/{MANIFEST_KEY}": MANIFEST,
    f"s3://{BUCKET}/{LABELS_KEY}": LABELS,
    f"s3://{BUCKET}/{TEMPLATE_KEY}": TEMPLATE,
}
JOBS = [
    labeling_job_request(),
    labeling_job_request(
        "ImageMultiClass",
        Tags=[{"Key": "a", "Value": "b"}],
        StoppingConditions={"MaxHumanLabeledObjectCount": 5},
    ),
]
TEAM = {
    "WorkteamName": "team-b",
    "WorkforceName": "default",
    "Description": "who labels",
    "MemberDefinitions": [
        {
            "CognitoMemberDefinition": {
                "UserPool": "us-east-1_pool",
                "UserGroup": "labelers",
                "ClientId": "client",
            }
        }
    ],
    "NotificationConfiguration": {
        "NotificationTopicArn": "arn:aws:sns:us-east-1:123456789012:topic"
    },
    "Tags": [{"Key": "a", "Value": "b"}],
}
WORKFORCE = {
    "WorkforceName": "default",
    "CognitoConfig": {"UserPool": "us-east-1_pool", "ClientId": "client"},
    "SourceIpConfig": {"Cidrs": ["0.0.0.0/0"]},
    "Tags": [{"Key": "a", "Value": "b"}],
}
TEAM_A = {**TEAM, "WorkteamName": "team-a"}
PAGE = {"MaxResults": 1, "SortBy": "Name", "SortOrder": "Descending", "NextToken": "WyJhIl0="}
REQUESTS: dict[str, list[Any]] = {
    "CreateWorkforce": [WORKFORCE],
    "DescribeWorkforce": [{"WorkforceName": "default"}],
    "ListWorkforces": [PAGE, {"NameContains": "d"}],
    "UpdateWorkforce": [WORKFORCE, {"WorkforceName": "default"}],
    "DeleteWorkforce": [{"WorkforceName": "default"}],
    "CreateWorkteam": [TEAM],
    "DescribeWorkteam": [{"WorkteamName": "team-a"}],
    "ListWorkteams": [PAGE, {"NameContains": "a"}],
    "UpdateWorkteam": [TEAM_A, {"WorkteamName": "team-a", "Description": "new"}],
    "DeleteWorkteam": [{"WorkteamName": "team-a"}],
    "ListSubscribedWorkteams": [{"NameContains": "a", "MaxResults": 3}],
    "CreateLabelingJob": JOBS,
    "DescribeLabelingJob": [{"LabelingJobName": "Boxes-0"}],
    "ListLabelingJobs": [
        PAGE,
        {"CreationTimeAfter": 1_700_000_000, "StatusEquals": "Completed", "NameContains": "x"},
    ],
    "ListLabelingJobsForWorkteam": [{"WorkteamArn": TEAM_ARN, "JobReferenceCodeContains": "a"}],
    "StopLabelingJob": [{"LabelingJobName": "boxes-0"}],
    "AddTags": [{"ResourceArn": TEAM_ARN, "Tags": [{"Key": "a", "Value": "b"}]}],
    "ListTags": [{"ResourceArn": TEAM_ARN, "MaxResults": 60, "NextToken": "e30="}],
    "DeleteTags": [{"ResourceArn": TEAM_ARN, "TagKeys": ["a"]}],
    "RenderUiTemplate": [
        {
            "RoleArn": ROLE_ARN,
            "Task": {"Input": '{"taskObject": "s3://b/a.jpg", "labels": ["a"]}'},
            "UiTemplate": {"Content": TEMPLATE.decode()},
        }
    ],
}


class Loop:
    """Starts and stops nothing."""

    def start(self, job_name: str) -> None: ...

    def wake(self, token: str, outcome: dict[str, Any]) -> None: ...


def populated() -> MemoryTable:
    """Return a table with a workforce, a team and a job."""
    table = MemoryTable()
    for operation, request in (
        ("CreateWorkforce", {k: v for k, v in WORKFORCE.items() if k != "SourceIpConfig"}),
        ("CreateWorkteam", TEAM_A),
        ("CreateLabelingJob", labeling_job_request(LabelingJobName="boxes-0")),
    ):
        status, answer = ask(f"SageMaker.{operation}", json.dumps(request).encode(), table)
        assert status == 200, answer
    return table


def ask(target: str, body: bytes, table: MemoryTable) -> tuple[int, dict[str, Any]]:
    engine = fake_engine(
        registry=RegistryStore(table),
        jobs=JobStore(table),
        loop=Loop(),
        files_for_role=lambda role_arn, session_name: FakeFiles(FILES),
    )
    answer = dispatch(engine, target, body, request_id="request-1")
    return answer.status, json.loads(answer.body)


def check(status: int, answer: dict[str, Any]) -> None:
    assert status < 500, answer
    if status >= 400:
        assert answer["__type"]
        assert answer["message"]
        assert len(answer["message"]) < 100_000


@pytest.mark.parametrize("operation", REQUESTS)
def test_a_request_that_is_wrong_in_places_is_refused_for_what_is_wrong(operation: str) -> None:
    before = populated().items

    @hostile_slowly
    @given(hostile_json(REQUESTS[operation]))
    def ask_hostile(body: bytes) -> None:
        table = MemoryTable()
        for key, item in before.items():
            table.items[key] = item
        check(*ask(f"SageMaker.{operation}", body, table))

    ask_hostile()


def test_each_operation_is_asked() -> None:
    assert set(REQUESTS) == set(OPERATIONS)


@hostile
@given(
    st.one_of(
        st.sampled_from(sorted(OPERATIONS)),
        st.sampled_from(sorted(NOT_DONE)),
        st.sampled_from(ODD_TEXTS),
        st.text(max_size=40),
    ),
    st.sampled_from(["SageMaker.", "", "sagemaker.", "DynamoDB_20120810."]),
    st.one_of(st.binary(max_size=40), hostile_json([{}, [], "x", {"MaxResults": 3}])),
)
def test_any_target_and_body_is_answered(operation: str, prefix: str, body: bytes) -> None:
    check(*ask(prefix + operation, body, MemoryTable()))
