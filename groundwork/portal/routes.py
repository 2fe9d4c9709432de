"""The portal's routes: which request is answered by what, and what guards it."""

import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote, urlsplit

from groundwork import logs
from groundwork.contract.registry import Workforce, Workteam
from groundwork.jobs.work import Work, Worker
from groundwork.portal import pages
from groundwork.portal.directory import Directory
from groundwork.portal.errors import NotSetUpError, PortalError, SignInError
from groundwork.portal.http import (
    CookieJar,
    Request,
    Response,
    content_policy,
    json_response,
    redirect,
    with_security_headers,
)
from groundwork.portal.page_files import PageFiles
from groundwork.portal.sessions import SESSION_LIFETIME, Session, SessionRecords, Sessions
from groundwork.portal.sign_in import (
    CALLBACK_PATH,
    SIGN_IN_PATH,
    SIGN_IN_SECONDS,
    SIGN_OUT_PATH,
    Identity,
    PendingSignIn,
    authorize_url,
    check_return,
    hash_of,
    identity_from,
    issuer_of,
    region_of,
    safe_return_path,
    sign_out_url,
)
from groundwork.portal.task_content import TaskContents
from groundwork.portal.task_frame import refusal_frame
from groundwork.portal.worker_api import (
    LONGEST_LEASE,
    WorkerApi,
    check_change,
    check_origin,
    refusal_of,
)
from groundwork.unavailable import UnavailableError

_SESSION_COOKIE = "groundwork-session"
_BROWSER_COOKIE = "groundwork-browser"
_API_PREFIX = "/api/"
_PAGE_POLICY = (
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    # Also keeps a task's frame from leaving for another site.
    "frame-src 'self'",
)

_logger = logging.getLogger(__name__)


class Cognito(Protocol):
    """What is asked of ``cognito_client.CognitoClient``."""

    def pages_url(self) -> str:
        """Return where the pool's sign-in pages are."""

    def exchange_code(self, code: str, *, callback_url: str, code_verifier: str) -> str:
        """Trade an authorization code for an id token."""

    def groups_of(self, identity: Identity) -> frozenset[str]:
        """Return a user's groups."""


@dataclass(frozen=True)
class _Call:
    """A request with what is known about who sent it."""

    request: Request
    parts: Mapping[str, str] = field(default_factory=dict)
    session: Session | None = None
    worker: Worker | None = None
    teams: tuple[Workteam, ...] = ()

    @property
    def signed_in(self) -> tuple[Session, Worker]:
        """Return the session and the worker; the router lets no other call through."""
        if self.session is None or self.worker is None:
            raise PortalError(
                HTTPStatus.UNAUTHORIZED,
                "SignedOut",
                "you are not signed in",
                f"sign in at {SIGN_IN_PATH}",
            )
        return self.session, self.worker


_FAILED = PortalError(
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "InternalError",
    "something went wrong that should not have",
    "try again; the portal function's log has the details",
)
_Handler = Callable[[_Call], Response]


class _Route:
    """A method and a path, whose ``{names}`` stand for one segment each.

    A segment is no longer than any job's name or lease, so that what looks them up need not ask.
    """

    def __init__(self, method: str, path: str, handler: _Handler) -> None:
        self.method = method
        self.path = path
        self.handler = handler
        self._pattern = re.compile(
            re.sub(r"\{(\w+)\}", rf"(?P<\1>[^/]{{1,{LONGEST_LEASE}}})", path)
        )

    def match(self, path: str) -> dict[str, str] | None:
        """Return the path's named parts, or None for another path."""
        match = self._pattern.fullmatch(path)
        return match.groupdict() if match else None


