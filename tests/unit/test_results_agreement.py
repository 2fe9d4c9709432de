"""Workers' agreement, likely label errors, and what the records of automated labeling tell."""

import io
import json
from pathlib import Path

import numpy as np
import pytest

from groundwork.manifest import LabelState
from groundwork.results.agreement import likeness, read_work
from groundwork.results.doubts import DoubtKind, doubts
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import ImageSize, Label
from groundwork.results.output_tree import open_output
from groundwork.results.quality import Box, Scores, classes_score, wilson_interval
from groundwork.results.report import make_report
from groundwork.results.rounds import read_automation_summary, read_rounds
from groundwork.results.second_opinions import SecondOpinions
from groundwork.results.stated_bound import stated_bound
from tests.support.output_trees import box, boxes_line, write_file, write_tree

CUP = Box("cup", 10, 20, 30, 40)


def boxes(*found: Box, confidence: float | None = None, size: ImageSize | None = None) -> Label:
    return Label(
        LabelKind.BOXES,
        boxes=found,
        classes=tuple(each.label for each in found),
        confidences=(confidence,) * len(found),
        image_size=size,
    )


def answers(*contents: object) -> str:
    return json.dumps(
        {
            "answers": [
                {
                    "workerId": f"private.us-east-1.{number}",
                    "timeSpentInSeconds": 4 + number,
                    "answerContent": {"element": content},
                }
                for number, content in enumerate(contents)
            ]
        }
    )


def drawn(*found: Box) -> dict[str, object]:
    sides = ("label", "left", "top", "width", "height")
    return {"boundingBoxes": [{side: getattr(each, side) for side in sides} for each in found]}


def test_labels_of_one_form_are_compared_and_others_are_not() -> None:
    assert likeness(boxes(CUP), boxes(CUP)) == 1.0
    assert likeness(boxes(CUP), boxes()) == 0.0
    one, other = Label(LabelKind.CLASS, classes=("a",)), Label(LabelKind.CLASS, classes=("b",))
    assert (likeness(one, one), likeness(one, other)) == (1.0, 0.0)
    assert likeness(one, boxes(CUP)) is None
    assert classes_score(["a", "b"], ["b", "c"]) == pytest.approx(1 / 3)
    assert classes_score([], []) == 1.0


def test_a_workers_agreement_is_the_mean_over_objects_of_the_pairs(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, [boxes_line("a.jpg", [box(0)])])
    for path in (tree / "annotations").rglob("*.json"):
        path.unlink()
    folder = "annotations/worker-response/iteration-1"
    write_file(tree, f"{folder}/0/t.json", answers(drawn(CUP), drawn(CUP), drawn()))
    write_file(tree, f"{folder}/1/t.json", answers({"label": "cup"}, {"label": "jug"}))
    write_file(tree, f"{folder}/2/t.json", answers({"label": "cup"}))
    found, workers = read_work(open_output(str(tree)))
    assert found[0].agreement == pytest.approx(1 / 3)
    assert found[1].agreement == 0.0
    assert found[2].agreement is None
    first, _, third = workers.values()
    assert (first.tasks, first.median_seconds, first.agreement.count) == (3, 4.0, 2)
    assert first.agreement.value == pytest.approx((1 / 2 + 0) / 2)
    assert third.agreement.value == 0.0


def test_intervals_are_wilsons_for_shares_and_normal_for_graded_scores() -> None:
    assert wilson_interval(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    scores = Scores()
    for score in [1.0] * 9 + [0.0]:
        scores.add(score)
    interval = scores.interval()
    assert interval is not None
    assert (interval.low, interval.high) == pytest.approx(wilson_interval(0.9, 10))
    scores.add(0.5)
    graded = scores.interval()
    assert graded is not None
    spread = np.std([1.0] * 9 + [0.0, 0.5], ddof=1) / 11**0.5
    assert graded.low == pytest.approx(9.5 / 11 - 1.959964 * spread)
    assert graded.high == 1.0
    assert (sum(scores.bins), scores.bins[10], scores.bins[19]) == (11, 1, 9)
    assert Scores().interval() is None


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        (boxes(CUP, Box("cup", 10, 21, 30, 40)), DoubtKind.DUPLICATE),
        (boxes(Box("cup", 10, 10, 2, 40)), DoubtKind.TINY),
        (boxes(Box("cup", 630, 10, 20, 40), size=ImageSize(640, 480)), DoubtKind.OUTSIDE),
    ],
)
def test_boxes_that_look_like_a_slip_of_the_hand_are_doubted(label: Label, kind: DoubtKind) -> None:
    assert [each.kind for each in doubts(LabelState.HUMAN, label)] == [kind]


