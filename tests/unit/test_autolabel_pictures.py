"""Pictures of every kind become the same arrays."""

import io

import numpy as np
import pytest
from PIL import Image

from groundwork.autolabel.pictures import (
    GREY,
    Picture,
    PictureError,
    cut_crops,
    fit_square,
    open_picture,
)
from tests.support.hostile_images import scans_jpeg


def file_of(image: Image.Image, kind: str = "PNG") -> bytes:
    data = io.BytesIO()
    image.save(data, kind)
    return data.getvalue()


def gradient(width: int = 60, height: int = 40) -> Image.Image:
    x = np.linspace(0, 255, width)[None, :].repeat(height, axis=0)
    y = np.linspace(0, 255, height)[:, None].repeat(width, axis=1)
    return Image.fromarray(np.stack([x, y, 255 - x], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "CMYK", "I;16", "RGB"])
def test_every_mode_becomes_rgb_of_its_own_size(mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray((np.arange(2400).reshape(40, 60) * 27).astype(np.uint16))
    else:
        image = gradient().convert(mode)
    picture = open_picture(file_of(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert picture.image.mode == "RGB"
    assert (picture.width, picture.height) == (60, 40)
    assert np.asarray(picture.image).std() > 20


def test_transparency_is_grey() -> None:
    picture = open_picture(file_of(Image.new("RGBA", (8, 8), (255, 0, 0, 0))))
    assert np.asarray(picture.image)[4, 4].tolist() == [GREY] * 3


def test_a_picture_far_larger_than_is_kept_looks_the_same_whatever_its_mode() -> None:
    ramp = np.linspace(0, 255, 5000).astype(np.uint8)[None, :].repeat(1500, axis=0)
    deep = Image.fromarray(ramp.astype(np.uint16) * 257)
    for image in (Image.fromarray(ramp), deep, Image.fromarray(ramp).convert("LA")):
        picture = open_picture(file_of(image))
        assert (picture.width, picture.height) == (5000, 1500)
        assert picture.image.size == (2048, 614)
        shown = np.asarray(picture.image).astype(float)
        expected = np.linspace(0, 255, 2048)[None, :, None]
        assert np.abs(shown - expected).max() < 3


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "BMP"])
def test_only_what_a_job_labels_is_opened(kind: str) -> None:
    with pytest.raises(PictureError, match="cannot be decoded"):
        open_picture(file_of(gradient(), kind))


def test_a_picture_that_takes_hours_to_decode_is_refused() -> None:
    with pytest.raises(PictureError, match="scans; at most 500"):
        open_picture(scans_jpeg(2_000))


@pytest.mark.parametrize("data", [b"", b"no image", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n"])
def test_what_cannot_be_decoded_says_so(data: bytes) -> None:
    with pytest.raises(PictureError, match="cannot be decoded"):
        open_picture(data)


def test_a_truncated_file_says_so() -> None:
    with pytest.raises(PictureError, match="cannot be decoded"):
        open_picture(file_of(gradient(300, 200), "JPEG")[:1500])


def test_large_pictures_are_kept_small_and_their_size_remembered() -> None:
    for kind in ("JPEG", "PNG"):
        picture = open_picture(file_of(Image.new("RGB", (3000, 1500), (9, 99, 199)), kind))
        assert (picture.width, picture.height) == (3000, 1500)
        assert max(picture.image.size) <= 2048


def test_one_pixel_is_a_picture() -> None:
    picture = open_picture(file_of(Image.new("RGB", (1, 1), (9, 99, 199))))
    assert fit_square(picture, 64).shape == (64, 64, 3)
    assert cut_crops(picture, np.array([[0.0, 0, 1, 1]]), 32)[0, 16, 16].tolist() == [9, 99, 199]


def test_the_square_shows_the_picture_at_its_top_left_on_grey() -> None:
    square = fit_square(Picture(gradient(), 60, 40), 96)
    assert square[:64].std() > 20
    assert np.all(square[64:] == GREY)


def test_a_crop_shows_its_frame_stretched() -> None:
    picture = Picture(gradient(), 60, 40)
    crop = cut_crops(picture, np.array([[15.0, 10, 45, 30]]), 64)[0].astype(float)
    whole = np.asarray(gradient()).astype(float)
    assert crop[:, :3].mean(axis=(0, 1)) == pytest.approx(
        whole[10:30, 15:16].mean(axis=(0, 1)), abs=6
    )
    assert crop[-3:].mean(axis=(0, 1)) == pytest.approx(
        whole[29:30, 15:45].mean(axis=(0, 1)), abs=6
    )


def test_what_lies_outside_the_picture_is_grey() -> None:
    picture = Picture(Image.new("RGB", (60, 40), (255, 255, 255)), 60, 40)
    left, outside, around = cut_crops(
        picture, np.array([[-30.0, 0, 30, 40], [100, 100, 120, 120], [-60, -40, 120, 80]]), 60
    )
    assert np.all(left[:, :29] == GREY)
    assert np.all(left[:, 31:] == 255)
    assert np.all(outside == GREY)
    assert np.all(around[21:39, 21:39] == 255)
    assert np.all(around[:18] == GREY)


def test_a_frame_without_area_is_grey() -> None:
    picture = Picture(gradient(), 60, 40)
    assert np.all(cut_crops(picture, np.array([[10.0, 10, 10, 20]]), 32) == GREY)


def test_frames_are_in_pixels_of_the_stored_picture_also_when_it_is_kept_smaller() -> None:
    full = Picture(gradient(600, 400), 600, 400)
    small = Picture(gradient(600, 400).resize((300, 200)), 600, 400)
    frame = np.array([[150.0, 100, 450, 300]])
    one, other = (cut_crops(each, frame, 48).astype(float) for each in (full, small))
    assert np.abs(one - other).mean() < 3
