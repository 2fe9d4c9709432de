"""The steps of automated labeling that look at pictures, called by the state machine."""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from groundwork import logs
from groundwork.autolabel.learners import learner_of
from groundwork.jobs.auto_labeling_loop import run_auto_labeling_step
from groundwork.jobs.deployed import engine_from_environment
from groundwork.jobs.steps import Engine

logs.set_up()
_log = logging.getLogger("groundwork.auto_labeling")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Run one step, on one shard if it names one, and return where the loop is after it."""
    with logs.invocation(context, job=event["job"], step=event["step"]):
        logs.about(iteration=event.get("iteration"), shard=event.get("shard"))
        result = run_auto_labeling_step(_engine(), event)
        _log.info("step done", extra={"iteration": result.iteration, "outcome": result.outcome})
        return result.answer()


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return engine_from_environment(learner_of)
