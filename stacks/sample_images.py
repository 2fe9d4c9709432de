"""Sample photos to label, made once and kept below `build/`."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from groundwork.image_folder import ImageFolder
from stacks.paths import BUILD, PROJECT

SEED = 1


@dataclass(frozen=True)
class SampleImages:
    """The photos, and the classes that are on them."""

    images: ImageFolder
    labels: tuple[str, ...]


def sample_images(count: int) -> SampleImages:
    """Return the first photos of the sample set, made if this version of them isn't there."""
    generator = PROJECT / "groundwork" / "samples.py"
    version = hashlib.sha256(generator.read_bytes()).hexdigest()[:12]
    folder = BUILD / "samples" / f"{version}-{count}"
    # Written last: a set with its record is complete, and synthesis is spared loading NumPy.
    record = folder.with_suffix(".json")
    if not record.exists():
        _make(folder, count, record)
    labels = tuple(json.loads(record.read_text(encoding="utf-8"))["labels"])
    return SampleImages(ImageFolder.scan(folder), labels)


def _make(folder: Path, count: int, record: Path) -> None:
    from groundwork.samples import SAMPLE_LABELS, generate  # noqa: PLC0415

    generate(folder, count, SEED)
    record.write_text(json.dumps({"labels": SAMPLE_LABELS, "seed": SEED}), encoding="utf-8")
