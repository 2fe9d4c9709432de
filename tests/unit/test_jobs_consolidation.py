"""Several people's answers become one label."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwork.images import ImageFacts
from groundwork.jobs.consolidation import AnswerError, boxes
from groundwork.jobs.consolidation.boxes import Box, consolidate_boxes, iou, read_boxes
from groundwork.jobs.consolidation.classes import (
    Vote,
    consolidate_classes,
    dawid_skene,
    read_vote,
)
from tests.support.job_fakes import box, boxes_answer, class_answer

LABELS = ("cat", "dog", "bird")
IMAGE = ImageFacts("jpeg", 100, 80, 3)


def test_one_worker_is_believed_at_confidence_zero() -> None:
    labels = consolidate_classes([[Vote("a", 2)], [Vote("a", 0)]], LABELS, 1)
    assert [label.value for label in labels] == [2, 0]
    assert labels[0].metadata == {"confidence": 0.0, "class-name": "bird"}


def test_the_majority_wins_among_equally_reliable_workers() -> None:
    votes = [[Vote("a", 0), Vote("b", 0), Vote("c", 1)], [Vote("a", 2), Vote("b", 2), Vote("c", 2)]]
    labels = consolidate_classes(votes, LABELS, 3)
    assert [label.value for label in labels] == [0, 2]
    assert 0 < labels[0].metadata["confidence"] < labels[1].metadata["confidence"] <= 1


def test_a_tie_goes_to_the_first_class_of_the_list() -> None:
    winners, confidences = dawid_skene([[Vote("a", 2), Vote("b", 1)]])
    assert winners == [1]
    assert confidences == [0.5]


def test_a_reliable_minority_beats_a_careless_majority() -> None:
    rng = random.Random(5)
    truth = [rng.randrange(3) for _ in range(400)]
    careful = ["a", "b", "c"]
    # Two who answer "cat" whatever they see agree with each other all the time.
    lazy = ["x", "y"]
    votes = []
    for true_class in truth:
        given = [
            Vote(name, true_class if rng.random() < 0.93 else rng.randrange(3))
            for name in rng.sample(careful, 1)
        ]
        votes.append([*given, *(Vote(name, 0) for name in lazy)])
    # Some objects everybody careful saw, which tells who is who.
    for index in range(0, 400, 2):
        votes[index] = [
            *(Vote(n, truth[index] if rng.random() < 0.93 else 0) for n in careful),
            *(Vote(n, 0) for n in lazy),
        ]

    winners, confidences = dawid_skene(votes)
    right = sum(winner == true for winner, true in zip(winners, truth, strict=True))
    majority = sum(_majority(given) == true for given, true in zip(votes, truth, strict=True))

    assert right / 400 > 0.9
    assert right > majority + 60
    assert all(0 < confidence <= 1 for confidence in confidences)


def test_confidence_says_how_often_the_label_is_right() -> None:
    rng = random.Random(7)
    truth = [rng.randrange(3) for _ in range(1_000)]
    votes = [
        [Vote(f"w{rng.randrange(12)}-{k}", t if rng.random() < 0.7 else rng.randrange(3))
         for k in range(3)]
        for t in truth
    ]  # fmt: skip
    winners, confidences = dawid_skene(votes)
    accuracy = sum(w == t for w, t in zip(winners, truth, strict=True)) / 1_000
    assert abs(sum(confidences) / 1_000 - accuracy) < 0.08


def test_consolidation_does_not_depend_on_the_order_of_answers_or_runs() -> None:
    votes = [[Vote("a", 0), Vote("b", 1), Vote("c", 1)], [Vote("c", 2), Vote("a", 2)]]
    turned = [list(reversed(given)) for given in votes]
    assert dawid_skene(votes) == dawid_skene(turned) == dawid_skene(votes)


def test_no_objects_are_no_trouble() -> None:
    assert dawid_skene([]) == ([], [])


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 2)), min_size=1, max_size=5),
        min_size=1,
        max_size=12,
    )
)
def test_the_winner_is_always_a_class_that_somebody_gave(
    given_votes: list[list[tuple[str, int]]],
) -> None:
    votes = [[Vote(name, index) for name, index in given] for given in given_votes]
    winners, confidences = dawid_skene(votes)
    everything = {vote.class_index for given in votes for vote in given}
    assert len(winners) == len(confidences) == len(votes)
    assert set(winners) <= everything
    assert all(0 < confidence <= 1 for confidence in confidences)


def test_a_class_is_read_from_the_element_whatever_its_name() -> None:
    assert read_vote(class_answer("dog"), "crowd-image-classifier", LABELS) == 1
    assert read_vote({"mine": {"label": "bird"}}, "crowd-image-classifier", LABELS) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({}, "the answer has no element 'e' with a label"),
        ({"e": "cat"}, "the answer has no element 'e' with a label"),
        ({"e": {"label": "cow"}}, "'cow' is not one of the job's labels"),
        ({"e": {"label": ["cat"]}}, "['cat'] is not one of the job's labels"),
        ({"e": {"label": None}}, "None is not one of the job's labels"),
    ],
)
def test_a_class_that_does_not_fit_is_refused(content: dict[str, Any], problem: str) -> None:
    with pytest.raises(AnswerError) as refused:
        read_vote(content, "e", LABELS)
    assert str(refused.value) == problem


def test_boxes_are_read_in_image_pixels() -> None:
    boxes = read_boxes(boxes_answer(box("dog", 1.5, 2, 10, 20)), "boundingBox", LABELS, IMAGE)
    assert boxes == [Box(1, 1.5, 2, 11.5, 22)]
    assert read_boxes({"mine": {"boundingBoxes": []}}, "boundingBox", LABELS, IMAGE) == []


def test_a_fraction_of_a_pixel_over_the_edge_is_cut_off() -> None:
    (found,) = read_boxes(
        boxes_answer(box("cat", -0.4, -1, 101, 81.9)), "boundingBox", LABELS, IMAGE
    )
    assert found == Box(0, 0, 0, 100, 80)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({}, "the answer has no element 'boundingBox' with a list of boundingBoxes"),
        ({"boundingBox": {"boundingBoxes": {}}}, "with a list of boundingBoxes"),
        (boxes_answer(box("cow", 0, 0, 1, 1)), "box 1 has the label 'cow', not one of"),
        ({"boundingBox": {"boundingBoxes": [3]}}, "box 1 is not an object"),
        (
            boxes_answer(box("cat", 0, 0, 5, 5), box("dog", 90, 0, 20, 5)),
            "box 2 ('dog') reaches outside the image of 100 x 80 pixels: left 90.0, top 0.0, "
            "width 20.0, height 5.0",
        ),
        (boxes_answer(box("cat", 0, 0, 0, 5)), "box 1 ('cat') has no area"),
        (boxes_answer(box("cat", 0, 0, float("nan"), 5)), "box 1 has the width nan"),
        ({"boundingBox": {"boundingBoxes": [{"label": "cat"}]}}, "box 1 has the left None"),
        (
            {"boundingBox": {"boundingBoxes": [{**box("cat", 0, 0, 5, 5), "top": True}]}},
            "box 1 has the top True, not a number",
        ),
    ],
)
def test_boxes_that_do_not_fit_are_refused(content: dict[str, Any], problem: str) -> None:
    with pytest.raises(AnswerError) as refused:
        read_boxes(content, "boundingBox", LABELS, IMAGE)
    assert problem in str(refused.value)


def test_boxes_of_one_worker_are_taken_over_at_confidence_zero() -> None:
    label = consolidate_boxes(
        {"a": [Box(2, 5.4, 6.6, 20, 30), Box(0, 0, 0, 9, 9)]}, LABELS, IMAGE, 1
    )
    assert label.value == {
        "image_size": [{"width": 100, "height": 80, "depth": 3}],
        "annotations": [
            {"class_id": 0, "left": 0, "top": 0, "width": 9, "height": 9},
            {"class_id": 2, "left": 5, "top": 7, "width": 15, "height": 23},
        ],
    }
    assert label.metadata == {
        "objects": [{"confidence": 0.0}, {"confidence": 0.0}],
        "class-map": {"0": "cat", "2": "bird"},
    }


def test_matching_boxes_are_averaged_and_the_minoritys_are_dropped() -> None:
    label = consolidate_boxes(
        {
            "a": [Box(0, 10, 10, 30, 30)],
            "b": [Box(0, 12, 10, 32, 30), Box(0, 60, 60, 70, 70)],
            "c": [Box(0, 11, 10, 31, 33)],
        },
        LABELS,
        IMAGE,
        3,
    )
    assert label.value["annotations"] == [
        {"class_id": 0, "left": 11, "top": 10, "width": 20, "height": 21}
    ]
    (found,) = label.metadata["objects"]
    assert 0.85 < found["confidence"] < 0.95


def test_confidence_falls_with_every_worker_who_drew_no_such_box() -> None:
    same = Box(1, 10, 10, 30, 30)
    label = consolidate_boxes({"a": [same], "b": [same], "c": []}, LABELS, IMAGE, 3)
    assert label.metadata["objects"] == [{"confidence": 0.6667}]
    assert consolidate_boxes({"a": [same], "b": []}, LABELS, IMAGE, 2).metadata["objects"] == [
        {"confidence": 0.5}
    ]


def test_boxes_of_different_labels_or_of_one_worker_are_never_merged() -> None:
    here = (10.0, 10.0, 30.0, 30.0)
    two = consolidate_boxes({"a": [Box(0, *here)], "b": [Box(1, *here)]}, LABELS, IMAGE, 2)
    assert [found["class_id"] for found in two.value["annotations"]] == [0, 1]
    doubled = consolidate_boxes(
        {"a": [Box(0, *here), Box(0, *here)], "b": [Box(0, *here)]}, LABELS, IMAGE, 2
    )
    assert [found["confidence"] for found in doubled.metadata["objects"]] == [1.0, 0.5]


def test_the_best_pairs_are_matched_first() -> None:
    label = consolidate_boxes(
        {
            "a": [Box(0, 0, 0, 20, 20), Box(0, 6, 0, 26, 20)],
            "b": [Box(0, 5, 0, 25, 20), Box(0, 1, 0, 21, 20)],
        },
        LABELS,
        IMAGE,
        2,
    )
    # Rounding halves to even: 0.5 becomes 0, 20.5 becomes 20.
    assert [found["left"] for found in label.value["annotations"]] == [0, 6]


def test_nothing_to_label_is_a_label() -> None:
    label = consolidate_boxes({"a": [], "b": []}, LABELS, IMAGE, 2)
    assert label.value["annotations"] == []
    assert label.metadata == {"objects": [], "class-map": {}}


@settings(deadline=None)
@given(
    st.dictionaries(
        st.sampled_from("abcde"),
        st.lists(
            st.builds(
                lambda c, x, y, w, h: Box(c, x, y, min(100.0, x + w), min(80.0, y + h)),
                st.integers(0, 2),
                st.floats(0, 98),
                st.floats(0, 78),
                st.floats(0.5, 50),
                st.floats(0.5, 50),
            ),
            max_size=6,
        ),
        min_size=1,
    ),
    st.randoms(),
)
def test_consolidated_boxes_lie_in_the_image_and_do_not_depend_on_order(
    answers: dict[str, list[Box]], rng: random.Random
) -> None:
    label = consolidate_boxes(answers, LABELS, IMAGE, 3)
    for found in label.value["annotations"]:
        assert found["left"] >= 0
        assert found["top"] >= 0
        assert found["width"] >= 1
        assert found["height"] >= 1
        assert found["left"] + found["width"] <= 100
        assert found["top"] + found["height"] <= 80
    assert len(label.metadata["objects"]) == len(label.value["annotations"])
    assert all(0 <= entry["confidence"] <= 1 for entry in label.metadata["objects"])
    order = list(answers)
    rng.shuffle(order)
    assert consolidate_boxes({name: answers[name] for name in order}, LABELS, IMAGE, 3) == label


def test_overlap_is_one_for_the_same_box_and_zero_for_neighbours() -> None:
    one = Box(0, 0, 0, 10, 10)
    assert iou(one, one) == 1
    assert iou(one, Box(0, 10, 0, 20, 10)) == 0
    assert iou(one, Box(0, 5, 0, 15, 10)) == pytest.approx(1 / 3)


def _majority(given: list[Vote]) -> int:
    counts = [sum(vote.class_index == index for vote in given) for index in range(3)]
    return counts.index(max(counts))


@pytest.mark.parametrize("key", ["left", "width"])
def test_a_number_that_no_float_can_hold_is_refused_and_cut_in_what_is_told(key: str) -> None:
    drawn = {**box("cat", 1, 2, 3, 4), key: 10**290}
    with pytest.raises(AnswerError) as refused:
        read_boxes(boxes_answer(drawn), "boundingBox", LABELS, IMAGE)
    assert len(str(refused.value)) < 1_500


def test_an_answer_with_more_boxes_than_anybody_draws_is_refused() -> None:
    drawn = [box("cat", 1, 2, 3, 4)] * 1_001
    with pytest.raises(AnswerError, match="the answer has 1,001 boxes; at most 1,000 are read"):
        read_boxes(boxes_answer(*drawn), "boundingBox", LABELS, IMAGE)


def test_boxes_above_each_other_are_compared_so_long_and_no_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boxes, "MAXIMUM_COMPARISONS", 10_000)
    crowded = {f"w{number}": [Box(0, 0, 0, 50, 50)] * 100 for number in range(9)}
    with pytest.raises(AnswerError, match="900 boxes of 9 workers lie above each other"):
        consolidate_boxes(crowded, LABELS, IMAGE, 9)

    apart = [Box(0, left, 0, left + 1, 50) for left in range(99)] * 2
    assert consolidate_boxes({"a": apart, "b": apart}, LABELS, IMAGE, 2).value["annotations"]
