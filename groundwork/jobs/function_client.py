"""The customer's own Lambda functions, called with the job's role."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from groundwork.json_text import JsonTextError, read_json
from groundwork.role_client import RoleError, session_for_role
from groundwork.user_agent import USER_AGENT

# A function may run for 15 minutes, as the step that waits for it does; the step is to end first.
# An invocation that the SDK repeats by itself would run the customer's code twice.
_CONFIG = Config(
    user_agent=USER_AGENT,
    connect_timeout=5,
    read_timeout=600,
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=64,
)


class FunctionError(Exception):
    """A customer's function cannot be called."""


class FunctionRaisedError(FunctionError):
    """A customer's function ran and failed."""


class FunctionClient:
    """Calls functions.

    Parameters
    ----------
    api
        A boto3 Lambda client, or a stand-in with the same methods.
    """

    def __init__(self, api: Any) -> None:
        self._api = api

    @staticmethod
    @lru_cache(maxsize=64)
    def for_role(role_arn: str, session_name: str) -> FunctionClient:
        """Use a role's rights; its credentials are kept, and renewed before they run out."""
        return FunctionClient(
            session_for_role(role_arn, session_name).client("lambda", config=_CONFIG)
        )

    def invoke(self, function_arn: str, event: Any) -> Any:
        """Return what a function answers to an event.

        Raises
        ------
        FunctionError
            If it cannot be called, or, as FunctionRaisedError, fails.
        """
        try:
            answer = self._api.invoke(
                FunctionName=function_arn,
                InvocationType="RequestResponse",
                Payload=json.dumps(event).encode(),
            )
            payload = answer["Payload"].read()
        except (ClientError, BotoCoreError, RoleError) as error:
            raise FunctionError(f"calling {function_arn} failed: {error}") from error
        if answer.get("FunctionError"):
            raise FunctionRaisedError(f"{function_arn} failed: {_raised(payload)}")
        try:
            return read_json(payload)
        except JsonTextError as error:
            raise FunctionRaisedError(
                f"{function_arn} answered no JSON that can be used: {error}"
            ) from error


def _raised(payload: bytes) -> str:
    try:
        told = read_json(payload)
        return f"{told['errorType']}: {told['errorMessage']}"
    except (ValueError, KeyError, TypeError):
        return payload[:500].decode("utf-8", "replace")
