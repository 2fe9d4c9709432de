"""Functions on the local cloud share the machine's few cores."""

import io
import json
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import ACCOUNT, free_port
from groundwork.local.function_processes import most_processes

PROJECT = Path(__file__).parents[2]
SLOW = (
    "import os, time\n"
    "def handler(event, context):\n"
    "    time.sleep(0.2)\n"
    "    return [event, os.getpid()]\n"
)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(PROJECT, tmp_path_factory.mktemp("functions"), free_port(4790))
    cloud.start()
    try:
        yield cloud
    finally:
        cloud.discard()


def test_calls_beyond_what_the_machine_can_run_wait_and_are_all_answered(cloud: LocalCloud) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("index.py", SLOW)
    client = cloud.client("lambda")
    client.create_function(
        FunctionName="slow",
        Runtime="python3.13",
        Handler="index.handler",
        Role=f"arn:aws:iam::{ACCOUNT}:role/slow",
        Code={"ZipFile": archive.getvalue()},
    )
    calls = 3 * most_processes()

    def call(number: int) -> Any:
        answer = client.invoke(FunctionName="slow", Payload=json.dumps(number))
        return json.load(answer["Payload"])

    with ThreadPoolExecutor(calls) as pool:
        answers = list(pool.map(call, range(calls)))
    assert [number for number, _ in answers] == list(range(calls))
    assert len({process for _, process in answers}) <= most_processes()
