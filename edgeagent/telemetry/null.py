"""Observers that do nothing: bases for those that care about some of what happens."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from edgeagent.telemetry.base import CallEnded, CallStarted, Observation
from edgeagent.types import Attempt, Target

__all__ = ["NullObservation", "NullObserver"]


class NullObservation:
    """An `Observation` whose methods do nothing."""

    __slots__ = ()

    def attempt(self, attempt: Attempt, error: BaseException | None) -> None:
        """An attempt has ended."""

    def retry(self, target: Target, delay: float) -> None:
        """The same target will be tried again."""

    def fallback(self, failed: Target, target: Target) -> None:
        """The next target will be tried."""

    def end(self, event: CallEnded) -> None:
        """The call has ended."""

    def activate(self) -> AbstractContextManager[Any] | None:
        """No context."""
        return None


class NullObserver:
    """An `Observer` that cares about no call and no tier."""

    def start(self, event: CallStarted) -> Observation | None:
        """Not interested."""

    def cache_lookup(self, tier: str, *, hit: bool) -> None:
        """A tier was asked."""

    def cache_fault(self, tier: str, error: BaseException) -> None:
        """A tier failed."""
