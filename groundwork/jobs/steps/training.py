"""Learn from what people labeled so far, or go on with the model that was given."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from groundwork.autolabel.arrays import Arrays
from groundwork.autolabel.learner import Evidence, Example, Learner, Trained, representative
from groundwork.contract.automated_labeling import SMALLEST_SAMPLE
from groundwork.jobs.automation.models import ModelOrigin, ModelRecord
from groundwork.jobs.automation.objects import ObjectState, States, objects_in
from groundwork.jobs.automation.room import room_for
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.automated import Automated
from groundwork.jobs.steps.examples import Labeled, labeled_by_people
from groundwork.s3_uri import S3Uri

# Fewer labels teach nothing that a sample could confirm.
_LEAST_EXAMPLES = SMALLEST_SAMPLE
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Model:
    """A model that the iteration may go on with."""

    origin: ModelOrigin
    learned_from: int
    arrays: Arrays
    evidence: Evidence
    kept: Arrays
    reason: str


def train(engine: Engine, job_name: str, iteration: int) -> StepResult:
    """Make an iteration's model.

    The outcome is ``infer`` with the shards that have objects to label, or ``plan`` when there is
    no model.
    """
    automated = Automated.of(engine, engine.store.get(job_name))
    result = StepResult(automated.job.name, iteration, "plan")
    if not automated.is_running:
        return result
    record = automated.files.find_model_record(iteration)
    states = automated.files.states(iteration)
    if record is None:
        record = _make_model(automated, iteration, states)
        _log.info(
            "model made",
            extra={
                "job": automated.job.name,
                "iteration": iteration,
                "origin": record.origin,
                "learned_from": record.learned_from,
                "seconds": round(record.seconds, 1),
                "reason": record.reason,
            },
        )
    shards = automated.files.shards().with_any(objects_in(states, ObjectState.POOL))
    if record.origin is None or not shards:
        return result
    return replace(result, outcome="infer", shards=shards)


def _make_model(automated: Automated, iteration: int, states: States) -> ModelRecord:
    clock = automated.engine.clock
    began = clock()
    record = ModelRecord(
        iteration=iteration,
        task=automated.task_key,
        classes=automated.classes,
        origin=None,
        learned_from=0,
        known=0,
        reason="",
        seed=automated.seed,
        seconds=0.0,
    )
    too_little = room_for(automated.job, automated.progress(iteration), states).too_little()
    if too_little:
        record = replace(record, reason=too_little)
        automated.files.keep_model_record(record)
        return record
    learner = automated.learner
    with labeled_by_people(automated, iteration, states, learner.record_bytes) as labeled:
        record = replace(record, known=labeled.known)
        model, reason = _best_model(automated, iteration, learner, labeled)
    record = replace(record, reason=reason, seconds=(clock() - began).total_seconds())
    if model is None:
        automated.files.keep_model_record(record)
        return record
    record = replace(record, origin=model.origin, learned_from=model.learned_from)
    automated.files.keep_model(record, model.arrays, model.evidence, model.kept)
    return record


def _best_model(
    automated: Automated, iteration: int, learner: Learner, labeled: Labeled
) -> tuple[_Model | None, str]:
    """Return what has proven better on this job's labels: the own model or the given one.

    A model that was given may have learned from far more labels than this job has at first, and
    its learner cannot go on from it; so it serves until the own one overtakes it.
    """
    own, obstacle = _own_model(automated, iteration, learner, labeled)
    folder = automated.automation.initial_model
    if folder is None:
        return own, obstacle if own is None else own.reason
    comparable = _comparable(labeled)
    given = _given_model(automated, learner, comparable, S3Uri.parse(folder))
    if own is None:
        return given, f"{obstacle}; the given model is used"
    if len(comparable) < _LEAST_EXAMPLES:
        if given.learned_from > own.learned_from:
            return given, (
                f"the given model has learned from {given.learned_from} labels, more than the "
                f"{own.learned_from} that this job has"
            )
        return own, own.reason
    typical = representative(labeled.examples)
    quality = float(own.evidence.scores[labeled.fresh[typical]].mean())
    given_quality = float(given.evidence.scores.mean())
    if given_quality > quality:
        return given, (
            f"the given model reaches {given_quality:.3f} on this job's labels, an own one "
            f"{quality:.3f}"
        )
    return own, own.reason


def _comparable(labeled: Labeled) -> list[Example]:
    """Return the examples that neither model has learned from when it is asked about them.

    The given one may know the labels that were there before the job.
    """
    typical = representative(labeled.examples)
    return [labeled.examples[place] for place in typical if labeled.fresh[place]]


def _own_model(
    automated: Automated, iteration: int, learner: Learner, labeled: Labeled
) -> tuple[_Model | None, str]:
    examples = labeled.examples
    if len(examples) < _LEAST_EXAMPLES:
        return None, (
            f"{len(examples)} objects have a label by people to learn from; a model takes "
            f"{_LEAST_EXAMPLES}"
        )
    nothing = automated.form.nothing_to_learn([example.label for example in examples])
    if nothing:
        return None, nothing
    before = automated.files.kept_before(iteration)
    trained: Trained = learner.train(examples, len(automated.classes), before, automated.seed)
    model = _Model(
        ModelOrigin.TRAINED,
        len(examples),
        trained.model,
        trained.evidence,
        {name: each for name, each in trained.kept.items() if name not in before},
        f"trained on {len(examples)} labels",
    )
    return model, ""


def _given_model(
    automated: Automated, learner: Learner, comparable: Sequence[Example], folder: S3Uri
) -> _Model:
    """Return the model that the job began with, and how it does on this job's labels.

    Before there are enough of them, how it did in its own job has to do.
    """
    record = automated.files.model_record_in(folder)
    if record is None:
        raise JobFailedError(
            f"InitialActiveLearningModelArn: the model in {folder} is gone; start the job again "
            "without it"
        )
    arrays = automated.files.model_in(folder)
    if len(comparable) < _LEAST_EXAMPLES:
        evidence = automated.files.evidence_in(folder)
    else:
        known = [example.known for example in comparable]
        predictions = learner.predict(arrays, known, len(automated.classes))
        scores = [
            learner.score(prediction.label, example.label)
            for prediction, example in zip(predictions, comparable, strict=True)
        ]
        forecasts = [prediction.forecast for prediction in predictions]
        evidence = Evidence(np.array(forecasts), np.array(scores))
    return _Model(ModelOrigin.GIVEN, record.learned_from, arrays, evidence, {}, "")
