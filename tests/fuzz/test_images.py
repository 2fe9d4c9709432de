"""Image files of every kind: a picture, or one sentence that says why there is none."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from groundwork.autolabel.pictures import LARGEST_SIDE, PictureError, fit_square, open_picture
from groundwork.datasets.image_files import (
    ImageFetcher,
    ImageMode,
    file_size,
    has_rotation,
)
from groundwork.image_folder import ImageFolder
from groundwork.images import MAXIMUM_PIXELS, ImageError, ImageNeedsMoreError, read_image
from groundwork.jobs.model import JobStatus
from groundwork.preflight.data import DataSettings, check_place
from groundwork.report_page.thumbnails import thumbnails
from tests.support.fuzzing import damaged, hostile
from tests.support.hostile_images import IMAGES, PNG_BEGINNING
from tests.support.job_fakes import BUCKET, Workshop, boxes_answer, worker

# Pillow warns of what it reads all the same.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning:PIL.*")

# Small enough to be damaged thousands of times.
SMALL = {
    name: data
    for name, make in IMAGES.items()
    if "bomb" not in name and len(data := make()) < 5_000
}
FOREIGN = {"animated gif", "animated webp", "pages of tiff", "svg", "postscript", "bmp", "ico"}


def check(data: bytes) -> bool:
    """Let every reader of images look at a file; tell whether it can be labeled."""
    facts = None
    try:
        facts = read_image(data, len(data))
    except ImageError as error:
        assert not isinstance(error, ImageNeedsMoreError)
        assert 0 < len(str(error)) < 500
    else:
        assert 0 < facts.pixels <= MAXIMUM_PIXELS
        assert facts.orientation in range(1, 9)
    for part in (data[:30], data[: len(data) // 2]):
        try:
            read_image(part, len(data))
        except ImageError as error:
            assert str(error)
    try:
        picture = open_picture(data)
    except PictureError as error:
        assert 0 < len(str(error)) < 500
    else:
        assert picture.image.mode == "RGB"
        assert max(picture.image.size) <= LARGEST_SIDE
        assert fit_square(picture, 32).shape == (32, 32, 3)
        if facts is not None:
            assert (picture.width, picture.height) == (facts.width, facts.height)
    assert has_rotation(data) in (True, False)
    return facts is not None


@pytest.mark.parametrize("name", IMAGES)
def test_an_odd_image_is_a_picture_or_says_why_not(name: str, tmp_path: Path) -> None:
    data = IMAGES[name]()
    path = tmp_path / "a #%20 한글.jpg"
    path.write_bytes(data)

    can_be_labeled = check(data)

    assert not (can_be_labeled and name in FOREIGN)
    assert (file_size(path) is not None) == can_be_labeled
    (small,) = thumbnails([str(path)], ImageFetcher(ImageMode.COPY, None, None))
    if isinstance(small, bytes):
        assert max(Image.open(io.BytesIO(small)).size) <= 512
    else:
        assert str(path) in small


@hostile
@given(
    st.sampled_from(sorted(SMALL)).flatmap(lambda name: damaged(SMALL[name]))
    | st.builds(bytes.__add__, st.sampled_from([b"", b"\xff\xd8\xff", PNG_BEGINNING]), st.binary())
)
def test_a_damaged_image_is_a_picture_or_says_why_not(data: bytes) -> None:
    check(data)


def test_a_folder_of_odd_images_is_looked_through(tmp_path: Path) -> None:
    made = {name: make() for name, make in IMAGES.items()}
    for name, data in made.items():
        if data:
            (tmp_path / f"{name}.jpg").write_bytes(data)

    settings = DataSettings("open", "us-east-1", None, labels=("a",))
    found = check_place(str(tmp_path), settings)

    assert found.looked_at == len(ImageFolder.scan(tmp_path).names)


def test_a_job_on_odd_images_ends_with_a_label_or_a_reason_for_each() -> None:
    shop = Workshop()
    lines = []
    for name, make in IMAGES.items():
        uri = f"s3://{BUCKET}/photos/{name}.jpg"
        shop.s3.add(uri, make())
        lines.append(f'{{"source-ref": "{uri}"}}')
    shop.start(lines, batch=100)
    shop.answer_all([worker(1)], lambda person, task: boxes_answer())

    assert shop.job().status is JobStatus.COMPLETED
    counters = shop.job().counters
    assert (counters.human_labeled + counters.failed, counters.unlabeled) == (len(IMAGES), 0)
    reasons = dict(zip(IMAGES, shop.output(), strict=True))
    assert all("failure-reason" in reasons[name]["animals-metadata"] for name in FOREIGN)


_TWO_LARGEST = """
import resource
from concurrent.futures import ThreadPoolExecutor
from groundwork.autolabel.pictures import open_picture
from tests.support.hostile_images import png

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

files = [png(10_000, 10_000, depth=1, colour=0, pixels=None) for _ in range(2)]
open_picture(png(4, 4, pixels=None))
before = peak_mib()
with ThreadPoolExecutor(2) as pool:
    for picture in pool.map(open_picture, files):
        assert (picture.width, picture.image.width) == (10_000, 2_048), picture
print(peak_mib() - before)
"""


def test_the_largest_pictures_are_opened_one_at_a_time_in_little_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _TWO_LARGEST], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    # 95 MiB for the pixels of one. The plain way to RGB takes 380 more for each.
    assert float(done.stdout) < 235, done.stdout
