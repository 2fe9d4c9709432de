"""The loop's own state machine, run in memory as Step Functions runs it.

What is retried, caught and waited for is not written here: it is the definition that is deployed.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from groundwork.jobs.auto_labeling_loop import AUTO_LABELING_STEPS, run_auto_labeling_step
from groundwork.jobs.loop import run_step
from stacks.constructs.loop_definition import definition
from tests.support.job_fakes import CrashError, MemoryLoop

_STEPS_IN_A_JOB = 3000
_CAUGHT_BY_NOBODY = "States.Runtime"


class StateError(Exception):
    """A state failed, with the error name and cause that Step Functions gives it."""

    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"{name}: {cause}")
        self.name = name
        self.cause = cause


@dataclass
class Execution:
    """One execution: where it is, and with what."""

    name: str
    data: Any
    state: str
    status: str = "RUNNING"
    token: str | None = None
    error: StateError | None = None
    retried: dict[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One call of a step's function."""

    step: str
    iteration: int
    state: str


class Machine(MemoryLoop):
    """Runs the definition's executions until each waits for people or has ended.

    ``around`` is given every call of a function and what makes it, to make it twice or to let it
    fail; ``retries`` are the calls that were made because one before failed.
    """

    def __init__(self) -> None:
        super().__init__()
        self.definition: Mapping[str, Any] = definition()
        self.executions: dict[str, Execution] = {}
        self.around: Callable[[Call, Callable[[], Any]], Any] = lambda call, run: run()
        self.calls: list[Call] = []
        self.retries: list[str] = []
        self.refused_tokens: list[str] = []
        self._ready: list[Execution] = []
        self._lock = threading.Lock()

    # What the engine's own functions do with it.

    def start(self, job_name: str) -> None:
        self.begin(job_name, {"job": job_name, "iteration": 0})

    def wake(self, token: str, outcome: dict[str, Any]) -> None:
        with self._lock:
            for execution in self.executions.values():
                if execution.token == token:
                    execution.token = None
                    execution.data = json.loads(json.dumps(outcome))
                    self._enter(execution, self._states[execution.state]["Next"])
                    return
            self.refused_tokens.append(token)

    @staticmethod
    def failure(name: str) -> StateError:
        """Return what a state raises that fails with this error."""
        return StateError(name, "made by the test")

    # What happens in it.

    @property
    def sleeping(self) -> list[Execution]:
        """The executions that wait for people."""
        return [each for each in self.executions.values() if each.token is not None]

    @property
    def failed(self) -> list[Execution]:
        """The executions that broke off, which no job may leave behind."""
        return [each for each in self.executions.values() if each.status == "FAILED"]

    def run(self) -> None:
        for _ in range(_STEPS_IN_A_JOB):
            if not self._ready:
                return
            self._advance(self._ready.pop(0))
        raise AssertionError("the loop goes round and round")

    def time_out(self) -> None:
        for execution in self.sleeping:
            execution.token = None
            self._failed(execution, StateError("States.Timeout", ""))
        self.run()

    @property
    def _states(self) -> Mapping[str, Any]:
        states: Mapping[str, Any] = self.definition["States"]
        return states

    def begin(self, name: str, data: Any) -> None:
        """Begin an execution, unless there was one of this name."""
        if name in self.executions:
            return
        execution = Execution(name, data, self.definition["StartAt"])
        self.executions[name] = execution
        self.started.append(name)
        self._ready.append(execution)

    def _enter(self, execution: Execution, state: str) -> None:
        execution.state, execution.retried = state, {}
        self._ready.append(execution)

    def _advance(self, execution: Execution) -> None:
        state = self._states[execution.state]
        try:
            if state.get("Resource", "").endswith(".waitForTaskToken"):
                self._hand_out_token(execution, state)
                return
            outcome = self._outcome(execution, state)
        except StateError as error:
            self._failed(execution, error)
            return
        if state.get("End") or state["Type"] == "Succeed":
            execution.data, execution.status = outcome, "SUCCEEDED"
        else:
            execution.data = outcome
            self._enter(execution, _next(state, outcome))

    def _hand_out_token(self, execution: Execution, state: Mapping[str, Any]) -> None:
        self._tokens += 1
        token = execution.token = f"token-{self._tokens}"
        try:
            self._call(execution.state, state, execution.data, token=token)
        except StateError as error:
            # Unless it was woken before the function broke off.
            if execution.token == token:
                execution.token = None
                raise error

    def _outcome(self, execution: Execution, state: Mapping[str, Any]) -> Any:
        if state["Type"] == "Map":
            self._map(execution, state)
            return execution.data
        return self._result(execution.state, state, execution.data)

    def _result(self, name: str, state: Mapping[str, Any], data: Any) -> Any:
        match state["Type"]:
            case "Choice" | "Succeed":
                return data
            case "Pass":
                return _placed(data, state.get("ResultPath", "$"), state["Result"])
            case "Fail":
                raise StateError(state["Error"], state["Cause"])
        if state["Resource"].endswith("states:startExecution"):
            parameters = state["Parameters"]
            self.begin(_read(parameters["Name.$"], data), _filled(parameters["Input"], data))
            return data
        answer = self._call(name, state, data)
        return data if state.get("OutputPath", "") is None else answer

    def _map(self, execution: Execution, state: Mapping[str, Any]) -> None:
        """Run every shard's own execution to its end, one after the other."""
        broken = 0
        for item in _read(state["ItemsPath"], execution.data):
            data = _filled(state["ItemSelector"], execution.data, item=item)
            broken += not self._shard(state["ItemProcessor"], data)
        if broken:
            raise StateError("States.ExceedToleratedFailureThreshold", "too many items failed")

    def _shard(self, processor: Mapping[str, Any], data: Any) -> bool:
        name = processor["StartAt"]
        retried: dict[str, list[int]] = {}
        while True:
            state = processor["States"][name]
            try:
                data = self._result(name, state, data)
            except StateError as error:
                if state["Type"] == "Fail":
                    return False
                if self._retries(name, state, retried.setdefault(name, []), error):
                    continue
                catcher = _catcher(state, error)
                if catcher is None:
                    return False
                data, name = _caught(data, catcher, error), catcher["Next"]
                continue
            if state.get("End"):
                return True
            name = state["Next"]

    def _failed(self, execution: Execution, error: StateError) -> None:
        state = self._states[execution.state]
        counts = execution.retried.setdefault(execution.state, [])
        if self._retries(execution.state, state, counts, error):
            self._ready.insert(0, execution)
            return
        catcher = _catcher(state, error)
        if catcher is None:
            execution.status, execution.error = "FAILED", error
            return
        execution.data = _caught(execution.data, catcher, error)
        self._enter(execution, catcher["Next"])

    def _retries(
        self, name: str, state: Mapping[str, Any], counts: list[int], error: StateError
    ) -> bool:
        retriers = state.get("Retry", [])
        counts.extend([0] * (len(retriers) - len(counts)))
        for place, retrier in enumerate(retriers):
            if _matches(retrier, error):
                counts[place] += 1
                if counts[place] > retrier.get("MaxAttempts", 3):
                    return False
                self.retries.append(name)
                return True
        return False

    def _call(self, name: str, state: Mapping[str, Any], data: Any, **context: Any) -> Any:
        payload = _filled(state["Parameters"]["Payload"], data, **context)
        call = Call(payload["step"], payload["iteration"], name)
        self.calls.append(call)
        try:
            result = self.around(call, lambda: self._run_function(payload))
        except CrashError:
            raise StateError("Lambda.Unknown", "the function is gone") from None
        except Exception as error:
            cause = {"errorType": type(error).__name__, "errorMessage": str(error)}
            raise StateError(type(error).__name__, json.dumps(cause)) from error
        self.history.append((call.step, result["iteration"], result["outcome"]))
        return result

    def _run_function(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        assert self.engine is not None
        if payload["step"] in AUTO_LABELING_STEPS:
            engine = replace(self.engine, learner_of=self.learner_of)
            return run_auto_labeling_step(engine, payload).answer()
        return run_step(self.engine, payload).answer()


def _next(state: Mapping[str, Any], data: Any) -> str:
    if state["Type"] != "Choice":
        return str(state["Next"])
    for choice in state["Choices"]:
        value = _read(choice["Variable"], data)
        if value == choice.get("NumericEquals", choice.get("StringEquals")):
            return str(choice["Next"])
    if "Default" not in state:
        raise AssertionError(f"no choice for {data}, with which the execution would break off")
    return str(state["Default"])


def _matches(rule: Mapping[str, Any], error: StateError) -> bool:
    named = rule["ErrorEquals"]
    return error.name in named or ("States.ALL" in named and error.name != _CAUGHT_BY_NOBODY)


def _catcher(state: Mapping[str, Any], error: StateError) -> Mapping[str, Any] | None:
    return next((each for each in state.get("Catch", []) if _matches(each, error)), None)


def _caught(data: Any, catcher: Mapping[str, Any], error: StateError) -> Any:
    told = {"Error": error.name, "Cause": error.cause}
    return _placed(data, catcher.get("ResultPath", "$"), told)


def _placed(data: Any, path: str | None, value: Any) -> Any:
    if path is None:
        return data
    return value if path == "$" else {**data, path.removeprefix("$."): value}


def _filled(template: Any, data: Any, **context: Any) -> Any:
    """Return parameters with their paths read, as ``"name.$": "path"`` asks."""
    if not isinstance(template, Mapping):
        return template
    return {
        key.removesuffix(".$"): (
            _read(value, data, **context) if key.endswith(".$") else _filled(value, data, **context)
        )
        for key, value in template.items()
    }


def _read(path: str, data: Any, **context: Any) -> Any:
    match path:
        case "$$.Task.Token":
            return context["token"]
        case "$$.Map.Item.Value":
            return context["item"]
        case "$$.StateMachine.Id":
            return "machine"
    if formatted := re.fullmatch(r"States\.Format\('(.*)', (.*)\)", path):
        values = [str(_read(each.strip(), data)) for each in formatted[2].split(",")]
        return formatted[1].format(*values)
    for name in path.split(".")[1:]:
        data = data[name]
    return data
