"""What the portal answers, to whom, and what it refuses."""

import gzip
import json
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
import pytest

from groundwork import logs
from groundwork.jobs.errors import (
    AlreadyAnsweredError,
    AnswerTooLargeError,
    JobNotFoundError,
    JobNotOpenError,
    LeaseExpiredError,
    LeaseNotFoundError,
    NotInTeamError,
)
from groundwork.portal.errors import NotSetUpError
from groundwork.portal.http import Response
from groundwork.portal.page_files import PageFiles, read_pages
from groundwork.portal.task_content import TaskContent
from groundwork.portal.task_frame import task_frame
from groundwork.portal.worker_api import MAXIMUM_BODY_BYTES
from groundwork.s3_client import S3AccessDeniedError, S3Client, S3Uri
from groundwork.table_client import ConflictError
from tests.support.cpu_time import cpu_seconds_at_most
from tests.support.portal_browser import (
    INDEX,
    LOCAL,
    PAGE_FILES,
    SCRIPT,
    SECURE,
    Browser,
    FakeFiles,
    content,
    error_of,
)
from tests.support.portal_fakes import PAGES, POOL


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def worker(browser: Browser) -> Browser:
    browser.sign_in()
    return browser


def test_health_is_public_and_needs_nothing_set_up(browser: Browser) -> None:
    browser.registry.present = False
    response = browser.get("/health")
    assert (response.status, content(response)) == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("target", "return_to"),
    [
        ("/", "/"),
        ("/jobs", "/jobs"),
        ("/jobs/logos", "/jobs/logos"),
        ("/jobs/logos?task=a.1.2.b", "/jobs/logos%3Ftask%3Da.1.2.b"),
    ],
)
def test_pages_lead_to_sign_in_and_back(browser: Browser, target: str, return_to: str) -> None:
    response = browser.get(target)
    location = response.headers["location"]
    assert (response.status, location) == (303, f"/sign-in?return_to={return_to}")
    state = browser.begin(return_to)
    back = browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    assert back.headers["location"] == target


def test_sign_in_leads_to_cognito_with_the_portals_callback(browser: Browser) -> None:
    response = browser.get("/sign-in")
    query = parse_qs(urlsplit(response.headers["location"]).query)
    assert response.headers["location"].startswith(f"{PAGES}/oauth2/authorize?")
    assert query["redirect_uri"] == ["https://portal.example/oauth2/idpresponse"]


def test_the_session_cookie_is_out_of_reach_of_scripts_and_siblings(browser: Browser) -> None:
    response = browser.get(f"/oauth2/idpresponse?code=good-code&state={browser.begin()}")
    [cookie] = response.cookies
    assert cookie.startswith("__Host-groundwork-session=")
    assert cookie.split("; ")[1:] == [
        "Path=/",
        "Max-Age=43200",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
    ]


def test_a_local_portal_has_cookies_that_plain_http_may_carry() -> None:
    browser = Browser(LOCAL)
    response = browser.get(f"/oauth2/idpresponse?code=good-code&state={browser.begin()}")
    [cookie] = response.cookies
    assert cookie.startswith("groundwork-session=")
    assert "Secure" not in cookie
    assert "strict-transport-security" not in response.headers


def test_the_code_is_traded_with_the_verifier_of_its_own_sign_in(browser: Browser) -> None:
    state = browser.begin()
    [pending] = browser.records.pending.values()
    browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    assert browser.cognito.exchanged == [
        {
            "code": "good-code",
            "callback": "https://portal.example/oauth2/idpresponse",
            "verifier": pending.code_verifier,
        }
    ]


def test_signing_in_returns_to_where_one_was(browser: Browser) -> None:
    state = browser.begin("/jobs/logos")
    response = browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    assert response.headers["location"] == "/jobs/logos"


def test_a_state_works_once(browser: Browser) -> None:
    state = browser.begin()
    browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    browser.cookies.pop("__Host-groundwork-session")
    response = browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    assert response.status == 400
    assert len(browser.cognito.exchanged) == 1


def test_going_back_to_a_used_return_while_signed_in_is_no_failure(browser: Browser) -> None:
    state = browser.begin()
    browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    response = browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    assert (response.status, response.headers["location"]) == (303, "/")


