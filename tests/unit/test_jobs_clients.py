"""What the engine says to Step Functions, Lambda, EventBridge and SNS."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from groundwork.contract.registry import Workteam, WorkteamNotFoundError
from groundwork.contract.registry_store import RegistryStore
from groundwork.jobs.errors import JobExistsError
from groundwork.jobs.function_client import FunctionClient, FunctionError, FunctionRaisedError
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import Job, JobStatus
from groundwork.jobs.notice_client import NoticeClient, NoticeError
from tests.support.job_fakes import TEAM, MemoryTable, Workshop, job_request, refusal

MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:loop"
JOB = Job(
    name="birds",
    arn="arn:aws:sagemaker:us-east-1:111122223333:labeling-job/birds",
    status=JobStatus.COMPLETED,
    created_at=datetime(2026, 3, 1, tzinfo=UTC),
    modified_at=datetime(2026, 3, 1, tzinfo=UTC),
    request=job_request(name="birds"),
    reference_code="reference",
)


class Recorder:
    """Any boto3 client: remembers calls, answers or refuses as told."""

    def __init__(self, answer: Any = None, refuses: Exception | None = None) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answer = answer
        self._refuses = refuses

    def __getattr__(self, operation: str) -> Any:
        def call(**parameters: Any) -> Any:
            self.calls.append((operation, parameters))
            if self._refuses:
                raise self._refuses
            return self._answer

        return call


def test_a_loop_is_started_under_the_jobs_name() -> None:
    states = Recorder()
    LoopClient(MACHINE, states).start("birds")
    assert states.calls == [
        (
            "start_execution",
            {
                "stateMachineArn": MACHINE,
                "name": "birds",
                "input": '{"job": "birds", "iteration": 0}',
            },
        )
    ]


def test_a_loop_that_runs_already_is_not_started_again() -> None:
    LoopClient(MACHINE, Recorder(refuses=refusal("ExecutionAlreadyExists", "x"))).start("birds")
    with pytest.raises(Exception, match="StateMachineDoesNotExist"):
        LoopClient(MACHINE, Recorder(refuses=refusal("StateMachineDoesNotExist", "x"))).start("b")


def test_waking_somebody_who_is_awake_is_fine() -> None:
    states = Recorder()
    LoopClient(MACHINE, states).wake("token", {"outcome": "closed"})
    assert states.calls == [
        ("send_task_success", {"taskToken": "token", "output": '{"outcome": "closed"}'})
    ]
    for gone in ("TaskTimedOut", "TaskDoesNotExist", "InvalidToken"):
        LoopClient(MACHINE, Recorder(refuses=refusal(gone, "x"))).wake("token", {})
    with pytest.raises(Exception, match="AccessDeniedException"):
        LoopClient(MACHINE, Recorder(refuses=refusal("AccessDeniedException", "x"))).wake("t", {})


def test_a_function_is_called_and_its_answer_read() -> None:
    lambdas = Recorder({"Payload": io.BytesIO(b'{"taskInput": 1}')})
    assert FunctionClient(lambdas).invoke("arn", {"a": 1}) == {"taskInput": 1}
    assert lambdas.calls == [
        (
            "invoke",
            {
                "FunctionName": "arn",
                "InvocationType": "RequestResponse",
                "Payload": b'{"a": 1}',
            },
        )
    ]


@pytest.mark.parametrize(
    ("answer", "expected", "text"),
    [
        (
            {
                "FunctionError": "Unhandled",
                "Payload": io.BytesIO(b'{"errorType": "KeyError", "errorMessage": "\'x\'"}'),
            },
            FunctionRaisedError,
            "arn failed: KeyError: 'x'",
        ),
        (
            {"FunctionError": "Unhandled", "Payload": io.BytesIO(b"Task timed out")},
            FunctionRaisedError,
            "arn failed: Task timed out",
        ),
        ({"Payload": io.BytesIO(b"<html>")}, FunctionRaisedError, "arn answered no JSON"),
    ],
)
def test_a_function_that_fails_is_told_with_its_own_words(
    answer: Any, expected: type[Exception], text: str
) -> None:
    with pytest.raises(expected, match=text):
        FunctionClient(Recorder(answer)).invoke("arn", {})


def test_a_function_that_cannot_be_called_is_another_matter() -> None:
    with pytest.raises(FunctionError, match="TooManyRequestsException") as told:
        FunctionClient(Recorder(refuses=refusal("TooManyRequestsException", "Invoke"))).invoke(
            "arn", {}
        )
    assert not isinstance(told.value, FunctionRaisedError)


class Registry:
    """The registry with one team, or none."""

    def __init__(self, topic: str | None = "topic", *, gone: bool = False) -> None:
        self._topic = topic
        self._gone = gone

    def workteam(self, name: str) -> Workteam:
        if self._gone:
            raise WorkteamNotFoundError(name)
        assert name == "labelers"
        now = datetime(2026, 3, 1, tzinfo=UTC)
        return Workteam(name, TEAM, "people", ("group",), "default", now, now, self._topic)


def notices(registry: Registry, events: Recorder, sns: Recorder) -> NoticeClient:
    return NoticeClient(registry, "portal.example.com", events, sns)  # type: ignore[arg-type]


def test_the_end_of_a_job_is_an_event_and_a_notice() -> None:
    events, sns = Recorder({"FailedEntryCount": 0}), Recorder({})
    notices(Registry(), events, sns).job_ended(JOB)
    assert events.calls == [
        (
            "put_events",
            {
                "Entries": [
                    {
                        "Source": "groundwork.labeling",
                        "DetailType": "SageMaker Ground Truth Labeling Job State Change",
                        "Resources": [JOB.arn],
                        "Detail": '{"LabelingJobStatus": "Completed"}',
                    }
                ]
            },
        )
    ]
    ((operation, message),) = sns.calls
    assert operation == "publish"
    assert message["TopicArn"] == "topic"
    assert message["Subject"] == "Labeling work ended: Find the animals"
    assert "birds is complete" in message["Message"]


def test_new_work_is_told_to_the_team_with_the_portals_address() -> None:
    events, sns = Recorder(), Recorder({})
    title = "동물 찾기\n" + "x" * 200
    job = replace(
        JOB, request={**JOB.request, "HumanTaskConfig": {**JOB.human_task, "TaskTitle": title}}
    )
    notices(Registry(), events, sns).work_available(job)
    ((_, message),) = sns.calls
    assert message["Subject"].startswith("New labeling work: 동물 찾기x")
    assert len(message["Subject"]) < 100
    assert "https://portal.example.com" in message["Message"]
    assert events.calls == []


@pytest.mark.parametrize("registry", [Registry(None), Registry(gone=True)])
def test_a_team_without_a_topic_hears_nothing(registry: Registry) -> None:
    sns = Recorder({})
    notices(registry, Recorder({}), sns).job_ended(JOB)
    assert sns.calls == []


def test_a_topic_that_is_gone_does_not_hold_the_job_up() -> None:
    sns = Recorder(refuses=refusal("NotFound", "Publish"))
    notices(Registry(), Recorder({}), sns).job_ended(JOB)
    assert len(sns.calls) == 1


def test_clients_are_made_for_who_has_something_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def client(service: str, **_: Any) -> Recorder:
        made.append(service)
        return Recorder({"FailedEntryCount": 0})

    monkeypatch.setattr(boto3, "client", client)
    monkeypatch.setattr(RegistryStore, "from_environment", Registry)
    monkeypatch.setenv("PORTAL_URL", "portal.example.com")
    notices = NoticeClient.from_environment()
    assert made == []
    for _ in range(2):
        notices.work_available(JOB)
    assert made == ["sns"]
    for _ in range(2):
        notices.job_ended(JOB)
    assert made == ["sns", "events"]


def test_an_event_that_is_refused_is_tried_again_by_the_step() -> None:
    events = Recorder({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure"}]})
    with pytest.raises(NoticeError, match="InternalFailure"):
        notices(Registry(), events, Recorder({})).job_ended(JOB)


def test_a_job_comes_out_of_the_table_as_it_went_in() -> None:
    store = JobStore(MemoryTable())
    job = replace(JOB, request={**JOB.request, "odd": [1.5, {"x": None}]}, failure_reason="why")
    store.create(job)
    assert store.get("BIRDS") == job
    assert store.list() == [job]
    with pytest.raises(JobExistsError, match="Labeling job name 'Birds' is taken"):
        store.create(replace(job, name="Birds"))


def test_only_jobs_that_have_not_ended_are_listed_for_a_team() -> None:
    store = JobStore(MemoryTable())
    for name, status in (("a", JobStatus.IN_PROGRESS), ("b", JobStatus.FAILED)):
        store.create(replace(JOB, name=name, status=status))
    assert [job.name for job in store.list_open(TEAM)] == ["a"]
    assert list(store.list_open(f"{TEAM}-other")) == []


def test_the_tables_items_stay_small_however_large_the_task_is() -> None:
    shop = Workshop()
    lines = [json.dumps({"source": "x" * 19_000, "n": n}) for n in range(2)]
    shop.start(lines, task=None)
    sizes = [
        len(json.dumps(item, default=str))
        for (_, sk), item in shop.table.items.items()
        if sk.startswith("TASK#")
    ]
    assert len(sizes) == 2
    assert max(sizes) < 600
