"""Reading and summing up augmented manifests."""

import json
from typing import Any

import pytest

from groundwork.manifest import LabelState
from groundwork.results.labels import read_objects
from groundwork.results.quality import Box
from groundwork.results.summary import summarize
from groundwork.results.truth import Truth

CLASS_MAP = {"0": "cup", "2": "jug"}


def line(name: str, boxes: list[dict[str, Any]] | None, **metadata: Any) -> bytes:
    attributes: dict[str, Any] = {"source-ref": f"s3://bucket/images/{name}"}
    if boxes is not None:
        attributes["emblem"] = {
            "image_size": [{"width": 100, "height": 80, "depth": 3}],
            "annotations": boxes,
        }
    if metadata:
        attributes["emblem-metadata"] = metadata
    return json.dumps(attributes).encode() + b"\n"


def box(class_id: int, left: int) -> dict[str, Any]:
    return {"class_id": class_id, "left": left, "top": 0, "width": 10, "height": 10}


HUMAN = {"class-map": CLASS_MAP, "human-annotated": "yes", "job-name": "labeling-job/j"}
MACHINE = HUMAN | {"human-annotated": "no"}
MANIFEST = [
    line("a.jpg", [box(0, 0), box(2, 50)], **HUMAN),
    line("b.jpg", [], **HUMAN | {"class-map": {}}),
    line("c.jpg", [box(0, 5)], **MACHINE),
    line("d.jpg", None, **{"failure-reason": "the file is no image"}),
    line("e.jpg", None),
]


def test_objects_are_split_by_who_labeled_them() -> None:
    results = list(read_objects(MANIFEST, "emblem"))
    assert [result.state for result in results] == [
        LabelState.HUMAN,
        LabelState.HUMAN,
        LabelState.MACHINE,
        LabelState.FAILED,
        LabelState.UNLABELED,
    ]
    assert [result.object_id for result in results] == [0, 1, 2, 3, 4]
    assert results[4].source == "s3://bucket/images/e.jpg"
    assert results[0].boxes() == [Box("cup", 0, 0, 10, 10), Box("jug", 50, 0, 10, 10)]
    assert results[1].boxes() == []
    assert results[3].failure_reason == "the file is no image"


def test_a_summary_counts_and_scores_people_and_machine_apart() -> None:
    cup = Box("cup", 0, 0, 10, 10)
    truth = Truth({"a.jpg": (cup,), "b.jpg": (), "c.jpg": (cup,)})
    summary = summarize(read_objects(MANIFEST, "emblem"), truth)
    assert summary.objects == 5
    assert summary.states == {
        LabelState.HUMAN: 2,
        LabelState.MACHINE: 1,
        LabelState.FAILED: 1,
        LabelState.UNLABELED: 1,
    }
    assert summary.human_mean_iou == pytest.approx((1 / 2 + 1) / 2)
    assert summary.machine_mean_iou == pytest.approx(50 / 150)


def test_without_truth_there_is_no_quality() -> None:
    summary = summarize(read_objects(MANIFEST, "emblem"))
    assert summary.states[LabelState.HUMAN] == 2
    assert summary.human_mean_iou is None
    assert summary.machine_mean_iou is None


def test_class_labels_are_read_by_name() -> None:
    manifest = json.dumps(
        {"source-ref": "s3://b/a.jpg", "kind": 1, "kind-metadata": {"class-name": "jug"}}
    ).encode()
    (result,) = read_objects([manifest], "kind")
    assert result.state is LabelState.HUMAN
    assert result.class_name() == "jug"