def test_another_browser_cannot_finish_a_sign_in(browser: Browser) -> None:
    state = browser.begin()
    browser.cookies.clear()
    response = browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    assert response.status == 400
    assert b"another browser" in response.body
    assert browser.cognito.exchanged == []


def test_two_tabs_may_sign_in_at_once(browser: Browser) -> None:
    first = browser.begin()
    nonce = browser.cognito.claims["nonce"]
    second = browser.begin()
    later = browser.get(f"/oauth2/idpresponse?code=good-code&state={second}")
    browser.cognito.claims["nonce"] = nonce
    earlier = browser.get(f"/oauth2/idpresponse?code=good-code&state={first}")
    assert (later.status, earlier.status) == (303, 303)
    assert len(browser.cognito.exchanged) == 2


def test_signing_in_again_ends_the_earlier_session(worker: Browser) -> None:
    worker.sign_in()
    assert len(worker.records.sessions) == 1


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("code=bad-code", b"invalid_grant"),
        ("error=access_denied&error_description=%3Cb%3E", b"access_denied &lt;b&gt;"),
    ],
)
def test_what_cognito_refuses_is_told_on_a_page(browser: Browser, query: str, words: bytes) -> None:
    response = browser.get(f"/oauth2/idpresponse?{query}&state={browser.begin()}")
    assert response.status == 400
    assert words in response.body
    assert browser.records.sessions == {}


def test_a_replayed_token_is_refused(browser: Browser) -> None:
    state = browser.begin()
    browser.cognito.claims["nonce"] = "of-another-sign-in"
    response = browser.get(f"/oauth2/idpresponse?code=good-code&state={state}")
    assert response.status == 400
    assert b"nonce differs" in response.body


@pytest.mark.parametrize("target", ["/", "/jobs", "/jobs/logos"])
def test_every_page_is_the_built_one_and_runs_nothing_but_its_own_files(
    worker: Browser, target: str
) -> None:
    response = worker.get(target)
    assert (response.status, response.body) == (200, INDEX)
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-store"
    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "img-src 'self' data:;" in policy
    assert "frame-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("app-abc.js", "text/javascript; charset=utf-8"),
        ("app-abc.css", "text/css; charset=utf-8"),
    ],
)
def test_assets_are_kept_for_good_since_their_names_hold_their_hash(
    browser: Browser, name: str, content_type: str
) -> None:
    response = browser.get(f"/assets/{name}")
    assert (response.status, response.body) == (200, PAGE_FILES[name])
    assert response.headers["content-type"] == content_type
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    again = browser.send("GET", f"/assets/{name}", if_none_match=response.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_assets_travel_compressed(browser: Browser) -> None:
    response = browser.send("GET", "/assets/app-abc.js", accept_encoding="br, gzip")
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "accept-encoding"
    assert gzip.decompress(response.body) == b"app()"


def test_the_elements_are_kept_for_good_only_under_their_contents_hash(browser: Browser) -> None:
    address = PageFiles(lambda: PAGE_FILES).elements_address()
    assert "immutable" in browser.get(address).headers["cache-control"]
    for other in ("/assets/crowd-html-elements.js", "/assets/crowd-html-elements.js?v=old"):
        response = browser.get(other)
        assert response.body == SCRIPT
        assert response.headers["cache-control"] == "public, no-cache"
        assert response.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("name", ["..", "notes.txt", "index.html", "nothing.js", "%2e%2e"])
def test_nothing_else_is_an_asset(browser: Browser, name: str) -> None:
    assert error_of(browser.get(f"/assets/{name}")) == (404, "NotFound")


def test_a_portal_whose_pages_were_not_built_says_so(worker: Browser) -> None:
    worker.portal._files = PageFiles(lambda: read_pages(Path("/nowhere")))
    response = worker.get("/")
    assert response.status == 503
    assert b"the portal&#x27;s pages are not at /nowhere" in response.body


def test_people_get_a_page_where_programs_get_json(browser: Browser) -> None:
    korean = browser.send("GET", "/nothing", accept="text/html", accept_language="ko-KR,en;q=0.5")
    assert korean.status == 404
    assert '<html lang="ko">' in korean.body.decode()
    assert "페이지가 없습니다" in korean.body.decode()
    other = browser.send("GET", "/nothing", accept="text/html", accept_language="fi")
    assert b"There is no such page" in other.body
    assert error_of(browser.send("GET", "/api/nothing", accept="text/html")) == (404, "NotFound")


def test_signing_out_ends_the_session_and_cognitos(worker: Browser) -> None:
    response = worker.send("POST", "/logout", origin=SECURE)
    assert response.headers["location"].startswith(f"{PAGES}/logout?client_id=client123")
    assert "logout_uri=https%3A%2F%2Fportal.example%2Flogout" in response.headers["location"]
    assert worker.records.sessions == {}
    assert b"You are signed out" in worker.get("/logout").body


def test_another_site_cannot_sign_a_worker_out_by_a_form(worker: Browser) -> None:
    response = worker.send("POST", "/logout", origin="https://evil.example")
    assert error_of(response) == (403, "ForeignOrigin")
    assert worker.records.sessions


def test_the_page_with_the_sign_out_button_lets_its_form_reach_cognito(worker: Browser) -> None:
    policy = worker.get("/").headers["content-security-policy"]
    assert f"form-action 'self' {PAGES}" in policy


@pytest.mark.parametrize("target", ["/", "/health", "/api/me", "/nothing", "/sign-in"])
def test_every_answer_has_security_headers(browser: Browser, target: str) -> None:
    headers = browser.get(target).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/api/me"),
        ("GET", "/api/jobs"),
        ("GET", "/api/jobs/logos/tasks"),
        ("POST", "/api/jobs/logos/tasks"),
        ("GET", "/api/tasks/lease-0"),
        ("POST", "/api/tasks/lease-0/start"),
        ("POST", "/api/tasks/lease-0/answer"),
        ("POST", "/api/tasks/lease-0/release"),
        ("POST", "/api/tasks/lease-0/decline"),
    ],
)
def test_nobody_uses_the_worker_api_signed_out(browser: Browser, method: str, target: str) -> None:
    assert error_of(browser.send(method, target)) == (401, "SignedOut")


