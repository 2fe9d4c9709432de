"""What attackers send to the portal, on every route that there is."""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundwork.portal.http import Request, Response, read_cookies
from groundwork.portal.sign_in import CALLBACK_PATH, SIGN_IN_PATH, SIGN_OUT_PATH
from groundwork.portal.worker_api import MAXIMUM_BODY_BYTES
from tests.support.portal_browser import LOCAL, SECURE, Browser, content, error_of
from tests.support.portal_fakes import PAGES, jwt

# What stands for a route's named parts: a job, a task that the worker holds, a file.
PARTS = {"job": "logos", "lease": "lease-0", "name": "app-abc.js"}
ROUTES = [
    (route.method, re.sub(r"\{(\w+)\}", lambda part: PARTS[part[1]], route.path))
    for route in Browser().portal._routes
]
CHANGING = [target for method, target in ROUTES if method != "GET"]
READING = [target for method, target in ROUTES if method == "GET"]
SESSION = "__Host-groundwork-session"
BROWSER = "__Host-groundwork-browser"
MARKUP = "<script>alert(1)</script>"


def at_work(url: str = SECURE) -> Browser:
    """Return a browser whose worker is signed in and holds a task."""
    browser = Browser(url)
    browser.sign_in()
    assert browser.change("/api/jobs/logos/tasks").status == 200
    browser.work.tasks_left = 1
    return browser


def state_of(browser: Browser) -> Any:
    """Return everything that a call may change."""
    work, records = browser.work, browser.records
    kept = (work.held, work.tasks_left, work.ahead, work.answers, work.given_back)
    return deepcopy((kept, records.sessions, records.pending, browser.cookies))


# Calls that another site makes a worker's browser send


@pytest.mark.parametrize("target", CHANGING)
@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "https://evil.example",
        "https://portal.example.evil.example",
        "http://portal.example",
        "https://portal.example:8443",
        "https://portal.example/",
        "https://PORTAL.example, https://portal.example",
    ],
)
def test_no_change_is_made_for_another_sites_page(target: str, origin: str) -> None:
    browser = at_work()
    before = state_of(browser)
    response = browser.change(target, {"answerContent": {"a": 1}}, origin=origin)
    assert error_of(response) == (403, "ForeignOrigin")
    assert state_of(browser) == before


@pytest.mark.parametrize("target", [target for target in CHANGING if target != SIGN_OUT_PATH])
@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_type": "application/x-www-form-urlencoded"}, (415, "NotJson")),
        ({"content_type": "multipart/form-data; boundary=x"}, (415, "NotJson")),
        ({"content_type": "text/plain; application/json"}, (415, "NotJson")),
        ({"content_type": "text/json"}, (415, "NotJson")),
        ({"x_groundwork_request": ""}, (403, "HeaderMissing")),
    ],
)
def test_no_change_is_made_for_what_a_page_may_send_without_asking_first(
    target: str, headers: dict[str, str], code: tuple[int, str]
) -> None:
    browser = at_work()
    before = state_of(browser)
    response = browser.change(target, {"answerContent": {"a": 1}}, **headers)
    assert error_of(response) == code
    assert state_of(browser) == before


