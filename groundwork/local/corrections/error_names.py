"""A Python function's error carries the name of its exception class.

On AWS `errorType` is the class name, which Step Functions compares in `Retry` and `Catch`. The
emulator answers `Runtime.HandlerError` for every exception. The worker script is made to report the
class name, which then rides on the error text to the place where the answer is put together.
"""

from collections.abc import Callable
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

from groundwork.local.hooks import EmulatorChangedError, wrap

_REPLY = '{"status": "error", "error": str(e), "trace": traceback.format_exc()}'
_NAMED_REPLY = _REPLY.replace("}", ', "error_type": type(e).__name__}')


class _NamedText(str):
    """An error text that knows the class of the exception it came from."""

    __slots__ = ("error_type",)
    error_type: str


def install() -> None:
    """Report the class in the worker and put it into the invocation's answer."""
    if lambda_runtime._PYTHON_WORKER_SCRIPT.count(_REPLY) != 1:
        raise EmulatorChangedError("the Python worker reports exceptions in another form")
    lambda_runtime._PYTHON_WORKER_SCRIPT = lambda_runtime._PYTHON_WORKER_SCRIPT.replace(
        _REPLY, _NAMED_REPLY
    )
    wrap(lambda_runtime.Worker, "invoke", _name_the_text, ("self", "event", "request_id"))
    wrap(
        lambda_svc,
        "_execute_function_warm",
        _name_the_error,
        ("func", "event", "request_id"),
    )


def _name_the_text(original: Callable[..., Any], *args: Any, **named: Any) -> Any:
    reply = original(*args, **named)
    if isinstance(reply, dict) and "error_type" in reply:
        text = _NamedText(reply["error"])
        text.error_type = reply["error_type"]
        reply["error"] = text
    return reply


def _name_the_error(original: Callable[..., Any], *args: Any, **named: Any) -> Any:
    result = original(*args, **named)
    body = result.get("body")
    if result.get("error") and isinstance(body, dict):
        text = body.get("errorMessage")
        if isinstance(text, _NamedText):
            body.update(errorMessage=str(text), errorType=text.error_type)
    return result
