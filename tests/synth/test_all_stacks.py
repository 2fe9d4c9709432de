"""What holds for every template of every variant."""

import json
import re
from collections.abc import Iterator
from typing import Any

from stacks.layers import LAYERS
from tests.support.synthesis import Assembly
from tests.support.templates import Template, allowed

# CloudFormation keeps what is in these at removal unless told otherwise.
_STATEFUL = (
    "AWS::S3::Bucket",
    "AWS::DynamoDB::Table",
    "AWS::Cognito::UserPool",
    "AWS::Logs::LogGroup",
)


def _templates(assembly: Assembly) -> Iterator[Template]:
    yield from assembly.templates.values()


def test_nothing_outlives_its_stack(each_variant: Assembly) -> None:
    """`cdk destroy` leaves an account as it was."""
    for template in _templates(each_variant):
        for logical_id, resource in template.body["Resources"].items():
            assert resource.get("DeletionPolicy", "Delete") == "Delete", logical_id
            if resource["Type"] in _STATEFUL:
                assert resource["DeletionPolicy"] == "Delete", logical_id


def test_every_bucket_is_emptied_before_it_goes(each_variant: Assembly) -> None:
    """Versions included, by CDK's own function."""
    for template in _templates(each_variant):
        emptied = {
            resource["Properties"]["BucketName"]["Ref"]
            for resource in template.all("Custom::S3AutoDeleteObjects").values()
        }
        assert emptied == set(template.all("AWS::S3::Bucket"))


def test_every_function_logs_to_a_group_of_the_stack(each_variant: Assembly) -> None:
    """A group that a function makes by itself stays behind for ever."""
    for template in _templates(each_variant):
        groups = template.all("AWS::Logs::LogGroup")
        for logical_id, function in template.all("AWS::Lambda::Function").items():
            logging = function["Properties"].get("LoggingConfig", {})
            assert logging.get("LogGroup", {}).get("Ref") in groups, logical_id


def test_no_function_may_make_log_groups(each_variant: Assembly) -> None:
    """A line written after the stack's removal must not bring its group back."""
    for template in _templates(each_variant):
        for logical_id, function in template.all("AWS::Lambda::Function").items():
            role = template.body["Resources"][function["Properties"]["Role"]["Fn::GetAtt"][0]]
            rights = allowed(template.rights(function["Properties"]["Role"]))
            assert "logs:CreateLogGroup" not in rights, logical_id
            assert not role["Properties"].get("ManagedPolicyArns"), logical_id


def test_our_functions_run_the_python_that_the_layers_are_made_for(each_variant: Assembly) -> None:
    """Python 3.13 on arm64, with the library and its packages as layers."""
    for template in _templates(each_variant):
        for function in template.all("AWS::Lambda::Function").values():
            properties = function["Properties"]
            if str(properties.get("Handler", "")).startswith("handler."):
                assert properties["Runtime"] == "python3.13"
                assert properties["Architectures"] == ["arm64"]
                looks_at_pictures = str(properties["Description"]).startswith("Automated labeling")
                assert len(properties["Layers"]) == (4 if looks_at_pictures else 2)


def test_templates_fit_any_account_and_region(each_variant: Assembly) -> None:
    """No look-ups, no account of the machine that synthesized."""
    manifest = json.loads((each_variant.folder / "manifest.json").read_text(encoding="utf-8"))

    assert not manifest.get("missing")
    for template in _templates(each_variant):
        text = json.dumps(template.body)
        assert "unknown-account" not in text
        assert "000000000000" not in text


def test_no_statement_allows_every_action(each_variant: Assembly) -> None:
    """Wildcards stand in for objects and names, never for a service's every action."""
    for template in _templates(each_variant):
        for role in template.all("AWS::IAM::Role"):
            for action in allowed(template.rights({"Ref": role})):
                assert not re.fullmatch(r"[\w-]+:\*|\*", action), (role, action)


def test_packages_are_assembled_when_the_cli_publishes(each_variant: Assembly) -> None:
    """Synthesis only says how: it installs nothing and needs no network."""
    for name in each_variant.templates:
        assets: dict[str, Any] = json.loads(
            (each_variant.folder / f"{name}.assets.json").read_text(encoding="utf-8")
        )["files"]
        commands = [
            each["source"]["executable"]
            for each in assets.values()
            if "executable" in each["source"]
        ]
        for python, script, _ in commands:
            assert python.endswith(("python", "python3", "python3.11", "python.exe"))
            assert script.endswith("stacks/layers.py")
        is_engine = name == "GroundworkEngine"
        assert {layer for *_, layer in commands} == (set(LAYERS) if is_engine else {"packages"})
