"""One request of the SageMaker API: from its target and body to the answer."""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from groundwork import logs
from groundwork.contract.engine import Engine
from groundwork.contract.errors import (
    CONTENT_TYPE,
    InternalFailureError,
    SerializationError,
    ServiceError,
    UnknownOperationError,
    validation_error,
)
from groundwork.contract.operations import NOT_DONE, OPERATIONS
from groundwork.contract.service_model import is_operation, parse_request, validate
from groundwork.json_text import JsonTextError, read_json

TARGET_PREFIX = "SageMaker."
_logger = logging.getLogger("groundwork.contract")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def dispatch(
    engine: Engine, target: str, body: bytes, *, request_id: str, caller: str | None = None
) -> Answer:
    """Answer one request.

    Parameters
    ----------
    target
        The ``X-Amz-Target`` header.
    body
        The request, as JSON.
    request_id
        What identifies the request in the log and in the answer.
    caller
        ARN of who signed the request; None where the function was invoked directly.
    """
    operation = target.removeprefix(TARGET_PREFIX)
    try:
        response = _run(replace(engine, caller=caller), target, operation, body)
    except ServiceError as error:
        _logger.info("API request", extra=_line(operation, error.code))
        return _answer(error.response(), request_id)
    except Exception:
        _logger.exception("API request", extra=_line(operation, InternalFailureError.code))
        failure = InternalFailureError(
            f"The labeling engine failed; its log tells why, under request {request_id}"
        )
        return _answer(failure.response(), request_id)
    _logger.info("API request", extra=_line(operation, "OK"))
    text = json.dumps(response, default=_json_value)
    return _answer((200, {"content-type": CONTENT_TYPE}, text.encode()), request_id)


def _run(engine: Engine, target: str, operation: str, body: bytes) -> dict[str, Any]:
    perform = _operation(target, operation)
    request = _request(body)
    if problems := validate(operation, request):
        raise validation_error(problems)
    logs.about(job=request.get("LabelingJobName"))
    return perform(engine, parse_request(operation, request))


def _operation(target: str, operation: str) -> Callable[[Engine, dict[str, Any]], dict[str, Any]]:
    if operation in OPERATIONS and target.startswith(TARGET_PREFIX):
        return OPERATIONS[operation]
    if operation in NOT_DONE:
        raise UnknownOperationError(
            f"The open labeling engine does not have {operation}: {NOT_DONE[operation]}"
        )
    if is_operation(operation):
        raise UnknownOperationError(
            f"The open labeling engine does not have {operation}: it answers SageMaker's labeling "
            "operations only. Send others to SageMaker itself."
        )
    raise UnknownOperationError(
        f"There is no operation {target!r}; expected {TARGET_PREFIX}<operation> in X-Amz-Target"
    )


def _request(body: bytes) -> Mapping[str, Any]:
    try:
        request = read_json(body or b"{}", refuse_halves=True)
    except JsonTextError as error:
        raise SerializationError(f"The request is not JSON that can be used: {error}") from error
    if not isinstance(request, dict):
        raise SerializationError("The request is not a JSON object")
    return request


def _answer(response: tuple[int, dict[str, str], bytes], request_id: str) -> Answer:
    status, headers, body = response
    return Answer(status, {**headers, "x-amzn-requestid": request_id}, body)


def _json_value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _line(operation: str, outcome: str) -> dict[str, str]:
    """Return what is logged of a request, which never has what it or the answer says."""
    return {"operation": operation, "outcome": outcome}
