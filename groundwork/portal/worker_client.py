"""A worker without a browser: signs in on Cognito's pages and labels through the worker API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from groundwork.portal.sign_in import CALLBACK_PATH, SIGN_IN_PATH, SIGN_OUT_PATH
from groundwork.portal.worker_api import CSRF_HEADER

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_MAXIMUM_PAGES = 4


class WorkerSignInError(Exception):
    """The sign-in pages did not let the worker in; the text says what they said."""


class WorkerApiError(Exception):
    """The worker API refused a call.

    Parameters
    ----------
    status, code, message, hint
        As the API told them.
    """

    def __init__(self, status: int, code: str, message: str, hint: str) -> None:
        super().__init__(f"{status} {code}: {message} ({hint})")
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint


class WorkerClient:
    """One signed-in worker; make it with ``sign_in``, and close it or use it in ``with``."""

    def __init__(self, portal_url: str, http: httpx.Client) -> None:
        self._portal_url = portal_url
        self._http = http

    @classmethod
    def sign_in(
        cls,
        portal_url: str,
        email: str,
        password: str,
        new_password: str | None = None,
        resolve_to: str | None = None,
    ) -> "WorkerClient":
        """Sign in as a person would: the sign-in form, and the new password's form if it comes.

        Parameters
        ----------
        portal_url
            The portal's address, with scheme.
        email, password
            The worker's; the temporary password the first time.
        new_password
            What to choose when Cognito asks for a new password.
        resolve_to
            ``127.0.0.1:<port>`` sends every request there, whatever its host: Python does not
            resolve names below ``localhost`` as browsers do.

        Raises
        ------
        WorkerSignInError
            If the pages refuse, or ask for something else.
        """
        transport = Resolved(resolve_to) if resolve_to else httpx.HTTPTransport(retries=2)
        http = httpx.Client(transport=transport, timeout=_TIMEOUT, follow_redirects=True)
        client = cls(portal_url.rstrip("/"), http)
        try:
            client._pass_pages(email, password, new_password)
        except BaseException:
            http.close()
            raise
        return client

    def __enter__(self) -> "WorkerClient":
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections; the session stays until it expires."""
        self._http.close()

    def me(self) -> dict[str, Any]:
        """Return who is signed in."""
        return self._get("/api/me")

    def jobs(self) -> list[dict[str, Any]]:
        """Return the open jobs of the worker's teams."""
        jobs: list[dict[str, Any]] = self._get("/api/jobs")["jobs"]
        return jobs

    def take(self, job: str) -> dict[str, Any] | None:
        """Return a task with its rendered content, or None when there is nothing to do now."""
        response = self._change(f"/api/jobs/{job}/tasks", {})
        if response.status_code == HTTPStatus.NO_CONTENT:
            return None
        return dict(response.json())

    def leases(self, job: str) -> list[dict[str, Any]]:
        """Return the tasks that the worker holds, without their content."""
        tasks: list[dict[str, Any]] = self._get(f"/api/jobs/{job}/tasks")["tasks"]
        return tasks

    def resume(self, lease: str) -> dict[str, Any]:
        """Return a task that the worker holds, with its rendered content."""
        return self._get(f"/api/tasks/{lease}")

    def answer(self, lease: str, content: Mapping[str, Any], seconds: float | None = None) -> None:
        """Submit an answer, by element name."""
        body: dict[str, Any] = {"answerContent": dict(content)}
        if seconds is not None:
            body["timeSpentInSeconds"] = seconds
        self._change(f"/api/tasks/{lease}/answer", body)

    def release(self, lease: str) -> None:
        """Give a task back for anybody."""
        self._change(f"/api/tasks/{lease}/release", {})

    def decline(self, lease: str) -> None:
        """Give a task back for anybody else."""
        self._change(f"/api/tasks/{lease}/decline", {})

    def sign_out(self) -> None:
        """End the session, the portal's and Cognito's."""
        headers = {"origin": self._portal_url}
        address = self._portal_url + SIGN_OUT_PATH
        leads_to = _checked(self._http.post(address, headers=headers, follow_redirects=False))
        _checked(self._http.get(leads_to.headers["location"], follow_redirects=False))

    def _get(self, path: str) -> dict[str, Any]:
        response = _checked(self._http.get(self._portal_url + path))
        return dict(response.json())

    def _change(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        headers = {"origin": self._portal_url, CSRF_HEADER: "1"}
        return _checked(self._http.post(self._portal_url + path, json=body, headers=headers))

    def _pass_pages(self, email: str, password: str, new_password: str | None) -> None:
        # Back to the API, since this worker has no use for the pages.
        response = self._http.get(f"{self._portal_url}{SIGN_IN_PATH}?return_to=/api/me")
        for _ in range(_MAXIMUM_PAGES):
            if str(response.url).startswith(f"{self._portal_url}/"):
                if response.is_success and not response.url.path.startswith(CALLBACK_PATH):
                    return
                raise WorkerSignInError(_page_text(response))
            page = _Page.read(response.text)
            if page.error or not response.is_success:
                raise WorkerSignInError(page.error or _page_text(response))
            form = page.form_with_password()
            if form is None:
                raise WorkerSignInError(f"no password is asked for at {_place(response)}")
            fields = dict(form.fields)
            if "username" in fields:
                fields |= {"username": email, "password": password}
            elif new_password is None:
                raise WorkerSignInError("a new password is asked for, and none was given")
            else:
                # The new password and its repetition are all that is asked for.
                fields |= dict.fromkeys(form.password_fields, new_password)
            response = self._http.post(urljoin(str(response.url), form.action), data=fields)
        raise WorkerSignInError(f"still on the sign-in pages after {_MAXIMUM_PAGES} forms")


class Resolved(httpx.HTTPTransport):
    """Sends every request to one address, with the host that it was meant for."""

    def __init__(self, address: str) -> None:
        super().__init__(retries=2)
        parts = urlsplit(f"//{address}")
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        # A new request: the cookie jar goes by the URL of the original.
        url = request.url.copy_with(scheme="http", host=self._host, port=self._port)
        return super().handle_request(
            httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        )


@dataclass
class _Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    password_fields: list[str] = field(default_factory=list)


class _Page(HTMLParser):
    """The forms of a sign-in page, and its error text."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[_Form] = []
        self.error = ""
        self._in_error = ""

    @classmethod
    def read(cls, text: str) -> "_Page":
        """Parse a page."""
        page = cls()
        page.feed(text)
        return page

    def form_with_password(self) -> _Form | None:
        """Return the first form that asks for a password: a page may hold others."""
        return next((form for form in self.forms if form.password_fields), None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(_Form(values.get("action", "")))
        elif tag == "input" and self.forms and "name" in values:
            self.forms[-1].fields[values["name"]] = values.get("value", "")
            if values.get("type") == "password":
                self.forms[-1].password_fields.append(values["name"])
        # "error" locally; "errorMessage-..." on Cognito's own pages.
        if values.get("class", "").startswith("error") or values.get("id") == "loginErrorMessage":
            self._in_error = tag

    def handle_data(self, data: str) -> None:
        if self._in_error:
            self.error += data.strip()

    def handle_endtag(self, tag: str) -> None:
        if tag == self._in_error:
            self._in_error = ""


def _checked(response: httpx.Response) -> httpx.Response:
    if response.is_success or response.has_redirect_location:
        return response
    try:
        error = response.json()["error"]
        told = [str(error[name]) for name in ("code", "message", "hint")]
    except (ValueError, KeyError, TypeError):
        told = ["Unknown", response.text[:500], "the portal did not answer this itself"]
    raise WorkerApiError(response.status_code, told[0], told[1], told[2])


def _place(response: httpx.Response) -> str:
    # Without the query, which carries codes and states.
    return str(response.url.copy_with(query=None))


def _page_text(response: httpx.Response) -> str:
    return f"{_place(response)} answered {response.status_code}: {response.text[:1000]}"
