"""IAM statements with their reasons, and cdk-nag findings acknowledged beside their resource.

`AwsSolutions-IAM5` reports every wildcard. Statements are therefore added here: one with a wildcard
must say why no narrower one will do, and that sentence becomes the acknowledgement.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str, reason: str) -> None:
    """Accept one finding on a construct and all below it, with a reason a reviewer can reject."""
    _accept(construct, [finding], reason)


def acknowledge_wildcards(construct: IConstruct, reason: str, *wildcards: str) -> None:
    """Accept wildcards in the policies below a construct: actions, or resources with tokens."""
    resolved = cdk.Stack.of(construct).resolve(list(wildcards))
    findings = []
    for flat in map(_flatten, resolved):
        kind = "Action" if _is_action(flat) else "Resource"
        findings.append(f"AwsSolutions-IAM5[{kind}::{flat}]")
    _accept(construct, findings, reason)


def allow(
    role: iam.IRole,
    actions: Sequence[str],
    resources: Sequence[str],
    *,
    because: str | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> None:
    """Let a role do something.

    Parameters
    ----------
    because
        Why a wildcard among the actions or resources can't be narrower; required if there is one.
    """
    wildcards = [text for text in (*actions, *resources) if "*" in text]
    if wildcards and because is None:
        raise ValueError(f"{wildcards} needs a reason: name the resource, or say why it can't be")
    role.add_to_principal_policy(
        iam.PolicyStatement(actions=list(actions), resources=list(resources), conditions=conditions)
    )
    if because is not None:
        acknowledge_wildcards(role, because, *wildcards)


def allow_passing(role: iam.IRole, passed: iam.IRole) -> None:
    """Let a role hand another one to SageMaker; the open engine asks for the very same right."""
    service = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    allow(role, ["iam:PassRole"], [passed.role_arn], conditions={"StringEquals": service})


def arn(service: str, resource: str, *, region: str = cdk.Aws.REGION) -> str:
    """Return the ARN of a resource in this account; pass `region=""` for a global service."""
    return f"arn:{cdk.Aws.PARTITION}:{service}:{region}:{cdk.Aws.ACCOUNT_ID}:{resource}"


def service_principal(name: str, *, source: str | None = None) -> iam.ServicePrincipal:
    """Return an AWS service that acts for this account and for nobody else's.

    Parameters
    ----------
    source
        ARN pattern of the resources that it acts for; None where they are not known beforehand.
    """
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    conditions = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
    if source is not None:
        conditions["ArnLike"] = {"aws:SourceArn": source}
    return iam.ServicePrincipal(f"{name}.amazonaws.com", conditions=conditions)


def _accept(construct: IConstruct, findings: Sequence[str], reason: str) -> None:
    rules = [cdk.Acknowledgment(id=finding, reason=reason) for finding in findings]
    cdk.Validations.of(construct).acknowledge(*rules)


def _is_action(text: str) -> bool:
    service, colon, _action = text.partition(":")
    return bool(colon) and service.replace("-", "").isalnum() and service != "arn"


def _flatten(value: Any) -> str:
    """Write a CloudFormation expression the way that cdk-nag names it in a finding."""
    return "".join(_parts(value))


def _parts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.replace("${", "<").replace("}", ">")
    elif "Fn::Sub" in value:
        yield _flatten(value["Fn::Sub"])
    elif "Ref" in value:
        yield f"<{value['Ref']}>"
    elif "Fn::GetAtt" in value:
        yield f"<{'.'.join(value['Fn::GetAtt'])}>"
    elif "Fn::Join" in value:
        delimiter, items = value["Fn::Join"]
        yield delimiter.join(_flatten(item) for item in items)
    else:
        raise ValueError(f"{value!r}: cdk-nag has no short name for this expression")
