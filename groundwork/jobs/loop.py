"""The steps of the loop by the names that the state machine calls them."""

from collections.abc import Callable, Mapping
from typing import Any

from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.consolidating import consolidate
from groundwork.jobs.steps.judging import judge_proposal
from groundwork.jobs.steps.planning import plan_batch
from groundwork.jobs.steps.preparation import prepare
from groundwork.jobs.steps.publishing import (
    explain_failure,
    fail,
    finish,
    give_up,
    publish_iteration,
)
from groundwork.jobs.steps.selection import select_batch
from groundwork.jobs.steps.waiting import check_batch, open_batch

Event = Mapping[str, Any]

STEPS: Mapping[str, Callable[[Engine, Event], StepResult]] = {
    "prepare": lambda engine, event: prepare(engine, event["job"]),
    "select_batch": lambda engine, event: select_batch(engine, event["job"], event["iteration"]),
    "open_batch": lambda engine, event: open_batch(
        engine, event["job"], event["iteration"], event["token"]
    ),
    "check_batch": lambda engine, event: check_batch(engine, event["job"], event["iteration"]),
    "consolidate": lambda engine, event: consolidate(engine, event["job"], event["iteration"]),
    "judge": lambda engine, event: judge_proposal(engine, event["job"], event["iteration"]),
    "plan": lambda engine, event: plan_batch(engine, event["job"], event["iteration"]),
    "publish_iteration": lambda engine, event: publish_iteration(
        engine, event["job"], event["iteration"]
    ),
    "finish": lambda engine, event: finish(engine, event["job"], event["iteration"]),
    "fail": lambda engine, event: fail(engine, event["job"], event.get("error")),
    "give_up": lambda engine, event: give_up(engine, event["job"], event.get("error")),
    "explain_failure": lambda engine, event: explain_failure(
        engine, event["job"], event["iteration"], event["error"]
    ),
}


def run_step(engine: Engine, event: Event) -> StepResult:
    """Run the step that an event names: ``step``, ``job``, ``iteration``, and what it needs."""
    return STEPS[event["step"]](engine, event)
