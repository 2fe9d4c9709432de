"""Which iteration of a job worked on which object, as far as the output tree tells it."""

import re
from array import array
from collections.abc import Iterator
from itertools import chain

import msgspec

from groundwork.manifest import read_lines
from groundwork.results.output_tree import JobOutput

_RESPONSES = "annotations/worker-response"
_RESPONSE = re.compile(rf"{_RESPONSES}/iteration-(\d+)/(\d+)/[^/]+\.json")
_AUTOMATED = "activelearning"
# https://github.com/aws/amazon-sagemaker-examples, object_detection_tutorial.ipynb, reads it so.
_ACCEPTED = re.compile(rf"{_AUTOMATED}/(\d+)/(?:[^/]+/)?auto_annotator_output\.txt")
# An object id beyond every quota is no object id.
_MAXIMUM_OBJECT_ID = 100_000_000
_MAXIMUM_ITERATION = 65_535


class _BatchLine(msgspec.Struct):
    id: int


def read_iterations(output: JobOutput) -> "array[int] | None":
    """Return each object's iteration by object id, 0 where it is unknown; None if all are.

    Two bytes an object are all that is held. Our engine's batch files name every object of a batch;
    otherwise the folders of workers' answers do, for the objects that people answered. What the
    machine labeled is listed by iteration, too. An object of several iterations belongs to the last
    one.
    """
    if not output.is_tree:
        return None
    iterations: array[int] = array("H")
    people = _in_batches(output) or _answered(output)
    for iteration, object_id in chain(people, _accepted(output)):
        if 0 <= object_id < _MAXIMUM_OBJECT_ID and iteration <= _MAXIMUM_ITERATION:
            if object_id >= len(iterations):
                iterations.extend([0] * (object_id + 1 - len(iterations)))
            iterations[object_id] = max(iterations[object_id], iteration)
    return iterations or None


def _in_batches(output: JobOutput) -> Iterator[tuple[int, int]] | None:
    if not output.files.exists(_batch_path(1)):
        return None
    return _read_batches(output)


def _read_batches(output: JobOutput) -> Iterator[tuple[int, int]]:
    decoder = msgspec.json.Decoder(_BatchLine)
    iteration = 1
    while output.files.exists(_batch_path(iteration)):
        for line in read_lines(output.files.stream(_batch_path(iteration))):
            try:
                yield iteration, decoder.decode(line.body).id
            except (msgspec.DecodeError, RecursionError):
                continue
        iteration += 1


def _answered(output: JobOutput) -> Iterator[tuple[int, int]]:
    for path in output.files.paths(_RESPONSES):
        found = _RESPONSE.fullmatch(path)
        if found:
            yield int(found[1]), int(found[2])


def _accepted(output: JobOutput) -> Iterator[tuple[int, int]]:
    for path in output.files.paths(_AUTOMATED):
        found = _ACCEPTED.fullmatch(path)
        if not found:
            continue
        for line in read_lines(output.files.stream(path)):
            object_id, _, _ = line.body.partition(b" ")
            if object_id.isdigit():
                yield int(found[1]), int(object_id)


def _batch_path(iteration: int) -> str:
    return f"annotations/intermediate/{iteration}/batch.jsonl"
