"""`groundwork report` of a 10,000-image job: writing it, opening it, filtering in it."""

import json
import os
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner
from playwright.sync_api import Page, sync_playwright

from groundwork.cli import main
from groundwork.demo.drawing import bounding_box_answer, draw
from groundwork.results.quality import Box
from groundwork.samples import SAMPLE_LABELS, sample

_IMAGES = 10_000
# Different photos; the others are links to them.
_PHOTOS = 200
_SIZE = (640, 480)
_BATCH = 500
_HUMAN = 3_000
_WORKERS = 3
_PROCESSES = max(2, os.cpu_count() or 1)
_CHROMIUM = "/usr/bin/chromium"
_FILTERS = ('[name="class"]', '[name="worker"]', '[name="iteration"]', '[name="doubt"]')
_ROUNDS = 3


def run() -> dict[str, Any]:
    """Write the report with one process and with several, then use it in a browser."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        job = write_job(folder, _IMAGES, _HUMAN)
        one, one_used = _write(folder, job, 1)
        several, several_used = min(_write(folder, job, _PROCESSES) for _ in range(2))
        page = folder / "report.html"
        used = _use(page)
        size_mb = round(page.stat().st_size / 1e6, 1)
    return {
        "name": "report",
        "figure": several,
        "unit": f"s to write the report of {_IMAGES:,} images",
        "against": one,
        "ratio": round(one / several, 2),
        "details": {
            "against": "one process that makes the small pictures",
            "processes": _PROCESSES,
            # Others' work on the machine weighs less on these than on the seconds of the clock.
            "processor_seconds": {"1": one_used, str(_PROCESSES): several_used},
            "page_mb": size_mb,
            **used,
            "load_average": os.getloadavg(),
        },
    }


def write_job(folder: Path, images: int, human: int) -> Path:
    """Write photos, their truth, and the output tree of a job on them; return the tree."""
    photos, job = folder / "photos", folder / "job"
    photos.mkdir()
    random = np.random.default_rng(0)
    truth: dict[str, Any] = {}
    lines = []
    for number in range(images):
        name = f"photo-{number:05d}.jpg"
        if number < _PHOTOS:
            content, boxes = sample(number)
            (photos / name).write_bytes(content)
        else:
            (photos / name).hardlink_to(photos / f"photo-{number % _PHOTOS:05d}.jpg")
            boxes = truth[f"photo-{number % _PHOTOS:05d}.jpg"]
        truth[name] = boxes
        known = [Box.from_truth(box) for box in boxes]
        drawn = [draw(known, _SIZE, random) for _ in range(_WORKERS)]
        is_human = number < human
        if is_human:
            _answer(job, number, drawn)
        lines.append(_line(name, drawn[0], is_human, random))
    _write_text(folder / "truth.json", json.dumps(truth))
    _write_text(
        job / "manifests/output/output.manifest", "".join(f"{json.dumps(line)}\n" for line in lines)
    )
    return job


def _answer(job: Path, number: int, drawn: list[list[Box]]) -> None:
    iteration = number // _BATCH + 1
    answers = [
        {
            "answerContent": bounding_box_answer("boundingBox", boxes, _SIZE),
            "acceptanceTime": "2026-03-01T09:00:00Z",
            "submissionTime": "2026-03-01T09:00:20Z",
            "timeSpentInSeconds": 12.5 + worker + number % 7,
            "workerId": f"private.us-east-1.{worker}a41c7",
        }
        for worker, boxes in enumerate(drawn)
    ]
    place = f"annotations/worker-response/iteration-{iteration}/{number}/2026-03-01_09:00:30.json"
    _write_text(job / place, json.dumps({"answers": answers}))


def _line(
    name: str, boxes: list[Box], is_human: bool, random: np.random.Generator
) -> dict[str, Any]:
    return {
        "source-ref": f"s3://bucket/photos/{name}",
        "label": {
            "image_size": [{"width": _SIZE[0], "height": _SIZE[1], "depth": 3}],
            "annotations": [
                {
                    "class_id": SAMPLE_LABELS.index(box.label),
                    "left": box.left,
                    "top": box.top,
                    "width": box.width,
                    "height": box.height,
                }
                for box in boxes
            ],
        },
        "label-metadata": {
            "objects": [{"confidence": round(float(random.beta(9, 2)), 3)} for _ in boxes],
            "class-map": {str(number): label for number, label in enumerate(SAMPLE_LABELS)},
            "type": "groundtruth/object-detection",
            "human-annotated": "yes" if is_human else "no",
            "creation-date": "2026-03-01T09:00:00.123456",
            "job-name": "labeling-job/benchmark",
        },
    }


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _write(folder: Path, job: Path, processes: int) -> tuple[float, float]:
    """Write the report; return seconds of the clock and of all processors."""
    arguments = [
        "report",
        str(job),
        "--to",
        str(folder / "report.html"),
        "--truth",
        str(folder / "truth.json"),
        "--image-folder",
        str(folder / "photos"),
        "--processes",
        str(processes),
    ]
    begun, used = time.perf_counter(), _processor_seconds()
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return round(time.perf_counter() - begun, 1), round(_processor_seconds() - used, 1)


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _use(path: Path) -> dict[str, Any]:
    """Open the page and filter it; return milliseconds."""
    opened, first, filtered = [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        for _ in range(_ROUNDS):
            page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
            begun = time.perf_counter()
            page.goto(path.as_uri(), wait_until="commit")
            page.wait_for_selector(".card", state="attached")
            first.append(_milliseconds(begun))
            page.wait_for_load_state("load")
            opened.append(_milliseconds(begun))
            page.locator("#gallery").scroll_into_view_if_needed()
            filtered += [_filter(page, selector) for selector in _FILTERS]
            memory = page.evaluate("performance.memory.usedJSHeapSize")
            page.close()
        browser.close()
    return {
        "first_cards_ms": round(statistics.median(first)),
        "opened_ms": round(statistics.median(opened)),
        "filter_ms": {
            "median": round(statistics.median(filtered), 1),
            "worst": round(max(filtered), 1),
        },
        "script_heap_mib": round(memory / 2**20, 1),
    }


def _filter(page: Page, selector: str) -> float:
    """Choose the second choice; return the milliseconds until the cards are laid out again."""
    milliseconds: float = page.evaluate(
        """selector => new Promise((done) => {
          const select = document.querySelector(selector);
          if (select.options.length < 2) return done(0);
          select.selectedIndex = 1;
          const begun = performance.now();
          const seen = new MutationObserver(() => requestAnimationFrame(() => {
            seen.disconnect();
            document.getElementById("cards").getBoundingClientRect();
            done(performance.now() - begun);
          }));
          seen.observe(document.getElementById("cards"), { childList: true });
          select.dispatchEvent(new Event("input", { bubbles: true }));
        })""",
        selector,
    )
    page.evaluate("document.getElementById('filters').reset()")
    page.wait_for_timeout(300)
    return milliseconds


def _milliseconds(begun: float) -> float:
    return (time.perf_counter() - begun) * 1000
