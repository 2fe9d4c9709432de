"""Requests to the portal: every one has an answer, and none of them is a failure of ours."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from groundwork.portal.http import read_cookies
from lambdas.portal.handler import event_response, request_from
from tests.support.fuzzing import ODD_TEXTS, hostile, hostile_json
from tests.support.portal_browser import Browser

ODD = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=30))
PATHS = st.one_of(
    st.sampled_from(
        [
            "/",
            "/health",
            "/jobs/logos",
            "/sign-in",
            "/oauth2/idpresponse",
            "/logout",
            "/assets/app-abc.js",
            "/api/me",
            "/api/jobs",
            "/api/jobs/logos/tasks",
            "/api/tasks/lease-1",
            "/api/tasks/lease-1/answer",
            "/api/tasks/lease-1/start",
            "/tasks/lease-1/frame",
            "//evil.example/api/jobs",
            "/api//jobs",
            "/api/jobs/%2e%2e/tasks",
        ]
    ),
    st.builds("/api/jobs/{}/tasks".format, ODD),
    st.builds("/api/tasks/{}/answer".format, ODD),
    st.builds("/assets/{}".format, ODD),
    ODD,
)
QUERIES = st.one_of(
    ODD,
    st.builds(
        "{}={}&{}".format,
        st.sampled_from(["return_to", "state", "code", "error", "error_description"]),
        st.one_of(
            ODD, st.sampled_from(["//[", "/%5cevil.example", "%00", "%ff%fe", "a=b" * 5_000])
        ),
        st.sampled_from(["", "state=token-2", "code=good-code", "&&&&=", ";"]),
    ),
)
COOKIES = st.one_of(
    ODD,
    st.builds(
        "{}={}".format,
        st.sampled_from(["__Host-groundwork-session", "__Host-groundwork-browser", "a", "$Path"]),
        st.one_of(ODD, st.sampled_from(['"\\' * 2_000, '"\\377\\400"', "token-3", "=" * 3_000])),
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["content-type", "origin", "x-groundwork-request", "accept", "if-none-match", "host"]
    ),
    st.one_of(
        ODD, st.sampled_from(["application/json", "https://portal.example", "text/html", "*", "1"])
    ),
)


@hostile
@given(
    st.booleans(),
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "get", "\u0130"]),
    PATHS,
    QUERIES,
    HEADERS,
    st.lists(COOKIES, max_size=3),
    hostile_json([{}, {"answerContent": {"a": 1}}, {"besides": ["lease-1"]}]),
)
def test_any_request_is_answered(
    signed_in: bool,
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    cookies: list[str],
    body: bytes,
) -> None:
    browser = Browser()
    if signed_in:
        browser.sign_in()
        cookies = [*cookies, *(f"{name}={value}" for name, value in browser.cookies.items())]
    event: dict[str, Any] = {
        "requestContext": {"http": {"method": method, "path": path}},
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "cookies": cookies,
        "body": body.decode("utf-8", "replace"),
    }

    response = event_response(browser.portal.handle(request_from(event)))

    assert 200 <= response["statusCode"] < 500, response
    json.dumps(response)
    for name, value in response["headers"].items():
        assert (name + value).isprintable()
    assert all(cookie.isprintable() for cookie in response["cookies"])
    assert response["headers"]["x-content-type-options"] == "nosniff"


@hostile
@given(st.lists(st.one_of(COOKIES, st.builds("; ".join, st.lists(COOKIES))), max_size=4))
def test_any_cookies_are_read_or_skipped(headers: list[str]) -> None:
    found = read_cookies(headers)
    assert all(isinstance(value, str) for value in found.values())
    assert read_cookies([*headers, "groundwork-session=mine"])["groundwork-session"] == "mine"
