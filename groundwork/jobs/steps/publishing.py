"""Publish what a batch brought, and end the job."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from heapq import merge
from typing import Any

from groundwork.jobs import job_metrics, layout
from groundwork.jobs.allowance import objects_for_people
from groundwork.jobs.automation.files import AutomationFiles
from groundwork.jobs.automation.records import Decision
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.model import Batch, BatchState, Counters, Job, JobStatus, Progress
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.automated import Automated
from groundwork.jobs.steps.batches import read_batch, result_of
from groundwork.jobs.steps.consolidating import consolidate
from groundwork.jobs.steps.judging import judge_proposal
from groundwork.jobs.steps.recording import record_end, why_ended
from groundwork.manifest import LabelState, read_lines, rewrite
from groundwork.s3_client import S3Client, S3Uri
from groundwork.table_client import ConflictError
from groundwork.unavailable import UnavailableError

# An execution ends at 25,000 events, and every batch, like every hour of waiting, takes some:
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
ITERATIONS_PER_EXECUTION = 250
# A snapshot is due after a twentieth of the objects, so that all of them together cost no more than
# twenty manifests, and after this many at the latest, which bounds what is held in memory.
_SNAPSHOTS_PER_JOB = 20
_MOST_SINCE_SNAPSHOT = 20_000
_MOST_FAILED_OF_SAMPLE = 0.1
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeLabelingJob.html
_MAXIMUM_REASON_CHARACTERS = 1024
# What another attempt of the same step may not meet again.
_PASSING = (UnavailableError, ConflictError)
_NOT_PUBLISHED = (
    "Its last batch and its output manifest could not be written; the workers' answers are below "
    "annotations/intermediate in the job's output folder."
)
_log = logging.getLogger(__name__)


def publish_iteration(engine: Engine, job_name: str, iteration: int) -> StepResult:
    """Count what a batch brought, write a snapshot if one is due, and say how to go on.

    The outcome is ``continue``, ``hand_over`` to a fresh execution, ``learn`` for jobs with
    automated labeling, or ``finished``.

    Raises
    ------
    JobFailedError
        If so much of a random first batch failed that the rest is probably no better.
    """
    result = _publish(engine, job_name, iteration)
    if iteration == 1 and result.outcome == "learn":
        _refuse_failing_sample(engine, job_name)
    return result


def _publish(engine: Engine, job_name: str, iteration: int) -> StepResult:
    job = engine.store.get(job_name)
    batch = engine.store.get_batch(job.name, iteration)
    progress = batch.after or _advance(engine, job, batch)
    now = engine.clock()

    def published(batch: Batch) -> Batch:
        return replace(batch, state=BatchState.PUBLISHED, after=progress)

    engine.store.change_batch(job.name, iteration, published)

    def counted(job: Job) -> Job:
        if job.status.is_final or job.iteration > iteration:
            return job
        if job.counters == progress.counters and job.iteration == iteration:
            return job
        return replace(job, counters=progress.counters, iteration=iteration, modified_at=now)

    job = engine.store.change(job.name, counted)
    job_metrics.progressed(job, progress.counters, iteration, now)
    return StepResult(job.name, iteration, _next(job, iteration, progress))


def finish(engine: Engine, job_name: str, iteration: int) -> StepResult:
    """Write the resulting manifest and end the job as Completed or Stopped."""
    job = engine.store.get(job_name)
    if not job.status.is_final:
        progress = engine.store.progress_after(job.name, iteration)
        _write_output(engine, job, iteration, progress)
        final_model = None
        if job.automation is not None:
            automated = Automated.of(engine, job)
            record_end(automated, iteration, why_ended(job, progress))
            final_model = automated.files.last_model(iteration)
        now = engine.clock()

        def ended(job: Job) -> Job:
            complete = progress.counters.unlabeled == 0 and job.status is not JobStatus.STOPPING
            status = JobStatus.COMPLETED if complete else JobStatus.STOPPED
            return replace(
                job,
                status=status,
                counters=progress.counters,
                final_model=final_model,
                modified_at=now,
            )

        job = _end(engine, job, ended)
    engine.notices.job_ended(job)
    return StepResult(job.name, iteration, "finished")


def fail(engine: Engine, job_name: str, error: Mapping[str, Any] | None) -> StepResult:
    """End the job as Failed, after publishing what it has produced as far as that is possible.

    Parameters
    ----------
    error
        What the state machine caught: ``Error`` and ``Cause``.

    Raises
    ------
    UnavailableError
        If nothing could be published because a service cannot answer at the moment.
    """
    job = engine.store.get(job_name)
    if not job.status.is_final:
        reason = job.failure_reason or failure_reason(error)
        try:
            _salvage(engine, job, reason)
        except _PASSING:
            raise
        except Exception:
            # The failure to be reported may well be the reason why nothing can be written.
            _log.exception("salvage failed", extra={"job": job.name})
        job = _end_as_failed(engine, job, reason)
    engine.notices.job_ended(job)
    return StepResult(job.name, job.iteration, "failed")


def give_up(engine: Engine, job_name: str, error: Mapping[str, Any] | None) -> StepResult:
    """End the job as Failed without publishing anything, since ``fail`` could not."""
    job = engine.store.get(job_name)
    if not job.status.is_final:
        reason = job.failure_reason or failure_reason(error)
        told = f"{reason} {_NOT_PUBLISHED}"
        job = _end_as_failed(engine, job, told[:_MAXIMUM_REASON_CHARACTERS])
    engine.notices.job_ended(job)
    return StepResult(job.name, job.iteration, "failed")


def _end_as_failed(engine: Engine, job: Job, reason: str) -> Job:
    now = engine.clock()
    return _end(
        engine,
        job,
        lambda job: replace(job, status=JobStatus.FAILED, failure_reason=reason, modified_at=now),
    )


def _end(engine: Engine, job: Job, decide: Callable[[Job], Job]) -> Job:
    """End a job that has not ended, and count it if it was us who ended it."""
    by_us = False

    def ended(job: Job) -> Job:
        nonlocal by_us
        by_us = not job.status.is_final
        return decide(job) if by_us else job

    job = engine.store.change(job.name, ended)
    if by_us:
        job_metrics.progressed(job, job.counters, job.iteration, job.modified_at)
        job_metrics.ended(job, job.modified_at)
    return job


def explain_failure(
    engine: Engine, job_name: str, iteration: int, error: Mapping[str, Any]
) -> StepResult:
    """Leave word of why a shard failed: the first reason of any shard is what ``fail`` tells then.

    All that the state machine tells of a Map is that too many of its items failed.
    """
    reason = failure_reason(error)

    def explained(job: Job) -> Job:
        if job.status.is_final or job.failure_reason is not None:
            return job
        return replace(job, failure_reason=reason)

    job = engine.store.change(job_name, explained)
    return StepResult(job.name, iteration, "explained")


def failure_reason(error: Mapping[str, Any] | None) -> str:
    """Return the text that DescribeLabelingJob shows, from what the state machine caught."""
    cause = str((error or {}).get("Cause") or "")
    name = str((error or {}).get("Error") or "unknown error")
    try:
        told = json.loads(cause)
        name = str(told.get("errorType") or name)
        cause = str(told.get("errorMessage") or cause)
    except (ValueError, AttributeError):
        pass
    # A JobFailedError was written for the customer; the class of anything else helps to find it.
    text = cause if name.endswith("JobFailedError") and cause else f"{name}: {cause}"
    return text[:_MAXIMUM_REASON_CHARACTERS]


def _refuse_failing_sample(engine: Engine, job_name: str) -> None:
    """Fail as Ground Truth does: https://docs.aws.amazon.com/sagemaker/latest/dg/sms-automated-labeling.html.

    A batch that a model chose is no sample: it begins with what nobody can label.
    """
    job = engine.store.get(job_name)
    batch = engine.store.get_batch(job.name, 1)
    if batch.after is None:
        return
    failed = batch.after.counters.failed - batch.before.counters.failed
    if failed <= _MOST_FAILED_OF_SAMPLE * batch.selected:
        return
    files = AutomationFiles(engine.files_for_job(job), job)
    if files.plan(0).decision in (Decision.RANDOM, Decision.REST):
        raise JobFailedError(
            f"{failed} of the {batch.selected} objects of the first batch, a random sample, "
            f"failed: more than {_MOST_FAILED_OF_SAMPLE:.0%}. The output manifest names the "
            "reasons; put them right and start a new job with it as input."
        )


def _advance(engine: Engine, job: Job, batch: Batch) -> Progress:
    """Return the loop's progress after a batch, computed from the batch's files alone."""
    files = engine.files_for_job(job)
    before = batch.before
    labeled, failed = _count(files, job, batch.iteration)
    accepted = _accepted(files, job, batch.iteration)
    counters = Counters(
        human_labeled=before.counters.human_labeled + labeled,
        machine_labeled=before.counters.machine_labeled + accepted,
        failed=before.counters.failed + failed,
        unlabeled=before.counters.unlabeled - labeled - failed - accepted,
    )
    after = Progress(
        next_byte=batch.next_byte,
        next_line=batch.next_line,
        counters=counters,
        labeled_by_people=before.labeled_by_people + labeled,
        snapshot=before.snapshot,
        finished_since_snapshot=before.finished_since_snapshot + labeled + failed + accepted,
    )
    due = min(max(1, counters.total_objects / _SNAPSHOTS_PER_JOB), _MOST_SINCE_SNAPSHOT)
    if after.finished_since_snapshot < due:
        return after
    _write_manifest(engine, job, batch.iteration, after, layout.snapshot_uri(job, batch.iteration))
    return replace(after, snapshot=batch.iteration, finished_since_snapshot=0)


def _count(files: S3Client, job: Job, iteration: int) -> tuple[int, int]:
    """Count the batch's labeled and failed objects; a line as it was is neither."""
    results = Counter(
        result_of(job, candidate, line) for candidate, line in read_batch(files, job, iteration)
    )
    return results[LabelState.HUMAN], results[LabelState.FAILED]


