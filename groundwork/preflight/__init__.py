"""Everything that would make a labeling job fail, found before the job is created."""

from groundwork.preflight.checks import check
from groundwork.preflight.findings import Finding, Findings
from groundwork.preflight.inputs import (
    Absence,
    BucketSeen,
    ImageSeen,
    Inputs,
    ManifestSeen,
    Unavailable,
)

__all__ = [
    "Absence",
    "BucketSeen",
    "Finding",
    "Findings",
    "ImageSeen",
    "Inputs",
    "ManifestSeen",
    "Unavailable",
    "check",
]
