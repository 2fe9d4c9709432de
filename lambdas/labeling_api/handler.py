"""The SageMaker labeling API behind a function URL: an event in, a response out."""

import base64
import os
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from groundwork import logs
from groundwork.contract.arns import Arn
from groundwork.contract.caller_client import CallerClient, caller_of
from groundwork.contract.dispatch import dispatch
from groundwork.contract.engine import Engine
from groundwork.contract.registry_store import RegistryStore
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.s3_client import S3Client

logs.set_up()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer one request (payload format 2.0).

    https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    with logs.invocation(context):
        answer = dispatch(
            _engine(Arn.parse(context.invoked_function_arn).account),
            headers.get("x-amz-target", ""),
            base64.b64decode(body) if event.get("isBase64Encoded") else body.encode(),
            request_id=context.aws_request_id,
            caller=caller_of(event),
        )
    return {
        "statusCode": answer.status,
        "headers": answer.headers,
        "body": answer.body.decode(),
        "isBase64Encoded": False,
    }


@lru_cache(maxsize=1)
def _engine(account: str) -> Engine:
    return Engine(
        region=os.environ["AWS_REGION"],
        account=account,
        portal_url=os.environ["PORTAL_URL"],
        registry=RegistryStore.from_environment(),
        jobs=JobStore.from_environment(),
        loop=LoopClient.from_environment(),
        may_pass=CallerClient.from_environment().may_pass,
        files_for_role=S3Client.for_role,
        clock=lambda: datetime.now(UTC),
        new_reference_code=lambda: secrets.token_hex(16),
    )