def _accepted(files: S3Client, job: Job, iteration: int) -> int:
    """Count the labels by machine that were accepted in an iteration.

    There is no verdict without automated labeling, nor where a failing job could not be judged.
    """
    if job.automation is None:
        return 0
    verdict = AutomationFiles(files, job).find_verdict(iteration)
    return 0 if verdict is None else verdict.accepted


def _next(job: Job, iteration: int, progress: Progress) -> str:
    if job.status is not JobStatus.IN_PROGRESS or progress.counters.unlabeled == 0:
        return "finished"
    if job.automation is not None:
        return "learn" if objects_for_people(job, progress) else "finished"
    return "hand_over" if iteration % ITERATIONS_PER_EXECUTION == 0 else "continue"


def _write_output(engine: Engine, job: Job, iteration: int, progress: Progress) -> None:
    _write_manifest(engine, job, iteration, progress, job.output_manifest_uri)


def _write_manifest(
    engine: Engine, job: Job, iteration: int, progress: Progress, target: S3Uri
) -> None:
    """Write all lines as they are after an iteration: the last snapshot and what came since.

    What people labeled since is held, which snapshots bound; what the machine labeled may be nearly
    everything, and is merged as it is read.
    """
    files = engine.files_for_job(job)
    since = range(progress.snapshot + 1, iteration + 1)
    by_people: dict[int, bytes] = {}
    for past in since:
        for candidate, line in read_batch(files, job, past):
            by_people[candidate.object_id] = line.body
    automation = AutomationFiles(files, job)
    by_machine = [automation.accepted_lines(past) for past in since if _accepted(files, job, past)]
    replaced = merge(sorted(by_people.items()), *by_machine)
    base = files.stream(layout.snapshot_uri(job, progress.snapshot))
    files.put_stream(target, rewrite(read_lines(base), replaced), kms_key_id=job.kms_key_id)


