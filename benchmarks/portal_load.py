"""Fifty workers at once: nothing given twice, nothing lost, and how fast the worker API answers."""

import io
import statistics
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from PIL import Image

from benchmarks.portal_next_task import portal_cloud
from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import ACCOUNT, REGION
from groundwork.portal.worker_client import WorkerClient

GOAL_P95_MILLISECONDS = 500
GOAL_SHARE_OF_EMPTY = 1 / 3
_WORKERS = 50
# Enough for the whole run: the next batch would open in its middle.
_PICTURES = 400
_WORKERS_PER_PICTURE = 4
_WARMING_SECONDS = 20
_PAUSED_SECONDS = 8
_UNPAUSED_SECONDS = 8
_PASSWORD = "Chosen-passw0rd-2!"
_ANSWER = {
    "boundingBox": {
        "boundingBoxes": [],
        "inputImageProperties": {"width": 640, "height": 480},
    }
}
_EMPTY = "def handler(event, context):\n    print('x')\n    return {'statusCode': 204}\n"


def run() -> dict[str, Any]:
    """Let people label with pauses, then without, then call an empty function all the time."""
    with portal_cloud(_add_small_images, workers_per_object=str(_WORKERS_PER_PICTURE)) as (
        cloud,
        portal_url,
    ):
        job = cloud.output("LabelingJobName")
        if job is None:
            raise RuntimeError("the stack has no job")
        _add_empty_function(cloud)
        workers = _signed_in(cloud, portal_url)
        # Fifty processes start on few cores here; in an account each has its own.
        warming = _Labeling(job)
        warming.run(workers, _WARMING_SECONDS, pause_seconds=1.0)
        paused = _Labeling(job)
        paused.run(workers, _PAUSED_SECONDS, pause_seconds=1.0)
        unpaused = _Labeling(job)
        started = time.perf_counter()
        unpaused.run(workers, _UNPAUSED_SECONDS, pause_seconds=0.0)
        per_second = len(unpaused.milliseconds) / (time.perf_counter() - started)
        empty_per_second = _empty_per_second(cloud, portal_url)
        # Whoever holds a task ends with it, so that all that was taken is answered.
        given = Counter(warming.answered + paused.answered + unpaused.answered)
        counted = _done(cloud, job)
    p95 = statistics.quantiles(paused.milliseconds, n=20)[-1]
    return {
        "name": "portal_load",
        "figure": round(p95, 1),
        "unit": "ms p95 of requests, 50 workers who pause a second",
        "against": GOAL_P95_MILLISECONDS,
        "ratio": round(p95 / GOAL_P95_MILLISECONDS, 3),
        "details": {
            "requests": len(paused.milliseconds),
            "p95_while_functions_start": round(
                statistics.quantiles(warming.milliseconds, n=20)[-1], 1
            ),
            "median": round(statistics.median(paused.milliseconds), 1),
            "answers": sum(given.values()),
            "given_twice": sum(1 for count in given.values() if count > 1),
            "lost": sum(given.values()) - counted,
            "without_pauses": {
                "requests_per_second": round(per_second, 1),
                "empty_function_per_second": round(empty_per_second, 1),
                "share": round(per_second / empty_per_second, 3),
                "goal_share": round(GOAL_SHARE_OF_EMPTY, 3),
            },
        },
    }


