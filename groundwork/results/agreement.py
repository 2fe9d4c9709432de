"""What each worker did, and how far the workers of an object agree.

The measure is defined in ``quality.AGREEMENT``.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, groupby
from statistics import median

from groundwork.results.answers import WorkerAnswer, read_answers
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import Label
from groundwork.results.output_tree import JobOutput
from groundwork.results.quality import (
    RunningMean,
    class_score,
    classes_score,
    image_mean_iou,
)


@dataclass
class WorkerWork:
    """What one worker did in a job.

    Parameters
    ----------
    sub
        The worker's identity in the user pool of a private team, where the answers tell it.
    seconds
        How long each answer took, as far as it is known.
    agreement
        Over the objects that others answered, too.
    """

    worker_id: str
    sub: str | None = None
    tasks: int = 0
    seconds: "array[float]" = field(default_factory=lambda: array("f"))
    agreement: RunningMean = field(default_factory=RunningMean)

    @property
    def median_seconds(self) -> float | None:
        """The middle one of the times; None where none is known."""
        return median(self.seconds) if self.seconds else None

    @property
    def minutes(self) -> float:
        """All the times together."""
        return sum(self.seconds) / 60


@dataclass(frozen=True, slots=True)
class ObjectWork:
    """What became of one object: who answered, and how far they agree; None for a single one."""

    workers: tuple[str, ...]
    agreement: float | None


def likeness(one: Label, other: Label) -> float | None:
    """Return how alike two labels are, from 0 to 1; None for labels of different forms."""
    if one.kind is not other.kind:
        return None
    if one.kind is LabelKind.BOXES:
        return image_mean_iou(one.boxes, other.boxes)
    if one.kind is LabelKind.CLASS:
        return class_score(one.classes[0], other.classes[0])
    if one.kind is LabelKind.CLASSES:
        return classes_score(one.classes, other.classes)
    return None


def read_work(
    output: JobOutput,
    problems: list[str] | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> tuple[dict[int, ObjectWork], dict[str, WorkerWork]]:
    """Return what became of each object that people answered, and what each worker did.

    Parameters
    ----------
    problems
        Collects a sentence for each file of answers that cannot be understood.
    progress
        Is told how many objects were read.
    """
    workers: dict[str, WorkerWork] = {}
    if not output.is_tree:
        return {}, workers
    objects = {}
    for object_id, answers in _answered_objects(read_answers(output, problems)):
        objects[object_id] = _object_work(answers, workers)
        progress(1)
    return objects, workers


def _answered_objects(answers: Iterable[WorkerAnswer]) -> Iterator[tuple[int, list[WorkerAnswer]]]:
    """Yield objects and what their workers answered, from answers in the order of their files."""
    for (_, object_id), group in groupby(answers, lambda each: (each.iteration, each.object_id)):
        if object_id is not None:
            yield object_id, list(group)


def _object_work(answers: list[WorkerAnswer], workers: dict[str, WorkerWork]) -> ObjectWork:
    """Return what an object's answers show, and add it to what the workers did."""
    labels: list[tuple[str, Label]] = []
    for answer in answers:
        worker = workers.setdefault(answer.worker_id, WorkerWork(answer.worker_id))
        worker.sub = worker.sub or answer.sub
        worker.tasks += 1
        if answer.seconds is not None:
            worker.seconds.append(max(0.0, answer.seconds))
        label = answer.label()
        if label is not None:
            labels.append((answer.worker_id, label))
    overall = RunningMean()
    own = {worker_id: RunningMean() for worker_id, _ in labels}
    for (one_id, one), (other_id, other) in combinations(labels, 2):
        alike = likeness(one, other)
        if alike is not None:
            overall.add(alike)
            own[one_id].add(alike)
            own[other_id].add(alike)
    for worker_id, mean in own.items():
        if mean.value is not None:
            workers[worker_id].agreement.add(mean.value)
    return ObjectWork(tuple(answer.worker_id for answer in answers), overall.value)
