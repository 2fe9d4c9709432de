"""The loop of a labeling job: a state machine, and the two functions that do its steps.

The light steps are one function's, which starts fast and runs for every job. Those of automated
labeling that look at pictures have a function of their own, with memory and with the network.
"""

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.constructs.engine_rights import (
    allow_job_roles,
    allow_table,
    allow_task_answers,
)
from stacks.constructs.functions import PythonFunction, log_group
from stacks.constructs.loop_definition import definition
from stacks.policy import acknowledge_wildcards, allow, arn, service_principal

_STEP_TIMEOUT_SECONDS = 900
# The most that a new account's functions may have:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_AUTO_LABELING_MEMORY_MIB = 3008


class EngineLoop(Construct):
    """The state machine and its functions.

    Parameters
    ----------
    layers
        For all functions.
    network_layers
        The runtime and the weights of the network, for the function that looks at pictures.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: dynamodb.Table,
        portal_url: str,
        layers: Sequence[lambda_.ILayerVersion],
        network_layers: Sequence[lambda_.ILayerVersion],
    ) -> None:
        super().__init__(scope, construct_id)
        self.steps = PythonFunction(
            self,
            "Steps",
            folder="labeling_steps",
            layers=layers,
            environment={"TABLE_NAME": table.table_name, "PORTAL_URL": portal_url},
            timeout_seconds=_STEP_TIMEOUT_SECONDS,
            memory_mib=1024,
            description="The steps of a labeling job's loop",
        )
        # Notices to a work team need no right of the role's: the team's topic lets it publish.
        allow_table(self.steps.role, table, "GetItem", "Query", "PutItem", "UpdateItem")
        allow_job_roles(self.steps.role)
        events = [arn("events", "event-bus/default")]
        allow(self.steps.role, ["events:PutEvents"], events)
        self.auto_labeling = PythonFunction(
            self,
            "AutoLabeling",
            folder="auto_labeling",
            layers=[*layers, *network_layers],
            environment={"TABLE_NAME": table.table_name, "PORTAL_URL": portal_url},
            timeout_seconds=_STEP_TIMEOUT_SECONDS,
            memory_mib=_AUTO_LABELING_MEMORY_MIB,
            description="Automated labeling: features, training, inference",
        )
        # It reads what is known of a job; what it makes goes to the job's bucket.
        allow_table(self.auto_labeling.role, table, "GetItem")
        allow_job_roles(self.auto_labeling.role)
        self.state_machine = self._build_state_machine()
        allow_task_answers(self.steps, self.steps.role, self.state_machine.state_machine_arn)

    def _build_state_machine(self) -> stepfunctions.StateMachine:
        # Its machine's name is not known before it, and the machine comes after its role.
        role = iam.Role(
            self,
            "LoopRole",
            assumed_by=service_principal("states", source=arn("states", "stateMachine:*")),
        )
        functions = {"LabelingSteps": self.steps, "AutoLabeling": self.auto_labeling}
        arns = {name: each.function.function_arn for name, each in functions.items()}
        allow(role, ["lambda:InvokeFunction"], list(arns.values()))
        machine = stepfunctions.StateMachine(
            self,
            "Loop",
            definition_body=stepfunctions.DefinitionBody.from_string(
                json.dumps(definition(cdk.Aws.PARTITION))
            ),
            definition_substitutions=arns,
            role=role,
            logs=stepfunctions.LogOptions(
                destination=log_group(self), level=stepfunctions.LogLevel.ALL
            ),
            tracing_enabled=True,
        )
        acknowledge_wildcards(
            role, "IAM knows no resource for log delivery and for X-Ray's segments", "*"
        )
        # A policy of its own: within the role's, machine and role would wait for each other.
        executions = arn("states", f"execution:{machine.state_machine_name}/*")
        own = iam.Policy(
            self,
            "OwnExecutionsPolicy",
            roles=[role],
            statements=[
                # For the next of a job's executions, and for one of each shard.
                iam.PolicyStatement(
                    actions=["states:StartExecution"], resources=[machine.state_machine_arn]
                ),
                iam.PolicyStatement(
                    actions=["states:DescribeExecution", "states:StopExecution"],
                    resources=[executions],
                ),
            ],
        )
        acknowledge_wildcards(
            own, "Step Functions names the execution of each shard of a job itself", executions
        )
        return machine
