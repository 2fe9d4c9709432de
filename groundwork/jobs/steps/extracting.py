"""Look at every picture once, and keep what the network sees in it."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from groundwork.autolabel.learner import Learner
from groundwork.autolabel.pictures import Picture, PictureError, open_picture
from groundwork.images import ImageError, ImageFacts
from groundwork.jobs import layout
from groundwork.jobs.automation.objects import ObjectState
from groundwork.jobs.automation.pictures import ShardPictures
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.automated import Automated
from groundwork.jobs.steps.images import read_whole
from groundwork.manifest import SOURCE_REFERENCE, ManifestLine
from groundwork.s3_client import S3Client
from groundwork.side_by_side import in_order

# Decoded pictures take 12 MB each at most, and while one is decoded a few hundred.
_PICTURES_AT_ONCE = 16
_THREADS = 4
_SEEN = (ObjectState.POOL, ObjectState.HUMAN_BEFORE)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Looked:
    """An object's picture, or why there is none; neither where nobody has to look at it."""

    object_id: int
    facts: ImageFacts | None = None
    picture: Picture | None = None
    reason: str | None = None


@dataclass
class _Gathered:
    """What was found out about a shard's images on the way."""

    images: dict[int, ImageFacts] = field(default_factory=dict)
    missing: dict[int, str] = field(default_factory=dict)


def extract_features(engine: Engine, job_name: str, shard: int) -> StepResult:
    """Write the features of a shard's pictures; a picture that cannot be decoded has none."""
    automated = Automated.of(engine, engine.store.get(job_name))
    if automated.is_running and automated.files.find_pictures(shard) is None:
        _extract(automated, shard)
    return StepResult(automated.job.name, 0, "extracted")


def _extract(automated: Automated, shard: int) -> None:
    clock, job, files = automated.engine.clock, automated.job, automated.files
    began = clock()
    learner = automated.learner
    states = files.states(0)
    lines = files.lines(files.shards().members(shard))
    gathered = _Gathered()
    looked = in_order(
        partial(_look_at, files.s3),
        ((line, states[line.object_id] in _SEEN) for line in lines),
        threads=_THREADS,
        ahead=_PICTURES_AT_ONCE,
    )
    files.keep_stream(layout.features_uri(job, shard), _records(learner, looked, gathered))
    seconds = (clock() - began).total_seconds()
    files.keep_pictures(shard, ShardPictures(gathered.images, gathered.missing, seconds))
    _log.info(
        "features made",
        extra={
            "job": job.name,
            "iteration": 0,
            "shard": shard,
            "pictures": len(gathered.images),
            "missing": len(gathered.missing),
            "seconds": round(seconds, 1),
        },
    )


def _look_at(files: S3Client, wanted: tuple[ManifestLine, bool]) -> _Looked:
    line, is_seen = wanted
    if not is_seen:
        return _Looked(line.object_id)
    try:
        facts, data = read_whole(files, line.parse()[SOURCE_REFERENCE])
        return _Looked(line.object_id, facts, open_picture(data))
    except (ImageError, PictureError) as error:
        return _Looked(line.object_id, reason=str(error))


def _records(learner: Learner, looked: Iterator[_Looked], gathered: _Gathered) -> Iterator[bytes]:
    while group := list(islice(looked, _PICTURES_AT_ONCE)):
        features = iter(_features(learner, group))
        for each in group:
            if each.picture is not None and each.facts is not None:
                gathered.images[each.object_id] = each.facts
                yield next(features)
            else:
                if each.reason is not None:
                    gathered.missing[each.object_id] = each.reason
                yield bytes(learner.record_bytes)


def _features(learner: Learner, group: Sequence[_Looked]) -> list[bytes]:
    pictures = [each.picture for each in group if each.picture is not None]
    return learner.features(pictures) if pictures else []
