"""IAM's simulation of a policy sees the conditions' values that it is given.

`SimulatePrincipalPolicy` takes them as `ContextEntries`, and is a right on the user or role that it
asks about. The emulator leaves the entries out, so that no statement with such a condition ever
allows anything, and knows no resource of the right, when it enforces policies.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qs

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam

from groundwork.local.hooks import wrap

_entries: ContextVar[Mapping[str, str] | None] = ContextVar("entries", default=None)


def install() -> None:
    """Remember the entries while a policy is simulated, and answer conditions with them."""
    wrap(iam, "_extract_simulate_params", _remember_entries, ("p",))
    wrap(iam, "_build_simulate_results_real", _and_forget, ("actions", "resource_arn"))
    wrap(iam_evaluator, "_resolve_condition_key", _from_entries, ("key", "ctx"))
    wrap(
        iam_actions,
        "extract_resource_arn",
        _about_whom,
        ("service", "method", "path", "headers", "body"),
    )


def _remember_entries(original: Callable[[Any], Any], request: Any) -> Any:
    given = {}
    number = 1
    while name := iam._p(request, f"ContextEntries.member.{number}.ContextKeyName"):
        value = f"ContextEntries.member.{number}.ContextKeyValues.member.1"
        given[name.lower()] = iam._p(request, value)
        number += 1
    _entries.set(given)
    return original(request)


def _and_forget(original: Callable[..., Any], *args: Any) -> Any:
    try:
        return original(*args)
    finally:
        _entries.set(None)


def _from_entries(original: Callable[..., Any], key: str, context: Any) -> Any:
    entries = _entries.get() or {}
    return entries[key.lower()] if key.lower() in entries else original(key, context)


def _about_whom(original: Callable[..., str], service: str, *request: Any) -> str:
    _method, _path, _headers, body, *_ = request
    if service == "iam":
        form = parse_qs((body or b"").decode("utf-8", "replace"))
        if form.get("Action") == ["SimulatePrincipalPolicy"]:
            return str(form.get("PolicySourceArn", ["*"])[0])
    return original(service, *request)
