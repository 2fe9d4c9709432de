"""How close labels are to the truth; each measure is defined here and nowhere else."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import Any

from groundwork.results.kinds import LabelKind
from groundwork.texts import Text

SCORE_BINS = 20
INTERVAL_CONFIDENCE = 0.95
_QUANTILE = NormalDist().inv_cdf((1 + INTERVAL_CONFIDENCE) / 2)


@dataclass(frozen=True)
class Definition:
    """What a measure is, for whoever reads a figure."""

    term: Text
    text: Text


@dataclass(frozen=True)
class Measure(Definition):
    """What the quality of one form of labels is measured in; ``name`` is for lines and JSON."""

    name: str


IMAGE_MEAN_IOU = Measure(
    name="mean IoU",
    term=Text("Per-image mean IoU", "이미지별 평균 IoU"),
    text=Text(
        "IoU is the shared area of two boxes over the area that they cover together. Boxes of the "
        "same class are matched one to one, the pair with the best IoU first. The mean is over all "
        "matched pairs and everything unmatched: a missed box, an extra one, and a wrongly classed "
        "one (which is both) count 0. An empty image labeled empty scores 1.",
        "IoU는 두 상자가 겹치는 넓이를 두 상자가 함께 덮는 넓이로 나눈 값입니다. 같은 클래스의 "
        "상자를 IoU가 큰 쌍부터 하나씩 짝짓고, 짝지은 쌍과 짝이 없는 모든 상자에 대해 평균을 "
        "냅니다. 빠뜨린 상자와 더 그린 상자는 0이고, 클래스가 틀린 상자는 둘 다에 해당합니다. 빈 "
        "이미지를 비어 있다고 라벨링하면 1입니다.",
    ),
)
CLASS_ACCURACY = Measure(
    name="accuracy",
    term=Text("Accuracy", "정확도"),
    text=Text(
        "The share of objects with the right class. Where truth is boxes, an object is compared if "
        "all of them are of one class.",
        "클래스가 맞은 객체의 비율입니다. 정답이 상자이면, 모든 상자의 클래스가 하나인 객체만 "
        "비교합니다.",
    ),
)
FIRST_CLASS_ACCURACY = Measure(
    name="accuracy of the first class",
    term=Text("Accuracy of the first class", "첫 클래스의 정확도"),
    text=Text(
        "The share of objects whose first class is the right one; their other classes are not "
        "compared. It takes a first class, and a truth whose boxes are all of one class.",
        "첫 번째 클래스가 맞은 객체의 비율입니다. 나머지 클래스는 비교하지 않습니다. 클래스가 "
        "있고 정답 상자의 클래스가 하나인 객체만 비교합니다.",
    ),
)
_MEASURES = {
    LabelKind.BOXES: IMAGE_MEAN_IOU,
    LabelKind.CLASS: CLASS_ACCURACY,
    LabelKind.CLASSES: FIRST_CLASS_ACCURACY,
}
AGREEMENT = Definition(
    Text("Agreement", "일치도"),
    Text(
        "How alike the answers of an object's workers are: the mean over all pairs of workers of "
        "the per-image mean IoU of their boxes, or 1 for the same class and 0 for another; of "
        "several classes, the shared ones over all that either chose. A worker's agreement is the "
        "mean over her objects of her pairs. It takes two workers on an object.",
        "한 객체에 대한 작업자들의 답이 얼마나 같은지를 나타냅니다. 모든 작업자 쌍에 대해 상자는 "
        "이미지별 평균 IoU, 클래스는 같으면 1, 다르면 0, 여러 클래스는 둘 중 하나라도 고른 것 "
        "가운데 둘 다 고른 것의 비율을 평균합니다. 작업자의 일치도는 그 작업자가 속한 쌍을 "
        "객체마다 평균한 값입니다. 한 객체에 작업자가 두 명 이상 있어야 합니다.",
    ),
)
MEAN_INTERVAL = Definition(
    Text("95 % interval of a mean", "평균의 95 % 구간"),
    Text(
        "Where scores are 0 or 1, Wilson's score interval of a share; for graded scores the normal "
        "approximation, mean ± 1.96 standard errors, within 0 and 1. It takes the objects as a "
        "random sample of such objects; it is no statement about each of them.",
        "점수가 0 또는 1이면 비율에 대한 윌슨 점수 구간, 그 밖의 점수에는 정규 근사(평균 ± 1.96 "
        "표준오차, 0과 1 사이)를 씁니다. 객체들을 그런 객체의 무작위 표본으로 본 것이며, 개별 "
        "객체에 대한 진술이 아닙니다.",
    ),
)
WILSON = Text("Wilson's score interval", "윌슨 점수 구간")
NORMAL = Text("normal approximation", "정규 근사")
LABEL_BOUND = Definition(
    Text("Bound of the machine's labels", "자동 라벨의 하한"),
    Text(
        "What the job states: with its confidence, the mean quality of all labels that it accepted "
        "from the model is at least this, against the consolidated labels of people. It rests on "
        "random samples that people labeled unseen before anything was accepted: the exact "
        "hypergeometric bound for right or wrong, a betting bound (Waudby-Smith and Ramdas, 2024) "
        "for graded quality, over all proposals by Bonferroni.",
        "작업이 보증하는 값입니다. 모델에서 받아들인 모든 라벨의 평균 품질은, 사람들의 통합 라벨에 "
        "견주어, 정해진 신뢰도로 이 값 이상입니다. 받아들이기 전에 사람들이 모르는 채 라벨링한 "
        "무작위 표본에 근거합니다. 맞고 틀림에는 초기하분포의 정확한 하한, 정도가 있는 품질에는 "
        "베팅 하한(Waudby-Smith와 Ramdas, 2024)을 쓰고, 모든 제안에 대해 본페로니로 합칩니다.",
    ),
)


def measure_of(kind: LabelKind | None) -> Measure | None:
    """Return what labels of a form are measured in; None where nothing measures them."""
    return None if kind is None else _MEASURES.get(kind)


@dataclass
class RunningMean:
    """A mean of numbers that come one by one, or from several processes."""

    total: float = 0.0
    count: int = 0

    @property
    def value(self) -> float | None:
        """The mean so far; None of nothing."""
        return self.total / self.count if self.count else None

    def add(self, number: float) -> None:
        """Take one more number."""
        self.total += number
        self.count += 1

    def merge(self, other: "RunningMean") -> None:
        """Take the numbers of another mean."""
        self.total += other.total
        self.count += other.count


@dataclass(frozen=True)
class Interval:
    """A mean and an interval that holds it: see ``MEAN_INTERVAL``, of which method says which."""

    mean: float
    low: float
    high: float
    count: int
    method: Text
    confidence: float = INTERVAL_CONFIDENCE


@dataclass
class Scores:
    """Scores from 0 to 1 that come one by one: their mean and how they are spread.

    Parameters
    ----------
    bins
        How many there are in each twentieth; the last holds 1, too.
    """

    mean: RunningMean = field(default_factory=RunningMean)
    squares: float = 0.0
    bins: list[int] = field(default_factory=lambda: [0] * SCORE_BINS)
    is_graded: bool = False

    def add(self, score: float) -> None:
        """Take one more score."""
        self.mean.add(score)
        self.squares += score * score
        self.bins[min(int(score * SCORE_BINS), SCORE_BINS - 1)] += 1
        self.is_graded = self.is_graded or score not in (0.0, 1.0)

    def merge(self, other: "Scores") -> None:
        """Take the scores of another part."""
        self.mean.merge(other.mean)
        self.squares += other.squares
        self.bins = [one + more for one, more in zip(self.bins, other.bins, strict=True)]
        self.is_graded = self.is_graded or other.is_graded

    @property
    def value(self) -> float | None:
        """The mean so far; None of nothing."""
        return self.mean.value

    @property
    def count(self) -> int:
        """How many scores there are."""
        return self.mean.count

    @property
    def total(self) -> float:
        """The sum of the scores."""
        return self.mean.total

    def interval(self) -> Interval | None:
        """Return the mean and its interval; None of fewer than two scores."""
        count, mean = self.mean.count, self.mean.value
        if mean is None or count < 2:
            return None
        if not self.is_graded:
            return Interval(mean, *wilson_interval(mean, count), count, WILSON)
        variance = max(0.0, self.squares - count * mean * mean) / (count - 1)
        off = _QUANTILE * math.sqrt(variance / count)
        return Interval(mean, max(0.0, mean - off), min(1.0, mean + off), count, NORMAL)


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Return the ends of Wilson's score interval for a share of ``count`` objects."""
    square = _QUANTILE**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    off = share * (1 - share) / count + square / (4 * count**2)
    off = _QUANTILE * math.sqrt(off) / (1 + square / count)
    return max(0.0, middle - off), min(1.0, middle + off)


