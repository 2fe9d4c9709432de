"""What is deployed to look after a deployment, and that docs/operations.md tells of all of it."""

import json
import re
from typing import Any

import pytest

from groundwork.metrics import ENGINE_NAMESPACE, JOBS_NAMESPACE, WORKTEAM_NAMESPACE
from stacks import outputs
from tests.support.synthesis import PROJECT, Assembly, synthesize
from tests.support.templates import Template, allowed, flatten

DOCUMENT = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
ALARM_SECTIONS = re.findall(r"^### `(\w+)`", DOCUMENT, re.MULTILINE)
OPERATORS = "ops@example.com,boss@example.com"


@pytest.fixture(scope="module")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """Both stacks, with people who are told of alarms and costs."""
    return synthesize(
        tmp_path_factory.mktemp("operated"),
        {
            "engine": "open",
            "worker_emails": "ana@example.com",
            "operator_emails": OPERATORS,
            "monthly_budget_usd": "40",
        },
    )


def alarms(template: Template) -> dict[str, Any]:
    found = [each["Properties"] for each in template.all("AWS::CloudWatch::Alarm").values()]
    names = [flatten(each["AlarmName"]).removeprefix("<AWS::StackName>-") for each in found]
    return dict(zip(names, found, strict=True))


def test_each_alarm_has_a_section_that_says_what_to_do(each_variant: Assembly) -> None:
    """And no section is of an alarm that nobody deploys."""
    deployed = {name for each in each_variant.templates.values() for name in alarms(each)}
    if "GroundworkEngine" in each_variant.templates:
        assert sorted(deployed) == sorted(ALARM_SECTIONS)
    else:
        assert deployed == set()
    for template in each_variant.templates.values():
        for name, alarm in alarms(template).items():
            assert alarm["AlarmDescription"].endswith(f"docs/operations.md, {name}.")
            section = DOCUMENT.partition(f"### `{name}`")[2].partition("\n#")[0]
            assert len(section.split()) > 30, f"{name}: its section says too little"


def test_alarms_cost_no_more_than_what_is_free(each_variant: Assembly) -> None:
    """Each of ten metrics that alarms are on is free; none looks at several."""
    found = [each for t in each_variant.templates.values() for each in alarms(t).values()]

    assert len(found) <= 10
    assert not any("Metrics" in each for each in found)


def test_every_alarm_tells_the_operators(operated: Assembly) -> None:
    engine = operated.engine
    topic = {"Ref": engine.logical_id("AWS::SNS::Topic")}

    assert {json.dumps(each["AlarmActions"]) for each in alarms(engine).values()} == {
        json.dumps([topic])
    }
    told = [each["Properties"] for each in engine.all("AWS::SNS::Subscription").values()]
    assert sorted(each["Endpoint"] for each in told) == sorted(OPERATORS.split(","))
    assert all(each["Protocol"] == "email" and each["TopicArn"] == topic for each in told)


def test_only_alarms_of_this_stack_may_write_to_the_operators(operated: Assembly) -> None:
    policy = flatten(operated.engine.one("AWS::SNS::TopicPolicy")["PolicyDocument"])
    (allow,) = [each for each in policy["Statement"] if each["Effect"] == "Allow"]

    assert allow["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allow["Condition"] == {
        "ArnLike": {
            "aws:SourceArn": "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>"
            ":alarm:<AWS::StackName>-*"
        },
        "StringEquals": {"aws:SourceAccount": "<AWS::AccountId>"},
    }


def test_nobody_is_told_where_nobody_was_named(open_engine: Assembly) -> None:
    assert open_engine.engine.all("AWS::SNS::Subscription") == {}
    assert open_engine.workshop.all("AWS::Budgets::Budget") == {}


def test_operators_are_told_before_and_when_the_budget_is_spent(operated: Assembly) -> None:
    budget = operated.workshop.one("AWS::Budgets::Budget")

    assert budget["Budget"]["BudgetLimit"] == {"Amount": 40, "Unit": "USD"}
    told = [
        (each["Notification"]["NotificationType"], each["Notification"]["Threshold"])
        for each in budget["NotificationsWithSubscribers"]
    ]
    assert told == [("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100)]
    for each in budget["NotificationsWithSubscribers"]:
        assert [one["Address"] for one in each["Subscribers"]] == OPERATORS.split(",")


def test_the_watch_may_look_and_nothing_else(operated: Assembly) -> None:
    engine = operated.engine
    watch = engine.function("The watch")

    assert allowed(engine.rights(watch["Role"])) == {
        "dynamodb:GetItem": {"<.Arn>"},
        "dynamodb:Query": {"<.Arn>"},
        "states:ListExecutions": {"<>"},
        "sqs:SendMessage": {"<.Arn>"},
        "logs:CreateLogStream": {"<.Arn>"},
        "logs:PutLogEvents": {"<.Arn>"},
    }


def test_a_call_of_the_watch_that_comes_to_nothing_is_kept(operated: Assembly) -> None:
    """Whether it never reached the function or failed in it."""
    engine = operated.engine
    queue = {"Fn::GetAtt": [engine.logical_id("AWS::SQS::Queue"), "Arn"]}
    (target,) = engine.one("AWS::Events::Rule")["Targets"]

    assert target["DeadLetterConfig"] == {"Arn": queue}
    assert engine.function("The watch")["DeadLetterConfig"] == {"TargetArn": queue}
    assert engine.one("AWS::SQS::Queue")["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_one_dashboard_shows_jobs_people_portal_steps_and_alarms(operated: Assembly) -> None:
    engine = operated.engine
    body = flatten(engine.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    shown = json.loads(body)["widgets"]

    assert {each["type"] for each in shown} == {"alarm", "metric", "log"}
    (states,) = [each for each in shown if each["type"] == "alarm"]
    assert len(states["properties"]["alarms"]) == len(alarms(engine))
    for name in (
        JOBS_NAMESPACE,
        WORKTEAM_NAMESPACE,
        ENGINE_NAMESPACE,
        "DatasetObjectsHumanAnnotated",
        "DatasetObjectsAutoAnnotated",
        "TasksSubmitted",
        "JobsStuck",
        "Latency",
        "5xx",
        "ExecutionsFailed",
        "Throttles",
        "ApproximateNumberOfMessagesVisible",
        "count_distinct(worker_id)",
    ):
        assert name in body, name
    assert "/cloudwatch/home?" in flatten(engine.outputs[outputs.DASHBOARD_URL]["Value"])


def test_ground_truths_own_metrics_are_shown_on_a_dashboard(ground_truth: Assembly) -> None:
    body = flatten(ground_truth.workshop.one("AWS::CloudWatch::Dashboard")["DashboardBody"])

    assert 'LabelingJobName=\\"<.LabelingJobName>\\"' in body
    assert outputs.DASHBOARD_URL in ground_truth.workshop.outputs


def test_cdks_framework_logs_no_custom_resources_properties(each_variant: Assembly) -> None:
    """It would write down each event, with the workers' addresses."""
    for template in each_variant.templates.values():
        for function in template.all("AWS::Lambda::Function").values():
            if str(function["Properties"].get("Handler", "")).startswith("framework."):
                logging = function["Properties"]["LoggingConfig"]
                assert logging["ApplicationLogLevel"] == "FATAL"
