"""The worker portal behind an HTTP API: an event in, a response out."""

import base64
import logging
import os
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from groundwork import logs
from groundwork.contract import portal_url
from groundwork.contract.registry_store import RegistryStore
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.work import LeasedTask, Work
from groundwork.portal.cognito_client import CognitoClient
from groundwork.portal.directory import Directory
from groundwork.portal.http import Request, Response, read_cookies
from groundwork.portal.page_files import PageFiles, read_pages
from groundwork.portal.routes import Portal
from groundwork.portal.session_store import SessionStore
from groundwork.portal.task_content import TaskContents
from groundwork.role_client import job_session_name
from groundwork.s3_client import S3Client

logs.set_up()
_log = logging.getLogger("groundwork.portal")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer one HTTP API request (payload format 2.0).

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    started = time.monotonic()
    request = request_from(event)
    # The path without its query, which carries codes and states.
    with logs.invocation(context, method=request.method, path=request.path):
        response = _portal().handle(request)
        taken = {"milliseconds": round((time.monotonic() - started) * 1000)}
        _log.info("portal request", extra={"status": int(response.status), **taken})
        return event_response(response)


def request_from(event: Mapping[str, Any]) -> Request:
    """Return the request that an event carries."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    # API Gateway takes cookies out of the headers; the local cloud leaves them there.
    cookie_headers = [*(event.get("cookies") or []), headers.pop("cookie", "")]
    return Request(
        method=event["requestContext"]["http"]["method"].upper(),
        path=event["rawPath"],
        query=event.get("rawQueryString") or "",
        headers=headers,
        cookies=read_cookies(cookie_headers),
        body=base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
    )


def event_response(response: Response) -> dict[str, Any]:
    """Return a response in the form that API Gateway takes."""
    try:
        body, encoded = response.body.decode(), False
    except UnicodeDecodeError:
        body, encoded = base64.b64encode(response.body).decode(), True
    return {
        "statusCode": int(response.status),
        "headers": dict(response.headers),
        "cookies": list(response.cookies),
        "body": body,
        "isBase64Encoded": encoded,
    }


@lru_cache(maxsize=1)
def _portal() -> Portal:
    def now() -> datetime:
        return datetime.now(UTC)

    # Making a client takes longer than most requests; its credentials renew themselves.
    @lru_cache(maxsize=64)
    def files(role_arn: str, job_name: str) -> S3Client:
        return S3Client.for_role(role_arn, job_session_name(job_name))

    def files_of_task(task: LeasedTask) -> S3Client:
        return files(task.role_arn, task.job_name)

    return Portal(
        portal_url=portal_url(os.environ["PORTAL_URL"]),
        directory=Directory(RegistryStore.from_environment(), now),
        records=SessionStore.from_environment(),
        cognito_for=CognitoClient.from_environment,
        work=Work(
            store=JobStore.from_environment(),
            files_for_job=lambda job: files(job.role_arn, job.name),
            loop=LoopClient.from_environment(),
            clock=now,
            random=random.SystemRandom(),
        ),
        contents=TaskContents(files_of_task, now),
        # Beside this file, unless the setting says otherwise.
        files=PageFiles(
            lambda: read_pages(Path(__file__).parent / os.environ.get("PAGES_FOLDER", "pages"))
        ),
        clock=now,
    )
