"""What the open engine's stack deploys."""

import json
from typing import Any

import pytest

from groundwork.jobs.auto_labeling_loop import AUTO_LABELING_STEPS
from groundwork.jobs.loop import STEPS
from groundwork.s3_client import S3UnavailableError
from groundwork.unavailable import UnavailableError
from stacks import outputs
from stacks.constructs.loop_definition import definition
from stacks.layers import LAYERS
from tests.support.synthesis import Assembly
from tests.support.templates import Template, allowed, conditions, flatten

_ROLES = "arn:<AWS::Partition>:iam::<AWS::AccountId>:role/*"
_SHARED_RIGHTS = {
    "dynamodb:GetItem": {"<.Arn>"},
    "dynamodb:PutItem": {"<.Arn>"},
    "dynamodb:Query": {"<.Arn>"},
    "sts:AssumeRole": {_ROLES},
    "states:SendTaskSuccess": {"<>"},
    "logs:CreateLogStream": {"<.Arn>"},
    "logs:PutLogEvents": {"<.Arn>"},
}
_AUTOMATED = "Automated labeling"
_EVERY = ("The SageMaker labeling API", "The steps", "Worker portal", _AUTOMATED)
_POOLS = {"arn:<AWS::Partition>:cognito-idp:<AWS::Region>:<AWS::AccountId>:userpool/*"}


@pytest.fixture
def engine(open_engine: Assembly) -> Template:
    """The engine's template."""
    return open_engine.engine


def _states(engine: Template) -> dict[str, Any]:
    machine = engine.one("AWS::StepFunctions::StateMachine")
    states: dict[str, Any] = json.loads(flatten(machine["DefinitionString"]))["States"]
    return states


def test_the_portals_pages_lie_beside_its_handler(open_engine: Assembly) -> None:
    function = open_engine.engine.function("Worker portal")
    asset = open_engine.folder / f"asset.{function['Code']['S3Key'].removesuffix('.zip')}"

    assert (asset / "handler.py").is_file()
    assert (asset / "pages" / "index.html").is_file()
    assert (asset / "pages" / "assets" / "crowd-html-elements.js").is_file()


def test_state_is_kept_in_one_table_that_costs_nothing_idle(engine: Template) -> None:
    """On demand, recoverable, with the index of tasks that may be taken."""
    table = engine.one("AWS::DynamoDB::Table")

    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["PK", "SK"]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "available"
    assert index["Projection"] == {"ProjectionType": "ALL"}
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["available_pk", "available_sk"]


def test_the_labeling_api_asks_for_a_signature(engine: Template) -> None:
    """Only who has the right for the function's URL gets an answer."""
    url = engine.one("AWS::Lambda::Url")

    assert url["AuthType"] == "AWS_IAM"
    assert "Cors" not in url
    assert set(engine.function("The SageMaker labeling API")["Environment"]["Variables"]) == {
        "TABLE_NAME",
        "STATE_MACHINE_ARN",
        "PORTAL_URL",
    }


def test_the_portal_answers_under_one_throttled_and_logged_address(engine: Template) -> None:
    """Pages and worker API come from one function, which signs people in itself."""
    stage = engine.one("AWS::ApiGatewayV2::Stage")
    logged = json.loads(stage["AccessLogSettings"]["Format"])

    assert stage["StageName"] == "$default"
    assert stage["AutoDeploy"] is True
    assert stage["DefaultRouteSettings"] == {
        "ThrottlingBurstLimit": 400,
        "ThrottlingRateLimit": 200,
    }
    assert not any("query" in value.lower() for value in logged.values())
    assert engine.one("AWS::ApiGatewayV2::Route")["RouteKey"] == "$default"
    assert engine.one("AWS::ApiGatewayV2::Integration")["PayloadFormatVersion"] == "2.0"


