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
_IMAGES = 1_500
_ROUNDS = 6


def run() -> dict[str, Any]:
    """Export a job in YOLO's layout, and copy an export's files with nothing else, in turn."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photos = folder / "photos"
        manifest = _write_job(folder, photos)
        reference = folder / "reference"
        _export(manifest, photos, ImageMode.COPY, reference)
        ways: dict[str, Callable[[Path], None]] = {
            "copied": partial(_copy, reference),
            "exported": partial(_export, manifest, photos, ImageMode.COPY),
            "linked": partial(_export, manifest, photos, ImageMode.LINK),
        }
        seconds: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(_ROUNDS):
            # In turn from either end, since the system writes an earlier way's files later.
            for way in list(ways) if number % 2 else reversed(ways):
                seconds[way].append(_seconds(folder / f"{way}-{number}", ways[way]))
        size_mib = sum(path.stat().st_size for path in photos.iterdir()) / 2**20
    figure, against, linked = (
        statistics.median(seconds[way]) for way in ("exported", "copied", "linked")
    )
    return {
        "name": "export",
        "figure": round(figure, 2),
        "unit": f"s to export {_IMAGES:,} images to YOLO, copied",
        "against": round(against, 2),
        "ratio": round(against / figure, 2),
        "details": {
            "against": "shutil.copytree of an export: images, label files, data.yaml",
            "goal_ratio": GOAL_RATIO,
            "mib": round(size_mib, 1),
            "seconds": {way: [round(each, 2) for each in found] for way, found in seconds.items()},
            "linked_seconds": round(linked, 2),
            "linked_ratio": round(against / linked, 2),
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


def _copy(reference: Path, target: Path) -> None:
    shutil.copytree(reference, target, copy_function=shutil.copyfile)


def _export(manifest: Path, photos: Path, images: ImageMode, target: Path) -> None:
    settings = ExportSettings(
        format="yolo", folder=target, train_share=0.8, images=images, image_folder=photos
    )
    names = dict(enumerate(SAMPLE_LABELS))
    summary = export_labels(open_output(str(manifest)), "label", names, settings)
    assert summary.images.total() == _IMAGES
