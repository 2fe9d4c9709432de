"""Fifty workers at once: nothing given twice, nothing lost, and how fast the worker API answers."""

import io
import os
import statistics
import time
import zipfile
from functools import partial
from http import HTTPStatus
from typing import Any

import httpx

from benchmarks.portal_next_task import portal_cloud
from benchmarks.support.labeling_crowd import (
    Labeling,
    add_small_images,
    answers_kept,
    per_second,
    signed_in,
)
from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import ACCOUNT, REGION
from groundwork.portal.worker_client import Resolved

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
# With a log line: the emulator waits a while for one, so that without it the function is slower.
_EMPTY = "def handler(event, context):\n    print('x')\n    return {'statusCode': 204}\n"


def run() -> dict[str, Any]:
    """Let people label with pauses, then without, in turns with calls of an empty function."""
    load_before = os.getloadavg()[0]
    with portal_cloud(
        partial(add_small_images, count=_PICTURES), workers_per_object=str(_WORKERS_PER_PICTURE)
    ) as (cloud, portal_url):
        job = cloud.output("LabelingJobName")
        if job is None:
            raise RuntimeError("the stack has no job")
        _add_empty_function(cloud)
        workers = signed_in(cloud, portal_url, _WORKERS)
        empty = _Empty(cloud, portal_url)
        warming = Labeling()
        warming.run(workers, job, _WARMING_SECONDS, arriving_seconds=_SECONDS_BETWEEN_ARRIVALS)
        empty.per_second(_ROUND_SECONDS)
        paused = Labeling()
        paused.run(workers, job, _PAUSED_SECONDS, pause=lambda: 1.0, arriving_seconds=1 / _WORKERS)
        unpaused = Labeling()
        rates, empty_rates = [], []
        for _ in range(_ROUNDS):
            rates.append(unpaused.run(workers, job, _ROUND_SECONDS))
            empty_rates.append(empty.per_second(_ROUND_SECONDS))
        load_after = os.getloadavg()[0]
        # Whoever holds a task ends with it, so that all that was taken is answered.
        everything = Labeling()
        for part in (warming, paused, unpaused):
            everything.add(part)
        kept = answers_kept(cloud, job)
    p95 = paused.p95()
    return {
        "name": "portal_load",
        "figure": round(p95, 1),
        "unit": "ms p95 of requests, 50 workers who pause a second",
        "against": GOAL_P95_MILLISECONDS,
        "ratio": round(p95 / GOAL_P95_MILLISECONDS, 3),
        "details": {
            "requests": len(paused.milliseconds),
            "median": round(statistics.median(paused.milliseconds), 1),
            "p95_while_people_arrive": round(warming.p95(), 1),
            "answers": len(everything.answered),
            "given_twice": everything.given_twice(),
            "given_to_too_many": everything.given_to_too_many(_WORKERS_PER_PICTURE),
            "lost": len(everything.answered) - kept,
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

        return per_second(self._clients, call)


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
