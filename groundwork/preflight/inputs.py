"""What a preflight looks at, as plain values, gathered before anything is judged."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Absence(StrEnum):
    """Why something could not be looked at."""

    MISSING = "missing"
    DENIED = "denied"
    FAILED = "failed"


@dataclass(frozen=True)
class Unavailable:
    """Something that could not be read, with the service's own words about it."""

    absence: Absence
    said: str


@dataclass(frozen=True)
class BucketSeen:
    """A bucket that holds objects of the data set.

    Parameters
    ----------
    objects
        How many manifest lines name an object in it.
    cors_rules
        The rules as S3 returns them; empty when there are none.
    """

    name: str
    objects: int
    region: str | Unavailable
    cors_rules: tuple[Mapping[str, Any], ...] | Unavailable


@dataclass(frozen=True)
class ImageSeen:
    """One image of the sample: its size in pixels, or why it cannot be used.

    ``line_number`` is None for a file of a folder that has no manifest yet.
    """

    line_number: int | None
    uri: str
    width: int = 0
    height: int = 0
    unusable: str = ""
    unavailable: Unavailable | None = None


@dataclass(frozen=True)
class SampledObject:
    """An object of the data set that the preflight opens."""

    line_number: int
    uri: str


@dataclass(frozen=True)
class ManifestSeen:
    """The input manifest, read from end to end.

    Parameters
    ----------
    objects
        Lines that name an object or hold a text.
    labeled
        How many of these have the job's label already, or failed to get it.
    broken
        The first problems, as sentences with their line numbers.
    broken_lines
        How many lines have problems.
    buckets
        Objects by bucket.
    sample
        The objects to open, in order of their lines.
    """

    objects: int
    labeled: int = 0
    broken: tuple[str, ...] = ()
    broken_lines: int = 0
    buckets: Mapping[str, int] = field(default_factory=dict)
    sample: tuple[SampledObject, ...] = ()


@dataclass(frozen=True)
class Inputs:
    """Everything that is judged; what could not be read says so in its place.

    Parameters
    ----------
    engine
        ``open`` or ``ground-truth``.
    request
        The CreateLabelingJob request; the other fields are about what it names.
    template
        None when the request names one of the service's own worker pages.
    role_trust
        The role's trust policy.
    team
        The work team as described; None for a team that nobody can describe (public crowd).
    """

    engine: str
    region: str
    account: str
    request: Mapping[str, Any]
    manifest: ManifestSeen | Unavailable | None = None
    labels: bytes | Unavailable | None = None
    template: str | Unavailable | None = None
    images: tuple[ImageSeen, ...] = ()
    buckets: tuple[BucketSeen, ...] = ()
    role_trust: Mapping[str, Any] | Unavailable | None = None
    team: Mapping[str, Any] | Unavailable | None = None
