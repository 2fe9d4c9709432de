"""Fifty workers at once: nothing given twice, nothing lost, and how fast the worker API answers."""

import io
import os
import statistics
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar

import httpx
from PIL import Image

from benchmarks.portal_next_task import portal_cloud
from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import ACCOUNT, REGION
from groundwork.portal.worker_client import Resolved, WorkerClient

GOAL_P95_MILLISECONDS = 500
GOAL_SHARE_OF_EMPTY = 1 / 3
_WORKERS = 50
# Enough for the whole run: the next batch would open in its middle.
_PICTURES = 400
_WORKERS_PER_PICTURE = 8
# Fifty processes start on few cores here; in an account each has its own. So people come one after
# the other, and are at work together before anything is measured.
_SECONDS_BETWEEN_ARRIVALS = 0.6
_WARMING_SECONDS = 40
_PAUSED_SECONDS = 10
# The machine is not equally fast all the time: both kinds of calls have their turns.
_ROUNDS = 3
_ROUND_SECONDS = 6
_PASSWORD = "Chosen-passw0rd-2!"
_ANSWER = {
    "boundingBox": {
        "boundingBoxes": [],
        "inputImageProperties": {"width": 640, "height": 480},
    }
}
_Client = TypeVar("_Client")
# With a log line: the emulator waits a while for one, so that without it the function is slower.
_EMPTY = "def handler(event, context):\n    print('x')\n    return {'statusCode': 204}\n"


def run() -> dict[str, Any]:
    """Let people label with pauses, then without, in turns with calls of an empty function."""
    load_before = os.getloadavg()[0]
    with portal_cloud(_add_small_images, workers_per_object=str(_WORKERS_PER_PICTURE)) as (
        cloud,
        portal_url,
    ):
        job = cloud.output("LabelingJobName")
        if job is None:
            raise RuntimeError("the stack has no job")
        _add_empty_function(cloud)
        workers = _signed_in(cloud, portal_url)
        empty = _Empty(cloud, portal_url)
        warming = _Labeling(job)
        warming.run(workers, _WARMING_SECONDS, arriving_seconds=_SECONDS_BETWEEN_ARRIVALS)
        empty.per_second(_ROUND_SECONDS)
        paused = _Labeling(job)
        paused.run(workers, _PAUSED_SECONDS, pause_seconds=1.0, arriving_seconds=1 / _WORKERS)
        unpaused = _Labeling(job)
        rates, empty_rates = [], []
        for _ in range(_ROUNDS):
            rates.append(unpaused.run(workers, _ROUND_SECONDS))
            empty_rates.append(empty.per_second(_ROUND_SECONDS))
        load_after = os.getloadavg()[0]
        # Whoever holds a task ends with it, so that all that was taken is answered.
        answered = warming.answered + paused.answered + unpaused.answered
        given = Counter(answered)
        workers_of = Counter(picture for _, picture in given)
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
            "median": round(statistics.median(paused.milliseconds), 1),
            "p95_while_people_arrive": round(
                statistics.quantiles(warming.milliseconds, n=20)[-1], 1
            ),
            "answers": len(answered),
            "given_twice": sum(1 for count in given.values() if count > 1),
            "given_to_too_many": sum(
                1 for count in workers_of.values() if count > _WORKERS_PER_PICTURE
            ),
            "lost": len(answered) - counted,
            "without_pauses": {
                "requests_per_second": [round(rate, 1) for rate in rates],
                "empty_function_per_second": [round(rate, 1) for rate in empty_rates],
                "share_of_medians": round(
                    statistics.median(rates) / statistics.median(empty_rates), 3
                ),
                "goal_share": round(GOAL_SHARE_OF_EMPTY, 3),
            },
            "load_of_the_machine": {
                "before": round(load_before, 2),
                "after": round(load_after, 2),
            },
        },
    }


def _per_second(clients: Sequence[_Client], use: Callable[[int, _Client], int]) -> float:
    """Let all clients do something at the same time that tells how many calls it made."""
    started = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        calls = sum(pool.map(use, range(len(clients)), clients))
    return calls / (time.perf_counter() - started)


class _Labeling:
    """What all workers did in one go, or in several."""

    def __init__(self, job: str) -> None:
        self._job = job
        self._lock = threading.Lock()
        self.milliseconds: list[float] = []
        self.answered: list[tuple[int, int]] = []

    def run(
        self,
        workers: list[WorkerClient],
        seconds: float,
        *,
        pause_seconds: float = 0.0,
        arriving_seconds: float = 0.0,
    ) -> float:
        """Let all of them label for a while; return their calls per second."""
        end = time.monotonic() + seconds

        def label(number: int, worker: WorkerClient) -> int:
            time.sleep(number * arriving_seconds)
            return self._label(worker, end, pause_seconds)

        return _per_second(workers, label)

    def _label(self, worker: WorkerClient, end: float, pause_seconds: float) -> int:
        calls = 0
        while time.monotonic() < end:
            task = self._timed(partial(worker.take, self._job))
            if task is None:
                raise RuntimeError("there are too few pictures for the whole run")
            time.sleep(pause_seconds)
            self._timed(partial(worker.answer, task["lease"], _ANSWER, 1.0))
            calls += 2
            with self._lock:
                self.answered.append((id(worker), task["objectId"]))
        return calls

    def _timed(self, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = call()
        with self._lock:
            self.milliseconds.append(1000 * (time.perf_counter() - started))
        return result


class _Empty:
    """An empty function behind the portal's API, and as many clients of it as there are workers."""

    def __init__(self, cloud: LocalCloud, portal_url: str) -> None:
        self._url = f"{portal_url}/empty"
        self._clients = [
            httpx.Client(transport=Resolved(f"127.0.0.1:{cloud.port}"), timeout=30)
            for _ in range(_WORKERS)
        ]

    def per_second(self, seconds: float) -> float:
        """Let all clients call it for a while; return their calls per second."""
        end = time.monotonic() + seconds

        def call(_: int, client: httpx.Client) -> int:
            calls = 0
            while time.monotonic() < end:
                response = client.get(self._url)
                if response.status_code != HTTPStatus.NO_CONTENT:
                    raise RuntimeError(f"the empty function answered {response.status_code}")
                calls += 1
            return calls

        return _per_second(self._clients, call)


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
