"""Write down what a round of automated labeling did and why, for people to read."""

import logging
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain
from typing import Any

import numpy as np

from groundwork.autolabel.rounds import Assurance, Proposal
from groundwork.jobs import layout
from groundwork.jobs.allowance import condition_met
from groundwork.jobs.automation.models import ModelRecord, model_arn
from groundwork.jobs.automation.outcome import RELATIVE_TO, in_one_sentence, measured_quality
from groundwork.jobs.automation.records import Decision, PlanRecord, VerdictRecord
from groundwork.jobs.model import Counters, Job, JobStatus, Progress
from groundwork.jobs.steps.automated import Automated
from groundwork.side_by_side import in_order

_THREADS = 16
_AHEAD = 64
# Pictures without features that are named, of however many.
_SHOWN = 20
_BY_MODEL = (Decision.LEARN, Decision.PROPOSE)
_log = logging.getLogger(__name__)


def record_round(automated: Automated, iteration: int, ended: str | None = None) -> str | None:
    """Write the record of an iteration, and that of the whole job so far.

    It says what the files of the iteration say, so that it may be written again at any time.

    Parameters
    ----------
    ended
        Why the job ends with this iteration, or None while it goes on.

    Returns
    -------
    str or None
        What automated labeling has come to, in a sentence; None where it did not begin.
    """
    files, job = automated.files, automated.job
    plan = files.find_plan(iteration)
    decisive = _decisive_plan(automated, iteration, plan)
    if decisive is None:
        return None
    counters = automated.progress(iteration).counters
    found = _verdicts(automated, iteration)
    verdicts = [verdict for verdict in found if verdict is not None]
    sentence = in_one_sentence(
        counters,
        verdicts,
        decisive,
        automated.terms,
        automated.form.quality_name,
        has_ended=ended is not None,
    )
    known = _known(automated, verdicts)
    document = _round(automated, iteration, counters, plan, found[-1] if found else None)
    document |= known | {"ended": ended}
    files.replace_json(layout.round_uri(job, iteration), document)
    summary = {
        "job": job.name,
        "iterations": iteration,
        "batches_of_people": len(verdicts),
        **known,
        "counters": _counted(counters),
        "ended": ended,
        "outcome": sentence,
    }
    files.replace_json(layout.summary_uri(job), summary)
    return sentence


def record_end(automated: Automated, iteration: int, ended: str) -> None:
    """Write the last records of a job, and say in the log what came of automated labeling."""
    sentence = record_round(automated, iteration, ended)
    if sentence is not None:
        _log.info(
            "automated labeling ended",
            extra={
                "job": automated.job.name,
                "iteration": iteration,
                "because": ended,
                "outcome": sentence,
            },
        )


def why_ended(job: Job, progress: Progress) -> str:
    """Return why a job that did not fail has come to its end."""
    if progress.counters.unlabeled == 0:
        return "no object is left"
    if job.status is JobStatus.STOPPING:
        return "the job was stopped"
    return condition_met(job, progress) or "nothing is left to do"


def _decisive_plan(
    automated: Automated, iteration: int, present: PlanRecord | None
) -> PlanRecord | None:
    """Return the plan that tells best how automated labeling stands; None if there is none.

    It is the last one in which a model had a part, or else the last one that says why there was no
    model while enough was left for one.

    Parameters
    ----------
    present
        The iteration's own plan, which mostly is the one.
    """
    last, without_model = None, None
    present_first = () if present is None else (present,)
    for plan in chain(present_first, automated.files.plans(range(iteration - 1, -1, -1))):
        if plan.decision in _BY_MODEL:
            return plan
        last = last or plan
        if plan.decision is Decision.RANDOM and plan.iteration > 0:
            without_model = without_model or plan
    return without_model or last


def _verdicts(automated: Automated, iteration: int) -> list[VerdictRecord | None]:
    """Return what became of the proposals that were judged in iterations 1 to this one."""
    find = automated.files.find_verdict
    return list(in_order(find, range(1, iteration + 1), threads=_THREADS, ahead=_AHEAD))


def _known(automated: Automated, verdicts: Sequence[VerdictRecord]) -> dict[str, Any]:
    """Return what is known of the labels that were accepted so far."""
    terms = automated.terms
    assurance = verdicts[-1].assurance if verdicts else Assurance()
    measured = measured_quality(verdicts, terms)
    return {
        "quality": automated.form.quality_name,
        "target": terms.target,
        "confidence": terms.confidence,
        "relative_to": RELATIVE_TO,
        "machine_labeled": assurance.labels,
        "bound": assurance.bound,
        "proposals_judged": assurance.proposals,
        "measured_quality": None if measured is None else asdict(measured),
    }


