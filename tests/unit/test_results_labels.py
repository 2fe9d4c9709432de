"""Labels are read from whatever a manifest has, and what is missing is told."""

from typing import Any

import pytest

from groundwork.manifest import LabelState, LineError
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import (
    ImageSize,
    LineProblems,
    label_attributes,
    object_of,
    read_objects,
)
from groundwork.results.quality import Box
from tests.support.output_trees import (
    box,
    boxes_line,
    class_line,
    failed_line,
    manifest,
    unlabeled_line,
)


def read(line: dict[str, Any], **names: str) -> Any:
    known = {int(index.removeprefix("c")): name for index, name in names.items()}
    return object_of(0, line, "label").read(known)


def test_boxes_have_names_confidences_and_the_images_size() -> None:
    label = read(boxes_line("a.jpg", [box(0), box(2, left=50)]))

    assert label.kind is LabelKind.BOXES
    assert label.boxes == (Box("cup", 10, 20, 30, 40), Box("pot", 50, 20, 30, 40))
    assert label.classes == ("cup", "pot")
    assert label.confidences == (0.9, 0.9)
    assert label.image_size == ImageSize(640, 480, 3)
    assert label.problems == ()


def test_class_ids_may_be_text_and_the_form_of_workers_answers_is_taken() -> None:
    line = boxes_line("a.jpg", [box(1)])
    line["label"]["annotations"][0]["class_id"] = "1"
    assert read(line).boxes == (Box("jug", 10, 20, 30, 40),)

    worker = {"label": "jug", "left": 1, "top": 2, "width": 3, "height": 4}
    line["label"] = {"boundingBoxes": [worker]}
    assert read(line).boxes == (Box("jug", 1, 2, 3, 4),)


def test_a_class_that_the_line_does_not_name_is_told_and_named_by_others() -> None:
    line = boxes_line("a.jpg", [box(1)], changes={"class-map": {}})
    assert read(line).classes == ("class 1",)
    assert read(line).problems == ("class-map has no 1",)
    assert read(line, c1="jug").classes == ("jug",)
    del line["label"]["annotations"][0]["class_id"]
    assert read(line).problems == ("a class index is not a whole number",)


@pytest.mark.parametrize(
    "broken", [7, {}, box(0, width=0), box(0) | {"left": "far"}, box(0) | {"top": None}]
)
def test_a_box_without_a_place_is_left_out_and_told(broken: Any) -> None:
    line = boxes_line("a.jpg", [box(0)])
    line["label"]["annotations"].append(broken)
    label = read(line)
    assert label.boxes == (Box("cup", 10, 20, 30, 40),)
    assert label.problems == ("box 2 has no left, top, width and height with an area",)


@pytest.mark.parametrize("index", [1, "1", 1.0])
def test_a_class_index_may_be_a_number_or_text(index: Any) -> None:
    label = read(class_line("a.jpg", index))
    assert (label.kind, label.classes, label.confidences) == (LabelKind.CLASS, ("jug",), (0.9,))
    nameless = class_line("a.jpg", index, changes={"class-name": None})
    assert read(nameless).classes == ("class 1",)


def test_several_classes_of_one_object_are_read() -> None:
    line = class_line("a.jpg", 0) | {"label": [0, 2]}
    line["label-metadata"] |= {
        "class-map": {"0": "cup", "2": "pot"},
        "confidence-map": {"0": 0.5, "2": 0.75},
    }
    label = read(line)
    assert (label.kind, label.classes) == (LabelKind.CLASSES, ("cup", "pot"))
    assert label.confidences == (0.5, 0.75)


@pytest.mark.parametrize("label", ["s3://bucket/mask.png", {"entities": []}, ["a"], None])
def test_labels_of_other_tasks_are_neither_boxes_nor_classes(label: Any) -> None:
    line = unlabeled_line("a.jpg") | {"label": label, "label-metadata": {"job-name": "j"}}
    assert read(line).kind is LabelKind.OTHER


def test_job_and_date_are_found_under_either_name() -> None:
    plain = object_of(0, boxes_line("a.jpg", [], job="kitchen"), "label")
    assert plain.job_name == "kitchen"
    line = unlabeled_line("a.jpg") | {
        "label-metadata": {"job_name": "labeling-job/own", "creation_date": "2026-03-01"}
    }
    custom = object_of(0, line, "label")
    assert (custom.job_name, custom.created) == ("own", "2026-03-01")


def test_only_what_a_job_wrote_is_a_label_attribute() -> None:
    line = boxes_line("a.jpg", [], attribute="boxes") | {
        "photo": 1,
        "photo-metadata": {"camera": "x"},
        "kind-metadata": {"failure-reason": "no"},
        "text-metadata": "human-annotated",
    }
    assert label_attributes(line) == ["boxes", "kind"]


def test_broken_lines_are_gathered_with_their_numbers_or_stop_the_reading() -> None:
    lines = manifest([unlabeled_line("a.jpg"), "{", '{"photo": 1}', failed_line("b.jpg"), ""])
    broken = LineProblems()
    found = list(read_objects([lines], "label", broken))
    assert [each.object_id for each in found] == [0, 3]
    assert found[1].state is LabelState.FAILED
    assert broken.count == 3
    assert [problem.number for problem in broken.first] == [2, 3, 5]
    assert "neither 'source-ref' nor 'source'" in str(broken.first[1])
    with pytest.raises(LineError):
        list(read_objects([lines], "label"))
