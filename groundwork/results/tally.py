"""An augmented manifest in counts, taken a block of lines at a time.

Counts of blocks can be merged, so that several processes can share a manifest. Nearly all lines
have the form that labeling services write; these are read by a typed decoder, which makes nothing
of what is not counted. A line of any other form is read the long way, by ``labels``, with the same
result.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from groundwork.json_text import JsonTextError, read_json
from groundwork.manifest import (
    MAXIMUM_PROBLEMS,
    METADATA_SUFFIX,
    RESERVED_KEY_PREFIX,
    SOURCE_REFERENCE,
    LabelState,
    LineError,
)
from groundwork.results.kinds import LabelKind
from groundwork.results.labels import (
    LARGEST_INDEX,
    LabeledObject,
    LineProblems,
    class_index,
    class_names_of,
    is_label_metadata,
    job_name,
    object_of,
    parse_line,
    read_label,
    unnamed_class,
)
from groundwork.results.numbers import LARGEST
from groundwork.results.quality import Box, RunningMean, Scores
from groundwork.results.truth import Truth

CONFIDENCE_BINS = 20
_METADATA_END = f'{METADATA_SUFFIX}"'.encode()
_LABELED = (LabelState.HUMAN, LabelState.MACHINE)
_CLASS_ID, _CONFIDENCE = attrgetter("class_id"), attrgetter("confidence")
_CLASS_MAP = msgspec.json.Decoder(dict[int, str])
# What is made of so much stays in a processor's cache while it is counted.
_PIECE_BYTES = 128 * 1024
_LINE_FEED, _CARRIAGE_RETURN, _BRACE, _CLOSING_BRACE = b"\n\r{}"
_COLUMNS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STATES = {"yes": LabelState.HUMAN, "no": LabelState.MACHINE}
# Reasons may name files, so that there may be as many as objects.
_MAXIMUM_REASONS = 50
OTHER_REASONS = "other reasons"

_Decoder = msgspec.json.Decoder[Any]
# What the decoders raise for any bytes at all.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


@dataclass
class LabelTally:
    """Counts of one label attribute.

    Parameters
    ----------
    states
        Objects by who labeled them; the unlabeled are those of the manifest that are in no state.
    kinds
        Labeled objects by the form of their label.
    classes
        Labels (a box, a class of an object) by who made them and the class's name.
    iterations
        Objects by the iteration that they were worked on in, where it is known, and their state.
    confidences
        The machine's labels by twentieths of the confidence: bin 19 is 0.95 to 1.
    confidence
        The mean of these confidences.
    quality
        By state: the scores of objects whose truth is known and whose label lacks nothing, of
        ``image_mean_iou`` for boxes and ``class_score`` for classes.
    jobs
        Labeled and failed objects by the job that says it did them.
    reasons
        Failed objects by reason.
    problems
        Lines whose label lacks something.
    named
        All pairs of a class index and a name that the lines have.
    """

    states: Counter[LabelState] = field(default_factory=Counter)
    kinds: Counter[LabelKind] = field(default_factory=Counter)
    classes: Counter[tuple[LabelState, str]] = field(default_factory=Counter)
    iterations: Counter[tuple[int, LabelState]] = field(default_factory=Counter)
    confidences: Counter[int] = field(default_factory=Counter)
    confidence: RunningMean = field(default_factory=RunningMean)
    quality: dict[LabelState, Scores] = field(
        default_factory=lambda: {state: Scores() for state in _LABELED}
    )
    jobs: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    problems: LineProblems = field(default_factory=LineProblems)
    named: set[tuple[int, str]] = field(default_factory=set)

    @property
    def class_names(self) -> dict[int, str]:
        """The names of class indexes that all lines agree on."""
        count = Counter(index for index, _ in self.named)
        return {index: name for index, name in sorted(self.named) if count[index] == 1}

    def merge(self, other: LabelTally) -> None:
        """Add the counts of another part of the manifest."""
        self.states += other.states
        self.kinds += other.kinds
        self.classes += other.classes
        self.iterations += other.iterations
        self.confidences += other.confidences
        self.confidence.merge(other.confidence)
        for state, scores in other.quality.items():
            self.quality[state].merge(scores)
        self.jobs += other.jobs
        for reason, count in other.reasons.items():
            self._add_reason(reason, count)
        self.problems.merge(other.problems)
        self.named |= other.named

    def named_classes(self) -> Counter[tuple[LabelState, str]]:
        """Return ``classes`` with names from other lines for classes that a line did not name."""
        known = {unnamed_class(index): name for index, name in self.class_names.items()}
        found: Counter[tuple[LabelState, str]] = Counter()
        for (state, name), count in self.classes.items():
            found[state, known.get(name, name)] += count
        return found

    def add(
        self, found: LabeledObject, truth: Truth | None = None, iteration: int | None = None
    ) -> None:
        """Count an object, read the long way."""
        if found.state is LabelState.UNLABELED:
            return
        self.states[found.state] += 1
        if iteration:
            self.iterations[iteration, found.state] += 1
        self.jobs[job_name(found.metadata)] += 1
        if found.state is LabelState.FAILED:
            self._add_reason(found.failure_reason or "", 1)
            return
        self.named |= class_names_of(found.metadata).items()
        label = read_label(found.label, found.metadata)
        if label.problems:
            self.problems.add(found.object_id, "; ".join(label.problems[:MAXIMUM_PROBLEMS]))
        self.kinds[label.kind] += 1
        index = class_index(found.label)
        if label.kind is LabelKind.CLASS and index is not None and not label.problems:
            self.named.add((index, label.classes[0]))
        self.classes.update((found.state, name) for name in label.classes)
        if found.state is LabelState.MACHINE:
            known = [each for each in label.confidences if each is not None]
            if known:
                self.add_confidences(known)
        if truth is not None and not label.problems:
            self.add_quality(
                found.state, found.source, label.kind, label.boxes, label.classes, truth
            )

    def add_confidences(self, confidences: Sequence[float]) -> None:
        """Count the confidences of machine labels, each from 0 to 1."""
        bins = (np.array(confidences) * CONFIDENCE_BINS).astype(np.int64)
        counts = np.bincount(np.minimum(bins, CONFIDENCE_BINS - 1)).tolist()
        self.confidences.update({number: count for number, count in enumerate(counts) if count})
        self.confidence.merge(RunningMean(sum(confidences), len(confidences)))

    def add_quality(
        self,
        state: LabelState,
        source: str,
        kind: LabelKind,
        boxes: Sequence[Box],
        classes: Sequence[str],
        truth: Truth,
    ) -> None:
        """Compare an object's label with the truth, if that is known."""
        score = truth.score(source, kind, boxes, classes)
        if score is not None:
            self.quality[state].add(score)

    def _add_reason(self, reason: str, count: int) -> None:
        full = reason not in self.reasons and len(self.reasons) >= _MAXIMUM_REASONS
        self.reasons[OTHER_REASONS if full else reason] += count


