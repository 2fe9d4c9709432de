"""Boxes: their geometry, the looks, the decision, and the forecast."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwork.autolabel.boxes.decision import (
    BoxLabel,
    Candidates,
    best_threshold,
    decide,
    describe,
    label_quality,
)
from groundwork.autolabel.boxes.geometry import clip, frames_around, fuse, moved, overlaps
from groundwork.autolabel.boxes.looks import Look, Places, seen_in_maps, train_look
from groundwork.autolabel.boxes.proposals import FeatureMaps
from groundwork.autolabel.forecast import Forecaster


def boxes(*each: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(each, float).reshape(-1, 4)


def test_overlaps_are_those_of_the_quality_definition() -> None:
    one = boxes((0, 0, 10, 10), (20, 20, 30, 40))
    other = boxes((5, 0, 15, 10), (0, 0, 10, 10), (100, 100, 101, 101))
    assert overlaps(one, other) == pytest.approx(np.array([[50 / 150, 1, 0], [0, 0, 0]]))
    for left, right, shared in ((one[:1], other[:1], 1 / 3), (one[:1], other[1:2], 1.0)):
        labels = [BoxLabel(each, np.zeros(1, np.intp)) for each in (left, right)]
        assert label_quality(*labels) == pytest.approx(shared)


@given(
    st.lists(
        st.tuples(*[st.floats(-500, 900, allow_nan=False) for _ in range(4)]),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 700),
    st.integers(1, 700),
)
@settings(deadline=None)
def test_clipped_boxes_lie_in_the_picture_and_have_an_area(
    edges: list[tuple[float, float, float, float]], width: int, height: int
) -> None:
    inside = clip(boxes(*edges), width, height)
    assert np.all(inside[:, :2] >= 0)
    assert np.all(inside[:, 2] <= width)
    assert np.all(inside[:, 3] <= height)
    assert np.all(inside[:, 2:] > inside[:, :2])


def test_frames_code_boxes_without_loss_and_are_never_thin() -> None:
    around = frames_around(boxes((10, 10, 110, 14), (5, 5, 25, 25)), 1.5)
    wanted = boxes((12, 9, 100, 16), (0, 0, 30, 20))
    assert around.decode(around.encode(wanted)) == pytest.approx(wanted)
    assert around.sides[0] == pytest.approx([150, 37.5])
    assert around.corners[1] == pytest.approx([0, 0, 30, 30])


def test_boxes_of_one_object_become_one_between_them() -> None:
    kept, merged = fuse(
        boxes((0, 0, 10, 10), (2, 0, 12, 10), (50, 50, 60, 60)), np.array([0.9, 0.9, 0.3]), 0.5
    )
    assert kept.tolist() == [0, 2]
    assert merged == pytest.approx(boxes((1, 0, 11, 10), (50, 50, 60, 60)))
    kept, merged = fuse(boxes(), np.zeros(0), 0.5)
    assert (len(kept), merged.shape) == (0, (0, 4))


def test_moved_edges_are_off_by_a_share_of_the_side() -> None:
    large = np.tile(boxes((0, 0, 100, 10)), (4000, 1))
    off = moved(large, 0.1, np.random.default_rng(0)) - large
    assert off.std(axis=0) == pytest.approx([10, 1, 10, 1], rel=0.1)


def test_features_are_seen_where_the_frame_is() -> None:
    fine = np.zeros((2, 28, 28, 112), np.float32)
    fine[1, 10:14, 20:24, 5] = 1
    maps = FeatureMaps(fine, np.zeros((2, 14, 14, 320), np.float32), np.full((2, 2), 28))
    at, off = boxes((20, 10, 24, 14)), boxes((2, 2, 6, 6))
    places = Places(np.array([1, 1, 0]), np.vstack([at, off, at]))
    block, coarse = seen_in_maps(maps, places, 1.0)
    assert block.shape == (3, 5 * 5 * 112)
    assert coarse.shape == (3, 3 * 3 * 320)
    middle = block.reshape(3, 5, 5, 112)[:, 2, 2, 5]
    assert middle == pytest.approx([1, 0, 0])


def a_world(pictures: int, seed: int) -> tuple[np.ndarray, Places, list[Any]]:
    """Places near one object each; what is seen tells class and offset plainly, with some noise."""
    random = np.random.default_rng(seed)
    labels, owners, around, rows = [], [], [], []
    for picture in range(pictures):
        box = np.array([[40, 40, 80, 90]]) + random.integers(0, 100)
        kind = np.array([picture % 2])
        labels.append((box.astype(float), kind))
        for _ in range(3):
            near = moved(box.astype(float), 0.1, random)
            owners.append(picture)
            around.append(near[0])
            offset = (box[0] - near[0]) / 40
            seen = np.r_[np.eye(2)[kind[0]], offset]
            rows.append(seen + random.normal(0, 0.02, 6))
        far = np.array([300.0, 300, 340, 350])
        owners.append(picture)
        around.append(far)
        rows.append(random.normal(0, 0.02, 6))
    return np.array(rows, np.float32), Places(np.array(owners), np.array(around)), labels


def test_a_look_learns_class_and_edges_and_is_honest_about_what_it_saw() -> None:
    rows, places, labels = a_world(40, 0)
    look, unseen = train_look([rows], places, labels, classes=2, zoom=1.2, told=len(places))
    fresh_rows, fresh, fresh_labels = a_world(20, 1)
    for seen, there, truth in (
        (unseen, places, labels),
        (look.see([fresh_rows], fresh.boxes), fresh, fresh_labels),
    ):
        near = np.arange(len(there)) % 4 != 3
        kinds = np.array([truth[owner][1][0] for owner in there.owners])
        assert np.mean(seen.scores.argmax(axis=1)[near] == kinds[near]) > 0.95
        assert seen.scores[~near].max() < 0.5 < np.median(seen.scores[near].max(axis=1))
        before = [
            overlaps(there.boxes[i][None], truth[there.owners[i]][0])[0, 0]
            for i in np.flatnonzero(near)
        ]
        after = [
            overlaps(seen.boxes[i][None], truth[there.owners[i]][0])[0, 0]
            for i in np.flatnonzero(near)
        ]
        assert np.mean(after) > np.mean(before) + 0.05


def test_a_look_comes_back_from_its_arrays_as_it_was() -> None:
    rows, places, labels = a_world(6, 0)
    look, _ = train_look([rows], places, labels, classes=2, zoom=1.2, told=4)
    again = Look.from_arrays(look.arrays())
    one, other = look.see([rows], places.boxes), again.see([rows], places.boxes)
    assert np.array_equal(one.scores, other.scores)
    assert np.array_equal(one.boxes, other.boxes)


def found(*each: tuple[tuple[float, float, float, float], tuple[float, float]]) -> Candidates:
    scores = np.array([scores for _, scores in each], float).reshape(-1, 2)
    return Candidates(boxes(*[box for box, _ in each]), scores)


def test_what_scores_above_the_threshold_is_kept_once() -> None:
    candidates = found(
        ((0, 0, 10, 10), (0.9, 0.1)),
        ((1, 0, 11, 10), (0.7, 0.2)),
        ((50, 50, 60, 60), (0.2, 0.6)),
        ((80, 80, 90, 90), (0.3, 0.1)),
    )
    label, scores = decide(candidates, 0.5)
    assert label.classes.tolist() == [0, 1]
    assert scores.tolist() == [0.9, 0.6]
    assert len(label.boxes) == 2
    nothing, none = decide(found(), 0.5)
    assert (len(nothing.boxes), len(none)) == (0, 0)


def test_the_threshold_is_where_labeled_pictures_come_out_best() -> None:
    truth = BoxLabel(boxes((0, 0, 10, 10)), np.array([0]))
    pictures = [
        found(((0, 0, 10, 10), (0.8, 0.0)), ((50, 50, 60, 60), (0.55, 0.0))) for _ in range(5)
    ]
    threshold = best_threshold(pictures, [truth] * 5)
    assert 0.55 <= threshold < 0.8


def test_a_description_has_no_gaps_even_of_an_empty_picture() -> None:
    for candidates in (
        found(),
        found(((0, 0, 1, 400), (0.9, 0.0))),
        found(((0, 0, 9, 9), (0.1, 0.2))),
    ):
        described = describe(candidates, 0.5, 500, 400)
        assert np.all(np.isfinite(described))
        assert described.shape == (12,)


def test_forecasts_follow_what_makes_labels_good() -> None:
    random = np.random.default_rng(0)
    descriptions = random.uniform(0, 1, (300, 3))
    scores = np.clip(descriptions[:, 0] + random.normal(0, 0.1, 300), 0, 1)
    forecaster, unseen = Forecaster.fit(descriptions, scores, random)
    assert np.corrcoef(unseen, scores)[0, 1] > 0.85
    again = Forecaster.from_arrays(forecaster.arrays())
    fresh = random.uniform(0, 1, (50, 3))
    assert np.corrcoef(again(fresh), fresh[:, 0])[0, 1] > 0.9
    assert np.array_equal(again(fresh), forecaster(fresh))


def test_forecasts_stay_between_0_and_1_and_need_no_variety() -> None:
    forecaster, unseen = Forecaster.fit(np.ones((5, 3)), np.ones(5), np.random.default_rng(0))
    assert unseen == pytest.approx(np.ones(5))
    assert np.all((forecaster(np.full((2, 3), 100.0)) >= 0) & (forecaster(np.zeros((2, 3))) <= 1))
