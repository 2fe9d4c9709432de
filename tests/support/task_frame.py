"""A worker template in the sandboxed frame of a stand-in for the portal's task page."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Frame, Locator, Page, Route

ORIGIN = "http://portal.test"
ASSET = f"{ORIGIN}/assets/crowd-html-elements.js"
IMAGE = f"{ORIGIN}/images/photo.png"
SLOW_IMAGE = f"{ORIGIN}/images/slow.png"
MISSING_IMAGE = f"{ORIGIN}/images/missing.png"
BROKEN_IMAGE = f"{ORIGIN}/images/broken.png"

# The policy that the portal gives to frames (see /work of the portal's frame route): what a test
# page may do is what a worker template may do.
POLICY = (
    "sandbox allow-scripts allow-forms; default-src 'none'; "
    f"script-src 'unsafe-inline' {ASSET}; style-src 'unsafe-inline'; "
    f"img-src data: blob: {ORIGIN}/images/; media-src {ORIGIN}/images/; "
    f"connect-src {ORIGIN}/images/; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)

_HOST = """<!doctype html>
<html lang="en"><head><title>Task page</title>
<style>html, body {{ margin: 0; height: 100%; color-scheme: light dark; }}
iframe {{ display: block; border: 0; width: 100%; height: 100%; }}</style></head>
<body><iframe title="Task" sandbox="allow-scripts allow-forms" src="/tasks/1/frame"></iframe>
<script>
window.messages = [];
window.start = {start};
const frame = document.querySelector("iframe");
addEventListener("message", (event) => {{
  if (event.source !== frame.contentWindow) return;
  window.messages.push(event.data);
  if (event.data.type !== "ready") return;
  frame.focus();
  if (window.start !== null) window.tell(window.start);
}});
window.tell = (message) => frame.contentWindow.postMessage(message, "*");
</script></body></html>
"""


class TaskFrame:
    """What a worker sees of a task, and what the page around it hears."""

    def __init__(self, context: BrowserContext, script: Path) -> None:
        """Open a page in ``context`` whose elements come from the bundle ``script``."""
        self.page: Page = context.new_page()
        self.page_errors: list[str] = []
        self.page.on("pageerror", lambda error: self.page_errors.append(str(error)))
        self.script = script.read_text(encoding="utf-8")
        self._template = ""
        self._start: dict[str, Any] | None = None
        self.failing_images = 0
        self.page.route(f"{ORIGIN}/**", self._answer)

    def reset(self) -> None:
        """Forget what earlier tests did to the page."""
        self.page.goto("about:blank")
        self.page.set_viewport_size({"width": 1280, "height": 800})
        self.page.emulate_media(color_scheme="light")
        self.page_errors.clear()
        self.failing_images = 0

    def open(
        self,
        template: str,
        *,
        draft: dict[str, Any] | None = None,
        locale: str = "en",
        settings: dict[str, Any] | None = None,
        with_page: bool = True,
    ) -> Frame:
        """Show ``template`` and return its frame once the elements are defined.

        Parameters
        ----------
        template
            The rendered template; the elements' script tag is put in front of it.
        draft, locale, settings
            What the page says to the frame when it is ready.
        with_page
            False for a page that never answers, as in previews.
        """
        self._template = f'<script src="{ASSET}"></script>\n{template}'
        self._start = (
            {
                "type": "start",
                "draft": draft,
                "locale": locale,
                "visible": True,
                "settings": settings or {},
            }
            if with_page
            else None
        )
        self.page.goto(f"{ORIGIN}/task")
        self.wait_for("ready")
        return self.frame

    @property
    def frame(self) -> Frame:
        """The sandboxed frame."""
        return next(frame for frame in self.page.frames if frame != self.page.main_frame)

    def locator(self, selector: str) -> Locator:
        """Find something in the template."""
        return self.frame.locator(selector)

    def tell(self, message: dict[str, Any]) -> None:
        """Say something to the frame, as the page would."""
        self.page.evaluate("message => window.tell(message)", message)

    def messages(self, kind: str) -> list[dict[str, Any]]:
        """Return the messages of one type, oldest first."""
        return [
            message for message in self.page.evaluate("window.messages") if message["type"] == kind
        ]

    def wait_for(self, kind: str, count: int = 1) -> dict[str, Any]:
        """Return the latest message of a type once there are ``count`` of them."""
        self.page.wait_for_function(
            "([kind, count]) => window.messages.filter((it) => it.type === kind).length >= count",
            arg=[kind, count],
        )
        return self.messages(kind)[-1]

    def submit(self) -> dict[str, Any]:
        """Press Submit and return the answer that the page gets."""
        seen = len(self.messages("submit"))
        self.frame.get_by_role("button", name="Submit").click()
        answer: dict[str, Any] = self.wait_for("submit", seen + 1)["answer"]
        return answer

    def refused(self) -> list[str]:
        """Press Submit, and return why the form did not let it through."""
        seen = len(self.messages("invalid"))
        self.frame.get_by_role("button", name="Submit").click()
        messages: list[str] = self.wait_for("invalid", seen + 1)["messages"]
        assert self.messages("submit") == []
        return messages

    def screenshot(self, folder: Path, name: str) -> None:
        """Keep a picture of the page for people to look at."""
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png")

    def _answer(self, route: Route) -> None:
        url = route.request.url
        cors = {"access-control-allow-origin": "*"}
        if url == f"{ORIGIN}/task":
            body = _HOST.format(start=json.dumps(self._start))
            route.fulfill(body=body, content_type="text/html; charset=utf-8")
        elif url == f"{ORIGIN}/tasks/1/frame":
            route.fulfill(
                body=f"<!doctype html>\n<title>Task</title>\n{self._template}",
                content_type="text/html; charset=utf-8",
                headers={"content-security-policy": POLICY},
            )
        elif url == ASSET:
            route.fulfill(
                body=self.script,
                content_type="text/javascript",
                headers={"cross-origin-resource-policy": "cross-origin"},
            )
        elif url == IMAGE and self.failing_images > 0:
            self.failing_images -= 1
            route.abort()
        elif url == IMAGE:
            route.fulfill(body=photo(), content_type="image/png", headers=cors)
        elif url == BROKEN_IMAGE:
            route.fulfill(body=b"no image", content_type="image/png", headers=cors)
        else:
            route.fulfill(status=404, headers=cors)


def eventually(ask: Callable[[], Any], page: Page, seconds: float = 15) -> Any:
    """Wait until something is so, while the browser goes on."""
    for _ in range(int(seconds / 0.05)):
        if value := ask():
            return value
        page.wait_for_timeout(50)
    return ask()


def photo(width: int = 640, height: int = 400) -> bytes:
    """Paint a picture with something to see: two balls on a meadow."""
    image = Image.new("RGB", (width, height), "#a9d4f5")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 0.6, width, height), fill="#5b9a4a")
    draw.ellipse((80, 180, 240, 340), fill="#d9482b")
    draw.ellipse((380, 120, 560, 300), fill="#f2c230")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def assert_accessible(frame: Frame, axe: Path) -> None:
    """Check a document, shadow trees included, against WCAG 2.2 AA with axe."""
    # The frame's policy allows inline scripts only; evaluation by the driver stands above it.
    frame.evaluate(axe.read_text(encoding="utf-8"))
    result = frame.evaluate(
        """() => axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa",
           "wcag22aa", "best-practice"], rules: {region: {enabled: false},
           "page-has-heading-one": {enabled: false}, "landmark-one-main": {enabled: false}}})"""
    )
    found = [
        f"{violation['id']}: {node['html'][:200]} ({node['failureSummary']})"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]
    assert found == []
