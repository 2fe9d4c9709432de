"""The proposal network: its gradients, its targets, and that it finds what it was shown."""

import numpy as np
import pytest

from groundwork.autolabel.boxes.geometry import overlaps
from groundwork.autolabel.boxes.proposals import (
    FeatureMaps,
    Objects,
    ProposalNetwork,
    Trainer,
    gather,
    generalized_iou,
    loss_and_gradients,
    propose,
    train_proposals,
)

CLASSES = 2


def test_the_gradients_are_those_of_the_loss() -> None:
    random = np.random.default_rng(0)
    trainer = Trainer.fresh(7, CLASSES, random)
    # Larger last weights, so that no gradient is lost in rounding.
    weights = [each.astype(np.float64) for each in trainer.weights]
    weights[4] = random.normal(0, 0.3, weights[4].shape)
    cells = random.normal(size=(30, 7))
    heat = random.uniform(0, 1, (30, CLASSES))
    distances = random.uniform(0.3, 4, (30, 4))
    edge_weights = np.where(random.random(30) < 0.5, 0.0, random.random(30))

    # The emphasis on wrong cells is held fixed in the gradient: compare with a loss that has it so.
    def emphasis_free(values: list[np.ndarray]) -> float:
        one = np.maximum(cells @ values[0] + values[1], 0)
        two = np.maximum(one @ values[2] + values[3], 0)
        out = two @ values[4] + values[5]
        logits = out[:, :-4]
        part = emphasis * (np.logaddexp(0, logits) - heat * logits)
        rows = np.flatnonzero(edge_weights > 0)
        shares = edge_weights[rows] / edge_weights[rows].sum()
        giou, _ = generalized_iou(np.exp(out[rows, -4:] + 1), distances[rows])
        return float(part.sum() + 2 * np.sum(shares * (1 - giou)))

    one = np.maximum(cells @ weights[0] + weights[1], 0)
    out = np.maximum(one @ weights[2] + weights[3], 0) @ weights[4] + weights[5]
    emphasis = np.abs(1 / (1 + np.exp(-out[:, :-4])) - heat) * 2 / heat.max(axis=1).sum()
    loss, gradients = loss_and_gradients(weights, cells, heat, distances, edge_weights)
    assert loss == pytest.approx(emphasis_free(weights), rel=1e-6)
    for index, gradient in enumerate(gradients):
        for place in random.integers(0, gradient.size, 6):
            step = np.zeros(gradient.size)
            step[place] = 1e-5
            moved = [each.copy() for each in weights]
            moved[index] += step.reshape(gradient.shape)
            back = [each.copy() for each in weights]
            back[index] -= step.reshape(gradient.shape)
            wanted = (emphasis_free(moved) - emphasis_free(back)) / 2e-5
            assert gradient.ravel()[place] == pytest.approx(wanted, rel=1e-4, abs=1e-7)


def test_the_generalized_iou_is_that_of_boxes_around_one_point() -> None:
    predicted = np.array([[1.0, 1, 1, 1], [2, 2, 2, 2], [3, 0.5, 0.5, 3]])
    wanted = np.array([[1.0, 1, 1, 1], [1, 1, 1, 1], [0.5, 3, 3, 0.5]])
    values, _ = generalized_iou(predicted, wanted)
    assert values[0] == pytest.approx(1)
    assert values[1] == pytest.approx(4 / 16)
    # 1 x 1 of 3.5 x 3.5 twice shared; the hull is 6 x 6.
    union = 2 * 3.5**2 - 1
    assert values[2] == pytest.approx(1 / union - (36 - union) / 36)


def drawn(pictures: int, seed: int) -> tuple[FeatureMaps, list[Objects]]:
    """Feature maps in which each class lights up its own channel inside its objects."""
    random = np.random.default_rng(seed)
    fine = random.normal(0, 0.3, (pictures, 28, 28, 112)).astype(np.float32)
    coarse = random.normal(0, 0.3, (pictures, 14, 14, 320)).astype(np.float32)
    objects = []
    for picture in range(pictures):
        kind = int(random.integers(CLASSES))
        left, top = random.integers(2, 14, 2)
        width, height = random.integers(4, 9, 2)
        fine[picture, top : top + height, left : left + width, kind] += 4
        fine[picture, top, left : left + width, 10] += 4
        fine[picture, top + height - 1, left : left + width, 11] += 4
        fine[picture, top : top + height, left, 12] += 4
        fine[picture, top : top + height, left + width - 1, 13] += 4
        coarse[picture, top // 2 : (top + height) // 2, left // 2 : (left + width) // 2, kind] += 4
        box = np.array([[left, top, left + width, top + height]], float)
        objects.append(Objects(box, np.array([kind])))
    return FeatureMaps(fine, coarse, np.full((pictures, 2), 28)), objects


def test_it_finds_objects_like_those_that_it_was_shown() -> None:
    maps, objects = drawn(40, 1)
    network = train_proposals(maps, objects, CLASSES, np.random.default_rng(0))
    fresh, wanted = drawn(20, 2)
    found = propose(network, fresh, 5)
    best = [
        overlaps(each.boxes, truth.boxes).max(initial=0.0)
        for each, truth in zip(found, wanted, strict=True)
    ]
    assert np.mean(np.array(best) > 0.3) >= 0.9


def test_the_same_seed_trains_the_same_network() -> None:
    maps, objects = drawn(4, 1)
    one, other = (
        train_proposals(maps, objects, CLASSES, np.random.default_rng(3)) for _ in range(2)
    )
    assert all(np.array_equal(one.arrays()[name], each) for name, each in other.arrays().items())


def test_all_cells_at_once_are_the_same_as_cell_by_cell() -> None:
    maps, objects = drawn(3, 4)
    network = train_proposals(maps, objects, CLASSES, np.random.default_rng(0))
    heat, distances = network.maps(maps)
    cells = np.array([[0, 1, 2, 2], [0, 13, 27, 5], [27, 6, 0, 9]])
    rows = (gather(maps, cells) - network.mean) * network.scale
    hidden = np.maximum(rows @ network.first + network.first_bias, 0)
    hidden = np.maximum(hidden @ network.second + network.second_bias, 0)
    out = hidden @ network.last + network.last_bias
    assert heat[tuple(cells)] == pytest.approx(1 / (1 + np.exp(-out[:, :-4])), abs=1e-4)
    assert distances[tuple(cells)] == pytest.approx(np.exp(out[:, -4:] + 1), rel=1e-3)


def test_nothing_is_proposed_in_the_padding() -> None:
    maps, objects = drawn(8, 5)
    network = train_proposals(maps, objects, CLASSES, np.random.default_rng(0))
    assert all(len(each.boxes) for each in propose(network, maps, 5))
    only_padding = FeatureMaps(maps.fine, maps.coarse, np.zeros((8, 2), np.intp))
    assert not any(len(each.boxes) for each in propose(network, only_padding, 5))


def test_pictures_without_objects_can_be_learned_from() -> None:
    maps, objects = drawn(10, 6)
    none = Objects(np.zeros((0, 4)), np.zeros(0, np.intp))
    network = train_proposals(maps, [none] * 5 + objects[5:], CLASSES, np.random.default_rng(0))
    assert np.all(np.isfinite(network.last))


def test_it_comes_back_from_its_arrays_as_it_was() -> None:
    maps, objects = drawn(6, 7)
    network = train_proposals(maps, objects, CLASSES, np.random.default_rng(0))
    again = ProposalNetwork.from_arrays(network.arrays())
    assert again.classes == CLASSES
    assert np.array_equal(again.maps(maps)[0], network.maps(maps)[0])