class _Labeling:
    """What all workers did in one go."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._lock = threading.Lock()
        self.milliseconds: list[float] = []
        self.answered: list[tuple[int, int]] = []

    def run(self, workers: list[WorkerClient], seconds: float, pause_seconds: float) -> None:
        """Let all of them label for a while."""
        end = time.monotonic() + seconds
        with ThreadPoolExecutor(len(workers)) as pool:
            for done in [pool.submit(self._label, each, end, pause_seconds) for each in workers]:
                done.result()

    def _label(self, worker: WorkerClient, end: float, pause_seconds: float) -> None:
        while time.monotonic() < end:
            task = self._timed(partial(worker.take, self._job))
            if task is None:
                return
            time.sleep(pause_seconds)
            lease = task["lease"]
            self._timed(partial(worker.answer, lease, _ANSWER, 1.0))
            with self._lock:
                self.answered.append((id(worker), task["objectId"]))

    def _timed(self, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = call()
        with self._lock:
            self.milliseconds.append(1000 * (time.perf_counter() - started))
        return result


def _add_small_images(folder: Path) -> None:
    folder.mkdir()
    for number in range(_PICTURES):
        colour = (number % 256, number // 256, 90)
        Image.new("RGB", (40, 30), colour).save(folder / f"{number:04d}.png")


def _signed_in(cloud: LocalCloud, portal_url: str) -> list[WorkerClient]:
    cognito = cloud.client("cognito-idp")
    [pool] = cognito.list_user_pools(MaxResults=10)["UserPools"]
    groups = cognito.list_groups(UserPoolId=pool["Id"])["Groups"]
    workers = []
    for number in range(_WORKERS):
        email = f"worker-{number}@example.com"
        cognito.admin_create_user(
            UserPoolId=pool["Id"],
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}],
        )
        cognito.admin_set_user_password(
            UserPoolId=pool["Id"], Username=email, Password=_PASSWORD, Permanent=True
        )
        for group in groups:
            cognito.admin_add_user_to_group(
                UserPoolId=pool["Id"], Username=email, GroupName=group["GroupName"]
            )
        address = f"127.0.0.1:{cloud.port}"
        workers.append(WorkerClient.sign_in(portal_url, email, _PASSWORD, resolve_to=address))
    return workers


def _add_empty_function(cloud: LocalCloud) -> None:
    """Put a function that does nothing behind the portal's API, at /empty."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("handler.py", _EMPTY)
    function = cloud.client("lambda").create_function(
        FunctionName="empty",
        Runtime="python3.13",
        Handler="handler.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/empty",
        Code={"ZipFile": archive.getvalue()},
    )
    gateway = cloud.client("apigatewayv2")
    [api] = gateway.get_apis()["Items"]
    integration = gateway.create_integration(
        ApiId=api["ApiId"],
        IntegrationType="AWS_PROXY",
        IntegrationUri=(
            f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/"
            f"{function['FunctionArn']}/invocations"
        ),
        PayloadFormatVersion="2.0",
    )
    gateway.create_route(
        ApiId=api["ApiId"],
        RouteKey="GET /empty",
        Target=f"integrations/{integration['IntegrationId']}",
    )


def _empty_per_second(cloud: LocalCloud, portal_url: str) -> float:
    host = urlsplit(portal_url).netloc
    address = f"http://127.0.0.1:{cloud.port}/empty"
    end = time.monotonic() + _UNPAUSED_SECONDS

    def call(_: int) -> int:
        count = 0
        with httpx.Client(trust_env=False, timeout=30, headers={"host": host}) as http:
            while time.monotonic() < end:
                response = http.get(address)
                if response.status_code != 204:
                    raise RuntimeError(f"the empty function answered {response.status_code}")
                count += 1
        return count

    started = time.perf_counter()
    with ThreadPoolExecutor(_WORKERS) as pool:
        total = sum(pool.map(call, range(_WORKERS)))
    return total / (time.perf_counter() - started)


def _done(cloud: LocalCloud, job: str) -> int:
    """Count the answers that the engine has."""
    [name] = [
        name for name in cloud.client("dynamodb").list_tables()["TableNames"] if "Engine" in name
    ]
    pages = (
        cloud.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=name,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :task)",
            ExpressionAttributeValues={
                ":pk": {"S": f"BATCH#{job}#000001"},
                ":task": {"S": "TASK#"},
            },
        )
    )
    return sum(len(item["answers"]["L"]) for page in pages for item in page["Items"])
