"""Kernel ridge regression: exact where it can be, and honest about what it has not seen."""

import numpy as np
import pytest

from groundwork.autolabel.ridge import LandmarkMap, Ridge


def made_up(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 6)).astype(np.float32)
    targets = np.column_stack([np.sin(rows[:, 0]), rows[:, 1] * rows[:, 2]]).astype(np.float32)
    return rows, targets


def test_with_every_row_a_landmark_it_is_the_kernel_machine() -> None:
    rows, targets = made_up(60)
    coordinates = LandmarkMap.fit(rows, sharpness=1.0)
    fitted = Ridge(coordinates(rows), targets, 0.1).predict(coordinates(rows))
    distances = ((rows[:, None] - rows[None]) ** 2).sum(axis=2)
    kernel = np.exp(-coordinates.sharpness * distances)
    centred = targets - targets.mean(axis=0)
    wanted = kernel @ np.linalg.solve(kernel + 0.1 * np.eye(60), centred) + targets.mean(axis=0)
    assert fitted == pytest.approx(wanted, abs=2e-3)


def test_some_landmarks_do_for_many_rows() -> None:
    rows, targets = made_up(600)
    fresh, wanted = made_up(200, seed=1)
    coordinates = LandmarkMap.fit(rows[:150], sharpness=0.5)
    predicted = Ridge(coordinates(rows), targets, 0.1).predict(coordinates(fresh))
    assert np.mean((predicted - wanted) ** 2) < 0.25 * wanted.var()


def test_leaving_a_group_out_is_what_a_fit_without_it_says() -> None:
    rows, targets = made_up(80)
    groups = np.random.default_rng(2).integers(0, 12, 80)
    ridge = Ridge(rows, targets, 0.5)
    unseen = ridge.without_own_group(groups)
    for group in range(12):
        rest = groups != group
        # The mean stays that of all rows, as the closed form has it.
        gram = rows[rest].T @ rows[rest] + 0.5 * np.eye(6)
        weights = np.linalg.solve(gram, rows[rest].T @ (targets[rest] - ridge.mean))
        wanted = rows[~rest] @ weights + ridge.mean
        assert unseen[~rest] == pytest.approx(wanted, abs=1e-3)


def test_equal_landmarks_do_no_harm() -> None:
    rows, targets = made_up(20)
    doubled = np.vstack([rows, rows])
    coordinates = LandmarkMap.fit(doubled, sharpness=1.0)
    ridge = Ridge(coordinates(doubled), np.vstack([targets, targets]), 0.1)
    assert np.all(np.isfinite(ridge.predict(coordinates(rows))))


def test_one_row_is_enough_to_begin_with() -> None:
    rows, targets = made_up(1)
    coordinates = LandmarkMap.fit(rows, sharpness=1.0)
    assert Ridge(coordinates(rows), targets, 0.1).predict(coordinates(rows)) == pytest.approx(
        targets, abs=1e-5
    )


def test_it_comes_back_from_its_arrays_as_it_was() -> None:
    rows, _ = made_up(30)
    coordinates = LandmarkMap.fit(rows, sharpness=0.7)
    again = LandmarkMap.from_arrays(coordinates.arrays())
    assert np.array_equal(again(rows), coordinates(rows))


def test_no_rows_give_no_coordinates() -> None:
    rows, _ = made_up(5)
    assert LandmarkMap.fit(rows, sharpness=1.0)(rows[:0]).shape == (0, 5)
