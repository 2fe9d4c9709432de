"""From pressing Submit until the next picture can be drawn on, in a browser on the local cloud."""

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, sync_playwright

from groundwork.local.cloud import LocalCloud
from groundwork.local.emulator import free_port
from groundwork.local.invitations import invitations
from groundwork.local.workshop import OPEN, LocalWorkshop, job_state
from groundwork.samples import generate

PROJECT = Path(__file__).resolve().parent.parent
GOAL_MILLISECONDS = 150
_PORT = 4815
_TASKS = 25
_PASSWORD = "Chosen-passw0rd-2!"
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
# Long enough for the next task to load, as when somebody draws.
_DRAWING_MILLISECONDS = 1_500

# Notes, in the page, when the frame that is seen can be drawn on and painted.
_WATCH = """() => {
  window.readyAt = [];
  const loaded = new Set();
  let last = null;
  const check = () => {
    const seen = document.querySelector("iframe.task-frame:not([data-ahead])");
    if (seen === null || seen === last || !loaded.has(seen.contentWindow)) return;
    last = seen;
    requestAnimationFrame(() => requestAnimationFrame(() => {
      window.readyAt.push(performance.timeOrigin + performance.now());
    }));
  };
  addEventListener("message", (event) => {
    if (event.data?.type === "loaded") { loaded.add(event.source); check(); }
  });
  new MutationObserver(check).observe(document.body, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-ahead"],
  });
}"""
# Presses the button in the frame itself, so that the driver's own time is not counted.
_PRESS = """(button) => {
  const pressedAt = performance.timeOrigin + performance.now();
  button.click();
  return pressedAt;
}"""


def run() -> dict[str, Any]:
    """Label a job with the next task loading ahead, and some of it without, for comparison."""
    with (
        portal_cloud(partial(generate, count=2 * _TASKS + 4)) as (cloud, portal_url),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        page = _signed_in(browser, cloud, portal_url)
        ahead = _labeled(page)
        page.route("**/api/jobs/*/tasks", _nothing_ahead)
        page.reload()
        alone = _labeled(page)
        browser.close()
    figure, against = statistics.median(ahead), statistics.median(alone)
    return {
        "name": "portal_next_task",
        "figure": round(figure, 1),
        "unit": "ms from submit to the next picture, median",
        "against": round(against, 1),
        "ratio": round(figure / against, 3),
        "details": {
            "goal_milliseconds": GOAL_MILLISECONDS,
            "against": "the same without loading ahead",
            "tasks": len(ahead),
            "p95": round(statistics.quantiles(ahead, n=20)[-1], 1),
            "milliseconds": [round(each, 1) for each in ahead],
        },
    }


@contextmanager
def portal_cloud(
    add_images: Callable[[Path], object], **settings: str
) -> Iterator[tuple[LocalCloud, str]]:
    """Deploy a job to a local cloud of its own, until the block ends."""
    with tempfile.TemporaryDirectory() as folder:
        images = Path(folder) / "images"
        add_images(images)
        cloud = LocalCloud(PROJECT, Path(folder) / "cloud", free_port(_PORT))
        cloud.start()
        try:
            context = {
                "images": str(images),
                "labels": json.dumps(["Beacon", "Comet", "Harbor"]),
                "worker_emails": "ann@example.com",
                **settings,
            }
            LocalWorkshop(cloud, OPEN, context).deploy()
            job, url = cloud.output("LabelingJobName"), cloud.output("PortalUrl")
            if job is None or url is None:
                raise RuntimeError("the stacks have no job or no portal")
            while job_state(cloud, job).status == "Initializing":
                time.sleep(0.5)
            yield cloud, url
        finally:
            cloud.discard()


def _signed_in(browser: Browser, cloud: LocalCloud, portal_url: str) -> Page:
    [invitation] = invitations(cloud.mails())
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    page = context.new_page()
    page.add_init_script(
        f"if (window.top === window) ({_WATCH.replace('document.body', 'document')})()"
    )
    page.goto(portal_url)
    page.locator("input[name=username]").fill(invitation.email)
    page.locator("input[name=password]").fill(invitation.temporary_password)
    page.locator("input[name=password]").press("Enter")
    page.locator("input[name=username]").wait_for(state="detached")
    fields = page.locator("input[type=password]")
    for index in range(fields.count()):
        fields.nth(index).fill(_PASSWORD)
    fields.last.press("Enter")
    page.get_by_role("link", name="Start working").click()
    return page


def _labeled(page: Page) -> list[float]:
    """Say of each picture that there is nothing on it; return how long the next one took."""
    milliseconds = []
    _wait_for_ready(page, 1)
    for _ in range(_TASKS):
        page.wait_for_timeout(_DRAWING_MILLISECONDS)
        task = page.frame_locator("iframe.task-frame:not([data-ahead])")
        task.get_by_role("button", name="Nothing to label").click()
        before = int(page.evaluate("window.readyAt.length"))
        pressed_at = task.get_by_role("button", name="Submit", exact=True).evaluate(_PRESS)
        milliseconds.append(_wait_for_ready(page, before + 1) - float(pressed_at))
    # The first one warms up what the function keeps.
    return milliseconds[1:]


def _wait_for_ready(page: Page, count: int) -> float:
    while True:
        ready: list[float] = page.evaluate("window.readyAt")
        if len(ready) >= count:
            return ready[-1]
        page.wait_for_timeout(20)


def _nothing_ahead(route: Route) -> None:
    if "besides" in (route.request.post_data or "") and '"besides":[]' not in (
        route.request.post_data or ""
    ):
        route.fulfill(status=204)
    else:
        route.continue_()
