"""`groundwork export` with images against a plain copy of the same files on the same disk."""

import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from groundwork.datasets.exporting import ExportSettings, export_labels
from groundwork.datasets.image_files import ImageMode
from groundwork.results.output_tree import open_output
from groundwork.samples import SAMPLE_LABELS, generate

GOAL_RATIO = 1.0
_PHOTOS = 40
_IMAGES = 4_000
_ROUNDS = 5


def run() -> dict[str, Any]:
    """Export a job's images in YOLO's layout, and copy them with nothing else, in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = folder / "photos"
        manifest = _write_job(folder, photos)
        copied = []
        exported = []
        linked = []
        for number in range(_ROUNDS):
            target = folder / f"round-{number}"
            copied.append(_seconds(target, partial(_copy, photos)))
            exported.append(_seconds(target, partial(_export, manifest, photos, ImageMode.COPY)))
            linked.append(_seconds(target, partial(_export, manifest, photos, ImageMode.LINK)))
        size_mib = sum(path.stat().st_size for path in photos.iterdir()) / 2**20
    figure, against = statistics.median(exported), statistics.median(copied)
    return {
        "name": "export",
        "figure": round(figure, 2),
        "unit": f"s to export {_IMAGES:,} images to YOLO, copied",
        "against": round(against, 2),
        "ratio": round(against / figure, 2),
        "details": {
            "against": "shutil.copyfile of the same files, one after the other",
            "goal_ratio": GOAL_RATIO,
            "mib": round(size_mib, 1),
            "rounds": [
                [round(ours, 2), round(plain, 2)]
                for ours, plain in zip(exported, copied, strict=True)
            ],
            "linked_seconds": round(statistics.median(linked), 2),
            "linked_ratio": round(against / statistics.median(linked), 2),
            "load_average": os.getloadavg(),
        },
    }


def _write_job(folder: Path, photos: Path) -> Path:
    """Write many photos, each of its own content, and the manifest of a job that labeled them."""
    samples = folder / "samples"
    truth = json.loads(generate(samples, _PHOTOS).read_text(encoding="utf-8"))
    photos.mkdir()
    manifest = folder / "output.manifest"
    names = sorted(truth)
    with manifest.open("w", encoding="utf-8") as file:
        for number in range(_IMAGES):
            sample = names[number % len(names)]
            name = f"{number:06d}.jpg"
            (photos / name).write_bytes((samples / sample).read_bytes() + str(number).encode())
            file.write(json.dumps(_line(name, truth[sample])) + "\n")
    return manifest


def _line(name: str, boxes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "source-ref": f"s3://bucket/photos/{name}",
        "label": {
            "image_size": [{"width": 640, "height": 480, "depth": 3}],
            "annotations": [
                {"class_id": SAMPLE_LABELS.index(box["label"])}
                | {side: box[side] for side in ("left", "top", "width", "height")}
                for box in boxes
            ],
        },
        "label-metadata": {
            "objects": [{"confidence": 0} for _ in boxes],
            "class-map": {str(SAMPLE_LABELS.index(box["label"])): box["label"] for box in boxes},
            "type": "groundtruth/object-detection",
            "human-annotated": "yes",
            "creation-date": "2026-03-01T09:00:00.123456",
            "job-name": "labeling-job/demo-1234",
        },
    }


def _seconds(target: Path, work: Callable[[Path], None]) -> float:
    # What is still to be written of the round before is not this one's.
    os.sync()
    begun = time.perf_counter()
    work(target)
    seconds = time.perf_counter() - begun
    shutil.rmtree(target)
    return seconds


def _copy(photos: Path, target: Path) -> None:
    target.mkdir()
    for path in sorted(photos.iterdir()):
        shutil.copyfile(path, target / path.name)


def _export(manifest: Path, photos: Path, images: ImageMode, target: Path) -> None:
    settings = ExportSettings(
        format="yolo", folder=target, train_share=0.8, images=images, image_folder=photos
    )
    names = dict(enumerate(SAMPLE_LABELS))
    summary = export_labels(open_output(str(manifest)), "label", names, settings)
    assert summary.images.total() == _IMAGES
