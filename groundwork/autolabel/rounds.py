"""What automated labeling promises of a whole job, and what a round may accept.

A model's labels are accepted only after people were asked about a random sample of those very
labels. After each training the model labels everything that is left, and ``planning.plan`` chooses
between two ways to use people's next batch:

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.bound import Sample, lower_bound, rest_lower_bound

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DEFAULT_CONFIDENCE = 0.95

# What each proposal leaves of the error probability for those after it.
_LATER_SHARE = 0.25

# Nested regions, from the whole on: their share of its objects, and of its error probability.
CUTS = ((1.0, 0.9), (0.8, 0.1))


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
    for cut, (_, part) in zip(proposal.cuts, CUTS, strict=False):
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
