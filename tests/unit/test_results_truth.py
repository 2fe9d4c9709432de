"""Truth files."""

import json
from pathlib import Path

import pytest

from groundwork.results.kinds import LabelKind
from groundwork.results.quality import Box
from groundwork.results.truth import Truth, TruthError

CUP = {"label": "cup", "left": 1, "top": 2, "width": 3, "height": 4}


def written(folder: Path, content: object) -> Path:
    path = folder / "truth.json"
    path.write_text(json.dumps(content))
    return path


def test_boxes_are_found_by_path_name_or_uri(tmp_path: Path) -> None:
    truth = Truth.read(written(tmp_path, {"a.jpg": [CUP], "deep/b.jpg": []}))
    assert truth.labels == ("cup",)
    assert truth.of("a.jpg") == (Box("cup", 1, 2, 3, 4),)
    assert truth.of("s3://bucket/images/a.jpg") == (Box("cup", 1, 2, 3, 4),)
    assert truth.of("s3://bucket/images/deep/b.jpg") == ()
    assert truth.of("s3://bucket/images/b.jpg") is None


def test_everything_broken_is_told_at_once(tmp_path: Path) -> None:
    content = {
        "a.jpg": [CUP | {"width": 0, "label": ""}, 7],
        "b.jpg": {"label": "cup"},
        "c.jpg": [{"label": "cup", "left": "1", "top": 2, "width": 3, "height": 4}],
    }
    with pytest.raises(TruthError) as refusal:
        Truth.read(written(tmp_path, content))
    text = str(refusal.value)
    for part in (
        "5 broken entries",
        "a.jpg box 1: has no label",
        "a.jpg box 1: width is 0, not above 0",
        "a.jpg box 2: is not an object",
        "b.jpg is not a list",
        "c.jpg box 1: left is not a number",
    ):
        assert part in text


def test_a_missing_file_and_a_wrong_form_are_told(tmp_path: Path) -> None:
    with pytest.raises(TruthError, match=r"none\.json cannot be read: No such file"):
        Truth.read(tmp_path / "none.json")
    (tmp_path / "text.json").write_text("boxes")
    with pytest.raises(TruthError, match="is not JSON"):
        Truth.read(tmp_path / "text.json")
    with pytest.raises(TruthError, match="not a list"):
        Truth.read(written(tmp_path, []))


def test_images_and_labels_that_do_not_belong_are_told_together() -> None:
    truth = Truth({"a.jpg": (Box("cup", 0, 0, 1, 1), Box("jug", 0, 0, 1, 1)), "b.jpg": ()})
    assert truth.mismatches(["a.jpg", "b.jpg"], ["cup", "jug"]) == []
    missing, unknown = truth.mismatches(["a.jpg", "c.jpg", "d.jpg"], ["cup"])
    assert missing.startswith("2 of 3 images have no entry: c.jpg, d.jpg")
    assert unknown == ("it has labels that are not in the list of labels: jug; the list is cup")


def test_labels_are_scored_by_their_form_and_the_incomparable_not_at_all() -> None:
    cup = Box("cup", 0, 0, 1, 1)
    truth = Truth({"a.jpg": (cup,), "b.jpg": (cup, Box("jug", 0, 0, 1, 1)), "c.jpg": ()})
    assert truth.score("a.jpg", LabelKind.BOXES, (cup,), ("cup",)) == 1
    assert truth.score("a.jpg", LabelKind.BOXES, (), ()) == 0
    assert truth.score("c.jpg", LabelKind.BOXES, (), ()) == 1
    assert truth.score("a.jpg", LabelKind.CLASS, (), ("jug",)) == 0
    assert truth.score("a.jpg", LabelKind.CLASSES, (), ("cup", "jug")) == 1
    assert truth.score("b.jpg", LabelKind.CLASS, (), ("cup",)) is None
    assert truth.score("a.jpg", LabelKind.CLASSES, (), ()) is None
    for name in ("a.jpg", "c.jpg"):
        assert truth.score(name, LabelKind.OTHER, (), ()) is None
