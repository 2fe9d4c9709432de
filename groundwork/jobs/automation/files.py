"""What automated labeling keeps in the job's folder, written once and then only read."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundwork.autolabel.arrays import Arrays, pack, unpack
from groundwork.autolabel.learner import Evidence
from groundwork.autolabel.rounds import Proposal
from groundwork.images import ImageFacts
from groundwork.jobs import layout
from groundwork.jobs.automation.models import RECORD_NAME, ModelRecord
from groundwork.jobs.automation.objects import (
    Integers,
    Shards,
    States,
    pack_states,
    unpack_states,
)
from groundwork.jobs.automation.pictures import ShardPictures
from groundwork.jobs.automation.records import PlanRecord, VerdictRecord
from groundwork.jobs.errors import JobFailedError
from groundwork.jobs.layout import Output
from groundwork.manifest import ManifestLine, read_lines
from groundwork.s3_client import S3Client, S3ExistsError, S3NotFoundError
from groundwork.s3_uri import S3Uri
from groundwork.side_by_side import in_order

Floats = NDArray[np.float64]
Found = TypeVar("Found")

_LINE_START = np.dtype("<i8")
_THREADS = 16
_AHEAD = 64
# A shard's lines are held together.
_SHARDS_AHEAD = 4
_JSON = "application/json"
_MODEL, _EVIDENCE, _KEPT = "model.npz", "evidence.npz", "kept.npz"


@dataclass(frozen=True)
class Forecasts:
    """The objects of a shard that a model labeled, and what is expected of each label."""

    objects: Integers
    forecasts: Floats
    seconds: float


class AutomationFiles:
    """The files of one job's automated labeling.

    A file that is there is never replaced: a step that runs again, even beside a late first run,
    keeps what others may have gone on from.

    Parameters
    ----------
    files
        S3 with the job's own role.
    """

    def __init__(self, files: S3Client, job: Output) -> None:
        self.s3 = files
        self._job = job

    def keep(self, uri: S3Uri, data: bytes, content_type: str = "application/octet-stream") -> None:
        """Write a file with the customer's key, unless it is there."""
        try:
            self.s3.put(
                uri, data, content_type=content_type, kms_key_id=self._job.kms_key_id, only_new=True
            )
        except S3ExistsError:
            return

    def keep_stream(self, uri: S3Uri, chunks: Iterable[bytes]) -> None:
        """Write a file of any size with the customer's key, unless it is there."""
        try:
            self.s3.put_stream(uri, chunks, kms_key_id=self._job.kms_key_id, only_new=True)
        except S3ExistsError:
            return

    def keep_json(self, uri: S3Uri, document: Mapping[str, Any]) -> None:
        """Write a document unless it is there."""
        self.keep(uri, json.dumps(document).encode(), _JSON)

    def replace_json(self, uri: S3Uri, document: Mapping[str, Any]) -> None:
        """Write a document for people, which tells how things stand now."""
        data = json.dumps(document, indent=2).encode()
        self.s3.put(uri, data, content_type=_JSON, kms_key_id=self._job.kms_key_id)

    def find_json(self, uri: S3Uri) -> Any:
        """Return a document, or None."""
        data = self._find(uri)
        return None if data is None else json.loads(data)

    # Objects

    def keep_index(self, starts: bytes, states: States, shards: Shards) -> None:
        """Write where every line is, the objects' first states, and how they are grouped.

        Parameters
        ----------
        starts
            What ``layout.line_starts_uri`` is to hold.
        """
        self.keep(layout.line_starts_uri(self._job), starts)
        self.keep_states(0, states)
        self.keep_json(layout.shards_uri(self._job), shards.to_json())

    def find_shards(self) -> Shards | None:
        """Return how the objects are grouped; None before the input was looked at."""
        document = self.find_json(layout.shards_uri(self._job))
        return None if document is None else Shards.from_json(document)

    def shards(self) -> Shards:
        """Return how the objects are grouped."""
        return self._there(self.find_shards(), "its groups of objects")

    def keep_states(self, iteration: int, states: States) -> None:
        """Write which objects have a label after an iteration."""
        self.keep(layout.object_states_uri(self._job, iteration), pack_states(states))

    def find_states(self, iteration: int) -> States | None:
        """Return which objects have a label after an iteration; None if that is not yet known."""
        data = self._find(layout.object_states_uri(self._job, iteration))
        return None if data is None else unpack_states(data)

    def states(self, iteration: int) -> States:
        """Return which objects have a label after an iteration."""
        found = self.find_states(iteration)
        return self._there(found, f"the objects' states after iteration {iteration}")

    def lines(self, objects: range) -> list[ManifestLine]:
        """Return the input manifest's lines of consecutive objects."""
        width = _LINE_START.itemsize
        found = self.s3.get_range(
            layout.line_starts_uri(self._job), objects.start * width, (len(objects) + 1) * width
        )
        starts = np.frombuffer(found.data, _LINE_START)
        first, end = int(starts[0]), int(starts[-1])
        manifest = layout.snapshot_uri(self._job, 0)
        data = self.s3.get_range(manifest, first, end - first).data
        return list(read_lines([data], start=first, first_number=objects.start + 1))

    def lines_among(self, objects: Sequence[int]) -> list[ManifestLine]:
        """Return the input manifest's lines of a shard's objects, ascending, read all at once."""
        wanted = set(objects)
        lines = self.lines(range(objects[0], objects[-1] + 1))
        return [line for line in lines if line.object_id in wanted]

    def lines_of(self, objects: Iterable[int]) -> Iterator[ManifestLine]:
        """Yield the input manifest's lines of some objects, ascending, read a shard at a time."""
        groups = self.shards().grouped(objects).values()
        for lines in in_order(self.lines_among, groups, threads=_THREADS, ahead=_SHARDS_AHEAD):
            yield from lines

    # Features

    def keep_pictures(self, shard: int, pictures: ShardPictures) -> None:
        """Write what was found out about a shard's images: its features are there."""
        self.keep_json(layout.pictures_uri(self._job, shard), pictures.to_json())

    def find_pictures(self, shard: int) -> ShardPictures | None:
        """Return what was found out about a shard's images; None before anybody looked."""
        document = self.find_json(layout.pictures_uri(self._job, shard))
        return None if document is None else ShardPictures.from_json(document)

    def pictures(self, shard: int) -> ShardPictures:
        """Return what was found out about a shard's images."""
        return self._there(self.find_pictures(shard), f"the features of shard {shard}")

    def facts_of(self, objects: Iterable[int]) -> dict[int, ImageFacts]:
        """Return format and size of the images of those objects that have features."""
        groups = self.shards().grouped(objects).items()

        def facts_in(group: tuple[int, list[int]]) -> dict[int, ImageFacts]:
            shard, members = group
            images = self.pictures(shard).images
            return {each: images[each] for each in members if each in images}

        facts: dict[int, ImageFacts] = {}
        for found in in_order(facts_in, groups, threads=_THREADS, ahead=_AHEAD):
            facts |= found
        return facts

    def features(self, shard: int, record_bytes: int) -> list[bytes]:
        """Return the features of all of a shard's objects, in their order."""
        data = self.s3.get(layout.features_uri(self._job, shard))
        return [data[at : at + record_bytes] for at in range(0, len(data), record_bytes)]

    def records_of(
        self, objects: Sequence[int], shards: Shards, record_bytes: int
    ) -> Iterator[bytes]:
        """Yield the features of some objects, in their order."""

        def record(object_id: int) -> bytes:
            shard = shards.of(object_id)
            place = object_id - shards.members(shard).start
            uri = layout.features_uri(self._job, shard)
            return self.s3.get_range(uri, place * record_bytes, record_bytes).data

        yield from in_order(record, objects, threads=_THREADS, ahead=_AHEAD)

    # Models

    def keep_model(
        self, record: ModelRecord, model: Arrays, evidence: Evidence, kept: Arrays
    ) -> None:
        """Write a model and what belongs to it; its record last, which says that all is there."""
        folder = layout.training_uri(self._job, record.iteration)
        if kept:
            self.keep(folder.child(_KEPT), pack(kept))
        arrays = {"forecasts": evidence.forecasts, "scores": evidence.scores}
        self.keep(folder.child(_EVIDENCE), pack(arrays))
        self.keep(folder.child(_MODEL), pack(model))
        self.keep_model_record(record)

    def keep_model_record(self, record: ModelRecord) -> None:
        """Write what became of an iteration's training."""
        folder = layout.training_uri(self._job, record.iteration)
        self.keep_json(folder.child(RECORD_NAME), record.to_json())

    def find_model_record(self, iteration: int) -> ModelRecord | None:
        """Return what became of an iteration's training; None if there was none."""
        return self.model_record_in(layout.training_uri(self._job, iteration))

    def last_model(self, iteration: int) -> int | None:
        """Return the last iteration up to this one that has a model; None if none has."""
        records = in_order(
            self.find_model_record, range(iteration, -1, -1), threads=_THREADS, ahead=_THREADS
        )
        for record in records:
            if record is not None and record.origin is not None:
                return record.iteration
        return None

    def model_record_in(self, folder: S3Uri) -> ModelRecord | None:
        """Return the record of a model in a folder, also one of another job."""
        document = self.find_json(folder.child(RECORD_NAME))
        return None if document is None else ModelRecord.from_json(document)

    def model_in(self, folder: S3Uri) -> Arrays:
        """Return the model in a folder."""
        return unpack(self.s3.get(folder.child(_MODEL)))

    def evidence_in(self, folder: S3Uri) -> Evidence:
        """Return how well the model in a folder does."""
        arrays = unpack(self.s3.get(folder.child(_EVIDENCE)))
        return Evidence(arrays["forecasts"], arrays["scores"])

    def kept_before(self, iteration: int) -> Arrays:
        """Return what earlier trainings kept, each of which wrote only what was new."""
        folders = (layout.training_uri(self._job, past) for past in range(iteration))
        found = in_order(
            lambda folder: self._find(folder.child(_KEPT)),
            folders,
            threads=_THREADS,
            ahead=_THREADS,
        )
        kept: dict[str, NDArray[Any]] = {}
        for data in found:
            kept |= {} if data is None else unpack(data)
        return kept

    # Forecasts

    def keep_forecasts(
        self, iteration: int, shard: int, labels: Sequence[tuple[int, Any]], found: Forecasts
    ) -> None:
        """Write a shard's labels, and then the forecasts, which say that the labels are there."""
        lines = [f"{object_id} {json.dumps(label)}\n" for object_id, label in labels]
        labels_uri = layout.machine_labels_uri(self._job, iteration, shard)
        self.keep(labels_uri, "".join(lines).encode())
        arrays = {
            "objects": found.objects,
            "forecasts": found.forecasts,
            "seconds": np.array(found.seconds),
        }
        self.keep(layout.forecasts_uri(self._job, iteration, shard), pack(arrays))

    def find_forecasts(self, iteration: int, shard: int) -> Forecasts | None:
        """Return a shard's forecasts, or None."""
        data = self._find(layout.forecasts_uri(self._job, iteration, shard))
        if data is None:
            return None
        arrays = unpack(data)
        return Forecasts(arrays["objects"], arrays["forecasts"], float(arrays["seconds"]))

    def forecasts_of(self, iteration: int, shards: Iterable[int]) -> Iterator[Forecasts]:
        """Yield the forecasts of some shards, in order."""
        for found in in_order(
            lambda shard: self.find_forecasts(iteration, shard),
            shards,
            threads=_THREADS,
            ahead=_AHEAD,
        ):
            yield self._there(found, f"forecasts of iteration {iteration}")

    def machine_labels(self, iteration: int, shard: int) -> dict[int, dict[str, Any]]:
        """Return a shard's labels as the output manifest has them, without what all have."""
        data = self.s3.get(layout.machine_labels_uri(self._job, iteration, shard))
        return {
            object_id: json.loads(label) for object_id, label in read_numbered_lines(iter((data,)))
        }

    # Rounds

    def keep_plan(self, record: PlanRecord, proposal: Proposal | None) -> None:
        """Write a decision; its record last, which says that the proposal is there."""
        if proposal is not None:
            arrays = {
                "objects": proposal.objects,
                "forecasts": proposal.forecasts,
                "cuts": np.array(proposal.cuts, np.int64),
                "sample": proposal.sample,
                "spread": np.array(proposal.spread),
                "seen": proposal.seen,
            }
            self.keep(layout.proposal_uri(self._job, record.iteration), pack(arrays))
        self.keep_json(layout.plan_uri(self._job, record.iteration), record.to_json())

    def find_plan(self, iteration: int) -> PlanRecord | None:
        """Return what was decided after an iteration, or None."""
        document = self.find_json(layout.plan_uri(self._job, iteration))
        return None if document is None else PlanRecord.from_json(document)

    def plan(self, iteration: int) -> PlanRecord:
        """Return what was decided after an iteration."""
        return self._there(self.find_plan(iteration), f"the plan of iteration {iteration}")

    def plans(self, iterations: Iterable[int]) -> Iterator[PlanRecord]:
        """Yield what was decided after some iterations, in their order, without what is missing."""
        for plan in in_order(self.find_plan, iterations, threads=_THREADS, ahead=_THREADS):
            if plan is not None:
                yield plan

    def find_proposal(self, iteration: int) -> Proposal | None:
        """Return what was proposed after an iteration, or None."""
        data = self._find(layout.proposal_uri(self._job, iteration))
        if data is None:
            return None
        arrays = unpack(data)
        return Proposal(
            objects=arrays["objects"],
            forecasts=arrays["forecasts"],
            cuts=tuple(int(cut) for cut in arrays["cuts"]),
            sample=arrays["sample"],
            spread=float(arrays["spread"]),
            seen=arrays["seen"],
        )

    def labels_proposed_in(self, iteration: int) -> int:
        """Return the iteration whose model made the labels that were proposed after this one."""
        while True:
            proposal = self._there(
                self.find_proposal(iteration), f"the proposal of iteration {iteration}"
            )
            if not len(proposal.seen):
                return iteration
            iteration -= 1

    def keep_verdict(self, iteration: int, record: VerdictRecord) -> None:
        """Write what became of a proposal."""
        self.keep_json(layout.verdict_uri(self._job, iteration), record.to_json())

    def find_verdict(self, iteration: int) -> VerdictRecord | None:
        """Return what became of the proposal that was judged in an iteration, or None."""
        document = self.find_json(layout.verdict_uri(self._job, iteration))
        return None if document is None else VerdictRecord.from_json(document)

    def accepted_lines(self, iteration: int) -> Iterator[tuple[int, bytes]]:
        """Yield the output lines of the labels, one at least, that an iteration accepted."""
        yield from read_numbered_lines(
            self.s3.stream(layout.accepted_labels_uri(self._job, iteration))
        )

    def _find(self, uri: S3Uri) -> bytes | None:
        try:
            return self.s3.get(uri)
        except S3NotFoundError:
            return None

    def _there(self, found: Found | None, what: str) -> Found:
        if found is None:
            raise JobFailedError(
                f"{what} cannot be found below {self._job.output_prefix}: files of the job were "
                "removed while it ran"
            )
        return found


def read_numbered_lines(chunks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield what ``<object id> <text>`` lines say."""
    for line in read_lines(chunks):
        number, _, text = line.body.partition(b" ")
        yield int(number), text
