"""The sample photos: seeded, exact, and made once."""

import functools
import io
import json
from pathlib import Path

import numpy as np
from PIL import Image

from groundwork.samples import SAMPLE_LABELS, generate, sample

# A photo takes a tenth of a second.
made_once = functools.cache(sample)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    assert sample(3, seed=7) == sample(3, seed=7)
    assert sample(3, seed=7)[0] != sample(3, seed=8)[0]
    assert sample(3, seed=7)[0] != sample(4, seed=7)[0]


def test_every_box_lies_in_its_photo_and_no_two_touch() -> None:
    for number in range(20):
        content, boxes = made_once(number)
        width, height = Image.open(io.BytesIO(content)).size
        for box in boxes:
            assert box["label"] in SAMPLE_LABELS
            assert 0 <= box["left"] < box["left"] + box["width"] <= width
            assert 0 <= box["top"] < box["top"] + box["height"] <= height
        for index, one in enumerate(boxes):
            for other in boxes[index + 1 :]:
                apart = (
                    one["left"] + one["width"] <= other["left"]
                    or other["left"] + other["width"] <= one["left"]
                    or one["top"] + one["height"] <= other["top"]
                    or other["top"] + other["height"] <= one["top"]
                )
                assert apart


def test_a_set_has_every_label_and_some_empty_photos() -> None:
    found = [made_once(number)[1] for number in range(20)]
    assert {box["label"] for boxes in found for box in boxes} == set(SAMPLE_LABELS)
    assert 1 <= sum(not boxes for boxes in found) <= 10
    assert max(len(boxes) for boxes in found) == 3


def test_a_set_is_written_once_and_extended_on_demand(tmp_path: Path) -> None:
    truth_path = generate(tmp_path, 3)
    first = tmp_path / "sample-00000.jpg"
    written = first.stat().st_mtime_ns
    assert generate(tmp_path, 3) == truth_path
    assert first.stat().st_mtime_ns == written

    generate(tmp_path, 5)
    truth = json.loads(truth_path.read_text())
    assert list(truth) == [f"sample-{number:05d}.jpg" for number in range(5)]
    assert truth["sample-00001.jpg"] == made_once(1)[1]


def test_a_smaller_or_other_set_replaces_the_photos_and_leaves_foreign_files(
    tmp_path: Path,
) -> None:
    (tmp_path / "mine.jpg").write_bytes(b"mine")
    generate(tmp_path, 4)
    generate(tmp_path, 2, seed=9)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mine.jpg",
        "sample-00000.jpg",
        "sample-00001.jpg",
        "truth.json",
    ]
    assert (tmp_path / "sample-00000.jpg").read_bytes() == sample(0, seed=9)[0]


def test_an_interrupted_set_is_made_again(tmp_path: Path) -> None:
    generate(tmp_path, 3)
    (tmp_path / "sample-00002.jpg").unlink()
    generate(tmp_path, 3)
    assert (tmp_path / "sample-00002.jpg").read_bytes() == made_once(2)[0]


def test_photos_differ_in_light_and_detail() -> None:
    brightness = []
    for number in range(12):
        pixels = np.asarray(Image.open(io.BytesIO(made_once(number)[0])).convert("L"))
        assert pixels.std() > 5
        brightness.append(pixels.mean())
    assert max(brightness) - min(brightness) > 40