def test_every_function_knows_the_table_and_the_portal(engine: Template) -> None:
    """The address exists before the functions that it is told to."""
    api = engine.logical_id("AWS::ApiGatewayV2::Api")
    address = {"Fn::GetAtt": [api, "ApiEndpoint"]}

    for description in _EVERY:
        variables = engine.function(description)["Environment"]["Variables"]
        assert variables["PORTAL_URL"] == address
        assert variables["TABLE_NAME"] == {"Ref": engine.logical_id("AWS::DynamoDB::Table")}


@pytest.mark.parametrize(
    ("description", "more"),
    [
        (
            "The SageMaker labeling API",
            {
                "dynamodb:DeleteItem": {"<.Arn>"},
                "iam:GetRole": {_ROLES},
                "iam:SimulatePrincipalPolicy": {_ROLES, _ROLES.replace("role", "user")},
                "states:StartExecution": {"<>"},
            },
        ),
        (
            "The steps",
            {
                "events:PutEvents": {
                    "arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:event-bus/default"
                },
                "dynamodb:UpdateItem": {"<.Arn>"},
            },
        ),
        (
            "Worker portal",
            {
                "dynamodb:Query": {"<.Arn>", "<.Arn>/index/available"},
                "dynamodb:ConditionCheckItem": {"<.Arn>"},
                "dynamodb:DeleteItem": {"<.Arn>"},
                "dynamodb:UpdateItem": {"<.Arn>"},
                "cognito-idp:AdminGetUser": _POOLS,
                "cognito-idp:AdminListGroupsForUser": _POOLS,
                "cognito-idp:DescribeUserPool": _POOLS,
                "cognito-idp:DescribeUserPoolClient": _POOLS,
            },
        ),
    ],
)
def test_each_function_has_its_own_rights_and_no_others(
    engine: Template, description: str, more: dict[str, set[str]]
) -> None:
    """No function has rights of its own on anybody's bucket."""
    rights = allowed(engine.rights(engine.function(description)["Role"]))

    assert rights == {**_SHARED_RIGHTS, **more}


def test_the_portal_sees_user_pools_that_are_open_to_it(engine: Template) -> None:
    """Of others it must not even read the app clients' secrets."""
    rights = engine.rights(engine.function("Worker portal")["Role"])

    assert conditions(rights, "cognito-idp:DescribeUserPoolClient") == {
        "StringEquals": {"aws:ResourceTag/groundwork": "workforce"}
    }


def test_the_function_that_looks_at_pictures_reads_jobs_and_changes_none(engine: Template) -> None:
    """It has no part in the loop's state; its results are files that the job's role writes."""
    rights = allowed(engine.rights(engine.function(_AUTOMATED)["Role"]))

    assert rights == {
        "dynamodb:GetItem": {"<.Arn>"},
        **{
            action: _SHARED_RIGHTS[action]
            for action in ("sts:AssumeRole", "logs:CreateLogStream", "logs:PutLogEvents")
        },
    }


def test_the_function_that_looks_at_pictures_has_time_memory_and_the_network(
    engine: Template,
) -> None:
    """As much as a new account's function may have; the others stay small."""
    function = engine.function(_AUTOMATED)

    assert (function["MemorySize"], function["Timeout"]) == (3008, 900)
    layers = [engine.body["Resources"][layer["Ref"]] for layer in function["Layers"]]
    assert {layer["Properties"]["Description"] for layer in layers} == {
        "The groundwork library",
        *(layer.description for layer in LAYERS.values()),
    }


def test_no_function_may_become_the_cdks_deployment_roles(engine: Template) -> None:
    """They trust the whole account and may do anything."""
    for description in _EVERY:
        denied = [
            statement
            for statement in engine.rights(engine.function(description)["Role"])
            if statement["Effect"] == "Deny"
        ]
        assert denied == [
            {
                "Action": "sts:AssumeRole",
                "Effect": "Deny",
                "Resource": "arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cdk-*",
            }
        ]


