"""Every right of every role was needed by a run of both flavours, and no call lacked one.

The other modules here run on local clouds that enforce IAM policies and write down each decision
(groundwork.local.rights_record). A right is needed when some call has no other one: with its
statement taken away, that call is denied. What no run here can need has its reason below.
"""

from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.support.used_rights import Grant, Record

# Between them, these come to whatever the roles of both flavours do.
_MODULES = {"test_automated_labeling", "test_ground_truth_flavour", "test_open_flavour"}
_OURS = "Groundwork*"
# Some run may come to one of these by chance.
_CALLED = "tests/synth/test_calls_are_allowed.py shows the call, which is rare: "


@dataclass(frozen=True)
class Excused:
    """Rights that no recorded call needs, by patterns, and why they are needed all the same."""

    role: str
    actions: tuple[str, ...]
    reason: str
    resource: str = "*"

    def covers(self, grant: Grant) -> bool:
        """Tell whether a right is meant."""
        return (
            fnmatchcase(grant.role, self.role)
            and any(fnmatchcase(grant.action, action) for action in self.actions)
            and fnmatchcase(grant.resource, self.resource)
        )


_EXCUSED = (
    Excused(
        _OURS,
        ("logs:CreateLogStream", "logs:PutLogEvents"),
        "Lambda writes a function's log with its role; the emulator writes it by itself",
        "*:log-group:/aws/cloudformation/*",
    ),
    Excused(
        "GroundworkEngine-LoopLoopRole",
        ("lambda:InvokeFunction", "states:*", "logs:*", "xray:*"),
        "The emulator asks no state machine's role: tests/synth/test_rights.py compares this one "
        "with what its definition calls",
    ),
    Excused(
        "Groundwork-*Frameworkwaitersta*",
        ("lambda:InvokeFunction",),
        "The emulator asks no state machine's role; CDK's own machine invokes these two functions",
    ),
    Excused(
        "Groundwork-*Framework*Role*",
        ("lambda:GetFunction",),
        "CDK's framework asks what is up with a handler that it could not invoke",
    ),
    Excused(
        "Groundwork-DatasetUploadRole",
        ("s3:AbortMultipartUpload",),
        "An upload in parts that fails is given up, so that its parts are not paid for",
    ),
    Excused(
        "Groundwork-ExecutionRole",
        ("s3:AbortMultipartUpload",),
        "An upload in parts that fails is given up, so that its parts are not paid for",
    ),
    Excused(
        "Groundwork-ExecutionRole",
        ("s3:ListBucket",),
        "Without it S3 does not tell a missing object from a closed one; the emulator does",
    ),
    Excused(
        "Groundwork-ExecutionRole",
        ("s3:GetBucketLocation", "cloudwatch:PutMetricData", "logs:*"),
        "Ground Truth's own guide asks for it; here the open engine stands in for the service",
    ),
    Excused(
        "Groundwork-*ProviderRole",
        ("lambda:InvokeFunction",),
        "AWS asks for it beside lambda:InvokeFunctionUrl, the emulator does not: "
        "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html",
        "*:function:GroundworkEngine-LabelingApi*",
    ),
    Excused(
        "GroundworkEngine-LabelingApiRole",
        ("iam:SimulatePrincipalPolicy",),
        "Who calls here is a role or the account's root; in accounts people are users, too",
        "*:user/*",
    ),
    Excused(
        "GroundworkEngine-WatchRole",
        ("sqs:SendMessage",),
        "Lambda sends dead letters with the function's role, and no run here has any",
    ),
    Excused(
        "Groundwork-LabelingJobProviderRole",
        ("iam:PassRole",),
        "The service and the open engine ask for it without a call of the role's own",
    ),
    Excused(
        "Groundwork-LabelingJobProviderRole",
        ("sagemaker:*",),
        "No guide says in which spelling the service compares a job's name: it writes ARNs in "
        "lower case, and takes names in both",
        "*:labeling-job/Groundwork-*",
    ),
    Excused(
        "Groundwork-LabelingJobProviderRole",
        ("sagemaker:AddTags", "sagemaker:DeleteTags"),
        _CALLED + "the job's tags change with those of the stack, and are given with the job",
        "*:labeling-job/groundwork-*",
    ),
    Excused(
        "Groundwork-WorkTeamAccessProviderRole",
        ("cognito-idp:AdminGetUser",),
        _CALLED + "an invited address is taken by another user of the pool",
    ),
    Excused(
        "Groundwork-WorkTeamAccessProviderRole",
        ("cognito-idp:SetUserPoolMfaConfig",),
        _CALLED + "AWS loses the second factors of a pool whose invitation is written",
    ),
    Excused(
        "Groundwork-WorkTeamAccessProviderRole",
        ("sns:Unsubscribe",),
        _CALLED + "a worker is taken out of a team that stays",
    ),
    Excused(
        "GroundworkEngine-LoopStepsRole",
        ("states:SendTaskSuccess",),
        _CALLED + "a batch is done, or its job stopped, in the moment in which it is opened",
    ),
    Excused(
        "GroundworkEngine-PortalRole",
        ("dynamodb:ConditionCheckItem",),
        _CALLED + "somebody corrects an answer before its batch is closed",
    ),
    Excused(
        "GroundworkEngine-PortalRole",
        ("cognito-idp:DescribeUserPool",),
        _CALLED + "the sign-in pages are at the pool's domain on AWS, and here at the emulator",
    ),
)


@pytest.fixture(scope="module")
def record(request: pytest.FixtureRequest, rights_records: Path) -> Record:
    """What all modules' clouds have written down."""
    ran = {item.module.__name__.rpartition(".")[2] for item in request.session.items}  # type: ignore[attr-defined]
    if missing := _MODULES - ran:
        pytest.skip(f"without {', '.join(sorted(missing))} nothing is told: make least-privilege")
    return Record.read(rights_records)


def test_no_role_lacks_a_right(record: Record) -> None:
    assert [call for call in record.denied() if fnmatchcase(call.role, _OURS)] == []


def test_every_right_is_needed(record: Record) -> None:
    """Taking any away would deny a recorded call, or there is a reason why none was recorded."""
    unneeded = [grant for grant in record.unneeded() if fnmatchcase(grant.role, _OURS)]
    idle = [each for each in _EXCUSED if not any(each.covers(grant) for grant in unneeded)]

    superfluous = [grant for grant in unneeded if not any(each.covers(grant) for each in _EXCUSED)]
    assert sorted(superfluous) == []
    assert [each for each in idle if not each.reason.startswith(_CALLED)] == []


def test_the_record_has_every_role(record: Record) -> None:
    """A role without a line would have every right unproven."""
    roles = {grant.role for grant in record.grants if fnmatchcase(grant.role, _OURS)}
    callers = {call.role for call in record.calls}

    machines = {role for role in roles if "waitersta" in role or role.endswith("LoopLoopRole")}
    assert len(machines) >= 3
    assert roles - machines <= callers
    assert len(roles) >= 15
