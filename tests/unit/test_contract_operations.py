"""The table of operations, and what only a fake outside world can show of them."""

import json
import logging
from typing import Any

import botocore.session
import pytest

from groundwork.contract import operations
from groundwork.contract.dispatch import Answer, dispatch
from groundwork.contract.engine import Engine
from groundwork.contract.operations import NOT_DONE, OPERATIONS
from groundwork.jobs.model import JobStatus
from groundwork.logs import JsonFormatter
from groundwork.role_client import RoleError
from groundwork.s3_client import S3AccessDeniedError
from lambdas.labeling_api import handler as handler_module
from tests.support.contract_fakes import (
    FakeFiles,
    FakeJobs,
    FakeLoop,
    FakeRegistry,
    context,
    fake_engine,
)
from tests.support.labeling_requests import (
    LABELS,
    LABELS_KEY,
    MANIFEST,
    MANIFEST_KEY,
    TEMPLATE,
    TEMPLATE_KEY,
    labeling_job_request,
)
from tests.support.labeling_service import ACCOUNT, BUCKET, ROLE_ARN

GOOD_FILES = {
    f"s3://{BUCKET}/{MANIFEST_KEY}": MANIFEST,
    f"s3://{BUCKET}/{LABELS_KEY}": LABELS,
    f"s3://{BUCKET}/{TEMPLATE_KEY}": TEMPLATE,
}


def call(engine: Engine, operation: str, request: dict[str, Any]) -> tuple[Answer, dict[str, Any]]:
    body = json.dumps(request).encode()
    answer = dispatch(engine, f"SageMaker.{operation}", body, request_id="request-1")
    return answer, json.loads(answer.body)


def with_files(**changes: bytes) -> Engine:
    files = FakeFiles({**GOOD_FILES, **{f"s3://{BUCKET}/input/{k}": v for k, v in changes.items()}})
    return fake_engine(files_for_role=lambda role_arn, session_name: files)


def test_every_labeling_operation_of_the_sdk_is_done_or_told_why_not() -> None:
    names = botocore.session.get_session().get_service_model("sagemaker").operation_names
    ours = ("Workforce", "Workteam", "LabelingJob", "HumanTaskUi", "UiTemplate", "Tags")

    assert {name for name in names if any(word in name for word in ours)} == {
        *OPERATIONS,
        *NOT_DONE,
    }


def test_the_documented_table_says_what_is_done() -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (operations.__doc__ or "").splitlines()
        if line.startswith("|")
    ][2:]

    def listed(column: int) -> set[str]:
        cells = (name.partition(" ")[0] for row in rows for name in row[column].split(", "))
        return set(cells) - {""}

    assert listed(1) == set(OPERATIONS)
    assert listed(2) == set(NOT_DONE)


def test_a_job_is_kept_as_requested_and_started() -> None:
    jobs, loop = FakeJobs(), FakeLoop()
    engine = fake_engine(
        jobs=jobs, loop=loop, files_for_role=lambda role_arn, session_name: FakeFiles(GOOD_FILES)
    )
    request = labeling_job_request(Tags=[{"Key": "a", "Value": "b"}])

    answer, response = call(engine, "CreateLabelingJob", request)

    job = jobs.get("boxes-1")
    assert answer.status == 200
    assert response == {"LabelingJobArn": job.arn}
    assert job.request == {key: value for key, value in request.items() if key != "Tags"}
    assert (job.status, job.reference_code) == (JobStatus.INITIALIZING, "reference-code")
    assert loop.started == ["boxes-1"]


def test_the_role_is_assumed_under_the_jobs_name() -> None:
    seen = []

    def files_for_role(role_arn: str, session_name: str) -> FakeFiles:
        seen.append((role_arn, session_name))
        return FakeFiles(GOOD_FILES)

    call(
        fake_engine(files_for_role=files_for_role),
        "CreateLabelingJob",
        labeling_job_request(LabelingJobName="n" * 63),
    )

    assert seen == [(ROLE_ARN, "groundwork-" + "n" * 53)]


def test_only_a_role_that_the_caller_may_pass_is_used() -> None:
    """Whoever may call the API could use every role that trusts the engine otherwise."""
    asked = []

    def may_pass(caller_arn: str, role_arn: str) -> bool:
        asked.append((caller_arn, role_arn))
        return caller_arn.endswith("user/ana")

    for user, code in (("ben", "AccessDeniedException"), ("ana", None)):
        jobs = FakeJobs()
        engine = fake_engine(
            jobs=jobs,
            may_pass=may_pass,
            files_for_role=lambda role_arn, session_name: FakeFiles(GOOD_FILES),
        )
        caller = f"arn:aws:iam::{ACCOUNT}:user/{user}"
        body = json.dumps(labeling_job_request()).encode()
        answer = dispatch(
            engine, "SageMaker.CreateLabelingJob", body, request_id="request-1", caller=caller
        )
        told = json.loads(answer.body)
        assert told.get("__type") == code
        assert bool(jobs.kept) is (code is None)
        assert asked.pop() == (caller, ROLE_ARN)
        if code:
            assert f"User: {caller} is not authorized to perform: iam:PassRole" in told["message"]
            assert ROLE_ARN in told["message"]


