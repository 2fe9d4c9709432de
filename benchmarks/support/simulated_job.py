"""A labeling job without a cloud: the loop's own decisions, with labels known beforehand."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.arrays import Arrays
from groundwork.autolabel.learner import Example, KnownObject, Learner, Prediction
from groundwork.autolabel.planning import Limits, Plan, Pool, plan, plan_first
from groundwork.autolabel.rounds import Assurance, Proposal, Terms, Verdict, judge

Integers = NDArray[np.int64]
# Chooses what people do next, from what is left, the model's labels, and how sure it is.
Strategy = Callable[..., Plan]


@dataclass
class Result:
    """What a job ended with.

    Parameters
    ----------
    human, auto
        The objects by who labeled them, and the machine's labels.
    """

    human: list[int] = field(default_factory=list)
    auto: dict[int, Any] = field(default_factory=dict)
    assurance: Assurance = field(default_factory=Assurance)
    rounds: int = 0
    training_seconds: list[float] = field(default_factory=list)
    seconds: float = 0.0


def run_job(
    learner: Learner,
    known: Sequence[KnownObject],
    labels: Sequence[Any],
    classes: int,
    terms: Terms,
    batch: int,
    seed: int,
    choose: Strategy = plan,
) -> Result:
    """Label everything, asking ``labels`` for people's word.

    Parameters
    ----------
    labels
        What people would say of each object.
    batch
        How many objects people get at a time.
    """
    begun = time.monotonic()
    random = np.random.default_rng([seed, 17])
    result = Result()
    pool = np.arange(len(known))
    kept: Arrays = {}
    said: dict[int, Prediction] = {}
    proposed: dict[int, Prediction] = {}
    hard: set[int] = set()
    decided = plan_first(pool, batch, random)
    while len(pool):
        asked = decided.asked
        result.human += asked.tolist()
        hard |= set(decided.hardest.tolist())
        before = None
        if decided.proposal is not None:
            if not len(decided.proposal.seen):
                proposed = said
            scores = {
                each: learner.score(proposed[each].label, labels[each])
                for each in decided.proposal.sample.tolist()
            }
            verdict = judge(decided.proposal, scores, result.assurance, terms, random)
            before = decided.proposal, verdict
            result.assurance = verdict.assurance
            result.auto |= {each: proposed[each].label for each in verdict.accepted.tolist()}
            pool = np.setdiff1d(pool, verdict.accepted)
        pool = np.setdiff1d(pool, asked)
        if not len(pool):
            break
        result.rounds += 1
        started = time.monotonic()
        examples = [Example(known[each], labels[each], each not in hard) for each in result.human]
        trained = learner.train(examples, classes, kept, seed)
        kept = trained.kept
        predictions = learner.predict(trained.model, [known[int(each)] for each in pool], classes)
        result.training_seconds.append(time.monotonic() - started)
        said = {each.object_id: each for each in predictions}
        forecasts = np.array([each.forecast for each in predictions])
        decided = choose(
            Pool(pool, forecasts),
            trained.evidence,
            result.assurance,
            terms,
            Limits(min(batch, len(pool)), len(pool), len(known)),
            random,
            before,
        )
    result.seconds = time.monotonic() - begun
    return result


def plan_with_random_batches(
    pool: Pool,
    evidence: Any,
    assurance: Assurance,
    terms: Terms,
    limits: Limits,
    random: np.random.Generator,
    before: tuple[Proposal, Verdict] | None = None,
) -> Plan:
    """Decide as the loop does, but let people label objects at random instead of the hardest."""
    decided = plan(pool, evidence, assurance, terms, limits, random, before)
    sample = decided.proposal.asked if decided.proposal else np.zeros(0, np.int64)
    proposed = decided.proposal.objects if decided.proposal else np.zeros(0, np.int64)
    open_to_all = np.setdiff1d(pool.objects, proposed)
    count = min(len(open_to_all), max(0, limits.batch - len(sample)))
    return Plan(decided.proposal, random.choice(open_to_all, count, replace=False), decided.reason)


def accept_by_margin(
    learner: Learner,
    known: Sequence[KnownObject],
    labels: Sequence[Any],
    classes: int,
    batch: int,
    seed: int,
    margin: float,
) -> Result:
    """Label everything by AWS's published reference loop: a fixed confidence, random batches.

    It accepts what the model is sure of by more than the margin, whatever that is worth:
    https://aws.amazon.com/blogs/machine-learning/bring-your-own-model-for-amazon-sagemaker-labeling-workflows-with-active-learning/
    Confidence is the lowest of an image's boxes, and of an image without boxes the forecast.
    """
    begun = time.monotonic()
    random = np.random.default_rng([seed, 17])
    result = Result()
    pool = np.arange(len(known))
    kept: Arrays = {}
    while len(pool):
        asked = random.choice(pool, min(batch, len(pool)), replace=False)
        result.human += [int(each) for each in asked]
        pool = np.setdiff1d(pool, asked)
        if not len(pool):
            break
        result.rounds += 1
        examples = [Example(known[each], labels[each]) for each in result.human]
        trained = learner.train(examples, classes, kept, seed)
        kept = trained.kept
        predictions = learner.predict(trained.model, [known[int(each)] for each in pool], classes)
        sure = {
            each.object_id: each.label
            for each in predictions
            if min(each.confidences, default=each.forecast) > margin
        }
        result.auto |= sure
        pool = np.setdiff1d(pool, list(sure))
    result.seconds = time.monotonic() - begun
    return result
