"""A portal on fakes, and browsers that keep its cookies."""

import json
from copy import copy
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from groundwork.jobs.work import Work
from groundwork.portal.directory import Directory, Registry
from groundwork.portal.http import Request, Response
from groundwork.portal.page_files import PageFiles
from groundwork.portal.routes import Portal
from groundwork.portal.task_content import TaskContents
from tests.support.portal_fakes import (
    CountingTokens,
    FakeClock,
    FakeCognito,
    FakeRecords,
    FakeRegistry,
    FakeWork,
)

SECURE = "https://portal.example"
LOCAL = "http://portal.localhost:4566"
TEMPLATE = b"<crowd-form>{{ task.input.taskObject | grant_read_access }}</crowd-form>"
INDEX = b"<!doctype html><script type=module src=/assets/app-abc.js></script>"
SCRIPT = b"globalThis.elements = true;"
PAGE_FILES = {
    "index.html": INDEX,
    "app-abc.js": b"app()",
    "app-abc.css": b"p { color: red }",
    "crowd-html-elements.js": SCRIPT,
    "notes.txt": b"not for anybody",
}


class FakeFiles:
    """A template that shows its image."""

    def get(self, uri: object) -> bytes:
        return TEMPLATE

    def size(self, uri: object) -> int:
        return 100

    def etag(self, uri: object) -> str:
        return "etag"

    def presign_get(self, uri: object, expires_seconds: int) -> str:
        return f"https://signed/{uri}?for={expires_seconds}"


class Browser:
    """A portal, and a browser that keeps its cookies.

    Parameters
    ----------
    work, registry
        In place of the fakes with one job of one task, and one team.
    """

    def __init__(
        self,
        url: str = SECURE,
        *,
        work: Work | None = None,
        registry: Registry | None = None,
        clock: FakeClock | None = None,
    ) -> None:
        self.url = url
        self.clock = clock or FakeClock()
        self.cognito = FakeCognito(self.clock)
        self.records = FakeRecords()
        self.registry = FakeRegistry()
        self.work = FakeWork(self.clock)
        self.cookies: dict[str, str] = {}
        self.portal = Portal(
            portal_url=url,
            directory=Directory(registry or self.registry, self.clock),
            records=self.records,
            cognito_for=lambda pool, client: self.cognito,
            work=work or cast(Work, self.work),
            contents=TaskContents(lambda _: FakeFiles(), self.clock),
            files=PageFiles(lambda: PAGE_FILES),
            clock=self.clock,
            new_token=CountingTokens(),
        )

    def another(self) -> "Browser":
        """Return another browser at the same portal."""
        other = copy(self)
        other.cookies = {}
        return other

    def send(self, method: str, target: str, body: bytes = b"", **headers: str) -> Response:
        path, _, query = target.partition("?")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(method, path, query, sent, dict(self.cookies), body)
        response = self.portal.handle(request)
        for cookie in response.cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            if "Max-Age=0" in cookie:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return response

    def get(self, target: str) -> Response:
        return self.send("GET", target)

    def change(self, target: str, content: Any = None, **headers: str) -> Response:
        return self.post(target, json.dumps({} if content is None else content).encode(), **headers)

    def post(self, target: str, body: bytes, **headers: str) -> Response:
        """Change something as the portal's own pages do, with a body of any bytes."""
        standard = {
            "content_type": "application/json",
            "origin": self.url,
            "x_groundwork_request": "1",
        }
        return self.send("POST", target, body, **(standard | headers))

    def begin(self, return_to: str = "/") -> str:
        """Go to the sign-in page and return the state that Cognito would bring back."""
        response = self.get(f"/sign-in?return_to={return_to}")
        query = parse_qs(urlsplit(response.headers["location"]).query)
        self.cognito.claims["nonce"] = query["nonce"][0]
        return query["state"][0]

    def sign_in(self) -> None:
        response = self.get(f"/oauth2/idpresponse?code=good-code&state={self.begin()}")
        assert (response.status, response.headers["location"]) == (303, "/")


def content(response: Response) -> Any:
    """Return what a JSON answer holds."""
    return json.loads(response.body)


def error_of(response: Response) -> tuple[int, str]:
    """Return a refusal's status and code, after a look at its form."""
    error = content(response)["error"]
    assert set(error) == {"code", "message", "hint"}
    assert error["message"]
    return int(response.status), error["code"]
