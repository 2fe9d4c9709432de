"""What an image file is, told from its bytes.

Coordinates of labels are pixels of the picture as it is stored: the EXIF orientation is told but
never applied, neither here nor by the worker's page, which switches the browser's rotation off
(https://docs.aws.amazon.com/sagemaker/latest/dg/sms-cors-update.html). So ``image_size`` and boxes
fit the pixels that training code reads from the file.
"""

import struct
import zlib
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

# https://docs.aws.amazon.com/sagemaker/latest/dg/input-data-limits.html
MAXIMUM_FILE_BYTES = 40 * 1000 * 1000
MAXIMUM_PIXELS = 100_000_000
EXTENSIONS = (".jpg", ".jpeg", ".png")

# Enough for the header of nearly every photo, and all of many.
FIRST_BYTES = 256 * 1024
# Metadata before the first pixel may be long: colour profiles, thumbnails, depth maps.
MORE_BYTES = 4 * 1024 * 1024
# Whole files up to this size are decoded, which tells truncated ones; JPEG at an eighth.
_DECODED_PNG_PIXELS = 4_000_000
_DECODED_JPEG_PIXELS = 16_000_000
# All coefficients of a progressive one are in memory at once, whatever size is asked for.
_DECODED_PROGRESSIVE_PIXELS = 4_000_000
_ORIENTATION_TAG = 0x0112
_FORMATS = {"JPEG": "jpeg", "MPO": "jpeg", "PNG": "png"}
# Pillow finds MPO through its JPEG reader and registers no reader of that name: asking for one is a
# KeyError for every file that is no JPEG.
READERS = ("JPEG", "PNG")
# A photo has ten or so. Each scan goes over the whole picture again, however few bytes it has.
_MAXIMUM_SCANS = 500
_DEPTHS = {"1": 1, "L": 1, "I": 1, "I;16": 1, "F": 1, "LA": 2, "P": 3, "RGBA": 4, "CMYK": 4}
_FOREIGN_BEGINNINGS = {
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"<svg": "SVG",
    b"<?xml": "XML",
    b"%PDF": "PDF",
}

# Pillow's readers raise whatever a broken file makes them stumble over.
BROKEN_FILE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
)

# Pillow would warn of pictures that this module measures and refuses itself.
Image.MAX_IMAGE_PIXELS = None


class ImageError(ValueError):
    """An image cannot be labeled; the message says why."""


class ImageNeedsMoreError(ImageError):
    """The bytes at hand end before the picture's size is told."""


@dataclass(frozen=True)
class ImageFacts:
    """Format and size of an image file.

    Parameters
    ----------
    format
        ``jpeg`` or ``png``.
    depth
        Channels per pixel, as ``image_size`` in the output has it.
    orientation
        The EXIF orientation from 1 to 8; 1 is upright, also where nothing is said.
    """

    format: str
    width: int
    height: int
    depth: int
    orientation: int = 1

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height


def read_image(data: bytes, total_bytes: int) -> ImageFacts:
    """Tell an image's format and size from its first bytes, decoding it when it is all there.

    Parameters
    ----------
    data
        The file's first bytes.
    total_bytes
        How many the file has.

    Raises
    ------
    ImageError
        If the file cannot be labeled. ImageNeedsMoreError if more of it may tell.
    """
    if total_bytes > MAXIMUM_FILE_BYTES:
        raise ImageError(
            f"the image file has {total_bytes / 1e6:,.1f} MB; "
            f"at most {MAXIMUM_FILE_BYTES / 1e6:.0f} MB"
        )
    if not total_bytes:
        raise ImageError("the image file is empty")
    complete = len(data) >= total_bytes
    try:
        with Image.open(BytesIO(data), formats=READERS) as image:
            facts = _facts(image)
            _refuse_size(facts)
            if complete:
                refuse_many_scans(data)
                _decode(image, facts)
    except ImageError:
        raise
    except BROKEN_FILE_ERRORS as error:
        if complete or not looks_like_an_image(data):
            raise ImageError(_unreadable(data, error)) from error
        raise ImageNeedsMoreError("the image's header goes on") from error
    return facts


def refuse_many_scans(data: bytes) -> None:
    """Raise ImageError for a JPEG file that would take hours to decode.

    Within a scan's own bytes the marker that is counted does not occur.
    """
    scans = data.count(b"\xff\xda") if data.startswith(b"\xff\xd8") else 0
    if scans > _MAXIMUM_SCANS:
        raise ImageError(f"the image has {scans:,} scans; at most {_MAXIMUM_SCANS} are decoded")


def _facts(image: Image.Image) -> ImageFacts:
    orientation = _orientation(image)
    return ImageFacts(
        format=_FORMATS[image.format or ""],
        width=image.width,
        height=image.height,
        depth=_DEPTHS.get(image.mode, 3),
        orientation=orientation if orientation in range(1, 9) else 1,
    )


def _orientation(image: Image.Image) -> int:
    # Not getexif(), which decodes the whole of a PNG file in search of it.
    exif = Image.Exif()
    try:
        exif.load(image.info.get("exif", b""))
        return int(exif.get(_ORIENTATION_TAG, 1))
    except BROKEN_FILE_ERRORS:
        return 1


def _refuse_size(facts: ImageFacts) -> None:
    if not facts.pixels:
        raise ImageError("the image has no pixels")
    if facts.pixels > MAXIMUM_PIXELS:
        raise ImageError(
            f"the image has {facts.width} x {facts.height} = {facts.pixels / 1e6:,.0f} million "
            f"pixels; at most {MAXIMUM_PIXELS / 1e6:.0f} million"
        )


def _decode(image: Image.Image, facts: ImageFacts) -> None:
    progressive = "progressive" in image.info
    most = _DECODED_PROGRESSIVE_PIXELS if progressive else _DECODED_JPEG_PIXELS
    if facts.format == "jpeg" and facts.pixels <= most:
        image.draft(None, (max(1, facts.width // 8), max(1, facts.height // 8)))
        image.load()
    elif facts.format == "png" and facts.pixels <= _DECODED_PNG_PIXELS:
        image.load()


def looks_like_an_image(data: bytes) -> bool:
    """Tell whether a file begins as JPEG and PNG files do."""
    return data.startswith((b"\xff\xd8", b"\x89PNG"))


def _unreadable(data: bytes, error: Exception) -> str:
    accepted = "JPEG and PNG images are accepted"
    if looks_like_an_image(data):
        return f"the image cannot be decoded: {error}"
    for beginning, name in _FOREIGN_BEGINNINGS.items():
        if data.startswith(beginning):
            return f"the file is {name}; {accepted}"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return f"the file is WebP; {accepted}"
    if data[4:8] == b"ftyp":
        return f"the file is HEIC, AVIF or a video; {accepted}"
    return f"the file is not an image; {accepted}"
