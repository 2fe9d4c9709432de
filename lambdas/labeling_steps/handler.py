"""The steps of a labeling job's loop, called by the state machine."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from groundwork.jobs.function_client import FunctionClient
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.notice_client import NoticeClient
from groundwork.jobs.steps import Engine, StepResult
from groundwork.jobs.steps.consolidating import consolidate
from groundwork.jobs.steps.preparation import prepare
from groundwork.jobs.steps.publishing import fail, finish, publish_iteration
from groundwork.jobs.steps.selection import select_batch
from groundwork.jobs.steps.waiting import check_batch, open_batch
from groundwork.role_client import job_session_name
from groundwork.s3_client import S3Client

logging.getLogger().setLevel(logging.INFO)
_log = logging.getLogger(__name__)

Event = Mapping[str, Any]

_STEPS: Mapping[str, Callable[[Engine, Event], StepResult]] = {
    "prepare": lambda engine, event: prepare(engine, event["job"]),
    "select_batch": lambda engine, event: select_batch(engine, event["job"], event["iteration"]),
    "open_batch": lambda engine, event: open_batch(
        engine, event["job"], event["iteration"], event["token"]
    ),
    "check_batch": lambda engine, event: check_batch(engine, event["job"], event["iteration"]),
    "consolidate": lambda engine, event: consolidate(engine, event["job"], event["iteration"]),
    "publish_iteration": lambda engine, event: publish_iteration(
        engine, event["job"], event["iteration"]
    ),
    "finish": lambda engine, event: finish(engine, event["job"], event["iteration"]),
    "fail": lambda engine, event: fail(engine, event["job"], event.get("error")),
}


def handler(event: Event, context: Any) -> dict[str, Any]:
    """Run one step and return where the loop is after it."""
    result = _STEPS[event["step"]](_engine(), event)
    _log.info(
        "step done: job=%s step=%s iteration=%s outcome=%s",
        result.job,
        event["step"],
        result.iteration,
        result.outcome,
    )
    return asdict(result)


@lru_cache(maxsize=1)
def _engine() -> Engine:
    return Engine(
        store=JobStore.from_environment(),
        files_for_job=lambda job: S3Client.for_role(job.role_arn, job_session_name(job.name)),
        functions_for_job=lambda job: FunctionClient.for_role(
            job.role_arn, job_session_name(job.name)
        ),
        loop=LoopClient.from_environment(),
        notices=NoticeClient.from_environment(),
        clock=lambda: datetime.now(UTC),
    )