@dataclass(frozen=True)
class Box:
    """A labeled rectangle in pixels, from the top left corner."""

    label: str
    left: float
    top: float
    width: float
    height: float

    @classmethod
    def from_truth(cls, box: Mapping[str, Any]) -> "Box":
        """Read a box as truth files and workers' answers have it."""
        return cls(box["label"], box["left"], box["top"], box["width"], box["height"])


def iou(one: Box, other: Box) -> float:
    """Return the shared area of two boxes over the area that they cover together."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one.width * one.height + other.width * other.height - shared)


def image_mean_iou(predicted: Sequence[Box], truth: Sequence[Box]) -> float:
    """Return the mean IoU of one image's boxes: see ``IMAGE_MEAN_IOU``."""
    if not predicted and not truth:
        return 1.0
    pairs = sorted(
        (
            (iou(predicted[i], truth[j]), i, j)
            for i in range(len(predicted))
            for j in range(len(truth))
            if predicted[i].label == truth[j].label
        ),
        reverse=True,
    )
    matched_predicted: set[int] = set()
    matched_truth: set[int] = set()
    total = 0.0
    for overlap, i, j in pairs:
        if overlap > 0 and i not in matched_predicted and j not in matched_truth:
            matched_predicted.add(i)
            matched_truth.add(j)
            total += overlap
    return total / (len(predicted) + len(truth) - len(matched_truth))


def mean_iou(images: Iterable[tuple[Sequence[Box], Sequence[Box]]]) -> float | None:
    """Return the mean over images `(predicted, truth)`; None for no images."""
    return _mean(image_mean_iou(predicted, truth) for predicted, truth in images)


def class_accuracy(labels: Iterable[tuple[str, str]]) -> float | None:
    """Return the share of `(predicted, truth)` with the right class; None for no objects."""
    return _mean(class_score(predicted, truth) for predicted, truth in labels)


def class_score(predicted: str, truth: str) -> float:
    """Return 1 for the right class and 0 for any other."""
    return float(predicted == truth)


def classes_score(predicted: Iterable[str], truth: Iterable[str]) -> float:
    """Return the shared classes over all classes of two answers; 1 if both have none."""
    one, other = set(predicted), set(truth)
    return len(one & other) / len(one | other) if one | other else 1.0


def _mean(scores: Iterable[float]) -> float | None:
    mean = RunningMean()
    for score in scores:
        mean.add(score)
    return mean.value
