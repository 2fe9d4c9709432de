"""A job keeps its word over all its rounds, whatever the model and the data are like."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from groundwork.autolabel.bound import Sample
from groundwork.autolabel.learner import Evidence
from groundwork.autolabel.planning import Limits, Plan, Pool, plan, plan_first
from groundwork.autolabel.rounds import (
    Assurance,
    CutTest,
    Proposal,
    Terms,
    Verdict,
    judge,
    measured_interval,
)

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Round:
    """What a model says in one round: the true quality of its labels, and its forecasts."""

    qualities: Floats
    forecasts: Floats


# Gives the model's labels for all objects in a round, 0 to 3 or later.
World = Callable[[int, int, np.random.Generator], Round]


def honest(number: int, objects: int, random: np.random.Generator) -> Round:
    """A model that learns and knows how well it does."""
    level = min(0.85, 0.55 + 0.08 * number)
    expected = np.clip(random.normal(level, 0.15, objects), 0, 1)
    qualities = np.clip(expected + random.normal(0, 0.15, objects), 0, 1)
    return Round(qualities, expected)


def just_below(number: int, objects: int, random: np.random.Generator) -> Round:
    """Every label is a little below the target, and forecast far above it."""
    return Round(np.full(objects, 0.595), random.uniform(0.75, 0.95, objects))


def just_below_and_noisy(number: int, objects: int, random: np.random.Generator) -> Round:
    """Labels are good or worthless at random, a little below the target on average."""
    good = random.random(objects) < 0.6
    return Round(np.where(good, 0.98, 0.0), random.uniform(0.7, 0.9, objects))


def rare_disasters(number: int, objects: int, random: np.random.Generator) -> Round:
    """Nearly all labels are just above the target; the mean is below for what samples miss."""
    lost = random.random(objects) < 0.06
    return Round(np.where(lost, 0.0, 0.63), np.full(objects, 0.8) + random.normal(0, 0.01, objects))


def boasting(number: int, objects: int, random: np.random.Generator) -> Round:
    """The worse a label, the surer the model."""
    qualities = random.uniform(0.2, 1.0, objects)
    return Round(qualities, np.clip(1.1 - 0.5 * qualities, 0, 1))


def alternating(number: int, objects: int, random: np.random.Generator) -> Round:
    """Good in one round, to gain trust, and bad in the next."""
    level = 0.72 if number % 2 == 0 else 0.5
    qualities = np.clip(random.normal(level, 0.2, objects), 0, 1)
    return Round(qualities, np.full(objects, 0.85) + random.normal(0, 0.01, objects))


def memorizing(number: int, objects: int, random: np.random.Generator) -> Round:
    """Perfect on what it learned from, so that its evidence says nothing of the rest."""
    return Round(random.uniform(0.3, 0.85, objects), random.uniform(0.9, 1.0, objects))


WORLDS = {
    world.__name__: world
    for world in (
        honest,
        just_below,
        just_below_and_noisy,
        rare_disasters,
        boasting,
        alternating,
        memorizing,
    )
}


@dataclass
class Outcome:
    """How a simulated job ended."""

    assurance: Assurance
    qualities: list[float]
    asked: int


def run_job(
    world: World,
    seed: int,
    *,
    terms: Terms,
    objects: int = 400,
    batch: int = 50,
    believed: Callable[[Round], Evidence] | None = None,
) -> Outcome:
    """Run a job to its end with the real plans and verdicts."""
    random = np.random.default_rng(seed)
    pool = np.arange(objects)
    assurance, accepted = Assurance(), []
    decided = plan_first(pool, batch, random)
    said: Round | None = None
    proposed: Round | None = None
    asked = number = 0
    while len(pool):
        people = _people(decided)
        asked += len(people)
        before = None
        if decided.proposal is not None:
            proposed = proposed if len(decided.proposal.seen) else said
            assert proposed is not None
            qualities = proposed.qualities
            scores = {int(each): float(qualities[each]) for each in decided.proposal.sample}
            verdict = judge(decided.proposal, scores, assurance, terms, random)
            before = decided.proposal, verdict
            assurance = verdict.assurance
            accepted += [float(qualities[each]) for each in verdict.accepted]
            pool = np.setdiff1d(pool, verdict.accepted)
        pool = np.setdiff1d(pool, people)
        said = world(number, objects, random)
        evidence = (believed or _confident)(said)
        decided = plan(
            Pool(pool, said.forecasts[pool]),
            evidence,
            assurance,
            terms,
            Limits(batch, batch, objects),
            random,
            before,
        )
        number += 1
    return Outcome(assurance, accepted, asked)


def _people(decided: Plan) -> NDArray[np.int64]:
    assert len(np.unique(decided.asked)) == len(decided.asked)
    return decided.asked


def _confident(said: Round) -> Evidence:
    """Evidence that confirms the forecasts, as a model gives that has fooled itself."""
    some = said.forecasts[:100]
    return Evidence(some, some)


def fails(outcome: Outcome, target: float) -> bool:
    return bool(outcome.qualities) and float(np.mean(outcome.qualities)) < target


@pytest.mark.parametrize("world", WORLDS)
def test_the_mean_of_all_accepted_labels_is_below_the_target_at_most_as_often_as_stated(
    world: str,
) -> None:
    terms = Terms(target=0.6, graded=True, confidence=0.9)
    runs = 40
    failed = sum(
        fails(run_job(WORLDS[world], seed, terms=terms), terms.target) for seed in range(runs)
    )
    # 40 runs at a tenth: more than 10 would happen once in a thousand times.
    assert failed <= 10


def test_right_or_wrong_labels_keep_their_word_too() -> None:
    terms = Terms(target=0.95, graded=False, confidence=0.9)

    def nearly(number: int, objects: int, random: np.random.Generator) -> Round:
        right = random.random(objects) < 0.945
        return Round(right.astype(float), np.full(objects, 0.99) + random.normal(0, 1e-3, objects))

    runs = 30
    failed = sum(
        fails(run_job(nearly, seed, terms=terms, batch=150), terms.target) for seed in range(runs)
    )
    # 30 runs at a tenth: more than 9 would happen once in two thousand times.
    assert failed <= 9


def test_what_is_stated_holds_also_above_the_target() -> None:
    terms = Terms(target=0.6, graded=True, confidence=0.9)
    wrong = 0
    for seed in range(30):
        outcome = run_job(honest, seed, terms=terms)
        bound = outcome.assurance.bound
        if bound is not None:
            assert bound >= terms.target - 1e-9
            wrong += bool(np.mean(outcome.qualities) < bound)
    assert wrong <= 8


def test_a_good_model_saves_people_most_of_the_work() -> None:
    terms = Terms(target=0.6, graded=True)

    def good(number: int, objects: int, random: np.random.Generator) -> Round:
        expected = np.clip(random.normal(0.8, 0.1, objects), 0, 1)
        return Round(np.clip(expected + random.normal(0, 0.1, objects), 0, 1), expected)

    outcome = run_job(
        good,
        1,
        terms=terms,
        believed=lambda said: Evidence(said.forecasts[:60], said.qualities[:60]),
    )
    assert len(outcome.qualities) > 0.7 * 400
    assert len(outcome.qualities) + outcome.asked == 400


def test_a_hopeless_model_leaves_everything_to_people() -> None:
    terms = Terms(target=0.6, graded=True)

    def hopeless(number: int, objects: int, random: np.random.Generator) -> Round:
        return Round(np.zeros(objects), random.uniform(0, 0.3, objects))

    outcome = run_job(hopeless, 1, terms=terms)
    assert outcome.qualities == []
    assert outcome.asked == 400
    assert outcome.assurance == Assurance()


def proposal_of(
    qualities: Floats, sampled: int, seed: int = 0
) -> tuple[Proposal, dict[int, float]]:
    order = np.argsort(-qualities, kind="stable")
    random = np.random.default_rng(seed)
    sample = random.choice(order, sampled, replace=False)
    size = len(order)
    cuts = (size, int(0.8 * size))
    forecasts = np.clip(qualities[order], 0, 1)
    proposal = Proposal(order, forecasts, cuts, sample, 0.1)
    return proposal, {int(each): float(qualities[each]) for each in sample}


def test_all_of_a_good_region_is_accepted_but_its_sample() -> None:
    proposal, scores = proposal_of(np.random.default_rng(0).uniform(0.7, 1.0, 300), 60)
    verdict = judge(
        proposal, scores, Assurance(), Terms(0.6, graded=True), np.random.default_rng(0)
    )
    assert sorted(verdict.accepted) == sorted(set(range(300)) - set(scores))
    assert [test.passed for test in verdict.tests] == [True]
    assert verdict.assurance.labels == 240
    bound = verdict.assurance.bound
    assert bound is not None
    assert 0.6 < bound < 0.85


def test_a_region_that_fails_as_a_whole_may_pass_in_part() -> None:
    qualities = np.r_[np.full(240, 0.95), np.full(60, 0.0)]
    proposal, scores = proposal_of(qualities, 100)
    verdict = judge(
        proposal, scores, Assurance(), Terms(0.78, graded=True), np.random.default_rng(0)
    )
    assert [test.passed for test in verdict.tests] == [False, True]
    assert set(verdict.accepted) == set(range(240)) - set(scores)
    bound = verdict.assurance.bound
    assert bound is not None
    assert 0.78 <= bound < 0.95


def test_forecasts_that_are_upside_down_bring_nothing() -> None:
    qualities = np.r_[np.full(150, 0.2), np.full(150, 1.0)]
    random = np.random.default_rng(0)
    objects = np.arange(300)
    sample = random.choice(objects, 120, replace=False)
    proposal = Proposal(objects, np.linspace(0.9, 0.8, 300), (300, 240), sample, 0.1)
    scores = {int(each): float(qualities[each]) for each in sample}
    verdict = judge(proposal, scores, Assurance(), Terms(0.6, graded=True), random)
    assert [test.passed for test in verdict.tests] == [False, False]
    assert len(verdict.accepted) == 0
    assert verdict.assurance == Assurance(proposals=1)


@pytest.mark.parametrize("graded", [True, False], ids=["graded", "right or wrong"])
def test_looking_again_and_again_does_not_pass_what_is_not_good_enough(graded: bool) -> None:
    """Every look is taken, however bad the one before was."""
    terms = Terms(0.8, graded=graded, confidence=0.8)
    runs, looks, size = 200, 4, 200
    passed = 0
    for seed in range(runs):
        random = np.random.default_rng([11, seed])
        qualities = (np.arange(size) >= round(0.21 * size)).astype(float)
        random.shuffle(qualities)
        sample = np.sort(random.choice(size, 30, replace=False))
        proposal = Proposal(np.arange(size), np.full(size, 0.8), (size,), sample, 0.4)
        assurance = Assurance()
        for look in range(looks):
            assert len(proposal.sample) == 30 * (look + 1)
            scores = {each: float(qualities[each]) for each in proposal.sample.tolist()}
            verdict = judge(proposal, scores, assurance, terms, random)
            if len(verdict.accepted):
                # Without its sample the region is another one: what is accepted counts.
                passed += bool(qualities[verdict.accepted].mean() < terms.target)
                break
            assurance = verdict.assurance
            proposal = proposal.again(random)
    # 200 runs at a fifth: more than 60 would happen once in two thousand times.
    assert passed <= 60


def missed(sample_mean: float) -> tuple[Proposal, Plan]:
    """Return a proposal whose sample was too small to pass, and what is planned after it."""
    random = np.random.default_rng(3)
    objects = np.arange(400)
    sample = np.sort(random.choice(objects, 60, replace=False))
    proposal = Proposal(objects, np.full(400, 0.62), (400, 320), sample, 0.1)
    failed = CutTest(400, 60, sample_mean, bound=0.58, needed=0.6, error_probability=0.03)
    verdict = Verdict(sample[:0], Assurance(proposals=1), (failed,))
    pool = np.setdiff1d(objects, sample)
    decided = plan(
        Pool(pool, np.full(len(pool), 0.3)),
        Evidence(np.full(100, 0.6), np.full(100, 0.6)),
        verdict.assurance,
        Terms(0.6, graded=True),
        Limits(100, 400, 400),
        random,
        (proposal, verdict),
    )
    return proposal, decided


def test_a_region_whose_sample_was_too_small_is_proposed_again_with_as_many_more() -> None:
    proposal, decided = missed(0.66)
    again = decided.proposal
    assert again is not None
    assert "proposed again" in decided.reason
    assert np.array_equal(again.objects, proposal.objects)
    assert len(again.sample) == 2 * len(proposal.sample)
    assert np.array_equal(again.seen, proposal.sample)
    assert set(again.asked).isdisjoint(proposal.sample)
    assert set(again.asked) <= set(decided.asked.tolist())
    assert set(decided.others.tolist()).isdisjoint(again.objects)


def test_a_region_that_is_not_good_enough_is_not_proposed_again() -> None:
    _, decided = missed(0.56)
    assert decided.proposal is None


def test_who_was_not_labeled_counts_as_worthless() -> None:
    proposal, scores = proposal_of(np.full(300, 0.9), 60)
    # Those whose tasks came last: their place in the batch must not matter.
    missing = dict(list(scores.items())[:30])
    verdict = judge(
        proposal, missing, Assurance(), Terms(0.6, graded=True), np.random.default_rng(0)
    )
    assert verdict.tests[0].sample_mean < 0.6
    assert len(verdict.accepted) == 0


def test_every_proposal_costs_its_part_of_the_error_probability() -> None:
    shares = [Assurance(proposals=made).error_probability(0.95) for made in range(60)]
    assert sum(shares) == pytest.approx(0.05)
    assert shares[0] == pytest.approx(0.0375)
    assert all(one > other for one, other in pairwise(shares))


def test_what_was_shown_beyond_the_target_may_be_spent_later() -> None:
    rich = Assurance(labels=400, quality=400 * 0.7, proposals=1)
    assert rich.needed(0.6, 100) == pytest.approx(0.2)
    assert Assurance().needed(0.6, 100) == pytest.approx(0.6)


def test_people_get_no_more_tasks_than_they_may_and_none_twice() -> None:
    random = np.random.default_rng(2)
    for most in (1, 30, 90):
        forecasts = random.uniform(0.3, 1.0, 500)
        forecasts[:20] = np.nan
        decided = plan(
            Pool(np.arange(1000, 1500), forecasts),
            Evidence(forecasts[20:120], forecasts[20:120] - 0.05),
            Assurance(),
            Terms(0.5, graded=True),
            Limits(most, most, 10_000),
            random,
        )
        people = _people(decided)
        assert 0 < len(people) <= most
        assert set(people) <= set(range(1000, 1500))
        if decided.proposal is not None:
            # What the model has no label for is never proposed, and goes to people first.
            assert not set(decided.proposal.objects) & set(range(1000, 1020))


def test_no_more_labels_are_proposed_than_the_job_may_accept() -> None:
    random = np.random.default_rng(2)
    forecasts = random.uniform(0.8, 1.0, 500)
    decided = plan(
        Pool(np.arange(500), forecasts),
        Evidence(forecasts[:100], forecasts[:100]),
        Assurance(),
        Terms(0.6, graded=True),
        Limits(100, 100, 120),
        random,
    )
    assert decided.proposal is not None
    assert len(decided.proposal.objects) - len(decided.proposal.sample) <= 120


def test_a_share_of_what_is_proposed_can_be_asked_for() -> None:
    random = np.random.default_rng(2)
    forecasts = random.uniform(0.9, 1.0, 500)
    terms = Terms(0.6, graded=True, sampled_share=0.2)
    decided = plan(
        Pool(np.arange(500), forecasts),
        Evidence(forecasts[:100], forecasts[:100]),
        Assurance(),
        terms,
        Limits(200, 200, 10_000),
        random,
    )
    assert decided.proposal is not None
    assert len(decided.proposal.sample) >= 0.2 * len(decided.proposal.objects)


def test_the_same_seed_plans_the_same() -> None:
    forecasts = np.random.default_rng(1).uniform(0.5, 1.0, 300)

    def decided() -> Plan:
        return plan(
            Pool(np.arange(300), forecasts),
            Evidence(forecasts[:50], forecasts[:50]),
            Assurance(),
            Terms(0.6, graded=True),
            Limits(60, 60, 300),
            np.random.default_rng(4),
        )

    one, other = decided(), decided()
    assert np.array_equal(_people(one), _people(other))


def test_a_plan_without_a_proposal_says_what_is_missing() -> None:
    forecasts = np.full(300, 0.4)
    decided = plan(
        Pool(np.arange(300), forecasts),
        Evidence(forecasts[:50], forecasts[:50]),
        Assurance(),
        Terms(0.6, graded=True),
        Limits(60, 60, 300),
        np.random.default_rng(4),
    )
    assert decided.proposal is None
    assert "0.400, below the target 0.6" in decided.reason
    assert "more workers per object" in decided.reason


def test_the_measured_interval_holds_the_mean() -> None:
    random = np.random.default_rng(8)
    missed = 0
    for _ in range(40):
        samples, total = [], 0.0
        for size in (200, 400):
            qualities = np.clip(random.normal(0.7, 0.2, size), 0, 1)
            chosen = random.permutation(size)[:50]
            flat = np.full(50, 0.7)
            samples.append(Sample(qualities[chosen], flat, size, 0.7, 0.7, graded=True))
            total += float(qualities.sum())
        mean, low, high = measured_interval(samples, 0.1, 0.2)
        assert low <= mean <= high
        missed += not low <= total / 600 <= high
    assert missed <= 10
