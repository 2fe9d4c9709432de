"""CreateLabelingJob requests that the service takes, to be changed into ones that it refuses."""

import copy
import json
from typing import Any

from groundwork.contract.builtin_tasks import (
    BUILTIN_TASKS,
    consolidation_lambda_arn,
    pre_lambda_arn,
)
from tests.support.labeling_service import ACCOUNT, BUCKET, REGION, ROLE_ARN

TEAM_ARN = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:workteam/private-crowd/team-a"
MANIFEST_KEY = "input/manifest.jsonl"
LABELS_KEY = "input/labels.json"
TEMPLATE_KEY = "input/template.html"
MANIFEST = b'{"source-ref": "s3://labeling-data/images/1.jpg"}\n'
LABELS = json.dumps(
    {"document-version": "2018-11-28", "labels": [{"label": "cat"}, {"label": "dog"}]}
).encode()
TEMPLATE = b"""<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <crowd-bounding-box name="boundingBox" src="{{ task.input.taskObject | grant_read_access }}"
    header="Boxes" labels="{{ task.input.labels | to_json | escape }}">
    <full-instructions header="How">Tight boxes.</full-instructions>
    <short-instructions>Tight boxes.</short-instructions>
  </crowd-bounding-box>
</crowd-form>
"""


def labeling_job_request(task_key: str = "BoundingBox", **changes: Any) -> dict[str, Any]:
    """Return a valid request for a built-in task, with some of its top-level members changed."""
    task = BUILTIN_TASKS[task_key]
    request = {
        "LabelingJobName": "boxes-1",
        "LabelAttributeName": "boxes-ref" if task.label_attribute_is_reference else "boxes",
        "InputConfig": {
            "DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{BUCKET}/{MANIFEST_KEY}"}}
        },
        "OutputConfig": {"S3OutputPath": f"s3://{BUCKET}/output"},
        "RoleArn": ROLE_ARN,
        "LabelCategoryConfigS3Uri": f"s3://{BUCKET}/{LABELS_KEY}",
        "HumanTaskConfig": {
            "WorkteamArn": TEAM_ARN,
            "UiConfig": {"UiTemplateS3Uri": f"s3://{BUCKET}/{TEMPLATE_KEY}"},
            "PreHumanTaskLambdaArn": pre_lambda_arn(REGION, task),
            "TaskTitle": "Draw boxes",
            "TaskDescription": "Draw a box around each animal",
            "NumberOfHumanWorkersPerDataObject": 2,
            "TaskTimeLimitInSeconds": 600,
            "AnnotationConsolidationConfig": {
                "AnnotationConsolidationLambdaArn": consolidation_lambda_arn(REGION, task)
            },
        },
    }
    return {**copy.deepcopy(request), **changes}


def with_human_task(request: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a request with some members of its HumanTaskConfig changed; None leaves one out."""
    human_task = {**request["HumanTaskConfig"], **changes}
    kept = {key: value for key, value in human_task.items() if value is not None}
    return {**request, "HumanTaskConfig": kept}