@pytest.mark.parametrize(
    "target", [target for target in READING if target not in {SIGN_IN_PATH, CALLBACK_PATH}]
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_no_link_and_no_picture_changes_anything(method: str, target: str) -> None:
    # A link of another site brings the session's cookie along, since it is SameSite=Lax.
    browser = at_work()
    before = state_of(browser)
    response = browser.send(method, target, x_http_method_override="POST")
    assert response.status in {200, 303}
    assert state_of(browser) == before


@pytest.mark.parametrize("target", sorted({target for _, target in ROUTES}))
def test_methods_that_a_route_does_not_name_are_refused(target: str) -> None:
    browser = at_work()
    before = state_of(browser)
    named = {method for method, path in ROUTES if path == target}
    others = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get"}
    for method in others - named - ({"HEAD"} if "GET" in named else set()):
        response = browser.send(method, target, origin="https://evil.example")
        assert response.status == 405
        assert response.headers["allow"] == ", ".join(sorted(named))
        assert not [name for name in response.headers if name.startswith("access-control")]
    assert state_of(browser) == before


# Headers of every answer

HEADERS = {
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
FEATURES = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")


def fail(browser: Browser) -> None:
    """Let everything that is asked of the work fail as nobody foresaw."""
    browser.work.error = RuntimeError("unforeseen")


def empty(browser: Browser) -> None:
    """Let there be no workforce."""
    browser.registry.present = False
    browser.clock.advance(minutes=1)


@pytest.mark.parametrize("url", [SECURE, LOCAL])
@pytest.mark.parametrize(
    "circumstance",
    [lambda _: None, lambda browser: browser.cookies.clear(), fail, empty],
    ids=["signed in", "signed out", "failing", "not set up"],
)
def test_every_answer_has_the_security_headers(
    url: str, circumstance: Callable[[Browser], None]
) -> None:
    statuses = set()
    others = [("GET", "/nothing"), ("DELETE", "/api/me"), ("GET", "/assets/nothing.js")]
    for method, target in [*ROUTES, *others]:
        browser = at_work(url)
        circumstance(browser)
        for accept in ("text/html", "*/*"):
            response = browser.send(
                method,
                target,
                b"{}",
                accept=accept,
                content_type="application/json",
                origin=url,
                x_groundwork_request="1",
            )
            statuses.add(int(response.status))
            _check_headers(response, target, url)
    assert {200, 404, 405} <= statuses


def _check_headers(response: Response, target: str, url: str) -> None:
    headers = response.headers
    # What goes wrong around a frame is told on a page that nothing may frame.
    is_frame = target.endswith("/frame") and response.status < 500
    is_asset = target.startswith("/assets/app")
    assert HEADERS.items() <= headers.items()
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == "'none'"
    assert policy["frame-ancestors"] == ("'self'" if is_frame else "'none'")
    assert headers["x-frame-options"] == ("SAMEORIGIN" if is_frame else "DENY")
    assert policy["form-action"].split()[0] == ("'none'" if is_frame else "'self'")
    assert "unsafe" not in policy.get("script-src", "") or is_frame
    assert ("sandbox" in policy) == is_frame
    is_kept = is_asset and response.status == 200
    assert ("public" in headers["cache-control"]) == is_kept
    assert headers["cache-control"] == "no-store" or is_kept
    opened = "cross-origin" if is_kept else "same-origin"
    assert headers["cross-origin-resource-policy"] == opened
    assert all(f"{feature}=()" in headers["permissions-policy"] for feature in FEATURES)
    assert ("strict-transport-security" in headers) == url.startswith("https:")
    assert not response.body or "content-type" in headers
    assert not [name for name in headers if name.startswith("access-control")]


@pytest.mark.parametrize("destination", ["document", "embed", "object", "empty", "script"])
def test_a_template_runs_nowhere_but_in_a_frame(destination: str) -> None:
    # A tab of its own would let it leave for other sites.
    browser = at_work()
    shown = browser.send("GET", "/tasks/lease-0/frame", sec_fetch_dest="iframe")
    assert (shown.status, b"crowd-form" in shown.body) == (200, True)
    refused = browser.send("GET", "/tasks/lease-0/frame", sec_fetch_dest=destination)
    assert (refused.status, b"crowd-form" in refused.body) == (403, False)
    assert "sandbox" in refused.headers["content-security-policy"]


# Signing in


def finish(browser: Browser, query: str) -> Response:
    return browser.get(f"{CALLBACK_PATH}?{query}")


@pytest.mark.parametrize(
    "query",
    [
        "",
        "code=good-code",
        "code=good-code&state=",
        "code=good-code&state=guessed",
        "code=good-code&state=' OR 1=1",
        f"code=good-code&state={'x' * 100_000}",
        "state=%00&code=good-code",
        "error=access_denied&state=guessed",
    ],
)
def test_a_forged_return_signs_nobody_in(query: str) -> None:
    browser = Browser()
    browser.begin()
    response = finish(browser, query)
    assert response.status == 400
    assert browser.cognito.exchanged == []
    assert browser.records.sessions == {}
    assert SESSION not in browser.cookies


def test_a_return_that_comes_too_late_signs_nobody_in() -> None:
    browser = Browser()
    state = browser.begin()
    browser.clock.advance(minutes=30)
    assert finish(browser, f"code=good-code&state={state}").status == 400
    assert browser.cognito.exchanged == []


def test_a_worker_cannot_be_signed_in_as_the_attacker() -> None:
    # The attacker begins, and has the worker's browser finish.
    attacker = Browser()
    state = attacker.begin()
    victim = attacker.another()
    victim.begin()
    assert finish(victim, f"code=good-code&state={state}").status == 400
    assert SESSION not in victim.cookies
    # The state is used up all the same.
    assert finish(attacker, f"code=good-code&state={state}").status == 400


def test_tokens_in_the_address_are_never_looked_at() -> None:
    browser = Browser()
    state = browser.begin()
    token = jwt({"sub": "root", "cognito:username": "root"})
    response = finish(browser, f"state={state}&id_token={token}&access_token={token}")
    assert response.status == 400
    assert [each["code"] for each in browser.cognito.exchanged] == [""]
    assert browser.records.sessions == {}


@pytest.mark.parametrize("planted", ["fixed", "token-1"])
def test_a_session_that_was_planted_is_not_the_one_after_signing_in(planted: str) -> None:
    browser = Browser()
    browser.cookies[SESSION] = planted
    browser.sign_in()
    assert browser.cookies[SESSION] != planted
    thief = browser.another()
    thief.cookies[SESSION] = planted
    assert error_of(thief.get("/api/me")) == (401, "SignedOut")


def test_each_sign_in_has_a_session_of_its_own_and_ends_the_one_before() -> None:
    browser = Browser()
    browser.sign_in()
    thief = browser.another()
    thief.cookies = dict(browser.cookies)
    browser.sign_in()
    assert error_of(thief.get("/api/me")) == (401, "SignedOut")
    assert browser.get("/api/me").status == 200


def test_signing_out_ends_a_stolen_session_too() -> None:
    browser = Browser()
    browser.sign_in()
    thief = browser.another()
    thief.cookies = dict(browser.cookies)
    assert browser.send("POST", SIGN_OUT_PATH, origin=SECURE).status == 303
    assert error_of(thief.get("/api/me")) == (401, "SignedOut")


# Ways out of the portal


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/jobs\r\nSet-Cookie: a=b",
        "/jobs\x85x",
        "/작업",
        "evil.example",
        "@evil.example",
    ],
)
def test_signing_in_leads_nowhere_but_into_the_portal(path: str) -> None:
    browser = Browser()
    state = browser.begin(quote(path, safe=""))
    response = finish(browser, f"code=good-code&state={state}")
    assert (response.status, response.headers["location"]) == (303, "/")


