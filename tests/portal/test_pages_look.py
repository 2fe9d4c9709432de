"""Every page in both languages: for everybody to use, and pictured for people to look at."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from groundwork.samples import sample
from tests.portal.conftest import PATIENCE_MILLISECONDS
from tests.portal.pages_support import (
    BOX_TEMPLATE,
    NOTE_TEMPLATE,
    Labeler,
    Site,
    axe_problems,
)

WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "jobs": re.compile(r"^Jobs \(\d+\)$"),
        "nothing": "Nothing to do right now",
        "broken": "This task cannot be shown",
        "signed out": "You are signed out",
        "missing": "There is no such page",
        "gone": "There is no such job",
        "shortcuts": "Shortcuts",
        "recent": "Recent answers",
        "decline": "Decline task",
        "sign out": "Sign out",
        "over": "The time for this task is over",
        "empty": re.compile("Nothing to label"),
    },
    "ko": {
        "jobs": re.compile(r"^작업 \(\d+\)$"),
        "nothing": "지금은 할 태스크가 없습니다",
        "broken": "이 태스크를 보여 줄 수 없습니다",
        "signed out": "로그아웃했습니다",
        "missing": "페이지가 없습니다",
        "gone": "그런 작업이 없습니다",
        "shortcuts": "단축키",
        "recent": "최근 답변",
        "decline": "태스크 거절",
        "sign out": "로그아웃",
        "over": "이 태스크의 시간이 끝났습니다",
        "empty": re.compile("레이블 없음"),
    },
}


@pytest.fixture(params=["en", "ko"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def worker(site: Site, browser: Browser, language: str) -> Iterator[Labeler]:
    """A worker whose browser speaks the language."""
    locale = {"en": "en-US", "ko": "ko-KR"}[language]
    context = browser.new_context(viewport=WIDE, locale=locale)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    labeler = site.worker(context)
    yield labeler
    assert labeler.problems == []
    context.close()


@pytest.fixture
def look(language: str, screenshots: Path, axe: Path) -> Callable[[Page, str], None]:
    """Take a picture of a page, check it for everybody's use, and that it says its language."""
    screenshots.mkdir(parents=True, exist_ok=True)

    def at(page: Page, name: str) -> None:
        page.screenshot(path=screenshots / f"{name}-{language}.png")
        assert page.locator("html").get_attribute("lang") == language
        assert axe_problems(page, axe) == []

    return at


def photos(count: int) -> list[bytes]:
    return [sample(number)[0] for number in range(count)]


def test_the_jobs(
    site: Site, worker: Labeler, language: str, look: Callable[[Page, str], None]
) -> None:
    site.service.start_job(
        f"logos-{language}",
        template=BOX_TEMPLATE,
        pictures=photos(6),
        TaskTitle="Find brand logos",
        TaskDescription="Draw a tight box around every Beacon, Comet and Harbor logo.",
        NumberOfHumanWorkersPerDataObject=1,
        TaskTimeLimitInSeconds=300,
    )
    worker.page.goto(site.url)
    words = WORDS[language]
    expect(worker.page.get_by_role("heading", name=words["jobs"])).to_be_visible()
    search = worker.page.get_by_role("searchbox")
    search.fill("brand logos")
    expect(worker.page.get_by_role("row")).to_have_count((language == "ko" and 3) or 2)
    look(worker.page, "jobs")
    worker.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    look(worker.page, "jobs-phone")
    worker.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    search.fill("nothing like it")
    look(worker.page, "jobs-not-found")
    worker.page.emulate_media(color_scheme="dark")
    search.fill("")
    look(worker.page, "jobs-dark")


