"""The loop of a labeling job: a state machine, and the two functions that do its steps.

The light steps are one function's, which starts fast and runs for every job. Those of automated
labeling that look at pictures have a function of their own, with memory and with the network.
"""

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
    allow_job_roles,
    allow_table,
    allow_task_answers,
)
from stacks.constructs.functions import PythonFunction, log_group
from stacks.policy import acknowledge_wildcards, allow, arn, service_principal

# After this time without an answer the loop looks for itself whether the batch is done.
_LOOK_AFTER_SECONDS = 3600
_STEP_TIMEOUT_SECONDS = 900
# The deployment fills these in.
_STEPS = "${LabelingSteps}"
_AUTO_LABELING = "${AutoLabeling}"
# Shards that are worked on side by side: a small part of the 1,000 invocations that an account may
# have at a time.
_SHARDS_AT_ONCE = 40
# The most that a new account's functions may have:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_AUTO_LABELING_MEMORY_MIB = 3008
_TIMEOUTS = ["States.Timeout", "States.HeartbeatTimeout"]


def definition(partition: str = "aws") -> dict[str, Any]:
    """Return the state machine, with placeholders for the functions of its steps.

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
            "Prepare": _step(partition, "prepare", "Prepared"),
            "Prepared": _outcomes(prepared="SelectBatch", automated="Features"),
            "Features": _for_each_shard(partition, "features", "Train"),
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
            "Consolidate": _step(partition, "consolidate", "Consolidated"),
            "Consolidated": _outcomes(consolidated="Publish", automated="Judge"),
            "Judge": _step(partition, "judge", "Publish"),
            "Publish": _step(partition, "publish_iteration", "Published"),
            "Published": _outcomes(
                **{"continue": "SelectBatch"},
                learn="Train",
                hand_over="HandOver",
                finished="Finish",
            ),
            "Train": _step(partition, "train", "Trained", function=_AUTO_LABELING),
            "Trained": _outcomes(infer="Infer", plan="Plan"),
            "Infer": _for_each_shard(partition, "infer", "Plan"),
            "Plan": _step(partition, "plan", "Planned"),
            "Planned": _outcomes(**{"continue": "SelectBatch"}, hand_over="HandOver"),
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


def _step(partition: str, step: str, next_state: str, *, function: str = _STEPS) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": f"arn:{partition}:states:::lambda:invoke",
        "Parameters": {"FunctionName": function, "Payload": _payload(step)},
        "OutputPath": "$.Payload",
        "Retry": _retry(),
        "Catch": _catch(),
        "Next": next_state,
    }


def _for_each_shard(partition: str, step: str, next_state: str) -> dict[str, Any]:
    """Run a step on all shards side by side, each in an execution of its own.

    A thousand shards would not fit into one execution's history. What a shard comes to is in S3, so
    that nothing of it is carried on here.
    """
    return {
        "Type": "Map",
        "ItemsPath": "$.shards",
        "ItemSelector": {
            "job.$": "$.job",
            "iteration.$": "$.iteration",
            "shard.$": "$$.Map.Item.Value",
        },
        "MaxConcurrency": _SHARDS_AT_ONCE,
        "ItemProcessor": _shard_processor(partition, step),
        "ResultPath": None,
        "Catch": _catch(),
        "Next": next_state,
    }


def _shard_processor(partition: str, step: str) -> dict[str, Any]:
    """Return what is done with one shard.

    All that a Map tells of a failure is that there was one. So the shard's execution leaves word of
    the reason with the job, and then fails.
    """
    run = _step(partition, step, "", function=_AUTO_LABELING)
    run["Parameters"]["Payload"] |= {"shard.$": "$.shard"}
    del run["Next"]
    run["OutputPath"] = None
    run["Catch"] = [{**_catch()[0], "Next": "Explain"}]
    run["Retry"].insert(1, _retry_when_busy())
    explain = _step(partition, "explain_failure", "Failed")
    explain["Parameters"]["Payload"] |= {"error.$": "$.error"}
    del explain["Catch"]
    return {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        "StartAt": "Run",
        "States": {
            "Run": {**run, "End": True},
            "Explain": explain,
            "Failed": {"Type": "Fail", "Error": "JobFailedError", "Cause": "A shard failed"},
        },
    }


def _retry_when_busy() -> dict[str, Any]:
    """Stand in line for an hour where an account may run few functions at a time."""
    return {
        "ErrorEquals": ["Lambda.TooManyRequestsException"],
        "IntervalSeconds": 5,
        "BackoffRate": 1.5,
        "MaxAttempts": 60,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
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
