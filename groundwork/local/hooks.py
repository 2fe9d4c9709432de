"""Guarded ways to change one behaviour of the emulator: a hook that no longer fits says so."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from ministack.services.cloudformation import provisioners

Applied = Callable[[str, dict[str, Any], dict[str, Any]], None]


class EmulatorChangedError(Exception):
    """The emulator has no place any more where a correction could be put."""


def wrap(
    owner: Any, name: str, replacement: Callable[..., Any], parameters: tuple[str, ...]
) -> None:
    """Put `replacement(original, *args, **kwargs)` in the place of `owner.name`.

    Parameters
    ----------
    parameters
        The first parameters that the original must have, by name.

    Raises
    ------
    EmulatorChangedError
        When the original is missing or takes other parameters.
    """
    place = f"{getattr(owner, '__module__', owner.__name__)}.{name}"
    original = getattr(owner, name, None)
    if not callable(original):
        raise EmulatorChangedError(f"{place} does not exist")
    seen = tuple(inspect.signature(original).parameters)[: len(parameters)]
    if seen != parameters:
        raise EmulatorChangedError(f"{place} takes {seen}, not {parameters}")

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return replacement(original, *args, **kwargs)

    setattr(owner, name, wrapped)


def after_resource(resource_type: str, apply: Applied) -> None:
    """Call `apply(physical_id, properties, attributes)` after creates and updates of a type.

    Raises
    ------
    EmulatorChangedError
        When the emulator has no handlers for the type.
    """
    handlers = provisioners._RESOURCE_HANDLERS.get(resource_type, {})
    create, update = handlers.get("create"), handlers.get("update")
    if create is None or update is None:
        raise EmulatorChangedError(f"no create and update handlers for {resource_type}")

    def created(logical_id: str, properties: dict[str, Any], *rest: Any) -> Any:
        physical_id, attributes = create(logical_id, properties, *rest)
        apply(physical_id, properties, attributes)
        return physical_id, attributes

    def updated(
        physical_id: str, old: dict[str, Any], properties: dict[str, Any], *rest: Any
    ) -> Any:
        physical_id, attributes = update(physical_id, old, properties, *rest)
        apply(physical_id, properties, attributes)
        return physical_id, attributes

    handlers["create"], handlers["update"] = created, updated
