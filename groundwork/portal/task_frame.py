"""The document of a task's frame: a customer's template, which nothing of the portal trusts."""

import html
import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import SplitResult, urlsplit

from groundwork.portal.http import Response
from groundwork.portal.task_content import TaskContent

SANDBOX = "allow-scripts allow-forms"
# A page may have two million letters. Neither expression looks at one more than a few times: what
# repeats gives nothing back, and no tag reaches into the next.
_SCRIPT_TAG = re.compile(r"<script\b[^<>]*+", re.IGNORECASE)
# The address as templates write it, with whatever query and white space.
_ELEMENTS_SOURCE = re.compile(
    r"""(?P<before>\ssrc\s*+=\s*+)(?P<quote>["']?)\s*+"""
    r"""(?:https?:)?//assets\.crowd\.aws/crowd-html-elements\.js[^"'\s>]*+\s*+(?P=quote)""",
    re.IGNORECASE,
)
# Four times in the headers, of which API Gateway allows about 10 KB:
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
_LONGEST_SOURCES = 2_000
# Other addresses begin their paths with the bucket's name:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
_BUCKETS_OWN_HOST = re.compile(r"[a-z0-9-]+\.s3[.-]")


def task_frame(content: TaskContent, *, elements_url: str) -> Response:
    """Return a template as a document with an opaque origin and little to load.

    Parameters
    ----------
    content
        The rendered template, or its problems.
    elements_url
        Where the portal has its own crowd elements.
    """
    if content.html is None:
        items = "".join(f"<li>{html.escape(problem)}</li>" for problem in content.problems)
        page = f"<h1>This task cannot be shown</h1><ul>{items}</ul>"
    else:
        source = f'"{html.escape(elements_url)}"'
        page = _SCRIPT_TAG.sub(
            lambda tag: _ELEMENTS_SOURCE.sub(lambda found: found["before"] + source, tag[0]),
            content.html,
        )
    if not page.lstrip()[:9].lower().startswith("<!doctype"):
        page = f"<!doctype html>\n{page}"
    # A pair of halves of a surrogate pair may come from a manifest; UTF-8 has no place for one.
    body = page.encode("utf-8", "replace")
    return Response(HTTPStatus.OK, body, _headers(content.granted, elements_url))


def refusal_frame(message: str, status: int) -> Response:
    """Tell in a frame why there is no task; the page around it tells how to go on."""
    page = f"<!doctype html>\n<title>No task</title><p>{html.escape(message)}</p>"
    return Response(status, page.encode(), _headers((), None))


def _headers(granted: Iterable[str], elements_url: str | None) -> dict[str, str]:
    sources = _sources(granted)
    script = elements_url.partition("?")[0] if elements_url else ""
    policy = {
        "sandbox": SANDBOX,
        "default-src": "'none'",
        "script-src": f"'unsafe-inline' {script}".strip(),
        "style-src": "'unsafe-inline'",
        "img-src": f"data: blob: {sources}".strip(),
        "media-src": f"data: blob: {sources}".strip(),
        "connect-src": sources or "'none'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'self'",
    }
    return {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "connection-allowlist": _allowlist([script, *sources.split()]),
        "x-frame-options": "SAMEORIGIN",
    }


def _allowlist(addresses: Iterable[str]) -> str:
    """Return which hosts a frame may connect to at all.

    Only this keeps it from WebRTC and from looking up names, which content policies don't govern,
    in browsers that know it: https://wicg.github.io/connection-allowlists/
    """
    parts = [urlsplit(address) for address in addresses if address]
    hosts = dict.fromkeys(f'"{part.scheme}://{part.netloc}/*"' for part in parts)
    # What a bucket's host redirects to, the content policy holds to the same addresses.
    return f"({' '.join(hosts)}); webrtc=block; redirects=allow"


def _sources(granted: Iterable[str]) -> str:
    """Return what the template may load: the URLs; their buckets when there are too many of them.

    Nothing when there are too many buckets, too: a host alone may be everybody's.
    """
    parts = [urlsplit(url) for url in granted]
    for place in (_object_of, _bucket_of):
        places = " ".join(dict.fromkeys(map(place, parts)))
        if len(places) <= _LONGEST_SOURCES:
            return places
    return ""


def _object_of(parts: SplitResult) -> str:
    # These separate policies and directives, and addresses may hold them.
    path = parts.path.replace(";", "%3B").replace(",", "%2C")
    return f"{parts.scheme}://{parts.netloc}{path}"


def _bucket_of(parts: SplitResult) -> str:
    bucket = "" if _BUCKETS_OWN_HOST.match(parts.netloc) else f"{parts.path.split('/')[1]}/"
    return f"{parts.scheme}://{parts.netloc}/{bucket}"