def test_people_of_another_pool_are_signed_out(worker: Browser) -> None:
    [(key, session)] = worker.records.sessions.items()
    other = session.identity.__class__("sub", "https://issuer/us-east-1_Other", "eve", "e@x")
    worker.records.sessions[key] = session.__class__(
        key, other, session.groups, session.groups_checked_at, session.expires_at
    )
    assert error_of(worker.get("/api/me")) == (401, "SignedOut")


def test_me_tells_who_one_is(worker: Browser) -> None:
    me = content(worker.get("/api/me"))
    assert me["email"] == "ada@example.com"
    assert me["workerId"].startswith("private.us-east-1.")
    assert [team["name"] for team in me["teams"]] == ["labelers"]
    assert me["sessionExpiresAt"] == "2026-11-22T21:00:00.000Z"


def test_jobs_are_listed_as_the_portal_shows_them(worker: Browser) -> None:
    assert content(worker.get("/api/jobs"))["jobs"] == [
        {
            "name": "logos",
            "title": "Find logos",
            "description": "Draw boxes around logos",
            "status": "InProgress",
            "createdAt": "2026-11-22T09:00:00.000Z",
            "tasksLeft": 1,
            "customer": "123456789012",
            "taskTimeLimitSeconds": 300,
        }
    ]


def test_a_taken_task_has_its_page_and_its_deadline(worker: Browser) -> None:
    response = worker.change("/api/jobs/logos/tasks")
    assert response.status == 200
    assert content(response) == {
        "lease": "lease-0",
        "job": "logos",
        "title": "Find logos",
        "description": "Draw boxes around logos",
        "objectId": 0,
        "ahead": False,
        "answered": False,
        "acceptedAt": "2026-11-22T09:00:00.000Z",
        "expiresAt": "2026-11-22T09:05:00.000Z",
        "timeLimitSeconds": 300,
        "taskInput": {"taskObject": "s3://bucket/images/a.jpg", "labels": ["Apple"]},
        "content": "<crowd-form>https://signed/s3://bucket/images/a.jpg?for=300</crowd-form>",
        "contentProblems": [],
    }


