"""The worker API: JSON in, JSON out, over what ``groundwork.jobs.work`` lets a worker do."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from groundwork.contract.registry import Workteam
from groundwork.jobs.errors import (
    AlreadyAnsweredError,
    AnswerTooLargeError,
    JobFormatError,
    JobNotFoundError,
    JobNotOpenError,
    LeaseExpiredError,
    LeaseNotFoundError,
    NotInTeamError,
)
from groundwork.jobs.work import MAXIMUM_ANSWER_BYTES, LeasedTask, Work, Worker, WorkerJob
from groundwork.json_text import JsonTextError, read_json
from groundwork.portal.errors import PortalError
from groundwork.portal.http import Request, Response, json_response
from groundwork.portal.sessions import Session
from groundwork.portal.task_content import TaskContents
from groundwork.portal.task_frame import task_frame
from groundwork.s3_client import S3Error
from groundwork.table_client import ConflictError
from groundwork.unavailable import UnavailableError

# The answer's own limit, with room for what is around it.
MAXIMUM_BODY_BYTES = MAXIMUM_ANSWER_BYTES + 1024
MAXIMUM_WISHES_BYTES = 64 * 1024
# A job's name has 63 letters at most; numbers and the unguessable part are shorter.
LONGEST_LEASE = 200
CSRF_HEADER = "x-groundwork-request"
_LONGEST_TIME_SPENT_SECONDS = 30 * 24 * 3600

# How each refusal of the work itself is told: status, code, hint.
REFUSALS: Mapping[type[Exception], tuple[HTTPStatus, str, str]] = {
    NotInTeamError: (
        HTTPStatus.FORBIDDEN,
        "NotInTeam",
        "ask your host to add you to the job's work team",
    ),
    JobNotFoundError: (HTTPStatus.NOT_FOUND, "JobNotFound", "GET /api/jobs lists your jobs"),
    JobFormatError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "NewerJob",
        "nothing is lost: tell your host to deploy the newer release again",
    ),
    LeaseNotFoundError: (
        HTTPStatus.NOT_FOUND,
        "LeaseNotFound",
        "GET /api/jobs/<job>/tasks lists the tasks that you hold",
    ),
    JobNotOpenError: (HTTPStatus.CONFLICT, "JobNotOpen", "take a task of another job"),
    AlreadyAnsweredError: (HTTPStatus.CONFLICT, "AlreadyAnswered", "take the next task"),
    LeaseExpiredError: (
        HTTPStatus.GONE,
        "LeaseExpired",
        "take a task again; you may be given the same one",
    ),
    AnswerTooLargeError: (
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "AnswerTooLarge",
        "leave out what is not part of the answer, or tell your host",
    ),
    ConflictError: (HTTPStatus.SERVICE_UNAVAILABLE, "Busy", "the same call again will do"),
    # Before S3's other errors, of which it may be one.
    UnavailableError: (
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Unavailable",
        "nothing is lost on your side: the same call again in a moment will do",
    ),
    S3Error: (
        HTTPStatus.BAD_GATEWAY,
        "StorageFailed",
        "nothing is lost on your side: try again, and tell your host if it stays so",
    ),
}


class WorkerApi:
    """Answers a signed-in worker's calls."""

    def __init__(self, work: Work, contents: TaskContents) -> None:
        self._work = work
        self._contents = contents

    def me(self, session: Session, worker: Worker, teams: list[Workteam]) -> Response:
        """Tell who is signed in, in which teams, and until when."""
        return json_response(
            {
                "workerId": worker.worker_id,
                "email": worker.email,
                "teams": [{"name": team.name, "arn": team.arn} for team in teams],
                "sessionExpiresAt": _time(session.expires_at),
            }
        )

    def jobs(self, worker: Worker) -> Response:
        """List the open jobs of the worker's teams."""
        return json_response({"jobs": [_job(job) for job in self._work.jobs_for(worker)]})

    def take(self, worker: Worker, job_name: str, request: Request) -> Response:
        """Lease a task and render it; no content when there is nothing to do now."""
        wishes = _wishes_from(request)
        task = self._work.take(worker, job_name, wishes.besides, wishes.again)
        if task is None:
            return Response(HTTPStatus.NO_CONTENT)
        return self._with_content(task)

    def leases(self, worker: Worker, job_name: str) -> Response:
        """List the tasks that the worker holds; each one's page comes by ``resume``."""
        tasks = self._work.leases(worker, job_name)
        return json_response({"tasks": [_task(task) for task in tasks]})

    def resume(self, worker: Worker, lease_id: str) -> Response:
        """Return a task that the worker holds or may change their answer to, rendered anew."""
        return self._with_content(self._work.resume(worker, lease_id))

    def start(self, worker: Worker, lease_id: str) -> Response:
        """Begin the time of a task that was taken ahead, without its page, which is there."""
        return json_response(_task(self._work.start(worker, lease_id)))

    def frame(self, worker: Worker, lease_id: str, elements_url: str) -> Response:
        """Return a task's page as the document of a frame."""
        task = self._work.resume(worker, lease_id)
        return task_frame(self._contents.content_of(task), elements_url=elements_url)

    def answer(self, worker: Worker, lease_id: str, request: Request) -> Response:
        """Store an answer; the same one again changes nothing."""
        answer = _answer_from(request)
        self._work.submit(
            worker, lease_id, answer.content, answer.seconds, replaces=answer.replaces
        )
        return Response(HTTPStatus.NO_CONTENT)

    def release(self, worker: Worker, lease_id: str) -> Response:
        """Give a task back for anybody."""
        self._work.release(worker, lease_id)
        return Response(HTTPStatus.NO_CONTENT)

    def decline(self, worker: Worker, lease_id: str) -> Response:
        """Give a task back for anybody else."""
        self._work.decline(worker, lease_id)
        return Response(HTTPStatus.NO_CONTENT)

    def _with_content(self, task: LeasedTask) -> Response:
        content = self._contents.content_of(task)
        return json_response(
            {**_task(task), "content": content.html, "contentProblems": list(content.problems)}
        )


