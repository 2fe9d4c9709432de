"""Choose the objects of the next batch, and make a task of each that people can work on."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

from groundwork.images import ImageError, ImageFacts
from groundwork.jobs import layout
from groundwork.jobs.allowance import objects_for_people
from groundwork.jobs.automation.files import AutomationFiles
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.function_client import FunctionClient, FunctionRaisedError
from groundwork.jobs.model import Batch, BatchState, Job, JobStatus, Progress, Task
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.images import read_facts
from groundwork.jobs.steps.preparation import read_labels
from groundwork.manifest import (
    SOURCE_REFERENCE,
    SOURCE_TEXT,
    LabelState,
    ManifestLine,
    label_state,
    read_lines,
)
from groundwork.s3_client import S3Client, S3ExistsError

# https://docs.aws.amazon.com/sagemaker/latest/dg/sms-custom-templates-step3-lambda-requirements.html
_PRE_EVENT_VERSION = "2018-10-16"
# Objects that are looked at side by side, and held in memory together.
_GROUP = 64
_THREADS = 16
_KEPT_AFTER_CLOSE = timedelta(days=7)


@dataclass(frozen=True)
class Candidate:
    """An object of the batch: what its task shows, or why there is no task.

    Parameters
    ----------
    line
        Its line of the manifest, without the line's end.
    next_byte
        Where the following line of the manifest begins.
    task_input
        What the template finds under ``task.input``; None when no task is made.
    image
        Format and size, for tasks on images.
    failure
        Why the object cannot be labeled, or None.
    """

    object_id: int
    line: str
    next_byte: int
    task_input: Mapping[str, Any] | None = None
    image: ImageFacts | None = None
    failure: str | None = None

    def to_json(self) -> bytes:
        """Return the object's line in ``batch.jsonl``."""
        return json.dumps(
            {
                "id": self.object_id,
                "line": self.line,
                "next_byte": self.next_byte,
                "input": self.task_input,
                "image": None if self.image is None else asdict(self.image),
                "failure": self.failure,
            }
        ).encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Candidate":
        """Read a line of ``batch.jsonl``."""
        entry = json.loads(data)
        image = entry["image"]
        return cls(
            object_id=entry["id"],
            line=entry["line"],
            next_byte=entry["next_byte"],
            task_input=entry["input"],
            image=None if image is None else ImageFacts(**image),
            failure=entry["failure"],
        )


def select_batch(engine: Engine, job_name: str, iteration: int) -> StepResult:
    """Make the batch after ``iteration``: its objects in S3, its tasks in the table.

    The objects are the next ones of the manifest, or those that automated labeling planned for.
    The outcome is ``people``, ``no_people`` when every object turned out not to need or not to
    allow any, or ``finished``.

    Raises
    ------
    JobFailedError
        If the job is older than a job may be.
    """
    job = engine.store.get(job_name)
    following = iteration + 1
    batch = engine.store.find_batch(job.name, following)
    if batch is None:
        progress = engine.store.progress_after(job.name, iteration)
        if job.status is JobStatus.STOPPING or objects_for_people(job, progress) == 0:
            return StepResult(job.name, iteration, "finished")
        _refuse_expired(engine, job)
        batch = _make_batch(engine, job, following, progress)
    if batch is None:
        return StepResult(job.name, iteration, "finished")
    return StepResult(job.name, following, "people" if batch.total else "no_people")


def read_candidates(files: S3Client, job: Job, iteration: int) -> Iterator[Candidate]:
    """Yield the objects of a batch in the manifest's order."""
    for line in read_lines(files.stream(layout.batch_uri(job, iteration))):
        yield Candidate.from_json(line.body)


def _refuse_expired(engine: Engine, job: Job) -> None:
    if engine.clock() >= job.expires_at:
        raise JobFailedError(
            "The labeling job expired: it was not finished 30 days after its creation. Start a new "
            "job with this job's output manifest as input and the same label attribute to go on."
        )


def _make_batch(engine: Engine, job: Job, iteration: int, progress: Progress) -> Batch | None:
    files = engine.files_for_job(job)
    # What was found once stays, since a second look may find other images and other answers.
    if not files.exists(layout.batch_uri(job, iteration)):
        _write_batch(engine, job, iteration, progress)
    return _keep_batch(engine, job, iteration, progress)


def _write_batch(engine: Engine, job: Job, iteration: int, progress: Progress) -> None:
    files = engine.files_for_job(job)
    if job.automation is None:
        lines = _unlabeled(files, job, progress, objects_for_people(job, progress))
    else:
        automation = AutomationFiles(files, job)
        lines = automation.lines_of(automation.plan(iteration - 1).asked)
    looked_at = _CandidateReader(engine, job, files).read(lines)
    try:
        files.put_stream(
            layout.batch_uri(job, iteration),
            (candidate.to_json() + b"\n" for candidate in looked_at),
            kms_key_id=job.kms_key_id,
            only_new=True,
        )
    except S3ExistsError:
        return


