"""What each part of a round leaves behind for the parts after it, as JSON documents."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from groundwork.autolabel.bound import Sample
from groundwork.autolabel.rounds import Assurance, CutTest


class Decision(StrEnum):
    """What people's next batch is for."""

    # There is no model that could choose.
    RANDOM = "random"
    # As random, but so little is left to label that a model would be of no use.
    REST = "rest"
    LEARN = "learn"
    PROPOSE = "propose"


@dataclass(frozen=True)
class RegionForecast:
    """What is to be expected of the labels with the best forecasts.

    Parameters
    ----------
    objects
        How many they are.
    mean_forecast
        Their expected mean quality.
    threshold
        The lowest forecast among them.
    """

    objects: int
    mean_forecast: float
    threshold: float


@dataclass(frozen=True)
class PlanRecord:
    """Whom people are asked about after an iteration, and why: ``plan.json``.

    Parameters
    ----------
    asked
        The objects of people's next batch, ascending.
    hardest
        Those of them that were chosen because the model was worst at them.
    pool
        How many objects were left to label.
    risk_curve
        The labels with the best forecasts, in steps of a twentieth of what is left.
    inference_seconds
        How long functions worked on the labels and forecasts, all together.
    """

    iteration: int
    decision: Decision
    reason: str
    asked: tuple[int, ...]
    hardest: tuple[int, ...]
    pool: int
    risk_curve: tuple[RegionForecast, ...]
    seconds: float
    inference_seconds: float

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "PlanRecord":
        """Read the document."""
        return cls(
            **{
                **document,
                "decision": Decision(document["decision"]),
                "asked": tuple(document["asked"]),
                "hardest": tuple(document["hardest"]),
                "risk_curve": tuple(RegionForecast(**each) for each in document["risk_curve"]),
            }
        )


@dataclass(frozen=True)
class SampledLabel:
    """A proposed label that people were asked about.

    Parameters
    ----------
    rank
        How many labels of the proposal had a better forecast.
    score
        Its quality against people's label; None where people gave none, which counts as 0.
    """

    object: int
    rank: int
    forecast: float
    score: float | None


@dataclass(frozen=True)
class VerdictRecord:
    """What became of the proposal of the iteration before, and what is known since.

    It is kept as ``verdict.json``.

    Parameters
    ----------
    proposal_of
        The iteration after which it was made; None if there was none.
    withdrawn
        Why it was not judged at all, or None.
    tests
        The nested regions from the whole on, up to the first that passed.
    region
        How many of the proposal's labels, best first, passed; 0 if none did.
    accepted
        How many labels were accepted: the region without its sample.
    forecast_mean, forecast_highest
        Of the region, or of the whole proposal if no region passed.
    graded, spread
        As in ``Sample`` and ``Proposal``.
    sample
        In random order.
    """

    proposal_of: int | None
    assurance: Assurance
    withdrawn: str | None = None
    tests: tuple[CutTest, ...] = ()
    region: int = 0
    accepted: int = 0
    forecast_mean: float = 0.0
    forecast_highest: float = 0.0
    graded: bool = True
    spread: float = 0.0
    sample: tuple[SampledLabel, ...] = ()

    def accepted_sample(self) -> Sample | None:
        """Return the sample of the region that was accepted."""
        drawn = [label for label in self.sample if label.rank < self.region]
        if not self.accepted:
            return None
        return Sample(
            scores=np.array([label.score or 0.0 for label in drawn]),
            forecasts=np.array([label.forecast for label in drawn]),
            population=self.region,
            forecast_mean=self.forecast_mean,
            forecast_highest=self.forecast_highest,
            graded=self.graded,
        )

    def achieved(self) -> float | None:
        """Return the sample's mean quality, in the accepted region if there is one."""
        within = self.region or max((label.rank + 1 for label in self.sample), default=0)
        drawn = [label.score or 0.0 for label in self.sample if label.rank < within]
        return sum(drawn) / len(drawn) if drawn else None

    def to_json(self) -> dict[str, Any]:
        """Return the document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> "VerdictRecord":
        """Read the document."""
        return cls(
            **{
                **document,
                "assurance": Assurance(**document["assurance"]),
                "tests": tuple(CutTest(**each) for each in document["tests"]),
                "sample": tuple(SampledLabel(**each) for each in document["sample"]),
            }
        )
