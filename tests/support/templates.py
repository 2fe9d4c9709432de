"""Synthesized templates, read by type and properties and never by generated ids."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """One stack's template."""

    body: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Template":
        """Read a template from a cloud assembly."""
        return cls(json.loads(path.read_text(encoding="utf-8")))

    @property
    def outputs(self) -> Mapping[str, Any]:
        """The outputs by name."""
        outputs: Mapping[str, Any] = self.body.get("Outputs", {})
        return outputs

    def all(self, resource_type: str) -> dict[str, Resource]:
        """Return all resources of a type by their logical ids."""
        return {
            logical_id: resource
            for logical_id, resource in self.body["Resources"].items()
            if resource["Type"] == resource_type
        }

    def one(self, resource_type: str) -> Resource:
        """Return the properties of the only resource of a type."""
        (found,) = self.all(resource_type).values()
        properties: Resource = found.get("Properties", {})
        return properties

    def logical_id(self, resource_type: str) -> str:
        """Return the logical id of the only resource of a type."""
        (found,) = self.all(resource_type)
        return found

    def function(self, description: str) -> Resource:
        """Return a function whose description begins like this.

        A custom resource has two, which share role and environment.
        """
        for function in self.all("AWS::Lambda::Function").values():
            properties: Resource = function["Properties"]
            if str(properties.get("Description")).startswith(description):
                return properties
        raise LookupError(f"no function with the description {description!r}...")

    def rights(self, role: Any) -> list[dict[str, Any]]:
        """Return the statements of all policies of a role, given as its ARN or its reference."""
        role_id = role["Fn::GetAtt"][0] if "Fn::GetAtt" in role else role["Ref"]
        return [
            flatten(statement)
            for policy in self.all("AWS::IAM::Policy").values()
            if {"Ref": role_id} in policy["Properties"].get("Roles", [])
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]

    def depends_on(self, later: str, earlier: str) -> bool:
        """Tell whether a resource, by its logical id, comes after another, directly or not."""
        seen: set[str] = set()
        pending = [later]
        while pending:
            current = pending.pop()
            if current == earlier:
                return True
            if current in seen or current not in self.body["Resources"]:
                continue
            seen.add(current)
            resource = self.body["Resources"][current]
            pending.extend(resource.get("DependsOn", []))
            pending.extend(_references(resource.get("Properties", {})))
        return False


def flatten(value: Any) -> Any:
    """Write intrinsic functions as short text without generated ids, such as `<.Arn>`."""
    if isinstance(value, list):
        return [flatten(item) for item in value]
    if not isinstance(value, dict):
        return value
    ((kind, inside), *more) = value.items() if value else (("", None),)
    if more or kind not in _SHORT:
        return {key: flatten(item) for key, item in value.items()}
    return _SHORT[kind](inside)


_SHORT: Mapping[str, Callable[[Any], str]] = {
    "Ref": lambda name: f"<{name}>" if name.startswith("AWS::") else "<>",
    "Fn::GetAtt": lambda parts: f"<.{parts[1]}>",
    "Fn::Join": lambda parts: parts[0].join(str(flatten(item)) for item in parts[1]),
    "Fn::ImportValue": lambda _: "<imported>",
}


def allowed(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """Return which resources each allowed action has."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        if statement["Effect"] == "Allow":
            for action in _listed(statement["Action"]):
                found.setdefault(action, set()).update(_listed(statement["Resource"]))
    return found


def conditions(statements: list[dict[str, Any]], action: str) -> Any:
    """Return the condition of the only statement with an action."""
    (found,) = (each for each in statements if action in _listed(each["Action"]))
    return found.get("Condition")


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _references(item)
    elif isinstance(value, dict):
        if isinstance(value.get("Ref"), str):
            yield value["Ref"]
        if "Fn::GetAtt" in value:
            yield value["Fn::GetAtt"][0]
        for item in value.values():
            yield from _references(item)
