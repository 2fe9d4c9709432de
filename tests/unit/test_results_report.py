"""What is told of a job's results."""

from pathlib import Path
from typing import Any

import pytest

from groundwork.results.output_tree import ResultsError, open_output
from groundwork.results.quality import Box
from groundwork.results.report import LabelAttributeError, Report, make_report
from groundwork.results.truth import Truth
from tests.support.output_trees import (
    box,
    boxes_line,
    class_line,
    failed_line,
    manifest,
    unlabeled_line,
    write_file,
    write_tree,
)

CUP = Box("cup", 10, 20, 30, 40)


def reported(folder: Path, lines: list[Any], **options: Any) -> Report:
    path = write_file(folder, "it.manifest", manifest(lines))
    return make_report(open_output(str(path)), **options)


def test_a_ground_truth_tree_is_told_in_full(tmp_path: Path) -> None:
    """People and machine apart, by class and iteration, with quality against the truth."""
    lines = [
        boxes_line("a.jpg", [box(0), box(1, left=100)], confidence=0),
        failed_line("b.jpg"),
        boxes_line("c.jpg", [box(0, left=25)], by="no", confidence=0.72),
        boxes_line("d.jpg", [], confidence=0),
        unlabeled_line("e.jpg"),
    ]
    truth = Truth({"a.jpg": (CUP,), "c.jpg": (CUP,), "d.jpg": (), "e.jpg": (CUP,)})
    output = open_output(str(write_tree(tmp_path, lines)))
    document = make_report(output, truth=truth).to_dict()

    assert document["label_attribute"] == "label"
    assert document["jobs"] == {"kitchen": 4}
    assert document["objects"] == 5
    assert document["states"] == {"human": 2, "machine": 1, "failed": 1, "unlabeled": 1}
    assert document["classes"] == [
        {"name": "cup", "human": 1, "machine": 1},
        {"name": "jug", "human": 1, "machine": 0},
    ]
    assert document["iterations"] == [
        {"iteration": 1, "human": 1, "machine": 0, "failed": 1},
        {"iteration": 2, "human": 1, "machine": 1, "failed": 0},
    ]
    assert document["machine_confidence"]["labels"] == 1
    assert document["machine_confidence"]["bins"][14] == {"from": 0.7, "to": 0.75, "labels": 1}
    assert document["quality"]["human"] == {
        "measure": "mean IoU",
        "mean": pytest.approx((0.5 + 1) / 2),
        "objects": 2,
        "interval": {
            "low": pytest.approx(0.75 - 1.959964 * 0.25),
            "high": 1.0,
            "confidence": 0.95,
            "method": "normal approximation",
        },
    }
    assert document["quality"]["machine"]["mean"] == pytest.approx(15 / 45)
    assert document["failure_reasons"] == {"no worker answered": 1}
    assert document["stated_bound"] is None
    assert document["notes"] == []


def test_classes_are_measured_by_accuracy_where_the_truth_is_of_one_class(tmp_path: Path) -> None:
    jug = Box("jug", 0, 0, 1, 1)
    truth = Truth({"a.jpg": (CUP,), "b.jpg": (CUP, CUP), "c.jpg": (CUP, jug), "d.jpg": ()})
    lines = [
        class_line(f"{name}.jpg", index) for name, index in zip("abcd", (0, 1, 0, 0), strict=True)
    ]
    report = reported(tmp_path, lines, truth=truth)
    assert report.measure == "accuracy"
    quality = report.to_dict()["quality"]["human"]
    assert (quality["mean"], quality["objects"]) == (0.5, 2)


def test_labels_that_the_truth_cannot_be_compared_with_have_no_quality(tmp_path: Path) -> None:
    """A segmentation mask and an image without a class are not as bad as a wrong label."""
    truth = Truth({"a.jpg": (CUP,), "b.jpg": ()})
    metadata = {"type": "groundtruth/semantic-segmentation", "human-annotated": "yes"}
    masks = [
        unlabeled_line(name)
        | {"mask-ref": f"s3://bucket/{name}.png", "mask-ref-metadata": metadata}
        for name in ("a.jpg", "b.jpg")
    ]
    report = reported(tmp_path, masks, truth=truth)
    assert report.measure is None
    assert report.to_dict()["quality"]["human"] == {
        "measure": None,
        "mean": None,
        "objects": 0,
        "interval": None,
    }
    assert not any("The truth knows none" in note for note in report.notes)
    several = {"class-map": {"0": "cup"}, "human-annotated": "yes"}
    lines = [
        unlabeled_line("a.jpg") | {"label": classes, "label-metadata": several}
        for classes in ([], [0])
    ]
    report = reported(tmp_path, lines, truth=truth)
    assert report.measure == "accuracy of the first class"
    assert report.to_dict()["quality"]["human"]["objects"] == 1


def test_a_label_whose_class_has_no_name_is_not_measured(tmp_path: Path) -> None:
    nameless = boxes_line("a.jpg", [box(0)], changes={"class-map": {}})
    report = reported(tmp_path, [nameless], truth=Truth({"a.jpg": (CUP,)}))
    assert report.to_dict()["quality"]["human"]["mean"] is None
    assert report.to_dict()["label_problems"]["count"] == 1


def test_several_jobs_in_one_manifest_have_to_be_told_apart(tmp_path: Path) -> None:
    both = boxes_line("a.jpg", [box(0)]) | class_line("a.jpg", 2, attribute="kind")
    with pytest.raises(
        LabelAttributeError,
        match=r"kind \(1 objects of job kinds\); label \(1 objects of job kitchen\)",
    ):
        reported(tmp_path, [both])
    assert reported(tmp_path, [both], label_attribute="kind").class_rows() == [("pot", 1, 0)]
    with pytest.raises(LabelAttributeError, match=r"'knid'; there are kind .*; label"):
        reported(tmp_path, [both], label_attribute="knid")


def test_jobs_chained_under_one_attribute_are_both_named(tmp_path: Path) -> None:
    lines = [boxes_line("a.jpg", [], job="labeling-job/one"), boxes_line("b.jpg", [], job="two")]
    assert reported(tmp_path, lines).to_dict()["jobs"] == {"one": 1, "two": 1}


@pytest.mark.parametrize(
    ("lines", "objects", "note"),
    [
        ([], 0, "The manifest has no objects."),
        ([unlabeled_line("a.jpg")], 1, "No object has a label yet."),
        (["{", unlabeled_line("a.jpg")], 1, "Lines that are no objects, and counted nowhere: 1."),
    ],
    ids=["empty", "nothing labeled", "broken line"],
)
def test_what_is_not_there_is_told(
    tmp_path: Path, lines: list[Any], objects: int, note: str
) -> None:
    report = reported(tmp_path, lines)
    assert report.summary.objects == objects
    assert note in report.notes
    assert report.label_attribute is None


def test_a_running_job_and_a_truth_of_other_images_are_noted(tmp_path: Path) -> None:
    path = "manifests/intermediate/4/output.manifest"
    write_file(tmp_path, path, manifest([boxes_line("a.jpg", [])]))
    report = make_report(open_output(str(tmp_path)), truth=Truth({"z.jpg": ()}))
    assert any("the labels after iteration 4" in note for note in report.notes)
    assert any("The truth knows none" in note for note in report.notes)


def test_what_is_no_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"no manifest: none of its 2 lines .* line 1: is not"):
        reported(tmp_path, ["{", "}"])
