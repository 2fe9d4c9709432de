"""Labels of other tools as a manifest that a labeling job can go on from.

The lines have Ground Truth's augmented form, so that a job can be chained to them, or adjust them:
https://docs.aws.amazon.com/sagemaker/latest/dg/sms-verification-data.html.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from groundwork.contract.label_categories import DOCUMENT_VERSION
from groundwork.datasets.coco import read_coco
from groundwork.datasets.model import DatasetError, ReadDataset, ReadImage
from groundwork.datasets.voc import read_voc
from groundwork.datasets.yolo import read_yolo
from groundwork.manifest import METADATA_SUFFIX, SOURCE_REFERENCE, LabelState
from groundwork.results.labels import JOB_PREFIX

READERS: Mapping[str, Callable[[Path], ReadDataset]] = {
    "coco": read_coco,
    "yolo": read_yolo,
    "voc": read_voc,
}
METADATA_TYPE = "groundtruth/object-detection"


@dataclass
class ImportSummary:
    """What was brought in; the first problems are kept."""

    classes: tuple[str, ...] = ()
    images: int = 0
    boxes: int = 0
    empty_images: int = 0
    problems: list[str] = field(default_factory=list)


def read_dataset(kind: str, folder: Path) -> ReadDataset:
    """Open a data set.

    Raises
    ------
    DatasetError
        If it is not of this format.
    """
    if not folder.exists():
        raise DatasetError([f"There is no {folder}"])
    return READERS[kind](folder)


def manifest_lines(
    dataset: ReadDataset,
    placed_images: Iterable[tuple[ReadImage, str]],
    *,
    label_attribute: str,
    job_name: str,
    moment: datetime,
    summary: ImportSummary,
) -> Iterator[bytes]:
    """Yield a manifest's lines, and count them.

    Parameters
    ----------
    placed_images
        The data set's images, each with where it is for the job: the line's ``source-ref``.
    job_name
        What stands for the labels' job.
    """
    summary.classes = dataset.classes
    indexes = {name: number for number, name in enumerate(dataset.classes)}
    for image, address in placed_images:
        summary.images += 1
        summary.boxes += len(image.boxes)
        summary.empty_images += not image.boxes
        line = {
            SOURCE_REFERENCE: address,
            label_attribute: {
                "image_size": [
                    {
                        "width": image.size.width,
                        "height": image.size.height,
                        "depth": image.size.depth,
                    }
                ],
                "annotations": [
                    {
                        "class_id": indexes[box.label],
                        "left": box.left,
                        "top": box.top,
                        "width": box.width,
                        "height": box.height,
                    }
                    for box in image.boxes
                ],
            },
            label_attribute + METADATA_SUFFIX: {
                # As for one worker's labels, which nobody has compared with another's.
                "objects": [{"confidence": 0} for _ in image.boxes],
                "class-map": {
                    str(indexes[name]): name for name in sorted({box.label for box in image.boxes})
                },
                "type": METADATA_TYPE,
                "human-annotated": "no" if image.labeled_by is LabelState.MACHINE else "yes",
                "creation-date": f"{moment:%Y-%m-%dT%H:%M:%S.%f}",
                "job-name": JOB_PREFIX + job_name,
            },
        }
        yield json.dumps(line).encode() + b"\n"
    summary.problems = dataset.problems


def label_categories(classes: tuple[str, ...]) -> bytes:
    """Return the label category file that goes with the manifest's class ids."""
    document = {
        "document-version": DOCUMENT_VERSION,
        "labels": [{"label": name} for name in classes],
    }
    return json.dumps(document, indent=1).encode() + b"\n"
