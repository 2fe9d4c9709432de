"""Executions go on after the emulator was stopped and started again.

On AWS an execution outlives everything. The emulator keeps executions with its data but marks
those that were running as failed: a labeling job would stay in progress for good, and its answers
would go nowhere. Running executions are resumed in the state that they were in; a state that waits
for a task token is entered anew and hands out a new one.
"""

import inspect
import json
import os
import threading
import time
import types
from collections.abc import Callable
from typing import Any

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import stepfunctions

from groundwork.local.emulator import answers
from groundwork.local.hooks import wrap

# What the emulator writes over a running execution as it loads it.
_OVERWRITTEN = ("status", "stopDate", "error", "cause")
_resumed_from: dict[str, dict[str, str]] = {}


def install() -> None:
    """Start running executions again once they are loaded, where they were."""
    wrap(stepfunctions, "_restore_state", _and_resume, ("data",))
    wrap(stepfunctions, "_run_execution", _from_where_it_was, ("exec_arn",))


def _and_resume(original: Callable[[Any], None], data: Any) -> None:
    running = {
        key: {name: execution.get(name) for name in _OVERWRITTEN}
        for key, execution in data["executions"].all_items()
        if execution["status"] == "RUNNING" and _last_entered(execution)
    }
    original(data)
    for (account, region, execution_arn), before in running.items():
        execution = stepfunctions._executions.get_scoped(account, region, execution_arn)
        execution.update(before)
        _resumed_from[execution_arn] = _last_entered(execution)
        threading.Thread(
            target=_run_in_scope, args=(account, region, execution_arn), daemon=True
        ).start()


def _last_entered(execution: dict[str, Any]) -> dict[str, str]:
    """The name and input of the state that an execution was in."""
    for event in reversed(execution["events"]):
        if event["type"].endswith("StateEntered"):
            entered: dict[str, str] = event["stateEnteredEventDetails"]
            return entered
    return {}


def _run_in_scope(account: str, region: str, execution_arn: str) -> None:
    # Functions are loaded, and can call back, once the emulator answers.
    while not answers(f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"):
        time.sleep(0.1)
    set_request_account_id(account)
    set_request_region(region)
    stepfunctions._run_execution(execution_arn)


def _from_where_it_was(original: Callable[[str], None], exec_arn: str) -> None:
    entered = _resumed_from.pop(exec_arn, None)
    if entered is None:
        original(exec_arn)
        return
    execution = stepfunctions._executions.get(exec_arn)
    machine_arn = execution["stateMachineArn"]
    machine = stepfunctions._state_machines.get(machine_arn)
    definition = json.loads(machine["definition"]) | {"StartAt": entered["name"]}
    # The same code, to which this one machine begins in another state.
    run = types.FunctionType(
        inspect.unwrap(original).__code__,
        {
            **vars(stepfunctions),
            "_state_machines": {machine_arn: {**machine, "definition": json.dumps(definition)}},
        },
    )
    first_input = execution["input"]
    execution["input"] = entered["input"]
    try:
        run(exec_arn)
    finally:
        execution["input"] = first_input
