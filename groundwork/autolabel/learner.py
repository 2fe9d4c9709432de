"""What the loop asks of a task type: features, training, labels with a forecast of their quality.

A new task type is one more class of this form, and an entry in ``groundwork.autolabel.learners``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.arrays import Arrays
from groundwork.autolabel.pictures import Picture


@dataclass(frozen=True)
class KnownObject:
    """An object as a model sees it.

    Parameters
    ----------
    record
        The features that ``Learner.features`` gave for it.
    open_picture
        Decodes the picture again, for who wants to look closer.
    """

    object_id: int
    record: bytes
    open_picture: Callable[[], Picture]


@dataclass(frozen=True)
class Example:
    """An object and its label.

    Parameters
    ----------
    representative
        Whether it stands for others with the same forecast. One that people got because the model
        was worst at it does not: it teaches, but how well it turns out says nothing of the rest.
    """

    known: KnownObject
    label: Any
    representative: bool = True


@dataclass(frozen=True)
class Prediction:
    """A model's label for an object.

    Parameters
    ----------
    label
        In the learner's own form.
    confidences
        How sure the model is of each part of the label, from 0 to 1.
    forecast
        The quality to be expected against people's label, from 0 to 1: what objects are ranked by.
    """

    object_id: int
    label: Any
    confidences: tuple[float, ...]
    forecast: float


@dataclass(frozen=True)
class Evidence:
    """How well labels turn out that the model gives objects which it has not learned from.

    Parameters
    ----------
    forecasts, scores
        (objects,) each: the quality that was expected, and the quality against people's labels, of
        the representative examples.
    """

    forecasts: NDArray[np.float64]
    scores: NDArray[np.float64]


@dataclass(frozen=True)
class Trained:
    """A model as named arrays, how well it does, and what saves the next training work."""

    model: Arrays
    evidence: Evidence
    kept: Arrays


class Learner(Protocol):
    """One task type's way from pictures to labels.

    Everything is a pure function of its arguments, so that a step that runs again comes to the same
    result.
    """

    record_bytes: int
    # Whether a label's quality may lie between 0 and 1.
    graded: bool

    def features(self, pictures: Sequence[Picture]) -> list[bytes]:
        """Return each picture's features, ``record_bytes`` long."""

    def train(
        self,
        examples: Sequence[Example],
        classes: int,
        kept: Arrays,
        seed: int,
    ) -> Trained:
        """Learn from labeled objects.

        Parameters
        ----------
        examples
            Objects that people labeled; at least two.
        kept
            ``Trained.kept`` of the training before, or nothing: saves work, changes no result.
        """

    def predict(
        self, model: Arrays, objects: Sequence[KnownObject], classes: int
    ) -> list[Prediction]:
        """Return a label for every object, in order."""

    def score(self, label: Any, wanted: Any) -> float:
        """Return how good a label is against another, from 0 to 1."""


def representative(examples: Sequence[Example]) -> NDArray[np.intp]:
    """Return the places of the examples that stand for others; of all, if none does."""
    typical = np.flatnonzero([example.representative for example in examples])
    return typical if len(typical) else np.arange(len(examples))
