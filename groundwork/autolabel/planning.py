"""Whom to ask next: choose between learning more and proposing labels now.

What is chosen here decides how much work people are saved, never whether accepted labels keep what
was promised: that is ``rounds.judge``'s part. So forecasts, and what learning will bring, may be
guessed.
"""

import math
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.bound import exact_bound_reaches
from groundwork.autolabel.learner import Evidence
from groundwork.autolabel.rounds import (
    CUTS,
    Assurance,
    Floats,
    Integers,
    Proposal,
    Terms,
    Verdict,
)
from groundwork.contract.automated_labeling import SMALLEST_SAMPLE

# Sizes that are considered, as shares of what is left.
_REGION_SHARES = np.linspace(0.02, 1.0, 50)
_SAMPLE_SIZES = 24
# The betting bound needs this much more than a normal one, and a proposal should rather pass.
_BOUND_EXCESS = 1.3
_PASS_MARGIN = 0.9
_AGAIN_MARGIN = 0.3
# A region is chosen for being forecast well, so that it is rather worse: by standard errors.
_CAUTION = 0.5
# What is missing to perfect labels falls with the number of examples to the power of minus this, as
# measured on synthetic photos. It decides when to propose, not what is accepted.
_LEARNING_EXPONENT = 0.15
# Waiting has to promise this much more than can be had now.
_WORTH_WAITING = 1.1
# By then what is left of the error probability proves nothing any more.
_MOST_PROPOSALS = 10
_LEAST_SPREAD = 0.05
_ENOUGH_FOR_SPREAD = 30
_RANDOM_SHARE_OF_LEARNING = 0.4


@dataclass(frozen=True)
class Pool:
    """What is left to label, with the model's forecasts; NaN where it has no label."""

    objects: Integers
    forecasts: Floats


@dataclass(frozen=True)
class Plan:
    """What people are asked next.

    Parameters
    ----------
    proposal
        What is to be judged after it, or None.
    others
        Objects beside the proposal's sample.
    reason
        One sentence for the record.
    hardest
        Those of the others that were chosen for being hard, which makes them no representative
        examples.
    """

    proposal: Proposal | None
    others: Integers
    reason: str
    hardest: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def asked(self) -> Integers:
        """Every object that people are asked about, ascending."""
        sample = self.others[:0] if self.proposal is None else self.proposal.asked
        return np.sort(np.concatenate([self.others, sample]).astype(np.int64))


@dataclass(frozen=True)
class Limits:
    """How much a plan may ask for.

    Parameters
    ----------
    batch
        How many tasks people get at a time while the model learns, and a proposal's sample
        included if that is smaller.
    sample
        How many tasks a proposal's sample may be; it may exceed a batch, as it saves people more
        than it costs them.
    labels
        How many labels may be accepted, for a job that stops at a share of its objects.
    """

    batch: int
    sample: int
    labels: int


def plan_first(objects: Integers, most: int, random: np.random.Generator) -> Plan:
    """Return a random first batch."""
    chosen = np.sort(random.choice(objects, min(most, len(objects)), replace=False))
    return Plan(None, chosen, "the first batch is a random sample")


def plan(
    pool: Pool,
    evidence: Evidence,
    assurance: Assurance,
    terms: Terms,
    limits: Limits,
    random: np.random.Generator,
    before: tuple[Proposal, Verdict] | None = None,
) -> Plan:
    """Choose between learning more and proposing labels now.

    Parameters
    ----------
    evidence
        How the model does on labeled objects that it did not learn from.
    before
        What was proposed with the last batch, and what became of it.
    """
    usable = np.flatnonzero(~np.isnan(pool.forecasts))
    order = usable[np.argsort(-pool.forecasts[usable], kind="stable")]
    objects, forecasts = pool.objects[order], pool.forecasts[order]
    outlook = _Outlook(evidence, assurance, terms, limits)
    now = outlook.best_region(forecasts)
    learned = outlook.after_learning(forecasts)
    later = outlook.best_region(learned)
    again = _same_region(before, assurance, terms, limits, random)
    gain = max(now.gain if now else 0, again.gain if again else 0)
    with_rest = max(outlook.gain_with_rest(now, forecasts), again.gain if again else 0)
    if not gain or outlook.gain_with_rest(later, learned) > _WORTH_WAITING * with_rest:
        hardest, others = _to_learn_from(pool, order, limits.batch, random)
        chosen = np.sort(np.concatenate([hardest, others]))
        return Plan(None, chosen, _why_learn(gain, later, forecasts, terms), hardest)
    if again is not None and again.gain == gain:
        proposal = again
        reason = f"{len(proposal.objects)} objects are proposed again"
    elif now is not None:
        proposal = _proposed(now, objects, forecasts, random)
        reason = f"{now.size} of {len(pool.objects)} objects are proposed"
    worst_first = np.concatenate([np.setdiff1d(pool.objects, objects), objects[::-1]])
    others = worst_first[~np.isin(worst_first, proposal.objects)].astype(np.int64)
    hardest = others[: max(0, limits.batch - len(proposal.asked))]
    reason = f"{reason}, {len(proposal.asked)} of them drawn for people"
    return Plan(proposal, hardest, reason, hardest)