def test_a_task_may_be_taken_ahead_and_started_when_it_is_seen(worker: Browser) -> None:
    worker.work.tasks_left = 2
    first = content(worker.change("/api/jobs/logos/tasks"))
    ahead = content(worker.change("/api/jobs/logos/tasks", {"besides": [first["lease"]]}))
    assert worker.work.wishes == ([first["lease"]], None)
    assert (first["ahead"], ahead["ahead"]) == (False, True)
    # Its URLs have to last for the time that begins later.
    assert "for=600" in ahead["content"]
    started = content(worker.change(f"/api/tasks/{ahead['lease']}/start"))
    assert (started["lease"], started["ahead"]) == (ahead["lease"], False)
    assert "content" not in started


@pytest.mark.parametrize("body", ['{"besides": "x"}', '{"besides": [1]}', "[]", '{"again": 1}'])
def test_which_task_is_wanted_is_told_by_leases(worker: Browser, body: str) -> None:
    response = worker.change("/api/jobs/logos/tasks", json.loads(body))
    assert error_of(response) == (422, "InvalidRequest")
    assert worker.work.tasks_left == 1


def frame_policy(response: Response) -> dict[str, list[str]]:
    directives = response.headers["content-security-policy"].split("; ")
    return {name: values for name, *values in (each.split() for each in directives)}


def test_a_frame_holds_the_template_and_may_load_its_image_only(worker: Browser) -> None:
    worker.change("/api/jobs/logos/tasks")
    response = worker.get("/tasks/lease-0/frame")
    assert response.status == 200
    assert response.body == (
        b"<!doctype html>\n<crowd-form>https://signed/s3://bucket/images/a.jpg?for=300</crowd-form>"
    )
    assert response.headers["x-frame-options"] == "SAMEORIGIN"
    policy = frame_policy(response)
    assert policy["sandbox"] == ["allow-scripts", "allow-forms"]
    assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == ["'none'"]
    assert policy["script-src"] == ["'unsafe-inline'", f"{SECURE}/assets/crowd-html-elements.js"]
    assert policy["img-src"] == ["data:", "blob:", "https://signed/s3://bucket/images/a.jpg"]
    assert policy["connect-src"] == ["https://signed/s3://bucket/images/a.jpg"]
    assert policy["frame-ancestors"] == ["'self'"]
    allowed = response.headers["connection-allowlist"]
    assert allowed == f'("{SECURE}/*" "https://signed/*"); webrtc=block; redirects=allow'


@pytest.mark.parametrize(
    "script",
    [
        b'<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>',
        b"<script src='https://assets.crowd.aws/crowd-html-elements.js?v=2'></script>",
        b"<script async src = //assets.crowd.aws/crowd-html-elements.js></script>",
    ],
)
def test_the_frames_elements_are_the_portals_own(
    worker: Browser, script: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeFiles, "get", lambda *_: b"<!DOCTYPE html>" + script)
    worker.change("/api/jobs/logos/tasks")
    page = worker.get("/tasks/lease-0/frame").body.decode()
    address = PageFiles(lambda: PAGE_FILES).elements_address()
    assert f'"{SECURE}{address}"></script>' in page
    assert "crowd.aws" not in page
    assert page.count("<!") == 1


def test_a_frame_tells_why_a_template_cannot_be_shown(
    worker: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeFiles, "get", lambda *_: b"{{ '<b>' | nofilter }}")
    worker.change("/api/jobs/logos/tasks")
    page = worker.get("/tasks/lease-0/frame").body.decode()
    assert "nofilter" in page
    assert "<b>" not in page


def test_a_frame_is_for_who_holds_the_task(browser: Browser) -> None:
    signed_out = browser.get("/tasks/lease-0/frame")
    assert (signed_out.status, "location" in signed_out.headers) == (401, False)
    browser.sign_in()
    response = browser.get("/tasks/lease-0/frame")
    assert response.status == 404
    assert frame_policy(response)["sandbox"] == ["allow-scripts", "allow-forms"]


