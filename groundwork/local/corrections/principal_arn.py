"""`aws:PrincipalArn` of a role's session is the role's ARN.

So it is on AWS, and trust policies compare it with role ARNs. The emulator, when it enforces
policies, gives the session's own ARN. (A role's path is not part of that and stays lost.)
"""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator

from groundwork.local.hooks import wrap


def install() -> None:
    """Turn a session's ARN into its role's when a condition asks for it."""
    wrap(iam_evaluator, "_resolve_condition_key", _as_role, ("key", "ctx"))


def _as_role(original: Callable[..., Any], key: str, context: Any) -> Any:
    value = original(key, context)
    if key.lower() == "aws:principalarn" and isinstance(value, str) and ":assumed-role/" in value:
        _, partition, _, _, account, resource = value.split(":", 5)
        return f"arn:{partition}:iam::{account}:role/{resource.split('/')[1]}"
    return value
