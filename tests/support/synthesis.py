"""The app, synthesized in this process with its policy findings still open."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aws_cdk as cdk
import pytest
from constructs import IConstruct

from app import build
from stacks import policy
from tests.support.templates import Template

PROJECT = Path(__file__).resolve().parents[2]
CDK_CONTEXT: Mapping[str, Any] = json.loads((PROJECT / "cdk.json").read_text())["context"]


@dataclass(frozen=True)
class Finding:
    """What a rule pack or the library says about one construct."""

    plugin: str
    rule: str
    construct_path: str
    text: str


@dataclass(frozen=True)
class Acknowledgement:
    """A finding that the stacks accept, on a construct and all below it."""

    rule: str
    construct_path: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        """Tell whether a finding is meant."""
        path = finding.construct_path
        below = path == self.construct_path or path.startswith(f"{self.construct_path}/")
        return below and finding.rule == self.rule


@dataclass(frozen=True)
class Assembly:
    """What one synthesis gave."""

    folder: Path
    templates: Mapping[str, Template]
    findings: tuple[Finding, ...]
    acknowledgements: tuple[Acknowledgement, ...]

    @property
    def workshop(self) -> Template:
        """The workshop's template."""
        (found,) = (t for name, t in self.templates.items() if name != "GroundworkEngine")
        return found

    @property
    def engine(self) -> Template:
        """The open engine's template."""
        return self.templates["GroundworkEngine"]


def synthesize(folder: Path, context: Mapping[str, str]) -> Assembly:
    """Synthesize a configuration; acknowledgements are written down and not applied."""
    acknowledgements: list[Acknowledgement] = []
    checked = {**CDK_CONTEXT, "policy_checks": "true", **context}
    app = cdk.App(outdir=str(folder), context=checked)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "cdk", _recording(acknowledgements))
        build(app)
    try:
        app.synth()
    except RuntimeError as error:
        # Open findings end a synthesis, after everything is written.
        if "validation-report.json" not in str(error):
            raise
    templates = {
        path.name.removesuffix(".template.json"): Template.read(path)
        for path in folder.glob("*.template.json")
    }
    return Assembly(folder, templates, _findings(folder), tuple(acknowledgements))


def _recording(acknowledgements: list[Acknowledgement]) -> SimpleNamespace:
    class Validations:
        def __init__(self, construct: IConstruct) -> None:
            self._path = construct.node.path

        @classmethod
        def of(cls, construct: IConstruct) -> "Validations":
            return cls(construct)

        def acknowledge(self, *rules: cdk.Acknowledgment) -> None:
            acknowledgements.extend(
                Acknowledgement(rule.id, self._path, rule.reason) for rule in rules
            )

    return SimpleNamespace(
        Aws=cdk.Aws, Stack=cdk.Stack, Acknowledgment=cdk.Acknowledgment, Validations=Validations
    )


def _findings(folder: Path) -> tuple[Finding, ...]:
    report = json.loads((folder / "validation-report.json").read_text(encoding="utf-8"))
    return tuple(
        Finding(
            plugin["pluginName"],
            violation["ruleName"],
            construct["constructPath"],
            violation["description"],
        )
        for plugin in report["pluginReports"]
        for violation in plugin["violations"]
        for construct in violation["violatingConstructs"]
    )