def sources(*granted: str) -> list[str]:
    """Return what the frame of a template with these URLs may load pictures from."""
    response = task_frame(TaskContent("", granted=granted), elements_url=f"{SECURE}/x.js?v=1")
    policy = frame_policy(response)
    assert policy["connect-src"] == (policy["img-src"][2:] or ["'none'"])
    assert sum(map(len, response.headers.values())) < 10_000
    return policy["img-src"]


def test_a_frame_with_very_many_images_still_has_headers_of_bearable_length() -> None:
    host = "https://bucket.s3.amazonaws.com"
    urls = [f"{host}/photos/{number:0100d};,.png?X-Amz-Signature=1" for number in range(200)]
    assert sources(urls[0]) == ["data:", "blob:", f"{host}/photos/{0:0100d}%3B%2C.png"]
    assert sources(*urls) == ["data:", "blob:", f"{host}/"]


@pytest.mark.parametrize("host", ["https://s3.eu-west-1.amazonaws.com", "http://127.0.0.1:4566"])
def test_a_frame_with_very_many_images_reaches_no_bucket_but_theirs(host: str) -> None:
    # A bucket with dots in its name, and the local cloud's, has its name in the path.
    urls = [f"{host}/our.bucket/{number:0100d}.png" for number in range(200)]
    assert sources(*urls) == ["data:", "blob:", f"{host}/our.bucket/"]
    others = [f"{host}/bucket.{number:050d}/a.png" for number in range(200)]
    assert sources(*others) == ["data:", "blob:"]


@pytest.mark.parametrize(
    "key",
    [
        "a.jpg; script-src *",
        "a.jpg, default-src *",
        "a'b 'unsafe-eval'",
        "a\r\nset-cookie: b=c",
        "../../other/../a.jpg",
        "작업 \U0001f600?x=y#z.jpg",
        "*",
    ],
)
def test_no_files_name_gets_out_of_its_place_in_the_policy(key: str) -> None:
    api = boto3.client("s3", "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    url = S3Client(api).presign_get(S3Uri("photos", key), 60)
    allowed = sources(url)
    assert len(allowed) == 3
    assert allowed[2].startswith("https://photos.s3.")
    assert allowed[2].isascii()
    assert not set(allowed[2]) & set(" ;,'\"*\r\n")
    assert unquote(urlsplit(allowed[2]).path) == f"/{key}"


def test_nothing_to_do_is_no_content(worker: Browser) -> None:
    worker.work.tasks_left = 0
    response = worker.change("/api/jobs/logos/tasks")
    assert (response.status, response.body) == (204, b"")


def test_held_tasks_are_listed_and_resumed(worker: Browser) -> None:
    taken = content(worker.change("/api/jobs/logos/tasks"))
    [listed] = content(worker.get("/api/jobs/logos/tasks"))["tasks"]
    assert listed["lease"] == taken["lease"]
    assert "content" not in listed
    assert content(worker.get("/api/tasks/lease-0")) == taken


def test_an_answer_is_stored_as_it_was_given(worker: Browser) -> None:
    worker.change("/api/jobs/logos/tasks")
    answer = {"boundingBox": {"boundingBoxes": [{"label": "Apple", "left": 1}]}}
    response = worker.change(
        "/api/tasks/lease-0/answer", {"answerContent": answer, "timeSpentInSeconds": 12.5}
    )
    assert response.status == 204
    [(worker_id, lease, stored, seconds)] = worker.work.answers
    assert worker_id == content(worker.get("/api/me"))["workerId"]
    assert (lease, stored, seconds) == ("lease-0", answer, 12.5)


@pytest.mark.parametrize("verb", ["release", "decline"])
def test_tasks_are_given_back(worker: Browser, verb: str) -> None:
    worker.change("/api/jobs/logos/tasks")
    assert worker.change(f"/api/tasks/lease-0/{verb}").status == 204
    assert worker.work.given_back == [(verb, "lease-0")]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content_type": "text/plain"}, (415, "NotJson")),
        ({"content_type": ""}, (415, "NotJson")),
        ({"origin": "https://evil.example"}, (403, "ForeignOrigin")),
        ({"origin": ""}, (403, "ForeignOrigin")),
        ({"origin": "null"}, (403, "ForeignOrigin")),
        ({"origin": "https://portal.example.evil.example"}, (403, "ForeignOrigin")),
        ({"x_groundwork_request": ""}, (403, "HeaderMissing")),
    ],
    ids=["form", "no type", "other site", "no origin", "opaque", "look-alike", "no header"],
)
def test_another_site_cannot_make_a_browser_change_anything(
    worker: Browser, headers: dict[str, str], code: tuple[int, str]
) -> None:
    response = worker.change("/api/jobs/logos/tasks", **headers)
    assert error_of(response) == code
    assert worker.work.tasks_left == 1