@dataclass
class ManifestTally:
    """Counts of a manifest, or of some of its lines.

    Parameters
    ----------
    lines
        All lines, whatever is on them.
    broken
        Lines that are no objects.
    attributes
        The counts of each label attribute that occurs.
    """

    lines: int = 0
    broken: LineProblems = field(default_factory=LineProblems)
    attributes: dict[str, LabelTally] = field(default_factory=dict)

    @property
    def objects(self) -> int:
        """Lines that are objects to be labeled."""
        return self.lines - self.broken.count

    def merge(self, other: ManifestTally) -> None:
        """Add the counts of the lines that follow."""
        self.lines += other.lines
        self.broken.merge(other.broken)
        for name, tally in other.attributes.items():
            self.attributes.setdefault(name, LabelTally()).merge(tally)


class BlockCounter:
    """Counts blocks of whole lines.

    Parameters
    ----------
    label_attribute
        Count this attribute; None for all that labeling jobs wrote. A label without metadata is
        counted only if it is asked for, since nothing else tells it from any other column.
    truth
        Compare labels with it.
    iterations
        The iteration that each object was worked on in, by object id; 0 where it is unknown.
    """

    def __init__(
        self,
        label_attribute: str | None = None,
        truth: Truth | None = None,
        iterations: Sequence[int] | None = None,
    ) -> None:
        self._finds_attributes = label_attribute is None
        self._truth = truth
        self._iterations = iterations
        self._foreign_columns: set[bytes] = set()
        self._decoders: dict[str | None, _Decoder] = {None: _decoder(None)}
        if label_attribute is not None:
            self._decoders = {label_attribute: _decoder(label_attribute)}

    def count(self, block: bytes, first_id: int) -> ManifestTally:
        """Count whole lines, of which the first has a known object id."""
        tally = ManifestTally()
        counts: dict[str | None, _AttributeCount] = {}
        for piece in _pieces(block):
            part = _Piece(piece, first_id + tally.lines)
            tally.lines += part.line_count
            found = 0
            for number, name in enumerate(self._decoders):
                count = self._count_of(name, counts)
                # Every attribute meets the broken lines again.
                broken = tally.broken if number == 0 else LineProblems()
                found += count.take(part, broken)
            if self._finds_attributes and found != self._metadata_in(piece):
                for name in self._find_attributes(part):
                    self._decoders.pop(None, None)
                    self._decoders[name] = _decoder(name)
                    self._count_of(name, counts).take(part, LineProblems())
        lines = _Piece(block, first_id)
        for name, count in counts.items():
            label_tally = count.finish(lines)
            if name is not None and label_tally.states:
                tally.attributes[name] = label_tally
        return tally

    def _count_of(
        self, name: str | None, counts: dict[str | None, _AttributeCount]
    ) -> _AttributeCount:
        if name not in counts:
            counts[name] = _AttributeCount(
                name,
                self._decoders[name],
                self._truth,
                self._iterations,
                was_asked_for=not self._finds_attributes,
            )
        return counts[name]

    def _metadata_in(self, piece: bytes) -> int:
        """Return how often something ends in ``-metadata"`` that is no column known as foreign."""
        foreign = sum(piece.count(column) for column in self._foreign_columns)
        return piece.count(_METADATA_END) - foreign

    def _find_attributes(self, part: _Piece) -> list[str]:
        """Return attributes in the lines that labeling jobs wrote and that are not known yet."""
        found: list[str] = []
        seen = {name + METADATA_SUFFIX for name in self._decoders if name is not None}
        for line in part.lines:
            if _METADATA_END not in line:
                continue
            try:
                columns = _COLUMNS.decode(line)
            except _UNREADABLE:
                columns = _odd_columns(line)
            for key in columns.keys() - seen:
                if not key.endswith(METADATA_SUFFIX):
                    continue
                if is_attribute_name(key) and is_label_metadata(_value(columns[key])):
                    found.append(key.removesuffix(METADATA_SUFFIX))
                    seen.add(key)
                    # Some line may have had something else there before.
                    self._foreign_columns.discard(msgspec.json.encode(key))
                else:
                    self._foreign_columns.add(msgspec.json.encode(key))
        return found


