"""The report in a real browser, opened from disk without a network."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from playwright.sync_api import Browser, BrowserContext, Page, expect

from groundwork.cli import main
from groundwork.samples import generate
from tests.portal.pages_support import axe_problems
from tests.support.output_trees import box, boxes_line, failed_line, write_file, write_tree

ROUND = {
    "iteration": 1,
    "target": 0.8,
    "risk_curve": [{"objects": 2, "mean_forecast": 0.9, "threshold": 0.85}],
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a job by people and machine on four sample photos."""
    folder = tmp_path_factory.mktemp("report")
    generate(folder / "photos", 4, seed=3)
    lines = [
        boxes_line("sample-00000.jpg", [box(0)]),
        boxes_line("sample-00001.jpg", [box(1), box(1)], by="no", confidence=0.8),
        boxes_line("sample-00002.jpg", [box(2)], by="no", confidence=0.3),
        failed_line("sample-00003.jpg"),
    ]
    job = write_tree(folder / "job", lines)
    write_file(job, "activelearning/1/round.json", json.dumps(ROUND))
    page = folder / "report.html"
    options = ["--to", page, "--truth", folder / "photos/truth.json"]
    options += ["--image-folder", folder / "photos"]
    result = CliRunner().invoke(main, ["report", str(job), *map(str, options)])
    assert result.exit_code == 0, result.output
    return page


@pytest.fixture
def page(context: BrowserContext, report: Path) -> Page:
    """The report, open; whatever it asks the network for fails the test."""
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith(("file:", "blob:", "data:"))
            else problems.append(request.url)
        ),
    )
    page.goto(report.as_uri())
    expect(page.locator(".card").first).to_be_visible()
    assert problems == []
    return page


def test_pictures_are_there_with_their_boxes(page: Page) -> None:
    page.locator("#gallery").scroll_into_view_if_needed()
    card = page.locator(".card", has_text="sample-00001")
    image = card.locator("img")
    expect(image).to_have_js_property("naturalWidth", 512)
    box_shape = card.locator(".boxes rect:not(.under)").first.bounding_box()
    picture = image.bounding_box()
    assert box_shape
    assert picture
    middle = box_shape["x"] + box_shape["width"] / 2 - picture["x"]
    assert middle / picture["width"] == pytest.approx(25 / 640, abs=0.005)


def test_objects_are_filtered_and_ordered(page: Page) -> None:
    expect(page.locator(".card")).to_have_count(4)
    page.locator("[name=class]").select_option(label="pot")
    expect(page.locator("#count")).to_have_text("1 of 4 objects")
    expect(page.locator(".card .file")).to_have_text(["sample-00002.jpg"])
    page.get_by_role("button", name="Reset").click()
    page.get_by_label("by people").uncheck()
    page.get_by_label("failed", exact=True).uncheck()
    page.locator("[name=order]").select_option("confidence")
    expect(page.locator("#count")).to_have_text("2 of 4 objects")
    files = page.locator(".card .file")
    expect(files).to_have_text(["sample-00002.jpg", "sample-00001.jpg"])
    page.get_by_label("Lowest confidence").fill("0.5")
    expect(page.locator("#count")).to_have_text("1 of 4 objects")
    page.get_by_role("button", name="Reset").click()
    page.locator("[name=doubt]").select_option(label="box drawn twice")
    expect(page.locator("#count")).to_have_text("1 of 4 objects")


def test_an_object_opens_and_the_keyboard_goes_on_to_the_next(page: Page) -> None:
    first = page.locator(".card").first
    first.evaluate("card => card.classList.add('before')")
    page.locator("[name=order]").select_option("number")
    # Cards are made anew, which takes the focus from the old ones.
    expect(page.locator(".card.before")).to_have_count(0)
    expect(first).to_contain_text("sample-00000.jpg")
    first.focus()
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer).to_contain_text("sample-00000.jpg")
    expect(viewer).to_contain_text("s3://bucket/photos/sample-00000.jpg")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("sample-00001.jpg")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()


def test_a_machines_confidence_of_0_is_shown_and_people_have_none(
    context: BrowserContext, tmp_path: Path
) -> None:
    lines = [
        boxes_line("person.jpg", [box(0)], confidence=0),
        boxes_line("machine.jpg", [box(0)], by="no", confidence=0),
    ]
    target = tmp_path / "report.html"
    job = write_tree(tmp_path / "job", lines)
    made = CliRunner().invoke(main, ["report", str(job), "--to", str(target), "--no-images"])
    assert made.exit_code == 0, made.output
    page = context.new_page()
    page.goto(target.as_uri())
    page.locator("[name=order]").select_option("confidence")
    expect(page.locator(".card .file")).to_have_text(["machine.jpg", "person.jpg"])
    page.locator(".card").first.click()
    viewer = page.get_by_role("dialog")
    expect(viewer).to_contain_text("lowest confidence0.000")
    page.keyboard.press("ArrowRight")
    expect(viewer).to_contain_text("person.jpg")
    expect(viewer).not_to_contain_text("confidence")
    page.keyboard.press("Escape")
    page.get_by_label("Highest confidence").fill("0.5")
    expect(page.locator(".card .file")).to_have_text(["machine.jpg"])


def test_no_name_in_a_job_becomes_markup(context: BrowserContext, tmp_path: Path) -> None:
    evil = "</script><img src=x onerror='pwned=1'><script>pwned=1</script>"
    lines = [
        boxes_line(name, [box(0)], job=f"labeling-job/{evil}", changes={"class-map": {"0": evil}})
        for name in (evil, f"another{evil}")
    ]
    target = tmp_path / "report.html"
    job = write_tree(tmp_path / "job", [*lines, failed_line(evil)])
    made = CliRunner().invoke(main, ["report", str(job), "--to", str(target), "--no-images"])
    assert made.exit_code == 0, made.output
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda said: refused.append(said.text))
    page.on("pageerror", lambda error: refused.append(str(error)))
    page.goto(target.as_uri())
    expect(page.locator(".card").first).to_be_visible()
    page.get_by_role("button", name="한국어").click()
    page.get_by_role("button", name="English").click()
    page.locator("[name=class]").select_option(label=evil)
    page.locator(".card").first.click()
    expect(page.get_by_role("dialog")).to_contain_text("onerror")
    # Neither run nor refused: the content policy had nothing to do.
    assert page.evaluate("typeof pwned") == "undefined"
    assert page.locator("[onerror]").count() == 0
    assert refused == []


def test_the_page_speaks_korean(page: Page) -> None:
    page.get_by_role("button", name="한국어").click()
    expect(page.locator("html")).to_have_attribute("lang", "ko")
    expect(page.get_by_role("heading", name="사람과 기계: 이미지별 품질")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="What was labeled")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_is_accessible(browser: Browser, report: Path, axe: Path, scheme: str) -> None:
    context = browser.new_context(color_scheme=scheme, locale="en-US")  # type: ignore[arg-type]  # a literal of the two
    page = context.new_page()
    page.goto(report.as_uri())
    page.wait_for_timeout(300)
    # Run from the page's own world, past its policy, which allows no further scripts.
    assert axe_problems(page, axe) == []
    page.locator(".card").first.click()
    assert axe_problems(page, axe) == []
    context.close()
