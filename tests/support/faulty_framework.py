"""The CDK's Provider framework around a custom resource whose function has accidents."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from groundwork.service import Service, ServiceRefusedError
from tests.support.fake_services import FakeClock
from tests.support.faults import WHENS, When
from tests.support.job_fakes import CrashError


class Resource(Protocol):
    """A custom resource's two verbs."""

    def on_event(self, event: Mapping[str, Any]) -> dict[str, Any]: ...

    def is_complete(self, event: Mapping[str, Any]) -> dict[str, Any]: ...


class FaultyFramework(ABC):
    """Runs events to their end, while the function dies, is throttled, or is called twice.

    ``dies_at`` and ``is_throttled_at`` are numbers of the calls that the function makes of the
    services that are watched; ``calls`` is how many there were, ``throttled`` how many of them
    were refused. With ``twice`` every event comes twice.

    Parameters
    ----------
    meanwhile
        What goes on while the framework waits to look again.
    """

    def __init__(self, clock: FakeClock, meanwhile: Callable[[], None] = lambda: None) -> None:
        self.dies_at: tuple[int, When] | None = None
        self.is_throttled_at: int | None = None
        self.twice = False
        self.calls = self.throttled = 0
        self._clock = clock
        self._meanwhile = meanwhile
        self._begins = False

    def watch(self, service: Service) -> None:
        """Count a service's calls, and let the accidents happen at them."""
        ask = service.call

        def call(operation: str, **parameters: Any) -> dict[str, Any]:
            self.calls += 1
            number = self.calls
            if self.dies_at == (number, "before"):
                raise CrashError
            # The framework tries only the waiting again.
            if number == self.is_throttled_at and not self._begins:
                self.throttled += 1
                raise ServiceRefusedError(operation, "Throttling", "not now", is_passing=True)
            answer = ask(operation, **parameters)
            if self.dies_at == (number, "after"):
                raise CrashError
            return answer

        service.call = call  # type: ignore[method-assign]  # wraps it

    @abstractmethod
    def life(self) -> None:
        """Create a stack, change it, destroy it, and check what there is after each."""

    def run(self, resource: Resource, event: Mapping[str, Any]) -> str:
        """Run one of CloudFormation's requests to its end; return the physical id."""
        self._begins = True
        started = self._insist(resource.on_event, event)
        self._begins = False
        full = {**event, **started}
        for _ in range(50):
            answer = self._insist(resource.is_complete, full)
            if answer["IsComplete"]:
                return str(full["PhysicalResourceId"])
            self._meanwhile()
            self._clock.pass_by(seconds=5)
        raise AssertionError("the operation does not end")

    def _insist(self, act: Callable[[Any], dict[str, Any]], event: Any) -> dict[str, Any]:
        for _ in range(3):
            try:
                answer = act(event)
            except CrashError:
                continue
            if self.twice:
                again = act(event)
                assert again.get("PhysicalResourceId") == answer.get("PhysicalResourceId")
                return again
            return answer
        raise AssertionError("the function died every time")


Deployment = TypeVar("Deployment", bound=FaultyFramework)


def lives_with_crashes(make: Callable[[], Deployment]) -> Iterator[Deployment]:
    """Let the function die before and after each call that it makes, in a life of its own."""
    for number in range(1, _calls_in(make) + 1):
        for when in WHENS:
            deployment = make()
            deployment.dies_at = number, when
            deployment.life()
            yield deployment


def lives_with_throttling(make: Callable[[], Deployment]) -> Iterator[Deployment]:
    """Let each call be refused once, in a life of its own."""
    for number in range(1, _calls_in(make) + 1):
        deployment = make()
        deployment.is_throttled_at = number
        deployment.life()
        yield deployment


def _calls_in(make: Callable[[], FaultyFramework]) -> int:
    deployment = make()
    deployment.life()
    return deployment.calls