@pytest.mark.parametrize("header", ["host", "x_forwarded_host", "forwarded", "x_original_url"])
def test_no_address_is_made_of_what_a_request_says_about_the_host(header: str) -> None:
    for method, target in ROUTES:
        browser = at_work()
        headers = {header: "evil.example", "origin": SECURE}
        response = browser.send(method, target, b"", **headers)
        assert "evil.example" not in repr((response.headers, response.cookies, response.body))


# Cookies


def with_cookies(browser: Browser, header: str, target: str = "/api/me") -> Response:
    """Send a request with a ``Cookie`` header, as it is."""
    return browser.portal.handle(Request("GET", target, cookies=read_cookies([header])))


@pytest.mark.parametrize(
    "tamper",
    [
        lambda token: "",
        lambda token: token[:-1],
        lambda token: f"{token}0",
        lambda token: token.upper(),
        lambda token: f'"{token}',
        lambda token: f"{token}\x00",
        lambda token: f"{token}{'=' * 10_000}",
        lambda token: "x" * 1_000_000,
        lambda token: "\ud800",
        lambda token: "é",
        lambda token: "../SESSION",
        lambda token: f"x; groundwork-session={token}",
        lambda token: f"x; __host-groundwork-session={token}",
    ],
)
def test_a_session_cookie_that_is_not_the_one_given_is_none(tamper: Callable[[str], str]) -> None:
    browser = Browser()
    browser.sign_in()
    token = browser.cookies[SESSION]
    assert with_cookies(browser, f"{SESSION}={token}").status == 200
    response = with_cookies(browser, f"{SESSION}={tamper(token)}")
    assert error_of(response) == (401, "SignedOut")
    page = with_cookies(browser, f"{SESSION}={tamper(token)}", "/")
    assert (page.status, page.headers["location"]) == (303, "/sign-in?return_to=/")


