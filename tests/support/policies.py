"""Every policy statement of a template, whosesoever it is."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tests.support.templates import Template, flatten


class Kind(StrEnum):
    """What a statement is a part of."""

    TRUST = "trust"
    IDENTITY = "identity"
    RESOURCE = "resource"


@dataclass(frozen=True)
class Statement:
    """One statement, as the template has it.

    Parameters
    ----------
    owner
        Logical id of the resource that it is written in; of the role for an identity policy.
    """

    kind: Kind
    owner: str
    body: dict[str, Any]

    @property
    def allows(self) -> bool:
        """Whether it allows and does not deny."""
        return bool(self.body["Effect"] == "Allow")

    @property
    def actions(self) -> list[str]:
        """Its actions."""
        return _listed(self.body.get("Action", []))

    @property
    def resources(self) -> list[str]:
        """Its resources, without generated ids."""
        return [flatten(each) for each in _listed(self.body.get("Resource", []))]

    @property
    def services(self) -> list[str]:
        """The AWS services among its principals."""
        principal = self.body.get("Principal", {})
        return _listed(principal.get("Service", [])) if isinstance(principal, dict) else []

    @property
    def condition_keys(self) -> set[str]:
        """The keys that its conditions are about."""
        return {key for block in self.body.get("Condition", {}).values() for key in block}


def statements(template: Template) -> Iterator[Statement]:
    """Yield every statement of a template; a Lambda permission counts as one."""
    for logical_id, resource in template.body["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Lambda::Permission":
            yield Statement(Kind.RESOURCE, logical_id, _permission(properties))
        for key, document in _documents(properties):
            if key == "AssumeRolePolicyDocument":
                kind, owners = Kind.TRUST, [logical_id]
            elif resource["Type"] == "AWS::IAM::Policy":
                kind, owners = Kind.IDENTITY, [role["Ref"] for role in properties["Roles"]]
            elif resource["Type"] == "AWS::IAM::Role":
                kind, owners = Kind.IDENTITY, [logical_id]
            else:
                kind, owners = Kind.RESOURCE, [logical_id]
            for owner in owners:
                for body in _listed(document["Statement"]):
                    yield Statement(kind, owner, body)


def _permission(properties: dict[str, Any]) -> dict[str, Any]:
    condition = {
        f"aws:{name}": properties[name]
        for name in ("SourceArn", "SourceAccount")
        if name in properties
    }
    return {
        "Effect": "Allow",
        "Principal": {"Service": properties["Principal"]},
        "Action": properties["Action"],
        "Resource": properties["FunctionName"],
        "Condition": {"StringEquals": condition},
    }


def _documents(value: Any, key: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, list):
        for item in value:
            yield from _documents(item, key)
    elif isinstance(value, dict):
        if "Statement" in value:
            yield key, value
        else:
            for name, item in value.items():
                yield from _documents(item, name)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