def is_attribute_name(name: str) -> bool:
    """Tell whether labels may be looked for under a name: no job has one with quotes or controls.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateLabelingJob.html
    """
    return name.isprintable() and not set(name) & {'"', "\\"}


def _odd_columns(line: bytes) -> dict[str, msgspec.Raw]:
    """Return the columns of a line that the decoder refuses; none of what is no object."""
    try:
        attributes = parse_line(line)
    except LineError:
        return {}
    return {key: msgspec.Raw(json.dumps(value).encode()) for key, value in attributes.items()}


def _value(raw: msgspec.Raw) -> Any:
    try:
        return read_json(bytes(raw))
    except JsonTextError:
        return None


def line_ends(data: bytes) -> int:
    """Count the ends of lines, several times faster than ``bytes.count`` does."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == _LINE_FEED))


class _Piece:
    """Some whole lines, few enough to stay in the processor's cache while they are counted."""

    def __init__(self, data: bytes, first_id: int) -> None:
        self.data = data
        self.first_id = first_id
        self._bytes = np.frombuffer(data, np.uint8)

    @cached_property
    def line_count(self) -> int:
        """How many lines there are."""
        return len(self._ends) + (not self.data.endswith(b"\n"))

    @cached_property
    def _ends(self) -> npt.NDArray[np.intp]:
        return np.flatnonzero(self._bytes == _LINE_FEED)

    @cached_property
    def lines(self) -> list[bytes]:
        """The lines without their ends."""
        lines = self.data.split(b"\n")
        if not lines[-1]:
            lines.pop()
        return [line.removesuffix(b"\r") for line in lines]

    @cached_property
    def is_text(self) -> bool:
        """Whether it is UTF-8, which the decoder does not check in what it skips."""
        if self.data.isascii():
            return True
        try:
            self.data.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    @cached_property
    def has_one_object_a_line(self) -> bool:
        """Whether every line begins and ends as an object does.

        Then no JSON value goes over a line's end: between ``}`` and ``{`` it would need a comma.
        """
        if not self.data.startswith(b"{"):
            return False
        text, ends = self._bytes, self._ends
        before = text[ends - 1]
        # A carriage return before the line's end is part of the end.
        before = np.where(before == _CARRIAGE_RETURN, text[ends - 2], before)
        after = text[ends[ends < len(text) - 1] + 1]
        return bool((after == _BRACE).all() and (before == _CLOSING_BRACE).all())

    def decoded(self, decoder: _Decoder) -> list[Any]:
        """Return what the decoder makes of each line; None for those that it refuses."""
        if not self.is_text:
            return [None] * self.line_count
        if self.has_one_object_a_line:
            try:
                records = decoder.decode_lines(self.data)
            except _UNREADABLE:
                pass
            else:
                if len(records) == self.line_count:
                    return records
        return [_decoded(decoder, line) for line in self.lines]


