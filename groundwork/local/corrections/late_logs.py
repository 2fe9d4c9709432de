"""A deleted function's last log lines do not bring its log group back.

On AWS a function's environments end with the function. In the emulator a function that reported to
CloudFormation may still be running when its stack has deleted it and its log group; its lines then
make the group anew, and `cdk destroy` leaves it behind.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from groundwork.local.hooks import wrap


def install() -> None:
    """Drop the lines of functions that are not there any more."""
    wrap(lambda_svc, "_emit_lambda_logs", _of_living_functions, ("func", "request_id", "log_text"))


def _of_living_functions(
    original: Callable[..., None], function: dict[str, Any], *rest: Any, **named: Any
) -> None:
    config = function.get("config") or function
    if config.get("FunctionName") in lambda_svc._functions:
        original(function, *rest, **named)
