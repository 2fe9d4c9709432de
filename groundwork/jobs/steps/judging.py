"""Compare proposed labels with people's, and accept what is good enough."""

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np

from groundwork.autolabel.rounds import Assurance, Proposal, judge
from groundwork.jobs import layout
from groundwork.jobs.automation.objects import Integers, ObjectState, States
from groundwork.jobs.automation.records import SampledLabel, VerdictRecord
from groundwork.jobs.metadata import labeled_by
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.automated import Automated
from groundwork.jobs.steps.batches import read_batch, result_of
from groundwork.manifest import METADATA_SUFFIX, LabelState, with_label
from groundwork.side_by_side import in_order

_THREADS = 8
_SHARDS_AHEAD = 16
_AFTER_PEOPLE = {
    LabelState.HUMAN: ObjectState.HUMAN,
    LabelState.FAILED: ObjectState.FAILED,
    LabelState.UNLABELED: ObjectState.POOL,
}
_log = logging.getLogger(__name__)


def judge_proposal(engine: Engine, job_name: str, iteration: int) -> StepResult:
    """Judge what was proposed before a batch by what people answered, and note who is labeled."""
    automated = Automated.of(engine, engine.store.get(job_name))
    if automated.files.find_states(iteration) is None:
        _judge(automated, iteration)
    return StepResult(automated.job.name, iteration, "judged")


def _judge(automated: Automated, iteration: int) -> None:
    files = automated.files
    states = files.states(iteration - 1).copy()
    people = _read_people(automated, iteration, states)
    proposal = files.find_proposal(iteration - 1)
    record = files.find_verdict(iteration)
    if record is None:
        record = _verdict(automated, iteration, proposal, people)
        accepted = _accepted(proposal, record)
        if len(accepted):
            lines = _accepted_lines(automated, iteration, accepted)
            files.keep_stream(layout.accepted_labels_uri(automated.job, iteration), lines)
        # Last, so that whoever sees the verdict finds the lines.
        files.keep_verdict(iteration, record)
    states[_accepted(proposal, record)] = ObjectState.MACHINE
    files.keep_states(iteration, states)


def _accepted(proposal: Proposal | None, record: VerdictRecord) -> Integers:
    """Return the objects whose proposed labels are accepted, ascending."""
    if proposal is None:
        return np.zeros(0, np.int64)
    return np.setdiff1d(proposal.objects[: record.region], proposal.sample)


def _read_people(automated: Automated, iteration: int, states: States) -> dict[int, Any]:
    """Note in ``states`` what became of the batch's objects, and return the labels they got."""
    job = automated.job
    labels = {}
    for candidate, line in read_batch(automated.files.s3, job, iteration):
        result = result_of(job, candidate, line)
        states[candidate.object_id] = _AFTER_PEOPLE[result]
        if result is LabelState.HUMAN:
            labels[candidate.object_id] = line.parse()[job.label_attribute]
    return labels


def _verdict(
    automated: Automated, iteration: int, proposal: Proposal | None, people: dict[int, Any]
) -> VerdictRecord:
    before = automated.files.find_verdict(iteration - 1)
    assurance = Assurance() if before is None else before.assurance
    if proposal is None:
        return VerdictRecord(None, assurance)
    sample = _score_sample(automated, iteration, proposal, people)
    batch = automated.engine.store.get_batch(automated.job.name, iteration)
    if batch.stopped:
        # Who stopped the job did not wait for the sample; part of one proves nothing.
        record = VerdictRecord(
            iteration - 1,
            assurance,
            withdrawn="the job ended before people had labeled the sample",
            sample=sample,
        )
    else:
        record = _judged(automated, iteration, proposal, assurance, sample)
    _log.info(
        "proposal judged",
        extra={
            "job": automated.job.name,
            "iteration": iteration,
            "proposed": len(proposal.objects),
            "sampled": len(sample),
            "accepted": record.accepted,
            "withdrawn": record.withdrawn,
            "bound": record.assurance.bound,
        },
    )
    return record


def _judged(
    automated: Automated,
    iteration: int,
    proposal: Proposal,
    assurance: Assurance,
    sample: tuple[SampledLabel, ...],
) -> VerdictRecord:
    scores = {label.object: label.score for label in sample if label.score is not None}
    random = automated.draws(iteration, "judge")
    verdict = judge(proposal, scores, assurance, automated.terms, random)
    passed = [test.size for test in verdict.tests if test.passed]
    region = passed[-1] if passed else 0
    forecasts = proposal.forecasts[: region or len(proposal.forecasts)]
    return VerdictRecord(
        proposal_of=iteration - 1,
        assurance=verdict.assurance,
        tests=verdict.tests,
        region=region,
        accepted=len(verdict.accepted),
        forecast_mean=float(forecasts.mean()),
        forecast_highest=float(forecasts.max()),
        graded=automated.terms.graded,
        spread=proposal.spread,
        sample=sample,
    )


def _score_sample(
    automated: Automated, iteration: int, proposal: Proposal, people: dict[int, Any]
) -> tuple[SampledLabel, ...]:
    """Return the sample's labels with their quality against people's, in random order.

    Those of an earlier look at the same labels keep the quality that was found then.
    """
    form, classes = automated.form, len(automated.classes)
    attribute, files = automated.job.label_attribute, automated.files
    made_in = files.labels_proposed_in(iteration - 1)
    earlier = files.find_verdict(iteration - 1) if len(proposal.seen) else None
    scored_before = {label.object: label for label in earlier.sample} if earlier else {}
    rank_of = {object_id: rank for rank, object_id in enumerate(proposal.objects.tolist())}

    def labels_of(group: tuple[int, list[int]]) -> dict[int, Any]:
        shard, objects = group
        labels = files.machine_labels(made_in, shard)
        return {object_id: labels[object_id][attribute] for object_id in objects}

    groups = files.shards().grouped(proposal.asked.tolist()).items()
    proposed: dict[int, Any] = {}
    for found in in_order(labels_of, groups, threads=_THREADS, ahead=_SHARDS_AHEAD):
        proposed |= found

    def scored(object_id: int) -> SampledLabel:
        if object_id in scored_before:
            return scored_before[object_id]
        rank = rank_of[object_id]
        score = None
        if object_id in people:
            label = form.read(proposed[object_id], classes)
            score = form.quality(label, form.read(people[object_id], classes))
        return SampledLabel(object_id, rank, float(proposal.forecasts[rank]), score)

    order = automated.draws(iteration, "record").permutation(proposal.sample)
    return tuple(scored(object_id) for object_id in order.tolist())


def _accepted_lines(automated: Automated, iteration: int, accepted: Integers) -> Iterator[bytes]:
    """Yield the accepted objects' lines of the output manifest, ascending, a shard at a time."""
    files, attribute = automated.files, automated.job.label_attribute
    batch = automated.engine.store.get_batch(automated.job.name, iteration)
    common = labeled_by(automated.job, batch.moment, people=False)
    made_in = files.labels_proposed_in(iteration - 1)

    def lines_of(group: tuple[int, list[int]]) -> bytes:
        shard, objects = group
        labels = files.machine_labels(made_in, shard)
        written = []
        for line in files.lines_among(objects):
            label = labels[line.object_id]
            metadata = {**label[attribute + METADATA_SUFFIX], **common}
            body = with_label(line.body, attribute, label[attribute], metadata)
            written.append(b"%d %s\n" % (line.object_id, body))
        return b"".join(written)

    groups = files.shards().grouped(accepted.tolist()).items()
    yield from in_order(lines_of, groups, threads=_THREADS, ahead=_SHARDS_AHEAD)