def test_a_content_type_may_name_its_charset(worker: Browser) -> None:
    response = worker.change(
        "/api/jobs/logos/tasks", content_type="application/json; charset=utf-8"
    )
    assert response.status == 200


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"{", (400, "BadJson"), "not JSON"),
        (b'{"answerContent": {"a": NaN}}', (400, "BadJson"), "NaN is not a JSON value"),
        (b"[" * 100_000, (400, "BadJson"), "not JSON"),
        (b'{"answerContent": {"a": 1e999}}', (400, "BadJson"), "1e999 is larger than any number"),
        (
            b'{"answerContent": {"a": ' + b"[" * 200 + b"]" * 200 + b"}}",
            (400, "BadJson"),
            "nested too deeply; at most 100 levels are accepted",
        ),
        (b"[]", (422, "InvalidAnswer"), "the body is a list"),
        (b"{}", (422, "InvalidAnswer"), "answerContent is missing"),
        (b'{"answerContent": "x"}', (422, "InvalidAnswer"), "answerContent is a text"),
        (
            b'{"answerContent": [], "timeSpentInSeconds": -1, "x": 1}',
            (422, "InvalidAnswer"),
            "answerContent is a list, not an object by element name; "
            "timeSpentInSeconds is -1, not a number from 0; unknown: x",
        ),
        (
            b'{"answerContent": {"a": 1}, "timeSpentInSeconds": true}',
            (422, "InvalidAnswer"),
            "timeSpentInSeconds is true",
        ),
    ],
)
def test_a_malformed_answer_is_refused_with_its_reasons(
    worker: Browser, body: bytes, code: tuple[int, str], words: str
) -> None:
    worker.change("/api/jobs/logos/tasks")
    response = worker.send(
        "POST",
        "/api/tasks/lease-0/answer",
        body,
        content_type="application/json",
        origin=SECURE,
        x_groundwork_request="1",
    )
    assert error_of(response) == code
    assert words in content(response)["error"]["message"]
    assert worker.work.answers == []


def test_a_form_whose_fields_were_all_left_empty_is_an_answer(worker: Browser) -> None:
    worker.change("/api/jobs/logos/tasks")
    response = worker.change("/api/tasks/lease-0/answer", {"answerContent": {}})
    assert response.status == 204
    assert worker.work.answers[0][2] == {}


def test_an_answer_may_replace_an_earlier_one(worker: Browser) -> None:
    worker.change("/api/jobs/logos/tasks")
    worker.change("/api/tasks/lease-0/answer", {"answerContent": {"a": 1}, "replaces": True})
    assert worker.work.replaced
    refused = worker.change("/api/tasks/lease-0/answer", {"answerContent": {"a": 1}, "replaces": 1})
    assert "replaces is 1" in content(refused)["error"]["message"]


def test_an_answer_too_large_for_a_function_is_refused(worker: Browser) -> None:
    response = worker.change("/api/tasks/lease-0/answer", {"a": "x" * MAXIMUM_BODY_BYTES})
    assert error_of(response) == (413, "AnswerTooLarge")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (NotInTeamError("not yours"), (403, "NotInTeam")),
        (JobNotFoundError("gone"), (404, "JobNotFound")),
        (LeaseNotFoundError("not held"), (404, "LeaseNotFound")),
        (JobNotOpenError("stopped"), (409, "JobNotOpen")),
        (AlreadyAnsweredError("twice"), (409, "AlreadyAnswered")),
        (LeaseExpiredError("late"), (410, "LeaseExpired")),
        (AnswerTooLargeError("big"), (413, "AnswerTooLarge")),
        (S3AccessDeniedError("role"), (502, "StorageFailed")),
        (ConflictError("busy"), (503, "Busy")),
    ],
)
def test_each_refusal_of_the_work_has_its_status(
    worker: Browser, error: Exception, code: tuple[int, str]
) -> None:
    worker.work.error = error
    response = worker.change("/api/jobs/logos/tasks")
    assert error_of(response) == code
    assert content(response)["error"]["message"] == str(error)


