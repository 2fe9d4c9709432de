"""A function behind a signed URL is told who calls.

AWS names the caller in the event, under `requestContext.authorizer.iam`. The emulator finds out who
it is, to check rights, and leaves it out.
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-request-payload
"""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import lambda_svc

from groundwork.local.hooks import wrap


def install() -> None:
    """Add the caller to the event, unless the URL is open to everybody."""
    wrap(
        lambda_svc,
        "_build_function_url_event",
        _with_caller,
        ("url_id", "account_id", "region", "method", "path", "headers", "body", "query_params"),
    )


def _with_caller(original: Callable[..., dict[str, Any]], *args: Any, **kwargs: Any) -> Any:
    event = original(*args, **kwargs)
    if not kwargs.get("anonymous"):
        headers, query = args[5], args[7]
        event["requestContext"]["authorizer"] = {
            "iam": {
                "accountId": args[1],
                "userArn": iam_evaluator.request_caller_arn(headers, query),
            }
        }
    return event
