"""HTTP API events become requests, and responses what API Gateway takes."""

import base64
from typing import Any

import pytest

from groundwork.portal.http import CookieJar, Request, Response, read_cookies
from lambdas.portal.handler import event_response, request_from


def event(**changes: Any) -> dict[str, Any]:
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/api/jobs",
        "rawQueryString": "a=1&b=%2F",
        "headers": {"Content-Type": "application/json", "x-custom": "1"},
        "requestContext": {"http": {"method": "get", "path": "/api/jobs"}},
        "isBase64Encoded": False,
        **changes,
    }


def test_a_request_has_what_the_event_carries() -> None:
    request = request_from(event(cookies=["a=1", "b=2"], body='{"x": "é"}'))
    assert request == Request(
        method="GET",
        path="/api/jobs",
        query="a=1&b=%2F",
        headers={"content-type": "application/json", "x-custom": "1"},
        cookies={"a": "1", "b": "2"},
        body='{"x": "é"}'.encode(),
    )
    assert request.parameter("b") == "/"
    assert request.parameter("c") == ""


def test_cookies_in_the_header_count_too() -> None:
    request = request_from(event(headers={"Cookie": "a=1; b=2"}))
    assert request.cookies == {"a": "1", "b": "2"}
    assert "cookie" not in request.headers


def test_a_binary_body_is_decoded() -> None:
    body = base64.b64encode(b"\xff\x00").decode()
    assert request_from(event(body=body, isBase64Encoded=True)).body == b"\xff\x00"


@pytest.mark.parametrize("missing", ["headers", "body", "cookies", "rawQueryString"])
def test_what_api_gateway_leaves_out_is_empty(missing: str) -> None:
    changed = event(cookies=[], body="")
    del changed[missing]
    assert request_from(changed).body == b""


def test_a_response_keeps_each_cookie_apart() -> None:
    response = Response(303, b"", {"location": "/"}).with_cookies("a=1; Path=/", "b=2")
    assert event_response(response) == {
        "statusCode": 303,
        "headers": {"location": "/"},
        "cookies": ["a=1; Path=/", "b=2"],
        "body": "",
        "isBase64Encoded": False,
    }


def test_binary_content_is_encoded() -> None:
    answer = event_response(Response(200, b"\xff\x00"))
    assert (answer["body"], answer["isBase64Encoded"]) == ("/wA=", True)


def test_a_bad_cookie_does_not_hide_the_others() -> None:
    headers = ["bad[name]=1; =2; none; __Host-groundwork-session=token_1-2", "b=2=3", ""]
    cookies = read_cookies(headers)
    assert (cookies["__Host-groundwork-session"], cookies["b"]) == ("token_1-2", "2=3")


def test_escapes_in_cookies_stay_what_they_are() -> None:
    assert read_cookies([r'a="b\015\012c"']) == {"a": r'"b\015\012c"'}


def test_an_age_of_zero_removes_a_cookie() -> None:
    assert (
        CookieJar(secure=False).write("a", "", 0) == "a=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
    )
