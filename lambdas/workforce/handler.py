"""Custom::Workforce, ::Workteam and ::AdoptedWorkforce behind the CDK's Provider framework."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from groundwork import logs
from groundwork.contract.arns import Arn
from groundwork.contract.labeling_client import labeling_client
from groundwork.custom_resources.workforce import (
    AdoptedWorkforceResource,
    WorkforceResource,
    WorkteamResource,
)
from groundwork.service_client import ServiceClient

logs.set_up()

Resource = WorkforceResource | WorkteamResource | AdoptedWorkforceResource


def on_event(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Name the resource that an event is about."""
    with logs.invocation(context, **logs.of_resource(event)):
        return _resource(event, context).on_event(event)


def is_complete(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Do what the event asks for, and tell whether that is finished."""
    with logs.invocation(context, **logs.of_resource(event)):
        return _resource(event, context).is_complete(event)


def _resource(event: Mapping[str, Any], context: Any) -> Resource:
    resources = _resources(Arn.parse(context.invoked_function_arn).account)
    return resources[event["ResourceType"]]


@lru_cache(maxsize=1)
def _resources(account: str) -> Mapping[str, Resource]:
    labeling = ServiceClient(labeling_client())
    region = os.environ["AWS_REGION"]
    return {
        "Custom::Workforce": WorkforceResource(labeling, _now, region, account),
        "Custom::Workteam": WorkteamResource(labeling, _now, region, account),
        "Custom::AdoptedWorkforce": AdoptedWorkforceResource(labeling, _now),
    }


def _now() -> datetime:
    return datetime.now(UTC)
