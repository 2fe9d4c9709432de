"""Starting a running execution again, with the same name and input, answers with that execution.

`StartExecution` is idempotent for standard state machines on AWS. The emulator refuses with
`ExecutionAlreadyExists`.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import stepfunctions

from groundwork.local.hooks import wrap


def install() -> None:
    """Look for the running execution before a new one is started."""
    wrap(stepfunctions, "_start_execution", _running_one_first, ("data",))


def _running_one_first(original: Callable[..., Any], data: dict[str, Any]) -> Any:
    machine_arn = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", ""))
    if machine_arn and data.get("name"):
        execution_arn = f"{machine_arn.replace(':stateMachine:', ':execution:')}:{data['name']}"
        execution = stepfunctions._executions.get(execution_arn)
        if (
            execution
            and execution["status"] == "RUNNING"
            and json.loads(execution.get("input") or "{}") == json.loads(data.get("input") or "{}")
        ):
            return json_response(
                {"executionArn": execution_arn, "startDate": execution["startDate"]}
            )
    return original(data)
