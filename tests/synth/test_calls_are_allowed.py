"""Each function's role allows what its code can come to call, and nothing that it cannot.

The code is read, not run, so that what only an error or a rare setting leads to counts, too. What
an end-to-end run calls is compared with the roles' rights by ``tests/e2e/test_rights_used.py``.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from types import MappingProxyType

import pytest
from botocore import xform_name
from botocore.loaders import Loader

from groundwork.role_client import SESSION_ACTIONS
from tests.support.reachable import calls
from tests.support.synthesis import PROJECT, Assembly
from tests.support.templates import allowed
from tests.synth.conftest import VARIANTS

_SERVICES = (
    "cognito-idp",
    "dynamodb",
    "events",
    "iam",
    "lambda",
    "s3",
    "sagemaker",
    "sns",
    "stepfunctions",
    "sts",
)

# The functions by their descriptions, with their folders and what Lambda calls there.
_FUNCTIONS = MappingProxyType(
    {
        "The SageMaker labeling API": ("labeling_api", ("handler",)),
        "The steps": ("labeling_steps", ("handler",)),
        "Automated labeling": ("auto_labeling", ("handler",)),
        "Worker portal": ("portal", ("handler",)),
        "Starts and stops": ("labeling_job", ("on_event", "is_complete")),
        "Workforce and work team": ("workforce", ("on_event", "is_complete")),
        "Sign-in addresses": ("worker_access", ("on_event", "is_complete")),
    }
)
_ENGINE = tuple(_FUNCTIONS)[:4]

# A transaction needs the rights of its parts, which the stores make with these.
_WRITES = MappingProxyType(
    {
        "Put": "dynamodb:PutItem",
        "Delete": "dynamodb:DeleteItem",
        "Add": "dynamodb:UpdateItem",
        "Exchange": "dynamodb:UpdateItem",
        "Discard": "dynamodb:UpdateItem",
        "Check": "dynamodb:ConditionCheckItem",
    }
)
# Where the action's name is not the operation's.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
_OTHER_NAMES: Mapping[str, str | None] = MappingProxyType(
    {
        "transact_write_items": None,
        "head_object": "s3:GetObject",
        "head_bucket": "s3:ListBucket",
        "list_objects_v2": "s3:ListBucket",
        "get_bucket_cors": "s3:GetBucketCORS",
        "create_multipart_upload": "s3:PutObject",
        "upload_part": "s3:PutObject",
        "complete_multipart_upload": "s3:PutObject",
        "invoke": "lambda:InvokeFunction",
    }
)

# What has the name of something that is called, and why the function never calls it.
_NEVER_CALLED: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("labeling_steps", "Check"): "Only the portal saves a task while its batch is open",
        (
            "labeling_steps",
            "Delete",
        ): "The registry's functions are all named decide; steps read it",
        ("labeling_steps", "start_execution"): "LoopClient.start: only the API knows the machine",
        ("portal", "start_execution"): "LoopClient.start: only the API knows the machine",
        ("auto_labeling", "start_execution"): "LoopClient.start: only the API knows the machine",
        ("auto_labeling", "put_item"): "Table.put has the name of S3Client.put",
        ("auto_labeling", "Put"): "Table.put has the name of S3Client.put",
        ("auto_labeling", "Delete"): "The registry's functions are all named decide",
        ("auto_labeling", "query"): "Table.query is called by the registry, which it never reads",
    }
)

# Rights that no call of the function's own shows.
_WITHOUT_A_CALL = MappingProxyType(
    {
        "logs:CreateLogStream": "Lambda writes the function's log with its role",
        "logs:PutLogEvents": "Lambda writes the function's log with its role",
        "iam:PassRole": "CreateLabelingJob asks for it on the job's role",
        "kms:Decrypt": "S3 asks for it on an encrypted object",
        "kms:GenerateDataKey": "S3 asks for it on an encrypted object",
        "lambda:InvokeFunctionUrl": "The labeling API of the open engine is a function URL",
        "lambda:InvokeFunction": "The labeling API of the open engine is a function URL",
        "s3:ListBucket": "Without it S3 does not tell a missing object from a closed one",
    }
)
# What the engine does with the job's role, which brings these rights, and never with its own.
_WITH_THE_JOBS_ROLE = ("s3:", "lambda:")
# A customer's own function, which the built-in tasks of a workshop have no use for.
_OF_OTHER_JOBS = "lambda:InvokeFunction"
# A work team's topic lets the engine publish; its role does not.
_BY_THE_TOPIC = "sns:Publish"


@cache
def _actions_of_operations() -> Mapping[str, str]:
    """Every operation of the services, as boto3 and as IAM name it."""
    found: dict[str, str] = {}
    for service in _SERVICES:
        model = Loader().load_service_model(service, "service-2")
        prefix = {"stepfunctions": "states"}.get(service, service)
        for operation in model["operations"]:
            found.setdefault(xform_name(operation), f"{prefix}:{operation}")
    return found


def _called(description: str) -> set[str]:
    """The actions that a function's calls need."""
    folder, entries = _FUNCTIONS[description]
    operations = _actions_of_operations()
    found: set[str] = set()
    for name in calls(PROJECT / "lambdas" / folder / "handler.py", entries):
        if (folder, name) in _NEVER_CALLED:
            continue
        if name in _WRITES:
            found.add(_WRITES[name])
        elif name in operations:
            action = _OTHER_NAMES.get(name, operations[name])
            if action is not None:
                found.add(action)
    return found


