"""Answering a task token needs a right on the token's state machine.

AWS checks `states:SendTaskSuccess` and its siblings on the state machine whose execution waits, and
CDK grants it so. The emulator, when it enforces policies, does not know which machine that is and
refuses everyone whose right names one. Of a token that nobody waits with any more AWS says so, as
the token itself has the machine; here it has not, so that nobody is refused for rights with one.
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
"""

import json
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import stepfunctions

from groundwork.local.hooks import wrap

_execution_arn: ContextVar[str] = ContextVar("execution_arn", default="")
_machine_of_token: dict[str, str] = {}
_NOBODYS = "arn:aws:states:::task-token-of-nobody"


def install() -> None:
    """Remember which machine waits for which token, and name it when rights are checked."""
    wrap(stepfunctions, "_run_execution", _remember_execution, ("exec_arn",))
    wrap(
        stepfunctions,
        "_invoke_with_callback",
        _remember_token,
        ("resource", "input_data", "token", "state_def"),
    )
    wrap(
        iam_actions,
        "extract_resource_arn",
        _machine_of_request,
        ("service", "method", "path", "headers", "body"),
    )
    wrap(
        iam_evaluator,
        "enforce",
        _unless_nobodys,
        ("access_key_id", "iam_action", "service", "region", "resource_arn"),
    )


def _remember_execution(original: Callable[[str], None], exec_arn: str) -> None:
    # Every execution runs in a context of its own, so nothing has to be put back.
    _execution_arn.set(exec_arn)
    original(exec_arn)


def _remember_token(
    original: Callable[..., Any], resource: str, input_data: Any, token: str, state_def: Any
) -> Any:
    machine_arn, _, _ = (
        _execution_arn.get().replace(":execution:", ":stateMachine:").rpartition(":")
    )
    _machine_of_token[token] = machine_arn
    try:
        return original(resource, input_data, token, state_def)
    finally:
        _machine_of_token.pop(token, None)


def _machine_of_request(original: Callable[..., str], service: str, *request: Any) -> str:
    _method, _path, headers, body, *_ = request
    if service == "states" and ".SendTask" in headers.get("x-amz-target", ""):
        token = json.loads(body or b"{}").get("taskToken", "")
        return _machine_of_token.get(token, _NOBODYS)
    return original(service, *request)


def _unless_nobodys(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    if _NOBODYS in (kwargs.get("resource_arn"), *args):
        return None
    return original(*args, **kwargs)
