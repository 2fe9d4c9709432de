"""HTTP as the portal sees it, free of who carries it (API Gateway, or a test's own server)."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

# What the portal's cookies hold: ``secrets.token_urlsafe``, and never anything to be quoted.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,100}")
# What a browser may ask the worker for in the portal's name, or in that of a template.
_REFUSED_FEATURES = ("camera", "display-capture", "geolocation", "microphone", "payment", "usb")


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
    """Return the cookies of ``Cookie`` headers, their values as they were sent.

    Quotes and escapes stay, which the standard library would undo: what stands behind them,
    line breaks perhaps, is nothing that the portal has written.
    """
    parts = [part.partition("=") for header in headers for part in header.split(";")]
    return {name.strip(): value.strip() for name, _, value in parts if name.strip()}


@dataclass(frozen=True)
class CookieJar:
    """Reads and writes the portal's cookies, strict where the portal is https.

    ``__Host-`` makes browsers refuse a cookie that a sibling domain or plain HTTP has set:
    https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-4.1.3.2
    """

    secure: bool

    def name(self, purpose: str) -> str:
        """Return the name of the cookie for a purpose."""
        return f"__Host-{purpose}" if self.secure else purpose

    def read(self, request: Request, purpose: str) -> str:
        """Return the token in a request's cookie, or an empty text if it holds none."""
        value = request.cookies.get(self.name(purpose), "")
        return value if _TOKEN.fullmatch(value) else ""

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
        "permissions-policy": ", ".join(f"{feature}=()" for feature in _REFUSED_FEATURES),
        # Not no-referrer: that makes browsers send "Origin: null" with our own forms.
        # https://fetch.spec.whatwg.org/#append-a-request-origin-header
        "referrer-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
    if secure:
        headers["strict-transport-security"] = "max-age=31536000"
    return replace(response, headers={**headers, **response.headers})
