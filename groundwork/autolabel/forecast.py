"""Forecast how good a label will be, from a few numbers that describe how it came about."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.arrays import Arrays, below, named
from groundwork.autolabel.ridge import LandmarkMap, Ridge

Floats = NDArray[np.float64]

_LANDMARKS = 400
_SHARPNESS = 0.5
_PENALTY = 3.0


@dataclass(frozen=True)
class Forecaster:
    """A smooth function of a label's description, fitted to how good such labels were."""

    mean: Floats
    spread: Floats
    map: LandmarkMap
    weights: NDArray[np.float32]
    level: NDArray[np.float32]

    @classmethod
    def fit(
        cls, descriptions: Floats, scores: Floats, random: np.random.Generator
    ) -> tuple["Forecaster", Floats]:
        """Fit to labels whose quality is known.

        Returns
        -------
        tuple
            The forecaster, and what one that did not see a label forecasts for it.
        """
        mean = descriptions.mean(axis=0)
        spread = descriptions.std(axis=0) + 1e-3
        rows = ((descriptions - mean) / spread).astype(np.float32)
        coordinates = LandmarkMap.fit(random.permutation(rows)[:_LANDMARKS], sharpness=_SHARPNESS)
        ridge = Ridge(coordinates(rows), scores[:, None].astype(np.float32), _PENALTY)
        unseen = ridge.without_own_group(np.arange(len(scores)))[:, 0]
        forecaster = cls(mean, spread, coordinates, ridge.weights, ridge.mean)
        return forecaster, np.clip(unseen.astype(np.float64), 0, 1)

    def __call__(self, descriptions: Floats) -> Floats:
        """Return the expected quality of labels, from 0 to 1."""
        rows = ((descriptions - self.mean) / self.spread).astype(np.float32)
        expected = self.map(rows) @ self.weights + self.level
        return np.clip(expected[:, 0].astype(np.float64), 0, 1)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the forecaster as named arrays."""
        own: dict[str, NDArray[Any]] = {
            "mean": self.mean,
            "spread": self.spread,
            "weights": self.weights,
            "level": self.level,
        }
        return own | named("map_", self.map.arrays())

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> "Forecaster":
        """Return the forecaster that ``arrays`` was made of."""
        return cls(
            arrays["mean"],
            arrays["spread"],
            LandmarkMap.from_arrays(below(arrays, "map_")),
            arrays["weights"],
            arrays["level"],
        )
