"""Who watches a run: an observer that counts, and an ear for everything that is complained of aside."""

from __future__ import annotations

import logging
import sys
import threading
from collections import Counter
from decimal import Decimal
from types import TracebackType
from typing import Any

from typing_extensions import Self

from edgeagent.telemetry.base import CallEnded, CallStarted
from edgeagent.telemetry.null import NullObservation, NullObserver
from edgeagent.types import Attempt

__all__ = ["Complaints", "Watch"]


class Seen(NullObservation):
    """One call."""

    def __init__(self) -> None:
        self.ends: list[CallEnded] = []
        self.attempts: list[Attempt] = []

    def attempt(self, attempt: Attempt, error: BaseException | None) -> None:
        self.attempts.append(attempt)

    def end(self, event: CallEnded) -> None:
        self.ends.append(event)


class Watch(NullObserver):
    """Every call, and how often its end was told."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []

    def start(self, event: CallStarted) -> Seen:
        seen = Seen()
        self.seen.append(seen)
        return seen

    def ends(self) -> Counter[int]:
        """How many calls had their end told so many times: all of them once."""
        return Counter(len(seen.ends) for seen in self.seen)

    def attempts(self) -> Counter[str]:
        """Attempts that were told, by provider."""
        return Counter(attempt.target.provider for seen in self.seen for attempt in seen.attempts)

    def retries(self) -> Counter[str]:
        """Attempts at a target that the same call had asked before, by provider."""
        return Counter(
            name
            for seen in self.seen
            for name, count in Counter(attempt.target.provider for attempt in seen.attempts).items()
            for _ in range(count - 1)
        )

    def untold(self) -> int:
        """Attempts that were given up under way, and so not told: at most one of each call that was."""
        return sum(
            all(end.completion is None and end.error is None for end in seen.ends)
            and not any(attempt.outcome == "ok" for attempt in seen.attempts)
            for seen in self.seen
        )

    def cost(self) -> Decimal:
        """What the calls say they cost, in US dollars."""
        return sum((end.edge.cost_usd or Decimal(0) for seen in self.seen for end in seen.ends), Decimal(0))


class Complaints(logging.Handler):
    """What nobody was told: exceptions of threads and finalizers, warnings and errors in the log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.name}: {record.getMessage()}")

    def __enter__(self) -> Self:
        self._hooks: tuple[Any, Any] = (sys.unraisablehook, threading.excepthook)
        sys.unraisablehook = lambda told: self.heard.append(f"not raised: {told.exc_value!r} in {told.object!r}")
        threading.excepthook = lambda told: self.heard.append(f"in a thread: {told.exc_value!r}")
        for name in ("edgeagent", "asyncio", "trio"):
            logging.getLogger(name).addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sys.unraisablehook, threading.excepthook = self._hooks
        for name in ("edgeagent", "asyncio", "trio"):
            logging.getLogger(name).removeHandler(self)