@dataclass(frozen=True)
class _Region:
    """A region that could be proposed: its size, the sample it takes, and what it would bring."""

    size: int
    sampled: int
    spread: float

    @property
    def gain(self) -> int:
        return self.size - self.sampled


@dataclass(frozen=True)
class _Outlook:
    """What proposals would probably bring."""

    evidence: Evidence
    assurance: Assurance
    terms: Terms
    limits: Limits

    def best_region(self, forecasts: Floats) -> _Region | None:
        """Return the region that would bring most, or None if none would probably pass.

        Parameters
        ----------
        forecasts
            Of what is left, best first.
        """
        if self.assurance.proposals >= _MOST_PROPOSALS:
            return None
        means = np.cumsum(forecasts) / np.arange(1, len(forecasts) + 1)
        spreads = _Spreads(self.evidence)
        sizes = np.unique(np.rint(_REGION_SHARES * len(forecasts)).astype(int))
        best = None
        for size in sizes[sizes > SMALLEST_SAMPLE][::-1].tolist():
            if best is not None and size - SMALLEST_SAMPLE <= best.gain:
                break
            spread, doubt = spreads.from_forecast(float(forecasts[size - 1]))
            mean = float(means[size - 1]) - _CAUTION * doubt
            # Regions that cost people more than they save them are none.
            most = min(self.limits.sample, (size - 1) // 2)
            sampled = _sample_size(mean, size, spread, self.assurance, self.terms, most)
            if sampled is None or size - sampled > self.limits.labels:
                continue
            region = _Region(size, sampled, spread)
            if best is None or region.gain > best.gain:
                best = region
        return best

    def gain_with_rest(self, region: _Region | None, forecasts: Floats) -> int:
        """Return what a region would bring together with the next one, of what it leaves."""
        if region is None:
            return 0
        passed = Assurance(
            self.assurance.labels + region.gain,
            self.assurance.quality + self.terms.target * region.gain,
            self.assurance.proposals + 1,
        )
        then = replace(
            self,
            assurance=passed,
            limits=replace(self.limits, labels=self.limits.labels - region.gain),
        )
        hardest = max(0, self.limits.batch - region.sampled)
        left = forecasts[region.size : max(region.size, len(forecasts) - hardest)]
        rest = then.best_region(self._learned(left))
        return region.gain + (rest.gain if rest else 0)

    def after_learning(self, forecasts: Floats) -> Floats:
        """Return what forecasts will probably be when people have labeled one more batch.

        The hardest objects and some others are gone then, and the model has learned of them.
        """
        drawn = int(_RANDOM_SHARE_OF_LEARNING * self.limits.batch)
        left = forecasts[: max(0, len(forecasts) - (self.limits.batch - drawn))]
        if len(left) <= drawn:
            return left[:0]
        return self._learned(np.delete(left, np.linspace(0, len(left) - 1, drawn).astype(int)))

    def _learned(self, forecasts: Floats) -> Floats:
        examples = len(self.evidence.scores)
        missing = (examples / (examples + self.limits.batch)) ** _LEARNING_EXPONENT
        raised = forecasts + (1 - forecasts.mean()) * (1 - missing) if len(forecasts) else forecasts
        expected: Floats = np.clip(raised, 0, 1)
        return expected


def _sample_size(
    mean: float,
    size: int,
    spread: float,
    assurance: Assurance,
    terms: Terms,
    most: int,
    margin: float = _PASS_MARGIN,
) -> int | None:
    """Return how many objects people have to see for a region to pass rather than not.

    None if these are more than ``most``.
    """
    error_probability = CUTS[0][1] * assurance.error_probability(terms.confidence)
    if terms.graded:
        needed = assurance.needed(terms.target, size)
        room = mean - needed
        if room <= 0:
            return None
        quantile = -NormalDist().inv_cdf(error_probability)
        width = (_BOUND_EXCESS * quantile + margin) * spread
        by_spread = 1 / ((room / width) ** 2 + 1 / size)
        # Bets are limited: fewer draws cannot reach the goal, however little qualities scatter.
        fastest = math.log1p(room / max(1 - mean + needed, room))
        sampled = math.ceil(max(by_spread, _BOUND_EXCESS * -math.log(error_probability) / fastest))
    else:
        found = _exact_sample_size(mean, size, error_probability, assurance, terms, most, margin)
        if found is None:
            return None
        sampled = found
    sampled = max(sampled, SMALLEST_SAMPLE, math.ceil(terms.sampled_share * size))
    return sampled if sampled <= most else None


def _exact_sample_size(
    mean: float,
    size: int,
    error_probability: float,
    assurance: Assurance,
    terms: Terms,
    most: int,
    margin: float,
) -> int | None:
    """Return a small sample that passes with the forecast share of right labels.

    A larger one need not pass, too: it may be just enough for one more wrong label.
    """
    if most < SMALLEST_SAMPLE:
        return None
    tried = np.unique(np.rint(np.geomspace(SMALLEST_SAMPLE, most, _SAMPLE_SIZES)).astype(int))
    return next(
        (
            sampled
            for sampled in tried.tolist()
            if _would_pass(mean, sampled, size, error_probability, assurance, terms, margin)
        ),
        None,
    )


def _would_pass(
    mean: float,
    sampled: int,
    size: int,
    error_probability: float,
    assurance: Assurance,
    terms: Terms,
    margin: float,
) -> bool:
    deviation = math.sqrt(max(mean * (1 - mean), 0.0) / max(sampled, 1))
    found = math.floor(sampled * max(0.0, mean - margin * deviation))
    rest = size - sampled
    right = math.ceil(found + assurance.needed(terms.target, rest) * rest)
    return exact_bound_reaches(right, found, sampled, size, error_probability)


def _same_region(
    before: tuple[Proposal, Verdict] | None,
    assurance: Assurance,
    terms: Terms,
    limits: Limits,
    random: np.random.Generator,
) -> Proposal | None:
    """Return what was just proposed with a larger sample, if that would probably pass."""
    if before is None or assurance.proposals >= _MOST_PROPOSALS:
        return None
    proposal, verdict = before
    whole = next((test for test in verdict.tests if test.size == len(proposal.objects)), None)
    if len(verdict.accepted) or whole is None:
        return None
    step = len(proposal.asked)
    if step > min(limits.sample, proposal.gain - step) or proposal.gain - step > limits.labels:
        return None
    wanted = _sample_size(
        whole.sample_mean,
        whole.size,
        proposal.spread,
        assurance,
        terms,
        len(proposal.sample) + step,
        _AGAIN_MARGIN,
    )
    return None if wanted is None else proposal.again(random)


def _proposed(
    region: _Region, objects: Integers, forecasts: Floats, random: np.random.Generator
) -> Proposal:
    """Fix the labels of the best objects and draw a sample of them."""
    chosen = objects[: region.size]
    sample = np.sort(random.choice(chosen, region.sampled, replace=False))
    cuts = tuple(math.ceil(share * region.size) for share, _ in CUTS)
    return Proposal(chosen, forecasts[: region.size], cuts, sample, region.spread)


def _to_learn_from(
    pool: Pool, order: NDArray[np.intp], most: int, random: np.random.Generator
) -> tuple[Integers, Integers]:
    """Return objects for people: those that the model is worst at, and some at random.

    The worst would end with people anyway. Those at random show how the model does on the rest.
    """
    unknown = np.setdiff1d(np.arange(len(pool.objects)), order)
    worst_first = np.concatenate([unknown, order[::-1]])
    count = min(most, len(worst_first))
    worst = worst_first[: count - int(_RANDOM_SHARE_OF_LEARNING * count)]
    others = np.setdiff1d(np.arange(len(pool.objects)), worst)
    drawn = random.choice(others, count - len(worst), replace=False)
    return pool.objects[np.sort(worst)], pool.objects[np.sort(drawn)]


class _Spreads:
    """How far qualities are from their forecasts, by how high these are."""

    def __init__(self, evidence: Evidence) -> None:
        best_first = np.argsort(-evidence.forecasts, kind="stable")
        self._lowered = -evidence.forecasts[best_first]
        self._squares = np.cumsum((evidence.scores - evidence.forecasts)[best_first] ** 2)

    def from_forecast(self, lowest: float) -> tuple[float, float]:
        """Return the spread where forecasts are at least ``lowest``.

        And the standard error of what the evidence tells of their mean.
        """
        if not len(self._squares):
            return 0.5, 0.5
        alike = int(np.searchsorted(self._lowered, -lowest, side="right"))
        chosen = min(max(alike, _ENOUGH_FOR_SPREAD), len(self._squares))
        spread = max(_LEAST_SPREAD, math.sqrt(self._squares[chosen - 1] / chosen))
        return spread, spread / math.sqrt(chosen)


def _why_learn(gain: int, later: _Region | None, forecasts: Floats, terms: Terms) -> str:
    if gain and later is not None:
        return f"{gain} labels could be proposed now, probably {later.gain} after one more batch"
    if not len(forecasts):
        return "the model has no label for what is left"
    best = float(np.mean(forecasts[: max(SMALLEST_SAMPLE, len(forecasts) // 10)]))
    if best < terms.target:
        return (
            f"even the best tenth of the labels is forecast at {best:.3f}, below the target "
            f"{terms.target}: more labels, workers who agree better (more workers per object), or "
            "a lower target would help"
        )
    return (
        "no region would save people more than the sample that proves it: more labels, more "
        "objects, or a lower target would help"
    )
