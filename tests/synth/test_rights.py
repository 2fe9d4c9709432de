"""Who may do what, read from every template: what the emulator does not enforce is proven here.

That each right is needed is proven by a real run, in ``tests/e2e/test_rights_used.py``.
"""

import json
from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

import pytest

from stacks.constructs.loop_definition import definition
from tests.support.policies import Kind, Statement, statements
from tests.support.synthesis import Assembly
from tests.support.templates import Template, allowed, flatten
from tests.synth.conftest import VARIANTS

_HERE = "<AWS::Region>:<AWS::AccountId>"

# Every resource with a wildcard that some role may use, and why no narrower one will do.
WILDCARDS = MappingProxyType(
    {
        "<.Arn>/images/*": "The customer names the images",
        "<.Arn>/input/*": "CDK's upload function writes whatever files its archive has",
        "<.Arn>/output/*": "Jobs and their objects name the results",
        "<.Arn>/*": "The notebook works with all of the workshop's own bucket",
        "arn:<AWS::Partition>:s3:::photos/*": "The customer's manifest names the images",
        "arn:<AWS::Partition>:s3:::more-photos/*": "The customer's manifest names the images",
        "<.Arn>:*": "CDK's waiting machine invokes every version of its own functions",
        f"arn:<AWS::Partition>:states:{_HERE}:execution:<.Name>/*": (
            "Step Functions names the execution of each shard of a job"
        ),
        "arn:<AWS::Partition>:iam::<AWS::AccountId>:role/*": (
            "A job brings its role, whose own trust policy decides; and a caller may have any"
        ),
        "arn:<AWS::Partition>:iam::<AWS::AccountId>:user/*": "Any user may be who calls the API",
        f"arn:<AWS::Partition>:cognito-idp:{_HERE}:userpool/*": (
            "CreateWorkforce names the pool; only pools with the engine's tag are meant"
        ),
        f"arn:<AWS::Partition>:logs:{_HERE}:log-group:/aws/sagemaker/*": (
            "Ground Truth names its log groups below this path"
        ),
        **{
            f"arn:<AWS::Partition>:sagemaker:{_HERE}:labeling-job/{prefix}-*": (
                "Each deployment ends the name of its job with another hash"
            )
            for prefix in ("Groundwork", "groundwork")
        },
        **{
            f"arn:<AWS::Partition>:sagemaker:{_HERE}:{kind}/*": "Ground Truth names what it trains"
            for kind in ("training-job", "transform-job", "model")
        },
        **{
            f"arn:<AWS::Partition>:sagemaker:{_HERE}:{kind}/<.DomainId>/*": (
                "Users of this one Studio domain name its apps and spaces"
            )
            for kind in ("app", "space", "user-profile")
        },
    }
)

