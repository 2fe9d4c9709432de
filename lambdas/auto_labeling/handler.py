"""The steps of automated labeling that look at pictures, called by the state machine."""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from groundwork.autolabel.learners import learner_of
from groundwork.jobs.auto_labeling_loop import run_auto_labeling_step
from groundwork.jobs.deployed import engine_from_environment
from groundwork.jobs.steps import Engine

logging.getLogger().setLevel(logging.INFO)
_log = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Run one step, on one shard if it names one, and return where the loop is after it."""
    result = run_auto_labeling_step(_engine(), event)
    _log.info(
        "step done: job=%s step=%s iteration=%s shard=%s outcome=%s",
        result.job,
        event["step"],
        result.iteration,
        event.get("shard"),
        result.outcome,
    )
    return result.answer()


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return engine_from_environment(learner_of)
