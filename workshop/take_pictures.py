"""Takes the guides' screenshots from the local cloud, as a worker with a browser sees it.

Run it after step 3 of the guide, and again with a report after step 7::

    python -m workshop.take_pictures
    python -m workshop.take_pictures --report report.html
"""

import argparse
import io
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from groundwork.cli.terminal import say
from groundwork.local.cloud import LocalCloud, project_root
from groundwork.local.invitations import invitations
from groundwork.results.truth import Truth
from groundwork.samples import SAMPLE_LABELS

PICTURES = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
LANGUAGES = {"en": "en-US", "ko": "ko-KR"}
RELEASE = {"en": "Release task", "ko": "태스크 반납"}
WORKER = "me@example.com"
# What the pictures' worker chooses at the first sign-in, on a cloud that is thrown away.
CHOSEN = "Chosen-passw0rd-2!"
WIDTH, HEIGHT = 1280, 800
# What the list of one job fills.
LIST_HEIGHT = 340
_COLOURS = 64
_WIDEST = 1000
_LONG = 60_000


def main() -> None:
    """Take the pictures of the portal, or of a report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="take the report's pictures instead")
    parser.add_argument("--truth", type=Path, default=Path("photos/truth.json"))
    arguments = parser.parse_args()
    report: Path | None = arguments.report
    truth = Truth.read(arguments.truth)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language, locale in LANGUAGES.items():
            page = _page(browser, locale)
            if report is None:
                _take_portal(page, language, truth)
            else:
                page.goto(report.absolute().as_uri())
                page.wait_for_timeout(2_000)
                _keep(page, f"report.{language}.png")
        browser.close()


def _page(browser: Browser, locale: str) -> Page:
    context = browser.new_context(locale=locale, viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(_LONG)
    return context.new_page()


def _take_portal(page: Page, language: str, truth: Truth) -> None:
    cloud = LocalCloud(project_root())
    if not cloud.attach():
        raise SystemExit("The local cloud does not run: groundwork up")
    first = {each.email: each.temporary_password for each in invitations(cloud.mails())}[WORKER]
    page.goto(f"{cloud.output('PortalUrl')}")
    for password in (CHOSEN, first):
        page.locator("input[name=username]").fill(WORKER)
        page.locator("input[name=password]").fill(password)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_load_state("networkidle")
        # Refused: another password is on this cloud than on the last one.
        if page.locator("input[name=username]").count() == 0:
            break
    fields = page.locator("input[type=password]")
    for index in range(fields.count()):
        fields.nth(index).fill(CHOSEN)
    if fields.count():
        fields.last.press("Enter")
    start = page.locator("a[href*='/jobs/'], a[href*='task']").first
    expect(start).to_be_visible(timeout=_LONG)
    page.wait_for_timeout(500)
    _keep(page, f"portal-jobs.{language}.png", height=LIST_HEIGHT)
    start.click()
    frame = page.frame_locator("iframe.task-frame:not([data-ahead])")
    expect(frame.locator("canvas").first).to_be_visible(timeout=_LONG)
    page.wait_for_timeout(1_500)
    _draw(page, truth)
    page.wait_for_timeout(500)
    _keep(page, f"portal-task.{language}.png")
    # The guide's reader goes on with all photos, this one, too.
    page.get_by_role("button", name=RELEASE[language], exact=True).click()
    page.wait_for_timeout(2_000)


def _draw(page: Page, truth: Truth) -> None:
    """Draw the true boxes of the photo that is shown."""
    element = page.locator("iframe.task-frame:not([data-ahead])").element_handle()
    frame = element.content_frame()
    if frame is None:
        raise SystemExit("The task has no page")
    tool = "document.querySelector('crowd-bounding-box')"
    source = urlsplit(frame.evaluate(f"{tool}.getAttribute('src')")).path
    area = frame.locator(".surface").bounding_box()
    if area is None:
        raise SystemExit("The task has no surface to draw on")
    for box in truth.of(source) or ():
        view = frame.evaluate(f"{tool}.tool.view")
        left = area["x"] + view["x"] + box.left * view["scale"]
        top = area["y"] + view["y"] + box.top * view["scale"]
        page.keyboard.press(str(SAMPLE_LABELS.index(box.label) + 1))
        page.keyboard.press("b")
        page.mouse.move(left, top)
        page.mouse.down()
        page.mouse.move(left + 20, top + 20, steps=4)
        page.mouse.move(left + box.width * view["scale"], top + box.height * view["scale"], steps=4)
        page.mouse.up()


def _keep(page: Page, name: str, height: int = HEIGHT) -> None:
    """Keep what the page shows with few colours: small enough for a repository."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture = picture.crop((0, 0, WIDTH, height))
    picture.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / name
    picture.quantize(_COLOURS).save(path, optimize=True)
    say(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
