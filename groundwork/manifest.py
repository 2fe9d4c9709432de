"""Input and augmented manifests: JSON Lines read, checked and rewritten as a stream.

Nothing here holds more than one line, so that a manifest of a million lines takes no more memory
than one of a thousand. Byte positions ride along, so that a later read can begin at any line.
"""

import codecs
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from groundwork.errors import UserError
from groundwork.json_text import JsonLimitError, JsonTextError, read_json
from groundwork.s3_uri import S3Uri, S3UriFormatError

# https://docs.aws.amazon.com/sagemaker/latest/dg/sms-input-data-input-manifest.html
MAXIMUM_LINE_CHARACTERS = 100_000
MAXIMUM_ATTRIBUTE_CHARACTERS = 20_000
RESERVED_KEY_PREFIX = "$"
SOURCE_REFERENCE = "source-ref"
SOURCE_TEXT = "source"
METADATA_SUFFIX = "-metadata"
FAILURE_REASON = "failure-reason"

# No valid line has more bytes than this, so that a file without line ends does not fill memory.
# Augmented lines may be longer than input lines, by the labels they got.
MAXIMUM_LINE_BYTES = 16 * 1024 * 1024
MAXIMUM_PROBLEMS = 20
_OUTPUT_CHUNK_BYTES = 64 * 1024
_EXCERPT_CHARACTERS = 80
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# In place of an object id and its body.
_NO_MORE = (-1, b"")


class ManifestError(UserError):
    """A manifest has broken lines; the message names them."""


class LineError(ValueError):
    """A manifest line breaks the rules; the message says which."""


class LabelState(StrEnum):
    """What a line says about a label attribute."""

    UNLABELED = "unlabeled"
    HUMAN = "human"
    MACHINE = "machine"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ManifestLine:
    """One line as it stands in the file.

    Parameters
    ----------
    number
        Counted from 1; the object's id is one less.
    start, end
        Its first byte in the file, and the first byte of the next line.
    body
        Its bytes without the line's end.
    ending
        ``\\n``, ``\\r\\n``, or nothing on a last line that has none.
    """

    number: int
    start: int
    body: bytes
    ending: bytes

    @property
    def end(self) -> int:
        """The first byte of the next line."""
        return self.start + len(self.body) + len(self.ending)

    @property
    def object_id(self) -> int:
        """The object's id in the output tree: its line number, counted from 0."""
        return self.number - 1

    def parse(self) -> dict[str, Any]:
        """Return the line's attributes; raises LineError when it is not one JSON object."""
        return parse_object(self.body)


@dataclass(frozen=True)
class LineProblem:
    """What is wrong with one line."""

    number: int
    text: str

    def __str__(self) -> str:
        return f"line {self.number}: {self.text}"


@dataclass
class ManifestSummary:
    """What a walk through a manifest found.

    Parameters
    ----------
    states
        How many valid lines are in which state of the label attribute.
    problems
        The first problems, with their line numbers.
    broken
        How many lines have problems, also those beyond the first.
    """

    lines: int = 0
    states: dict[LabelState, int] = field(default_factory=lambda: dict.fromkeys(LabelState, 0))
    problems: list[LineProblem] = field(default_factory=list)
    broken: int = 0

    def describe_problems(self) -> str:
        """Return one text that names the broken lines."""
        told = "; ".join(str(problem) for problem in self.problems)
        hidden = self.broken - len({problem.number for problem in self.problems})
        return f"{told}; and {hidden} more lines" if hidden > 0 else told


def read_lines(
    chunks: Iterable[bytes], *, start: int = 0, first_number: int = 1
) -> Iterator[ManifestLine]:
    """Yield the lines of a file that arrives in pieces of any size.

    Parameters
    ----------
    start, first_number
        The position and number of the first line, when the pieces begin in mid-file.

    Raises
    ------
    ManifestError
        If a line goes on for longer than any line may, or the file is UTF-16.
    """
    buffer = b""
    position, number = start, first_number
    for chunk in chunks:
        if position == 0 and not buffer and chunk.startswith(_UTF16_MARKS):
            raise ManifestError("the file is UTF-16; save it as UTF-8 without a byte order mark")
        if b"\n" not in chunk:
            buffer += chunk
            _refuse_endless_line(buffer, number)
            continue
        pieces = (buffer + chunk).split(b"\n")
        buffer = pieces.pop()
        for piece in pieces:
            if piece.endswith(b"\r"):
                line = ManifestLine(number, position, piece[:-1], b"\r\n")
            else:
                line = ManifestLine(number, position, piece, b"\n")
            yield line
            position = line.end
            number += 1
    if buffer:
        yield ManifestLine(number, position, buffer, b"")