def _salvage(engine: Engine, job: Job, reason: str) -> None:
    """Publish the labels of finished batches, and those of answers that came in since."""
    batch = engine.store.find_batch(job.name, job.iteration)
    if batch is not None and batch.opened_at is not None:
        try:
            if batch.after is None:
                consolidate(engine, job.name, batch.iteration, ending=True)
                _judge_if_possible(engine, job, batch.iteration)
            # Once more if it was before: what broke off may be that the job got its counters.
            _publish(engine, job.name, batch.iteration)
        except _PASSING:
            raise
        except Exception:
            _log.exception("last batch not published", extra={"job": job.name})
    for iteration in range(job.iteration, -1, -1):
        batch = engine.store.find_batch(job.name, iteration)
        if batch is not None and batch.after is not None:
            _write_output(engine, job, iteration, batch.after)
            if job.automation is not None:
                record_end(Automated.of(engine, job), iteration, f"the job failed: {reason}")
            return


def _judge_if_possible(engine: Engine, job: Job, iteration: int) -> None:
    """Judge what was proposed, unless that is what made the job fail: people's labels count."""
    if job.automation is None:
        return
    try:
        judge_proposal(engine, job.name, iteration)
    except _PASSING:
        raise
    except Exception:
        _log.exception("proposal not judged", extra={"job": job.name, "iteration": iteration})
