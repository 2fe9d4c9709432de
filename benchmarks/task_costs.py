"""What a task takes of AWS: requests, reads and writes by route and by step, as they are charged.

Counted at the SDK's calls, with the capacity that the emulator reckons as DynamoDB does. No call of
the worker API finds anything remembered, as when people are few: on AWS it is rather less.
"""

import io
import json
import os
import random
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
from PIL import Image

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from groundwork.contract.registry import Workforce, Workteam
from groundwork.contract.registry_store import RegistryStore
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop import run_step
from groundwork.jobs.model import Job, JobStatus
from groundwork.jobs.steps import Engine
from groundwork.jobs.work import Work
from groundwork.local.emulator import ACCOUNT, REGION, Emulator, free_port
from groundwork.portal.directory import Directory
from groundwork.portal.http import Request
from groundwork.portal.page_files import PageFiles
from groundwork.portal.routes import Portal
from groundwork.portal.session_store import SessionStore
from groundwork.portal.sessions import Session
from groundwork.portal.sign_in import Identity, hash_of, issuer_of
from groundwork.portal.task_content import TaskContents
from groundwork.s3_client import S3Client, S3Uri
from groundwork.table_client import Table, deployed_table
from groundwork.templates import default_template

PROJECT = Path(__file__).resolve().parent.parent
_PORT = 4870
_OBJECTS = 100
_BUCKET = "task-costs"
_JOB = "costs"
_POOL = f"{REGION}_costs"
_URL = "https://portal.example"
_TEAM = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/labelers"
_ANSWER = {
    "boundingBox": {
        "boundingBoxes": [{"label": "Comet", "left": 1, "top": 1, "width": 9, "height": 9}],
        "inputImageProperties": {"width": 40, "height": 30},
    }
}


def run() -> dict[str, Any]:
    """Label a small job as the portal's pages do, and count by what was done."""
    with tempfile.TemporaryDirectory() as folder, _emulator(Path(folder)) as counted:
        engine = _set_up()
        with counted("prepare, select and open a batch"):
            run_step(engine, _event("prepare", 0))
            run_step(engine, _event("select_batch", 0))
            run_step(engine, {**_event("open_batch", 1), "token": "token"})
        _label(counted)
        with counted("consolidate, publish and finish"):
            for step, iteration in (("consolidate", 1), ("publish_iteration", 1), ("finish", 1)):
                run_step(engine, _event(step, iteration))
        status = engine.store.get(_JOB).status
        if status is not JobStatus.COMPLETED:
            raise RuntimeError(f"the job is {status}")
    by_action = {
        action: {name: round(amount / _OBJECTS, 2) for name, amount in sorted(amounts.items())}
        for action, amounts in counted.amounts.items()
    }
    together: Counter[str] = Counter()
    for amounts in counted.amounts.values():
        together += amounts
    writes = round(together["write units"] / _OBJECTS, 2)
    return {
        "name": "task_costs",
        "figure": writes,
        "unit": "write units of DynamoDB for an object, one worker each",
        "against": round(together["read units"] / _OBJECTS, 2),
        "ratio": round(together["write units"] / together["read units"], 2),
        "details": {
            "against": "read units for an object",
            "objects": _OBJECTS,
            "of_an_object": {
                name: round(amount / _OBJECTS, 2) for name, amount in sorted(together.items())
            },
            "by_action": by_action,
        },
    }