Rights = Callable[[str, Iterable[str]], set[str]]


@pytest.fixture(scope="module")
def rights(synthesized: Callable[[str], Assembly]) -> Rights:
    """The actions that a function's role allows in any of some variants."""

    def of(description: str, variants: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for variant in variants:
            for template in synthesized(variant).templates.values():
                try:
                    function = template.function(description)
                except LookupError:
                    continue
                found |= set(allowed(template.rights(function["Role"])))
        return found - set(_WITHOUT_A_CALL)

    return of


@pytest.mark.parametrize("description", _ENGINE)
def test_a_function_of_the_engine_may_do_what_it_calls(rights: Rights, description: str) -> None:
    """What it does with the job's role is that role's matter."""
    called = {
        action for action in _called(description) if not action.startswith(_WITH_THE_JOBS_ROLE)
    }

    assert called - {_BY_THE_TOPIC} == rights(description, ["open"])


def test_the_engine_tells_a_team_by_the_rights_of_the_teams_topic(open_engine: Assembly) -> None:
    assert [each for each in _ENGINE if _BY_THE_TOPIC in _called(each)] == ["The steps"]
    policy = open_engine.workshop.one("AWS::SNS::TopicPolicy")["PolicyDocument"]
    role = open_engine.engine.function("The steps")["Role"]["Fn::GetAtt"][0]
    (let,) = (each for each in policy["Statement"] if each["Effect"] == "Allow")

    assert let["Action"] == _BY_THE_TOPIC
    assert f"FnGetAtt{role}Arn" in let["Principal"]["AWS"]["Fn::ImportValue"]


def test_the_jobs_role_may_do_what_the_engine_does_with_it(
    synthesized: Callable[[str], Assembly],
) -> None:
    called = {
        action
        for description in _ENGINE
        for action in _called(description)
        if action.startswith(_WITH_THE_JOBS_ROLE)
    }
    # What a role may do beyond it stays with the role.
    assert called | {"s3:ListBucket", "kms:Decrypt", "kms:GenerateDataKey"} == set(SESSION_ACTIONS)
    for variant in ("open", "open-adopt"):
        template = synthesized(variant).workshop
        role = template.one("Custom::LabelingJob")["RoleArn"]
        assert called - {_OF_OTHER_JOBS} == set(allowed(template.rights(role))) - set(
            _WITHOUT_A_CALL
        )


def test_the_functions_that_make_a_workshop_may_do_what_they_call(rights: Rights) -> None:
    """By SageMaker's actions in Ground Truth; the open engine's API has a right of its own."""
    for description in ("Starts and stops", "Sign-in addresses"):
        called = _called(description) - set(_WITHOUT_A_CALL)
        assert called == rights(description, VARIANTS), description
        of_aws = {action for action in called if not action.startswith("sagemaker:")}
        assert of_aws == rights(description, ["open"]), description


def test_the_function_that_adopts_a_workforce_may_look_for_one(rights: Rights) -> None:
    """What else it calls makes workforce and team, in the open engine only."""
    description = "Workforce and work team"

    assert rights(description, ["adopt"]) == {"sagemaker:ListWorkforces"}
    assert rights(description, ["open", "open-adopt"]) == set()
    assert {each.partition(":")[0] for each in _called(description)} - {"lambda"} == {"sagemaker"}


def test_no_reason_excuses_nothing() -> None:
    """An exception that has become idle would hide a call one day."""
    for folder, name in _NEVER_CALLED:
        entries = next(entries for each, entries in _FUNCTIONS.values() if each == folder)
        assert name in calls(PROJECT / "lambdas" / folder / "handler.py", entries), (folder, name)
