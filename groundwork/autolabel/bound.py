"""Lower bounds on the mean of a finite population, from a random sample of it.

The population are the labels that a model proposes for some objects. Each has a quality from 0 to 1
that people's label of the object would show; the sample, drawn without replacement once the labels
are fixed, are those that people are asked about. Nothing is assumed of the model, the labels or the
qualities: the bound holds by the drawing alone, for every population and every sample size.

Labels that are right or wrong (0 or 1): the exact bound, by the hypergeometric distribution, which
is Clopper and Pearson's for a finite population.

Graded labels (anything from 0 to 1): by betting (Waudby-Smith and Ramdas, "Estimating means of
bounded random variables by betting", JRSS B 86 (2024) 1-27, https://arxiv.org/abs/2010.09686,
section 5 for drawing without replacement). For every value that the mean might have, a gambler bets
in each draw that the quality is above what that value makes one expect. If the value is right, the
game is fair, so that capital grows to 1/p with probability p at most (Ville 1939). Values against
which it has grown so far are excluded, and the bound is the lowest that is left.

How much is bet decides only how tight the bound is. The sample's size is known beforehand, so the
gambler plays as one who wants to reach exactly 1/p by the last draw: with the share that hedges a
digital option (Browne, "Reaching goals by a deadline", Advances in Applied Probability 31 (1999)
551-577), recomputed from the capital in every draw. For many draws this comes near the bound that a
normal distribution would give, which bets fixed in advance do not.

Qualities are bet on relative to a forecast of each, known before the draw: what the forecast
explains does not blur the sample's mean (Angelopoulos et al., "Prediction-powered inference",
Science 382 (2023) 669-674).
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_STEPS = 1000
# Of the capital that the worst quality could take, so that one bad draw does not end the game.
_MOST_AT_STAKE = 0.9
# How many draws the guess of the spread counts for.
_GUESS_WEIGHT = 10.0
_SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class Sample:
    """What people were asked about.

    Parameters
    ----------
    scores
        (draws,) the quality of each drawn label, in the order of drawing.
    forecasts
        (draws,) what was forecast for each before it was drawn.
    population
        How many labels it was drawn from, itself included.
    forecast_mean, forecast_highest
        The mean and the highest forecast of that whole population.
    graded
        Whether a quality may be anything from 0 to 1, or only one of the two. It belongs to the
        task: a bound that were chosen by what was drawn would hold less often.
    """

    scores: Floats
    forecasts: Floats
    population: int
    forecast_mean: float
    forecast_highest: float
    graded: bool

    def __post_init__(self) -> None:
        """Refuse what no sample can be."""
        if not 0 < len(self.scores) <= self.population:
            raise ValueError(
                f"{len(self.scores)} of {self.population} is no sample: at least one is drawn, and "
                "none twice"
            )
        values = np.concatenate([self.scores, self.forecasts, [self.forecast_highest]])
        if not (np.all(values >= 0) and np.all(values <= 1)):
            raise ValueError("qualities and forecasts are between 0 and 1")
        if np.any(self.forecasts > self.forecast_highest):
            raise ValueError("no forecast of the sample is above the population's highest")
        if not self.graded and not np.all((self.scores == 0) | (self.scores == 1)):
            raise ValueError("a quality that is not graded is 0 or 1")


def lower_bound(sample: Sample, error_probability: float, spread: float) -> float:
    """Return what the population's mean quality is at least.

    With a probability of at most ``error_probability``, over the drawing, it is lower after all.

    Parameters
    ----------
    spread
        A guess of how far qualities are from their forecasts (standard deviation): a good one makes
        the bound tighter, a bad one does not make it wrong.
    """
    if len(sample.scores) == sample.population:
        return float(sample.scores.mean())
    if sample.graded:
        return _betting_bound(sample, error_probability, spread)
    found = int(sample.scores.sum())
    return _exact_bound(found, len(sample.scores), sample.population, error_probability)


def rest_lower_bound(sample: Sample, error_probability: float, spread: float) -> float:
    """Return what the mean quality of the labels that were not drawn is at least.

    It follows from the population's bound, as what was drawn is known; 1 if nothing is left.
    """
    rest = sample.population - len(sample.scores)
    if rest == 0:
        return 1.0
    total = lower_bound(sample, error_probability, spread) * sample.population
    return min(1.0, max(0.0, (total - float(sample.scores.sum())) / rest))


def exact_bound_reaches(
    right: int, found: int, draws: int, population: int, error_probability: float
) -> bool:
    """Whether the bound for labels that are right or wrong is ``right`` of the population, or more.

    Parameters
    ----------
    found
        How many of the ``draws`` labels that were drawn are right.
    """
    if right <= found:
        return True
    if right > population - (draws - found):
        return False
    return _tail(found, draws, right - 1, population) <= error_probability


def _exact_bound(found: int, draws: int, population: int, error_probability: float) -> float:
    """Return the least share of right labels that does not make the sample too unlikely."""
    low, high = found, population - (draws - found)
    while low < high:
        middle = (low + high) // 2
        if exact_bound_reaches(middle + 1, found, draws, population, error_probability):
            low = middle + 1
        else:
            high = middle
    return low / population


def _tail(found: int, draws: int, right: int, population: int) -> float:
    """Return the probability of drawing ``found`` or more of ``right`` labels."""
    most = min(draws, right)
    all_samples = _log_choose(population, draws)
    logarithms = [
        _log_choose(right, each) + _log_choose(population - right, draws - each) - all_samples
        for each in range(max(found, draws - (population - right)), most + 1)
    ]
    return math.fsum(math.exp(each) for each in logarithms)


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)


def _betting_bound(sample: Sample, error_probability: float, spread: float) -> float:
    draws, population = len(sample.scores), sample.population
    means = np.linspace(0, 1, _STEPS + 1)
    totals = population * (means - sample.forecast_mean)
    capital = np.ones(_STEPS + 1)
    surprises = sample.scores - sample.forecasts
    # What is left to draw from shrinks, so that each later draw tells more of it.
    weights = 1.0 / (population - np.arange(draws))
    ahead = np.sqrt(np.cumsum((weights**2)[::-1])[::-1])
    drawn = 0.0
    level, squares, weight = 0.0, _GUESS_WEIGHT * spread**2, _GUESS_WEIGHT
    for draw in range(draws):
        # Where the mean is as supposed, the next surprise is this on average.
        expected = (totals - drawn) * weights[draw]
        deviation = math.sqrt(max(squares / weight, 1e-6))
        stake = _stake(error_probability * capital) * weights[draw] / (deviation * ahead[draw])
        # A quality of 0 where the highest was forecast. What is drawn must not decide on the bet.
        worst = np.maximum(sample.forecast_highest + expected, 1e-9)
        stake = np.minimum(stake, _MOST_AT_STAKE / worst)
        capital *= 1 + stake * (surprises[draw] - expected)
        drawn += surprises[draw]
        weight += 1
        squares += (surprises[draw] - level) ** 2
        level += (surprises[draw] - level) / weight
    possible = np.flatnonzero(error_probability * capital < 1)
    if not len(possible):
        return 1.0
    # The mean may lie between two values that were tried.
    return max(0.0, float(means[possible[0]]) - 1 / _STEPS)


def _stake(chances: Floats) -> Floats:
    """Return how much to bet, in spreads of all that is still to be drawn.

    Parameters
    ----------
    chances
        The capital as a share of its goal; nothing is bet once it is reached.
    """
    known, stakes = _stakes()
    return np.where(chances >= 1, 0.0, np.interp(chances, known, stakes))


@lru_cache(maxsize=1)
def _stakes() -> tuple[Floats, Floats]:
    """Tabulate the normal density at a quantile over the quantile's probability."""
    low = np.geomspace(_SMALLEST_PROBABILITY, 0.5, 1500)
    chances = np.concatenate([low, 1 - low[-2::-1]])
    normal = NormalDist()
    stakes = [normal.pdf(normal.inv_cdf(min(chance, 1 - 1e-12))) / chance for chance in chances]
    return chances, np.array(stakes)