class _Counted:
    """Adds up what calls take, by what they were made for."""

    def __init__(self) -> None:
        self.amounts: dict[str, Counter[str]] = {}
        self._now: Counter[str] = Counter()

    @contextmanager
    def __call__(self, action: str, requests: int = 0) -> Iterator[None]:
        self._now = self.amounts.setdefault(action, Counter())
        if requests:
            self._now["requests of the worker API"] += requests
        yield
        self._now = Counter()

    def ask(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        """Let DynamoDB tell what a call took."""
        if model.service_model.service_name == "dynamodb":
            params["ReturnConsumedCapacity"] = "INDEXES"

    def add(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        """Count an answered call."""
        service = model.service_model.service_name
        if service == "s3":
            kind = "writes" if model.name in ("PutObject", "UploadPart") else "reads"
            self._now[f"S3 {kind}"] += 1
            return
        if service != "dynamodb":
            self._now[f"{service} calls"] += 1
            return
        self._now["DynamoDB calls"] += 1
        found = parsed.get("ConsumedCapacity") or []
        reads = model.name in ("GetItem", "Query")
        for capacity in found if isinstance(found, list) else [found]:
            self._now["read units" if reads else "write units"] += capacity["CapacityUnits"]
            for index in capacity.get("GlobalSecondaryIndexes", {}).values():
                if not reads:
                    self._now["of them in the index"] += index["CapacityUnits"]


@contextmanager
def _emulator(folder: Path) -> Iterator[_Counted]:
    emulator = Emulator(folder, PROJECT / "node_modules", free_port(_PORT))
    emulator.start()
    settings = {
        "AWS_ENDPOINT_URL": emulator.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "TABLE_NAME": "costs",
    }
    counted = _Counted()
    try:
        with mock.patch.dict(os.environ, settings):
            boto3.setup_default_session()
            _create_table()
            session = boto3._get_default_session()
            session.events.register("before-parameter-build.dynamodb", counted.ask)
            session.events.register("after-call", counted.add)
            deployed_table.cache_clear()
            yield counted
    finally:
        emulator.discard()
        boto3.DEFAULT_SESSION = None
        deployed_table.cache_clear()


def _create_table() -> None:
    """Create the engine's table with the keys that its stack gives it."""
    names = ("PK", "SK", "available_pk", "available_sk")

    def keys(partition: str, sort: str) -> list[dict[str, str]]:
        return [
            {"AttributeName": partition, "KeyType": "HASH"},
            {"AttributeName": sort, "KeyType": "RANGE"},
        ]

    boto3.client("dynamodb").create_table(
        TableName="costs",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=keys("PK", "SK"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "available",
                "KeySchema": keys("available_pk", "available_sk"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def _set_up() -> Engine:
    """Put a job's files, its people and itself there."""
    files = S3Client.from_environment()
    files.api.create_bucket(Bucket=_BUCKET)
    picture = io.BytesIO()
    Image.new("RGB", (40, 30)).save(picture, "PNG")
    lines = []
    for number in range(_OBJECTS):
        files.put(_at(f"images/{number}.png"), picture.getvalue())
        lines.append(json.dumps({"source-ref": str(_at(f"images/{number}.png"))}))
    files.put(_at("in.manifest"), "\n".join([*lines, ""]).encode())
    files.put(_at("template.html"), default_template("BoundingBox").encode())
    labels = {"document-version": "2018-11-28", "labels": [{"label": "Comet"}]}
    files.put(_at("labels.json"), json.dumps(labels).encode())
    now = datetime.now(UTC)
    registry = RegistryStore(Table(deployed_table()))
    workforce = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workforce/default"
    registry.create_workforce(Workforce("default", workforce, _POOL, "client", now, now), {})
    team = Workteam("labelers", _TEAM, "People", ("all",), "default", now, now)
    registry.create_workteam(team, {})
    identity = Identity("sub", issuer_of(_POOL), "ann", "ann@example.com")
    valid = now + timedelta(hours=1)
    session = Session(hash_of("token"), identity, frozenset({"all"}), now, valid)
    SessionStore.from_environment().add(session)
    store = JobStore(Table(deployed_table()))
    store.create(_job(now))
    return Engine(
        store=store,
        files_for_job=lambda _: files,
        functions_for_job=lambda _: SimpleNamespace(),  # type: ignore[arg-type,return-value]
        loop=SimpleNamespace(),  # type: ignore[arg-type]
        notices=SimpleNamespace(work_available=lambda job: None, job_ended=lambda job: None),
        clock=partial(datetime.now, UTC),
    )


def _job(now: datetime) -> Job:
    task = BUILTIN_TASKS["BoundingBox"]
    request = {
        "LabelingJobName": _JOB,
        "LabelAttributeName": "label",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": str(_at("in.manifest"))}}},
        "OutputConfig": {"S3OutputPath": str(_at("out/"))},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/labeling",
        "LabelCategoryConfigS3Uri": str(_at("labels.json")),
        "HumanTaskConfig": {
            "WorkteamArn": _TEAM,
            "UiConfig": {"UiTemplateS3Uri": str(_at("template.html"))},
            "PreHumanTaskLambdaArn": pre_lambda_arn(REGION, task),
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": consolidation_lambda_arn(REGION, task)
            },
            "TaskTitle": "Find the comets",
            "TaskDescription": "Draw a box around each",
            "NumberOfHumanWorkersPerDataObject": 1,
            "TaskTimeLimitInSeconds": 300,
            "MaxConcurrentTaskCount": _OBJECTS,
        },
    }
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{_JOB}"
    return Job(_JOB, arn, JobStatus.INITIALIZING, now, now, request, "costs")


def _label(counted: _Counted) -> None:
    """Answer every task, each being taken ahead while the one before is looked at."""
    at_hand: list[str] = []
    answered = 0
    while answered < _OBJECTS:
        with counted("take ahead", requests=1):
            task = _called("POST", f"/api/jobs/{_JOB}/tasks", {"besides": at_hand})
        if task is not None:
            at_hand.append(task["lease"])
            if len(at_hand) == 1:
                continue
            with counted("page of the task", requests=1):
                _called("GET", f"/tasks/{task['lease']}/frame")
        with counted("answer", requests=1):
            body = {"answerContent": _ANSWER, "timeSpentInSeconds": 3}
            _called("POST", f"/api/tasks/{at_hand.pop(0)}/answer", body)
        answered += 1
        if at_hand:
            with counted("start what was taken ahead", requests=1):
                _called("POST", f"/api/tasks/{at_hand[0]}/start", {})


def _called(method: str, path: str, body: Any = None) -> dict[str, Any] | None:
    """Send a request to a portal that remembers nothing, and return what it answers."""
    headers = {
        "content-type": "application/json",
        "origin": _URL,
        "x-groundwork-request": "1",
    }
    cookies = {"__Host-groundwork-session": "token"}
    data = b"" if body is None else json.dumps(body).encode()
    response = _portal().handle(Request(method, path, "", headers, cookies, data))
    if response.status not in (200, 204):
        raise RuntimeError(f"{method} {path} answered {response.status}: {response.body!r}")
    is_json = response.headers.get("content-type") == "application/json"
    answer: dict[str, Any] | None = json.loads(response.body) if is_json else None
    return answer


def _portal() -> Portal:
    clock = partial(datetime.now, UTC)
    files = S3Client.from_environment()
    table = Table(deployed_table())
    return Portal(
        portal_url=_URL,
        directory=Directory(RegistryStore(table), clock),
        records=SessionStore.from_environment(),
        cognito_for=lambda pool, client: SimpleNamespace(),
        work=Work(
            store=JobStore(table),
            files_for_job=lambda job: files,
            loop=SimpleNamespace(wake=lambda token, outcome: None),  # type: ignore[arg-type]
            clock=clock,
            random=random.SystemRandom(),
        ),
        contents=TaskContents(lambda task: files, clock),
        files=PageFiles(lambda: {"crowd-html-elements.js": b""}),
        clock=clock,
        new_token=secrets.token_urlsafe,
    )


def _event(step: str, iteration: int) -> dict[str, Any]:
    return {"step": step, "job": _JOB, "iteration": iteration}


def _at(key: str) -> S3Uri:
    return S3Uri(_BUCKET, key)
