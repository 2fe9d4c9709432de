"""Looks every quarter of an hour for jobs that nothing drives any more."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from groundwork import logs
from groundwork.jobs import job_metrics
from groundwork.jobs.job_store import JobStore
from groundwork.jobs.loop_client import LoopClient
from groundwork.jobs.watching import watch

logs.set_up()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Look once; the log line is the metric that an alarm is on."""
    del event
    with logs.invocation(context):
        watched = watch(JobStore.from_environment(), LoopClient.from_environment())
        job_metrics.watched(watched.stuck, watched.open_jobs, datetime.now(UTC))
        return {"open": watched.open_jobs, "stuck": list(watched.stuck)}