def test_an_unforeseen_failure_tells_no_details(
    worker: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    worker.work.error = RuntimeError("secret detail")
    response = worker.get("/api/jobs")
    assert error_of(response) == (500, "InternalError")
    assert b"secret detail" not in response.body
    assert "secret detail" in caplog.text


def test_a_failures_line_says_whose_and_of_what(
    worker: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    worker.work.error = RuntimeError("broken")
    with logs.invocation(None):
        worker.get("/api/tasks/logos.2.17.0af3")
        line = json.loads(logs.JsonFormatter().format(caplog.records[-1]))

    assert (line["job"], line["iteration"], line["object_id"]) == ("logos", 2, 17)
    assert line["worker_id"].startswith("private.")
    assert "RuntimeError: broken" in line["trace"]


def test_leaving_the_team_takes_the_work_away_within_five_minutes(worker: Browser) -> None:
    worker.cognito.groups.clear()
    worker.clock.advance(minutes=5)
    assert content(worker.get("/api/jobs"))["jobs"] == []
    assert error_of(worker.change("/api/jobs/logos/tasks")) == (403, "NotInTeam")
    assert content(worker.get("/api/me"))["teams"] == []


@pytest.mark.parametrize(
    ("method", "target", "code", "allow"),
    [
        ("GET", "/nothing", (404, "NotFound"), None),
        ("GET", "/api/jobs/a/b/tasks", (404, "NotFound"), None),
        ("GET", "/api/jobs/", (404, "NotFound"), None),
        ("DELETE", "/api/jobs/logos/tasks", (405, "MethodNotAllowed"), "GET, POST"),
        ("POST", "/health", (405, "MethodNotAllowed"), "GET"),
    ],
)
def test_unknown_addresses_and_methods_are_told(
    browser: Browser, method: str, target: str, code: tuple[int, str], allow: str | None
) -> None:
    response = browser.send(method, target)
    assert error_of(response) == code
    assert response.headers.get("allow") == allow


def test_head_answers_like_get_without_a_body(browser: Browser) -> None:
    response = browser.send("HEAD", "/health")
    assert (response.status, response.body) == (200, b"")


def test_without_a_workforce_the_portal_says_so(browser: Browser) -> None:
    browser.registry.present = False
    response = browser.get("/sign-in")
    assert response.status == 503
    assert b"no workforce yet" in response.body


def test_a_pool_without_a_domain_is_told(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_domain() -> str:
        raise NotSetUpError(f"user pool {POOL} has no domain")

    monkeypatch.setattr(browser.cognito, "pages_url", no_domain)
    assert b"has no domain" in browser.get("/sign-in").body


def test_the_registry_is_not_asked_for_every_request(worker: Browser) -> None:
    reads = worker.registry.reads
    for _ in range(5):
        worker.get("/api/jobs")
    assert worker.registry.reads == reads
    worker.clock.advance(seconds=15)
    worker.get("/api/jobs")
    assert worker.registry.reads == reads + 1


@pytest.mark.parametrize(
    "page",
    [
        "<script " * 250_000,
        "<script src=" + " " * 2_000_000,
        "<script" + " src=' " * 300_000,
        "<script src=//assets.crowd.aws/crowd-html-elements.js" + "x" * 1_900_000 + "'",
    ],
    ids=["tags", "blanks", "sources", "address"],
)
def test_a_hostile_page_becomes_a_frame_soon(page: str) -> None:
    with cpu_seconds_at_most(20):
        frame = task_frame(TaskContent(page), elements_url=f"{SECURE}/elements.js")
    assert len(frame.body) < 2_200_000