@pytest.mark.parametrize(
    "value",
    [
        r'"a\073 Domain=evil.example"',
        r'"a\015\012set-cookie: b=c"',
        "a b",
        "é",
        "x" * 5_000,
        "a,b",
    ],
)
def test_what_a_browser_cookie_holds_is_not_written_into_the_next_one(value: str) -> None:
    response = with_cookies(Browser(), f"{BROWSER}={value}", SIGN_IN_PATH)
    [cookie] = response.cookies
    assert re.fullmatch(rf"{BROWSER}=token-\d+", cookie.partition("; ")[0])
    assert cookie.split("; ")[1:] == [
        "Path=/",
        "Max-Age=1800",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
    ]


# Addresses

_odd_text = st.text(max_size=80) | st.sampled_from(
    ["\r\nset-cookie: a=b", MARKUP, "../../etc/passwd", "%0d%0a", "\\evil", "\x00", "x" * 3_000]
)


@settings(deadline=None, max_examples=60)
@given(path=_odd_text, query=_odd_text, cookie=_odd_text, language=_odd_text)
def test_nothing_that_is_sent_breaks_a_header_or_the_portal(
    path: str, query: str, cookie: str, language: str
) -> None:
    browser = Browser()
    sent = {"accept": "text/html", "accept-language": language, "if-none-match": cookie}
    cookies = {SESSION: cookie, BROWSER: cookie}
    for start in ("/", "/jobs/", "/assets/", "/api/jobs/", "/tasks/", SIGN_IN_PATH, CALLBACK_PATH):
        address = start + path if start.endswith("/") else start
        asked = f"return_to={quote(query)}&state={query}&error={quote(query)}"
        request = Request("GET", address, asked, sent, cookies)
        response = browser.portal.handle(request)
        assert response.status in {200, 303, 304, 400, 401, 404}
        for value in [*response.headers.values(), *response.cookies]:
            assert value.isascii()
            assert value.isprintable()
        location = response.headers.get("location", "/")
        assert location.startswith(("/", f"{PAGES}/oauth2/authorize?"))
        assert not location.startswith("//")


@pytest.mark.parametrize(
    "target",
    [f"/{MARKUP}", f"/jobs/a/{MARKUP}", f"/assets/{MARKUP}", f"{CALLBACK_PATH}?error={MARKUP}"],
)
def test_error_pages_repeat_no_markup(target: str) -> None:
    for accept in ("text/html", "*/*"):
        response = Browser().send("GET", target, accept=accept, accept_language=MARKUP)
        is_page = "text/html" in response.headers["content-type"]
        assert not is_page or MARKUP.encode() not in response.body
        assert is_page or response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "name",
    ["..", "../index.html", "..%2f..%2fhandler.py", "....//", "%2e%2e%2f", "a\\..\\b", ".", "\x00"],
)
def test_no_file_but_the_built_ones_is_served(name: str) -> None:
    assert error_of(Browser().get(f"/assets/{name}")) == (404, "NotFound")


@pytest.mark.parametrize("name", ["x" * 3_000, "a.1." + "9" * 5_000 + ".b", "9" * 5_000])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_names_longer_than_any_are_of_nothing(method: str, name: str) -> None:
    browser = at_work()
    for pattern in [route.path for route in browser.portal._routes if "{" in route.path]:
        target = re.sub(r"\{\w+\}", name, pattern)
        response = browser.change(target) if method == "POST" else browser.get(target)
        assert response.status in {404, 405}


