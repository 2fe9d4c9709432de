"""The loop's state machine in the emulator, with functions that play the steps from a script."""

import io
import json
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest

from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import ACCOUNT, free_port
from stacks.constructs.loop_definition import definition
from tests.support.local_workshop import PROJECT

FIRST_PORT = 4770
ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
# Two iterations of a job with three shards, of which one has nothing to label. The job "failing"
# loses a shard.
SCRIPT = """
import json, time, boto3

class JobFailedError(Exception):
    pass

def outcome(event):
    step, iteration = event["step"], event["iteration"]
    if step == "features" and event["shard"] == 1 and event["job"] == "failing":
        raise JobFailedError("the bucket is closed")
    if step == "prepare":
        return iteration, "automated", [0, 1, 2]
    if step == "train":
        return (iteration, "infer", [0, 2]) if iteration == 0 else (iteration, "plan", None)
    if step == "select_batch":
        return (1, "people", None) if iteration == 0 else (iteration, "finished", None)
    told = {"plan": "continue", "consolidate": "automated", "publish_iteration": "learn"}
    return iteration, told.get(step, "done"), None

def handler(event, context):
    name = f"{event['job']}/{time.time_ns()}-{event['step']}-{event.get('shard')}"
    body = json.dumps({"function": context.function_name, **event})
    boto3.client("s3").put_object(Bucket="calls", Key=name, Body=body)
    iteration, told, shards = outcome(event)
    answer = {"job": event["job"], "iteration": iteration, "outcome": told}
    if shards is not None:
        answer["shards"] = shards
    if "token" in event:
        loop = boto3.client("stepfunctions")
        loop.send_task_success(taskToken=event["token"], output=json.dumps(answer))
    return answer
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with the state machine and its two functions."""
    cloud = LocalCloud(PROJECT, tmp_path_factory.mktemp("cloud"), free_port(FIRST_PORT))
    cloud.start()
    try:
        cloud.client("s3").create_bucket(Bucket="calls")
        text = json.dumps(definition())
        for name in ("LabelingSteps", "AutoLabeling"):
            function = cloud.client("lambda").create_function(
                FunctionName=name,
                Runtime="python3.13",
                Handler="index.handler",
                Role=ROLE,
                Timeout=60,
                Code={"ZipFile": zipped(SCRIPT)},
            )
            text = text.replace(f"${{{name}}}", function["FunctionArn"])
        cloud.client("stepfunctions").create_state_machine(
            name="loop", definition=text, roleArn=ROLE
        )
        yield cloud
    finally:
        cloud.discard()


def test_an_automated_job_goes_through_its_rounds(cloud: LocalCloud) -> None:
    """Shards side by side, each step by the function that has what it takes."""
    calls = run(cloud, "job")

    steps = [(call["step"], call["iteration"]) for call in calls]
    assert steps == [
        ("prepare", 0),
        *[("features", 0)] * 3,
        ("train", 0),
        *[("infer", 0)] * 2,
        ("plan", 0),
        ("select_batch", 0),
        ("open_batch", 1),
        ("consolidate", 1),
        ("judge", 1),
        ("publish_iteration", 1),
        ("train", 1),
        ("plan", 1),
        ("select_batch", 1),
        ("finish", 1),
    ]
    shards = {
        step: {c["shard"] for c in calls if c["step"] == step} for step in ("features", "infer")
    }
    assert shards == {"features": {0, 1, 2}, "infer": {0, 2}}
    network = {call["step"] for call in calls if call["function"] == "AutoLabeling"}
    assert network == {"features", "train", "infer"}


def test_the_reason_of_a_failed_shard_is_known_before_the_job_fails(cloud: LocalCloud) -> None:
    """It was no hiccup, so that it is told at once and not tried again."""
    calls = run(cloud, "failing")

    assert [call["shard"] for call in calls if call["step"] == "features"].count(1) == 1
    explained, failed = calls[-2:]
    assert explained["step"] == "explain_failure"
    assert explained["error"]["Error"] == "JobFailedError"
    assert "the bucket is closed" in explained["error"]["Cause"]
    assert failed["step"] == "fail"
    assert failed["error"]["Error"] == "States.ExceedToleratedFailureThreshold"


def zipped(source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", source)
    return content.getvalue()


def run(cloud: LocalCloud, job: str) -> list[dict[str, Any]]:
    """Let the machine run to its end; return what its functions were called with, in order."""
    machines = cloud.client("stepfunctions")
    (machine,) = machines.list_state_machines()["stateMachines"]
    execution = machines.start_execution(
        stateMachineArn=machine["stateMachineArn"],
        name=job,
        input=json.dumps({"job": job, "iteration": 0}),
    )["executionArn"]
    deadline = time.monotonic() + 120
    while (status := machines.describe_execution(executionArn=execution)["status"]) == "RUNNING":
        assert time.monotonic() < deadline, cloud.emulator.log_path
        time.sleep(0.2)
    assert status == "SUCCEEDED"
    s3 = cloud.client("s3")
    keys = sorted(
        item["Key"] for item in s3.list_objects_v2(Bucket="calls", Prefix=f"{job}/")["Contents"]
    )
    return [json.load(s3.get_object(Bucket="calls", Key=key)["Body"]) for key in keys]