def test_the_loop_is_logged_and_may_call_its_steps_and_itself(engine: Template) -> None:
    """The functions, and executions of the same machine: the next one, and those of shards."""
    machine = engine.one("AWS::StepFunctions::StateMachine")
    rights = allowed(engine.rights(machine["RoleArn"]))

    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert rights["lambda:InvokeFunction"] == {"<.Arn>"}
    assert rights["states:StartExecution"] == {"<>"}
    for action in ("states:DescribeExecution", "states:StopExecution"):
        assert rights[action] == {
            "arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:execution:<.Name>/*"
        }
    assert machine["DefinitionSubstitutions"] == {
        "LabelingSteps": {"Fn::GetAtt": [_function_id(engine, "The steps"), "Arn"]},
        "AutoLabeling": {"Fn::GetAtt": [_function_id(engine, _AUTOMATED), "Arn"]},
    }


def _function_id(engine: Template, description: str) -> str:
    (found,) = (
        logical_id
        for logical_id, function in engine.all("AWS::Lambda::Function").items()
        if function["Properties"]["Description"].startswith(description)
    )
    return found


def test_every_step_is_one_call_whose_answer_is_the_next_ones_input(engine: Template) -> None:
    """Job and iteration go in; job, iteration and outcome come out."""
    steps = {
        name: state["Parameters"]["Payload"]
        for name, state in _states(engine).items()
        if state["Type"] == "Task" and "Payload" in state["Parameters"]
    }

    plain = {"job.$": "$.job", "iteration.$": "$.iteration"}
    assert steps == {
        "Prepare": {"step": "prepare", **plain},
        "SelectBatch": {"step": "select_batch", **plain},
        "WaitForPeople": {"step": "open_batch", **plain, "token.$": "$$.Task.Token"},
        "CheckBatch": {"step": "check_batch", **plain},
        "Consolidate": {"step": "consolidate", **plain},
        "Judge": {"step": "judge", **plain},
        "Publish": {"step": "publish_iteration", **plain},
        "Train": {"step": "train", **plain},
        "Plan": {"step": "plan", **plain},
        "Finish": {"step": "finish", **plain},
        "Fail": {"step": "fail", **plain, "error.$": "$.error"},
        "GiveUp": {"step": "give_up", **plain, "error.$": "$.error"},
    }
    assert all(
        _states(engine)[name].get("OutputPath") == "$.Payload"
        for name in steps
        if name != "WaitForPeople"
    )


def test_a_jobs_own_failure_is_not_tried_again_and_others_are(engine: Template) -> None:
    """What people must correct fails at once; a hiccup of the cloud is slept over."""
    for name, state in _states(engine).items():
        if state["Type"] != "Task":
            continue
        if name == "GiveUp":
            continue
        own, unavailable, others = state["Retry"]
        assert "JobFailedError" in own["ErrorEquals"], name
        assert {UnavailableError.__name__, S3UnavailableError.__name__} == set(
            unavailable["ErrorEquals"]
        )
        assert unavailable["MaxAttempts"] * unavailable["MaxDelaySeconds"] > 3600
        assert own["MaxAttempts"] == 0
        assert others == {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 2,
            "BackoffRate": 2,
            "MaxAttempts": 6,
            "MaxDelaySeconds": 60,
        }
        if name != "Fail":
            assert state["Catch"][-1] == {
                "ErrorEquals": ["States.ALL"],
                "ResultPath": "$.error",
                "Next": "Fail",
            }


def test_a_job_that_cannot_be_failed_in_order_is_failed_all_the_same() -> None:
    """Even when its labels cannot be saved, or the function that does it dies of it each time."""
    states = definition()["States"]
    (caught,) = states["Fail"]["Catch"]
    newer, retry = states["GiveUp"]["Retry"]

    assert caught["ErrorEquals"] == ["States.ALL"]
    assert caught["Next"] == "GiveUp"
    # The reason why the job fails stays what is told.
    assert caught["ResultPath"] != "$.error"
    assert newer == {"ErrorEquals": ["JobFormatError"], "MaxAttempts": 0}
    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["MaxAttempts"] * retry["MaxDelaySeconds"] >= 30 * 24 * 3600


