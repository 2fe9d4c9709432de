"""The labeling API: SageMaker's operations behind an IAM-signed function URL."""

from collections.abc import Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.constructs.engine_rights import (
    allow_callers,
    allow_job_roles,
    allow_table,
    allow_task_answers,
)
from stacks.constructs.functions import PythonFunction
from stacks.policy import allow


class EngineApi(Construct):
    """The function that answers the labeling API, and its URL."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: dynamodb.Table,
        state_machine: stepfunctions.StateMachine,
        portal_url: str,
        layers: Sequence[lambda_.ILayerVersion],
    ) -> None:
        super().__init__(scope, construct_id)
        self.api = PythonFunction(
            self,
            "Api",
            folder="labeling_api",
            layers=layers,
            environment={
                "TABLE_NAME": table.table_name,
                "STATE_MACHINE_ARN": state_machine.state_machine_arn,
                "PORTAL_URL": portal_url,
            },
            timeout_seconds=30,
            memory_mib=512,
            description="The SageMaker labeling API",
        )
        allow_table(self.api.role, table, "GetItem", "Query", "PutItem", "DeleteItem")
        allow(self.api.role, ["states:StartExecution"], [state_machine.state_machine_arn])
        allow_task_answers(self, self.api.role, state_machine.state_machine_arn)
        allow_job_roles(self.api.role)
        allow_callers(self.api.role)
        self.url = self.api.function.add_function_url(
            auth_type=lambda_.FunctionUrlAuthType.AWS_IAM
        ).url
