"""Make labels of people's answers, and write a batch's lines with them."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from groundwork.jobs import layout, tasks
from groundwork.jobs.consolidation import AnswerError, Label
from groundwork.jobs.consolidation.boxes import consolidate_boxes, read_boxes
from groundwork.jobs.consolidation.classes import Vote, consolidate_classes, read_vote
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.metadata import common_metadata, labeled_by
from groundwork.jobs.model import AnswerRecord, Batch, BatchState, Job, JobStatus, Task
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.preparation import read_labels
from groundwork.jobs.steps.selection import Candidate, read_candidates
from groundwork.manifest import (
    FAILURE_REASON,
    METADATA_SUFFIX,
    SOURCE_REFERENCE,
    SOURCE_TEXT,
    with_failure,
    with_label,
)
from groundwork.s3_client import S3Client, S3NotFoundError, S3Uri
from groundwork.side_by_side import in_order

# The version that events in samples carry:
# https://github.com/aws-samples/aws-sagemaker-ground-truth-recipe
_POST_EVENT_VERSION = "2018-10-06"
# Objects per payload, and how much their answers may be together unless one has more. A function's
# answer, which mostly repeats people's, may have 6 MB:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_PART = 500
_PART_BYTES = 4 * 1024 * 1024
_THREADS = 16
# An own template's answers may have megabytes each.
_THREADS_WITH_LARGE_ANSWERS = 4
_MAXIMUM_REASON_CHARACTERS = 1000
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AnsweredObject:
    """An object of the batch with its answers, and where they are published."""

    candidate: Candidate
    answers: tuple[tuple[AnswerRecord, Mapping[str, Any]], ...]
    response_uri: S3Uri
    size_bytes: int


@dataclass
class Labels:
    """What became of the objects: a label or a reason for having none, by object id."""

    labels: dict[int, Label] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Context:
    """One consolidation: the job, its batch and the tools."""

    engine: Engine
    job: Job
    batch: Batch
    files: S3Client
    categories: tuple[str, ...] | None

    @property
    def moment(self) -> datetime:
        """The time that names and dates everything, the same however often the step runs."""
        return self.batch.moment

    def put_json(self, uri: S3Uri, value: Any) -> None:
        """Write a JSON file with the customer's key."""
        self.files.put(
            uri,
            json.dumps(value).encode(),
            content_type="application/json",
            kms_key_id=self.job.kms_key_id,
        )


def consolidate(
    engine: Engine, job_name: str, iteration: int, *, ending: bool = False
) -> StepResult:
    """Close a batch and write its lines with the labels that came of the answers.

    The outcome is ``consolidated``, or ``automated`` where a proposal may have to be judged.

    Parameters
    ----------
    ending
        Whether the job is about to end: what nobody answered then stays unlabeled, not failed.

    Raises
    ------
    JobFailedError
        If the customer's consolidation function answers what it must not.
    """
    job = engine.store.get(job_name)
    batch = _close(engine, job, iteration, ending)
    files = engine.files_for_job(job)
    if not files.exists(layout.batch_manifest_uri(job, iteration)):
        context = _Context(engine, job, batch, files, read_labels(files, job))
        closed_tasks = _closed_tasks(engine, job, iteration)
        found = _label_batch(context, closed_tasks)
        files.put_stream(
            layout.batch_manifest_uri(job, iteration),
            _lines(context, closed_tasks, found),
            kms_key_id=job.kms_key_id,
        )
    return StepResult(
        job.name, iteration, "consolidated" if job.automation is None else "automated"
    )


def _close(engine: Engine, job: Job, iteration: int, ending: bool) -> Batch:
    now = engine.clock()

    def closed(batch: Batch) -> Batch:
        if batch.closed_at is not None:
            return batch
        return replace(
            batch,
            state=BatchState.CLOSED,
            closed_at=now,
            stopped=ending or job.status is JobStatus.STOPPING,
            task_token=None,
        )

    return engine.store.change_batch(job.name, iteration, closed)


