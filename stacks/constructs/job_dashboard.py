"""The dashboard of a job that Ground Truth runs, on the metrics that the service publishes."""

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

_PERIOD_SECONDS = 300
_WIDTH = 12


class JobDashboard(Construct):
    """One job's progress and its people, and the page's address."""

    def __init__(self, scope: Construct, construct_id: str, *, job_name: str) -> None:
        super().__init__(scope, construct_id)
        dashboard = cloudwatch.Dashboard(self, "Page", default_interval=cdk.Duration.days(1))
        dashboard.add_widgets(
            _search(
                "Labels by people and by machine, and objects that failed",
                f'LabelingJobName="{job_name}"',
                "Maximum",
                "DatasetObjectsHumanAnnotated",
                "DatasetObjectsAutoAnnotated",
                "DatasetObjectsLabelingFailed",
            ),
            _search(
                "Workers' tasks",
                f'LabelingJob="{job_name}"',
                "Sum",
                "TasksAccepted",
                "TasksSubmitted",
                "TasksReturned",
                "TasksDeclined",
            ),
        )
        self.url = dashboard_url(dashboard)


def dashboard_url(dashboard: cloudwatch.Dashboard) -> str:
    """Return a dashboard's page in the console."""
    region = cdk.Aws.REGION
    page = f"#dashboards/dashboard/{dashboard.dashboard_name}"
    return f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}{page}"


def _search(title: str, of_job: str, statistic: str, *names: str) -> cloudwatch.GraphWidget:
    """Search by names, as the service's documents do not agree on the namespace.

    https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
    """
    expressions = [
        f"SEARCH('MetricName=\"{name}\" {of_job}', '{statistic}', {_PERIOD_SECONDS})"
        for name in names
    ]
    return cloudwatch.GraphWidget(
        title=title,
        left=[
            cloudwatch.MathExpression(expression=each, using_metrics={}, label=name)
            for each, name in zip(expressions, names, strict=True)
        ],
        width=_WIDTH,
    )
