"""Custom::WorkerAccess behind the CDK's Provider framework."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from groundwork import logs
from groundwork.custom_resources.worker_access import WorkerAccess
from groundwork.service_client import ServiceClient

logs.set_up()


def on_event(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Name the resource that an event is about."""
    with logs.invocation(context, **logs.of_resource(event)):
        return _resource().on_event(event)


def is_complete(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Do what the event asks for; it never takes a second call unless a workforce has no host."""
    with logs.invocation(context, **logs.of_resource(event)):
        return _resource().is_complete(event)


@lru_cache(maxsize=1)
def _resource() -> WorkerAccess:
    return WorkerAccess(
        ServiceClient.from_environment("cognito-idp"),
        ServiceClient.from_environment("sns"),
        lambda: datetime.now(UTC),
    )
