"""Image files that are broken, that lie, or that are something else: made here, byte by byte."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image

from tests.support.job_fakes import image_bytes

PNG_BEGINNING = b"\x89PNG\r\n\x1a\n"
_END = b"\xff\xd9"


def png(
    width: int,
    height: int,
    *,
    depth: int = 8,
    colour: int = 2,
    pixels: bytes | None = b"\0" * 100,
    before: bytes = b"",
    after: bytes = b"",
) -> bytes:
    """Return a PNG file with the header that is asked for, whatever follows.

    Parameters
    ----------
    depth, colour
        Bits per channel and colour type, as in the header.
    pixels
        What is compressed as the picture's rows; None for as many zeros as the header tells.
    before, after
        Chunks before and after the pixels.
    """
    if pixels is None:
        channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
        pixels = bytes((1 + (width * channels * depth + 7) // 8) * height)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [chunk(b"IHDR", header), before, chunk(b"IDAT", zlib.compress(pixels, 1)), after]
    return PNG_BEGINNING + b"".join(parts) + chunk(b"IEND", b"")


def chunk(name: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file with its right checksum."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def exif_jpeg(body: bytes) -> bytes:
    """Return a JPEG file with these bytes as its EXIF data."""
    return image_bytes(exif=b"Exif\0\0" + body)


def scans_jpeg(count: int) -> bytes:
    """Return a small progressive JPEG file that goes over itself again as often as asked."""
    whole = image_bytes(64, 64, progressive=True)
    last = whole.rindex(b"\xff\xda")
    scan = whole[last : whole.rindex(_END)]
    return whole[:last] + scan * count + _END


def _animated(kind: str) -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "green", "blue")]
    frames[0].save(file, kind, save_all=True, append_images=frames[1:])
    return file.getvalue()


def _deep() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(40, 60) * 27).save(file, "PNG")
    return file.getvalue()


def _palette() -> bytes:
    file = io.BytesIO()
    image = Image.new("P", (20, 10), 3)
    image.putpalette(list(range(256)) * 3)
    image.save(file, "PNG", transparency=bytes(range(256)))
    return file.getvalue()


def _ifd(*entries: tuple[int, int, int, bytes], following: int = 0) -> bytes:
    body = b"".join(struct.pack("<HHI4s", *entry) for entry in entries)
    return (
        b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + struct.pack("<I", following)
    )


def _arithmetic() -> bytes:
    """Return a JPEG file whose header says that it is coded arithmetically."""
    return image_bytes().replace(b"\xff\xc0", b"\xff\xc9", 1)


# By what is odd; whether a picture can be had of it is for its readers to say.
IMAGES: dict[str, Callable[[], bytes]] = {
    "photo": lambda: image_bytes(64, 48, quality=90),
    "progressive": lambda: image_bytes(64, 48, progressive=True),
    "arithmetic": _arithmetic,
    "cmyk": lambda: image_bytes(mode="CMYK"),
    "grey": lambda: image_bytes(mode="L"),
    "one pixel": lambda: image_bytes(1, 1, kind="PNG"),
    "two colours": lambda: image_bytes(kind="PNG", mode="1"),
    "16 bits": _deep,
    "16 bits a channel": lambda: png(5, 4, depth=16, colour=6, pixels=None),
    "palette with transparency": _palette,
    "grey with transparency": lambda: image_bytes(kind="PNG", mode="LA"),
    "interlaced": lambda: png(4, 4, pixels=None)[:28] + png(4, 4, pixels=None)[28:],
    "very wide": lambda: png(50_000, 1, colour=0, pixels=None),
    "very tall": lambda: png(1, 50_000, colour=0, pixels=None),
    "animated png": lambda: _animated("PNG"),
    "animated gif": lambda: _animated("GIF"),
    "animated webp": lambda: _animated("WEBP"),
    "pages of tiff": lambda: _animated("TIFF"),
    "mpo": lambda: _animated("MPO"),
    "empty": lambda: b"",
    "half": lambda: image_bytes(300, 200)[:700],
    "header only": lambda: image_bytes()[:20],
    "png without pixels": lambda: png(10, 10, pixels=b""),
    "png with too few pixels": lambda: png(100, 100),
    "png of no size": lambda: png(0, 10),
    "png of odd depth": lambda: png(4, 4, depth=7, colour=5),
    "png with broken zlib": lambda: png(4, 4).replace(b"\x78\x01", b"\x79\x02", 1),
    "bomb": lambda: png(60_000, 60_000),
    "largest header": lambda: png(2**31 - 1, 2**31 - 1),
    "text bomb": lambda: png(
        4, 4, pixels=None, before=chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(20_000_000)))
    ),
    "long text": lambda: png(4, 4, pixels=None, before=chunk(b"tEXt", b"a\0" + b"x" * 3_000_000)),
    "text of no form": lambda: png(
        4, 4, pixels=None, before=chunk(b"iTXt", b"\xff\0\1\1\0") + chunk(b"zTXt", b"")
    ),
    "profile bomb": lambda: png(
        4, 4, pixels=None, before=chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(20_000_000)))
    ),
    "profile junk": lambda: image_bytes(icc_profile=b"\xff" * 70_000),
    "short chunks": lambda: png(
        4,
        4,
        pixels=None,
        before=b"".join(
            chunk(name, b"\1") for name in (b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"tRNS", b"acTL")
        ),
    ),
    "exif late": lambda: png(4, 4, pixels=None, after=chunk(b"eXIf", b"MM\0*\0\0\0\x08\0")),
    "exif turned": lambda: exif_jpeg(_ifd((0x0112, 3, 1, b"\6\0\0\0"))),
    "exif of text": lambda: exif_jpeg(_ifd((0x0112, 2, 4, b"abc\0"))),
    "exif without end": lambda: exif_jpeg(_ifd((0x0112, 3, 1, b"\6\0\0\0"), following=8)),
    "exif far away": lambda: exif_jpeg(_ifd((0x0112, 5, 2**31, b"\xff\xff\xff\x7f"))),
    "exif by zero": lambda: exif_jpeg(_ifd((0x0112, 5, 1, b"\x08\0\0\0"))),
    "exif junk": lambda: exif_jpeg(b"\xff" * 60_000),
    "exif empty": lambda: exif_jpeg(b""),
    "many scans": lambda: scans_jpeg(2_000),
    "svg": lambda: b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "svg bomb": lambda: b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><svg>&b;</svg>',
    "postscript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "pdf and jpeg": lambda: b"%PDF-1.7\n" + image_bytes(),
    "jpeg and html": lambda: image_bytes() + b"<script>alert(1)</script>",
    "jpeg and zip": lambda: image_bytes() + b"PK\5\6" + bytes(18),
    "gif as jpeg": lambda: b"\xff\xd8\xff" + _animated("GIF"),
    "bmp": lambda: image_bytes(kind="BMP"),
    "ico": lambda: image_bytes(kind="ICO"),
    "jpeg 2000": lambda: b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40),
    "heic": lambda: b"\0\0\0\x18ftypheic" + bytes(50),
}
