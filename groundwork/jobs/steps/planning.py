"""Decide whom people are asked about next, and which labels they judge by it."""

import logging
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.planning import Limits, Plan, Pool, plan, plan_first
from groundwork.autolabel.rounds import Assurance, Proposal, Verdict
from groundwork.jobs import layout
from groundwork.jobs.automation.models import ModelRecord
from groundwork.jobs.automation.objects import Integers, ObjectState, objects_in
from groundwork.jobs.automation.records import (
    Decision,
    PlanRecord,
    RegionForecast,
    VerdictRecord,
)
from groundwork.jobs.automation.room import Room, room_for
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.automated import Automated
from groundwork.jobs.steps.recording import record_round

# An execution ends at 25,000 events. A round takes about 60 of them, and each of the 720 hours that
# a job may wait for people a dozen:
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
ROUNDS_PER_EXECUTION = 100
_CURVE_STEPS = 20
_log = logging.getLogger(__name__)


def plan_batch(engine: Engine, job_name: str, iteration: int) -> StepResult:
    """Decide on people's next batch.

    The outcome is ``continue``, or ``hand_over`` to a fresh execution.
    """
    automated = Automated.of(engine, engine.store.get(job_name))
    if automated.is_running:
        if automated.files.find_plan(iteration) is None:
            _plan(automated, iteration)
        record_round(automated, iteration)
    hand_over = iteration > 0 and iteration % ROUNDS_PER_EXECUTION == 0
    return StepResult(automated.job.name, iteration, "hand_over" if hand_over else "continue")


def _plan(automated: Automated, iteration: int) -> None:
    clock, files = automated.engine.clock, automated.files
    began = clock()
    states = files.states(iteration)
    room = room_for(automated.job, automated.progress(iteration), states)
    model = files.find_model_record(iteration)
    if model is None:
        raise JobFailedError(f"iteration {iteration} of job {automated.job.name} had no training")
    objects = objects_in(states, ObjectState.POOL)
    curve: tuple[RegionForecast, ...] = ()
    inference_seconds = 0.0
    if model.origin is None:
        decided = _random_batch(automated, iteration, objects, room, model)
        decision = Decision.REST if room.too_little() else Decision.RANDOM
    else:
        forecasts, inference_seconds = _forecasts(automated, iteration, objects, len(states))
        curve = _risk_curve(forecasts)
        decided = _decide(automated, iteration, Pool(objects, forecasts), room)
        decision = Decision.LEARN if decided.proposal is None else Decision.PROPOSE
    record = PlanRecord(
        iteration=iteration,
        decision=decision,
        reason=decided.reason,
        asked=tuple(decided.asked.tolist()),
        hardest=tuple(sorted(decided.hardest.tolist())),
        pool=room.pool,
        risk_curve=curve,
        seconds=(clock() - began).total_seconds(),
        inference_seconds=inference_seconds,
    )
    files.keep_plan(record, decided.proposal)
    _log.info(
        "batch planned",
        extra={
            "job": automated.job.name,
            "iteration": iteration,
            "decision": decision,
            "asked": len(record.asked),
            "sampled": 0 if decided.proposal is None else len(decided.proposal.asked),
            "pool": room.pool,
            "reason": record.reason,
        },
    )


def _random_batch(
    automated: Automated, iteration: int, objects: Integers, room: Room, model: ModelRecord
) -> Plan:
    decided = plan_first(objects, room.people, automated.draws(iteration, "plan"))
    if iteration == 0:
        return decided
    return replace(decided, reason=model.reason)


def _decide(automated: Automated, iteration: int, pool: Pool, room: Room) -> Plan:
    files = automated.files
    verdict = files.find_verdict(iteration)
    return plan(
        pool,
        files.evidence_in(layout.training_uri(automated.job, iteration)),
        Assurance() if verdict is None else verdict.assurance,
        automated.terms,
        Limits(room.people, room.sample, room.labels),
        automated.draws(iteration, "plan"),
        _before(files.find_proposal(iteration - 1) if iteration else None, verdict),
    )


def _before(
    proposal: Proposal | None, record: VerdictRecord | None
) -> tuple[Proposal, Verdict] | None:
    """Return what was just judged and found wanting, which may be proposed again."""
    if proposal is None or record is None or record.withdrawn or record.region:
        return None
    return proposal, Verdict(proposal.sample[:0], record.assurance, record.tests)


def _forecasts(
    automated: Automated, iteration: int, objects: Integers, total: int
) -> tuple[NDArray[np.float64], float]:
    """Return the objects' forecasts, NaN without one, and how long they took to make.

    A number for each object of the job is all that is held of it.
    """
    forecasts = np.full(total, np.nan)
    seconds = 0.0
    shards = automated.files.shards().with_any(objects)
    for found in automated.files.forecasts_of(iteration, shards):
        forecasts[found.objects] = found.forecasts
        seconds += found.seconds
    return forecasts[objects], seconds


def _risk_curve(forecasts: NDArray[np.float64]) -> tuple[RegionForecast, ...]:
    """Return what is to be expected of ever more labels, best first."""
    best_first = np.sort(forecasts[~np.isnan(forecasts)])[::-1]
    sizes = np.unique(np.ceil(np.linspace(0, 1, _CURVE_STEPS + 1)[1:] * len(best_first)))
    return tuple(
        RegionForecast(
            objects=int(size),
            mean_forecast=float(best_first[: int(size)].mean()),
            threshold=float(best_first[int(size) - 1]),
        )
        for size in sizes
        if size
    )
