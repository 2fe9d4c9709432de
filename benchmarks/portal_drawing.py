"""Frames a second while boxes are drawn on a 4K picture with 300 others, against an empty page."""

import itertools
import json
import os
import random
import subprocess
import tempfile
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

PROJECT = Path(__file__).resolve().parent.parent
GOAL_FRAMES_PER_SECOND = 60
_WIDTH, _HEIGHT = 3840, 2160
_BOXES = 300
_LABELS = ["car", "bus", "truck", "bicycle", "person", "sign"]
_SECONDS = 3
_ROUNDS = 3
_CHROMIUM = Path("/usr/bin/chromium")
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
_ORIGIN = "http://portal.test"

# Pointer events are made inside the page, one a frame, to which browsers align a real mouse's, too:
# through the driver's pipe they would measure the pipe.
_MEASURE = """async ([action, seconds]) => {
  const stage = document.querySelector("crowd-bounding-box")?.shadowRoot.querySelector(".surface");
  const box = stage?.getBoundingClientRect();
  const send = (type, x, y, more = {}) => {
    const kind = type === "wheel" ? WheelEvent : PointerEvent;
    stage.dispatchEvent(new kind(type, {
      bubbles: true, composed: true, cancelable: true, pointerId: 1, pointerType: "mouse",
      isPrimary: true, clientX: box.left + x, clientY: box.top + y, ...more}));
  };
  // There is no such pointer to be captured.
  if (stage) stage.setPointerCapture = () => {};
  const path = (step) => [
    box.width * (0.5 + 0.4 * Math.sin(step / 23)),
    box.height * (0.5 + 0.4 * Math.cos(step / 31))];
  const button = action === "pan" ? 1 : 0;
  const drags = action === "draw" || action === "pan";
  if (drags) send("pointerdown", box.width / 2, box.height / 2, {button});
  const acts = {
    idle: () => {},
    draw: (step) => send("pointermove", ...path(step)),
    hover: (step) => send("pointermove", ...path(step)),
    pan: (step) => send("pointermove", ...path(step)),
    zoom: (step) => send(
      "wheel", box.width * 0.4, box.height * 0.6, {deltaY: step % 60 < 30 ? -30 : 30}),
  };
  const times = [];
  const end = performance.now() + seconds * 1000;
  for (let step = 0; performance.now() < end; step += 1) {
    times.push(await new Promise(requestAnimationFrame));
    acts[action](step);
  }
  if (drags) send("pointerup", 10, 10, {button});
  return times;
}"""


def run() -> dict[str, Any]:
    """Alternate between the tool and an empty page: what else the machine does falls on both."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        script = _built(Path(folder))
        found = str(_CHROMIUM) if _CHROMIUM.exists() else None
        browser = playwright.chromium.launch(executable_path=found, args=_ARGUMENTS)
        empty = browser.new_page(viewport={"width": 1600, "height": 900})
        tool = browser.new_page(viewport={"width": 1600, "height": 900})
        _open(tool, script)
        rounds: dict[str, list[tuple[list[float], float]]] = {}
        for _ in range(_ROUNDS):
            for action in ("idle", "draw", "pan", "zoom", "hover"):
                page = empty if action == "idle" else tool
                page.bring_to_front()
                before = _processor_seconds()
                times = page.evaluate(_MEASURE, [action, _SECONDS])
                rounds.setdefault(action, []).append((times, _processor_seconds() - before))
        browser.close()
    figures = {action: _figures(measured) for action, measured in rounds.items()}
    slowest = min(
        (figures[action]["frames_per_second"], action) for action in ("draw", "pan", "zoom")
    )
    idle = figures["idle"]["frames_per_second"]
    return {
        "name": "portal_drawing",
        "figure": slowest[0],
        "unit": f"frames/s while doing what is slowest ({slowest[1]})",
        "against": idle,
        "ratio": round(slowest[0] / idle, 3),
        "details": {
            "goal_frames_per_second": GOAL_FRAMES_PER_SECOND,
            "against": "a page that only asks for animation frames, in the same browser",
            "picture": [_WIDTH, _HEIGHT],
            "boxes": _BOXES,
            "graphics": "software: no GPU in this browser",
            "actions": figures,
        },
    }


def _figures(rounds: list[tuple[list[float], float]]) -> dict[str, float]:
    gaps = sorted(
        later - earlier for times, _ in rounds for earlier, later in itertools.pairwise(times)
    )
    return {
        "frames_per_second": round(1000 * len(gaps) / sum(gaps), 1),
        "median_milliseconds": round(gaps[len(gaps) // 2], 2),
        "p95_milliseconds": round(gaps[int(len(gaps) * 0.95)], 2),
        "processor_milliseconds_per_frame": round(
            1000 * sum(seconds for _, seconds in rounds) / len(gaps), 2
        ),
    }


def _processor_seconds() -> float:
    """Return what this process's browser has used so far: on a busy machine frames tell less."""
    ticks, parents = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        process = int(stat.parent.name)
        parents[process], ticks[process] = int(fields[1]), int(fields[11]) + int(fields[12])
    own = {os.getpid()}
    while grown := {child for child, parent in parents.items() if parent in own} - own:
        own |= grown
    return sum(ticks.get(process, 0) for process in own) / os.sysconf("SC_CLK_TCK")


def _open(page: Page, script: Path) -> None:
    chance = random.Random(4)
    boxes = [
        {
            "label": chance.choice(_LABELS),
            "left": chance.randrange(_WIDTH - 300),
            "top": chance.randrange(_HEIGHT - 200),
            "width": chance.randrange(40, 300),
            "height": chance.randrange(30, 200),
        }
        for _ in range(_BOXES)
    ]
    template = (
        f'<!doctype html><script src="{_ORIGIN}/elements.js"></script><crowd-form>'
        f'<crowd-bounding-box name="boundingBox" header="Draw" src="{_ORIGIN}/4k.jpg" '
        f'labels="{escape(json.dumps(_LABELS))}" initial-value="{escape(json.dumps(boxes))}">'
        "</crowd-bounding-box></crowd-form>"
    )
    answers = {
        "/": (template.encode(), "text/html"),
        "/elements.js": (script.read_bytes(), "text/javascript"),
        "/4k.jpg": (_picture(), "image/jpeg"),
    }

    def answer(route: Route) -> None:
        body, kind = answers[route.request.url.removeprefix(_ORIGIN)]
        route.fulfill(body=body, content_type=kind)

    page.route(f"{_ORIGIN}/**", answer)
    page.goto(f"{_ORIGIN}/")
    page.wait_for_function("document.querySelector('crowd-bounding-box')?.tool?.image")


def _picture() -> bytes:
    noise = Image.effect_noise((_WIDTH // 4, _HEIGHT // 4), 60).resize((_WIDTH, _HEIGHT))
    stored = BytesIO()
    noise.convert("RGB").save(stored, "JPEG", quality=85)
    return stored.getvalue()


def _built(folder: Path) -> Path:
    command = [
        str(PROJECT / "node_modules" / ".bin" / "vite"),
        *("build", "portal", "--config", "portal/vite.elements.config.ts"),
        *("--outDir", str(folder), "--logLevel", "error"),
    ]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    return folder / "crowd-html-elements.js"
