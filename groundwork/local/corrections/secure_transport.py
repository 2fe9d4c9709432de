"""Requests to the local port count as secure.

Bucket policies of `enforce_ssl=True`, and CDK's bootstrap bucket, deny what has no
`aws:SecureTransport`. On AWS every SDK uses TLS. Here plain HTTP never leaves the machine, and the
emulator, when it enforces policies, would refuse everyone but root.
"""

from collections.abc import Callable
from typing import Any

from ministack.core import iam_evaluator

from groundwork.local.hooks import wrap


def install() -> None:
    """Answer "true" when a condition asks for secure transport."""
    wrap(iam_evaluator, "_resolve_condition_key", _secure, ("key", "ctx"))


def _secure(original: Callable[..., Any], key: str, context: Any) -> Any:
    return "true" if key.lower() == "aws:securetransport" else original(key, context)
