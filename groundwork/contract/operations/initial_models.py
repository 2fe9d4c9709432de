"""The models that labeling jobs begin with: those that earlier jobs ended with."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from groundwork.contract.arns import Arn
from groundwork.contract.engine import Engine
from groundwork.contract.rules import task_of
from groundwork.jobs import layout
from groundwork.jobs.automation.models import RECORD_NAME, ModelRecord, job_and_iteration
from groundwork.jobs.errors import JobNotFoundError
from groundwork.jobs.model import Job
from groundwork.s3_client import S3Client, S3NotFoundError
from groundwork.s3_uri import S3Uri

_PLACE = "LabelingJobAlgorithmsConfig.InitialActiveLearningModelArn"


@dataclass(frozen=True)
class InitialModel:
    """A model that a request names, and the job that made it."""

    arn: str
    job: Job
    iteration: int

    @property
    def folder(self) -> S3Uri:
        """Where its files are."""
        return layout.training_uri(self.job, self.iteration)


def find_initial_model(engine: Engine, request: dict[str, Any]) -> InitialModel | None:
    """Return the model that a request wants to begin with; None if it names none that exists."""
    arn = _named(request)
    parsed = None if arn is None else Arn.parse(arn)
    if arn is None or parsed is None:
        return None
    found = job_and_iteration(parsed)
    if found is None or (parsed.region, parsed.account) != (engine.region, engine.account):
        return None
    name, iteration = found
    try:
        job = engine.jobs.get(name)
    except JobNotFoundError:
        return None
    if job.name != name or job.final_model != iteration:
        return None
    return InitialModel(arn, job, iteration)


def initial_model_problems(request: dict[str, Any], found: InitialModel | None) -> Iterator[str]:
    """Yield why a job cannot begin with a model, from what the engine knows of it."""
    arn = _named(request)
    if arn is None:
        return
    if found is None:
        yield (
            f"{_PLACE} {arn}: no labeling job of this account and region has ended with this "
            "model; give the FinalActiveLearningModelArn of one (DescribeLabelingJob, "
            "LabelingJobOutput)"
        )
        return
    task, made_for = task_of(request), found.job.task
    if task is not None and made_for is not None and task.key != made_for.key:
        yield f"{_PLACE} {arn} is a model for task type {made_for.key}, not for {task.key}"


def model_label_problems(
    files: S3Client, found: InitialModel, labels: tuple[str, ...]
) -> Iterator[str]:
    """Yield whether a model's labels are other ones than the job's, from the model's own record.

    Parameters
    ----------
    files
        S3 with the role of the job that is to begin with the model, which reads it later.
    labels
        The job's labels in the order of their class ids.

    Raises
    ------
    S3Error
        If the role cannot read the model's files.
    """
    try:
        record = ModelRecord.from_json(json.loads(files.get(found.folder.child(RECORD_NAME))))
    except S3NotFoundError:
        yield f"{_PLACE} {found.arn}: its files in {found.folder} are gone"
        return
    if record.classes != labels:
        yield (
            f"{_PLACE} {found.arn} tells {', '.join(record.classes)} apart; the job has "
            f"{', '.join(labels)}: the labels and their order have to be the same"
        )


def _named(request: dict[str, Any]) -> str | None:
    config = request.get("LabelingJobAlgorithmsConfig") or {}
    arn: str | None = config.get("InitialActiveLearningModelArn")
    return arn
