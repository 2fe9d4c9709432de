"""Images are told apart from what only looks like one."""

import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from groundwork.images import ImageError, ImageFacts, ImageNeedsMoreError, read_image
from tests.support.hostile_images import png, scans_jpeg
from tests.support.job_fakes import image_bytes


def facts(data: bytes) -> ImageFacts:
    return read_image(data, len(data))


@pytest.mark.parametrize(
    ("kind", "mode", "depth"),
    [
        ("JPEG", "RGB", 3),
        ("JPEG", "L", 1),
        ("JPEG", "CMYK", 4),
        ("PNG", "RGB", 3),
        ("PNG", "RGBA", 4),
        ("PNG", "P", 3),
        ("PNG", "LA", 2),
        ("PNG", "1", 1),
        ("PNG", "I;16", 1),
    ],
)
def test_format_size_and_depth_are_told(kind: str, mode: str, depth: int) -> None:
    expected = "jpeg" if kind == "JPEG" else "png"
    assert facts(image_bytes(30, 20, kind=kind, mode=mode)) == ImageFacts(expected, 30, 20, depth)


def test_a_one_pixel_image_is_one() -> None:
    assert facts(image_bytes(1, 1)).pixels == 1


def test_the_header_alone_tells_the_size_of_a_large_file() -> None:
    data = image_bytes(3000, 2000)
    assert read_image(data[:4096], len(data)) == ImageFacts("jpeg", 3000, 2000, 3)


def test_more_is_asked_for_while_the_header_goes_on() -> None:
    data = image_bytes(30, 20, exif=_exif(6) + b"\0" * 5000)
    with pytest.raises(ImageNeedsMoreError):
        read_image(data[:1000], len(data))
    assert facts(data).width == 30


def test_the_size_is_that_of_the_stored_pixels_whatever_exif_says() -> None:
    turned = facts(image_bytes(30, 20, exif=_exif(6)))
    assert (turned.width, turned.height, turned.orientation) == (30, 20, 6)
    assert facts(image_bytes(30, 20, exif=_exif(77))).orientation == 1


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "the image file is empty"),
        (b"not an image", "the file is not an image; JPEG and PNG images are accepted"),
        (image_bytes(kind="GIF"), "the file is GIF"),
        (image_bytes(kind="BMP"), "the file is BMP"),
        (image_bytes(kind="TIFF"), "the file is TIFF"),
        (image_bytes(kind="WEBP"), "the file is WebP"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 50, "the file is HEIC, AVIF or a video"),
        (image_bytes()[:300], "the image cannot be decoded"),
        (image_bytes(kind="PNG")[:40], "the image cannot be decoded"),
        (image_bytes(200, 200)[:-200] + b"\0" * 20, "the image cannot be decoded"),
    ],
    ids=["empty", "text", "gif", "bmp", "tiff", "webp", "heic", "half header", "half png", "cut"],
)
def test_what_cannot_be_labeled_is_refused_with_the_reason(data: bytes, problem: str) -> None:
    with pytest.raises(ImageError) as refused:
        facts(data)
    assert problem in str(refused.value)


def test_files_and_pictures_that_are_too_large_are_refused() -> None:
    with pytest.raises(ImageError, match=r"the image file has 40\.1 MB; at most 40 MB"):
        read_image(image_bytes(), 40_100_000)
    with pytest.raises(ImageError, match="10000 x 10001 = 100 million pixels; at most 100"):
        facts(png(10_000, 10_001))


def test_a_decompression_bomb_is_refused_by_its_size_alone() -> None:
    with pytest.raises(ImageError, match="60000 x 60000 = 3,600 million pixels"):
        facts(png(60_000, 60_000))


def test_a_file_that_goes_over_its_picture_forever_is_refused() -> None:
    assert facts(scans_jpeg(400)).width == 64
    with pytest.raises(ImageError, match=r"the image has 2,00\d scans; at most 500 are decoded"):
        facts(scans_jpeg(2_000))


def test_a_large_progressive_image_is_not_decoded_for_its_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoded = []
    monkeypatch.setattr(JpegImageFile, "load", lambda self: decoded.append(self.size))

    facts(image_bytes(2_100, 2_000, progressive=True))
    facts(image_bytes(2_100, 2_000))

    assert decoded == [(263, 250)]


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif.tobytes()
