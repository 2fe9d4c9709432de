"""A job's objects as arrays: which group each belongs to, and whether it has a label."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundwork.manifest import LabelState

States = NDArray[np.uint8]
Integers = NDArray[np.int64]


class ObjectState(IntEnum):
    """What an object's label is, for the rounds; as bytes in ``objects.npy``."""

    # Without a label: what is left to people and machine.
    POOL = 0
    HUMAN = 1
    MACHINE = 2
    FAILED = 3
    # Labeled before the job began: people's labels teach, the machine's are left alone.
    HUMAN_BEFORE = 4
    MACHINE_BEFORE = 5


BEFORE = (ObjectState.HUMAN_BEFORE, ObjectState.MACHINE_BEFORE)
BY_PEOPLE = (ObjectState.HUMAN, ObjectState.HUMAN_BEFORE)

_AT_FIRST = {
    LabelState.UNLABELED: ObjectState.POOL,
    # What failed in an earlier job is tried again.
    LabelState.FAILED: ObjectState.POOL,
    LabelState.HUMAN: ObjectState.HUMAN_BEFORE,
    LabelState.MACHINE: ObjectState.MACHINE_BEFORE,
}


def first_state(label: LabelState) -> ObjectState:
    """Return an object's state before the job's first batch."""
    return _AT_FIRST[label]


def objects_in(states: States, *wanted: ObjectState) -> Integers:
    """Return the ids of the objects that are in one of some states, ascending."""
    return np.flatnonzero(np.isin(states, wanted)).astype(np.int64)


def pack_states(states: States) -> bytes:
    """Return states as the bytes of an ``.npy`` file."""
    file = io.BytesIO()
    np.save(file, states, allow_pickle=False)
    return file.getvalue()


def unpack_states(data: bytes) -> States:
    """Return the states of an ``.npy`` file."""
    states: States = np.load(io.BytesIO(data), allow_pickle=False)
    return states


@dataclass(frozen=True)
class Shards:
    """A job's objects in groups of consecutive ones, each small enough for one function.

    Parameters
    ----------
    objects
        How many objects there are in all.
    size
        How many a group has; the last may have fewer.
    """

    objects: int
    size: int

    @property
    def count(self) -> int:
        """How many groups there are."""
        return -(-self.objects // self.size)

    def of(self, object_id: int) -> int:
        """Return an object's group."""
        return object_id // self.size

    def members(self, shard: int) -> range:
        """Return a group's objects."""
        return range(shard * self.size, min((shard + 1) * self.size, self.objects))

    def with_any(self, objects: Integers) -> tuple[int, ...]:
        """Return the groups to which some objects belong, ascending."""
        return tuple(np.unique(objects // self.size).tolist())

    def grouped(self, objects: Iterable[int]) -> dict[int, list[int]]:
        """Return some objects by their groups, both ascending."""
        groups: dict[int, list[int]] = {}
        for object_id in sorted(objects):
            groups.setdefault(self.of(object_id), []).append(object_id)
        return groups

    def to_json(self) -> dict[str, Any]:
        """Return what ``shards.json`` says."""
        return {"objects": self.objects, "objects_per_shard": self.size}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Shards":
        """Read ``shards.json``."""
        return cls(document["objects"], document["objects_per_shard"])
