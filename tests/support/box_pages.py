"""The bounding-box tool in a task's frame, with what its tests ask of it."""

import json
from html import escape
from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import CDPSession, Frame, Locator, Route

from tests.support.task_frame import ORIGIN, TaskFrame

LABELS = ["DHL", "McDonalds", "RedBull"]
PHOTO = "photo.jpg"
_FOLDER = f"{ORIGIN}/images/boxes"


class BoxPage:
    """A task page with ``crowd-bounding-box``; points are pixels of the picture."""

    def __init__(self, task: TaskFrame) -> None:
        """Serve this page's pictures under CORS, next to the task's own."""
        self.task = task
        self.page = task.page
        self.images: dict[str, bytes] = {PHOTO: photo()}
        self.statuses: dict[str, int] = {}
        self.without_cors: set[str] = set()
        self._session: CDPSession | None = None
        self.page.route(f"{_FOLDER}/**", self._serve)

    def open(self, *, image: str | None = PHOTO, wait: str = "loaded", **options: Any) -> None:
        """Show a picture and wait until the frame said ``wait``.

        Parameters
        ----------
        image
            The picture's name, or None for a template that names none.
        options
            ``labels`` and ``initial`` for the element, the rest as in ``TaskFrame.open``.
        """
        attributes = {
            "name": "boundingBox",
            "header": "Draw a box around each logo",
            "labels": _json(options.pop("labels", LABELS)),
            "src": f"{_FOLDER}/{image}" if image else "",
        }
        initial = options.pop("initial", None)
        if initial is not None:
            attributes["initial-value"] = _json(initial)
        written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
        self.task.open(
            f"""<crowd-form><crowd-bounding-box {written}>
<full-instructions header="Instructions"><p>Let every side touch the logo.</p></full-instructions>
<short-instructions><p>Draw one box around each logo.</p></short-instructions>
</crowd-bounding-box></crowd-form>""",
            **options,
        )
        self.task.wait_for(wait)
        # As the portal's page does: keys belong to the frame from the start.
        self.page.locator("iframe").focus()

    @property
    def frame(self) -> Frame:
        """The sandboxed frame."""
        return self.task.frame

    @property
    def stage(self) -> Locator:
        """The area to draw on."""
        return self.task.locator(".surface")

    @property
    def answer(self) -> dict[str, Any]:
        """The element's answer as it is now."""
        answer: dict[str, Any] = self.frame.evaluate(
            "document.querySelector('crowd-bounding-box').answer()"
        )
        return answer

    @property
    def boxes(self) -> list[tuple[str, int, int, int, int]]:
        """Label, left, top, width and height of each box of the answer."""
        return [
            (box["label"], box["left"], box["top"], box["width"], box["height"])
            for box in self.answer["boundingBoxes"]
        ]

    @property
    def view(self) -> dict[str, float]:
        """The transform between picture and stage."""
        view: dict[str, float] = self.frame.evaluate(
            "document.querySelector('crowd-bounding-box').tool.view"
        )
        return view

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where on the page a point of the picture is."""
        box = self.stage.bounding_box()
        assert box is not None
        view = self.view
        return box["x"] + x * view["scale"] + view["x"], box["y"] + y * view["scale"] + view["y"]

    def drag(self, start: tuple[float, float], end: tuple[float, float], **options: Any) -> None:
        """Drag the mouse from one point of the picture to another."""
        from_, to = self.at(*start), self.at(*end)
        mouse = self.page.mouse
        mouse.move(*from_)
        mouse.down(**options)
        mouse.move((from_[0] + to[0]) / 2, (from_[1] + to[1]) / 2)
        mouse.move(*to)
        mouse.up(**options)

    def click(self, x: float, y: float) -> None:
        """Click on a point of the picture."""
        self.page.mouse.click(*self.at(x, y))

    def press(self, *keys: str) -> None:
        """Press keys one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def touch(self, kind: str, *points: tuple[float, float]) -> None:
        """Send a touch event with all fingers that are down, at points of the page."""
        # One session: it knows which fingers are down.
        self._session = self._session or self.page.context.new_cdp_session(self.page)
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def wait_heard(self, part: str) -> None:
        """Wait until a screen reader is told a sentence with ``part`` in it."""
        self.frame.locator("[aria-live]", has_text=part).wait_for(state="attached")

    def _serve(self, route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[1]
        # Without any such header the driver would add one that fits.
        allowed = "https://elsewhere.test" if name in self.without_cors else "*"
        headers = {"access-control-allow-origin": allowed}
        status = self.statuses.get(name, 200 if name in self.images else 404)
        body = self.images.get(name, b"") if status == 200 else b""
        kind = "image/png" if name.endswith(".png") else "image/jpeg"
        route.fulfill(status=status, body=body, content_type=kind, headers=headers)


def photo(width: int = 800, height: int = 600, *, orientation: int | None = None) -> bytes:
    """Draw a JPEG with a red rectangle in its stored top left corner."""
    image = Image.new("RGB", (width, height), "#8899aa")
    drawing = ImageDraw.Draw(image)
    for x in range(0, width, 100):
        drawing.line((x, 0, x, height), fill="#667788")
    drawing.rectangle((0, 0, width // 8, height // 8), fill="#ff0000")
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    stored = BytesIO()
    image.save(stored, "JPEG", quality=90, exif=exif)
    return stored.getvalue()


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
