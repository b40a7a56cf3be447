"""What a shield is made of: detectors and guards that can be asked, or an error when it is made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from inspect import iscoroutinefunction
from typing import Any

from edgeagent.errors import ConfigurationError
from edgeagent.shield.base import Detector
from edgeagent.shield.guards import Guard

__all__ = ["detectors_of", "guards_of"]


def detectors_of(detectors: Sequence[Detector]) -> tuple[Detector, ...]:
    """Objects that find. Raises `ConfigurationError` for anything else."""
    found = _objects("detectors", detectors)
    for detector in found:
        if isinstance(detector, str) or not callable(getattr(detector, "find", None)):  # which a text has, too
            raise ConfigurationError(
                f"shield: a detector needs a find(text) method; {type(detector).__name__} has none."
            )
        _blocking(detector, "find")
    return found


def guards_of(guards: Sequence[Guard]) -> tuple[Guard, ...]:
    """Objects that guard. Raises `ConfigurationError` for anything else."""
    found = _objects("guards", guards)
    for guard in found:
        if not any(callable(getattr(guard, name, None)) for name in ("before", "after", "models", "approve")):
            raise ConfigurationError(
                f"shield: a guard needs before, after, models or approve; {type(guard).__name__} has none."
            )
        _blocking(guard, "before", "after", "models", "rehearse", "repair")
    return found


def _objects(name: str, given: Any) -> tuple[Any, ...]:
    """The objects in a list."""
    if not isinstance(given, Iterable):
        raise ConfigurationError(f"shield: {name}= takes a list; got {type(given).__name__}.")
    found = tuple(given)
    for one in found:
        if isinstance(one, type):
            raise ConfigurationError(f"shield: {name}= takes objects; {one.__name__} is a class: call it.")
    return found


def _blocking(part: Any, *names: str) -> None:
    """Refuse a method that is async: nobody would await it, and it would look at nothing."""
    for name in names:
        if iscoroutinefunction(getattr(part, name, None)):
            raise ConfigurationError(f"shield: {type(part).__name__}.{name} must not be async.")
