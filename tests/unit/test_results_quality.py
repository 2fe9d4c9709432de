"""The measures of label quality."""

import pytest

from groundwork.results.quality import Box, class_accuracy, image_mean_iou, iou, mean_iou

CUP = Box("cup", 0, 0, 10, 10)


def shifted(right: float, label: str = "cup") -> Box:
    return Box(label, right, 0, 10, 10)


def test_iou_is_the_shared_over_the_covered_area() -> None:
    assert iou(CUP, CUP) == 1.0
    assert iou(CUP, shifted(5)) == pytest.approx(50 / 150)
    assert iou(CUP, shifted(10)) == 0.0
    assert iou(CUP, Box("cup", 2, 2, 5, 4)) == pytest.approx(20 / 100)


def test_an_empty_image_labeled_empty_is_perfect() -> None:
    assert image_mean_iou([], []) == 1.0


def test_missed_and_extra_boxes_count_zero() -> None:
    assert image_mean_iou([], [CUP]) == 0.0
    assert image_mean_iou([CUP], []) == 0.0
    assert image_mean_iou([CUP], [CUP, shifted(50)]) == pytest.approx(1 / 2)
    assert image_mean_iou([CUP, shifted(50), shifted(90)], [CUP]) == pytest.approx(1 / 3)


def test_a_wrongly_classed_box_is_both_missed_and_extra() -> None:
    assert image_mean_iou([CUP, shifted(50, "jug")], [CUP, shifted(50)]) == pytest.approx(1 / 3)


def test_a_box_that_touches_nothing_is_not_matched() -> None:
    assert image_mean_iou([shifted(40)], [CUP]) == 0.0
    assert image_mean_iou([CUP, shifted(40)], [CUP, shifted(80)]) == pytest.approx(1 / 3)


def test_the_best_pairs_are_matched_first() -> None:
    # The second prediction fits the first truth better than the first prediction does.
    predicted, truth = [shifted(5), shifted(1)], [CUP, shifted(9)]
    assert image_mean_iou(predicted, truth) == pytest.approx((90 / 110 + 60 / 140) / 2)


def test_one_prediction_matches_one_truth_only() -> None:
    assert image_mean_iou([CUP, CUP], [CUP]) == pytest.approx(1 / 2)


def test_the_order_of_boxes_changes_nothing() -> None:
    predicted, truth = [CUP, shifted(4), shifted(9, "jug")], [shifted(3), shifted(8, "jug"), CUP]
    straight = image_mean_iou(predicted, truth)
    assert image_mean_iou(predicted[::-1], truth[::-1]) == pytest.approx(straight)


def test_means_over_images_and_objects() -> None:
    assert mean_iou([([CUP], [CUP]), ([], [CUP])]) == pytest.approx(0.5)
    assert mean_iou([]) is None
    assert class_accuracy([("a", "a"), ("b", "a"), ("b", "b"), ("c", "c")]) == pytest.approx(0.75)
    assert class_accuracy([]) is None
