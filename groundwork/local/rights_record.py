"""A record of which rights are used: what each role has, and what each of its calls needed.

On AWS the audit trail tells which calls a role made, not which statement let it. The emulator, when
it enforces policies, decides each call here. With this record, tests tell a right that no call
needs, and a call that no right covers. Off unless the emulator is started with a place for it.

One JSON object in each line:

* ``{"role", "policy", "grants": [grant, ...]}``: what CloudFormation gave a role; a later line for
  the same role and policy replaces it.
* ``{"role", "action", "resource", "allowed", "grants": [grant, ...]}``: a call, once for all that
  were decided alike, with those of the role's grants that allow it. A call without any that was
  allowed all the same is allowed by the resource's own policy.

A grant is one action and one resource of an allowing statement: ``{"action", "resource",
"condition"}``, as the policy has them.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, ParsedStatement

from groundwork.local.hooks import after_resource, wrap

_Decided = tuple[EvalContext, list[list[ParsedStatement]]]

_decided: ContextVar[_Decided | None] = ContextVar("decided", default=None)
_in_resource_policy: ContextVar[bool] = ContextVar("in_resource_policy", default=False)


def install(path: Path) -> None:
    """Add to a file from here on.

    Raises
    ------
    EmulatorChangedError
        When the emulator decides elsewhere.
    """
    record = _Record(path)
    wrap(iam_evaluator, "evaluate", _remember, ("ctx", "policies"))
    wrap(iam_evaluator, "evaluate_resource_policy", _of_resource, ("doc", "ctx"))
    wrap(iam_evaluator, "enforce", record.decision, ("access_key_id", "iam_action", "service"))
    after_resource("AWS::IAM::Policy", record.policy)
    after_resource("AWS::IAM::Role", record.role)


class _Record:
    """The file, and what is in it already."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._written: set[str] = set()

    def decision(self, original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Write down a role's call after it was decided."""
        _decided.set(None)
        refusal = original(*args, **kwargs)
        if (decided := _decided.get()) is not None:
            context, policies = decided
            if ":assumed-role/" in context.principal_arn:
                self._write(
                    {
                        "role": context.principal_arn.split("/")[1],
                        "action": context.action,
                        "resource": context.resource_arn,
                        "allowed": refusal is None,
                        "grants": [
                            _grant(each)
                            for statements in policies
                            for each in _single(statements)
                            if iam_evaluator._first_match(context, [each], "Allow")
                        ],
                    }
                )
        return refusal

    def policy(self, physical_id: str, properties: Mapping[str, Any], _: Any) -> None:
        """Write down a policy of its own."""
        for role in properties.get("Roles", []):
            self._given(role, physical_id, properties["PolicyDocument"])

    def role(self, physical_id: str, properties: Mapping[str, Any], _: Any) -> None:
        """Write down a role's inline policies."""
        for policy in properties.get("Policies", []):
            self._given(physical_id, policy["PolicyName"], policy["PolicyDocument"])

    def _given(self, role: str, policy: str, document: Any) -> None:
        statements = iam_evaluator.parse_policy_document(document)
        grants = [_grant(each) for each in _single(statements) if each.effect == "Allow"]
        self._write({"role": role, "policy": policy, "grants": grants})

    def _write(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry, sort_keys=True)
        with self._lock:
            if line in self._written:
                return
            self._written.add(line)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def _remember(
    original: Callable[..., Any],
    ctx: EvalContext,
    policies: list[list[ParsedStatement]],
    *limits: Any,
) -> Any:
    if not _in_resource_policy.get():
        _decided.set((ctx, policies))
    return original(ctx, policies, *limits)


def _of_resource(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    token = _in_resource_policy.set(True)
    try:
        return original(*args, **kwargs)
    finally:
        _in_resource_policy.reset(token)


def _single(statements: Iterable[ParsedStatement]) -> Iterator[ParsedStatement]:
    """Yield a statement for each single action and resource."""
    for statement in statements:
        for action in statement.actions:
            for resource in statement.resources:
                yield ParsedStatement(
                    sid="",
                    effect=statement.effect,
                    actions=[action],
                    resources=[resource],
                    conditions=statement.conditions,
                )


def _grant(single: ParsedStatement) -> dict[str, Any]:
    return {
        "action": single.actions[0],
        "resource": single.resources[0],
        "condition": single.conditions,
    }
