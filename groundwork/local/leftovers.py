"""What is still there after a workshop was destroyed, apart from the CDK's own bootstrap stack."""

from collections.abc import Callable, Iterator
from typing import Any

from groundwork.local.cloud import BOOTSTRAP_STACK, LocalCloud

_CDK_BUCKET = "cdk-hnb659fds-"


def leftovers(cloud: LocalCloud) -> list[str]:
    """Name every resource that a destroyed workshop would have left, as `kind name`."""
    found = [
        f"stack {stack.name} ({stack.status})"
        for stack in cloud.stacks()
        if stack.name != BOOTSTRAP_STACK
    ]
    for service, kind, list_names in _KINDS:
        found += [f"{kind} {name}" for name in list_names(cloud.client(service))]
    return found


def _pages(operation: str, items: str, name: str, **arguments: Any) -> Callable[[Any], list[str]]:
    """Make a function that lists one field of all items of a paged operation."""

    def list_names(client: Any) -> list[str]:
        pages = client.get_paginator(operation).paginate(**arguments)
        return [
            item if name == "" else item[name] for page in pages for item in page.get(items, [])
        ]

    return list_names


def _buckets(s3: Any) -> Iterator[str]:
    for bucket in s3.list_buckets()["Buckets"]:
        if not bucket["Name"].startswith(_CDK_BUCKET):
            yield bucket["Name"]


def _running_executions(states: Any) -> Iterator[str]:
    for machine in states.list_state_machines()["stateMachines"]:
        arn = machine["stateMachineArn"]
        for execution in states.list_executions(stateMachineArn=arn, statusFilter="RUNNING")[
            "executions"
        ]:
            yield execution["name"]


_KINDS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("s3", "bucket", _buckets),
    ("cognito-idp", "user pool", _pages("list_user_pools", "UserPools", "Id", MaxResults=60)),
    ("dynamodb", "table", _pages("list_tables", "TableNames", "")),
    ("stepfunctions", "running execution", _running_executions),
    (
        "stepfunctions",
        "state machine",
        _pages("list_state_machines", "stateMachines", "name"),
    ),
    ("lambda", "function", _pages("list_functions", "Functions", "FunctionName")),
    ("lambda", "layer", _pages("list_layers", "Layers", "LayerName")),
    ("logs", "log group", _pages("describe_log_groups", "logGroups", "logGroupName")),
    ("sns", "topic", _pages("list_topics", "Topics", "TopicArn")),
    ("sqs", "queue", lambda sqs: sqs.list_queues().get("QueueUrls", [])),
    ("events", "rule", lambda events: [rule["Name"] for rule in events.list_rules()["Rules"]]),
    ("cloudwatch", "alarm", _pages("describe_alarms", "MetricAlarms", "AlarmName")),
    (
        "cloudwatch",
        "dashboard",
        _pages("list_dashboards", "DashboardEntries", "DashboardName"),
    ),
    ("apigatewayv2", "HTTP API", _pages("get_apis", "Items", "Name")),
    ("kms", "key", lambda kms: [key["KeyId"] for key in kms.list_keys()["Keys"]]),
)
