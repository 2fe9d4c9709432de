"""The bounds hold by the drawing alone, for every population and every guess."""

import math
from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from groundwork.autolabel.bound import Sample, lower_bound, rest_lower_bound

Floats = NDArray[np.float64]


def draw(
    qualities: Floats,
    draws: int,
    random: np.random.Generator,
    forecasts: Floats | None = None,
    *,
    graded: bool = True,
) -> Sample:
    chosen = random.permutation(len(qualities))[:draws]
    expected = np.full(len(qualities), 0.7) if forecasts is None else forecasts
    return Sample(
        qualities[chosen],
        expected[chosen],
        len(qualities),
        float(expected.mean()),
        float(expected.max()),
        graded,
    )


def chance_of_error(qualities: Floats, forecasts: Floats, draws: int, probability: float) -> float:
    """Return exactly how often the bound is above the mean: every order of drawing is tried."""
    wrong = total = 0
    for order in permutations(range(len(qualities)), draws):
        chosen = list(order)
        sample = Sample(
            qualities[chosen],
            forecasts[chosen],
            len(qualities),
            float(forecasts.mean()),
            float(forecasts.max()),
            graded=True,
        )
        wrong += lower_bound(sample, probability, 0.2) > qualities.mean() + 1e-12
        total += 1
    return wrong / total


