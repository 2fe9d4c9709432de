"""What a round of automated labeling decides: what to propose, whom to ask, what to accept.

A model's labels are accepted only after people were asked about a random sample of those very
labels. After each training the model labels everything that is left, and ``plan`` chooses between
two ways to use people's next batch:

* *learn*: ask about objects that the model would gain from;
* *propose*: fix the labels of a region, the objects with the best forecasts, draw a random sample
  of them, and let people label that sample unseen, among other tasks.

When the batch comes back, ``judge`` compares the sample with people's labels. The region, or a
smaller one with better forecasts, is accepted if the mean quality of *all* labels that were
accepted so far stays at the target or above, with the job's confidence. So the bound does not rest
on the model, on how its training data were chosen, or on how often it was trained. A region whose
sample was too small to tell may be proposed again, with the same labels and as many objects more in
the sample.

**The bound over a whole job.** The job may err with probability delta. Part of it is for the first
proposal, which is mostly the largest, the same part of the rest for the second, and so on: the sum
over any number of proposals is at most delta. Of a proposal's part, most is for the region as a
whole and the rest for a smaller region with the best forecasts, which was fixed before the sample
was drawn, too. The larger one that passes is accepted. All these bounds hold together with the
job's confidence (Bonferroni), so that what one proposal showed beyond the target lowers what the
next has to show. For a region that is proposed again this is so because by how much its sample
grows was fixed before the first of it was seen: each look has a sample of a size that does not
depend on what was found.

**What it is relative to.** Quality is measured against what people label, consolidated as the job's
labels are. People's own errors are in it: where they scatter, even perfect labels do not agree with
theirs.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.bound import Sample, lower_bound, rest_lower_bound
from groundwork.autolabel.learner import Evidence

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DEFAULT_CONFIDENCE = 0.95

# What each proposal leaves of the error probability for those after it.
_LATER_SHARE = 0.25

# Nested regions, from the whole on: their share of its objects, and of its error probability.
_CUTS = ((1.0, 0.9), (0.8, 0.1))
# Sizes that are considered, as shares of what is left.
_REGION_SHARES = np.linspace(0.02, 1.0, 50)
SMALLEST_SAMPLE = 20
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
class Terms:
    """What the job asks of automated labels.

    Parameters
    ----------
    target
        The mean quality that they must have.
    confidence
        How sure it must be over the whole job.
    sampled_share
        How much of a proposed region people see at least, from 0 to 1.
    graded
        Whether a label's quality may be between 0 and 1.
    """

    target: float
    graded: bool
    confidence: float = DEFAULT_CONFIDENCE
    sampled_share: float = 0.0


@dataclass(frozen=True)
class Assurance:
    """What is known of the labels that were accepted so far.

    Parameters
    ----------
    labels
        How many there are.
    quality
        The sum of their qualities is at least this, with the job's confidence.
    proposals
        How many were judged, passed or not.
    """

    labels: int = 0
    quality: float = 0.0
    proposals: int = 0

    @property
    def bound(self) -> float | None:
        """Their mean quality is at least this; None while there are none."""
        return self.quality / self.labels if self.labels else None

    def needed(self, target: float, more: int) -> float:
        """Return what the mean of further labels has to be for the mean of all to be the target."""
        return (target * (self.labels + more) - self.quality) / more

    def error_probability(self, confidence: float) -> float:
        """Return with which error probability the next proposal is tested."""
        return (1 - confidence) * (1 - _LATER_SHARE) * _LATER_SHARE**self.proposals


@dataclass(frozen=True)
class Proposal:
    """Labels that are fixed, waiting for people's word on a sample of them.

    Parameters
    ----------
    objects, forecasts
        The region's objects and the quality that was forecast for each, best first.
    cuts
        The sizes of the nested regions, of which the first is all of it.
    sample
        The objects that were drawn, those of earlier looks at the same labels included.
    spread
        How far qualities are expected to be from their forecasts.
    seen
        Those of the sample that people labeled for an earlier look.
    """

    objects: Integers
    forecasts: Floats
    cuts: tuple[int, ...]
    sample: Integers
    spread: float
    seen: Integers = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def asked(self) -> Integers:
        """Those of the sample that people have to label for this look."""
        return np.setdiff1d(self.sample, self.seen)

    @property
    def gain(self) -> int:
        """How many labels it would bring."""
        return len(self.objects) - len(self.sample)

    def again(self, random: np.random.Generator) -> "Proposal":
        """Return the same labels with as many more in the sample as every look adds."""
        left = np.setdiff1d(self.objects, self.sample)
        more = random.choice(left, len(self.asked), replace=False)
        return replace(self, sample=np.sort(np.concatenate([self.sample, more])), seen=self.sample)


@dataclass(frozen=True)
class CutTest:
    """How one of the nested regions fared.

    Parameters
    ----------
    size, sampled
        Objects of the region, and how many of them people saw.
    sample_mean
        Their mean quality against people's labels.
    bound
        The mean quality of those that people did not see is at least this.
    needed
        What it had to be.
    error_probability
        How often such a bound is wrong at most.
    """

    size: int
    sampled: int
    sample_mean: float
    bound: float
    needed: float
    error_probability: float

    @property
    def passed(self) -> bool:
        """Whether the region may be accepted."""
        return self.bound >= self.needed


@dataclass(frozen=True)
class Verdict:
    """What became of a proposal.

    Parameters
    ----------
    accepted
        The objects whose labels are accepted; those in the sample have people's.
    assurance
        What is known of all accepted labels after it.
    tests
        The nested regions from the whole on, up to the first that passed.
    """

    accepted: Integers
    assurance: Assurance
    tests: tuple[CutTest, ...]


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


def judge(
    proposal: Proposal,
    scores: Mapping[int, float],
    assurance: Assurance,
    terms: Terms,
    random: np.random.Generator,
) -> Verdict:
    """Accept as much of a proposal as people's word on its sample allows.

    Parameters
    ----------
    scores
        The quality of the sample's labels against people's. An object that is missing, as people
        declined it or its task failed, counts as 0: why it is missing may have to do with its
        quality.
    random
        Puts the sample in an order that nobody could know before, neither people nor who hands out
        tasks: the bound holds for such an order.
    """
    available = assurance.error_probability(terms.confidence)
    judged = replace(assurance, proposals=assurance.proposals + 1)
    order = random.permutation(proposal.sample).tolist()
    tests: list[CutTest] = []
    for cut, (_, part) in zip(proposal.cuts, _CUTS, strict=False):
        sample = _sample_within(proposal, cut, order, scores, terms)
        if sample is None:
            continue
        rest = cut - len(sample.scores)
        tests.append(
            CutTest(
                size=cut,
                sampled=len(sample.scores),
                sample_mean=float(sample.scores.mean()),
                bound=rest_lower_bound(sample, part * available, proposal.spread),
                needed=assurance.needed(terms.target, rest),
                error_probability=part * available,
            )
        )
        if tests[-1].passed:
            accepted = np.setdiff1d(proposal.objects[:cut], proposal.sample)
            assured = replace(
                judged,
                labels=assurance.labels + rest,
                quality=assurance.quality + tests[-1].bound * rest,
            )
            return Verdict(accepted, assured, tuple(tests))
    return Verdict(np.zeros(0, np.int64), judged, tuple(tests))


def _sample_within(
    proposal: Proposal,
    cut: int,
    order: Sequence[int],
    scores: Mapping[int, float],
    terms: Terms,
) -> Sample | None:
    """Return the part of a sample that lies in a nested region; None if that decides nothing."""
    forecast_of = dict(
        zip(proposal.objects[:cut].tolist(), proposal.forecasts[:cut].tolist(), strict=True)
    )
    drawn = [each for each in order if each in forecast_of]
    if not 0 < len(drawn) < cut:
        return None
    return Sample(
        scores=np.array([scores.get(each, 0.0) for each in drawn]),
        forecasts=np.array([forecast_of[each] for each in drawn]),
        population=cut,
        forecast_mean=float(proposal.forecasts[:cut].mean()),
        forecast_highest=float(proposal.forecasts[:cut].max()),
        graded=terms.graded,
    )


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
        sizes = np.unique(np.rint(_REGION_SHARES * len(forecasts)).astype(int))
        found = []
        for size in sizes[sizes > SMALLEST_SAMPLE]:
            spread, doubt = _spread(self.evidence, float(forecasts[size - 1]))
            mean = float(means[size - 1]) - _CAUTION * doubt
            sampled = _sample_size(mean, int(size), spread, self.assurance, self.terms)
            if sampled is None or sampled > self.limits.sample:
                continue
            region = _Region(int(size), sampled, spread)
            # Regions that cost people more than they save them are none.
            if sampled < region.gain <= self.limits.labels:
                found.append(region)
        return max(found, key=lambda region: region.gain, default=None)

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
    margin: float = _PASS_MARGIN,
) -> int | None:
    """Return how many objects people have to see for a region to pass rather than not."""
    error_probability = _CUTS[0][1] * assurance.error_probability(terms.confidence)
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
        found = _exact_sample_size(mean, size, error_probability, assurance, terms, margin)
        if found is None:
            return None
        sampled = found
    return max(sampled, SMALLEST_SAMPLE, math.ceil(terms.sampled_share * size))


def _exact_sample_size(
    mean: float,
    size: int,
    error_probability: float,
    assurance: Assurance,
    terms: Terms,
    margin: float,
) -> int | None:
    """Return the least sample with the forecast share of right labels that passes."""
    low, high = SMALLEST_SAMPLE, size - 1
    if high <= low or not _would_pass(
        mean, high // 2, size, error_probability, assurance, terms, margin
    ):
        return None
    high = high // 2
    while low < high:
        middle = (low + high) // 2
        if _would_pass(mean, middle, size, error_probability, assurance, terms, margin):
            high = middle
        else:
            low = middle + 1
    return low


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
    right = math.floor(sampled * max(0.0, mean - margin * deviation))
    scores = np.zeros(sampled)
    scores[:right] = 1
    sample = Sample(scores, np.full(sampled, mean), size, mean, mean, graded=False)
    bound = rest_lower_bound(sample, error_probability, 0.0)
    return bound >= assurance.needed(terms.target, size - sampled)


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
        whole.sample_mean, whole.size, proposal.spread, assurance, terms, _AGAIN_MARGIN
    )
    likely = wanted is not None and wanted <= len(proposal.sample) + step
    return proposal.again(random) if likely else None


def _proposed(
    region: _Region, objects: Integers, forecasts: Floats, random: np.random.Generator
) -> Proposal:
    """Fix the labels of the best objects and draw a sample of them."""
    chosen = objects[: region.size]
    sample = np.sort(random.choice(chosen, region.sampled, replace=False))
    cuts = tuple(math.ceil(share * region.size) for share, _ in _CUTS)
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


def _spread(evidence: Evidence, lowest_forecast: float) -> tuple[float, float]:
    """Return how far qualities are from their forecasts where forecasts are as high as these.

    And the standard error of what the evidence tells of their mean.
    """
    if not len(evidence.scores):
        return 0.5, 0.5
    best_first = np.argsort(-evidence.forecasts, kind="stable")
    alike = int(np.sum(evidence.forecasts >= lowest_forecast))
    chosen = best_first[: max(alike, _ENOUGH_FOR_SPREAD)]
    off = evidence.scores[chosen] - evidence.forecasts[chosen]
    spread = max(_LEAST_SPREAD, float(np.sqrt(np.mean(off**2))))
    return spread, spread / len(off) ** 0.5


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


def measured_interval(
    samples: Sequence[Sample], error_probability: float, spread: float
) -> tuple[float, float, float]:
    """Return the sampled mean quality of regions together, and an interval that holds it.

    Each end of each region's interval takes its part of the error probability.
    """
    share = error_probability / (2 * len(samples))
    total = sum(sample.population for sample in samples)
    mean = low = high = 0.0
    for sample in samples:
        weight = sample.population / total
        mirrored = replace(
            sample,
            scores=1 - sample.scores,
            forecasts=1 - sample.forecasts,
            forecast_mean=1 - sample.forecast_mean,
            # The mirrored forecasts' highest is the forecasts' lowest, which is 0 at least.
            forecast_highest=1.0,
        )
        mean += weight * float(sample.scores.mean())
        low += weight * lower_bound(sample, share, spread)
        high += weight * (1 - lower_bound(mirrored, share, spread))
    return mean, low, high
