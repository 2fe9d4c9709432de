"""What a job will cost, from the workshop's configuration and a few assumptions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from groundwork.costs.usage import Usage
from groundwork.errors import UsageProblemError
from groundwork.images import EXTENSIONS
from groundwork.jobs.automation.settings import objects_at_once
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri, S3UriFormatError

# A person's time for one image.
SECONDS_PER_ANSWER: Mapping[str, float] = {"bounding-box": 20.0, "image-classification": 5.0}
# In AWS's own example of automated labeling with boxes, which cost $200 for 1,000 images.
MACHINE_SHARE = 1 / 3
_IMAGE_BYTES = 300_000
# Answers, consolidation, snapshots.
_OUTPUT_BYTES_PER_ANSWER = 4_000
# Of each object of an automated job, as its learner keeps them.
_FEATURE_BYTES: Mapping[str, int] = {"bounding-box": 150_544, "image-classification": 2_560}
_DEFAULTS: Mapping[str, Any] = {
    "engine": "ground-truth",
    "task_type": "bounding-box",
    "sample_count": 30,
    "workers_per_object": 1,
    "batch_size": 1000,
    "auto_labeling": False,
    "images": None,
    "manifest": None,
}
_ENGINES = ("ground-truth", "open")


class EstimateError(UsageProblemError):
    """Nothing can be estimated; the text names every problem."""


@dataclass(frozen=True)
class JobPlan:
    """What a job will be like.

    Parameters
    ----------
    machine_share
        Of the objects, from 0 to 1.
    seconds_per_answer
        A person's time for one image.
    image_bytes
        Of all images together.
    """

    task_type: str
    objects: int
    workers_per_object: int
    batch_size: int
    is_automated: bool
    machine_share: float
    seconds_per_answer: float
    image_bytes: int

    def usage(self) -> Usage:
        """Return what the job will use."""
        machine = round(self.objects * self.machine_share) if self.is_automated else 0
        human = self.objects - machine
        answers = human * self.workers_per_object
        batch, stored_bytes = self.batch_size, self.image_bytes + answers * _OUTPUT_BYTES_PER_ANSWER
        stored = "images and output"
        if self.is_automated:
            stored = "images, features and output"
            batch = min(batch, objects_at_once(self.objects))
            stored_bytes += self.objects * _FEATURE_BYTES[self.task_type]
        return Usage(
            human=human,
            machine=machine,
            answers=answers,
            answer_seconds=answers * self.seconds_per_answer,
            batches=math.ceil(human / batch),
            is_automated=self.is_automated,
            stored_bytes=stored_bytes,
            stored=stored,
        )


def read_configuration(path: Path | None) -> dict[str, Any]:
    """Return the settings that a job's cost depends on, from a workshop's YAML file.

    Deploying checks a configuration as a whole; here only these settings are looked at.
    """
    settings = dict(_DEFAULTS)
    if path is None:
        return settings
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EstimateError(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise EstimateError(f"{path} is not YAML: {error}") from error
    if not isinstance(content, dict):
        raise EstimateError(f"{path} must be a mapping of settings, as workshop.yaml in the README")
    settings |= {name: content[name] for name in settings if name in content}
    if settings["images"] is not None:
        settings["images"] = str(path.parent / str(settings["images"]))
    return settings


def plan_job(
    settings: Mapping[str, Any],
    *,
    objects: int | None = None,
    machine_share: float | None = None,
    seconds_per_answer: float | None = None,
    client: S3Client | None = None,
) -> JobPlan:
    """Return the job that settings describe.

    Parameters
    ----------
    settings
        As ``read_configuration`` returns them.
    objects
        How many; None to count them in the image folder or the manifest.
    machine_share, seconds_per_answer
        In place of what is assumed.
    client
        How a manifest in S3 is read; None for the user's own rights.

    Raises
    ------
    EstimateError
        With everything that is wrong.
    """
    problems = list(_setting_problems(settings))
    if problems:
        raise EstimateError("; ".join(problems))
    counted, image_bytes = (objects, None) if objects is not None else _objects(settings, client)
    task_type = str(settings["task_type"])
    return JobPlan(
        task_type=task_type,
        objects=counted,
        workers_per_object=int(settings["workers_per_object"]),
        batch_size=int(settings["batch_size"]),
        is_automated=settings["auto_labeling"] is True or machine_share is not None,
        machine_share=MACHINE_SHARE if machine_share is None else machine_share,
        seconds_per_answer=seconds_per_answer or SECONDS_PER_ANSWER[task_type],
        image_bytes=counted * _IMAGE_BYTES if image_bytes is None else image_bytes,
    )


def _setting_problems(settings: Mapping[str, Any]) -> list[str]:
    problems = []
    choices = {"engine": _ENGINES, "task_type": tuple(SECONDS_PER_ANSWER)}
    for name, known in choices.items():
        if settings[name] not in known:
            problems.append(f"{name}: got {settings[name]!r}; accepted: {' or '.join(known)}")
    for name, most in (("workers_per_object", 9), ("batch_size", 5000), ("sample_count", 10_000)):
        value = settings[name]
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            problems.append(f"{name}: got {value!r}; accepted: a whole number, 1 to {most:,}")
    if not isinstance(settings["auto_labeling"], bool):
        problems.append(
            f"auto_labeling: got {settings['auto_labeling']!r}; accepted: true or false"
        )
    return problems


def _objects(settings: Mapping[str, Any], client: S3Client | None) -> tuple[int, int | None]:
    """Return how many objects there are, and the bytes of their images where they are known."""
    if settings["manifest"] is not None:
        try:
            uri = S3Uri.parse(str(settings["manifest"]))
        except S3UriFormatError as error:
            raise EstimateError(f"manifest: {error}") from error
        chunks = (client or S3Client.from_environment()).stream(uri)
        lines = sum(chunk.count(b"\n") for chunk in _with_last_end(chunks))
        return lines, None
    if settings["images"] is None:
        return int(settings["sample_count"]), None
    folder = Path(str(settings["images"]))
    if not folder.is_dir():
        raise EstimateError(f"images: there is no folder {folder}")
    sizes = [
        path.stat().st_size
        for path in folder.rglob("*")
        if path.suffix.lower() in EXTENSIONS and path.is_file()
    ]
    if not sizes:
        raise EstimateError(f"images: {folder} has no .jpg, .jpeg or .png file")
    return len(sizes), sum(sizes)


def _with_last_end(chunks: Any) -> Any:
    last = b"\n"
    for chunk in chunks:
        last = chunk or last
        yield chunk
    if not last.endswith(b"\n"):
        yield b"\n"