def _decoded(decoder: _Decoder, line: bytes) -> Any:
    try:
        return decoder.decode(line)
    except _UNREADABLE:
        return None


def _pieces(block: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(block):
        end = block.find(b"\n", start + _PIECE_BYTES) + 1 or len(block)
        yield block[start:end]
        start = end


@dataclass(slots=True)
class _Group:
    """Lines with the same job, maker and class map, whose labels are counted together."""

    state: LabelState
    job: str
    class_map: dict[int, str]
    ids: list[int] = field(default_factory=list)
    class_indexes: list[int] = field(default_factory=list)
    confidences: list[float] = field(default_factory=list)


class _AttributeCount:
    """Counts one attribute's labels.

    The loop does as little as it can for a line, since it runs for every line of a manifest: what
    can be checked by the decoder is, and the rest is done for whole groups.
    """

    def __init__(
        self,
        name: str | None,
        decoder: _Decoder,
        truth: Truth | None,
        iterations: Sequence[int] | None,
        *,
        was_asked_for: bool,
    ) -> None:
        self._was_asked_for = was_asked_for
        self._name = name
        self._decoder = decoder
        self._truth = truth
        self._iterations = iterations
        self._tally = LabelTally()
        self._box_groups: dict[tuple[str, str, bytes], _Group] = {}
        self._class_groups: dict[tuple[str, str, str], _Group] = {}

    def take(self, part: _Piece, broken: LineProblems) -> int:
        """Count some lines and note the broken ones; return how many have metadata for labels."""
        odd, with_metadata = self._take_usual(part)
        for object_id in odd:
            try:
                attributes = parse_line(part.lines[object_id - part.first_id])
            except LineError as error:
                broken.add(object_id, str(error))
                continue
            if self._name is not None:
                with_metadata += self._name + METADATA_SUFFIX in attributes
                self._add(object_id, attributes, self._name)
        return with_metadata

    def finish(self, block: _Piece) -> LabelTally:
        """Return the counts of everything that was taken, all of which is in this block."""
        tally = self._tally
        for (_, _, name), group in self._class_groups.items():
            tally.named |= {(index, name) for index in group.class_indexes}
            tally.classes[group.state, name] += len(group.ids)
            self._count_group(group, LabelKind.CLASS)
        for group in self._box_groups.values():
            classes = Counter(group.class_indexes)
            if classes.keys() <= group.class_map.keys():
                tally.named |= group.class_map.items()
                for index, count in classes.items():
                    tally.classes[group.state, group.class_map[index]] += count
                self._count_group(group, LabelKind.BOXES)
                continue
            # Some line has a box of a class that it does not name.
            for object_id in group.ids:
                line = block.lines[object_id - block.first_id]
                self._add(object_id, parse_line(line), str(self._name))
        return tally

    def _add(self, object_id: int, attributes: Mapping[str, Any], name: str) -> None:
        metadata = attributes.get(name + METADATA_SUFFIX)
        if self._was_asked_for or is_label_metadata(metadata):
            found = object_of(object_id, attributes, name)
            self._tally.add(found, self._truth, self._iteration_of(object_id))

    def _take_usual(self, part: _Piece) -> tuple[list[int], int]:
        """Return the object ids of unusual lines, and how many of the others have labels."""
        odd: list[int] = []
        labeled = 0
        box_groups, truth = self._box_groups, self._truth
        for object_id, record in enumerate(part.decoded(self._decoder), part.first_id):
            if record is None:
                odd.append(object_id)
                continue
            label, metadata = record.label, record.metadata
            if type(label) is not _Boxes or metadata is msgspec.UNSET:
                if label is msgspec.UNSET and metadata is msgspec.UNSET:
                    continue
                if self._take_class(object_id, record):
                    labeled += 1
                else:
                    odd.append(object_id)
                continue
            places, certainties = label.annotations, metadata.objects
            if len(places) != len(certainties):
                odd.append(object_id)
                continue
            key = (metadata.human_annotated, metadata.job_name, bytes(metadata.class_map))
            group = box_groups.get(key)
            if group is None:
                group = box_groups[key] = _box_group(*key)
            if truth is not None and not self._compare(group, record, truth):
                odd.append(object_id)
                continue
            group.ids.append(object_id)
            group.class_indexes.extend(map(_CLASS_ID, places))
            group.confidences.extend(map(_CONFIDENCE, certainties))
            labeled += 1
        return odd, labeled

    def _take_class(self, object_id: int, record: Any) -> bool:
        label, metadata = record.label, record.metadata
        if (
            type(label) is not int
            or metadata is msgspec.UNSET
            or metadata.class_name is None
            or metadata.confidence is None
            or metadata.class_map
        ):
            return False
        key = (metadata.human_annotated, metadata.job_name, metadata.class_name)
        group = self._class_groups.get(key)
        if group is None:
            group = self._class_groups[key] = _Group(_STATES[key[0]], key[1], {})
        group.ids.append(object_id)
        group.class_indexes.append(label)
        group.confidences.append(metadata.confidence)
        if self._truth is not None:
            self._tally.add_quality(
                group.state, record.source, LabelKind.CLASS, (), (key[2],), self._truth
            )
        return True

    def _compare(self, group: _Group, record: Any, truth: Truth) -> bool:
        places = record.label.annotations
        if not all(place.class_id in group.class_map for place in places):
            return False
        names = [group.class_map[place.class_id] for place in places]
        boxes = [
            Box(name, place.left, place.top, place.width, place.height)
            for name, place in zip(names, places, strict=True)
        ]
        self._tally.add_quality(group.state, record.source, LabelKind.BOXES, boxes, names, truth)
        return True

    def _count_group(self, group: _Group, kind: LabelKind) -> None:
        if not group.ids:
            return
        tally, count = self._tally, len(group.ids)
        tally.states[group.state] += count
        tally.kinds[kind] += count
        tally.jobs[job_name({"job-name": group.job})] += count
        if group.state is LabelState.MACHINE and group.confidences:
            tally.add_confidences(group.confidences)
        if self._iterations is None:
            return
        worked = Counter(self._iteration_of(each) for each in group.ids)
        for iteration, objects in worked.items():
            if iteration:
                tally.iterations[iteration, group.state] += objects

    def _iteration_of(self, object_id: int) -> int | None:
        if self._iterations is None or object_id >= len(self._iterations):
            return None
        return self._iterations[object_id]


def _box_group(human_annotated: str, job: str, class_map: bytes) -> _Group:
    try:
        names = _CLASS_MAP.decode(class_map) if class_map else {}
    except _UNREADABLE:
        names = {}
    return _Group(_STATES[human_annotated], job, names)


# As ``number_of`` and ``class_index`` have it: other lines are read the long way.
_Coordinate = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
_Side = Annotated[float, msgspec.Meta(gt=0, le=LARGEST)]
_Index = Annotated[int, msgspec.Meta(gt=-LARGEST_INDEX, lt=LARGEST_INDEX)]


class _Place(msgspec.Struct, gc=False):
    class_id: _Index
    left: _Coordinate
    top: _Coordinate
    width: _Side
    height: _Side


class _Boxes(msgspec.Struct, gc=False):
    annotations: list[_Place]


class _Certainty(msgspec.Struct, gc=False):
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Metadata(msgspec.Struct, gc=False, rename="kebab"):
    human_annotated: Literal["yes", "no"]
    job_name: str
    class_map: msgspec.Raw = msgspec.Raw()
    class_name: str | None = None
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    objects: list[_Certainty] = []
    # A line with a reason is refused, and so read the long way.
    failure_reason: msgspec.UnsetType = msgspec.UNSET


def _decoder(name: str | None) -> _Decoder:
    """Return a decoder of lines with one label attribute; without a name, of none at all."""
    # Without a name these are keys that the contract reserves, so that nothing is found under them.
    attribute = f"{RESERVED_KEY_PREFIX}none" if name is None else name
    keys = {
        "source": SOURCE_REFERENCE,
        "label": attribute,
        "metadata": attribute + METADATA_SUFFIX,
    }
    fields: list[tuple[str, Any, Any]] = [
        ("label", _Index | _Boxes | msgspec.UnsetType, msgspec.UNSET),
        ("metadata", _Metadata | msgspec.UnsetType, msgspec.UNSET),
    ]
    line = msgspec.defstruct("Line", [("source", str), *fields], rename=keys, gc=False)
    return msgspec.json.Decoder(line)
