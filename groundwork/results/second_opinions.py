"""What the model said of objects before people labeled them, as the open engine keeps it.

After each training the model labels everything that is left: ``inference/<iteration>/<shard>``. So
for an object that people labeled in an iteration there is the label of a model that had not learned
from it, with the quality that was expected of it.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from groundwork.manifest import METADATA_SUFFIX
from groundwork.results.agreement import likeness
from groundwork.results.labels import Label, read_label
from groundwork.results.output_tree import JobOutput
from groundwork.s3_client import S3Error

_SHARDS = "inference/shards.json"
_LINE = msgspec.json.Decoder(dict[str, Any])
# What reading files raises that are cut off, or of another form than ours.
_UNREADABLE = (
    EOFError,
    KeyError,
    OSError,
    S3Error,
    TypeError,
    ValueError,
    msgspec.DecodeError,
    RecursionError,
    zipfile.BadZipFile,
    zlib.error,
)


class _Shards(msgspec.Struct):
    objects_per_shard: int


@dataclass(frozen=True)
class _Opinion:
    label: Label
    forecast: float


class SecondOpinions:
    """Compares people's labels with the model's; objects come in the manifest's order.

    Parameters
    ----------
    label_attribute
        Under which the labels are.
    problems
        Collects a sentence for each file that cannot be understood: without it labels are put in
        order by their other doubts.
    """

    def __init__(
        self, output: JobOutput, label_attribute: str, problems: list[str] | None = None
    ) -> None:
        self._files = output.files
        self._attribute = label_attribute
        self._problems = [] if problems is None else problems
        self._per_shard = self._objects_per_shard() if output.is_tree else 0
        self._shard = -1
        # Of the shard at hand, by iteration.
        self._opinions: dict[int, dict[int, _Opinion]] = {}

    def surprise(self, object_id: int, iteration: int, label: Label) -> float | None:
        """Return how far people's label is from the model's, times what was expected of that.

        Parameters
        ----------
        iteration
            In which people labeled the object; 0 where it is unknown.

        Returns
        -------
        float or None
            From 0 to 1; None where no model had labeled the object before.
        """
        if not self._per_shard or iteration < 1:
            return None
        shard = object_id // self._per_shard
        if shard != self._shard:
            self._shard, self._opinions = shard, {}
        if iteration not in self._opinions:
            self._opinions[iteration] = self._read(iteration - 1, shard)
        opinion = self._opinions[iteration].get(object_id)
        alike = None if opinion is None else likeness(opinion.label, label)
        if opinion is None or alike is None:
            return None
        return opinion.forecast * (1 - alike)

    def _objects_per_shard(self) -> int:
        if not self._files.exists(_SHARDS):
            return 0
        try:
            data = b"".join(self._files.stream(_SHARDS))
            return msgspec.json.decode(data, type=_Shards).objects_per_shard
        except _UNREADABLE as error:
            self._note(_SHARDS, error)
            return 0

    def _read(self, iteration: int, shard: int) -> dict[int, _Opinion]:
        place = f"inference/{iteration}/{shard}"
        if not self._files.exists(f"{place}.npz"):
            return {}
        path = f"{place}.npz"
        try:
            data = b"".join(self._files.stream(path))
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                forecasts = dict(
                    zip(arrays["objects"].tolist(), arrays["forecasts"].tolist(), strict=True)
                )
            path = f"{place}.jsonl"
            return self._labels(path, forecasts)
        except _UNREADABLE as error:
            self._note(path, error)
            return {}

    def _labels(self, path: str, forecasts: dict[int, float]) -> dict[int, _Opinion]:
        found = {}
        for line in b"".join(self._files.stream(path)).splitlines():
            object_id, _, body = line.partition(b" ")
            entry = _LINE.decode(body)
            metadata = entry.get(self._attribute + METADATA_SUFFIX)
            label = read_label(
                entry.get(self._attribute), metadata if isinstance(metadata, Mapping) else {}
            )
            number = int(object_id)
            if number in forecasts:
                found[number] = _Opinion(label, min(1.0, max(0.0, forecasts[number])))
        return found

    def _note(self, path: str, error: Exception) -> None:
        self._problems.append(
            f"{self._files.address(path)} cannot be read, so that the model's opinions in it are "
            f"left out: {error!r}"
        )
