"""The lines of a batch that was consolidated."""

from collections.abc import Iterator

from groundwork.jobs import layout
from groundwork.jobs.model import Job
from groundwork.jobs.steps.selection import Candidate, read_candidates
from groundwork.manifest import (
    FAILURE_REASON,
    METADATA_SUFFIX,
    LabelState,
    ManifestLine,
    read_lines,
)
from groundwork.s3_client import S3Client


def read_batch(
    files: S3Client, job: Job, iteration: int
) -> Iterator[tuple[Candidate, ManifestLine]]:
    """Yield a batch's objects with the lines that came of them, in the manifest's order."""
    lines = read_lines(files.stream(layout.batch_manifest_uri(job, iteration)))
    return zip(read_candidates(files, job, iteration), lines, strict=True)


def result_of(job: Job, candidate: Candidate, line: ManifestLine) -> LabelState:
    """Tell whether people labeled an object of a batch; a line as it was is unlabeled."""
    if line.body == candidate.line.encode():
        return LabelState.UNLABELED
    metadata = line.parse().get(job.label_attribute + METADATA_SUFFIX, {})
    return LabelState.FAILED if FAILURE_REASON in metadata else LabelState.HUMAN
