"""The steps of a labeling job's loop, called by the state machine."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from groundwork.jobs.function_client import FunctionClient
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop import run_step
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.notice_client import NoticeClient
from groundwork.jobs.steps import Engine
from groundwork.role_client import job_session_name
from groundwork.s3_client import S3Client

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
