"""One browser for all tests of the portal, and the bundle of elements built once."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.contract.worker_api_support import portal_service
from tests.portal.pages_support import Labeler, Site
from tests.support.labeling_service import (
    BUCKET,
    create_state_machine,
    create_table,
    labeling_service,
)
from tests.support.task_frame import TaskFrame

PROJECT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
# For what takes a fraction of it on a machine that does nothing else.
PATIENCE_MILLISECONDS = 15_000
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A real Chromium without a window."""
    if not Path(CHROMIUM).exists():
        pytest.fail(f"{CHROMIUM} is missing: apt-get install chromium fonts-noto-cjk")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US")
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield context
    context.close()


@pytest.fixture(scope="session")
def elements_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of elements, as the portal's build makes it from the sources as they are now."""
    folder = tmp_path_factory.mktemp("elements")
    vite = PROJECT / "node_modules" / ".bin" / "vite"
    config = PROJECT / "portal" / "vite.elements.config.ts"
    command: list[str | Path] = [vite, "build", "portal", "--config", config, "--outDir", folder]
    built = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "crowd-html-elements.js"


@pytest.fixture(scope="session")
def task_page(browser: Browser, elements_script: Path) -> Iterator[TaskFrame]:
    """One page for all templates: a new one costs more time than most tests do."""
    context = browser.new_context(locale="en-US")
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    yield TaskFrame(context, elements_script)
    context.close()


@pytest.fixture
def task(task_page: TaskFrame) -> Iterator[TaskFrame]:
    """A task page with an empty frame; no script in it may fail unnoticed."""
    task_page.reset()
    yield task_page
    assert task_page.page_errors == []


@pytest.fixture(scope="session")
def axe() -> Path:
    """The accessibility checker's script."""
    return PROJECT / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where pictures are kept that people look at."""
    return PROJECT / "build" / "screenshots"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The portal as `npm run build` made it last, with an emulator behind it."""
    pages = PROJECT / "portal" / "dist" / "index.html"
    assert pages.exists(), f"{pages} is missing: run `make setup`"
    folder = tmp_path_factory.mktemp("site")
    with labeling_service(folder) as cloud:
        create_table(cloud)
        create_state_machine(cloud)
        cloud.emulator("s3").create_bucket(Bucket=BUCKET)
        with portal_service(cloud, folder) as service:
            yield Site(service)


@pytest.fixture
def labeler(site: Site, context: BrowserContext) -> Iterator[Callable[[str], Labeler]]:
    """Signs somebody in at a job; nothing in their pages may fail unnoticed."""
    made: list[Labeler] = []

    def at(job: str) -> Labeler:
        made.append(site.worker(context, job))
        return made[-1]

    yield at
    assert [problem for each in made for problem in each.problems] == []