def _closed_tasks(engine: Engine, job: Job, iteration: int) -> dict[int, Task]:
    """Close what is still open, so that no answer comes in beside those that are read here."""
    now = engine.clock()
    with ThreadPoolExecutor(_THREADS) as pool:
        closed = pool.map(
            lambda task: engine.store.close_task(task, now),
            list(engine.store.tasks(job.name, iteration)),
        )
        return {task.object_id: task for task in closed}


def _label_batch(context: _Context, closed_tasks: Mapping[int, Task]) -> Labels:
    method = _method(context.job)
    found = Labels()
    votes: dict[int, list[Vote]] = {}
    requested = []
    for part, answered in _answered_parts(context, closed_tasks):
        if answered:
            requested.append((part, [entry.candidate.object_id for entry in answered]))
            request = layout.consolidation_uri(
                context.job, context.batch.iteration, "request", context.moment, part
            )
            context.put_json(request, [_payload_entry(entry) for entry in answered])
            method(context, part, answered, found, votes)
    if votes:
        labels = consolidate_classes(
            list(votes.values()), context.categories or (), context.job.workers_per_object
        )
        found.labels.update(zip(votes, labels, strict=True))
    if context.job.consolidation_lambda_arn is None:
        _write_responses(context, requested, found)
    return found


Method = Callable[[_Context, int, Sequence[AnsweredObject], Labels, dict[int, list[Vote]]], None]


def _method(job: Job) -> Method:
    if job.consolidation_lambda_arn:
        return _by_own_function
    key = job.task.key if job.task else None
    return {"BoundingBox": _by_boxes, "ImageMultiClass": _by_classes}.get(key or "", _by_nothing)


def _by_boxes(
    context: _Context,
    _part: int,
    answered: Sequence[AnsweredObject],
    found: Labels,
    _votes: dict[int, list[Vote]],
) -> None:
    labels = context.categories or ()
    for entry in answered:
        image = entry.candidate.image
        if image is None:
            raise JobFailedError(f"object {entry.candidate.object_id} has no image size")
        usable, refused = _usable(context, entry, partial(read_boxes, labels=labels, image=image))
        if usable:
            boxes = {record.worker_id: boxes for record, boxes in usable}
            try:
                found.labels[entry.candidate.object_id] = consolidate_boxes(
                    boxes, labels, image, context.job.workers_per_object
                )
            except AnswerError as error:
                found.reasons[entry.candidate.object_id] = str(error)
        else:
            found.reasons[entry.candidate.object_id] = refused


def _by_classes(
    context: _Context,
    _part: int,
    answered: Sequence[AnsweredObject],
    found: Labels,
    votes: dict[int, list[Vote]],
) -> None:
    labels = context.categories or ()
    for entry in answered:
        usable, refused = _usable(context, entry, partial(read_vote, labels=labels))
        if usable:
            given = [Vote(record.worker_id, index) for record, index in usable]
            votes[entry.candidate.object_id] = given
        else:
            found.reasons[entry.candidate.object_id] = refused


def _by_nothing(
    _context: _Context,
    _part: int,
    answered: Sequence[AnsweredObject],
    found: Labels,
    _votes: dict[int, list[Vote]],
) -> None:
    """Leave the answers to the customer, as the service does without a function.

    https://docs.aws.amazon.com/sagemaker/latest/dg/sms-custom-templates-step3.html
    """
    for entry in answered:
        metadata = {"worker-response-ref": str(entry.response_uri)}
        found.labels[entry.candidate.object_id] = Label({}, metadata)


def _by_own_function(
    context: _Context,
    part: int,
    answered: Sequence[AnsweredObject],
    found: Labels,
    _votes: dict[int, list[Vote]],
) -> None:
    attribute = context.job.label_attribute
    contents = _contents_by_object(_own_response(context, part))
    for entry in answered:
        object_id = entry.candidate.object_id
        content = contents.get(str(object_id))
        if content is None or attribute not in content:
            found.reasons[object_id] = (
                f"the consolidation function answered nothing for this object under {attribute!r}"
            )
            continue
        metadata = content.get(attribute + METADATA_SUFFIX)
        found.labels[object_id] = Label(
            content[attribute], dict(metadata) if isinstance(metadata, Mapping) else {}
        )


