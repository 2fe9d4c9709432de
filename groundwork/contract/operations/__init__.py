"""Which operations of the SageMaker API the open engine has, and which function does each.

| resource | done | not done |
|---|---|---|
| workforce | CreateWorkforce, DescribeWorkforce, ListWorkforces, UpdateWorkforce | |
| | DeleteWorkforce | |
| work team | CreateWorkteam, DescribeWorkteam, ListWorkteams, UpdateWorkteam, DeleteWorkteam | |
| vendor's team | ListSubscribedWorkteams (none) | DescribeSubscribedWorkteam |
| labeling job | CreateLabelingJob, DescribeLabelingJob, ListLabelingJobs, StopLabelingJob | |
| team's jobs | ListLabelingJobsForWorkteam | |
| tags | AddTags, ListTags, DeleteTags | |
| template | RenderUiTemplate | |
| worker page | | CreateHumanTaskUi, DescribeHumanTaskUi, ListHumanTaskUis, DeleteHumanTaskUi |

SageMaker's operations beyond labeling are answered with a reference to SageMaker itself.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from groundwork.contract.engine import Engine
from groundwork.contract.operations import labeling_jobs, tags, templates, workforces, workteams

Operation = Callable[[Engine, dict[str, Any]], dict[str, Any]]

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "CreateWorkforce": workforces.create,
        "DescribeWorkforce": workforces.describe,
        "ListWorkforces": workforces.list_all,
        "UpdateWorkforce": workforces.update,
        "DeleteWorkforce": workforces.delete,
        "CreateWorkteam": workteams.create,
        "DescribeWorkteam": workteams.describe,
        "ListWorkteams": workteams.list_all,
        "UpdateWorkteam": workteams.update,
        "DeleteWorkteam": workteams.delete,
        "ListSubscribedWorkteams": workteams.list_subscribed,
        "CreateLabelingJob": labeling_jobs.create,
        "DescribeLabelingJob": labeling_jobs.describe,
        "ListLabelingJobs": labeling_jobs.list_all,
        "ListLabelingJobsForWorkteam": labeling_jobs.list_for_workteam,
        "StopLabelingJob": labeling_jobs.stop,
        "AddTags": tags.add,
        "ListTags": tags.list_all,
        "DeleteTags": tags.delete,
        "RenderUiTemplate": templates.render_ui_template,
    }
)

# The rest of Ground Truth's operations, and why the open engine has none of them.
NOT_DONE: Mapping[str, str] = MappingProxyType(
    {
        "DescribeSubscribedWorkteam": "vendors' teams work in Ground Truth only",
        "CreateHumanTaskUi": "worker pages as resources belong to Amazon A2I; give labeling jobs a "
        "template in S3",
        "DescribeHumanTaskUi": "there are no worker pages as resources",
        "ListHumanTaskUis": "there are no worker pages as resources",
        "DeleteHumanTaskUi": "there are no worker pages as resources",
    }
)
