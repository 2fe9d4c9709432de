"""The loop's first step: look at the input before anybody works on it."""

import sys
from array import array
from dataclasses import replace

import numpy as np

from groundwork.contract.label_categories import (
    MAXIMUM_LABEL_FILE_BYTES,
    LabelCategoriesError,
    parse_label_categories,
)
from groundwork.jobs import layout
from groundwork.jobs.allowance import objects_for_people
from groundwork.jobs.automation.files import AutomationFiles
from groundwork.jobs.automation.objects import ObjectState, Shards, first_state, objects_in
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.model import Batch, BatchState, Counters, Job, JobStatus, Progress
from groundwork.jobs.steps import Engine, StepResult
from groundwork.manifest import LabelState, ManifestSummary, examine, label_state, read_lines
from groundwork.s3_client import (
    S3AccessDeniedError,
    S3ChangedError,
    S3Client,
    S3NotFoundError,
    S3UnusableError,
    S3UriFormatError,
)


def prepare(engine: Engine, job_name: str) -> StepResult:
    """Check the manifest and the labels, count what is there, and let the job begin.

    The outcome is ``prepared``, or ``automated`` with the shards whose features are to be computed.

    Raises
    ------
    JobFailedError
        If the input is broken: the job cannot go on.
    """
    job = engine.store.get(job_name)
    if engine.store.find_batch(job.name, 0) is None:
        progress = _examine_input(engine, job)
        engine.store.create_batch(
            Batch(
                job=job.name,
                iteration=0,
                state=BatchState.PUBLISHED,
                before=progress,
                after=progress,
            )
        )
    progress = engine.store.get_batch(job.name, 0).before
    now = engine.clock()

    def begun(job: Job) -> Job:
        if job.status.is_final or job.total_objects is not None:
            return job
        stopping = job.status is JobStatus.STOPPING
        return replace(
            job,
            status=JobStatus.STOPPING if stopping else JobStatus.IN_PROGRESS,
            counters=progress.counters,
            total_objects=progress.counters.total_objects,
            modified_at=now,
        )

    job = engine.store.change(job.name, begun)
    if (
        job.automation is None
        or job.status is not JobStatus.IN_PROGRESS
        or objects_for_people(job, progress) == 0
    ):
        return StepResult(job.name, 0, "prepared")
    return StepResult(job.name, 0, "automated", _index_objects(engine, job))


def read_labels(files: S3Client, job: Job) -> tuple[str, ...] | None:
    """Return the job's labels in the order of their class ids, or None if it has no such file.

    Raises
    ------
    JobFailedError
        If the file is missing or wrong.
    """
    try:
        uri = job.label_categories_uri
        if uri is None:
            return None
        return parse_label_categories(files.get_small(uri, MAXIMUM_LABEL_FILE_BYTES), job.task)
    except (S3NotFoundError, S3AccessDeniedError, S3UnusableError, S3UriFormatError) as error:
        raise JobFailedError(f"The label category file cannot be read: {error}") from error
    except LabelCategoriesError as error:
        raise JobFailedError(str(error)) from error


def _examine_input(engine: Engine, job: Job) -> Progress:
    files = engine.files_for_job(job)
    read_labels(files, job)
    try:
        copy = layout.snapshot_uri(job, 0)
        files.put_stream(copy, files.stream(job.manifest_uri), kms_key_id=job.kms_key_id)
    except (
        S3NotFoundError,
        S3AccessDeniedError,
        S3ChangedError,
        S3UnusableError,
        S3UriFormatError,
    ) as error:
        raise JobFailedError(f"The input manifest cannot be read: {error}") from error
    summary = examine(
        files.stream(copy),
        label_attribute=job.label_attribute,
        needs_reference=job.task is not None and job.task.data == "image",
    )
    if summary.broken:
        raise JobFailedError(
            f"The input manifest {job.manifest_uri} has {summary.broken} broken "
            f"line{'s' if summary.broken > 1 else ''}: {summary.describe_problems()}"
        )
    if not summary.lines:
        raise JobFailedError(f"The input manifest {job.manifest_uri} has no lines.")
    return Progress(counters=_counters(summary))


def _index_objects(engine: Engine, job: Job) -> tuple[int, ...]:
    """Note where each line is and what it says, and return the shards that need features.

    What was labeled by machine before needs none: it is neither labeled again nor learned from.
    """
    files = AutomationFiles(engine.files_for_job(job), job)
    shards = files.find_shards()
    if shards is None:
        starts, states = array("q"), bytearray()
        end = 0
        for line in read_lines(files.s3.stream(layout.snapshot_uri(job, 0))):
            starts.append(line.start)
            states.append(first_state(label_state(line.parse(), job.label_attribute)))
            end = line.end
        starts.append(end)
        if sys.byteorder != "little":
            starts.byteswap()
        shards = Shards(len(states), engine.objects_per_shard)
        files.keep_index(starts.tobytes(), np.frombuffer(bytes(states), np.uint8), shards)
    seen = objects_in(files.states(0), ObjectState.POOL, ObjectState.HUMAN_BEFORE)
    return shards.with_any(seen)


def _counters(summary: ManifestSummary) -> Counters:
    """Count lines that failed in an earlier job as unlabeled: this job tries them again."""
    return Counters(
        human_labeled=summary.states[LabelState.HUMAN],
        machine_labeled=summary.states[LabelState.MACHINE],
        unlabeled=summary.states[LabelState.UNLABELED] + summary.states[LabelState.FAILED],
    )
