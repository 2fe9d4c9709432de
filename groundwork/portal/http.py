"""HTTP as the portal sees it, free of who carries it (API Gateway, or a test's own server)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True)
class Request:
    """One request; header names are in lower case, and ``path`` has no query."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def parameter(self, name: str) -> str:
        """Return a query parameter's first value, or an empty text."""
        return next((value for key, value in parse_qsl(self.query) if key == name), "")


@dataclass(frozen=True)
class Response:
    """One response; ``cookies`` are whole ``Set-Cookie`` values."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()

    def with_cookies(self, *cookies: str) -> "Response":
        """Return this response with more cookies."""
        return replace(self, cookies=(*self.cookies, *cookies))


def json_response(content: Any, status: int = HTTPStatus.OK) -> Response:
    """Answer with JSON."""
    # ASCII, since a manifest may hold halves of surrogate pairs, which UTF-8 has no place for.
    body = json.dumps(content, separators=(",", ":")).encode("ascii")
    return Response(status, body, {"content-type": "application/json"})


def redirect(location: str) -> Response:
    """Send the browser elsewhere, with a GET."""
    return Response(HTTPStatus.SEE_OTHER, headers={"location": location})


def read_cookies(headers: Sequence[str]) -> dict[str, str]:
    """Return the cookies of ``Cookie`` headers; what cannot be read is skipped."""
    cookies: dict[str, str] = {}
    for header in headers:
        # One by one, since SimpleCookie drops all of a header that has a bad one.
        for part in header.split(";"):
            try:
                parsed = SimpleCookie(part.strip())
            except CookieError:
                continue
            cookies.update({name: morsel.value for name, morsel in parsed.items()})
    return cookies


@dataclass(frozen=True)
class CookieJar:
    """Writes the portal's cookies, strict where the portal is https.

    ``__Host-`` makes browsers refuse a cookie that a sibling domain or plain HTTP has set:
    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2
    """

    secure: bool

    def name(self, purpose: str) -> str:
        """Return the name of the cookie for a purpose."""
        return f"__Host-{purpose}" if self.secure else purpose

    def write(self, purpose: str, value: str, maximum_age_seconds: int) -> str:
        """Return a ``Set-Cookie`` value; an age of zero removes the cookie."""
        # Lax, not Strict: the way back from Cognito's pages has to carry it.
        parts = [
            f"{self.name(purpose)}={value}",
            "Path=/",
            f"Max-Age={maximum_age_seconds}",
            "HttpOnly",
            "SameSite=Lax",
        ]
        return "; ".join([*parts, "Secure"] if self.secure else parts)


def content_policy(*directives: str, form_targets: str = "") -> dict[str, str]:
    """Return the content policy's header: what ``directives`` do not name is not loaded.

    Browsers apply ``form-action`` to a form's redirects, too, so ``form_targets`` names where
    signing out leads.
    """
    policy = [
        "default-src 'none'",
        *directives,
        "base-uri 'none'",
        "frame-ancestors 'none'",
        f"form-action 'self' {form_targets}".strip(),
    ]
    return {"content-security-policy": "; ".join(policy)}


def with_security_headers(response: Response, *, secure: bool) -> Response:
    """Add what keeps browsers from caching, framing, sniffing and leaking.

    A response's own headers win; ``secure`` is whether the portal is https.
    """
    headers = {
        "cache-control": "no-store",
        **content_policy(),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        # Not no-referrer: that makes browsers send "Origin: null" with our own forms.
        # https://fetch.spec.whatwg.org/#append-a-request-origin-header
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
    if secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return replace(response, headers={**headers, **response.headers})
