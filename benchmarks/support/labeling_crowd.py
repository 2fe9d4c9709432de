"""Many workers at once on a local cloud, and whether every answer of theirs is kept once."""

import os
import random
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from PIL import Image

from groundwork.local.cloud import LocalCloud
from groundwork.portal.worker_client import WorkerClient

_PASSWORD = "Chosen-passw0rd-2!"
NOTHING_FOUND = {
    "boundingBox": {
        "boundingBoxes": [],
        "inputImageProperties": {"width": 640, "height": 480},
    }
}
_Client = TypeVar("_Client")
Pause = Callable[[], float]


class GuaranteeBrokenError(Exception):
    """A task was given twice, an answer was lost, or memory grew; the text says what was seen."""


class Labeling:
    """What all workers did in one go, or in several.

    Parameters
    ----------
    milliseconds
        What each request took.
    answered
        The worker, by identity, the job and the object of each answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.milliseconds: list[float] = []
        self.answered: list[tuple[int, str, int]] = []

    def run(
        self,
        workers: Sequence[WorkerClient],
        job: str,
        seconds: float,
        *,
        pause: Pause = lambda: 0.0,
        arriving_seconds: float = 0.0,
    ) -> float:
        """Let all of them label a job for a while; return their calls per second.

        Parameters
        ----------
        pause
            Gives how many seconds a worker looks at a task.
        arriving_seconds
            Between the first task of one worker and the next one's.
        """
        end = time.monotonic() + seconds

        def label(number: int, worker: WorkerClient) -> int:
            time.sleep(number * arriving_seconds)
            tasks = 0
            while time.monotonic() < end:
                if not self.label_one(worker, job, pause):
                    raise RuntimeError("there are too few pictures for the whole run")
                tasks += 1
            return 2 * tasks

        return per_second(workers, label)

    def label_one(self, worker: WorkerClient, job: str, pause: Pause) -> bool:
        """Take a task, look at it and answer; tell whether there was one."""
        task = self._timed(partial(worker.take, job))
        if task is None:
            return False
        time.sleep(pause())
        self._timed(partial(worker.answer, task["lease"], NOTHING_FOUND, 1.0))
        with self._lock:
            self.answered.append((id(worker), job, task["objectId"]))
        return True

    def given_twice(self) -> int:
        """Count the tasks that one worker was given more than once."""
        return sum(1 for count in Counter(self.answered).values() if count > 1)

    def given_to_too_many(self, workers_per_object: int) -> int:
        """Count the objects that more workers answered than were asked for."""
        workers_of = Counter((job, number) for _, job, number in self.answered)
        return sum(1 for count in workers_of.values() if count > workers_per_object)

    def p95(self) -> float:
        """Return what 95 of 100 requests took at most, in milliseconds."""
        return statistics.quantiles(self.milliseconds, n=20)[-1]

    def figures(self, requests_per_second: float, load_before: float) -> dict[str, Any]:
        """Return what each load run tells of its requests and of the machine's load beside it."""
        return {
            "requests": len(self.milliseconds),
            "median": round(statistics.median(self.milliseconds), 1),
            "requests_per_second": round(requests_per_second, 1),
            "answers": len(self.answered),
            "load_of_the_machine": {
                "before": round(load_before, 2),
                "after": round(os.getloadavg()[0], 2),
            },
        }

    def add(self, other: "Labeling") -> None:
        """Add what was done in another go."""
        self.milliseconds += other.milliseconds
        self.answered += other.answered

    def _timed(self, call: Callable[[], Any]) -> Any:
        started = time.perf_counter()
        result = call()
        with self._lock:
            self.milliseconds.append(1000 * (time.perf_counter() - started))
        return result


def per_second(clients: Sequence[_Client], use: Callable[[int, _Client], int]) -> float:
    """Let all clients do something at the same time that tells how many calls it made."""
    started = time.perf_counter()
    with ThreadPoolExecutor(len(clients)) as pool:
        calls = sum(pool.map(use, range(len(clients)), clients))
    return calls / (time.perf_counter() - started)


def between(least_seconds: float, most_seconds: float) -> Pause:
    """Return pauses of people who are not equally fast."""
    random_source = random.Random(0)
    return lambda: random_source.uniform(least_seconds, most_seconds)


def add_small_images(folder: Path, *, count: int) -> None:
    """Write pictures that take no time to look at."""
    folder.mkdir()
    for number in range(count):
        colour = (number % 256, number // 256, 90)
        Image.new("RGB", (40, 30), colour).save(folder / f"{number:04d}.png")


def signed_in(cloud: LocalCloud, portal_url: str, count: int) -> list[WorkerClient]:
    """Make workers who are in every group of the pool, and let them sign in."""
    cognito = cloud.client("cognito-idp")
    [pool] = cognito.list_user_pools(MaxResults=10)["UserPools"]
    groups = cognito.list_groups(UserPoolId=pool["Id"])["Groups"]
    workers = []
    for number in range(count):
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


def answers_kept(cloud: LocalCloud, job: str) -> int:
    """Count the answers to a job's first batch that the engine has."""
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


def further_job(cloud: LocalCloud, name: str, like: str, **human_task: Any) -> dict[str, Any]:
    """Return the request of a job like another one.

    Parameters
    ----------
    human_task
        Members of HumanTaskConfig that differ.
    """
    described = cloud.client("sagemaker").describe_labeling_job(LabelingJobName=like)
    kept = ("LabelAttributeName", "InputConfig", "OutputConfig", "RoleArn")
    request = {key: described[key] for key in (*kept, "LabelCategoryConfigS3Uri")}
    return {
        **request,
        "LabelingJobName": name,
        "HumanTaskConfig": {**described["HumanTaskConfig"], **human_task},
    }
