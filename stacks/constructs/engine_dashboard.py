"""The engine's dashboard: jobs, people, portal, steps and alarms on one page."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from groundwork.metrics import (
    ENGINE_NAMESPACE,
    JOB_DIMENSION,
    JOBS_NAMESPACE,
    TEAM_DIMENSION,
    WORKTEAM_NAMESPACE,
)
from stacks.constructs.functions import PythonFunction
from stacks.constructs.job_dashboard import dashboard_url

_MINUTES = 5
# The dashboard's grid has 24 columns.
_THIRD, _HALF, _WHOLE = 8, 12, 24
_JOB = f"{{{JOBS_NAMESPACE},{JOB_DIMENSION}}}"
_TEAM = f"{{{WORKTEAM_NAMESPACE},{TEAM_DIMENSION},{JOB_DIMENSION}}}"


class EngineDashboard(Construct):
    """One dashboard for all jobs of an engine, and its address."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: Mapping[str, PythonFunction],
        portal: apigatewayv2.HttpApi,
        loop: stepfunctions.StateMachine,
        dead_letters: sqs.Queue,
        alarms: Sequence[cloudwatch.Alarm],
    ) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(self, "Page", default_interval=cdk.Duration.days(1))
        dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(
                title="Alarms (docs/operations.md says what to do)",
                alarms=list(alarms),
                width=_WHOLE,
                height=3,
            )
        )
        dashboard.add_widgets(*_jobs())
        dashboard.add_widgets(*_people(functions["Portal"]))
        dashboard.add_widgets(*_portal(portal))
        dashboard.add_widgets(*_steps(functions, loop, dead_letters))
        dashboard.add_widgets(_recent_errors(functions))
        self.url = dashboard_url(dashboard)


def _search(
    title: str, place: str, statistic: str, *names: str, width: int = _THIRD
) -> cloudwatch.GraphWidget:
    """Show metrics of all jobs that there are, which no template knows."""
    return cloudwatch.GraphWidget(
        title=title,
        left=[
            cloudwatch.MathExpression(
                expression=(
                    f"SEARCH('{place} MetricName=\"{name}\"', '{statistic}', {_MINUTES * 60})"
                ),
                label=name if len(names) > 1 else "",
                using_metrics={},
            )
            for name in names
        ],
        width=width,
    )


def _jobs() -> list[cloudwatch.IWidget]:
    ends = [
        cloudwatch.Metric(
            namespace=JOBS_NAMESPACE,
            metric_name=name,
            statistic="Sum",
            period=cdk.Duration.minutes(_MINUTES),
        )
        for name in ("JobsSucceeded", "JobsFailed", "JobsStopped")
    ]
    watched = [
        cloudwatch.Metric(
            namespace=ENGINE_NAMESPACE,
            metric_name=name,
            statistic="Maximum",
            period=cdk.Duration.minutes(15),
        )
        for name in ("JobsOpen", "JobsStuck")
    ]
    return [
        _search(
            "Labels by people and by machine",
            _JOB,
            "Maximum",
            "DatasetObjectsHumanAnnotated",
            "DatasetObjectsAutoAnnotated",
        ),
        _search("Objects that failed", _JOB, "Maximum", "DatasetObjectsLabelingFailed"),
        cloudwatch.GraphWidget(title="Jobs", left=ends, right=watched, width=_THIRD),
    ]


def _people(portal: PythonFunction) -> list[cloudwatch.IWidget]:
    return [
        _search(
            "Workers' tasks",
            _TEAM,
            "Sum",
            "TasksAccepted",
            "TasksSubmitted",
            "TasksReturned",
            "TasksDeclined",
        ),
        _search("Seconds for one task", _TEAM, "Average", "TimeSpent"),
        cloudwatch.LogQueryWidget(
            title="Active workers",
            log_group_names=[portal.log_group.log_group_name],
            query_lines=[
                "filter event = 'TasksSubmitted'",
                "stats count_distinct(worker_id) as ActiveWorkers, count(*) as answers by bin(1h)",
            ],
            view=cloudwatch.LogQueryVisualizationType.LINE,
            width=_THIRD,
        ),
    ]


def _portal(portal: apigatewayv2.HttpApi) -> list[cloudwatch.IWidget]:
    period = cdk.Duration.minutes(_MINUTES)
    return [
        cloudwatch.GraphWidget(
            title="Portal: milliseconds for a request",
            left=[portal.metric_latency(statistic=each, period=period) for each in ("p50", "p95")],
            width=_HALF,
        ),
        cloudwatch.GraphWidget(
            title="Portal: requests and refused ones",
            left=[portal.metric_count(period=period)],
            right=[
                portal.metric_client_error(period=period),
                portal.metric_server_error(period=period),
            ],
            width=_HALF,
        ),
    ]


def _steps(
    functions: Mapping[str, PythonFunction],
    loop: stepfunctions.StateMachine,
    dead_letters: sqs.Queue,
) -> list[cloudwatch.IWidget]:
    period = cdk.Duration.minutes(_MINUTES)
    return [
        cloudwatch.GraphWidget(
            title="Functions: errors and throttles",
            left=[
                each.function.metric_errors(period=period, label=f"{name} errors")
                for name, each in functions.items()
            ],
            right=[
                each.function.metric_throttles(period=period, label=f"{name} throttles")
                for name, each in functions.items()
            ],
            width=_THIRD,
        ),
        cloudwatch.GraphWidget(
            title="Loop: executions",
            left=[
                loop.metric_started(period=period),
                loop.metric_failed(period=period),
                loop.metric_aborted(period=period),
                loop.metric_timed_out(period=period),
            ],
            width=_THIRD,
        ),
        cloudwatch.GraphWidget(
            title="Dead letters",
            left=[dead_letters.metric_approximate_number_of_messages_visible(period=period)],
            width=_THIRD,
        ),
    ]


def _recent_errors(functions: Mapping[str, PythonFunction]) -> cloudwatch.IWidget:
    return cloudwatch.LogQueryWidget(
        title="Latest errors",
        log_group_names=[each.log_group.log_group_name for each in functions.values()],
        query_lines=[
            "filter level in ['ERROR', 'WARNING']",
            "fields @timestamp, level, event, job, iteration, step, object_id, worker_id, "
            "request_id, error",
            "sort @timestamp desc",
            "limit 50",
        ],
        width=_WHOLE,
        height=8,
    )
