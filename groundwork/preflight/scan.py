"""One pass over the input manifest for all that a preflight wants to know of it."""

from collections import Counter
from collections.abc import Iterable
from random import Random

from groundwork.manifest import (
    SOURCE_REFERENCE,
    LabelState,
    ManifestError,
    label_state,
    line_problems,
    read_lines,
)
from groundwork.preflight.inputs import ManifestSeen, SampledObject
from groundwork.s3_uri import S3Uri

MAXIMUM_LISTED_LINES = 20


def scan_manifest(
    chunks: Iterable[bytes],
    *,
    label_attribute: str,
    needs_reference: bool,
    sample_size: int,
    random: Random,
) -> ManifestSeen:
    """Read a manifest of any length in constant memory.

    Parameters
    ----------
    chunks
        Its bytes, in pieces of any size.
    needs_reference
        Whether the data has to be a file in S3.
    sample_size, random
        How many of the objects in S3 to choose for a closer look, each with the same probability.
    """
    broken: list[str] = []
    broken_lines = objects = labeled = references = number = 0
    buckets: Counter[str] = Counter()
    sample: list[SampledObject] = []
    try:
        for line in read_lines(chunks):
            number = line.number
            if problems := line_problems(line, needs_reference=needs_reference):
                broken_lines += 1
                if broken_lines <= MAXIMUM_LISTED_LINES:
                    broken.append(f"line {number} {' and '.join(problems)}")
                continue
            objects += 1
            attributes = line.parse()
            labeled += label_state(attributes, label_attribute) != LabelState.UNLABELED
            if SOURCE_REFERENCE not in attributes:
                continue
            uri = attributes[SOURCE_REFERENCE]
            buckets[S3Uri.parse(uri).bucket] += 1
            references += 1
            # Reservoir sampling: the n-th object replaces a chosen one with probability k / n.
            if len(sample) < sample_size:
                sample.append(SampledObject(number, uri))
            elif (place := random.randrange(references)) < sample_size:
                sample[place] = SampledObject(number, uri)
    except ManifestError as error:
        broken_lines += 1
        broken.append(str(error))
    return ManifestSeen(
        objects=objects,
        labeled=labeled,
        broken=tuple(broken),
        broken_lines=broken_lines,
        buckets=dict(buckets),
        sample=tuple(sorted(sample, key=lambda chosen: chosen.line_number)),
    )
