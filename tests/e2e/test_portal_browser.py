"""Two people label a deployed job to its end, each in a browser of their own.

The tests go through one job's life in order.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from groundwork.local.cloud import LocalCloud
from groundwork.local.invitations import invitations
from groundwork.local.workshop import OPEN
from groundwork.results.truth import Truth
from groundwork.samples import generate
from tests.portal.conftest import BROWSER_ARGUMENTS, CHROMIUM
from tests.portal.pages_support import submit_by_key
from tests.support.local_workshop import WORKERS, Workshop, settings

LABELS = ("Beacon", "Comet", "Harbor")
PHOTOS = 7
# The least that the API takes.
TIME_LIMIT_SECONDS = 30
CHOSEN = "Chosen-passw0rd-2!"
LONG = 20_000


@dataclass
class Person:
    """A worker at a browser of their own."""

    email: str
    password: str
    page: Page

    @property
    def submit(self) -> Locator:
        """The button of the task that is seen."""
        frame = self.page.frame_locator("iframe.task-frame:not([data-ahead])")
        return frame.get_by_role("button", name="Submit", exact=True)

    @property
    def canvas(self) -> Locator:
        """Where boxes are drawn."""
        return (
            self.page.frame_locator("iframe.task-frame:not([data-ahead])").locator("canvas").first
        )

    def draw(self, dx: int = 0) -> None:
        """Draw a box in the middle of the picture."""
        expect(self.submit).to_be_visible(timeout=LONG)
        area = self.canvas.bounding_box()
        assert area is not None
        x, y = area["x"] + area["width"] / 2 + dx, area["y"] + area["height"] / 2
        self.page.mouse.move(x - 70, y - 50)
        self.page.mouse.down()
        self.page.mouse.move(x, y, steps=4)
        self.page.mouse.move(x + 80, y + 60, steps=4)
        self.page.mouse.up()

    def drafts(self) -> list[str]:
        """The drafts that the browser keeps."""
        kept: list[str] = self.page.evaluate(
            """Object.entries(localStorage)
              .filter(([key]) => key.startsWith("groundwork.draft."))
              .map(([, value]) => value)"""
        )
        return kept

    def wait_for_draft(self) -> None:
        """Wait until the browser has kept what was drawn."""
        for _ in range(100):
            if self.drafts():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("no draft was kept")


@pytest.fixture(scope="module")
def workshop(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    images = tmp_path_factory.mktemp("images")
    truth = Truth.read(generate(images, PHOTOS))
    context = settings(images, LABELS, PHOTOS) | {
        "task_time_limit_seconds": str(TIME_LIMIT_SECONDS)
    }
    workshop = Workshop(cloud, OPEN, context, truth)
    workshop.deploy()
    workshop.wait_until(workshop.job_name, lambda state: state.status == "InProgress")
    return workshop


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def people(workshop: Workshop, browser: Browser) -> dict[str, Person]:
    found = {}
    for invitation in invitations(workshop.cloud.mails()):
        context = browser.new_context(locale="en-US", viewport={"width": 1280, "height": 800})
        context.set_default_timeout(LONG)
        password = invitation.temporary_password
        found[invitation.email] = Person(invitation.email, password, context.new_page())
    assert sorted(found) == sorted(WORKERS)
    return found


@pytest.fixture(scope="module")
def ann(people: dict[str, Person]) -> Person:
    return people["ann@example.com"]


@pytest.fixture(scope="module")
def ben(people: dict[str, Person]) -> Person:
    return people["ben@example.com"]


def test_workers_sign_in_with_the_invitations_password_and_choose_another(
    workshop: Workshop, people: dict[str, Person]
) -> None:
    portal_url = workshop.cloud.output("PortalUrl")
    assert portal_url
    for person in people.values():
        page = person.page
        page.goto(portal_url)
        page.locator("input[name=username]").fill(person.email)
        page.locator("input[name=password]").fill(person.password)
        page.locator("input[name=password]").press("Enter")
        fields = page.locator("input[type=password]")
        expect(page.locator("input[name=username]")).to_have_count(0)
        for index in range(fields.count()):
            fields.nth(index).fill(CHOSEN)
        fields.last.press("Enter")
        expect(page.get_by_role("heading", name="Jobs (1)")).to_be_visible(timeout=LONG)
        expect(page.get_by_text(person.email)).to_be_visible()
        expect(page.get_by_text("In progress")).to_be_visible()


def test_one_opens_a_task_and_goes_for_coffee(ben: Person) -> None:
    ben.page.get_by_role("link", name="Start working").click()
    ben.draw()
    ben.wait_for_draft()
    # What was taken ahead would keep others from it.
    expect(ben.page.locator("iframe[data-ahead]")).to_be_attached(timeout=LONG)


def test_the_other_labels_by_mouse(ann: Person) -> None:
    ann.page.get_by_role("link", name="Start working").click()
    ann.draw()
    ann.submit.click()
    expect(ann.page.get_by_text("1 done")).to_be_visible(timeout=LONG)


def test_and_by_keyboard_alone(ann: Person) -> None:
    expect(ann.submit).to_be_visible(timeout=LONG)
    expect(ann.page.locator("iframe.task-frame:not([data-ahead])")).to_be_focused()
    ann.page.wait_for_timeout(300)
    for key in ("2", "b", "Control+ArrowLeft", "Enter"):
        ann.page.keyboard.press(key)
    for key in ("Control+ArrowRight", "Control+ArrowRight", "Control+ArrowDown", "Enter"):
        ann.page.keyboard.press(key)
    submit_by_key(ann.page)
    expect(ann.page.get_by_text("2 done")).to_be_visible(timeout=LONG)


def test_a_reload_in_the_middle_of_a_task_keeps_the_drawing(ann: Person) -> None:
    ann.draw()
    ann.wait_for_draft()
    [before] = ann.drafts()
    ann.page.reload()
    expect(ann.page.get_by_text("Your drawing is back.")).to_be_visible(timeout=LONG)
    expect(ann.submit).to_be_visible(timeout=LONG)
    [after] = ann.drafts()
    assert json.loads(after)["draft"] == json.loads(before)["draft"]


def test_an_answer_without_a_connection_arrives_later(ann: Person) -> None:
    ann.page.context.set_offline(True)
    ann.submit.click()
    expect(ann.page.get_by_text("Saved here; no connection")).to_be_visible()
    ann.page.context.set_offline(False)
    expect(ann.page.get_by_text("1 done")).to_be_visible(timeout=LONG)


def test_who_was_away_too_long_takes_the_task_again_with_the_drawing(ben: Person) -> None:
    dialog = ben.page.get_by_role("dialog")
    expect(dialog).to_contain_text(
        "The time for this task is over", timeout=(TIME_LIMIT_SECONDS + 10) * 1000
    )
    dialog.get_by_role("button", name="Take it again").click()
    expect(ben.page.get_by_text("Your drawing is back.")).to_be_visible(timeout=LONG)
    ben.submit.click()
    expect(ben.page.get_by_text("1 done")).to_be_visible(timeout=LONG)


def test_both_label_until_the_job_is_done(workshop: Workshop, ann: Person, ben: Person) -> None:
    ended = re.compile("Nothing to do right now|This job takes no more answers")
    for _ in range(3 * PHOTOS):
        still = [
            person
            for person in (ann, ben)
            if person.page.get_by_role("heading", name=ended).count() == 0
        ]
        if not still:
            break
        for person in still:
            if person.submit.count() == 0:
                # The next task is still on its way.
                person.page.wait_for_timeout(500)
                continue
            again = person.page.get_by_role("button", name="Next task")
            if again.count():
                again.click()
                continue
            person.draw()
            person.submit.click()
            person.page.wait_for_timeout(500)
    state = workshop.wait_until(workshop.job_name, lambda state: state.is_over)
    assert state.status == "Completed"
    for person in (ann, ben):
        expect(
            person.page.get_by_role("heading", name="This job takes no more answers")
        ).to_be_visible(timeout=40_000)
    results = workshop.results(state)
    assert len(results) == PHOTOS
    assert all(each.label["annotations"] for each in results)
    folder = f"{state.output_manifest}".rpartition("/manifests/")[0]
    answers = [
        json.loads(workshop.read(f"{folder}/annotations/worker-response/iteration-1/{key}"))
        for key in workshop.keys(f"{folder}/annotations/worker-response/iteration-1/")
    ]
    labeled = [each["workerId"] for file in answers for each in file["answers"]]
    assert len(labeled) == PHOTOS
    assert len(set(labeled)) == 2


def test_they_sign_out(ann: Person) -> None:
    ann.page.get_by_role("button", name="Sign out").click()
    expect(ann.page.get_by_role("heading", name="You are signed out")).to_be_visible()
    ann.page.go_back()
    ann.page.reload()
    expect(ann.page.locator("input[name=username]")).to_be_visible(timeout=LONG)
