"""A preflight of the data alone, before anything is deployed: a folder, a bucket, a manifest."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from groundwork.contract.builtin_tasks import BuiltinTask
from groundwork.contract.label_categories import DOCUMENT_VERSION
from groundwork.errors import UserError
from groundwork.image_folder import IMAGE_SUFFIXES, ImageFolder, ImageFolderError
from groundwork.images import ImageError, read_image
from groundwork.preflight.checks import check_data
from groundwork.preflight.findings import Finding, Findings
from groundwork.preflight.inputs import ImageSeen, Inputs, ManifestSeen, Unavailable
from groundwork.preflight.preflight_client import SAMPLE_SEED, SAMPLE_SIZE, DataClient
from groundwork.preflight.scan import scan_manifest
from groundwork.s3_client import S3Client
from groundwork.s3_uri import S3Uri, S3UriFormatError

_S3_SCHEME = "s3://"
_THREADS = 8
_CHUNK_BYTES = 1024 * 1024


class PreflightPlaceError(UserError):
    """There is nothing to look at; the text says what would be accepted."""


@dataclass(frozen=True)
class DataSettings:
    """How the data will be labeled.

    Parameters
    ----------
    task
        None for a custom task.
    labels, template
        The class names and the text of an own worker template; None for those of the deployment.
    """

    engine: str
    region: str
    task: BuiltinTask | None
    label_attribute: str = "label"
    labels: Sequence[str] | None = None
    template: str | None = None
    batch_size: int = 1000
    is_automated: bool = False

    def request(self, manifest: str) -> dict[str, Any]:
        """Return the part of a CreateLabelingJob request that is known."""
        known: dict[str, Any] = {
            "LabelAttributeName": self.label_attribute,
            "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": manifest}}},
            "LabelCategoryConfigS3Uri": "of the option --labels",
            "HumanTaskConfig": {
                "MaxConcurrentTaskCount": self.batch_size,
                "UiConfig": {"UiTemplateS3Uri": "of the option --template"},
            },
        }
        if self.is_automated:
            known["LabelingJobAlgorithmsConfig"] = {}
        return known


@dataclass(frozen=True)
class DataFindings:
    """What was looked at, and what was found."""

    objects: int
    looked_at: int
    findings: Findings


def check_place(place: str, settings: DataSettings, client: S3Client | None = None) -> DataFindings:
    """Check what is at a place as a deployment would.

    Parameters
    ----------
    place
        A folder of images, a manifest, or ``s3://`` with either.
    client
        How S3 is read; by default with the user's own rights.

    Raises
    ------
    PreflightPlaceError
        If there is nothing at the place.
    """
    if place.lower().startswith(_S3_SCHEME):
        return _check_s3(place, settings, client or S3Client.from_environment())
    path = Path(place)
    if path.is_dir():
        return _check_folder(path, settings)
    if not path.is_file():
        raise PreflightPlaceError(
            f"There is no {path}. Give a folder of images, a manifest, or s3:// with either."
        )
    with path.open("rb") as file:
        manifest = scan_manifest(
            iter(lambda: file.read(_CHUNK_BYTES), b""),
            label_attribute=settings.label_attribute,
            needs_reference=_has_images(settings),
            sample_size=SAMPLE_SIZE,
            random=Random(SAMPLE_SEED),  # noqa: S311 - a sample, not a secret
        )
    s3 = client or (S3Client.from_environment() if manifest.sample else None)
    return _judged(str(path), manifest, settings, s3)


def _check_s3(place: str, settings: DataSettings, client: S3Client) -> DataFindings:
    try:
        uri = S3Uri.parse(place)
    except S3UriFormatError as error:
        raise PreflightPlaceError(str(error)) from error
    data = DataClient(client, region=settings.region)
    is_manifest = uri.key and not place.endswith("/") and client.exists(uri)
    if is_manifest:
        manifest = data.read_manifest(
            uri, settings.label_attribute, needs_reference=_has_images(settings)
        )
    else:
        manifest = data.read_folder(uri, IMAGE_SUFFIXES)
    return _judged(place, manifest, settings, client)


def _check_folder(folder: Path, settings: DataSettings) -> DataFindings:
    """Check every image of a folder; there is no network between."""
    try:
        images = ImageFolder.scan(folder)
    except ImageFolderError as error:
        problems = tuple(
            Finding(f"folder {folder}", each, to_do="correct it") for each in error.problems
        )
        return DataFindings(0, 0, Findings(problems))
    with ThreadPoolExecutor(_THREADS) as pool:
        seen = tuple(pool.map(lambda name: _look(folder, name), images.names))
    inputs = _inputs(str(folder), ManifestSeen(len(seen)), settings)
    found = check_data(replace(inputs, images=seen), settings.task)
    return DataFindings(len(seen), len(seen), found)


def _look(folder: Path, name: str) -> ImageSeen:
    path = folder / name
    try:
        data = path.read_bytes()
        facts = read_image(data, len(data))
    except ImageError as error:
        return ImageSeen(None, str(path), unusable=str(error))
    except OSError as error:
        return ImageSeen(None, str(path), unusable=f"cannot be read: {error.strerror}")
    return ImageSeen(None, str(path), width=facts.width, height=facts.height)


def _judged(
    place: str,
    manifest: ManifestSeen | Unavailable,
    settings: DataSettings,
    client: S3Client | None,
) -> DataFindings:
    seen = manifest if isinstance(manifest, ManifestSeen) else ManifestSeen(objects=0)
    inputs = _inputs(place, manifest, settings)
    if client is not None:
        data = DataClient(client, region=settings.region)
        inputs = replace(
            inputs,
            images=data.look_at_images(seen.sample, are_images=_has_images(settings)),
            buckets=data.look_at_buckets(seen.buckets),
        )
    return DataFindings(seen.objects, len(seen.sample), check_data(inputs, settings.task))


def _inputs(place: str, manifest: ManifestSeen | Unavailable, settings: DataSettings) -> Inputs:
    return Inputs(
        engine=settings.engine,
        region=settings.region,
        account="",
        request=settings.request(place),
        manifest=manifest,
        labels=None if settings.labels is None else _label_file(settings.labels),
        template=settings.template,
    )


def _label_file(labels: Sequence[str]) -> bytes:
    entries = [{"label": label} for label in labels]
    return json.dumps({"document-version": DOCUMENT_VERSION, "labels": entries}).encode()


def _has_images(settings: DataSettings) -> bool:
    return settings.task is not None and settings.task.data == "image"
