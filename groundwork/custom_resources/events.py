"""CloudFormation's events as the CDK's Provider framework passes them on."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from groundwork.custom_resources.failure import ResourceFailureError, failure
from groundwork.service import ServiceRefusedError

_logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# on_event's answer reaches is_complete, so the start of an operation survives between its calls.
_STARTED_AT = "GroundworkStartedAt"


@dataclass(frozen=True)
class ResourceEvent:
    """One request about one custom resource.

    Parameters
    ----------
    physical_id
        None only in the ``on_event`` of a Create.
    started_at
        When ``on_event`` ran; None while it runs.
    """

    request_type: str
    resource_type: str
    stack_id: str
    logical_id: str
    request_id: str
    physical_id: str | None
    properties: Mapping[str, Any]
    old_properties: Mapping[str, Any]
    started_at: datetime | None

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "ResourceEvent":
        """Read an event of ``on_event`` or ``is_complete``."""
        started_at = event.get(_STARTED_AT)
        return cls(
            request_type=event["RequestType"],
            resource_type=event["ResourceType"],
            stack_id=event["StackId"],
            logical_id=event["LogicalResourceId"],
            request_id=event["RequestId"],
            physical_id=event.get("PhysicalResourceId"),
            properties=event.get("ResourceProperties") or {},
            old_properties=event.get("OldResourceProperties") or {},
            started_at=datetime.fromisoformat(started_at) if started_at else None,
        )

    def text(self, name: str) -> str:
        """Return a property that has to be there."""
        value = self.properties.get(name)
        if value is None or value == "":
            raise failure(
                f"{self.resource_type} {self.logical_id} lacks the property {name}.",
                to_do="set it in the template.",
            )
        return str(value)

    def flag(self, name: str) -> bool:
        """Return a yes-or-no property; CloudFormation sends booleans as text."""
        return str(self.properties.get(name, "false")).lower() == "true"

    def is_overdue(self, now: datetime, bound: timedelta) -> bool:
        """Tell whether the operation has been going on for longer than it may."""
        return self.started_at is not None and now - self.started_at > bound


def started(physical_id: str, now: datetime) -> dict[str, Any]:
    """Return ``on_event``'s answer: the physical id, and when the work started."""
    return {"PhysicalResourceId": physical_id, _STARTED_AT: now.isoformat()}


def waiting() -> dict[str, Any]:
    """Return ``is_complete``'s answer while something is not ready yet."""
    return {"IsComplete": False}


def done(**attributes: str) -> dict[str, Any]:
    """Return ``is_complete``'s last answer, with the resource's attributes if it has any."""
    return {"IsComplete": True, "Data": attributes} if attributes else {"IsComplete": True}


def looking_again(
    step: Callable[[ResourceEvent], dict[str, Any]],
    request: ResourceEvent,
    clock: Clock,
    bound: timedelta,
) -> dict[str, Any]:
    """Do what ``is_complete`` is to do; wait instead where a service's refusal will pass.

    A stack's destruction, above all, is not to fail of a service's bad minute.

    Parameters
    ----------
    bound
        How long after the operation's start a refusal is taken for one that does not pass.
    """
    try:
        return step(request)
    except ResourceFailureError as error:
        said = error.__cause__
        passes = isinstance(said, ServiceRefusedError) and said.is_passing
        if not passes or request.is_overdue(clock(), bound):
            raise
        _logger.warning("looking again after %s", said)
        return waiting()
