"""An HTTP API has every path to itself.

AWS serves Cognito's `/logout` on the user pool's domain only. The emulator answers `GET /logout` on
whatever host, so that an HTTP API never sees it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ministack import app

from groundwork.local.hooks import EmulatorChangedError, wrap


def install() -> None:
    """Leave requests to HTTP APIs' hosts to the HTTP APIs."""
    if not hasattr(app, "_EXECUTE_API_RE"):
        raise EmulatorChangedError("ministack.app._EXECUTE_API_RE does not exist")
    wrap(app, "_handle_cognito_get_request", _but_on_apis, ("method", "path", "headers"))


async def _but_on_apis(
    original: Callable[..., Awaitable[Any]],
    method: str,
    path: str,
    headers: Mapping[str, str],
    *rest: Any,
    **named: Any,
) -> Any:
    if app._EXECUTE_API_RE.match(headers.get("host", "")):
        return None
    return await original(method, path, headers, *rest, **named)
