"""The steps of a labeling job's loop, called by the state machine."""

import logging
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from groundwork.jobs.deployed import engine_from_environment
from groundwork.jobs.loop import run_step
from groundwork.jobs.steps import Engine

logging.getLogger().setLevel(logging.INFO)
_log = logging.getLogger(__name__)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Run one step and return where the loop is after it."""
    result = run_step(_engine(), event)
    _log.info(
        "step done: job=%s step=%s iteration=%s outcome=%s",
        result.job,
        event["step"],
        result.iteration,
        result.outcome,
    )
    return result.answer()


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return engine_from_environment()
