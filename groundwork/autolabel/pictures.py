"""Pictures as arrays: decoded, fitted into the network's square, and cropped.

Coordinates are pixels of the stored picture, origin at its top left corner, x to the right and y
down. EXIF orientation is not applied, as everywhere (see ``groundwork.images``).
"""

import io
import threading
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from groundwork.images import (
    BROKEN_FILE_ERRORS,
    MAXIMUM_PIXELS,
    READERS,
    ImageError,
    refuse_many_scans,
)

Pixels = NDArray[np.uint8]
Boxes = NDArray[np.float64]

# What lies outside a picture, in the middle of the network's range.
GREY = 127
# A decoded picture is kept at this many pixels a side at most: no crop needs more.
LARGEST_SIDE = 2048
# Decoding a large picture takes up to 400 MB, so that threads take turns at them.
_LARGE_PIXELS = 16_000_000
_one_large_picture = threading.Lock()
# Modes are converted so many pixels at a time, since some ways to RGB take 30 bytes a pixel.
_BAND_PIXELS = 4_000_000
_DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "F")


class PictureError(ValueError):
    """A picture cannot be decoded; the message says why."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture.

    Parameters
    ----------
    image
        RGB, at its own size or smaller.
    width, height
        Its size as stored, in which coordinates are given.
    """

    image: Image.Image
    width: int
    height: int


def open_picture(data: bytes, largest_side: int = LARGEST_SIDE) -> Picture:
    """Decode a JPEG or PNG file, whatever its mode, into RGB.

    Parameters
    ----------
    largest_side
        How many pixels a side has at most; larger pictures are made smaller.

    Raises
    ------
    PictureError
        If the file cannot be decoded or is larger than a labeling job takes.
    """
    try:
        refuse_many_scans(data)
        with Image.open(io.BytesIO(data), formats=READERS) as file:
            width, height = file.size
            if width * height > MAXIMUM_PIXELS:
                raise PictureError(f"the image has {width} x {height} pixels")
            large = width * height > _LARGE_PIXELS
            with _one_large_picture if large else nullcontext():
                # JPEG only: decodes at a half, quarter or eighth where that is large enough.
                file.draft("RGB", (largest_side, largest_side))
                image = _rgb(file, largest_side)
    except PictureError:
        raise
    except ImageError as error:
        raise PictureError(str(error)) from error
    except BROKEN_FILE_ERRORS as error:
        raise PictureError(f"the image cannot be decoded: {error}") from error
    image.thumbnail((largest_side, largest_side), Image.Resampling.BILINEAR)
    return Picture(image, width, height)


def fit_square(picture: Picture, side: int) -> Pixels:
    """Return the picture in the top left of a grey square (side, side, 3), its shape kept."""
    scale = square_scale(picture.width, picture.height, side)
    width = max(1, round(picture.width * scale))
    height = max(1, round(picture.height * scale))
    square = np.full((side, side, 3), GREY, np.uint8)
    resized = picture.image.resize((width, height), Image.Resampling.BILINEAR)
    square[:height, :width] = np.asarray(resized)
    return square


def square_scale(width: int, height: int, side: int) -> float:
    """Return how many of the square's pixels one of the picture's takes."""
    return side / max(width, height)


def cut_crops(picture: Picture, frames: Boxes, side: int) -> Pixels:
    """Return parts of a picture, each stretched to a square: (frames, side, side, 3).

    What lies outside the picture is grey. Pillow's ``resize`` with a box reads only that part and
    smooths what it makes smaller, but takes boxes within the image alone.

    Parameters
    ----------
    frames
        (frames, 4): left, top, right, bottom.
    """
    crops = np.full((len(frames), side, side, 3), GREY, np.uint8)
    to_image = picture.image.width / picture.width, picture.image.height / picture.height
    for crop, (left, top, right, bottom) in zip(crops, frames, strict=True):
        across = _inside(left, right, picture.width, side)
        down = _inside(top, bottom, picture.height, side)
        if across is None or down is None:
            continue
        (first_x, last_x, low_x, high_x), (first_y, last_y, low_y, high_y) = across, down
        region = (
            low_x * to_image[0],
            low_y * to_image[1],
            min(high_x * to_image[0], picture.image.width),
            min(high_y * to_image[1], picture.image.height),
        )
        size = (last_x - first_x, last_y - first_y)
        part = picture.image.resize(size, Image.Resampling.BILINEAR, box=region)
        crop[first_y:last_y, first_x:last_x] = np.asarray(part)
    return crops


def _inside(
    low: float, high: float, limit: float, side: int
) -> tuple[int, int, float, float] | None:
    """Return which of a crop's pixels lie wholly in the picture, and what part of it they show."""
    step = (high - low) / side
    if step <= 0:
        return None
    first = max(0, int(np.ceil(-low / step - 1e-9)))
    last = min(side, int(np.floor((limit - low) / step + 1e-9)))
    if last <= first:
        return None
    return first, last, max(0.0, low + first * step), min(limit, low + last * step)


def _rgb(file: Image.Image, largest_side: int) -> Image.Image:
    """Return any mode as RGB, and far larger pictures smaller: but not below the largest side."""
    file.load()
    highest = _highest(file)
    width, height = file.size
    factor = max(width, height) // largest_side
    if factor <= 1 and width * height <= _BAND_PIXELS:
        return _converted(file, highest)
    factor = max(1, factor)
    rows = factor * max(1, _BAND_PIXELS // (width * factor))
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for top in range(0, height, rows):
        band = file.crop((0, top, width, min(height, top + rows)))
        small.paste(_converted(band, highest).reduce(factor), (0, top // factor))
    return small


def _highest(file: Image.Image) -> float:
    """Return what white is in a mode of more than 8 bits: the highest value that occurs."""
    if file.mode not in _DEEP_MODES:
        return 255.0
    _, highest = file.getextrema()
    return max(255.0, float(np.max(highest)))


def _converted(image: Image.Image, highest: float) -> Image.Image:
    """Return any mode as RGB: 16 bits scaled down, transparency on grey, CMYK converted."""
    if image.mode in _DEEP_MODES:
        values = np.clip(np.asarray(image, dtype=np.float32) / highest, 0, 1)
        return Image.fromarray((values * 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        colours = image.convert("RGBA")
        ground = Image.new("RGBA", colours.size, (GREY, GREY, GREY, 255))
        return Image.alpha_composite(ground, colours).convert("RGB")
    return image.convert("RGB")
