"""Workers label in the portal's pages, in a real browser."""

import re
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from playwright.sync_api import Error as PlaywrightError

from tests.portal.pages_support import (
    BOX_TEMPLATE,
    CHOSEN,
    Labeler,
    Site,
    submit_by_key,
)
from tests.support.task_frame import eventually

RELEASE = """async (address) => (await fetch(address, { method: "POST", body: "{}",
  headers: { "content-type": "application/json", "x-groundwork-request": "1" },
})).status"""


def test_a_worker_labels_a_job_to_its_end(site: Site, labeler: Callable[[str], Labeler]) -> None:
    job = site.job(3)
    ann = labeler(job)
    seen = set()
    for number in range(3):
        expect(ann.note).to_be_visible()
        seen.add(ann.which())
        ann.note.fill(f"note {number}")
        ann.submit()
        expect(ann.page.get_by_text(f"{number + 1} done")).to_be_visible()
    assert len(seen) == 3
    # Waking a loop that does not exist, as here, takes a while.
    nothing = ann.page.get_by_role("heading", name="Nothing to do right now")
    expect(nothing).to_be_visible(timeout=20_000)
    answers = site.answers(job)
    assert sorted(note["note"] for [note] in answers.values()) == ["note 0", "note 1", "note 2"]
    for task in site.tasks(job):
        [answer] = task.answers
        assert 0 <= answer.time_spent_seconds < 60