def parse_object(body: bytes) -> dict[str, Any]:
    """Return the attributes of a line; raises LineError when it is not one JSON object."""
    try:
        value = read_json(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise LineError(_not_utf8(body, error)) from None
    except JsonLimitError as error:
        raise LineError(f"cannot be used: {error}") from None
    except JsonTextError as error:
        raise LineError(_not_json(body, error)) from None
    if not isinstance(value, dict):
        raise LineError(f"is not a JSON object but {_excerpt(body)}")
    return value


def line_problems(line: ManifestLine, *, needs_reference: bool = False) -> list[str]:
    """Return everything that breaks the rules of an input manifest in a line.

    Parameters
    ----------
    needs_reference
        Whether the data has to be a file in S3, as images do, rather than text in the line.
    """
    return _check(line, needs_reference)[1]


def examine(
    chunks: Iterable[bytes], *, label_attribute: str, needs_reference: bool = False
) -> ManifestSummary:
    """Check every line of an input manifest and count what is labeled already.

    Parameters
    ----------
    label_attribute
        The attribute that the job labels.
    needs_reference
        Whether the data has to be a file in S3, as images do, rather than text in the line.
    """
    summary = ManifestSummary()
    try:
        for line in read_lines(chunks):
            summary.lines += 1
            attributes, problems = _check(line, needs_reference)
            if problems:
                summary.broken += 1
                room = MAXIMUM_PROBLEMS - len(summary.problems)
                found = [LineProblem(line.number, problem) for problem in problems]
                summary.problems.extend(found[:room])
            else:
                summary.states[label_state(attributes, label_attribute)] += 1
    except ManifestError as error:
        summary.broken += 1
        summary.problems.append(LineProblem(summary.lines + 1, str(error)))
    return summary


def label_state(attributes: Mapping[str, Any], label_attribute: str) -> LabelState:
    """Tell whether a line has a label of this attribute, from whom, or failed to get one.

    A label without metadata counts as a person's, since only people write such lines.
    """
    metadata = attributes.get(label_attribute + METADATA_SUFFIX)
    if isinstance(metadata, Mapping) and FAILURE_REASON in metadata:
        return LabelState.FAILED
    if label_attribute not in attributes:
        return LabelState.UNLABELED
    if isinstance(metadata, Mapping) and metadata.get("human-annotated") == "no":
        return LabelState.MACHINE
    return LabelState.HUMAN


def with_label(body: bytes, label_attribute: str, label: Any, metadata: Mapping[str, Any]) -> bytes:
    """Return a line with a label, everything else in it as it was, byte for byte.

    Parameters
    ----------
    body
        The line without its end. Only a line that has this attribute already is written anew.
    label
        The attribute's value.
    """
    return _with_attributes(
        body, {label_attribute: label, label_attribute + METADATA_SUFFIX: metadata}, label_attribute
    )


def with_failure(body: bytes, label_attribute: str, metadata: Mapping[str, Any]) -> bytes:
    """Return a line whose object got no label, with the reason in its metadata."""
    return _with_attributes(body, {label_attribute + METADATA_SUFFIX: metadata}, label_attribute)


def rewrite(
    lines: Iterable[ManifestLine], replaced: Iterable[tuple[int, bytes]]
) -> Iterator[bytes]:
    """Yield a manifest in which some lines have another body, the others byte for byte.

    Parameters
    ----------
    replaced
        Object ids, ascending, with their lines' new bodies; only one is held at a time.

    Raises
    ------
    ManifestError
        If a line that is to be replaced was not found.
    """
    buffer = bytearray()
    following = iter(replaced)
    object_id, body = next(following, _NO_MORE)
    for line in lines:
        if line.object_id == object_id:
            buffer += body
            object_id, body = next(following, _NO_MORE)
        else:
            buffer += line.body
        buffer += line.ending
        if len(buffer) >= _OUTPUT_CHUNK_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)
    if object_id >= 0:
        raise ManifestError(f"object {object_id} has no line, or not where it was expected")