@pytest.mark.parametrize("name", list(definition()["States"]))
def test_each_step_is_a_function_that_knows_it(engine: Template, name: str) -> None:
    """A step that only one of the two functions has is asked of that one."""
    tables = {"${LabelingSteps}": STEPS, "${AutoLabeling}": AUTO_LABELING_STEPS}
    state = definition()["States"][name]
    states = [state, *state.get("ItemProcessor", {}).get("States", {}).values()]
    for parameters in (each["Parameters"] for each in states if each["Type"] == "Task"):
        if "Payload" in parameters:
            assert parameters["Payload"]["step"] in tables[parameters["FunctionName"]]


@pytest.mark.parametrize(("name", "step"), [("Features", "features"), ("Infer", "infer")])
def test_shards_are_worked_on_in_executions_of_their_own(name: str, step: str) -> None:
    """A thousand would not fit into one history; what each answers is not carried on."""
    state = definition()["States"][name]
    run = state["ItemProcessor"]["States"]["Run"]

    assert state["ItemProcessor"]["ProcessorConfig"] == {
        "Mode": "DISTRIBUTED",
        "ExecutionType": "STANDARD",
    }
    assert state["ItemsPath"] == "$.shards"
    assert state["MaxConcurrency"] == 40
    assert state["ResultPath"] is None
    assert run["OutputPath"] is None
    assert run["Parameters"]["Payload"] == {
        "step": step,
        "job.$": "$.job",
        "iteration.$": "$.iteration",
        "shard.$": "$.shard",
    }
    assert state["ItemSelector"] == {
        "job.$": "$.job",
        "iteration.$": "$.iteration",
        "shard.$": "$$.Map.Item.Value",
    }


