"""The stacks' outputs, named once for the stacks, their tests and whoever reads them."""

import aws_cdk as cdk
from constructs import Construct

PORTAL_URL = "PortalUrl"
BUCKET_NAME = "BucketName"
WORKTEAM_ARN = "WorkteamArn"
LABELING_JOB_NAME = "LabelingJobName"
LABELING_JOB_ARN = "LabelingJobArn"
OUTPUT_MANIFEST = "OutputManifest"
CONSOLE_URL = "ConsoleUrl"
PROGRESS_COMMAND = "ProgressCommand"
STUDIO_URL = "StudioUrl"
DASHBOARD_URL = "DashboardUrl"

LABELING_API_URL = "LabelingApiUrl"
LABELING_API_FUNCTION_NAME = "LabelingApiFunctionName"
TABLE_NAME = "TableName"
ENGINE_ROLE_ARNS = "EngineRoleArns"
WATCH_FUNCTION_NAME = "WatchFunctionName"
STATE_MACHINE_ARN = "StateMachineArn"


def output(scope: Construct, name: str, value: str, description: str) -> None:
    """Add an output whose name in the template is exactly the one given."""
    made = cdk.CfnOutput(scope, f"{name}Output", value=value, description=description)
    made.override_logical_id(name)
