"""The state machine of a labeling job, as Step Functions reads it."""

from collections.abc import Mapping, Sequence
from typing import Any

# After this time without an answer the loop looks for itself whether the batch is done.
_LOOK_AFTER_SECONDS = 3600
# The deployment fills these in.
_STEPS = "${LabelingSteps}"
_AUTO_LABELING = "${AutoLabeling}"
# Shards that are worked on side by side: a small part of the 1,000 invocations that an account may
# have at a time.
_SHARDS_AT_ONCE = 40
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
            "Unforeseen": {
                "Type": "Pass",
                "Result": {"Error": "Unforeseen", "Cause": "a step came to an unknown outcome"},
                "ResultPath": "$.error",
                "Next": "Fail",
            },
            "Fail": _fail(partition),
            "GiveUp": _give_up(partition),
        },
    }


def _choice(default: str, choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Type": "Choice", "Choices": choices, "Default": default}


def _outcomes(**next_states: str) -> dict[str, Any]:
    """Choose by the outcome; one that nobody foresaw fails the job."""
    choices = [
        {"Variable": "$.outcome", "StringEquals": outcome, "Next": state}
        for outcome, state in next_states.items()
    ]
    return _choice("Unforeseen", choices)


def _retry(*, never: Sequence[str] = ()) -> list[dict[str, Any]]:
    return [
        {"ErrorEquals": ["JobFailedError", *never], "MaxAttempts": 0},
        # More than an hour in all: people's work should outlive a service's bad hour.
        {
            "ErrorEquals": ["UnavailableError", "S3UnavailableError"],
            "IntervalSeconds": 2,
            "BackoffRate": 2,
            "MaxAttempts": 20,
            "MaxDelaySeconds": 300,
        },
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
    del step["Next"]
    step["Catch"] = [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.unsaved", "Next": "GiveUp"}]
    return {**step, "End": True}


def _give_up(partition: str) -> Mapping[str, Any]:
    """End a job whose labels cannot be saved: it needs the table alone, and tries for a month."""
    step = _step(partition, "give_up", "")
    step["Parameters"]["Payload"] |= {"error.$": "$.error"}
    del step["Next"], step["Catch"]
    step["Retry"] = [
        # A newer release's job is to go on when that is back, not to end then.
        {"ErrorEquals": ["JobFormatError"], "MaxAttempts": 0},
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 2,
            "BackoffRate": 2,
            "MaxAttempts": 720,
            "MaxDelaySeconds": 3600,
        },
    ]
    return {**step, "End": True}
