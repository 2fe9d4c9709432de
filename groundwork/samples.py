"""Synthetic photos with known boxes for the demo, the workshop and tests; nothing is downloaded."""

import io
import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

SAMPLE_LABELS: tuple[str, ...] = ("Beacon", "Comet", "Harbor")
TRUTH_FILE = "truth.json"

Truth = dict[str, list[dict[str, Any]]]
_Colour = tuple[int, int, int]
_Pixels = npt.NDArray[np.floating[Any]]

_WIDTH, _HEIGHT = 640, 480
_EMBLEM_PIXELS = 512
# A box is what a person would draw: an edge pixel belongs to the emblem once half covered by it.
_COVERED = 127
# With 0 to 3 emblems an image, about one image in eight has none.
_EMBLEMS_PER_IMAGE = (0.12, 0.48, 0.27, 0.13)
_NAME = re.compile(r"sample-\d{5}\.jpg")


def generate(folder: Path, count: int, seed: int = 0) -> Path:
    """Write `count` photos and their exact `truth.json` to a folder; return the truth file's path.

    Photo number n depends on the seed and on n only, so a larger set begins with the smaller one.
    Does nothing when the same set is already there, and removes the photos of another sample set.
    """
    truth_path = folder / TRUTH_FILE
    names = [f"sample-{number:05d}.jpg" for number in range(count)]
    if _already_there(folder, names, seed):
        return truth_path
    folder.mkdir(parents=True, exist_ok=True)
    truth_path.unlink(missing_ok=True)
    for stale in folder.iterdir():
        if _NAME.fullmatch(stale.name):
            stale.unlink()
    truth: Truth = {}
    for number, name in enumerate(names):
        content, truth[name] = sample(number, seed)
        (folder / name).write_bytes(content)
    # Written last and in one move: a truth file means that the set is complete.
    unfinished = truth_path.with_suffix(".part")
    unfinished.write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    unfinished.replace(truth_path)
    return truth_path


def sample(number: int, seed: int = 0) -> tuple[bytes, list[dict[str, Any]]]:
    """Make one photo: its JPEG bytes and its boxes `{label, left, top, width, height}`."""
    random = np.random.default_rng([seed, number])
    picture = _background(random)
    _distract(picture, random)
    boxes: list[dict[str, Any]] = []
    for _ in range(int(random.choice(len(_EMBLEMS_PER_IMAGE), p=_EMBLEMS_PER_IMAGE))):
        label = SAMPLE_LABELS[int(random.integers(len(SAMPLE_LABELS)))]
        box = _place(picture, label, boxes, random)
        if box is not None:
            boxes.append(box)
    out = io.BytesIO()
    _camera(picture, random).save(out, "JPEG", quality=int(random.integers(78, 94)))
    return out.getvalue(), boxes


