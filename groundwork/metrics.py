"""Metrics as log lines in CloudWatch's embedded metric format: no call, no right, no waiting.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

Names and meanings are Ground Truth's; its namespaces are not, since only AWS may write to those
that begin with ``AWS/``. https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

# In the place of AWS/SageMaker, where a job's metrics are.
JOBS_NAMESPACE = "Groundwork/LabelingJobs"
# In the place of AWS/SageMaker/Workteam.
WORKTEAM_NAMESPACE = "Groundwork/Workteam"
# What Ground Truth does not tell, as it looks after itself.
ENGINE_NAMESPACE = "Groundwork/Engine"
JOB_DIMENSION = "LabelingJobName"
TEAM_DIMENSION = "Workteam"

_log = logging.getLogger("groundwork.metrics")


def publish(
    event: str,
    namespace: str,
    values: Mapping[str, float],
    moment: datetime,
    *,
    dimensions: Mapping[str, str] | None = None,
    by: Sequence[Sequence[str]] = ((),),
    ids: Mapping[str, Any] | None = None,
) -> None:
    """Log an event whose line is also read as metrics.

    Each metric is one value at one moment. CloudWatch promises to read a line at least once.

    Parameters
    ----------
    values
        Metrics by name; ``TimeSpent`` is in seconds, all others are counts.
    dimensions, by
        All dimensions, and in which combinations the metrics are wanted; each combination is a
        metric to pay for. By default one without dimensions.
    ids
        What else the line says.
    """
    directive = {
        "Namespace": namespace,
        "Dimensions": [list(each) for each in by],
        "Metrics": [
            {"Name": name, "Unit": "Seconds" if name == "TimeSpent" else "Count"} for name in values
        ],
    }
    metadata = {
        "Timestamp": int(moment.timestamp() * 1000),
        "CloudWatchMetrics": [directive],
    }
    _log.info(event, extra={"_aws": metadata, **(ids or {}), **(dimensions or {}), **values})
