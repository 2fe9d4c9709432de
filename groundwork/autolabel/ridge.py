"""Kernel ridge regression that grows linearly with its rows, and tells itself what it does not
know.

Landmarks: Williams and Seeger, "Using the Nyström method to speed up kernel machines" (2001). With
as many landmarks as rows it is the exact kernel machine. Leaving a group of rows out has a closed
form, so that every labeled picture also says how well the others predict it: for a group's rows Z
of the features and the inverse M of the penalized Gram matrix, what the fit without the group would
have been off by is (I - Z M Z')^-1 times what the fit with it is off by (the PRESS statistic, Allen
1974).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.processors import side_by_side

Floats = NDArray[np.float32]
Integers = NDArray[np.intp]

_ROWS_FOR_WIDTH = 500
# Added to the landmarks' kernel, whose diagonal is 1: two that are alike would make it singular.
_JITTER = 1e-4
_ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class LandmarkMap:
    """Turns rows into coordinates in which a Gaussian kernel is the inner product.

    Parameters
    ----------
    landmarks
        (landmarks, numbers) rows that were seen in training.
    sharpness
        The kernel of two rows is exp(-sharpness times their squared distance).
    basis
        (landmarks, coordinates).
    """

    landmarks: Floats
    sharpness: float
    basis: Floats

    @classmethod
    def fit(cls, landmarks: Floats, *, sharpness: float) -> "LandmarkMap":
        """Make the map of landmarks.

        Parameters
        ----------
        landmarks
            Rows that stand for all others.
        sharpness
            Relative to one over the landmarks' median squared distance.
        """
        some = landmarks[:: max(1, len(landmarks) // _ROWS_FOR_WIDTH)]
        distances = _squared_distances(some, some)
        apart = distances[~np.eye(len(some), dtype=bool)]
        typical = float(np.median(apart)) if len(apart) else 1.0
        absolute = sharpness / max(typical, 1e-9)
        kernel = np.exp(-absolute * _squared_distances(landmarks, landmarks)).astype(np.float64)
        kernel[np.diag_indices_from(kernel)] += _JITTER
        basis = np.linalg.inv(np.linalg.cholesky(kernel)).T
        return cls(landmarks, absolute, basis.astype(np.float32))

    def __call__(self, rows: Floats) -> Floats:
        """Return the coordinates of rows: (rows, coordinates)."""

        def coordinates(first: int) -> Floats:
            some = rows[first : first + _ROWS_AT_ONCE]
            kernel = np.exp(-self.sharpness * _squared_distances(some, self.landmarks))
            mapped: Floats = kernel @ self.basis
            return mapped

        parts = side_by_side(coordinates, range(0, len(rows), _ROWS_AT_ONCE))
        return np.concatenate(parts) if parts else np.zeros((0, self.basis.shape[1]), np.float32)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the map as named arrays."""
        return {
            "landmarks": self.landmarks,
            "sharpness": np.array(self.sharpness),
            "basis": self.basis,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "LandmarkMap":
        """Return the map that ``arrays`` was made of."""
        return cls(arrays["landmarks"], float(arrays["sharpness"]), arrays["basis"])


class Ridge:
    """A linear fit with a penalty, around the targets' mean.

    Parameters
    ----------
    rows, targets
        (rows, coordinates) and (rows, outputs).
    penalty
        Added to the diagonal of the Gram matrix.
    """

    def __init__(self, rows: Floats, targets: Floats, penalty: float) -> None:
        self._rows = rows
        self._targets = targets
        self.mean: Floats = targets.mean(axis=0)
        gram = rows.T @ rows
        gram[np.diag_indices_from(gram)] += penalty
        # In double precision: single loses what the smallest directions carry.
        self._inverse = np.linalg.inv(gram.astype(np.float64)).astype(np.float32)
        self.weights: Floats = self._inverse @ (rows.T @ (targets - self.mean))

    def predict(self, rows: Floats) -> Floats:
        """Return the fit's outputs for rows."""
        fitted: Floats = rows @ self.weights + self.mean
        return fitted

    def without_own_group(self, groups: Integers) -> Floats:
        """Return for every row what a fit without the rows of its group says.

        Parameters
        ----------
        groups
            (rows,) which group each row belongs to.
        """
        off = self._targets - self.predict(self._rows)
        weighted = self._rows @ self._inverse
        answers = np.empty_like(self._targets)
        order = np.argsort(groups, kind="stable")
        borders = np.flatnonzero(np.diff(groups[order])) + 1
        for members in np.split(order, borders):
            rows = self._rows[members]
            own = weighted[members] @ rows.T
            gap = np.eye(len(members), dtype=np.float32) - own
            answers[members] = self._targets[members] - np.linalg.solve(gap, off[members])
        return answers


def _squared_distances(one: Floats, other: Floats) -> Floats:
    lengths = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None]
    distances: Floats = np.maximum(lengths - 2 * one @ other.T, 0)
    return distances
