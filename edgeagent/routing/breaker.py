"""One target's breaker: closed, open, half-open.

    closed ── too many failures, a refused credential, Retry-After ──▶ open
    open ── its time has passed, or the credential has changed ──▶ half-open
    half-open ── the one probe succeeded ──▶ closed;  it failed ──▶ open, for longer

Open, nothing is asked of the target. Half-open, one attempt at a time: the probe.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from edgeagent.errors import ConfigurationError
from edgeagent.routing.window import Window

__all__ = ["Admission", "Breaker", "BreakerPolicy", "BreakerState", "Failure"]

BreakerState = Literal["closed", "open", "half-open"]
Admission = Literal["no", "yes", "probe"]
"""Whether an attempt may begin, and whether it is the half-open breaker's probe."""
Failure = Literal["counts", "at once", "credential"]
"""What a failed attempt says: one of many; the target said when to come back, or refused for everyone; its credential
is refused."""

LONGEST_TOLD: Final = 3600.0
"""Seconds: what a server's Retry-After can open a breaker for."""


@dataclass(frozen=True)
class BreakerPolicy:
    """When a target is left alone, and for how long.

    Args:
        consecutive: so many failures one after the other open it.
        rate: so large a share of the attempts in the window opens it,
        volume: if there were at least so many.
        window: in seconds.
        open_for: the first time it is open for so many seconds; each time the probe fails, for twice as many,
        longest: but no longer than this (or than `open_for`, if that is more).
        jitter: the share of that time which is drawn at random, so that many processes do not come back at once.
        longest_wait: how many seconds a call waits, when all of its targets are open, for the first to be ready;
            never beyond its deadline.

    Raises:
        ConfigurationError: a number is not what it can be.
    """

    consecutive: int = 5
    rate: float = 0.5
    volume: int = 20
    window: float = 30.0
    open_for: float = 1.0
    longest: float = 60.0
    jitter: float = 0.2
    longest_wait: float = 60.0

    def __post_init__(self) -> None:
        for name in ("consecutive", "volume"):
            if getattr(self, name) < 1:
                raise ConfigurationError(f"BreakerPolicy: {name} must be at least 1; got {getattr(self, name)!r}.")
        for name in ("window", "open_for", "longest"):
            if not getattr(self, name) > 0:
                raise ConfigurationError(f"BreakerPolicy: {name} must be more than 0; got {getattr(self, name)!r}.")
        for name in ("rate", "jitter"):
            if not 0 <= getattr(self, name) <= 1:
                raise ConfigurationError(f"BreakerPolicy: {name} lies between 0 and 1; got {getattr(self, name)!r}.")


class Breaker:
    """The state machine, on a clock that is told. Not thread-safe: whoever owns it holds a lock.

    Args:
        policy: its numbers; None: it counts, and never opens.
        random: gives numbers of 0 up to 1.
    """

    __slots__ = (
        "_consecutive",
        "_credential",
        "_opened",
        "_opens",
        "_policy",
        "_probing",
        "_random",
        "_until",
        "_window",
    )

    def __init__(self, policy: BreakerPolicy | None, random: Callable[[], float]) -> None:
        self._opens = policy is not None
        self._policy = policy = policy or BreakerPolicy()
        self._random = random
        self._window = Window(policy.window)
        self._probing = False
        self.reset()

    def reset(self) -> None:
        """Close it and forget what was counted."""
        self._consecutive = 0
        self._opened = 0  # how often in a row, without a success between
        self._until: float | None = None  # open until then, and half-open after; None: closed
        self._credential: object = None  # the one that was refused
        self._probing = False
        self._window.clear()

    def state(self, now: float, credential: object = None) -> BreakerState:
        """What it is now, if that is the target's credential now."""
        if self._until is None:
            return "closed"
        return "open" if now < self.ready_at(credential) else "half-open"

    def ready_at(self, credential: object = None) -> float:
        """When the next probe may be made; infinity while a refused credential has not changed."""
        if self._until is None or (self._credential is not None and credential != self._credential):
            return -math.inf
        return self._until

    @property
    def closed(self) -> bool:
        """Whether nothing holds it back, whatever the time and the credential."""
        return self._until is None

    @property
    def probing(self) -> bool:
        """Whether the probe is under way."""
        return self._probing

    def admit(self, now: float, credential: object = None, *, early: bool = False, beside: bool = False) -> Admission:
        """Whether an attempt may begin. Half-open, that is the probe, and the next is not before this one has ended.

        Args:
            now: the time.
            credential: the target's.
            early: whether it may be the probe before its time.
            beside: whether it begins even while a probe is under way.
        """
        if self._until is None:
            return "yes"
        if self._probing:
            return "yes" if beside else "no"
        if not early and self.state(now, credential) == "open":
            return "no"
        self._probing = True
        return "probe"

    def succeeded(self, now: float, *, probe: bool = False) -> None:
        """An attempt was answered. One that began before the breaker opened does not close it."""
        self._window.add(ok=True, now=now)
        self._consecutive = 0
        if probe:
            self.reset()

    def failed(
        self,
        now: float,
        kind: Failure = "counts",
        retry_after: float | None = None,
        credential: object = None,
        *,
        probe: bool = False,
    ) -> None:
        """An attempt failed in a way that tells about the target.

        Args:
            now: the time.
            kind: what it tells.
            retry_after: seconds for which the target asked to be left alone.
            credential: with `kind="credential"`, the one that was refused; None: one that may be another next time.
            probe: whether it was the probe.
        """
        self._window.add(ok=False, now=now)
        self._consecutive += 1
        if probe:
            self._probing = False
        if not self._opens:
            return
        if kind == "credential" and credential is not None:
            self._until, self._credential = math.inf, credential
        elif self._credential is not None and not probe:
            return  # of an attempt from before; what was refused is still refused
        elif retry_after is not None:
            self._open(now, min(retry_after, LONGEST_TOLD))
        elif probe or (self._until is None and (kind != "counts" or self._too_many(now))):
            self._opened += 1
            self._open(now, self._time())

    def undone(self) -> None:
        """The probe ended without telling anything: cancelled, or refused for the request's own sake."""
        self._probing = False

    def counts(self, now: float) -> tuple[int, int]:
        """How many attempts there were in the window, and how many failed."""
        return self._window.counts(now)

    def _too_many(self, now: float) -> bool:
        policy = self._policy
        if self._consecutive >= policy.consecutive:
            return True
        total, failed = self._window.counts(now)
        return total >= policy.volume and failed >= policy.rate * total

    def _open(self, now: float, seconds: float) -> None:
        until, self._credential = now + seconds, None
        refused = self._until is None or self._until == math.inf
        self._until = until if refused or self._until is None else max(self._until, until)

    def _time(self) -> float:
        policy = self._policy
        longest = max(policy.longest, policy.open_for)
        seconds = min(policy.open_for * 2.0 ** min(self._opened - 1, 64), longest)
        return seconds * (1 - policy.jitter * self._random())
