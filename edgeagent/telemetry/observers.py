"""Several observers as one, none of which can harm a call.

What an observer raises is logged once under `edgeagent.telemetry` (its class and where, not its text) and otherwise
ignored; the other observers are told all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, TypeVar

from edgeagent.errors import ConfigurationError
from edgeagent.telemetry.base import CallEnded, CallStarted, Observation, Observer
from edgeagent.types import Attempt, Target

__all__ = ["ObserverGroup"]

T = TypeVar("T")

logger = logging.getLogger("edgeagent.telemetry")


class ObserverGroup:
    """Tells each of `observers`, in their order.

    Raises:
        ConfigurationError: one is no observer: it has no `start`.
    """

    def __init__(self, observers: Iterable[Observer]) -> None:
        self.observers = tuple(observers)
        for observer in self.observers:
            if not callable(getattr(observer, "start", None)):
                kind = type(observer).__name__
                raise ConfigurationError(f"observers=: {kind} has no start(): see edgeagent.telemetry.Observer.")
        self._numbered = tuple(enumerate(self.observers))
        self._failed: set[int] = set()

    def start(self, event: CallStarted) -> Observation | None:
        """A call starts; None if no observer cares about it."""
        members: list[tuple[int, Observation]] = []
        for place, observer in self._numbered:
            try:
                observation = observer.start(event)
            except Exception as error:
                self.failed(place, error)
            else:
                if observation is not None:
                    members.append((place, observation))
        return _Group(self, members) if members else None

    def cache_lookup(self, tier: str, *, hit: bool) -> None:
        """A tier was asked."""
        for place, observer in self._numbered:
            try:
                observer.cache_lookup(tier, hit=hit)
            except Exception as error:
                self.failed(place, error)

    def cache_fault(self, tier: str, error: BaseException) -> None:
        """A tier failed."""
        for place, observer in self._numbered:
            try:
                observer.cache_fault(tier, error)
            except Exception as fault:
                self.failed(place, fault)

    def budget_reached(self, event: object) -> None:
        """A share of a budget has been reached: told to those observers that have a method of that name."""
        for place, observer in self._numbered:
            method = getattr(observer, "budget_reached", None)
            try:
                if method is not None:
                    method(event)
            except Exception as error:
                self.failed(place, error)

    def failed(self, place: int, error: Exception) -> None:
        """Log an observer's first fault."""
        if place in self._failed:
            return
        self._failed.add(place)
        name = type(self.observers[place]).__qualname__
        logger.warning("observer %s raised %s; further faults of it are not logged", name, type(error).__qualname__)
        logger.debug("the fault of observer %s", name, exc_info=error)


class _Group:
    """One call, as all observers see it."""

    __slots__ = ("_group", "_members")

    def __init__(self, group: ObserverGroup, members: list[tuple[int, Observation]]) -> None:
        self._group = group
        self._members = members

    def attempt(self, attempt: Attempt, error: BaseException | None) -> None:
        self._tell(lambda observation: observation.attempt(attempt, error))

    def retry(self, target: Target, delay: float) -> None:
        self._tell(lambda observation: observation.retry(target, delay))

    def fallback(self, failed: Target, target: Target) -> None:
        self._tell(lambda observation: observation.fallback(failed, target))

    def end(self, event: CallEnded) -> None:
        for place, observation in self._members:  # as `_tell`, without a call between: this is on every call's path
            try:
                observation.end(event)
            except Exception as error:
                self._group.failed(place, error)

    def activate(self) -> AbstractContextManager[Any] | None:
        contexts: list[tuple[int, AbstractContextManager[Any]]] = []
        for place, observation in self._members:
            try:
                context = observation.activate()
            except Exception as error:
                self._group.failed(place, error)
            else:
                if context is not None:
                    contexts.append((place, context))
        return _Contexts(self._group, contexts) if contexts else None

    def _tell(self, what: Callable[[Observation], None]) -> None:
        for place, observation in self._members:
            try:
                what(observation)
            except Exception as error:
                self._group.failed(place, error)


class _Contexts:
    """Several contexts as one, which neither raises nor swallows anything."""

    def __init__(self, group: ObserverGroup, contexts: list[tuple[int, AbstractContextManager[Any]]]) -> None:
        self._group = group
        self._contexts = contexts
        self._entered: list[tuple[int, AbstractContextManager[Any]]] = []

    def __enter__(self) -> None:
        for place, context in self._contexts:
            try:
                context.__enter__()
            except Exception as error:
                self._group.failed(place, error)
            else:
                self._entered.append((place, context))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while self._entered:
            place, context = self._entered.pop()
            try:
                context.__exit__(kind, error, traceback)
            except Exception as fault:
                if fault is not error:
                    self._group.failed(place, fault)
