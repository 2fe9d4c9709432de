"""The labeling API as a service on this machine, with an emulator behind it.

The API's handler runs in a process of its own, since its adapters take their settings from the
environment, and other tests' clients must not see those.
"""

import base64
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

ACCOUNT = "000000000000"
REGION = "us-east-1"
TABLE_NAME = "groundwork"
PORTAL_URL = "https://portal.example.test"
STATE_MACHINE = "groundwork-loop"
STATE_MACHINE_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{STATE_MACHINE}"
BUCKET = "labeling-data"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/labeling-job"

_START_TIMEOUT_SECONDS = 60
_PROJECT = Path(__file__).parents[2]


@dataclass(frozen=True)
class LabelingService:
    """Where the API and the emulator are."""

    api_url: str
    emulator_url: str

    def labeling(self, **settings: Any) -> Any:
        """Return an unmodified SageMaker client of the API, with settings of botocore's Config."""
        return self._client("sagemaker", self.api_url, **settings)

    def emulator(self, service: str) -> Any:
        """Return a client of one of the emulator's services."""
        return self._client(service, self.emulator_url)

    def table(self) -> Any:
        """Return the engine's table."""
        resource = boto3.resource(
            "dynamodb",
            endpoint_url=self.emulator_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        return resource.Table(TABLE_NAME)

    def _client(self, service: str, endpoint_url: str, **settings: Any) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, **settings),
        )


@contextmanager
def labeling_service(folder: Path) -> Iterator[LabelingService]:
    """Run an emulator and the API until the block ends."""
    emulator_url = f"http://127.0.0.1:{_free_port()}"
    api_port = _free_port()
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("AWS_")},
        "TMPDIR": str(folder),
        "GATEWAY_PORT": emulator_url.rpartition(":")[2],
        "BIND_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_ENDPOINT_URL": emulator_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "TABLE_NAME": TABLE_NAME,
        "STATE_MACHINE_ARN": STATE_MACHINE_ARN,
        "PORTAL_URL": PORTAL_URL,
    }
    commands = (
        ["-m", "ministack"],
        ["-m", "tests.support.labeling_service", str(api_port)],
    )
    addresses = (f"{emulator_url}/_ministack/health", f"http://127.0.0.1:{api_port}/")
    processes = []
    try:
        with (folder / "log").open("w", encoding="utf-8") as log:
            for command in commands:
                process = subprocess.Popen(
                    [sys.executable, *command],
                    cwd=_PROJECT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                )
                processes.append(process)
        for process, address in zip(processes, addresses, strict=True):
            _wait_for(process, address, folder / "log")
        yield LabelingService(f"http://127.0.0.1:{api_port}", emulator_url)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


def create_table(service: LabelingService) -> None:
    """Create the engine's table as its stack does."""
    names = ("PK", "SK", "available_pk", "available_sk")
    service.emulator("dynamodb").create_table(
        TableName=TABLE_NAME,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
        KeySchema=_keys("PK", "SK"),
        GlobalSecondaryIndexes=[
            {
                "IndexName": "available",
                "KeySchema": _keys("available_pk", "available_sk"),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )


def create_state_machine(service: LabelingService) -> None:
    """Create a loop that does nothing for a while."""
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}
    service.emulator("stepfunctions").create_state_machine(
        name=STATE_MACHINE,
        definition=json.dumps(definition),
        roleArn=f"arn:aws:iam::{ACCOUNT}:role/loop",
    )


def _keys(partition: str, sort: str) -> list[dict[str, str]]:
    return [
        {"AttributeName": partition, "KeyType": "HASH"},
        {"AttributeName": sort, "KeyType": "RANGE"},
    ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise AssertionError(f"{address} does not answer: {log.read_text(encoding='utf-8')[-2000:]}")


@dataclass(frozen=True)
class _Context:
    aws_request_id: str
    invoked_function_arn: str = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:labeling-api"


class _FunctionUrl(BaseHTTPRequestHandler):
    """Makes the events that a Lambda function URL makes, payload format 2.0."""

    def do_GET(self) -> None:
        self._reply(200, {}, b"ready")

    def do_POST(self) -> None:
        from lambdas.labeling_api.handler import handler  # noqa: PLC0415 - needs the environment

        body = self.rfile.read(int(self.headers["content-length"]))
        event = {
            "version": "2.0",
            "rawPath": self.path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {"http": {"method": "POST", "path": self.path}},
            "body": base64.b64encode(body).decode(),
            "isBase64Encoded": True,
        }
        answer = handler(event, _Context(str(uuid.uuid4())))
        self._reply(answer["statusCode"], answer["headers"], answer["body"].encode())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's own name
        """Leave the log to the handler."""

    def _reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _FunctionUrl).serve_forever()