# Every action that some role may do to whatever there is, for IAM knows no resource for it:
# https://docs.aws.amazon.com/service-authorization/latest/reference/
WITHOUT_RESOURCE = frozenset(
    {
        "cloudwatch:PutMetricData",
        "sagemaker:ListApps",
        "sagemaker:ListDomains",
        "sagemaker:ListLabelingJobs",
        "sagemaker:ListSpaces",
        "sagemaker:ListUserProfiles",
        "sagemaker:ListWorkforces",
        "sns:Unsubscribe",
        # A state machine's log delivery and tracing:
        # https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html#cloudwatch-iam-policy
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
)

# Actions with a wildcard.
WILD_ACTIONS = MappingProxyType(
    {
        "kms:ReEncrypt*": "Ground Truth's guide asks for both variants, on the one key",
        "kms:GenerateDataKey*": "Ground Truth's guide asks for both variants, on the one key",
        "s3:GetBucket*": "CDK's emptying function, on the bucket that it empties",
        "s3:List*": "CDK's emptying function, on the bucket that it empties",
        "s3:DeleteObject*": "CDK's emptying function, on the bucket that it empties",
    }
)

# Services that may take a role on whosesoever behalf, and why that cannot be limited.
UNLIMITED_SERVICES = MappingProxyType(
    {
        "lambda.amazonaws.com": (
            "Lambda's guide names no condition key that it would send when it takes a function's "
            "role, and nobody can pass a role to a function of another account: "
            "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"
        ),
    }
)


def _all(assembly: Assembly) -> Iterator[Statement]:
    for template in assembly.templates.values():
        yield from statements(template)


@pytest.fixture(scope="module")
def every_statement(synthesized: Callable[[str], Assembly]) -> list[Statement]:
    """The statements of all variants."""
    return [each for variant in VARIANTS for each in _all(synthesized(variant))]


def test_the_wildcards_are_these(every_statement: list[Statement]) -> None:
    """No more than have a reason, and no reason that excuses nothing."""
    rights = [each for each in every_statement if each.allows and each.kind is Kind.IDENTITY]
    wild = {resource for each in rights for resource in each.resources if "*" in resource}
    anywhere = {action for each in rights if "*" in each.resources for action in each.actions}
    actions = {
        action
        for each in every_statement
        if each.allows
        for action in each.actions
        if "*" in action
    }

    assert wild - {"*"} == set(WILDCARDS)
    assert anywhere == WITHOUT_RESOURCE
    assert actions == set(WILD_ACTIONS)


def test_services_act_for_this_account_only(every_statement: list[Statement]) -> None:
    """In every role's trust and every resource's policy, or with a reason why it cannot be."""
    unlimited = {
        service
        for each in every_statement
        if each.allows and not each.condition_keys & {"aws:SourceAccount", "aws:SourceArn"}
        for service in each.services
    }

    assert unlimited == set(UNLIMITED_SERVICES)
    # A function's own policy is another matter: whoever invokes it names what for.
    for each in every_statement:
        if each.kind is Kind.RESOURCE and each.services:
            assert each.condition_keys, each


def test_nobody_else_is_let_in(every_statement: list[Statement]) -> None:
    """Principals are single roles of the stacks and limited services: no account, no everybody."""
    for each in every_statement:
        if each.kind is Kind.IDENTITY or not each.allows:
            continue
        principal = each.body["Principal"]
        assert isinstance(principal, dict), each
        assert set(principal) <= {"AWS", "Service"}, each
        named = principal.get("AWS", [])
        for role in named if isinstance(named, list) else [named]:
            # A role of the same stack or an export of the engine's.
            assert flatten(role) in {"<.Arn>", "<imported>"}, each


def test_state_machines_roles_are_taken_for_state_machines_only(each_variant: Assembly) -> None:
    trusts = [
        each
        for each in _all(each_variant)
        if each.kind is Kind.TRUST and "states.amazonaws.com" in each.services
    ]

    assert trusts
    for each in trusts:
        assert flatten(each.body["Condition"]) == {
            "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
            "ArnLike": {"aws:SourceArn": f"arn:<AWS::Partition>:states:{_HERE}:stateMachine:*"},
        }


def test_roles_are_passed_one_by_one_and_to_sagemaker(every_statement: list[Statement]) -> None:
    """The emulator does not check `iam:PassRole`."""
    passing = [each for each in every_statement if "iam:PassRole" in each.actions]

    assert passing
    for each in passing:
        assert each.actions == ["iam:PassRole"]
        assert each.resources == ["<.Arn>"]
        assert each.body["Condition"] == {
            "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
        }


def test_no_role_of_the_engine_reaches_a_bucket_or_key(open_engine: Assembly) -> None:
    """It reads and writes the customer's data by the job's role alone."""
    rights = [each for each in statements(open_engine.engine) if each.kind is Kind.IDENTITY]
    actions = {action for each in rights for action in each.actions}
    services = {action.partition(":")[0] for action in actions}

    assert not services & {"s3", "kms", "s3-object-lambda"}
    assert "sts" in services
    # Of IAM it only asks questions.
    about = {action for action in actions if action.startswith("iam:")}
    assert about == {"iam:GetRole", "iam:SimulatePrincipalPolicy"}
    assert not open_engine.engine.all("AWS::S3::Bucket")
    # Nor does a bucket of the workshop's let the engine in.
    for name in ("AWS::S3::BucketPolicy", "AWS::KMS::Key"):
        for resource in open_engine.workshop.all(name).values():
            assert "ImportValue" not in json.dumps(resource)


def test_the_loops_role_may_do_what_its_definition_does(open_engine: Assembly) -> None:
    """Each call of the definition is allowed and nothing else: the emulator does not enforce it."""
    machine_id = open_engine.engine.logical_id("AWS::StepFunctions::StateMachine")
    machine = open_engine.engine.one("AWS::StepFunctions::StateMachine")
    rights = allowed(_rights_with_ids(open_engine.engine, machine["RoleArn"]["Fn::GetAtt"][0]))
    for action in WITHOUT_RESOURCE:
        if action.startswith(("logs:", "xray:")):
            assert rights.pop(action) == {'"*"'}

    assert rights == _calls_of(machine_id, machine["DefinitionSubstitutions"])


def _rights_with_ids(template: Template, role_id: str) -> list[dict[str, Any]]:
    """A role's statements with each resource as JSON, so that generated ids count, too."""
    found = []
    for each in statements(template):
        if each.kind is Kind.IDENTITY and each.owner == role_id:
            resources = each.body["Resource"]
            listed = resources if isinstance(resources, list) else [resources]
            found.append({**each.body, "Resource": [json.dumps(item) for item in listed]})
    return found


def _calls_of(machine_id: str, functions: dict[str, Any]) -> dict[str, set[str]]:
    itself = json.dumps({"Ref": machine_id})
    here = (":states:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":execution:")
    name = {"Fn::GetAtt": [machine_id, "Name"]}
    executions = ["arn:", {"Ref": "AWS::Partition"}, *here, name, "/*"]
    called: dict[str, set[str]] = {}
    for state in _states(definition()):
        if state.get("Resource", "").startswith("arn:aws:states:::lambda:invoke"):
            function = functions[state["Parameters"]["FunctionName"].strip("${}")]
            called.setdefault("lambda:InvokeFunction", set()).add(json.dumps(function))
        elif state.get("Resource") == "arn:aws:states:::states:startExecution":
            called["states:StartExecution"] = {itself}
        else:
            assert state["Type"] != "Task", state
        if state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            # https://docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html
            called["states:StartExecution"] = {itself}
            for verb in ("Describe", "Stop"):
                called[f"states:{verb}Execution"] = {json.dumps({"Fn::Join": ["", executions]})}
    return called


def _states(machine: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in machine["States"].values():
        yield state
        if "ItemProcessor" in state:
            yield from _states(state["ItemProcessor"])