# Bodies


def nested(levels: int) -> bytes:
    return b'{"answerContent": {"a": ' + b"[" * levels + b"]" * levels + b"}}"


BROKEN = [
    (b"", 400),
    (b"\xff\xfe\x00", 400),
    (b'{"answerContent": {"a": "\xff"}}', 400),
    (b"\x1f\x8b\x08\x00", 400),
    (b"%PDF", 400),
    (b"eyJhIjogMX0=", 400),
    (b"answerContent=1", 400),
    (b"{'answerContent': {}}", 400),
    (b'{"answerContent": {"a": 1}} trailing', 400),
    (b'{"answerContent": {"a": NaN}}', 400),
    (b'{"answerContent": {"a": -Infinity}}', 400),
    (b'{"answerContent": {"a": 1e999}}', 400),
    (b'{"answerContent": {"a": -1E400}}', 400),
    (b'{"answerContent": {"a": 1' + b"0" * 5_000 + b"}}", 400),
    (b'{"answerContent": {"a": 1}, "timeSpentInSeconds": 1' + b"0" * 290 + b"}", 422),
    (b'{"answerContent": {"a": 1}, "timeSpentInSeconds": 1' + b"0" * 400 + b"}", 400),
    (nested(200), 400),
    (nested(900), 400),
    (nested(100_000), 400),
    (b'"text"', 422),
    (b"null", 422),
    (b"0", 422),
    (b'{"answerContent": null}', 422),
    (b'{"__proto__": {"isAdmin": true}, "answerContent": {"a": 1}}', 422),
    (b" " * (MAXIMUM_BODY_BYTES + 1), 413),
]


@pytest.mark.parametrize(("body", "status"), BROKEN, ids=range(len(BROKEN)))
def test_a_broken_body_is_no_answer(body: bytes, status: int) -> None:
    browser = at_work()
    before = state_of(browser)
    response = browser.post("/api/tasks/lease-0/answer", body)
    assert response.status == status
    assert error_of(response)[1] in {"BadJson", "InvalidAnswer", "AnswerTooLarge"}
    assert state_of(browser) == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b'{"again": "' + b"x" * 1_000_000 + b'"}', 413),
        (b'{"besides": [' + b'"a.1.2.b",' * 10_000 + b'"a.1.2.b"]}', 413),
        (b'{"besides": ' + b"[" * 200 + b"]" * 200 + b"}", 400),
        (b'{"besides": {}}', 422),
        (b'{"besides": [["a"]]}', 422),
    ],
    ids=["cut off", "a long lease", "many leases", "deep", "no list", "no texts"],
)
def test_a_broken_wish_takes_no_task(body: bytes, status: int) -> None:
    browser = at_work()
    before = state_of(browser)
    assert browser.post("/api/jobs/logos/tasks", body).status == status
    assert state_of(browser) == before


def test_of_a_name_that_comes_twice_one_value_is_stored() -> None:
    browser = at_work()
    browser.post("/api/tasks/lease-0/answer", b'{"answerContent": {"a": 1, "a": 2}}')
    assert browser.work.answers[0][2] == {"a": 2}


def test_names_that_mean_something_to_javascript_are_names_like_others() -> None:
    browser = at_work()
    answer = {"__proto__": {"isAdmin": True}, "constructor": {"prototype": 1}, "toString": 1}
    assert browser.change("/api/tasks/lease-0/answer", {"answerContent": answer}).status == 204
    assert browser.work.answers[0][2] == answer


def test_what_a_template_gets_is_json_whatever_the_manifest_says() -> None:
    browser = at_work()
    browser.work.image_uri = f"s3://bucket/{MARKUP}\u2028\ud800.jpg"
    response = browser.get("/api/tasks/lease-0")
    assert response.headers["content-type"] == "application/json"
    assert response.body.isascii()
    assert content(response)["taskInput"]["taskObject"] == browser.work.image_uri
