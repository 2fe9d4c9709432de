"""What the model said of objects before people labeled them, as the open engine keeps it.

After each training the model labels everything that is left: ``inference/<iteration>/<shard>``. So
for an object that people labeled in an iteration there is the label of a model that had not learned
from it, with the quality that was expected of it.
"""

import io
from dataclasses import dataclass

import msgspec
import numpy as np

from groundwork.manifest import METADATA_SUFFIX
from groundwork.results.agreement import likeness
from groundwork.results.labels import Label, read_label
from groundwork.results.output_tree import JobOutput
from groundwork.s3_client import S3Error

_SHARDS = "inference/shards.json"


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
    """

    def __init__(self, output: JobOutput, label_attribute: str) -> None:
        self._files = output.files
        self._attribute = label_attribute
        self._per_shard = 0
        if output.is_tree and output.files.exists(_SHARDS):
            data = b"".join(output.files.stream(_SHARDS))
            self._per_shard = msgspec.json.decode(data, type=_Shards).objects_per_shard
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

    def _read(self, iteration: int, shard: int) -> dict[int, _Opinion]:
        place = f"inference/{iteration}/{shard}"
        if not self._files.exists(f"{place}.npz"):
            return {}
        try:
            data = b"".join(self._files.stream(f"{place}.npz"))
            with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
                forecasts = dict(
                    zip(arrays["objects"].tolist(), arrays["forecasts"].tolist(), strict=True)
                )
            return self._labels(f"{place}.jsonl", forecasts)
        except (OSError, ValueError, KeyError, S3Error):
            # They help to put labels in order, and nothing else depends on them.
            return {}

    def _labels(self, path: str, forecasts: dict[int, float]) -> dict[int, _Opinion]:
        found = {}
        for line in b"".join(self._files.stream(path)).splitlines():
            object_id, _, body = line.partition(b" ")
            entry = msgspec.json.decode(body)
            label = read_label(
                entry.get(self._attribute), entry.get(self._attribute + METADATA_SUFFIX) or {}
            )
            number = int(object_id)
            if number in forecasts:
                found[number] = _Opinion(label, min(1.0, max(0.0, forecasts[number])))
        return found