def test_a_task_with_its_dialogs(
    site: Site, worker: Labeler, language: str, look: Callable[[Page, str], None]
) -> None:
    name = f"photos-{language}"
    site.service.start_job(
        name,
        template=BOX_TEMPLATE,
        pictures=photos(4),
        TaskTitle="Find brand logos",
        TaskDescription="Draw a tight box around every Beacon, Comet and Harbor logo.",
        NumberOfHumanWorkersPerDataObject=1,
        TaskTimeLimitInSeconds=300,
    )
    page, words = worker.page, WORDS[language]
    page.goto(f"{site.url}/jobs/{name}")
    worker.wait_for_ahead()
    page.wait_for_timeout(500)
    look(page, "task")
    for button in ("shortcuts", "recent", "decline"):
        worker.button(str(words[button])).click()
        expect(page.get_by_role("dialog")).to_be_visible()
        look(page, f"task-{button}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.context.set_offline(True)
    worker.task.get_by_role("button", name=words["empty"]).click()
    worker.task.locator("button[part=submit]").click()
    page.wait_for_timeout(500)
    look(page, "task-offline")
    page.context.set_offline(False)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.wait_for_timeout(300)
    look(page, "task-phone")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    look(page, "task-dark")


def test_what_is_said_when_there_is_no_task(
    site: Site, worker: Labeler, language: str, look: Callable[[Page, str], None]
) -> None:
    page, words = worker.page, WORDS[language]
    page.goto(f"{site.url}/jobs/{site.job(0 + 1, '{{ 1 | nofilter }} {% broken')}")
    expect(page.get_by_role("heading", name=words["broken"])).to_be_visible()
    look(page, "task-broken")
    page.goto(f"{site.url}/jobs/no-such-job")
    expect(page.get_by_role("heading", name=words["gone"])).to_be_visible()
    look(page, "job-gone")
    job = site.job(1, NOTE_TEMPLATE, TaskTimeLimitInSeconds=2)
    page.goto(f"{site.url}/jobs/{job}")
    expect(page.get_by_role("dialog")).to_contain_text(str(words["over"]))
    look(page, "task-over")
    page.get_by_role("dialog").get_by_role("button").last.click()
    expect(worker.note).to_be_visible()
    worker.task.locator("button[part=submit], button:not([hidden])").last.click()
    expect(page.get_by_role("heading", name=words["nothing"])).to_be_visible()
    look(page, "task-none")


def test_pages_around_the_app(
    site: Site, worker: Labeler, language: str, look: Callable[[Page, str], None]
) -> None:
    page, words = worker.page, WORDS[language]
    page.goto(f"{site.url}/no-such-page")
    expect(page.get_by_role("heading", name=words["missing"])).to_be_visible()
    look(page, "no-such-page")
    page.goto(site.url)
    worker.button(str(words["sign out"])).click()
    expect(page.get_by_role("heading", name=words["signed out"])).to_be_visible()
    look(page, "signed-out")


def test_somebody_in_no_team_is_told_whom_to_ask(site: Site, context: BrowserContext) -> None:
    email = "nobody@example.com"
    site.service.invite(email, "Temporary-passw0rd")
    labeler = Labeler(site, context.new_page(), email)
    labeler.sign_in("/", "Temporary-passw0rd", "Chosen-passw0rd-2")
    expect(labeler.page.get_by_role("heading", name="You are in no work team yet")).to_be_visible()


def test_a_portal_that_cannot_be_reached_is_asked_again(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    ann = labeler("")
    ann.page.route("**/api/jobs", lambda route: route.abort())
    ann.page.reload()
    expect(ann.page.get_by_role("heading", name="No connection")).to_be_visible()
    ann.page.unroute("**/api/jobs")
    ann.button("Try again").click()
    expect(ann.page.get_by_role("heading", name=WORDS["en"]["jobs"])).to_be_visible()


def test_an_image_that_cannot_be_read_is_told_and_loaded_again(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(1, BOX_TEMPLATE)
    ann = labeler("")
    pattern = re.compile(r"/images/\d+\.jpg")
    ann.page.route(pattern, lambda route: route.abort())
    ann.page.goto(f"{site.url}/jobs/{job}")
    expect(ann.page.get_by_text("The image cannot be shown")).to_be_visible()
    ann.page.unroute(pattern)
    ann.button("Load it again").click()
    expect(ann.page.get_by_text("The image cannot be shown")).to_have_count(0)


def test_the_texts_of_both_languages_are_those_of_the_pages() -> None:
    assert WORDS["en"].keys() == WORDS["ko"].keys()
    assert json.dumps(list(WORDS)) == '["en", "ko"]'