def _own_response(context: _Context, part: int) -> Any:
    """Return what the customer's function answered, asking it only once."""
    job, iteration, moment = context.job, context.batch.iteration, context.moment
    response_uri = layout.consolidation_uri(job, iteration, "response", moment, part)
    try:
        return json.loads(context.files.get(response_uri))
    except S3NotFoundError:
        pass
    request_uri = layout.consolidation_uri(job, iteration, "request", moment, part)
    event = {
        "version": _POST_EVENT_VERSION,
        "labelingJobArn": job.arn,
        "labelCategories": None if context.categories is None else list(context.categories),
        "labelAttributeName": job.label_attribute,
        "roleArn": job.role_arn,
        "outputConfig": str(layout.annotations_uri(job)),
        "maxHumanWorkersPerDataObject": job.workers_per_object,
        "payload": {"s3Uri": str(request_uri)},
    }
    if job.kms_key_id:
        event["kmsKeyId"] = job.kms_key_id
    functions = context.engine.functions_for_job(job)
    answer = functions.invoke(str(job.consolidation_lambda_arn), event)
    if not isinstance(answer, list):
        raise JobFailedError(
            f"The consolidation function {job.consolidation_lambda_arn} answered "
            f"{type(answer).__name__}, not a list of objects with datasetObjectId and "
            "consolidatedAnnotation."
        )
    context.put_json(response_uri, answer)
    return answer


def _contents_by_object(answer: Any) -> dict[str, Mapping[str, Any]]:
    contents = {}
    for entry in answer:
        if not isinstance(entry, Mapping):
            continue
        annotation = entry.get("consolidatedAnnotation")
        content = annotation.get("content") if isinstance(annotation, Mapping) else None
        if isinstance(content, Mapping):
            contents[str(entry.get("datasetObjectId"))] = content
    return contents


def _usable(
    context: _Context, entry: AnsweredObject, read: Callable[[Mapping[str, Any], str | None], Any]
) -> tuple[list[tuple[AnswerRecord, Any]], str]:
    """Return the answers that fit the task's contract, and what is wrong with the others."""
    element = context.job.task.crowd_name if context.job.task else None
    usable = []
    refused = []
    for record, content in entry.answers:
        try:
            usable.append((record, read(content, element)))
        except AnswerError as error:
            refused.append(f"{record.worker_id}: {error}")
            # The reason quotes the answer, which no log may have: it is in the answers' file.
            _log.warning(
                "answer set aside",
                extra={
                    "job": context.job.name,
                    "iteration": context.batch.iteration,
                    "object_id": entry.candidate.object_id,
                    "worker_id": record.worker_id,
                    "answers": str(entry.response_uri),
                },
            )
    return usable, f"no answer could be used ({'; '.join(refused)})"


def _answered_parts(
    context: _Context, closed_tasks: Mapping[int, Task]
) -> Iterator[tuple[int, list[AnsweredObject]]]:
    def published(candidate: Candidate) -> AnsweredObject | None:
        task = closed_tasks.get(candidate.object_id)
        return _publish_answers(context, candidate, task) if task and task.answers else None

    threads = _THREADS if context.job.task else _THREADS_WITH_LARGE_ANSWERS
    candidates = read_candidates(context.files, context.job, context.batch.iteration)
    part, answered = 0, list[AnsweredObject]()
    looked_at = size_bytes = 0
    # Which objects are a part's must not change when the step runs again.
    for entry in in_order(published, candidates, threads=threads, ahead=threads):
        entry_bytes = entry.size_bytes if entry else 0
        if looked_at == _PART or (answered and size_bytes + entry_bytes > _PART_BYTES):
            yield part, answered
            part, answered = part + 1, []
            looked_at = size_bytes = 0
        looked_at += 1
        size_bytes += entry_bytes
        if entry:
            answered.append(entry)
    if looked_at:
        yield part, answered