class Portal:
    """Answers every request of the worker portal.

    Parameters
    ----------
    portal_url
        The portal's own address, with scheme and without a path.
    directory
        The workforce and its teams.
    records
        Where sessions and pending sign-ins are kept.
    cognito_for
        Gives access to a user pool through one of its clients.
    work, contents
        What workers do, and their tasks' pages.
    files
        The portal's own pages and scripts.
    clock, new_token
        The time, and a source of unguessable tokens.
    """

    def __init__(
        self,
        *,
        portal_url: str,
        directory: Directory,
        records: SessionRecords,
        cognito_for: Callable[[str, str], Cognito],
        work: Work,
        contents: TaskContents,
        files: PageFiles,
        clock: Callable[[], datetime],
        new_token: Callable[[], str] = secrets.token_urlsafe,
    ) -> None:
        self._portal_url = portal_url
        self._secure = portal_url.startswith("https://")
        self._jar = CookieJar(secure=self._secure)
        self._directory = directory
        self._records = records
        self._cognito_for = cognito_for
        self._cognitos: dict[tuple[str, str], Cognito] = {}
        self._clock = clock
        self._new_token = new_token
        self._sessions = Sessions(records, self._groups_of, clock, new_token)
        self._api = WorkerApi(work, contents)
        self._files = files
        self._routes = self._table()

    def handle(self, request: Request) -> Response:
        """Answer a request, whatever happens while doing so."""
        try:
            response = self._dispatch(request)
        except PortalError as error:
            response = _told(error, request)
        except NotSetUpError as error:
            response = self._not_set_up(request, str(error))
        except UnavailableError as error:
            _logger.warning("portal request met a failing service", extra={"error": str(error)})
            response = _told(refusal_of(error) or _FAILED, request)
        # The boundary: what is not foreseen is logged and told without details.
        except Exception:
            _logger.exception("portal request failed")
            response = _told(_FAILED, request)
        if request.method == "HEAD":
            response = replace(response, body=b"")
        return with_security_headers(response, secure=self._secure)

    def _table(self) -> list[_Route]:
        api = self._api
        return [
            _Route("GET", "/health", lambda _: json_response({"status": "ok"})),
            _Route("GET", "/", self._page),
            _Route("GET", "/jobs", self._page),
            _Route("GET", "/jobs/{job}", self._page),
            _Route("GET", "/tasks/{lease}/frame", self._frame),
            _Route("GET", "/assets/{name}", self._asset),
            _Route("GET", SIGN_IN_PATH, self._begin_sign_in),
            _Route("GET", CALLBACK_PATH, self._finish_sign_in),
            _Route("GET", SIGN_OUT_PATH, self._signed_out),
            _Route("POST", SIGN_OUT_PATH, self._sign_out),
            _Route("GET", "/api/me", self._me),
            _Route("GET", "/api/jobs", lambda call: api.jobs(call.signed_in[1])),
            _Route(
                "POST",
                "/api/jobs/{job}/tasks",
                lambda call: api.take(call.signed_in[1], call.parts["job"], call.request),
            ),
            _Route(
                "GET",
                "/api/jobs/{job}/tasks",
                lambda call: api.leases(call.signed_in[1], call.parts["job"]),
            ),
            _Route(
                "GET",
                "/api/tasks/{lease}",
                lambda call: api.resume(call.signed_in[1], call.parts["lease"]),
            ),
            _Route(
                "POST",
                "/api/tasks/{lease}/start",
                lambda call: api.start(call.signed_in[1], call.parts["lease"]),
            ),
            _Route(
                "POST",
                "/api/tasks/{lease}/answer",
                lambda call: api.answer(call.signed_in[1], call.parts["lease"], call.request),
            ),
            _Route(
                "POST",
                "/api/tasks/{lease}/release",
                lambda call: api.release(call.signed_in[1], call.parts["lease"]),
            ),
            _Route(
                "POST",
                "/api/tasks/{lease}/decline",
                lambda call: api.decline(call.signed_in[1], call.parts["lease"]),
            ),
        ]

    def _dispatch(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        matches = [
            (route, parts)
            for route in self._routes
            if (parts := route.match(request.path)) is not None
        ]
        if not matches:
            raise PortalError(
                HTTPStatus.NOT_FOUND, "NotFound", f"there is no {request.path[:200]}", "see /"
            )
        for route, parts in matches:
            if route.method == method:
                logs.about(**_ids_in(parts))
                return self._answer(route, request, parts)
        allowed = ", ".join(sorted({route.method for route, _ in matches}))
        response = PortalError(
            HTTPStatus.METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            f"{request.method} is not for this address",
            f"use {allowed}",
        ).response()
        return Response(response.status, response.body, {**response.headers, "allow": allowed})

    def _answer(self, route: _Route, request: Request, parts: Mapping[str, str]) -> Response:
        if not request.path.startswith(_API_PREFIX):
            return route.handler(_Call(request, parts))
        # Every call of the API passes here, so no handler can forget the check.
        call = self._with_worker(_Call(request, parts))
        _ = call.signed_in
        if route.method != "GET":
            check_change(request, self._portal_url)
        try:
            return route.handler(call)
        except Exception as error:
            if refusal := refusal_of(error):
                raise refusal from error
            raise

    def _with_worker(self, call: _Call) -> _Call:
        session = self._sessions.find(self._jar.read(call.request, _SESSION_COOKIE))
        workforce = self._directory.workforce() if session else None
        # Another pool's people have no part in this workforce's work.
        if session is None or workforce is None or not _is_from(session.identity, workforce):
            return call
        teams = self._directory.teams_of(session.groups)
        worker = Worker(
            sub=session.identity.subject,
            issuer=session.identity.issuer,
            email=session.identity.email,
            team_arns=frozenset(team.arn for team in teams),
            region=region_of(workforce.user_pool),
        )
        logs.about(worker_id=worker.worker_id)
        return _Call(call.request, call.parts, session, worker, tuple(teams))

    def _me(self, call: _Call) -> Response:
        session, worker = call.signed_in
        return self._api.me(session, worker, list(call.teams))

    def _page(self, call: _Call) -> Response:
        if self._with_worker(call).worker is None:
            here = f"{call.request.path}?{call.request.query}".rstrip("?")
            return redirect(f"{SIGN_IN_PATH}?return_to={quote(here, safe='/')}")
        index = self._files.index(call.request)
        cognito = urlsplit(self._cognito(self._directory.workforce()).pages_url())
        policy = content_policy(*_PAGE_POLICY, form_targets=f"{cognito.scheme}://{cognito.netloc}")
        return replace(index, headers={**index.headers, **policy})

    def _asset(self, call: _Call) -> Response:
        return self._files.asset(call.parts["name"], call.request)

    def _frame(self, call: _Call) -> Response:
        # Browsers that say what they ask for say "iframe": in a tab of its own a template could
        # leave for other sites. https://www.w3.org/TR/fetch-metadata/#sec-fetch-dest-header
        if call.request.headers.get("sec-fetch-dest", "iframe") != "iframe":
            return refusal_frame("This is a part of a task's page.", HTTPStatus.FORBIDDEN)
        known = self._with_worker(call)
        try:
            worker = known.signed_in[1]
            elements_url = self._portal_url + self._files.elements_address()
            return self._api.frame(worker, known.parts["lease"], elements_url)
        except Exception as error:
            refusal = error if isinstance(error, PortalError) else refusal_of(error)
            if refusal is None:
                raise
            return refusal_frame(refusal.message, refusal.status)

    def _begin_sign_in(self, call: _Call) -> Response:
        workforce = self._directory.workforce()
        cognito = self._cognito(workforce)
        # One browser token for all its tabs, so that two sign-ins at once both work.
        browser = self._jar.read(call.request, _BROWSER_COOKIE) or self._new_token()
        state = self._new_token()
        pending = PendingSignIn(
            browser_hash=hash_of(browser),
            code_verifier=self._new_token(),
            nonce=self._new_token(),
            return_path=safe_return_path(call.request.parameter("return_to")),
            expires_at=self._clock() + timedelta(seconds=SIGN_IN_SECONDS),
        )
        location = authorize_url(
            cognito.pages_url(),
            client_id=workforce.client_id,
            callback_url=self._portal_url + CALLBACK_PATH,
            state=state,
            pending=pending,
        )
        self._records.add_pending(hash_of(state), pending)
        cookie = self._jar.write(_BROWSER_COOKIE, browser, SIGN_IN_SECONDS)
        return redirect(location).with_cookies(cookie)

    def _finish_sign_in(self, call: _Call) -> Response:
        try:
            identity, return_path = self._identify(call.request)
        except SignInError as error:
            # Going back to this address after signing in is no failure.
            if self._with_worker(call).worker is not None:
                return redirect("/")
            _logger.warning("sign-in refused", extra={"reason": str(error)})
            return pages.page(
                pages.SIGN_IN_FAILED, call.request, HTTPStatus.BAD_REQUEST, str(error)
            )
        self._sessions.end(self._jar.read(call.request, _SESSION_COOKIE))
        token, session = self._sessions.open(identity)
        _logger.info("signed in", extra={"sub": identity.subject, "groups": sorted(session.groups)})
        return redirect(return_path).with_cookies(
            self._jar.write(_SESSION_COOKIE, token, int(SESSION_LIFETIME.total_seconds()))
        )

    def _identify(self, request: Request) -> tuple[Identity, str]:
        state = request.parameter("state")
        pending = check_return(
            self._records.take_pending(hash_of(state)) if state else None,
            browser=self._jar.read(request, _BROWSER_COOKIE),
            now=self._clock(),
        )
        if refused := request.parameter("error"):
            description = request.parameter("error_description")
            raise SignInError(f"Cognito refused it: {refused} {description}".strip()[:500])
        workforce = self._directory.workforce()
        id_token = self._cognito(workforce).exchange_code(
            request.parameter("code"),
            callback_url=self._portal_url + CALLBACK_PATH,
            code_verifier=pending.code_verifier,
        )
        identity = identity_from(
            id_token,
            user_pool=workforce.user_pool,
            client_id=workforce.client_id,
            nonce=pending.nonce,
            now=self._clock(),
        )
        return identity, pending.return_path

    def _signed_out(self, call: _Call) -> Response:
        """Answer where Cognito sends the browser back to after ending its own session.

        It ends no session, since a link of another site leads here, too.
        """
        if self._with_worker(call).worker is not None:
            return redirect("/")
        return pages.page(pages.SIGNED_OUT, call.request, HTTPStatus.OK)

    def _sign_out(self, call: _Call) -> Response:
        check_origin(call.request, self._portal_url)
        self._sessions.end(self._jar.read(call.request, _SESSION_COOKIE))
        workforce = self._directory.workforce()
        location = sign_out_url(
            self._cognito(workforce).pages_url(),
            client_id=workforce.client_id,
            return_url=self._portal_url + SIGN_OUT_PATH,
        )
        return redirect(location).with_cookies(self._jar.write(_SESSION_COOKIE, "", 0))

    def _not_set_up(self, request: Request, problem: str) -> Response:
        _logger.warning("not set up", extra={"problem": problem})
        status = HTTPStatus.SERVICE_UNAVAILABLE
        if request.path.startswith(_API_PREFIX):
            return PortalError(status, "NotSetUp", problem, "try again later").response()
        return pages.page(pages.NOT_READY, request, status, f"Not set up: {problem}.")

    def _cognito(self, workforce: Workforce) -> Cognito:
        key = (workforce.user_pool, workforce.client_id)
        if key not in self._cognitos:
            self._cognitos[key] = self._cognito_for(*key)
        return self._cognitos[key]

    def _groups_of(self, identity: Identity) -> frozenset[str]:
        return self._cognito(self._directory.workforce()).groups_of(identity)


def _ids_in(parts: Mapping[str, str]) -> dict[str, str | int]:
    """Return what a path is about, for the log: a job, or with a lease one of its objects."""
    job, *numbers = parts.get("lease", parts.get("job", "")).split(".")
    if not job:
        return {}
    found = zip(("iteration", "object_id"), numbers, strict=False)
    return {"job": job, **{name: int(text) for name, text in found if text.isdecimal()}}


def _told(error: PortalError, request: Request) -> Response:
    """Tell a refusal to a person as a page, and to a program as JSON."""
    wants_page = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if not wants_page or request.path.startswith(_API_PREFIX):
        return error.response()
    missing = error.status == HTTPStatus.NOT_FOUND
    return pages.page(pages.NOT_FOUND if missing else pages.FAILED, request, error.status)


def _is_from(identity: Identity, workforce: Workforce) -> bool:
    return identity.issuer == issuer_of(workforce.user_pool)
