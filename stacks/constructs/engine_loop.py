"""The loop of a labeling job: a state machine, and the function that does each of its steps."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.constructs.engine_rights import (
    acknowledge_index,
    allow_job_roles,
    allow_task_answers,
)
from stacks.constructs.functions import PythonFunction, log_group
from stacks.policy import acknowledge_wildcards, allow, arn

# After this time without an answer the loop looks for itself whether the batch is done.
_LOOK_AFTER_SECONDS = 3600
_STEP_TIMEOUT_SECONDS = 900
# The deployment fills this in.
_STEPS = "${LabelingSteps}"
_TIMEOUTS = ["States.Timeout", "States.HeartbeatTimeout"]


def definition(partition: str = "aws") -> dict[str, Any]:
    """Return the state machine, with a placeholder for the function of its steps.

    Each step's answer, job, iteration and outcome, is the next step's input.
    """
    return {
        "Comment": "One labeling job from its input manifest to its output manifest",
        "StartAt": "Continued",
        "States": {
            # A loop hands over to a fresh execution before its history is full.
            "Continued": _choice(
                "SelectBatch",
                [{"Variable": "$.iteration", "NumericEquals": 0, "Next": "Prepare"}],
            ),
            "Prepare": _step(partition, "prepare", "SelectBatch"),
            "SelectBatch": _step(partition, "select_batch", "Selected"),
            "Selected": _outcomes(
                people="WaitForPeople", no_people="Consolidate", finished="Finish"
            ),
            "WaitForPeople": _wait_for_people(partition),
            "CheckBatch": _step(partition, "check_batch", "Checked"),
            "Checked": _choice(
                "Consolidate",
                [{"Variable": "$.outcome", "StringEquals": "open", "Next": "WaitForPeople"}],
            ),
            "Consolidate": _step(partition, "consolidate", "Publish"),
            # Automated labeling will come between these two.
            "Publish": _step(partition, "publish_iteration", "Published"),
            "Published": _outcomes(
                **{"continue": "SelectBatch"}, hand_over="HandOver", finished="Finish"
            ),
            "HandOver": {
                "Type": "Task",
                "Resource": f"arn:{partition}:states:::states:startExecution",
                "Parameters": {
                    "StateMachineArn.$": "$$.StateMachine.Id",
                    # No job's name has an underscore, so that this is never another job's.
                    "Name.$": "States.Format('{}_{}', $.job, $.iteration)",
                    "Input": {"job.$": "$.job", "iteration.$": "$.iteration"},
                },
                "Retry": _retry(),
                "Catch": _catch(),
                "End": True,
            },
            "Finish": _step(partition, "finish", "Finished"),
            "Finished": {"Type": "Succeed"},
            "Fail": _fail(partition),
        },
    }


class EngineLoop(Construct):
    """The state machine and its function."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        table: dynamodb.Table,
        portal_url: str,
        layers: Sequence[lambda_.ILayerVersion],
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
        table.grant_read_write_data(self.steps.role)
        acknowledge_index(self.steps.role, table)
        allow_job_roles(self.steps.role)
        events = [arn("events", "event-bus/default")]
        allow(self.steps.role, ["events:PutEvents"], events)
        allow(
            self.steps.role,
            ["sns:Publish"],
            [arn("sns", "*")],
            because="Each work team brings a topic of its own for its notices",
        )
        allow_task_answers(self.steps.role)
        self.state_machine = self._build_state_machine()

    def _build_state_machine(self) -> stepfunctions.StateMachine:
        role = iam.Role(self, "LoopRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        allow(role, ["lambda:InvokeFunction"], [self.steps.function.function_arn])
        machine = stepfunctions.StateMachine(
            self,
            "Loop",
            definition_body=stepfunctions.DefinitionBody.from_string(
                json.dumps(definition(cdk.Aws.PARTITION))
            ),
            definition_substitutions={"LabelingSteps": self.steps.function.function_arn},
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
        iam.Policy(
            self,
            "HandOverPolicy",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    actions=["states:StartExecution"], resources=[machine.state_machine_arn]
                )
            ],
        )
        return machine


def _choice(default: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Type": "Choice", "Choices": choices, "Default": default}


def _outcomes(**next_states: str) -> dict[str, Any]:
    """Choose by the outcome; one that nobody foresaw fails the execution visibly."""
    return {
        "Type": "Choice",
        "Choices": [
            {"Variable": "$.outcome", "StringEquals": outcome, "Next": state}
            for outcome, state in next_states.items()
        ],
    }


def _retry(*, never: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [
        {"ErrorEquals": ["JobFailedError", *never], "MaxAttempts": 0},
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 2,
            "BackoffRate": 2,
            "MaxAttempts": 6,
            "MaxDelaySeconds": 60,
        },
    ]


def _catch() -> list[dict[str, Any]]:
    return [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Fail"}]


def _payload(step: str, **more: str) -> dict[str, Any]:
    return {"step": step, "job.$": "$.job", "iteration.$": "$.iteration", **more}


def _step(partition: str, step: str, next_state: str) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": _STEPS, "Payload": _payload(step)},
        "OutputPath": "$.Payload",
        "Retry": _retry(),
        "Catch": _catch(),
        "Next": next_state,
    }


def _wait_for_people(partition: str) -> dict[str, Any]:
    step = _step(partition, "open_batch", "Consolidate")
    step["Resource"] += ".waitForTaskToken"
    step["Parameters"]["Payload"] |= {"token.$": "$$.Task.Token"}
    # The answer is what SendTaskSuccess carries, not the function's.
    del step["OutputPath"]
    step["TimeoutSeconds"] = _LOOK_AFTER_SECONDS
    step["Retry"] = _retry(never=_TIMEOUTS)
    step["Catch"] = [
        {"ErrorEquals": _TIMEOUTS, "ResultPath": None, "Next": "CheckBatch"},
        *_catch(),
    ]
    return step


def _fail(partition: str) -> Mapping[str, Any]:
    step = _step(partition, "fail", "")
    step["Parameters"]["Payload"] |= {"error.$": "$.error"}
    del step["Next"], step["Catch"]
    return {**step, "End": True}