def _keep_batch(engine: Engine, job: Job, iteration: int, progress: Progress) -> Batch | None:
    """Keep the batch that lies in S3, and a task for each of its objects that people may see."""
    files = engine.files_for_job(job)
    removed_at = int((job.expires_at + _KEPT_AFTER_CLOSE).timestamp())
    new_tasks = []
    selected = 0
    last: Candidate | None = None
    for line in read_lines(files.stream(layout.batch_uri(job, iteration))):
        last = Candidate.from_json(line.body)
        selected += 1
        if last.task_input is not None:
            task = Task(
                job=job.name,
                iteration=iteration,
                object_id=last.object_id,
                workers_wanted=job.workers_per_object,
                input_start=line.start,
                input_length=len(line.body),
                shuffle=engine.random.getrandbits(32),
                removed_at=removed_at,
            )
            new_tasks.append(task)
    if last is None:
        return None
    engine.store.add_tasks(new_tasks)
    return engine.store.create_batch(
        Batch(
            job=job.name,
            iteration=iteration,
            state=BatchState.SELECTED,
            total=len(new_tasks),
            selected=selected,
            before=progress,
            next_byte=last.next_byte,
            next_line=last.object_id + 1,
        )
    )


def _unlabeled(files: S3Client, job: Job, progress: Progress, most: int) -> Iterator[ManifestLine]:
    chunks = files.stream(layout.snapshot_uri(job, 0), start=progress.next_byte)
    lines = read_lines(chunks, start=progress.next_byte, first_number=progress.next_line + 1)
    wanted = (
        line for line in lines if label_state(line.parse(), job.label_attribute) in _TO_BE_LABELED
    )
    return islice(wanted, most)


_TO_BE_LABELED = (LabelState.UNLABELED, LabelState.FAILED)


class _CandidateReader:
    """Looks at objects, some side by side, and says what their tasks show."""

    def __init__(self, engine: Engine, job: Job, files: S3Client) -> None:
        self._job = job
        self._files = files
        self._labels = read_labels(files, job) or ()
        self._checks_images = job.task is not None and job.task.data == "image"
        self._functions: FunctionClient | None = None
        if job.pre_lambda_arn:
            self._functions = engine.functions_for_job(job)

    def read(self, lines: Iterator[ManifestLine]) -> Iterator[Candidate]:
        with ThreadPoolExecutor(_THREADS) as pool:
            while group := list(islice(lines, _GROUP)):
                yield from pool.map(self._look_at, group)

    def _look_at(self, line: ManifestLine) -> Candidate:
        attributes = line.parse()
        seen = Candidate(line.object_id, line.body.decode("utf-8"), line.end)
        try:
            if self._checks_images:
                seen = replace(seen, image=read_facts(self._files, attributes[SOURCE_REFERENCE]))
            return replace(seen, task_input=self._task_input(attributes))
        except (ImageError, _NoTaskError) as error:
            return replace(seen, failure=str(error))

    def _task_input(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._functions is not None and self._job.pre_lambda_arn:
            return self._own_input(self._functions, self._job.pre_lambda_arn, attributes)
        if self._job.uses_builtin_input:
            return {
                "taskObject": attributes.get(SOURCE_REFERENCE, attributes.get(SOURCE_TEXT)),
                "labels": list(self._labels),
                "manifestLine": attributes,
            }
        return attributes

    def _own_input(
        self, functions: FunctionClient, arn: str, attributes: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        event = {
            "version": _PRE_EVENT_VERSION,
            "labelingJobArn": self._job.arn,
            "dataObject": attributes,
        }
        try:
            answer = functions.invoke(arn, event)
        except FunctionRaisedError as error:
            raise _NoTaskError(f"the pre-annotation function {error}") from error
        task_input = answer.get("taskInput") if isinstance(answer, Mapping) else None
        if not isinstance(task_input, Mapping):
            raise _NoTaskError(
                f'the pre-annotation function {arn} answered without an object "taskInput"'
            )
        # Anything but the boolean is ignored, as the service does with "humanAnnotationRequired".
        if answer.get("isHumanAnnotationRequired") is False:
            raise _NoTaskError(
                "the pre-annotation function answered isHumanAnnotationRequired: false"
            )
        return task_input


class _NoTaskError(Exception):
    """No task can be made of an object; the message says why."""