def test_doubts_come_strongest_first_and_leave_out_the_faint() -> None:
    found = doubts(
        LabelState.MACHINE, boxes(CUP, confidence=0.5), score=0.1, agreement=0.9, model_surprise=0.6
    )
    assert [each.kind for each in found] == [
        DoubtKind.TRUTH,
        DoubtKind.MODEL,
        DoubtKind.CONFIDENCE,
    ]
    # People's confidence is that of their agreement: 0 for a single worker.
    assert not doubts(LabelState.HUMAN, boxes(CUP, confidence=0.0), score=0.9)


def test_records_of_rounds_are_read_in_order_and_broken_ones_told(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, [boxes_line("a.jpg", [box(0)])])
    for iteration in (10, 2):
        record: dict[str, object] = {
            "iteration": iteration,
            "target": 0.8,
            "unknown": [],
            "risk_curve": [],
        }
        write_file(tree, f"activelearning/{iteration}/round.json", json.dumps(record))
    write_file(tree, "activelearning/3/round.json", '{"iteration": "three"}')
    problems: list[str] = []
    output = open_output(str(tree))
    assert [each.iteration for each in read_rounds(output, problems)] == [2, 10]
    assert len(problems) == 1
    assert "3/round.json is no record" in problems[0]
    assert stated_bound(read_automation_summary(output)) is None
    write_file(tree, "activelearning/summary.json", '{"bound": 0.81, "confidence": 0.95}')
    bound = stated_bound(read_automation_summary(output))
    assert bound is not None
    assert (bound.quality, bound.confidence) == (0.81, 0.95)


def test_a_broken_summary_of_automated_labeling_is_told(tmp_path: Path) -> None:
    tree = write_tree(tmp_path, [boxes_line("a.jpg", [box(0)])])
    write_file(tree, "activelearning/summary.json", '{"bound": 0.8')
    report = make_report(open_output(str(tree)))
    assert report.stated_bound is None
    (note,) = report.notes
    assert "activelearning/summary.json is no record of automated labeling" in note


def test_peoples_label_is_compared_with_the_models_of_the_iteration_before(tmp_path: Path) -> None:
    line = boxes_line("a.jpg", [box(0)])
    tree = write_tree(tmp_path, [line, line])
    write_file(tree, "inference/shards.json", '{"objects": 2, "objects_per_shard": 1}')
    arrays = io.BytesIO()
    np.savez(arrays, objects=np.array([1]), forecasts=np.array([0.75]))
    write_file(tree, "inference/0/1.npz", arrays.getvalue())
    write_file(tree, "inference/0/1.jsonl", f"1 {json.dumps(line)}\n")
    opinions = SecondOpinions(open_output(str(tree)), "label")
    assert opinions.surprise(0, 1, boxes(CUP)) is None
    assert opinions.surprise(1, 1, boxes(CUP)) == 0.0
    assert opinions.surprise(1, 1, boxes()) == 0.75
    assert opinions.surprise(1, 0, boxes(CUP)) is None
    assert opinions.surprise(1, 2, boxes(CUP)) is None


GOOD = io.BytesIO()
np.savez_compressed(GOOD, objects=np.array([0]), forecasts=np.array([0.75]))


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("inference/shards.json", b'{"objects_per_shard": '),
        ("inference/shards.json", b"[]"),
        ("inference/0/0.npz", GOOD.getvalue()[:-40]),
        ("inference/0/0.npz", b"PK"),
        ("inference/0/0.npz", b""),
        ("inference/0/0.jsonl", b"0 {broken\n"),
        ("inference/0/0.jsonl", b"0 [1]\n"),
        ("inference/0/0.jsonl", b"zero {}\n"),
    ],
)
def test_what_cannot_be_read_of_the_models_opinions_is_named_and_left_out(
    tmp_path: Path, path: str, data: bytes
) -> None:
    line = boxes_line("a.jpg", [box(0)])
    tree = write_tree(tmp_path, [line])
    write_file(tree, "inference/shards.json", '{"objects_per_shard": 1}')
    write_file(tree, "inference/0/0.npz", GOOD.getvalue())
    write_file(tree, "inference/0/0.jsonl", f"0 {json.dumps(line)}\n")
    write_file(tree, path, data)
    problems: list[str] = []
    opinions = SecondOpinions(open_output(str(tree)), "label", problems)
    assert opinions.surprise(0, 1, boxes()) is None
    assert opinions.surprise(0, 1, boxes()) is None
    [problem] = problems
    assert f"{path} cannot be read" in problem


def test_a_models_label_whose_metadata_are_no_object_is_a_label_all_the_same(
    tmp_path: Path,
) -> None:
    line = boxes_line("a.jpg", []) | {"label-metadata": "lost"}
    tree = write_tree(tmp_path, [line])
    write_file(tree, "inference/shards.json", '{"objects_per_shard": 1}')
    write_file(tree, "inference/0/0.npz", GOOD.getvalue())
    write_file(tree, "inference/0/0.jsonl", f"0 {json.dumps(line)}\n")
    assert SecondOpinions(open_output(str(tree)), "label").surprise(0, 1, boxes()) == 0