def test_a_role_that_cannot_be_assumed_is_told_once() -> None:
    class Refusing(FakeFiles):
        def _object(self, uri: object) -> bytes:
            cause = RoleError(f"cannot assume the job's role {ROLE_ARN}: AccessDenied")
            raise S3AccessDeniedError(f"get_object {uri}: {cause}") from cause

    engine = fake_engine(files_for_role=lambda role_arn, session_name: Refusing({}))

    _, response = call(engine, "CreateLabelingJob", labeling_job_request())

    assert response == {
        "__type": "ValidationException",
        "message": "1 validation error detected: "
        f"cannot assume the job's role {ROLE_ARN}: AccessDenied",
    }


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("manifest.jsonl", b"", "manifest.jsonl is empty"),
        ("labels.json", b"{", "labels.json: not JSON"),
        ("template.html", b"\xff", "template.html: not UTF-8 text"),
        ("template.html", b"x" * 1_000_001, "has 1,000,001 bytes; at most 1,000,000 are read"),
    ],
)
def test_a_file_that_cannot_be_used_is_told(name: str, content: bytes, words: str) -> None:
    answer, response = call(
        with_files(**{name: content}), "CreateLabelingJob", labeling_job_request()
    )

    assert answer.status == 400
    assert response["message"].startswith("1 validation error detected: ")
    assert words in response["message"]


def test_the_sub_domain_is_a_bare_host() -> None:
    assert fake_engine().sub_domain == "portal.localhost:4566"
    assert fake_engine(portal_url="portal.example.com").sub_domain == "portal.example.com"


def test_a_failure_of_the_engine_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(FakeRegistry):
        def workteams(self) -> Any:
            raise RuntimeError("the inside of the engine")

    with caplog.at_level(logging.INFO):
        answer, response = call(fake_engine(registry=Broken()), "ListWorkteams", {})

    assert answer.status == 500
    assert answer.headers["x-amzn-errortype"] == "InternalFailure"
    assert answer.headers["x-amzn-requestid"] == "request-1"
    assert response["__type"] == "InternalFailure"
    assert "request-1" in response["message"]
    assert "inside" not in response["message"]
    (line,) = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    assert line["outcome"] == "InternalFailure"
    assert line["level"] == "ERROR"
    assert "RuntimeError: the inside of the engine" in line["trace"]


def test_a_request_leaves_one_line_without_its_content(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        call(fake_engine(), "DescribeWorkteam", {"WorkteamName": "confidential"})

    (line,) = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    assert (
        line.items()
        >= {
            "event": "API request",
            "operation": "DescribeWorkteam",
            "outcome": "ValidationException",
        }.items()
    )
    assert "confidential" not in str(line)


@pytest.mark.parametrize("encoded", [True, False])
def test_the_handler_takes_a_function_urls_event(
    monkeypatch: pytest.MonkeyPatch, encoded: bool
) -> None:
    monkeypatch.setattr(handler_module, "_engine", lambda account: fake_engine(account=account))
    event = {
        "version": "2.0",
        "headers": {"X-Amz-Target": "SageMaker.ListSubscribedWorkteams"},
        "body": "e30=" if encoded else "{}",
        "isBase64Encoded": encoded,
    }

    answer = handler_module.handler(event, context("request-2"))

    assert answer == {
        "statusCode": 200,
        "headers": {
            "content-type": "application/x-amz-json-1.1",
            "x-amzn-requestid": "request-2",
        },
        "body": '{"SubscribedWorkteams": []}',
        "isBase64Encoded": False,
    }


def test_an_event_without_target_and_body_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handler_module, "_engine", lambda account: fake_engine(account=account))

    answer = handler_module.handler({}, context())

    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["__type"] == "UnknownOperationException"


@pytest.mark.parametrize(
    "body",
    [b"[" * 5_000, b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", b'{"a": 1e999}', b"\xff"],
)
def test_a_body_that_is_no_json_or_too_much_of_it_is_refused(body: bytes) -> None:
    answer = dispatch(fake_engine(), "SageMaker.ListWorkteams", body, request_id="request-1")

    assert answer.status == 400
    assert json.loads(answer.body)["__type"] == "SerializationException"
