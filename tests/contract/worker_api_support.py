"""The portal as a service on this machine, and what a workshop would have set up for it.

The portal's handler runs in a process of its own, with the environment that a function has.
"""

import base64
import io
import json
import os
import random
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from PIL import Image

from groundwork.contract.registry import Workforce, Workteam
from groundwork.contract.registry_store import RegistryStore
from groundwork.jobs.function_client import FunctionClient
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.model import Job, JobStatus
from groundwork.jobs.steps import Engine
from groundwork.jobs.steps.preparation import prepare
from groundwork.jobs.steps.selection import select_batch
from groundwork.jobs.steps.waiting import open_batch
from groundwork.s3_client import S3Client
from groundwork.table_client import Table
from groundwork.templates import default_template
from tests.support.labeling_requests import (
    LABELS,
    LABELS_KEY,
    MANIFEST_KEY,
    TEAM_ARN,
    TEMPLATE_KEY,
    labeling_job_request,
)
from tests.support.labeling_service import (
    ACCOUNT,
    BUCKET,
    REGION,
    TABLE_NAME,
    LabelingService,
)

GROUP = "labelers"
IMAGES = 2
_START_TIMEOUT_SECONDS = 30
_PROJECT = Path(__file__).parents[2]


@dataclass
class FakeNotices:
    """Nobody is told."""

    def work_available(self, job: Job) -> None:
        """Tell nobody that there is work."""

    def job_ended(self, job: Job) -> None:
        """Tell nobody that the job has ended."""


@dataclass
class FakeLoop:
    """Remembers what it was woken with."""

    woken: list[dict[str, Any]] = field(default_factory=list)

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803
        """Take the place of Step Functions."""
        self.woken.append({"token": taskToken, **json.loads(output)})


