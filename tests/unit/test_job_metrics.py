"""What a job's life leaves in logs and metrics: everything once, and nothing of anybody's own."""

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from groundwork.jobs.model import JobStatus
from groundwork.jobs.steps.publishing import finish
from groundwork.jobs.work import LeasedTask, Worker
from groundwork.logs import JsonFormatter
from groundwork.metrics import JOBS_NAMESPACE, WORKTEAM_NAMESPACE
from groundwork.table_client import Put, Write
from tests.support.job_fakes import Workshop, box, boxes_answer, worker

ANN, BEN = worker(1), worker(2)


@pytest.fixture(params=[False, True], ids=["once", "every step twice"])
def shop(request: pytest.FixtureRequest) -> Workshop:
    return Workshop(again=request.param)


@pytest.fixture(autouse=True)
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "groundwork")
    return caplog


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [json.loads(JsonFormatter().format(record)) for record in caplog.records]


def metrics(caplog: pytest.LogCaptureFixture) -> Iterator[tuple[str, str, tuple[str, ...], float]]:
    """Read metrics as CloudWatch does: namespace, name, dimensions' values, value."""
    for line in lines(caplog):
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", []):
            for dimensions in directive["Dimensions"]:
                assert all(isinstance(line[name], str) for name in dimensions)
                values = tuple(line[name] for name in dimensions)
                for metric in directive["Metrics"]:
                    assert isinstance(line[metric["Name"]], int | float)
                    yield directive["Namespace"], metric["Name"], values, line[metric["Name"]]


def sums(caplog: pytest.LogCaptureFixture, namespace: str) -> dict[str, float]:
    found: Counter[str] = Counter()
    for place, name, _, value in metrics(caplog):
        if place == namespace:
            found[name] += value  # type: ignore[assignment]  # seconds are no whole numbers
    return dict(found)


def one_box(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
    return boxes_answer(box("dog", 4, 5, 20, 10))


def test_a_jobs_progress_is_told_as_a_whole_and_its_end_once(
    shop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.start(shop.add_images(5), batch=2)
    shop.answer_all([ANN], one_box)
    highest: dict[str, float] = {}
    for namespace, name, values, value in metrics(caplog):
        if namespace == JOBS_NAMESPACE and values == ("job",):
            assert value >= highest.get(name, 0)
            highest[name] = value

    assert shop.job().status is JobStatus.COMPLETED
    assert highest == {
        "TotalDatasetObjectsLabeled": 5,
        "DatasetObjectsHumanAnnotated": 5,
        "DatasetObjectsLabelingFailed": 0,
    }
    ends = [each for each in metrics(caplog) if each[1].startswith("Jobs")]
    assert ends == [(JOBS_NAMESPACE, "JobsSucceeded", (), 1)]


def test_a_stopped_job_counts_as_stopped(shop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    shop.start(shop.add_images(3))
    shop.stop()
    shop.stop()

    ends = [each for each in metrics(caplog) if each[1].startswith("Jobs")]
    assert ends == [(JOBS_NAMESPACE, "JobsStopped", (), 1)]


def test_a_failed_job_counts_as_failed_and_its_line_tells_why(
    shop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    shop.start(["no manifest line"])

    ends = [each for each in metrics(caplog) if each[1].startswith("Jobs")]
    assert ends == [(JOBS_NAMESPACE, "JobsFailed", (), 1)]
    (line,) = [each for each in lines(caplog) if each["event"] == "job ended"]
    assert line["status"] == "Failed"
    assert "broken line" in line["reason"]


def test_what_people_do_is_counted_once_however_often_they_send_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Workshop()
    shop.start(shop.add_images(4))
    first, second = shop.work.take(ANN, "job"), shop.work.take(BEN, "job")
    assert first is not None
    assert second is not None
    shop.work.take(ANN, "job")
    for _ in range(3):
        shop.work.submit(ANN, first.lease_id, one_box(ANN, first), 12.5)
    shop.work.release(BEN, second.lease_id)
    third = shop.work.take(BEN, "job")
    assert third is not None
    shop.work.decline(BEN, third.lease_id)

    assert sums(caplog, WORKTEAM_NAMESPACE) == {
        "TasksAccepted": 3,
        "TasksSubmitted": 1,
        "TasksReturned": 1,
        "TasksDeclined": 1,
        "TimeSpent": 12.5,
    }
    (line,) = [each for each in lines(caplog) if each["event"] == "TasksSubmitted"]
    assert (line["Workteam"], line["LabelingJobName"]) == ("labelers", "job")
    assert (line["job"], line["iteration"], line["object_id"]) == ("job", 1, first.object_id)
    assert line["worker_id"] == ANN.worker_id


def test_no_line_has_an_answer_or_a_workers_address(
    shop: Workshop, caplog: pytest.LogCaptureFixture
) -> None:
    """Also of answers that cannot be used, whose reason quotes them."""
    shop.start(shop.add_images(2))
    shop.answer_all([ANN], lambda *_: boxes_answer(box("confidential words", 4, 5, 20, 10)))

    text = str(lines(caplog))
    assert "answer set aside" in text
    assert "confidential" in str(shop.output())
    assert "confidential" not in text
    assert "boundingBox" not in text
    assert "@" not in text


def test_of_two_calls_that_end_a_job_at_once_one_counts_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Workshop()
    shop.start(shop.add_images(1))
    others: list[str] = []

    def another_first(writes: Sequence[Write]) -> None:
        ends = [each for each in writes if isinstance(each, Put) and _is_end(each)]
        if ends and not others:
            assert shop.loop.engine is not None
            others.append("began")
            others.append(finish(shop.loop.engine, "job", 1).outcome)

    shop.table.before_write = another_first
    shop.answer_all([ANN], one_box)

    assert others == ["began", "finished"]
    ends = [each for each in metrics(caplog) if each[1].startswith("Jobs")]
    assert ends == [(JOBS_NAMESPACE, "JobsSucceeded", (), 1)]


def _is_end(write: Put) -> bool:
    return bool(write.item.get("status") == JobStatus.COMPLETED.value)
