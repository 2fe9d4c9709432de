"""The portal as it is deployed, with Cognito's pages, and people who work in it."""

import io
import json
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, FrameLocator, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from groundwork.jobs import layout
from groundwork.jobs.model import Task
from groundwork.portal.sessions import REMEMBERED_FOR
from tests.contract.worker_api_support import GROUP, PortalService
from tests.support.task_frame import eventually

TEMPORARY = "Temporary-passw0rd"
CHOSEN = "Chosen-passw0rd-2"
SIZE = (640, 480)
NOTE_TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <h1>Describe it</h1>
  <p id="which">{{ task.input.taskObject }}</p>
  <crowd-text-area name="note" label="Note" rows="4"></crowd-text-area>
</crowd-form>
"""
BOX_TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
    header="Draw a box around each animal" labels="{{ task.input.labels | to_json | escape }}">
    <full-instructions header="Instructions">Tight boxes.</full-instructions>
    <short-instructions>Tight boxes.</short-instructions>
  </crowd-bounding-box>
</crowd-form>
"""

_numbers = count(1)


def picture(number: int) -> bytes:
    """A picture that is told from others at a glance."""
    image = Image.new("RGB", SIZE, ((number * 67) % 200 + 40, (number * 31) % 200 + 40, 150))
    draw = ImageDraw.Draw(image)
    left, top = 60 + (number * 53) % 300, 60 + (number * 37) % 200
    draw.ellipse((left, top, left + 180, top + 140), fill=(250, 220, 90), outline=(60, 40, 20))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=85)
    return data.getvalue()


PICTURES = [picture(number) for number in range(8)]


@dataclass
class Site:
    """The portal, with shorthands for what tests do to it behind the workers' backs."""

    service: PortalService

    @property
    def url(self) -> str:
        """The portal's address."""
        return self.service.url

    def job(self, pictures: int = 3, template: str = NOTE_TEMPLATE, **human_task: Any) -> str:
        """Start a job in which each picture is wanted from one worker."""
        name = f"job-{next(_numbers)}"
        settings = {"NumberOfHumanWorkersPerDataObject": 1, **human_task}
        self.service.start_job(name, template=template, pictures=PICTURES[:pictures], **settings)
        return name

    def worker(self, context: BrowserContext, job: str = "") -> "Labeler":
        """Invite somebody, and sign them in on Cognito's pages."""
        email = f"worker-{next(_numbers)}@example.com"
        self.service.invite(email, TEMPORARY, GROUP)
        labeler = Labeler(self, context.new_page(), email)
        labeler.sign_in(f"/jobs/{job}" if job else "/", TEMPORARY, CHOSEN)
        return labeler

    def tasks(self, job: str) -> list[Task]:
        """Read the tasks of a job's first batch."""
        return list(self.service.store.tasks(job, 1))

    def answers(self, job: str) -> dict[int, list[dict[str, Any]]]:
        """Read every accepted answer, by object."""
        s3 = self.service.cloud.emulator("s3")
        found = {}
        for task in self.tasks(job):
            contents = []
            for answer in task.answers:
                uri = layout.answer_uri(
                    self.service.store.get(job), 1, task.object_id, answer.worker_id, answer.digest
                )
                body = s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read()
                contents.append(json.loads(body))
            if contents:
                found[task.object_id] = contents
        return found

    def end_sessions(self) -> None:
        """Sign everybody out without telling them, for every process that remembers them."""
        table = self.service.cloud.table()
        for item in table.scan()["Items"]:
            if item["SK"] == "SESSION":
                table.delete_item(Key={"PK": item["PK"], "SK": item["SK"]})
        time.sleep(REMEMBERED_FOR.total_seconds())


def submit_by_key(page: Page) -> None:
    """Press the keys that submit, where the focus is in the task that is seen.

    The frame goes away under the keys, and Chromium sometimes with the word that they arrived, for
    which the keyboard's own press waits for ever.
    """
    task = page.frame_locator("iframe.task-frame:not([data-ahead])")
    focused = task.locator(":focus").last
    expect(focused).to_be_attached()
    try:
        focused.press("Control+Enter", timeout=2_000)
    except PlaywrightTimeoutError:
        for key in ("Enter", "Control"):
            page.keyboard.up(key)


class Labeler:
    """A worker at a browser."""

    def __init__(self, site: Site, page: Page, email: str) -> None:
        self.site = site
        self.page = page
        self.email = email
        self.problems: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._on_console)

    def _on_console(self, said: Any) -> None:
        if "Content Security Policy" in said.text:
            self.problems.append(said.text)

    def sign_in(self, path: str, password: str, new_password: str | None = None) -> None:
        """Ask for a page and pass Cognito's forms on the way to it."""
        self.page.goto(self.site.url + path)
        self.pass_forms(password, new_password)
        expect(self.page).to_have_url(self.site.url + path)

    def pass_forms(self, password: str, new_password: str | None = None) -> None:
        """Fill in Cognito's forms."""
        self.page.locator("input[name=username]").fill(self.email)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("input[name=password]").press("Enter")
        if new_password:
            fields = self.page.locator("input[type=password]")
            expect(fields.first).to_be_visible()
            for index in range(fields.count()):
                fields.nth(index).fill(new_password)
            fields.last.press("Enter")

    @property
    def task(self) -> FrameLocator:
        """The document of the task that is seen."""
        return self.page.frame_locator("iframe.task-frame:not([data-ahead])")

    @property
    def note(self) -> Locator:
        """The field of NOTE_TEMPLATE."""
        return self.task.locator("crowd-text-area textarea")

    def which(self) -> str:
        """Which object NOTE_TEMPLATE shows."""
        return self.task.locator("#which").inner_text()

    def submit(self) -> None:
        """Press the task's own button."""
        self.task.get_by_role("button", name="Submit").click()

    def button(self, name: str) -> Locator:
        """A button of the page around the task."""
        return self.page.get_by_role("button", name=name, exact=True)

    def wait_for_ahead(self) -> None:
        """Wait until the next task loads behind this one."""
        expect(self.page.locator("iframe[data-ahead]")).to_be_attached()

    def draft_is_kept(self) -> None:
        """Wait until the browser has the draft."""
        assert eventually(lambda: self.kept("draft"), self.page)

    def kept(self, kind: str) -> list[str]:
        """What of a kind the browser keeps for this worker."""
        keys: list[str] = self.page.evaluate("Object.keys(localStorage)")
        return [key for key in keys if key.startswith(f"groundwork.{kind}.")]


def axe_problems(page: Page, script: Path) -> list[str]:
    """What the accessibility checker finds on a page, frames of tasks left out."""
    page.evaluate(script.read_text(encoding="utf-8"))
    found = page.evaluate(
        """async () => (await axe.run({ exclude: [["iframe.task-frame"]] }, {
          runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
        })).violations.map((each) =>
          `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 200)).join(" | ")}`)"""
    )
    return [str(each) for each in found]
