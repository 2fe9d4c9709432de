"""Labels taken out into other tools' formats, and brought in from them."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from groundwork.cli.manifest_place import ManifestPlace
from groundwork.cli.places import chosen_s3, local_option
from groundwork.cli.results import label_attribute_option
from groundwork.cli.terminal import (
    json_option,
    print_json,
    print_rows,
    progress_bar,
    say,
    told_plainly,
)
from groundwork.datasets.exporting import (
    FORMATS,
    ExportSettings,
    ExportSummary,
    export_labels,
)
from groundwork.datasets.image_files import ImageMode
from groundwork.datasets.importing import (
    READERS,
    ImportSummary,
    label_categories,
    manifest_lines,
    read_dataset,
)
from groundwork.datasets.model import TRAIN, VALIDATION, DatasetError, ReadImage
from groundwork.images import looks_like_an_image
from groundwork.manifest import LabelState
from groundwork.results.output_tree import open_output
from groundwork.results.report import make_report
from groundwork.side_by_side import in_order

_SHOWN = 10
# At once: each waits for S3.
_UPLOADS = 16
_LABELS_FILE = "labels.json"


@click.command()
@click.argument("place")
@click.option("--format", "kind", type=click.Choice(list(FORMATS)), required=True)
@click.option(
    "--to", "folder", type=click.Path(path_type=Path), required=True, help="A new folder."
)
@label_attribute_option
@click.option(
    "--split",
    "train_share",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="The share of images for training, 0.8 say; the others are for validation. "
    "By default there is no split.",
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Gives another split."
)
@click.option(
    "--only",
    type=click.Choice(["human", "machine"]),
    help="Only what people labeled, or only what the machine did.",
)
@click.option(
    "--images",
    type=click.Choice([mode.value for mode in ImageMode]),
    default=ImageMode.COPY.value,
    show_default=True,
    help="Copy (or download) the image files, hard-link them, or write references only.",
)
@click.option(
    "--image-folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Where the images are on this machine, instead of downloading them from S3.",
)
@click.option("--labels", help="Class names in the order of their numbers, separated by commas.")
@local_option
@json_option
@told_plainly
def export(
    *,
    place: str,
    kind: str,
    folder: Path,
    label_attribute: str | None,
    train_share: float | None,
    seed: int,
    only: str | None,
    images: str,
    image_folder: Path | None,
    labels: str | None,
    on_local_cloud: bool,
    as_json: bool,
) -> None:
    """Write a job's labels as another tool wants them: COCO, YOLO, VOC and others.

    PLACE is what `groundwork results` takes. Objects without a label are left out; images that were
    labeled as having nothing are kept. Example:

    \b
        groundwork export s3://my-bucket/output/my-job --format yolo --to dataset --split 0.8
    """
    client = chosen_s3(on_local_cloud)
    output = open_output(place, client)
    with progress_bar("Counting", output.size(), "bytes") as progress:
        report = make_report(output, label_attribute=label_attribute, progress=progress)
    if report.label_attribute is None:
        raise DatasetError([f"Nothing to export: no object of {output.address} has a label."])
    settings = ExportSettings(
        format=kind,
        folder=folder,
        only=None if only is None else LabelState(only),
        train_share=train_share,
        seed=seed,
        images=ImageMode(images),
        image_folder=image_folder,
        labels=tuple(part.strip() for part in labels.split(",")) if labels else (),
    )
    with progress_bar("Exporting", report.summary.objects, "objects") as progress:
        summary = export_labels(
            output,
            report.label_attribute,
            report.summary.tally.class_names,
            settings,
            client=client,
            progress=lambda done, total: progress(1),
        )
    if as_json:
        print_json(_export_document(folder, summary))
    else:
        _show_export(folder, summary)


@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", "kind", type=click.Choice(list(READERS)), required=True)
@click.option(
    "--to",
    "target",
    required=True,
    metavar="MANIFEST",
    help="The manifest to write: a file, or s3://<bucket>/<key>.",
)
@click.option(
    "--image-prefix",
    metavar="ADDRESS",
    help="Where the images are for the job: s3://<bucket>/<prefix>. By default they are uploaded "
    "beside a manifest in S3, and named by their paths in a manifest on this machine.",
)
@click.option("--label-attribute", default="label", show_default=True, metavar="NAME")
@click.option("--job-name", help="What stands for the labels' job; by default imported-<format>.")
@local_option
@json_option
@told_plainly
def import_(
    *,
    folder: Path,
    kind: str,
    target: str,
    image_prefix: str | None,
    label_attribute: str,
    job_name: str | None,
    on_local_cloud: bool,
    as_json: bool,
) -> None:
    """Write COCO, YOLO or VOC labels as an input manifest that a job can go on from or adjust.

    The class names are written beside it, as labels.json. Example:

    \b
        groundwork import dataset --format yolo --to s3://my-bucket/input/dataset.manifest
    """
    place = ManifestPlace(target, chosen_s3(on_local_cloud))
    dataset = read_dataset(kind, folder)
    summary = ImportSummary()
    store = _ImportTarget(place, image_prefix, folder)
    lines = manifest_lines(
        dataset,
        store.placed(dataset.images),
        label_attribute=label_attribute,
        job_name=job_name or f"imported-{kind}",
        moment=datetime.now(UTC),
        summary=summary,
    )
    with progress_bar("Importing", None, "images") as progress:
        store.write(_told(lines, progress), summary)
    if as_json:
        print_json(
            {
                "manifest": target,
                "labels": store.labels_address,
                "classes": list(summary.classes),
                "images": summary.images,
                "boxes": summary.boxes,
                "images_without_objects": summary.empty_images,
                "problems": summary.problems,
            }
        )
    else:
        _show_import(target, store, summary)
    if not summary.images:
        raise DatasetError([f"{folder} has no image with labels that could be read."])


def _told(lines: Iterable[bytes], progress: Callable[[int], None]) -> Iterator[bytes]:
    for line in lines:
        yield line
        progress(1)


class _ImportTarget:
    """Where an imported manifest is written to, and where its images will be."""

    def __init__(self, place: ManifestPlace, image_prefix: str | None, folder: Path) -> None:
        self._place = place
        self._prefix = image_prefix.rstrip("/") if image_prefix else None
        self._folder = folder

    @property
    def labels_address(self) -> str:
        """Where the label category file is."""
        return self._place.beside(_LABELS_FILE)

    @property
    def uses_local_paths(self) -> bool:
        """Whether the manifest names files of this machine, which no job can read."""
        return self._place.client is None and self._prefix is None

    def placed(self, images: Iterable[ReadImage]) -> Iterator[tuple[ReadImage, str]]:
        """Yield images with where they are for the job, brought there if they have to be."""

        def placed(image: ReadImage) -> tuple[ReadImage, str]:
            return image, self._address(image)

        if self._prefix is not None or self._place.client is None:
            return map(placed, images)
        return in_order(placed, images, threads=_UPLOADS, ahead=2 * _UPLOADS)

    def _address(self, image: ReadImage) -> str:
        if self._prefix is not None:
            return f"{self._prefix}/{image.name}"
        if image.path is None:
            raise DatasetError(
                [
                    f"The image {image.name} is not in {self._folder}; say where the images are "
                    "for the job: --image-prefix s3://<bucket>/<prefix>"
                ]
            )
        if self._place.client is None:
            return str(image.path.resolve())
        data = image.path.read_bytes()
        if not looks_like_an_image(data):
            raise DatasetError(
                [f"{image.path} is neither JPEG nor PNG and is not uploaded; mend its labels"]
            )
        kind = "image/png" if image.path.suffix.lower() == ".png" else "image/jpeg"
        return self._place.write_beside(f"images/{image.name}", data, kind)

    def write(self, lines: Iterable[bytes], summary: ImportSummary) -> None:
        """Write the manifest, and the label category file beside it."""
        self._place.write(lines)
        categories = label_categories(summary.classes)
        self._place.write_beside(_LABELS_FILE, categories, "application/json")


def _export_document(folder: Path, summary: ExportSummary) -> dict[str, object]:
    return {
        "folder": str(folder),
        "classes": list(summary.classes),
        "splits": {
            split: {
                "images": count,
                "boxes": summary.boxes[split],
                "images_with_class": {
                    name: summary.class_images[split, name] for name in summary.classes
                },
            }
            for split, count in summary.images.items()
        },
        "left_out": dict(summary.left_out),
        "rotated_images": summary.rotated,
        "problems": summary.problems,
    }


def _show_export(folder: Path, summary: ExportSummary) -> None:
    splits = [split for split in (TRAIN, VALIDATION) if split in summary.images]
    for split in splits:
        say(f"{split}: {summary.images[split]:,} images, {summary.boxes[split]:,} boxes")
    print_rows(
        [
            (name, *(summary.class_images[split, name] for split in splits))
            for name in summary.classes
        ],
        ("class", *(f"images in {split}" for split in splits)),
    )
    for split in splits:
        if not summary.images[split]:
            say(f"NOTE: no image fell into {split}; training tools will ask for some")
    if summary.rotated:
        say(
            f"NOTE: {summary.rotated:,} images carry an EXIF rotation. Labels are for the pixels "
            "as they are stored: train without applying it, or boxes will be off"
        )
    for reason, count in summary.left_out.items():
        say(f"NOTE: left out, {reason}: {count:,}")
    _show_problems(summary.problems)
    say(f"Written: {folder}")


def _show_import(target: str, store: _ImportTarget, summary: ImportSummary) -> None:
    say(
        f"{summary.images:,} images with {summary.boxes:,} boxes of "
        f"{len(summary.classes)} classes; {summary.empty_images:,} without objects"
    )
    _show_problems(summary.problems)
    if store.uses_local_paths and summary.images:
        say(
            "NOTE: the manifest names files of this machine. For a labeling job the images have to "
            "be in S3: write the manifest there, or give --image-prefix s3://<bucket>/<prefix>"
        )
    say(f"Written: {target} and {store.labels_address}")


def _show_problems(problems: list[str]) -> None:
    for problem in problems[:_SHOWN]:
        say(f"NOTE: {problem}")
    if len(problems) > _SHOWN:
        say(f"NOTE: and {len(problems) - _SHOWN:,} more")