def _check(line: ManifestLine, needs_reference: bool) -> tuple[dict[str, Any], list[str]]:
    try:
        attributes = line.parse()
    except LineError as error:
        return {}, [str(error)]
    problems = [
        *_size_problems(line, attributes),
        *_key_problems(attributes),
        *_source_problems(attributes, needs_reference),
    ]
    return attributes, problems


def _with_attributes(body: bytes, added: Mapping[str, Any], label_attribute: str) -> bytes:
    attributes = parse_object(body)
    old = {label_attribute, label_attribute + METADATA_SUFFIX} & attributes.keys()
    if old:
        kept = {key: value for key, value in attributes.items() if key not in old}
        return json.dumps({**kept, **added}).encode()
    return body.rstrip()[:-1].rstrip() + b", " + json.dumps(added)[1:].encode()


def _size_problems(line: ManifestLine, attributes: Mapping[str, Any]) -> list[str]:
    # Bytes are never fewer than characters, so that nearly no line has to be counted.
    if len(line.body) <= MAXIMUM_ATTRIBUTE_CHARACTERS:
        return []
    problems = []
    characters = len(line.body.decode("utf-8"))
    if characters > MAXIMUM_LINE_CHARACTERS:
        problems.append(f"has {characters:,} characters; at most {MAXIMUM_LINE_CHARACTERS:,}")
    for key, value in attributes.items():
        size = len(value) if isinstance(value, str) else len(json.dumps(value, ensure_ascii=False))
        if size > MAXIMUM_ATTRIBUTE_CHARACTERS:
            problems.append(
                f"attribute {_excerpt_of(key)} has {size:,} characters; "
                f"at most {MAXIMUM_ATTRIBUTE_CHARACTERS:,}"
            )
    return problems


def _key_problems(attributes: Mapping[str, Any]) -> list[str]:
    return [
        f"attribute {_excerpt_of(key)} begins with {RESERVED_KEY_PREFIX}, which is reserved"
        for key in attributes
        if key.startswith(RESERVED_KEY_PREFIX)
    ]


def _source_problems(attributes: Mapping[str, Any], needs_reference: bool) -> list[str]:
    if SOURCE_REFERENCE in attributes:
        return _reference_problems(attributes[SOURCE_REFERENCE])
    if needs_reference:
        return [f"has no {SOURCE_REFERENCE!r}, the S3 URI of the image"]
    if SOURCE_TEXT not in attributes:
        return [f"has neither {SOURCE_REFERENCE!r} nor {SOURCE_TEXT!r}"]
    if not isinstance(attributes[SOURCE_TEXT], str):
        return [f"{SOURCE_TEXT!r} is not text but {_excerpt_of(attributes[SOURCE_TEXT])}"]
    return []


def _reference_problems(reference: Any) -> list[str]:
    told = f"{SOURCE_REFERENCE!r} is {_excerpt_of(reference)}"
    if not isinstance(reference, str):
        return [f"{told}, not text; write s3://<bucket>/<key>"]
    try:
        uri = S3Uri.parse(reference)
    except S3UriFormatError as error:
        return [f"{SOURCE_REFERENCE!r} is {error}"]
    return [] if uri.key else [f"{told}, a bucket without a key; write s3://<bucket>/<key>"]


def _not_utf8(body: bytes, error: UnicodeDecodeError) -> str:
    return f"is not UTF-8 at byte {error.start}; save the file as UTF-8"


def _not_json(body: bytes, error: JsonTextError) -> str:
    if not body.strip():
        return "is empty; every line has to be one JSON object"
    if body.startswith(codecs.BOM_UTF8):
        return "begins with a byte order mark; save the file as UTF-8 without one"
    return f"is not JSON ({error}): {_excerpt(body)}"


def _refuse_endless_line(buffer: bytes, number: int) -> None:
    if len(buffer) > MAXIMUM_LINE_BYTES:
        raise ManifestError(
            f"line {number} is longer than {MAXIMUM_LINE_BYTES:,} bytes: is this a manifest?"
        )


def _excerpt(body: bytes) -> str:
    return _excerpt_of(body[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace"))


def _excerpt_of(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _EXCERPT_CHARACTERS else f"{text[:_EXCERPT_CHARACTERS]}…"