@dataclass(frozen=True)
class PortalService:
    """A portal with a pool, a workforce, a team, and jobs of two images each."""

    url: str
    cloud: LabelingService
    pool: str
    client: str

    def invite(self, email: str, password: str, *groups: str) -> None:
        """Create a worker with a temporary password."""
        cognito = self.cloud.emulator("cognito-idp")
        cognito.admin_create_user(
            UserPoolId=self.pool,
            Username=email,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": email},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
        for group in groups:
            cognito.admin_add_user_to_group(UserPoolId=self.pool, Username=email, GroupName=group)

    @property
    def store(self) -> JobStore:
        """The engine's jobs and tasks."""
        return JobStore(Table(self.cloud.table()))

    def start_job(
        self,
        name: str,
        *,
        template: str | None = None,
        pictures: Sequence[bytes] = (),
        **human_task: Any,
    ) -> None:
        """Create a job and open its first batch, as the loop's first steps do.

        Parameters
        ----------
        template, pictures
            In place of the boxes' own template and the two small pictures.
        human_task
            Members of HumanTaskConfig that differ.
        """
        now = datetime.now(UTC)
        request = labeling_job_request(LabelingJobName=name)
        request["HumanTaskConfig"] |= human_task
        if template is not None:
            uri = self._put(f"{name}/template.html", template.encode())
            request["HumanTaskConfig"]["UiConfig"] = {"UiTemplateS3Uri": uri}
        if pictures:
            uris = [
                self._put(f"{name}/images/{number}.jpg", picture)
                for number, picture in enumerate(pictures)
            ]
            lines = "".join(json.dumps({"source-ref": uri}) + "\n" for uri in uris)
            source = request["InputConfig"]["DataSource"]["S3DataSource"]
            source["ManifestS3Uri"] = self._put(f"{name}/input.manifest", lines.encode())
        store = self.store
        store.create(
            Job(
                name=name,
                arn=f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:labeling-job/{name}",
                status=JobStatus.INITIALIZING,
                created_at=now,
                modified_at=now,
                request=request,
                reference_code=uuid.uuid4().hex,
            )
        )
        engine = Engine(
            store=store,
            files_for_job=lambda _: S3Client(self.cloud.emulator("s3")),
            functions_for_job=lambda _: cast(FunctionClient, SimpleNamespace()),
            loop=LoopClient("arn", FakeLoop()),
            notices=FakeNotices(),
            clock=lambda: datetime.now(UTC),
            random=random.Random(name),
        )
        prepare(engine, name)
        selected = select_batch(engine, name, 0)
        open_batch(engine, name, selected.iteration, "token")

    def _put(self, key: str, body: bytes) -> str:
        self.cloud.emulator("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
        return f"s3://{BUCKET}/{key}"


@contextmanager
def portal_service(cloud: LabelingService, folder: Path) -> Iterator[PortalService]:
    """Set up a workshop in the emulator, and run the portal in front of it."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    pool, client = _create_pool(cloud, url)
    _register(cloud, pool, client)
    _upload(cloud)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "AWS_ENDPOINT_URL": cloud.emulator_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "TABLE_NAME": TABLE_NAME,
        "PORTAL_URL": url,
        "PAGES_FOLDER": str(_PROJECT / "portal" / "dist"),
    }
    log = folder / "portal.log"
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.contract.worker_api_support", str(port)],
            cwd=_PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_for(f"{url}/health", process, log)
        yield PortalService(url, cloud, pool, client)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _create_pool(cloud: LabelingService, url: str) -> tuple[str, str]:
    cognito = cloud.emulator("cognito-idp")
    pool = cognito.create_user_pool(
        PoolName="workshop",
        UsernameAttributes=["email"],
        Policies={"PasswordPolicy": {"MinimumLength": 12, "RequireNumbers": True}},
    )["UserPool"]["Id"]
    cognito.create_user_pool_domain(Domain="workshop", UserPoolId=pool)
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="portal",
        GenerateSecret=True,
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email", "profile"],
        SupportedIdentityProviders=["COGNITO"],
        CallbackURLs=[f"{url}/oauth2/idpresponse"],
        LogoutURLs=[f"{url}/logout"],
    )["UserPoolClient"]["ClientId"]
    cognito.create_group(GroupName=GROUP, UserPoolId=pool)
    return pool, client


def _register(cloud: LabelingService, pool: str, client: str) -> None:
    now = datetime.now(UTC)
    registry = RegistryStore(Table(cloud.table()))
    for existing in registry.workteams():
        registry.delete_workteam(existing.name)
    for workforce in registry.workforces():
        registry.delete_workforce(workforce.name)
    arn = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workforce/default"
    registry.create_workforce(Workforce("default", arn, pool, client, now, now), {})
    registry.create_workteam(
        Workteam("team-a", TEAM_ARN, "People", (GROUP,), "default", now, now), {}
    )


def _upload(cloud: LabelingService) -> None:
    files = {LABELS_KEY: LABELS, TEMPLATE_KEY: default_template("BoundingBox").encode()}
    lines = []
    for number in range(IMAGES):
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), (number * 90, 60, 60)).save(picture, "PNG")
        files[f"images/{number}.png"] = picture.getvalue()
        lines.append(json.dumps({"source-ref": f"s3://{BUCKET}/images/{number}.png"}))
    files[MANIFEST_KEY] = "\n".join([*lines, ""]).encode()
    s3 = cloud.emulator("s3")
    for key, body in files.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def _wait_for(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"{address} does not answer: {log.read_text(encoding='utf-8')[-2000:]}")


class _HttpApi(BaseHTTPRequestHandler):
    """Makes the events that an HTTP API makes, payload format 2.0."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's own name
        """Leave the log to the handler."""

    def _pass_on(self) -> None:
        from lambdas.portal.handler import handler  # noqa: PLC0415 - needs the environment

        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        event = {
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {
                name.lower(): value
                for name, value in self.headers.items()
                if name.lower() != "cookie"
            },
            "cookies": [part for part in (self.headers.get("cookie") or "").split("; ") if part],
            "requestContext": {"http": {"method": self.command, "path": path}},
            "body": body.decode(),
            "isBase64Encoded": False,
        }
        answer = handler(event, SimpleNamespace(aws_request_id=str(uuid.uuid4())))
        content = answer["body"].encode()
        if answer["isBase64Encoded"]:
            content = base64.b64decode(content)
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            self.send_header(name, value)
        for cookie in answer["cookies"]:
            self.send_header("set-cookie", cookie)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _HttpApi).serve_forever()