def test_a_task_whose_answer_is_still_on_its_way_is_not_given_again(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(3)
    ann = labeler(job)
    ann.wait_for_ahead()
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    ann.page.route("**/answer", hold)
    first = ann.which()
    ann.note.fill("the first")
    ann.submit()
    # Longer than the page needs to ask for another task, if it did not wait for the answer.
    expect(ann.task.locator("#which")).not_to_have_text(first)
    ann.page.wait_for_timeout(1000)
    assert held
    # Lets those go that were held.
    ann.page.unroute("**/answer")
    expect(ann.page.get_by_text("1 done")).to_be_visible()
    ann.note.fill("the second")
    second = ann.which()
    ann.submit()
    expect(ann.task.locator("#which")).not_to_have_text(second)
    expect(ann.note).to_have_value("")
    assert ann.which() != first


def test_boxes_are_drawn_with_the_mouse(site: Site, labeler: Callable[[str], Labeler]) -> None:
    job = site.job(1, BOX_TEMPLATE)
    ann = labeler(job)
    expect(ann.task.get_by_role("button", name="Submit")).to_be_visible()
    canvas = ann.task.locator("canvas").first
    area = canvas.bounding_box()
    assert area is not None
    x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
    ann.page.mouse.move(x - 60, y - 40)
    ann.page.mouse.down()
    ann.page.mouse.move(x, y, steps=4)
    ann.page.mouse.move(x + 70, y + 50, steps=4)
    ann.page.mouse.up()
    ann.submit()
    expect(ann.page.get_by_text("1 done")).to_be_visible()
    [[answer]] = site.answers(job).values()
    [box] = answer["boundingBox"]["boundingBoxes"]
    assert box["label"] in {"cat", "dog"}
    assert box["width"] > box["height"] > 10
    assert answer["boundingBox"]["inputImageProperties"] == {"height": 480, "width": 640}


def test_the_keyboard_alone_is_enough(site: Site, labeler: Callable[[str], Labeler]) -> None:
    job = site.job(2)
    ann = labeler("")
    keys = ann.page.keyboard
    expect(ann.page.get_by_role("link", name="Start working on Draw boxes").first).to_be_visible()
    ann.page.get_by_role("searchbox").focus()
    keys.press("Tab")
    expect(ann.page.get_by_role("link", name="Start working").first).to_be_focused()
    keys.press("Enter")
    ann.page.goto(f"{site.url}/jobs/{job}")
    for number in range(2):
        expect(ann.note).to_be_visible()
        expect(ann.page.locator("iframe.task-frame:not([data-ahead])")).to_be_focused()
        keys.press("Tab")
        keys.type(f"typed {number}")
        expect(ann.note).to_have_value(f"typed {number}")
        submit_by_key(ann.page)
        expect(ann.page.get_by_text(f"{number + 1} done")).to_be_visible()
    notes = {note["note"] for [note] in site.answers(job).values()}
    assert notes == {"typed 0", "typed 1"}


def test_the_next_task_is_there_before_it_is_wanted(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(3)
    ann = labeler(job)
    expect(ann.note).to_be_visible()
    ann.wait_for_ahead()
    held = [task for task in site.tasks(job) if task.leases]
    assert sorted(task.leases[0].ahead for task in held) == [False, True]
    ann.note.fill("first")
    ann.submit()
    # The one that was ahead is worked on now, and its time began anew.
    eventually(
        lambda: any(task.leases and not task.leases[0].ahead for task in site.tasks(job)), ann.page
    )
    assert len(site.answers(job)) == 1
    ann.wait_for_ahead()
    ann.button("Stop and resume later").click()
    expect(ann.page.get_by_role("heading", name="Jobs")).to_be_visible()

    def left() -> bool:
        held = [task for task in site.tasks(job) if task.leases]
        return len(held) == 1 and not held[0].leases[0].ahead

    assert eventually(left, ann.page)
    expect(ann.page.get_by_text("You have a task open until").first).to_be_visible()


@pytest.mark.parametrize("is_accepted", [True, False])
def test_the_task_after_the_next_is_asked_for_once_an_answer_is_accepted_or_refused(
    site: Site, labeler: Callable[[str], Labeler], *, is_accepted: bool
) -> None:
    job = site.job(3)
    ann = labeler(job)
    expect(ann.note).to_be_visible()
    ann.wait_for_ahead()
    answers: list[Route] = []
    taken: list[Route] = []

    def take(route: Route) -> None:
        taken.append(route)
        route.continue_()

    ann.page.route("**/answer", lambda route: answers.append(route))  # noqa: PLW0108
    ann.page.route(f"**/api/jobs/{job}/tasks", take)
    first = ann.which()
    ann.note.fill("first")
    ann.submit()
    expect(ann.task.locator("#which")).not_to_have_text(first)
    ann.page.wait_for_timeout(500)
    # Asked now, the portal would say that there is nothing: nobody holds three tasks.
    assert (len(answers), len(taken)) == (1, 0)
    if not is_accepted:
        release = answers[0].request.url.replace("/answer", "/release")
        assert ann.page.evaluate(RELEASE, release) == HTTPStatus.NO_CONTENT
    answers[0].continue_()
    ann.wait_for_ahead()
    assert len(site.answers(job)) == int(is_accepted)


def test_what_was_drawn_survives_a_reload(site: Site, labeler: Callable[[str], Labeler]) -> None:
    ann = labeler(site.job(1))
    ann.note.fill("half a thought")
    ann.draft_is_kept()
    ann.page.reload()
    expect(ann.note).to_have_value("half a thought")
    expect(ann.page.get_by_text("Your drawing is back.")).to_be_visible()
    ann.submit()
    expect(ann.page.get_by_text("1 done")).to_be_visible()
    assert eventually(lambda: not ann.kept("draft"), ann.page)


def test_what_was_drawn_survives_a_crash_of_the_tab(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(1)
    ann = labeler(job)
    ann.note.fill("half a thought")
    ann.draft_is_kept()
    crashed: list[Page] = []
    ann.page.once("crash", lambda page: crashed.append(page))  # noqa: PLW0108
    with suppress(PlaywrightError):
        ann.page.goto("chrome://crash")
    ann.page = ann.page.context.new_page()
    assert eventually(lambda: crashed, ann.page)
    ann.page.goto(f"{site.url}/jobs/{job}")
    expect(ann.note).to_have_value("half a thought")


def test_answers_given_without_a_connection_arrive_when_it_is_back(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(3)
    ann = labeler(job)
    expect(ann.note).to_be_visible()
    ann.wait_for_ahead()
    ahead = ann.page.frame_locator("iframe[data-ahead]")
    expect(ahead.locator("#which")).not_to_be_empty()
    ann.page.context.set_offline(True)
    first = ann.which()
    ann.note.fill("offline 1")
    ann.submit()
    expect(ann.page.get_by_text("Saved here; no connection")).to_be_visible()
    # The next one was there already.
    expect(ann.task.locator("#which")).not_to_have_text(first)
    ann.note.fill("offline 2")
    ann.submit()
    assert site.answers(job) == {}
    ann.page.context.set_offline(False)
    expect(ann.page.get_by_text("2 done")).to_be_visible()
    notes = sorted(note["note"] for [note] in site.answers(job).values())
    assert notes == ["offline 1", "offline 2"]
    expect(ann.note).to_have_value("")


def test_an_answer_whose_receipt_was_lost_counts_once(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(1)
    ann = labeler(job)
    ann.note.fill("once")
    lost = []

    def lose(route: object) -> None:
        lost.append(1)
        if len(lost) == 1:
            route.fetch()  # type: ignore[attr-defined]  # the server has it
            route.abort()  # type: ignore[attr-defined]
        else:
            route.continue_()  # type: ignore[attr-defined]

    ann.page.route("**/answer", lose)
    ann.submit()
    expect(ann.page.get_by_text("1 done")).to_be_visible()
    assert len(lost) == 2
    [[note]] = site.answers(job).values()
    assert note == {"note": "once"}


def test_an_answer_waits_in_the_browser_until_one_comes_back(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(1)
    ann = labeler(job)
    ann.note.fill("written down")
    ann.page.route("**/answer", lambda route: route.abort())
    ann.submit()
    expect(ann.page.get_by_text(re.compile("Saved here; trying again"))).to_be_visible()
    ann.page.goto("about:blank")
    ann.page.unroute("**/answer")
    ann.page.goto(site.url + "/")
    assert eventually(lambda: site.answers(job), ann.page)
    [[note]] = site.answers(job).values()
    assert note == {"note": "written down"}


def test_when_the_time_is_over_the_drawing_comes_along_to_the_renewed_task(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(4, TaskTimeLimitInSeconds=4)
    ann = labeler(job)
    expect(ann.note).to_be_visible()
    which = ann.which()
    ann.note.fill("too slow")
    dialog = ann.page.get_by_role("dialog")
    expect(dialog).to_contain_text("The time for this task is over")
    dialog.get_by_role("button", name="Take it again").click()
    expect(ann.task.locator("#which")).to_have_text(which)
    expect(ann.note).to_have_value("too slow")
    ann.submit()
    expect(ann.page.get_by_text("1 done")).to_be_visible()
    assert [note for [note] in site.answers(job).values()] == [{"note": "too slow"}]


def test_a_worker_is_warned_before_the_time_is_over(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    ann = labeler(site.job(1, TaskTimeLimitInSeconds=8))
    expect(ann.page.get_by_text(re.compile(r"^0:0\d of 8 s$"))).to_be_visible()
    expect(ann.page.get_by_role("alert").filter(has_text="left for this task")).to_be_attached()


def test_a_session_that_ended_costs_nothing_but_signing_in(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(3)
    ann = labeler(job)
    expect(ann.note).to_be_visible()
    ann.wait_for_ahead()
    site.end_sessions()
    ann.note.fill("submitted signed out")
    ann.submit()
    dialog = ann.page.get_by_role("dialog")
    expect(dialog).to_contain_text("Please sign in again")
    dialog.get_by_role("button", name="Sign in").click()
    ann.pass_forms(CHOSEN)
    expect(ann.page).to_have_url(f"{site.url}/jobs/{job}")
    expect(ann.page.get_by_text("1 done")).to_be_visible()
    [[note]] = site.answers(job).values()
    assert note == {"note": "submitted signed out"}


def test_a_job_that_is_stopped_says_so(site: Site, labeler: Callable[[str], Labeler]) -> None:
    job = site.job(1)
    ann = labeler(job)
    ann.note.fill("in vain")
    store = site.service.store
    store.request_stop(job, store.get(job).created_at)
    for task in site.tasks(job):
        store.close_task(task, store.get(job).created_at)
    ann.submit()
    heading = ann.page.get_by_role("heading", name="This job takes no more answers")
    expect(heading).to_be_visible()
    ann.page.get_by_role("main").get_by_role("link", name="Back to jobs").last.click()
    expect(ann.page.get_by_role("heading", name=re.compile("^Jobs"))).to_be_visible()


def test_declining_asks_first_and_gives_another_task(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(2)
    ann = labeler(job)
    expect(ann.note).to_be_visible()
    first = ann.which()
    ann.button("Decline task").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    assert ann.which() == first
    ann.button("Decline task").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Decline task").click()
    expect(ann.task.locator("#which")).not_to_have_text(first)
    assert sum(len(task.declined_by) for task in site.tasks(job)) == 1


def test_a_released_task_goes_back(site: Site, labeler: Callable[[str], Labeler]) -> None:
    job = site.job(2)
    ann = labeler(job)
    expect(ann.note).to_be_visible()
    ann.wait_for_ahead()
    first = ann.which()
    ann.button("Release task").click()
    expect(ann.task.locator("#which")).not_to_have_text(first)
    assert all(not task.declined_by for task in site.tasks(job))


def test_nothing_to_do_wakes_up_by_itself(
    site: Site, labeler: Callable[[str], Labeler], browser: Browser
) -> None:
    job = site.job(1)
    other = browser.new_context(locale="en-US")
    ben = site.worker(other, job)
    expect(ben.note).to_be_visible()
    ann = labeler(job)
    expect(ann.page.get_by_role("heading", name="Nothing to do right now")).to_be_visible()
    ben.button("Release task").click()
    # Whoever asks first gets it.
    other.close()
    held = eventually(lambda: ann.page.locator("iframe.task-frame").count(), ann.page, 10)
    assert held or any(task.leases for task in site.tasks(job))


def test_two_tabs_do_not_work_on_one_task(site: Site, labeler: Callable[[str], Labeler]) -> None:
    job = site.job(3)
    ann = labeler(job)
    ann.note.fill("from the first tab")
    ann.draft_is_kept()
    second = Labeler(site, ann.page.context.new_page(), ann.email)
    second.page.goto(f"{site.url}/jobs/{job}")
    dialog = second.page.get_by_role("dialog")
    expect(dialog).to_contain_text("open in another tab")
    dialog.get_by_role("button", name="Go on here").click()
    expect(second.note).to_have_value("from the first tab")
    expect(ann.page.get_by_role("heading", name="You went on in another tab")).to_be_visible()
    second.submit()
    expect(second.page.get_by_text("1 done")).to_be_visible()
    ann.page.bring_to_front()


def test_a_submitted_answer_can_be_changed(site: Site, labeler: Callable[[str], Labeler]) -> None:
    job = site.job(3)
    ann = labeler(job)
    ann.note.fill("first thought")
    ann.submit()
    expect(ann.page.get_by_text("1 done")).to_be_visible()
    ann.note.fill("of the second task")
    ann.button("Recent answers").click()
    ann.page.get_by_role("dialog").get_by_role("button", name="Change").click()
    expect(ann.page.get_by_text("You are changing an answer")).to_be_visible()
    expect(ann.note).to_have_value("first thought")
    ann.note.fill("second thought")
    ann.submit()
    # Back at the task that waited, as it was left.
    expect(ann.note).to_have_value("of the second task")
    changed = [[{"note": "second thought"}]]
    assert eventually(lambda: list(site.answers(job).values()) == changed, ann.page)
    expect(ann.page.get_by_text("1 done")).to_be_visible()


def test_signing_out_leads_to_a_page_that_says_so(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    ann = labeler("")
    ann.button("Sign out").click()
    expect(ann.page.get_by_role("heading", name="You are signed out")).to_be_visible()
    ann.page.get_by_role("link", name="Sign in").click()
    expect(ann.page.locator("input[name=username]")).to_be_visible()
