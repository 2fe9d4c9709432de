"""What workers' pages and customers' functions answer: the job ends, with a label or a reason."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundwork.jobs.model import JobStatus
from groundwork.jobs.work import LeasedTask, Worker
from groundwork.portal.errors import PortalError
from groundwork.portal.http import Request
from groundwork.portal.task_content import TaskContents
from groundwork.portal.worker_api import WorkerApi, refusal_of
from tests.support.fuzzing import ODD_TEXTS, hostile, hostile_json, hostile_slowly
from tests.support.job_fakes import (
    OWN_POST,
    OWN_PRE,
    Workshop,
    box,
    boxes_answer,
    class_answer,
    worker,
)

ANN = worker(1)
ANSWERS: dict[str | None, list[Any]] = {
    "BoundingBox": [
        {"answerContent": boxes_answer(box("cat", 1, 2, 3, 4), box("dog", 0, 0, 64, 48))},
        {"answerContent": boxes_answer(), "timeSpentInSeconds": 3.5, "replaces": True},
    ],
    "ImageMultiClass": [{"answerContent": class_answer("cat"), "timeSpentInSeconds": 1}],
    None: [{"answerContent": {"any": {"thing": [1, "two"]}}, "replaces": False}],
}


def api(shop: Workshop) -> WorkerApi:
    return WorkerApi(shop.work, TaskContents(lambda task: shop.files, lambda: datetime.now(UTC)))


def refused(error: Exception) -> PortalError:
    told = error if isinstance(error, PortalError) else refusal_of(error)
    assert told is not None, repr(error)
    assert 400 <= told.status < 500
    assert told.message
    assert len(told.response().body) < 10_000
    return told


def strict(data: bytes) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    return json.loads(data, parse_constant=refuse)


@pytest.mark.parametrize("task", ANSWERS)
def test_any_answer_is_refused_or_ends_in_a_label_or_a_reason(task: str | None) -> None:
    @hostile_slowly
    @given(hostile_json(ANSWERS[task]))
    def answer_hostile(body: bytes) -> None:
        shop = Workshop()
        lines = shop.add_images(1) if task else ['{"source": "text"}']
        shop.start(lines, task=task)
        leased = shop.work.take(ANN, "job")
        assert leased is not None
        try:
            api(shop).answer(ANN, leased.lease_id, Request("POST", "/", body=body))
        except Exception as error:
            refused(error)
            return
        shop.loop.run()

        assert shop.job().status is JobStatus.COMPLETED
        for _, data in shop.s3.objects.items():
            if data.startswith(b"{"):
                for line in data.splitlines():
                    strict(line)
        (labeled,) = shop.output()
        metadata = labeled["animals-metadata"]
        assert ("animals" in labeled) != ("failure-reason" in metadata)

    answer_hostile()


@hostile
@given(
    hostile_json([{}, {"besides": ["job.1.0.abc"], "again": "job.1.0.abc"}]),
    st.one_of(
        st.sampled_from(ODD_TEXTS),
        st.text(max_size=30),
        st.sampled_from(["job.1.0.x", "job.1.99999999999999999999.x", "JOB.0.0.", "job..0.x"]),
        st.just("job." + "9" * 5_000 + ".1.x"),
        st.just("j" * 3_000 + ".1.1.x"),
    ),
)
def test_any_wish_and_any_id_is_answered(body: bytes, name: str) -> None:
    shop = Workshop()
    shop.start(shop.add_images(1))
    request = Request("POST", "/", body=body)
    calls: list[Callable[[], object]] = [
        lambda: api(shop).take(ANN, "job", request),
        lambda: api(shop).take(ANN, name, request),
        lambda: api(shop).leases(ANN, name),
        lambda: api(shop).resume(ANN, name),
        lambda: api(shop).start(ANN, name),
        lambda: api(shop).release(ANN, name),
        lambda: api(shop).decline(ANN, name),
        lambda: api(shop).frame(ANN, name, "https://portal.example/elements.js"),
        lambda: api(shop).answer(ANN, name, Request("POST", "/", body=b'{"answerContent": {}}')),
    ]
    for call in calls:
        try:
            call()
        except Exception as error:
            refused(error)


PRE_ANSWERS: list[Any] = [
    {"taskInput": {"taskObject": "s3://images/a.jpg"}, "isHumanAnnotationRequired": True}
]
POST_ANSWERS: list[Any] = [
    [
        {
            "datasetObjectId": "0",
            "consolidatedAnnotation": {
                "content": {"animals": {"x": [1]}, "animals-metadata": {"confidence": 0.5}}
            },
        }
    ]
]


def text(person: Worker, task: LeasedTask) -> Mapping[str, Any]:
    return {"words": {"text": "one"}}


@hostile_slowly
@given(hostile_json(PRE_ANSWERS))
def test_any_answer_of_a_pre_annotation_function_makes_a_task_or_a_reason(payload: bytes) -> None:
    shop = Workshop()
    shop.functions.functions[OWN_PRE] = lambda event: payload
    shop.start(['{"source": "text"}'], task=None, pre=OWN_PRE)
    leased = None if shop.job().status.is_final else shop.work.take(ANN, "job")
    if leased is not None:
        shown = api(shop).resume(ANN, leased.lease_id)
        strict(shown.body)
    shop.answer_all([ANN], text)

    assert shop.job().status is JobStatus.COMPLETED
    assert (leased is None) == ("failure-reason" in shop.output()[0]["animals-metadata"])


@hostile_slowly
@given(hostile_json(POST_ANSWERS))
def test_any_answer_of_a_consolidation_function_labels_or_gives_a_reason(payload: bytes) -> None:
    shop = Workshop()
    shop.functions.functions[OWN_POST] = lambda event: payload
    shop.start(['{"source": "text"}'], task=None, post=OWN_POST)
    shop.answer_all([ANN], text)

    job = shop.job()
    if job.status is JobStatus.FAILED:
        assert OWN_POST in (job.failure_reason or "")
        return
    assert job.status is JobStatus.COMPLETED
    (line,) = shop.s3.text(job.output_manifest_uri).splitlines()
    labeled = strict(line.encode())
    assert "animals-metadata" in labeled