def refusal_of(error: Exception) -> PortalError | None:
    """Return how a refusal of the work is told, or None for any other error."""
    for kind, (status, code, hint) in REFUSALS.items():
        if isinstance(error, kind):
            return PortalError(status, code, str(error) or str(kind.__doc__), hint)
    return None


def check_change(request: Request, portal_origin: str) -> None:
    """Refuse a changing call that another site could have made a browser send.

    A JSON content type and a header of our own each need a CORS preflight, which the portal never
    grants, and browsers send an honest Origin:
    https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
    """
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise PortalError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "NotJson",
            f"the content type is {content_type or 'missing'}",
            "send Content-Type: application/json",
        )
    check_origin(request, portal_origin)
    if not request.headers.get(CSRF_HEADER):
        raise PortalError(
            HTTPStatus.FORBIDDEN,
            "HeaderMissing",
            f"the header {CSRF_HEADER} is missing",
            f"send {CSRF_HEADER}: 1",
        )


def check_origin(request: Request, portal_origin: str) -> None:
    """Refuse a request that did not come from the portal's own pages or a program that says so."""
    origin = request.headers.get("origin", "")
    if origin != portal_origin:
        raise PortalError(
            HTTPStatus.FORBIDDEN,
            "ForeignOrigin",
            f"the origin is {origin or 'missing'}",
            f"send Origin: {portal_origin}",
        )


@dataclass(frozen=True)
class _Answer:
    content: dict[str, Any]
    seconds: float | None
    replaces: bool


@dataclass(frozen=True)
class _Wishes:
    besides: list[str]
    again: str | None