@pytest.mark.parametrize("name", ["Features", "Infer"])
def test_a_shard_that_fails_leaves_word_of_the_reason_and_fails_the_job(name: str) -> None:
    """Its own failure is final; one for want of free functions stands in line."""
    state = definition()["States"][name]
    shard = state["ItemProcessor"]["States"]
    own, busy, _, others = shard["Run"]["Retry"]

    assert own == {"ErrorEquals": ["JobFailedError"], "MaxAttempts": 0}
    assert busy["ErrorEquals"] == ["Lambda.TooManyRequestsException"]
    assert busy["MaxAttempts"] * busy["MaxDelaySeconds"] == 3600
    assert others["ErrorEquals"] == ["States.ALL"]
    assert shard["Run"]["Catch"] == [
        {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Explain"}
    ]
    assert shard["Explain"]["Parameters"]["Payload"]["error.$"] == "$.error"
    assert shard["Explain"]["Next"] == "Failed"
    assert shard["Failed"]["Type"] == "Fail"
    assert state["Catch"][-1]["Next"] == "Fail"


def test_waiting_for_people_ends_each_hour_to_look_whether_they_are_done() -> None:
    """A lost wake-up costs an hour, never the job."""
    waiting = definition()["States"]["WaitForPeople"]

    assert waiting["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
    assert waiting["TimeoutSeconds"] == 3600
    assert "States.Timeout" in waiting["Retry"][0]["ErrorEquals"]
    assert waiting["Retry"][0]["MaxAttempts"] == 0
    assert waiting["Catch"][0] == {
        "ErrorEquals": ["States.Timeout", "States.HeartbeatTimeout"],
        "ResultPath": None,
        "Next": "CheckBatch",
    }


@pytest.mark.parametrize(
    ("state", "value", "next_state"),
    [
        ("Selected", "people", "WaitForPeople"),
        ("Selected", "no_people", "Consolidate"),
        ("Selected", "finished", "Finish"),
        ("Checked", "open", "WaitForPeople"),
        ("Prepared", "prepared", "SelectBatch"),
        ("Prepared", "automated", "Features"),
        ("Consolidated", "consolidated", "Publish"),
        ("Consolidated", "automated", "Judge"),
        ("Published", "learn", "Train"),
        ("Trained", "infer", "Infer"),
        ("Trained", "plan", "Plan"),
        ("Planned", "continue", "SelectBatch"),
        ("Planned", "hand_over", "HandOver"),
        ("Published", "continue", "SelectBatch"),
        ("Published", "hand_over", "HandOver"),
        ("Published", "finished", "Finish"),
    ],
)
def test_outcomes_lead_on(state: str, value: str, next_state: str) -> None:
    """The function decides, the machine follows."""
    choices = definition()["States"][state]["Choices"]

    assert [each["Next"] for each in choices if each["StringEquals"] == value] == [next_state]


def test_a_continued_loop_skips_the_preparation() -> None:
    """A hand-over starts at the next batch, under a name of its own."""
    states = definition()["States"]

    assert states["Continued"]["Default"] == "SelectBatch"
    assert states["Continued"]["Choices"] == [
        {"Variable": "$.iteration", "NumericEquals": 0, "Next": "Prepare"}
    ]
    assert states["HandOver"]["Parameters"] == {
        "StateMachineArn.$": "$$.StateMachine.Id",
        "Name.$": "States.Format('{}_{}', $.job, $.iteration)",
        "Input": {"job.$": "$.job", "iteration.$": "$.iteration"},
    }


def test_an_outcome_that_nobody_foresaw_fails_the_job() -> None:
    """Without a default the execution would break off, and the job stay as it is for ever."""
    states = definition()["States"]

    assert all("Default" in state for state in states.values() if state["Type"] == "Choice")
    assert states["Unforeseen"]["ResultPath"] == "$.error"
    assert states["Unforeseen"]["Next"] == "Fail"


def test_every_state_is_reached_and_leads_somewhere() -> None:
    """No dead end but the two ends, and no state that nothing names."""
    machine = definition()
    named = {machine["StartAt"]}
    for state in machine["States"].values():
        named |= {state.get("Next"), state.get("Default")}
        named |= {each["Next"] for each in [*state.get("Choices", []), *state.get("Catch", [])]}

    assert named - {None} == set(machine["States"])


def test_the_engine_deploys_without_a_workshop(open_engine: Assembly) -> None:
    """`cdk deploy GroundworkEngine --exclusively` imports nothing."""
    assert "Fn::ImportValue" not in json.dumps(open_engine.engine.body)
    manifest = json.loads((open_engine.folder / "manifest.json").read_text(encoding="utf-8"))
    assert not [
        dependency
        for dependency in manifest["artifacts"]["GroundworkEngine"]["dependencies"]
        if not dependency.endswith(".assets")
    ]


def test_outputs_tell_where_the_engine_answers(engine: Template) -> None:
    """Exports for the workshop beside those that people and tools read."""
    own = {name for name in engine.outputs if not name.startswith("ExportsOutput")}

    assert own == {
        outputs.PORTAL_URL,
        outputs.LABELING_API_URL,
        outputs.LABELING_API_FUNCTION_NAME,
        outputs.TABLE_NAME,
        outputs.ENGINE_ROLE_ARNS,
        outputs.DASHBOARD_URL,
        outputs.WATCH_FUNCTION_NAME,
        outputs.STATE_MACHINE_ARN,
    }


def test_the_roles_that_jobs_have_to_trust_are_all_that_may_take_them(engine: Template) -> None:
    """Whoever brings an own role copies the list into its trust policy."""
    roles = {
        json.dumps(resource["Properties"]["Role"])
        for resource in engine.body["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
        and "sts:AssumeRole" in allowed(engine.rights(resource["Properties"]["Role"]))
    }
    _, parts = engine.outputs[outputs.ENGINE_ROLE_ARNS]["Value"]["Fn::Join"]

    assert len(roles) == 4
    assert {json.dumps(part) for part in parts if part != ","} == roles
