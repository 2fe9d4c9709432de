"""Takes the guides' screenshots from the local cloud, as a worker with a browser sees it.

Run it after step 3 of the guide, and again with a report after step 7::

    python -m workshop.take_pictures
    python -m workshop.take_pictures --report report.html
"""

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from groundwork.cli.terminal import say
from groundwork.local.cloud import LocalCloud, project_root
from groundwork.local.invitations import invitations

PICTURES = Path(__file__).parent / "pictures"
CHROMIUM = "/usr/bin/chromium"
LANGUAGES = {"en": "en-US", "ko": "ko-KR"}
WORKER = "me@example.com"
# What the pictures' worker chooses at the first sign-in, on a cloud that is thrown away.
CHOSEN = "Chosen-passw0rd-2!"
WIDTH, HEIGHT = 1280, 800
_COLOURS = 96
_WIDEST = 1000
_LONG = 60_000


def main() -> None:
    """Take the pictures of the portal, or of a report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--report", type=Path, help="take the report's pictures instead")
    report: Path | None = parser.parse_args().report
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for language, locale in LANGUAGES.items():
            page = _page(browser, locale)
            if report is None:
                _take_portal(page, language)
            else:
                page.goto(report.absolute().as_uri())
                page.wait_for_timeout(2_000)
                _keep(page, f"report.{language}.png")
        browser.close()


def _page(browser: Browser, locale: str) -> Page:
    context = browser.new_context(locale=locale, viewport={"width": WIDTH, "height": HEIGHT})
    context.set_default_timeout(_LONG)
    return context.new_page()


def _take_portal(page: Page, language: str) -> None:
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
    _keep(page, f"portal-jobs.{language}.png")
    start.click()
    canvas = page.frame_locator("iframe.task-frame:not([data-ahead])").locator("canvas").first
    expect(canvas).to_be_visible(timeout=_LONG)
    page.wait_for_timeout(1_500)
    area = canvas.bounding_box()
    if area is not None:
        x, y = area["x"] + area["width"] / 2, area["y"] + area["height"] / 2
        page.mouse.move(x - 90, y - 70)
        page.mouse.down()
        page.mouse.move(x, y, steps=4)
        page.mouse.move(x + 90, y + 70, steps=4)
        page.mouse.up()
    page.wait_for_timeout(500)
    _keep(page, f"portal-task.{language}.png")


def _keep(page: Page, name: str) -> None:
    """Keep what the page shows with few colours: small enough for a repository."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.thumbnail((_WIDEST, _WIDEST), Image.Resampling.LANCZOS)
    PICTURES.mkdir(exist_ok=True)
    path = PICTURES / name
    picture.quantize(_COLOURS).save(path, optimize=True)
    say(f"{path} ({path.stat().st_size / 1000:.0f} kB)")


if __name__ == "__main__":
    main()
