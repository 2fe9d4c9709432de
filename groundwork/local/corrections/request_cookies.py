"""HTTP API and function URL events carry cookies in `cookies`.

Payload 2.0 on AWS has the list `cookies` and no `cookie` header. The emulator sends the header.
"""

from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc

from groundwork.local.hooks import wrap


def install() -> None:
    """Move the header into the list before the function sees the event."""
    wrap(lambda_svc, "_execute_function", _with_cookies, ("func", "event"))


def _with_cookies(
    original: Callable[..., Any], function: dict[str, Any], event: Any, *rest: Any, **named: Any
) -> Any:
    if isinstance(event, dict) and event.get("version") == "2.0" and "cookies" not in event:
        header = (event.get("headers") or {}).get("cookie")
        if header and "requestContext" in event:
            headers = {name: value for name, value in event["headers"].items() if name != "cookie"}
            cookies = [cookie.strip() for cookie in header.split(";") if cookie.strip()]
            event = {**event, "headers": headers, "cookies": cookies}
    return original(function, event, *rest, **named)
