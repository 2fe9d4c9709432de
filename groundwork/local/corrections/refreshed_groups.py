"""Refreshed tokens keep the user's groups.

On AWS `cognito:groups` is in every id and access token. The emulator leaves it out of those that it
issues for a refresh token.
"""

import inspect
from collections.abc import Callable
from typing import Any

from ministack.services import cognito

from groundwork.local.hooks import wrap


def install() -> None:
    """Look the groups up when a refresh asks for a token without them."""
    wrap(
        cognito,
        "_fake_token",
        _with_groups,
        ("sub", "pool_id", "client_id", "token_type", "username", "user_attrs", "groups"),
    )


def _with_groups(original: Callable[..., str], *args: Any, **named: Any) -> str:
    token = inspect.signature(original).bind(*args, **named)
    wanted = token.arguments
    refreshed = wanted.get("trigger_source") == "TokenGeneration_RefreshTokens"
    if refreshed and wanted.get("username") and not wanted.get("groups"):
        users = (cognito._get_pool_unscoped(wanted["pool_id"]) or {}).get("_users", {})
        wanted["groups"] = users.get(wanted["username"], {}).get("_groups", [])
    return original(*token.args, **token.kwargs)
