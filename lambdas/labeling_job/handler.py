"""Custom::LabelingJob behind the CDK's Provider framework."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from groundwork import logs
from groundwork.contract.arns import Arn
from groundwork.contract.labeling_client import labeling_client
from groundwork.custom_resources.labeling_job import LabelingJobResource
from groundwork.preflight.preflight_client import PreflightClient
from groundwork.service_client import ServiceClient

logs.set_up()


def on_event(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Decide which labeling job an event is about."""
    with logs.invocation(context, **logs.of_resource(event)):
        return _resource(_account(context)).on_event(event)


def is_complete(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Start or stop the job, and tell whether that is finished."""
    with logs.invocation(context, **logs.of_resource(event)):
        return _resource(_account(context)).is_complete(event)


def _account(context: Any) -> str:
    return Arn.parse(context.invoked_function_arn).account


@lru_cache(maxsize=1)
def _resource(account: str) -> LabelingJobResource:
    region = os.environ["AWS_REGION"]
    return LabelingJobResource(
        ServiceClient(labeling_client()),
        PreflightClient.from_environment(region, account).findings,
        clock=lambda: datetime.now(UTC),
        sleep=time.sleep,
        region=region,
        account=account,
    )
