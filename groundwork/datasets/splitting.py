"""A random split into training and validation images that keeps each class's share."""

import random
from collections import Counter
from collections.abc import Mapping

from groundwork.datasets.model import TRAIN, VALIDATION

Classes = frozenset[str]


class Splitter:
    """Says of each image, one after the other, which split it belongs to.

    Images are stratified by their rarest class, images without any apart. Of each stratum exactly
    its share is drawn, every choice as probable as any other: Knuth's algorithm S (The Art of
    Computer Programming, volume 2, section 3.4.2), which needs no list of images.

    Parameters
    ----------
    images
        How many images there will be with the same set of classes.
    train_share
        Which share is for training, from 0 to 1.
    seed
        The same seed gives the same split of the same images.
    """

    def __init__(self, images: Mapping[Classes, int], train_share: float, seed: int) -> None:
        self._with_class: Counter[str] = Counter()
        for classes, count in images.items():
            for name in classes:
                self._with_class[name] += count
        strata: Counter[str] = Counter()
        for classes, count in images.items():
            strata[self._stratum(classes)] += count
        self._left = dict(strata)
        self._train_left: dict[str, int] = {}
        total = given = 0
        # Rounded at running totals, so that many small strata do not add up to another share.
        for name in sorted(strata):
            total += strata[name]
            self._train_left[name] = round(total * train_share) - given
            given += self._train_left[name]
        self._random = random.Random(seed)  # noqa: S311 - a draw, no secret

    def split_of(self, classes: Classes) -> str:
        """Return the split of the next image, which has these classes."""
        stratum = self._stratum(classes)
        chosen = self._random.random() * self._left[stratum] < self._train_left[stratum]
        self._left[stratum] -= 1
        self._train_left[stratum] -= chosen
        return TRAIN if chosen else VALIDATION

    def _stratum(self, classes: Classes) -> str:
        return min(classes, key=lambda name: (self._with_class[name], name), default="")
