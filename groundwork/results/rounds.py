"""The records of automated labeling that the open engine leaves, one for each iteration.

They are ``activelearning/<iteration>/round.json``, and ``activelearning/summary.json`` for the job
so far. Ground Truth has that folder, too, and no such files in it.
"""

import re
from typing import TypeVar

import msgspec

from groundwork.results.output_tree import JobOutput

_FOLDER = "activelearning"
_ROUND = re.compile(rf"{_FOLDER}/(\d+)/round\.json")
_SUMMARY = f"{_FOLDER}/summary.json"
Document = TypeVar("Document")


class RegionForecast(msgspec.Struct, frozen=True):
    """What is expected of the labels with the best forecasts: how many, their mean, the lowest."""

    objects: int
    mean_forecast: float
    threshold: float


class ProposedLabels(msgspec.Struct, frozen=True):
    """Labels that people were asked about, in a sample of them."""

    objects: int
    sampled: int
    mean_forecast: float
    threshold: float


class RegionTest(msgspec.Struct, frozen=True):
    """How a proposal, or its better part, fared: its bound and what it had to be."""

    size: int
    sampled: int
    sample_mean: float
    bound: float
    needed: float
    passed: bool = False


class RoundVerdict(msgspec.Struct, frozen=True):
    """What became of the labels that were proposed an iteration before."""

    proposal_of: int
    accepted: int = 0
    expected: float | None = None
    achieved: float | None = None
    withdrawn: str | None = None
    tests: tuple[RegionTest, ...] = ()


class MeasuredQuality(msgspec.Struct, frozen=True):
    """The mean quality of accepted labels in their samples, and the ends of its interval."""

    mean: float
    low: float
    high: float


class PictureLook(msgspec.Struct, frozen=True):
    """What the look at all pictures took, before the first batch; added up in seconds."""

    seconds: float = 0.0


class Round(msgspec.Struct, frozen=True):
    """One iteration of automated labeling.

    Parameters
    ----------
    quality
        What the measure is called, such as "mean IoU".
    bound
        What the mean quality of all accepted labels is at least, with ``confidence``.
    seconds
        By phase; what ran side by side is added up.
    """

    iteration: int
    decision: str | None = None
    reason: str | None = None
    labels_by_people: int | None = None
    quality: str = "quality"
    target: float | None = None
    confidence: float | None = None
    risk_curve: tuple[RegionForecast, ...] = ()
    proposal: ProposedLabels | None = None
    verdict: RoundVerdict | None = None
    machine_labeled: int = 0
    bound: float | None = None
    measured_quality: MeasuredQuality | None = None
    seconds: dict[str, float] = {}
    pictures: PictureLook | None = None


class AutomationSummary(msgspec.Struct, frozen=True):
    """What automated labeling has come to."""

    target: float | None = None
    confidence: float | None = None
    machine_labeled: int = 0
    bound: float | None = None
    measured_quality: MeasuredQuality | None = None
    outcome: str | None = None


def read_rounds(output: JobOutput, problems: list[str] | None = None) -> list[Round]:
    """Return a job's rounds in order; none where the output has no records.

    Parameters
    ----------
    problems
        Collects a sentence for each file that cannot be understood.
    """
    if not output.is_tree:
        return []
    paths = [path for path in output.files.paths(_FOLDER) if _ROUND.fullmatch(path)]
    rounds = [_read(output, path, Round, problems) for path in paths]
    return sorted((each for each in rounds if each), key=lambda each: each.iteration)


def read_automation_summary(
    output: JobOutput, problems: list[str] | None = None
) -> AutomationSummary | None:
    """Return what the job says of its automated labeling; None where it says nothing.

    Parameters
    ----------
    problems
        Collects a sentence if the file cannot be understood.
    """
    if not output.is_tree or not output.files.exists(_SUMMARY):
        return None
    return _read(output, _SUMMARY, AutomationSummary, problems)


def _read(
    output: JobOutput, path: str, kind: type[Document], problems: list[str] | None
) -> Document | None:
    try:
        return msgspec.json.decode(b"".join(output.files.stream(path)), type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        if problems is not None:
            problems.append(
                f"{output.files.address(path)} is no record of automated labeling: {error}"
            )
        return None