def _publish_answers(context: _Context, candidate: Candidate, task: Task) -> AnsweredObject:
    """Gather an object's answers in one file, as the service does."""

    def stored(record: AnswerRecord) -> bytes:
        uri = layout.answer_uri(
            context.job, task.iteration, task.object_id, record.worker_id, record.digest
        )
        return context.files.get(uri)

    contents = [stored(record) for record in task.answers]
    last = max(record.submitted_at for record in task.answers)
    entry = AnsweredObject(
        candidate=candidate,
        answers=tuple(zip(task.answers, map(json.loads, contents), strict=True)),
        response_uri=layout.worker_response_uri(context.job, task.iteration, task.object_id, last),
        size_bytes=sum(map(len, contents)),
    )
    answers = [_published(record, given) for record, given in entry.answers]
    context.put_json(entry.response_uri, {"answers": answers})
    return entry


def _published(record: AnswerRecord, content: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "answerContent": content,
        "submissionTime": _utc(record.submitted_at),
        "acceptanceTime": _utc(record.accepted_at),
        "timeSpentInSeconds": round(record.time_spent_seconds, 3),
        "workerId": record.worker_id,
        "workerMetadata": {
            "identityData": {
                "identityProviderType": "Cognito",
                "issuer": record.issuer,
                "sub": record.sub,
            }
        },
    }


def _payload_entry(entry: AnsweredObject) -> dict[str, Any]:
    attributes = json.loads(entry.candidate.line)
    if SOURCE_REFERENCE in attributes:
        data_object = {"s3Uri": attributes[SOURCE_REFERENCE]}
    else:
        data_object = {"content": attributes[SOURCE_TEXT]}
    return {
        "datasetObjectId": str(entry.candidate.object_id),
        "dataObject": data_object,
        "annotations": [
            {
                "workerId": record.worker_id,
                "annotationData": {"content": json.dumps(content)},
            }
            for record, content in entry.answers
        ],
    }


def _write_responses(
    context: _Context, requested: Sequence[tuple[int, Sequence[int]]], found: Labels
) -> None:
    for part, object_ids in requested:
        response = [
            {
                "datasetObjectId": str(object_id),
                "consolidatedAnnotation": {"content": _content(context, object_id, found)},
            }
            for object_id in object_ids
        ]
        uri = layout.consolidation_uri(
            context.job, context.batch.iteration, "response", context.moment, part
        )
        context.put_json(uri, response)


def _content(context: _Context, object_id: int, found: Labels) -> dict[str, Any]:
    attribute = context.job.label_attribute
    label = found.labels.get(object_id)
    if label is None:
        return {attribute + METADATA_SUFFIX: _failure(context, found.reasons[object_id])}
    return {
        attribute: label.value,
        attribute + METADATA_SUFFIX: _labeled(context, label),
    }


def _lines(context: _Context, closed_tasks: Mapping[int, Task], found: Labels) -> Iterator[bytes]:
    """Yield the batch's lines with labels, with reasons for having none, or as they were."""
    attribute = context.job.label_attribute
    for candidate in read_candidates(context.files, context.job, context.batch.iteration):
        body = candidate.line.encode()
        label = found.labels.get(candidate.object_id)
        if label is not None:
            body = with_label(body, attribute, label.value, _labeled(context, label))
        else:
            reason = (
                candidate.failure
                or found.reasons.get(candidate.object_id)
                or _unanswered(context, closed_tasks[candidate.object_id])
            )
            if reason is not None:
                body = with_failure(body, attribute, _failure(context, reason))
        yield body + b"\n"


def _unanswered(context: _Context, task: Task) -> str | None:
    """Say why nobody answered; None if the job was stopped before anybody could."""
    if tasks.is_declined(task):
        return f"declined by as many workers as were asked for ({task.workers_wanted})"
    if context.batch.stopped:
        return None
    seconds = context.job.availability_lifetime_seconds
    return f"no worker answered within the {seconds} seconds that the task was available"


def _labeled(context: _Context, label: Label) -> dict[str, Any]:
    return {**label.metadata, **labeled_by(context.job, context.moment, people=True)}


def _failure(context: _Context, reason: str) -> dict[str, Any]:
    common = common_metadata(context.job, context.moment)
    return {FAILURE_REASON: reason[:_MAXIMUM_REASON_CHARACTERS], **common}


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