def _wishes_from(request: Request) -> _Wishes:
    """Return which task is wanted, of a body that may be missing."""
    body = _json(request, MAXIMUM_WISHES_BYTES, _WISHES_HINT) if request.body else {}
    problems = []
    besides, again = (
        (body.get("besides", []), body.get("again")) if isinstance(body, dict) else ([], None)
    )
    if not isinstance(body, dict):
        problems.append(f"the body is {_kind(body)}, not an object")
    if not isinstance(besides, list) or not all(map(_is_lease, besides)):
        problems.append("besides is not a list of leases")
    if again is not None and not _is_lease(again):
        problems.append(f"again is {_kind(again)}, not a lease")
    if problems:
        raise PortalError(
            HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidRequest", "; ".join(problems), _WISHES_HINT
        )
    return _Wishes(besides, again)


def _json(request: Request, maximum_bytes: int, hint: str) -> Any:
    """Return what a body holds.

    Raises
    ------
    PortalError
        If it is too large, or no JSON that ``read_json`` takes.
    """
    if len(request.body) > maximum_bytes:
        raise PortalError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            "AnswerTooLarge",
            f"the request has {len(request.body):,} bytes",
            f"at most {maximum_bytes:,} are accepted",
        )
    try:
        return read_json(request.body)
    except JsonTextError as error:
        raise PortalError(
            HTTPStatus.BAD_REQUEST,
            "BadJson",
            f"the body is not JSON that can be used: {error}",
            hint,
        ) from error


def _answer_from(request: Request) -> _Answer:
    body = _json(request, MAXIMUM_BODY_BYTES, _ANSWER_HINT)
    if not isinstance(body, dict):
        raise _invalid_answer([f"the body is {_kind(body)}, not an object"])
    problems = []
    content = body.get("answerContent")
    if not isinstance(content, dict):
        problems.append(f"answerContent is {_kind(content)}, not an object by element name")
    seconds = body.get("timeSpentInSeconds")
    if seconds is not None and (
        isinstance(seconds, bool)
        or not isinstance(seconds, int | float)
        or not 0 <= seconds <= _LONGEST_TIME_SPENT_SECONDS
    ):
        problems.append(f"timeSpentInSeconds is {json.dumps(seconds)[:100]}, not a number from 0")
    replaces = body.get("replaces", False)
    if not isinstance(replaces, bool):
        problems.append(f"replaces is {json.dumps(replaces)[:100]}, not true or false")
    if unknown := sorted(set(body) - {"answerContent", "timeSpentInSeconds", "replaces"}):
        problems.append(f"unknown: {', '.join(unknown)[:200]}")
    if problems:
        raise _invalid_answer(problems)
    return _Answer(body["answerContent"], None if seconds is None else float(seconds), replaces)


_WISHES_HINT = 'send {}, or {"besides": ["<lease at hand>"], "again": "<lease that ran out>"}'
_ANSWER_HINT = 'send {"answerContent": {"<element name>": ...}, "timeSpentInSeconds": <number>}'


def _invalid_answer(problems: list[str]) -> PortalError:
    return PortalError(
        HTTPStatus.UNPROCESSABLE_ENTITY, "InvalidAnswer", "; ".join(problems), _ANSWER_HINT
    )


def _is_lease(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_LEASE


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "a truth value"}
    return "missing" if value is None else names.get(type(value), "a number")


def _job(job: WorkerJob) -> dict[str, Any]:
    return {
        "name": job.name,
        "title": job.title,
        "description": job.description,
        "status": str(job.status),
        "createdAt": _time(job.created_at),
        "tasksLeft": job.tasks_left,
        "customer": job.customer,
        "taskTimeLimitSeconds": job.task_time_limit_seconds,
    }


def _task(task: LeasedTask) -> dict[str, Any]:
    return {
        "lease": task.lease_id,
        "job": task.job_name,
        "title": task.title,
        "description": task.description,
        "objectId": task.object_id,
        "ahead": task.ahead,
        "answered": task.answered,
        "acceptedAt": _time(task.accepted_at),
        "expiresAt": _time(task.expires_at),
        "timeLimitSeconds": task.time_limit_seconds,
        "taskInput": dict(task.task_input),
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