def _round(
    automated: Automated,
    iteration: int,
    counters: Counters,
    plan: PlanRecord | None,
    verdict: VerdictRecord | None,
) -> dict[str, Any]:
    files = automated.files
    model = files.find_model_record(iteration)
    proposal = files.find_proposal(iteration) if plan is not None else None
    return {
        "job": automated.job.name,
        "iteration": iteration,
        "counters": _counted(counters),
        "labels_by_people": None if model is None else model.known,
        "model": None if model is None else _model(automated, model),
        "evidence": _evidence(automated, model),
        "risk_curve": [] if plan is None else [asdict(each) for each in plan.risk_curve],
        "decision": None if plan is None else plan.decision,
        "reason": None if plan is None else plan.reason,
        "asked": None if plan is None else len(plan.asked),
        "proposal": None if proposal is None else _proposal(proposal),
        "verdict": None if verdict is None else _verdict(verdict),
        "seconds": _seconds(automated, iteration, model, plan),
        **(_pictures(automated) if iteration == 0 else {}),
    }


def _counted(counters: Counters) -> dict[str, int]:
    return {**asdict(counters), "total_labeled": counters.total_labeled}


def _model(automated: Automated, model: ModelRecord) -> dict[str, Any]:
    job = automated.job
    made = model.origin is not None
    return {
        "arn": model_arn(job.region, job.account, job.name, model.iteration) if made else None,
        "folder": str(layout.training_uri(job, model.iteration)) if made else None,
        "task": model.task,
        "classes": list(model.classes),
        "origin": model.origin,
        "learned_from": model.learned_from,
        "reason": model.reason,
        "seed": model.seed,
        "seconds": model.seconds,
    }


def _evidence(automated: Automated, model: ModelRecord | None) -> dict[str, Any] | None:
    """Return how well the model does on labels that it has not learned from."""
    if model is None or model.origin is None:
        return None
    folder = layout.training_uri(automated.job, model.iteration)
    evidence = automated.files.evidence_in(folder)
    if not len(evidence.scores):
        return None
    off = evidence.scores - evidence.forecasts
    return {
        "objects": len(evidence.scores),
        "mean_quality": float(evidence.scores.mean()),
        "mean_forecast": float(evidence.forecasts.mean()),
        "spread": float(np.sqrt(np.mean(off**2))),
    }


def _proposal(proposal: Proposal) -> dict[str, Any]:
    return {
        "objects": len(proposal.objects),
        "sampled": len(proposal.sample),
        "mean_forecast": float(proposal.forecasts.mean()),
        "threshold": float(proposal.forecasts.min()),
        "cuts": list(proposal.cuts),
        "spread": proposal.spread,
    }


def _verdict(verdict: VerdictRecord) -> dict[str, Any] | None:
    """Return what became of the proposal of the iteration before; None if there was none."""
    if verdict.proposal_of is None:
        return None
    return {
        "proposal_of": verdict.proposal_of,
        "withdrawn": verdict.withdrawn,
        "tests": [{**asdict(test), "passed": test.passed} for test in verdict.tests],
        "accepted": verdict.accepted,
        "expected": verdict.forecast_mean if verdict.tests else None,
        "achieved": verdict.achieved(),
        "unanswered": sum(label.score is None for label in verdict.sample),
    }


def _seconds(
    automated: Automated, iteration: int, model: ModelRecord | None, plan: PlanRecord | None
) -> dict[str, float]:
    """Return how long each part took; what ran side by side counts as if it had not."""
    seconds = {}
    batch = automated.engine.store.get_batch(automated.job.name, iteration)
    if batch.opened_at and batch.closed_at:
        seconds["people"] = (batch.closed_at - batch.opened_at).total_seconds()
    if model is not None:
        seconds["training"] = model.seconds
    if plan is not None:
        seconds |= {"inference": plan.inference_seconds, "planning": plan.seconds}
    return seconds


def _pictures(automated: Automated) -> dict[str, Any]:
    """Return what the look at all pictures took and found."""
    files = automated.files
    shards = files.shards()
    found = in_order(files.find_pictures, range(shards.count), threads=_THREADS, ahead=_THREADS)
    features, seconds = 0, 0.0
    missing: dict[int, str] = {}
    for pictures in found:
        if pictures is not None:
            features += len(pictures.images)
            seconds += pictures.seconds
            missing |= pictures.missing
    shown = sorted(missing.items())[:_SHOWN]
    return {
        "pictures": {
            "with_features": features,
            "without_features": len(missing),
            "reasons": [{"object": object_id, "reason": why} for object_id, why in shown],
            "seconds": seconds,
        }
    }