def _already_there(folder: Path, names: list[str], seed: int) -> bool:
    try:
        truth = json.loads((folder / TRUTH_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if list(truth) != names or not all((folder / name).is_file() for name in names):
        return False
    # The first photo tells another seed, and another version of this generator, from this one.
    return not names or (folder / names[0]).read_bytes() == sample(0, seed)[0]


# --- emblems ------------------------------------------------------------------------------------


def _beacon(draw: ImageDraw.ImageDraw, main: _Colour, accent: _Colour) -> None:
    """A hexagon with three bars that grow from left to right."""
    middle, radius = _EMBLEM_PIXELS / 2, _EMBLEM_PIXELS * 0.48
    corners = [
        (middle + radius * math.cos(angle), middle + radius * math.sin(angle))
        for angle in (math.pi / 3 * corner for corner in range(6))
    ]
    draw.polygon(corners, fill=(*main, 255))
    for left, top in ((132, 290), (222, 220), (312, 150)):
        draw.rectangle((left, top, left + 68, 366), fill=(*accent, 255))


def _comet(draw: ImageDraw.ImageDraw, main: _Colour, accent: _Colour) -> None:
    """A ringed head with three rays behind it."""
    for left, top, right, bottom in ((20, 330, 250, 400), (20, 410, 330, 470), (60, 250, 250, 320)):
        draw.polygon(
            [(left, (top + bottom) // 2 + 20), (right, top - 60), (right + 20, bottom - 60)],
            fill=(*accent, 255),
        )
    draw.ellipse((190, 40, 490, 340), fill=(*main, 255))
    draw.ellipse((245, 95, 435, 285), fill=(*accent, 255))
    draw.ellipse((290, 140, 390, 240), fill=(*main, 255))


def _harbor(draw: ImageDraw.ImageDraw, main: _Colour, accent: _Colour) -> None:
    """A shield with two waves and a mast."""
    draw.polygon(
        [(60, 30), (452, 30), (452, 260), (400, 390), (256, 486), (112, 390), (60, 260)],
        fill=(*main, 255),
    )
    draw.polygon([(270, 70), (270, 220), (390, 220)], fill=(*accent, 255))
    draw.rectangle((232, 70, 254, 240), fill=(*accent, 255))
    for middle in (280, 350):
        upper = [(x, middle + 16 * math.sin(x / 26)) for x in range(110, 403, 4)]
        lower = [(x, y + 34) for x, y in reversed(upper)]
        draw.polygon(upper + lower, fill=(*accent, 255))


_EMBLEMS: dict[
    str, tuple[Callable[[ImageDraw.ImageDraw, _Colour, _Colour], None], _Colour, _Colour]
]
_EMBLEMS = {
    "Beacon": (_beacon, (196, 52, 44), (250, 226, 120)),
    "Comet": (_comet, (38, 70, 160), (240, 150, 50)),
    "Harbor": (_harbor, (24, 122, 92), (236, 240, 236)),
}


def _emblem(label: str, random: np.random.Generator) -> Image.Image:
    shape, main, accent = _EMBLEMS[label]
    image = Image.new("RGBA", (_EMBLEM_PIXELS, _EMBLEM_PIXELS), (0, 0, 0, 0))
    shape(ImageDraw.Draw(image), _tint(main, random), _tint(accent, random))
    return image


def _tint(colour: _Colour, random: np.random.Generator) -> _Colour:
    red, green, blue = (int(value) for value in np.clip(colour + random.normal(0, 16, 3), 0, 255))
    return red, green, blue


def _place(
    picture: Image.Image, label: str, taken: list[dict[str, Any]], random: np.random.Generator
) -> dict[str, Any] | None:
    """Put an emblem where it covers no other, and return its box; None when no place was found."""
    for _ in range(12):
        side = int(_HEIGHT * math.exp(random.uniform(math.log(0.13), math.log(0.55))))
        stretch = random.uniform(0.82, 1.18)
        emblem = _emblem(label, random).resize(
            (max(8, round(side * stretch)), side), Image.Resampling.LANCZOS
        )
        emblem = emblem.rotate(random.normal(0, 14), resample=Image.Resampling.BICUBIC, expand=True)
        inner = emblem.getchannel("A").point(lambda alpha: 255 if alpha > _COVERED else 0).getbbox()
        if inner is None:
            continue
        width, height = inner[2] - inner[0], inner[3] - inner[1]
        if width >= _WIDTH - 4 or height >= _HEIGHT - 4:
            continue
        left = int(random.integers(2, _WIDTH - width - 1))
        top = int(random.integers(2, _HEIGHT - height - 1))
        box = {"label": label, "left": left, "top": top, "width": width, "height": height}
        if any(_overlap(box, other) for other in taken):
            continue
        _stick(picture, emblem, (left - inner[0], top - inner[1]), random)
        return box
    return None


def _overlap(one: dict[str, Any], other: dict[str, Any], margin: int = 36) -> bool:
    # The margin leaves room for the panel behind an emblem, which must not cover its neighbour.
    return bool(
        one["left"] < other["left"] + other["width"] + margin
        and other["left"] < one["left"] + one["width"] + margin
        and one["top"] < other["top"] + other["height"] + margin
        and other["top"] < one["top"] + one["height"] + margin
    )


def _stick(
    picture: Image.Image,
    emblem: Image.Image,
    position: tuple[int, int],
    random: np.random.Generator,
) -> None:
    """Lay the emblem on the picture, sometimes as a sign on a plain panel, with its own light."""
    pixels = np.asarray(emblem, dtype=np.float32).copy()
    across = np.linspace(random.uniform(0.75, 1.15), random.uniform(0.75, 1.15), emblem.width)
    pixels[..., :3] = np.clip(pixels[..., :3] * across[None, :, None].astype(np.float32), 0, 255)
    lit = Image.fromarray(pixels.astype(np.uint8), "RGBA")
    if random.random() < 0.45:
        margin = round(max(emblem.size) * random.uniform(0.04, 0.12))
        shade = int(random.integers(170, 256))
        ImageDraw.Draw(picture).rounded_rectangle(
            (
                position[0] - margin,
                position[1] - margin,
                position[0] + emblem.width + margin,
                position[1] + emblem.height + margin,
            ),
            radius=margin,
            fill=_tint((shade, shade, shade), random),
        )
    picture.paste(lit, position, lit.getchannel("A"))


# --- scenery ------------------------------------------------------------------------------------


def _background(random: np.random.Generator) -> Image.Image:
    painters = (_clouds, _wall, _stripes, _lights, _hills)
    return painters[int(random.integers(len(painters)))](random)


def _colours(random: np.random.Generator, count: int) -> _Pixels:
    """Muted colours of one family, as photos have them."""
    base = random.uniform(55, 200) + random.normal(0, 26, 3)
    spread = random.normal(0, 30, (count, 3))
    return np.asarray(np.clip(base + spread, 15, 240), dtype=np.float32)


def _noise(random: np.random.Generator, cells: int) -> _Pixels:
    """Smooth noise in 0..1, as large as the picture."""
    grid = random.random((max(2, cells * 3 // 4), cells)).astype(np.float32)
    smooth = Image.fromarray((grid * 255).astype(np.uint8)).resize(
        (_WIDTH, _HEIGHT), Image.Resampling.BICUBIC
    )
    return np.asarray(smooth, dtype=np.float32) / 255


def _mix(low: _Pixels, high: _Pixels, share: _Pixels) -> Image.Image:
    pixels = low + (high - low) * share[..., None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _clouds(random: np.random.Generator) -> Image.Image:
    low, high = _colours(random, 2)
    share = sum((_noise(random, 4 * 2**octave) / 2**octave for octave in range(5)), np.float32(0))
    return _mix(low, high, np.asarray(share / 2, dtype=np.float32))


def _wall(random: np.random.Generator) -> Image.Image:
    picture = _clouds(random)
    draw = ImageDraw.Draw(picture)
    brick_height = int(random.integers(22, 60))
    brick_width = brick_height * 2
    joint = _tint((150, 146, 140), random)
    for row in range(_HEIGHT // brick_height + 1):
        draw.line((0, row * brick_height, _WIDTH, row * brick_height), fill=joint, width=3)
        shift = brick_width // 2 if row % 2 else 0
        for x in range(shift, _WIDTH, brick_width):
            draw.line((x, row * brick_height, x, (row + 1) * brick_height), fill=joint, width=3)
    return picture


def _stripes(random: np.random.Generator) -> Image.Image:
    low, high = _colours(random, 2)
    angle = random.uniform(0, math.pi)
    across = np.arange(_WIDTH)[None, :] * math.cos(angle) + np.arange(_HEIGHT)[:, None] * math.sin(
        angle
    )
    wave = (np.sin(across / random.uniform(6, 40)) + 1) / 2
    return _mix(low, high, (0.7 * wave + 0.3 * _noise(random, 24)).astype(np.float32))


def _lights(random: np.random.Generator) -> Image.Image:
    picture = _clouds(random).filter(ImageFilter.GaussianBlur(6))
    veil = Image.new("RGB", picture.size)
    draw = ImageDraw.Draw(veil)
    for _ in range(int(random.integers(12, 40))):
        x, y = int(random.integers(_WIDTH)), int(random.integers(_HEIGHT))
        radius = int(random.integers(8, 46))
        draw.ellipse(
            (x - radius, y - radius, x + radius, y + radius), fill=_tint((150,) * 3, random)
        )
    return Image.blend(picture, veil.filter(ImageFilter.GaussianBlur(2)), 0.35)


def _hills(random: np.random.Generator) -> Image.Image:
    sky, haze, *land = _colours(random, 5)
    down = np.linspace(0, 1, _HEIGHT, dtype=np.float32)[:, None] * np.ones(
        (1, _WIDTH), dtype=np.float32
    )
    picture = _mix(sky, haze, down)
    draw = ImageDraw.Draw(picture)
    for layer, colour in enumerate(land):
        horizon = _HEIGHT * (0.4 + 0.2 * layer)
        bends = [(x, horizon + random.normal(0, 26)) for x in range(-40, _WIDTH + 80, 40)]
        red, green, blue = (int(value) for value in colour)
        draw.polygon([*bends, (_WIDTH + 40, _HEIGHT), (-40, _HEIGHT)], fill=(red, green, blue))
    return picture


def _distract(picture: Image.Image, random: np.random.Generator) -> None:
    """Add shapes that are no emblem, some in an emblem's colours."""
    draw = ImageDraw.Draw(picture)
    emblem_colours = [colour for _, *pair in _EMBLEMS.values() for colour in pair]
    for _ in range(int(random.integers(0, 8))):
        colour = _tint(emblem_colours[int(random.integers(len(emblem_colours)))], random)
        x, y = int(random.integers(_WIDTH)), int(random.integers(_HEIGHT))
        width, height = (int(value) for value in random.integers(12, 90, 2))
        kind = int(random.integers(4))
        if kind == 0:
            draw.ellipse((x, y, x + width, y + height), outline=colour, width=4)
        elif kind == 1:
            draw.rectangle((x, y, x + width, y + height), fill=colour)
        elif kind == 2:
            draw.polygon([(x, y), (x + width, y + height // 3), (x, y + height)], fill=colour)
        else:
            # Bars of uneven length pass for a line of print.
            for step in range(int(random.integers(3, 9))):
                draw.rectangle((x + step * 14, y, x + step * 14 + 9, y + height // 3), fill=colour)


def _camera(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Light, contrast, focus and sensor noise of the whole photo."""
    pixels = np.asarray(picture, dtype=np.float32)
    gain = random.uniform(0.65, 1.25)
    pixels = (pixels - 128) * random.uniform(0.8, 1.15) + 128
    pixels = pixels * gain * random.uniform(0.94, 1.06, 3).astype(np.float32)
    pixels = pixels + random.normal(0, random.uniform(1, 8), pixels.shape).astype(np.float32)
    photo = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return photo.filter(ImageFilter.GaussianBlur(random.uniform(0, 1.4)))