@pytest.mark.parametrize(
    "qualities",
    [[1, 1, 1, 0, 0, 0], [0.9, 0.9, 0.9, 0.9, 0.9, 0], [0.5] * 6, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    ids=["halves", "one failure", "all alike", "even"],
)
@pytest.mark.parametrize(
    "forecasts",
    [[0.5] * 6, [1, 1, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]],
    ids=["flat", "right", "misled"],
)
@pytest.mark.parametrize("probability", [0.05, 0.3])
def test_no_order_of_drawing_makes_it_wrong_more_often_than_stated(
    qualities: list[float], forecasts: list[float], probability: float
) -> None:
    values, expected = np.array(qualities, float), np.array(forecasts, float)
    assert chance_of_error(values, expected, 4, probability) <= probability


@pytest.mark.parametrize("population", [12, 40])
@pytest.mark.parametrize("draws", [5, 12])
def test_the_exact_bound_is_wrong_no_more_often_than_stated_for_any_share(
    population: int, draws: int
) -> None:
    probability = 0.05
    for right in range(population + 1):
        wrong = 0.0
        for found in range(max(0, draws - (population - right)), min(draws, right) + 1):
            scores = np.zeros(draws)
            scores[:found] = 1
            sample = Sample(scores, scores, population, 0.5, 1.0, graded=False)
            if lower_bound(sample, probability, 0.2) > right / population:
                chance = math.comb(right, found) * math.comb(population - right, draws - found)
                wrong += chance / math.comb(population, draws)
        assert wrong <= probability


def test_the_exact_bound_is_clopper_and_pearsons_for_a_large_population() -> None:
    # Of 59 right ones in 59, 0.05 ** (1 / 59) is the textbook's bound.
    sample = Sample(np.ones(59), np.ones(59), 1_000_000, 1.0, 1.0, graded=False)
    assert lower_bound(sample, 0.05, 0.2) == pytest.approx(0.05 ** (1 / 59), abs=1e-4)


WORLDS: dict[str, Callable[[np.random.Generator], Floats]] = {
    "boxes": lambda random: np.where(
        random.random(700) < 0.1, 0.0, np.clip(random.normal(0.75, 0.12, 700), 0, 1)
    ),
    "rare failures": lambda random: np.where(random.random(700) < 0.02, 0.0, 0.65),
    "right or wrong": lambda random: (random.random(700) < 0.9).astype(float),
    "one big failure": lambda random: np.r_[np.full(690, 0.95), np.zeros(10)],
    "nothing right": lambda random: np.zeros(700),
}


@pytest.mark.parametrize("world", WORLDS, ids=list(WORLDS))
@pytest.mark.parametrize("spread", [0.05, 0.5], ids=["guessed too small", "guessed too large"])
def test_it_holds_in_worlds_of_every_kind_and_for_bad_guesses(world: str, spread: float) -> None:
    random = np.random.default_rng(3)
    probability, tries = 0.1, 250
    wrong = 0
    for _ in range(tries):
        qualities = WORLDS[world](random)
        forecasts = np.clip(qualities + random.normal(0, 0.3, len(qualities)), 0, 1)
        sample = draw(qualities, 30, random, forecasts)
        wrong += lower_bound(sample, probability, spread) > qualities.mean()
    # 250 tries at a tenth: more than 40 would happen once in ten thousand times.
    assert wrong <= 40


def test_it_is_nearly_as_tight_as_a_normal_distributions_bound() -> None:
    random = np.random.default_rng(5)
    gaps, normal = [], []
    for _ in range(40):
        qualities = WORLDS["boxes"](random)
        sample = draw(qualities, 200, random)
        gaps.append(qualities.mean() - lower_bound(sample, 0.025, 0.25))
        error = sample.scores.std() * math.sqrt((1 - 200 / 700) / 200)
        normal.append(qualities.mean() - (sample.scores.mean() - 1.96 * error))
    assert np.mean(gaps) < 1.35 * np.mean(normal)


def test_what_a_forecast_explains_makes_it_tighter() -> None:
    random = np.random.default_rng(7)
    qualities = np.clip(random.normal(0.6, 0.25, 2000), 0, 1)
    forecasts = np.clip(qualities + random.normal(0, 0.05, 2000), 0, 1)
    blind, told = [], []
    for _ in range(10):
        order = np.random.default_rng(random.integers(2**32))
        blind.append(lower_bound(draw(qualities, 300, order), 0.05, 0.25))
        order = np.random.default_rng(random.integers(2**32))
        told.append(lower_bound(draw(qualities, 300, order, forecasts), 0.05, 0.05))
    assert np.mean(told) > np.mean(blind) + 0.01


def test_more_draws_and_more_permitted_error_make_it_higher() -> None:
    random = np.random.default_rng(9)
    qualities = WORLDS["boxes"](random)
    few, many = draw(qualities, 40, random), draw(qualities, 400, random)
    assert lower_bound(few, 0.05, 0.25) < lower_bound(many, 0.05, 0.25) <= 1
    assert lower_bound(many, 0.01, 0.25) <= lower_bound(many, 0.1, 0.25)


def test_who_has_seen_all_knows_the_mean() -> None:
    qualities = np.array([0.2, 0.4, 0.9, 1.0])
    sample = Sample(qualities, np.full(4, 0.5), 4, 0.5, 0.5, graded=True)
    assert qualities.mean() - 0.02 < lower_bound(sample, 0.05, 0.2) <= qualities.mean() + 1e-9
    assert rest_lower_bound(sample, 0.05, 0.2) == 1.0


def test_the_rest_is_what_the_population_leaves() -> None:
    sample = Sample(np.ones(50), np.ones(50), 100, 1.0, 1.0, graded=False)
    whole = lower_bound(sample, 0.05, 0.2)
    assert rest_lower_bound(sample, 0.05, 0.2) == pytest.approx((whole * 100 - 50) / 50)


@pytest.mark.parametrize(
    ("scores", "forecasts", "population", "graded", "told"),
    [
        ([], [], 5, True, "no sample"),
        ([1.0, 1.0], [1.0, 1.0], 1, True, "no sample"),
        ([1.2], [0.5], 5, True, "between 0 and 1"),
        ([0.5], [float("nan")], 5, True, "between 0 and 1"),
        ([0.5], [0.5], 5, False, "0 or 1"),
    ],
)
def test_what_is_no_sample_is_refused(
    scores: list[float], forecasts: list[float], population: int, graded: bool, told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        Sample(np.array(scores), np.array(forecasts), population, 0.5, 1.0, graded)
