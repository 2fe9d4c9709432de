"""Everything that the page shows, gathered in one pass over the manifest."""

import heapq
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import numpy as np
from numpy.typing import NDArray

from groundwork.costs.ledger import Bill, job_usage
from groundwork.manifest import LabelState
from groundwork.results.agreement import ObjectWork, WorkerWork, read_work
from groundwork.results.doubts import Doubt, doubts
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import ImageSize, Label, LabeledObject, LineProblems, read_objects
from groundwork.results.output_tree import JobOutput
from groundwork.results.quality import Box, Scores
from groundwork.results.report import Report
from groundwork.results.rounds import Round, read_rounds
from groundwork.results.second_opinions import SecondOpinions
from groundwork.results.truth import Truth

SIZE_BINS = 20
GRID = 24
_NOBODY = ObjectWork((), None)


@dataclass(frozen=True, slots=True)
class ShownObject:
    """An object of the gallery.

    Parameters
    ----------
    iteration
        0 where it is unknown.
    score
        Against the truth, where that is known.
    work
        Who answered and how far they agree.
    doubts
        The strongest first.
    truth
        The true boxes, where they are known.
    """

    found: LabeledObject
    label: Label
    iteration: int
    score: float | None
    work: ObjectWork
    doubts: tuple[Doubt, ...]
    truth: tuple[Box, ...] | None

    @property
    def suspicion(self) -> float:
        """How much its label is doubted, from 0 to 1."""
        return max((each.strength for each in self.doubts), default=0.0)


@dataclass
class BoxShapes:
    """Where boxes are and how large, in shares of their images.

    Parameters
    ----------
    sizes
        Boxes by the root of their share of the image's area, in twentieths.
    centres, shapes
        (GRID, GRID) boxes by the place of their centre, and by width and height: rows from top to
        bottom, columns from left to right.
    """

    sizes: list[int] = field(default_factory=lambda: [0] * SIZE_BINS)
    centres: NDArray[np.int64] = field(default_factory=lambda: np.zeros((GRID, GRID), np.int64))
    shapes: NDArray[np.int64] = field(default_factory=lambda: np.zeros((GRID, GRID), np.int64))

    @property
    def count(self) -> int:
        """How many boxes there are of images whose size is known."""
        return sum(self.sizes)

    def add(self, box: Box, size: ImageSize) -> None:
        """Count a box."""
        width, height = box.width / size.width, box.height / size.height
        self.sizes[_bin((width * height) ** 0.5, SIZE_BINS)] += 1
        across = _bin((box.left + box.width / 2) / size.width, GRID)
        down = _bin((box.top + box.height / 2) / size.height, GRID)
        self.centres[down, across] += 1
        self.shapes[_bin(height, GRID), _bin(width, GRID)] += 1


@dataclass
class ReportContent:
    """What the page shows.

    Parameters
    ----------
    shown
        The objects of the gallery, in the manifest's order.
    labeled
        How many objects have a label or failed, shown or not.
    scores
        By state: each object's quality against the truth, where that is known.
    workers
        By their ids, in order of their first answers.
    bill
        What the job cost.
    problems
        Files that could not be understood, one sentence each.
    """

    report: Report
    shown: list[ShownObject]
    labeled: int
    shapes: BoxShapes
    scores: dict[LabelState, Scores]
    workers: dict[str, WorkerWork]
    rounds: list[Round]
    bill: Bill
    problems: list[str]


def gather(
    output: JobOutput,
    report: Report,
    truth: Truth | None,
    *,
    most_shown: int,
    seed: int,
    progress: Callable[[int], None] = lambda count: None,
) -> ReportContent:
    """Read a job's output for the page.

    Parameters
    ----------
    report
        The counts of the same output.
    most_shown
        How many objects the gallery has at most: half of them are the most doubted, the others are
        drawn at random from the rest.
    progress
        Is told of every object.
    """
    problems: list[str] = []
    work, workers = read_work(output, problems)
    rounds = read_rounds(output, problems)
    content = ReportContent(
        report=report,
        shown=[],
        labeled=0,
        shapes=BoxShapes(),
        scores={LabelState.HUMAN: Scores(), LabelState.MACHINE: Scores()},
        workers=workers,
        rounds=rounds,
        bill=Bill(job_usage(output, report, workers.values(), rounds)),
        problems=problems,
    )
    if report.label_attribute is None:
        return content
    opinions = SecondOpinions(output, report.label_attribute, problems)
    reader = _Reader(report, truth, work, opinions)
    chosen = _Chosen(most_shown, seed)
    for found in read_objects(output.chunks(), report.label_attribute, LineProblems()):
        progress(1)
        if found.state is LabelState.UNLABELED:
            continue
        content.labeled += 1
        shown = reader.read(found)
        if shown.score is not None:
            content.scores[found.state].add(shown.score)
        if shown.label.image_size is not None:
            for box in shown.label.boxes:
                content.shapes.add(box, shown.label.image_size)
        chosen.add(shown)
    content.shown.extend(chosen.all())
    return content


class _Reader:
    def __init__(
        self,
        report: Report,
        truth: Truth | None,
        work: dict[int, ObjectWork],
        opinions: SecondOpinions,
    ) -> None:
        self._truth = truth
        self._work = work
        self._iterations = report.iterations or array("H")
        self._names = report.summary.tally.class_names
        self._opinions = opinions

    def read(self, found: LabeledObject) -> ShownObject:
        number = found.object_id
        iteration = self._iterations[number] if number < len(self._iterations) else 0
        work = self._work.get(number, _NOBODY)
        known = None if self._truth is None else self._truth.of(found.source)
        if found.state is LabelState.FAILED:
            return ShownObject(found, Label(LabelKind.OTHER), iteration, None, work, (), known)
        label = found.read(self._names)
        score = None
        if self._truth is not None and not label.problems:
            score = self._truth.score(found.source, label.kind, label.boxes, label.classes)
        surprise = None
        if found.state is LabelState.HUMAN:
            surprise = self._opinions.surprise(number, iteration, label)
        reasons = doubts(
            found.state,
            label,
            score=score,
            agreement=work.agreement,
            model_surprise=surprise,
        )
        return ShownObject(found, label, iteration, score, work, tuple(reasons), known)


class _Chosen:
    """Keeps the most doubted objects and a random sample of the others."""

    def __init__(self, most: int, seed: int) -> None:
        self._most_doubted = most // 2
        self._most_others = most - self._most_doubted
        self._random = Random(seed)  # noqa: S311 - a sample to look at, no secret
        self._doubted: list[tuple[float, int, ShownObject]] = []
        self._others: list[ShownObject] = []
        self._seen = 0

    def add(self, shown: ShownObject) -> None:
        if self._most_doubted:
            entry = (shown.suspicion, -shown.found.object_id, shown)
            if len(self._doubted) < self._most_doubted:
                heapq.heappush(self._doubted, entry)
                return
            shown = heapq.heappushpop(self._doubted, entry)[2]
        # Reservoir sampling: the n-th object replaces a chosen one with probability k / n.
        self._seen += 1
        if len(self._others) < self._most_others:
            self._others.append(shown)
        elif (place := self._random.randrange(self._seen)) < self._most_others:
            self._others[place] = shown

    def all(self) -> list[ShownObject]:
        chosen = [*(entry[2] for entry in self._doubted), *self._others]
        return sorted(chosen, key=lambda shown: shown.found.object_id)


def _bin(share: float, bins: int) -> int:
    return min(max(int(share * bins), 0), bins - 1)
