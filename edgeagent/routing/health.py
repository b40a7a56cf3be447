"""What is known of each target from its attempts: breaker, retry budget, load, latencies, last error.

Fed by the attempts, read by routers, shown by `client.health()`. Shared by all views of a client. Every step takes
constant time under one short lock for each target.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edgeagent.routing.breaker import Admission, Breaker, BreakerPolicy, BreakerState, Failure
from edgeagent.routing.quantile import DecayedQuantiles
from edgeagent.routing.retry_budget import RetryBudget
from edgeagent.signal import Signal
from edgeagent.types import Target

__all__ = ["Health", "LastError", "Latency", "Probe", "TargetHealth", "TargetReport"]

HALF_LIFE: Final = 10.0
"""Seconds after which a measured latency counts half of a new one."""
REMEMBERED: Final = 1024
"""How many targets are kept; models are named by callers and must not grow memory without end."""


@dataclass(frozen=True, slots=True)
class LastError:
    """The last failure: the exception's class and the HTTP status; never its text. `seconds_ago` since then."""

    kind: str
    status: int | None
    seconds_ago: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Decayed quantiles in seconds; None where nothing was measured."""

    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class TargetReport:
    """One target as `client.health()` shows it.

    `requests` and `failures` are those of the breaker's window; `load` is the attempts under way; `ready_in` the
    seconds until an open breaker lets a probe through, None if only another credential or a reset does.
    """

    target: Target
    breaker: BreakerState
    ready_in: float | None
    requests: int
    failures: int
    load: int
    retry_tokens: float
    first_token: Latency
    """Time to the first content of a stream."""
    per_token: Latency
    """Time for each output token after the first content."""
    whole: Latency
    """Time to a whole, unstreamed answer."""
    last_error: LastError | None


class Probe(Signal):
    """The end of a half-open breaker's probe, to be waited for."""

    __slots__ = ("thread",)

    def __init__(self) -> None:
        super().__init__()
        self.thread = threading.get_ident()
        """Whose attempt it is: a blocking call of the same thread must not wait for it."""


class TargetHealth:
    """One target. Thread-safe; times are seconds of the monotonic clock."""

    __slots__ = ("_lock", "_starts", "breaker", "budget", "error", "first_token", "load", "per_token", "probe", "whole")

    def __init__(self, policy: BreakerPolicy | None, random: Callable[[], float]) -> None:
        self._lock = threading.Lock()
        self.breaker = Breaker(policy, random)
        self.budget = RetryBudget()
        self.load = 0
        self._starts = 0.0  # the sum of the times at which what is under way began
        self.first_token = DecayedQuantiles(HALF_LIFE)
        self.per_token = DecayedQuantiles(HALF_LIFE)
        self.whole = DecayedQuantiles(HALF_LIFE)
        self.error: tuple[str, int | None, float] | None = None
        self.probe: Probe | None = None

    def begin(
        self,
        now: float,
        credential: object = None,
        *,
        again: bool = False,
        early: bool = False,
        beside: bool = False,
    ) -> Admission:
        """An attempt wants to begin; if it may ("no": the breaker forbids it), it must be ended.

        `again`: it is a retry, which is not held back and does not fill the retry budget. `early` and `beside`: see
        `Breaker.admit`.
        """
        with self._lock:
            admission = self.breaker.admit(now, credential, early=again or early, beside=again or beside)
            if admission == "no":
                return admission
            if not again:
                self.budget.first(now)
            if admission == "probe":
                self.probe = Probe()
            self.load += 1
            self._starts += now
            return admission

    def may_retry(self, now: float) -> bool:
        """Whether the retry budget has a token; it is taken."""
        with self._lock:
            return self.budget.retry(now)

    def succeeded(self, now: float, *, probe: bool = False) -> None:
        """The attempt was answered, or its stream's first content came."""
        with self._lock:
            self.breaker.succeeded(now, probe=probe)
            ended = self._probe_ended(probe)
        _tell(ended)

    def completed(self, now: float, began: float, *, probe: bool = False) -> None:
        """The attempt was answered whole: `succeeded`, `measured` and `ended` in one step."""
        with self._lock:
            self.breaker.succeeded(now, probe=probe)
            self.whole.observe(now - began, now)
            self.load = load = max(0, self.load - 1)
            self._starts = self._starts - began if load else 0.0
            ended = self._probe_ended(probe) if probe else None
        if ended is not None:
            ended.end()

    def failed(
        self,
        now: float,
        error: Exception,
        kind: Failure | None,
        retry_after: float | None = None,
        credential: object = None,
        *,
        probe: bool = False,
    ) -> None:
        """The attempt failed; `kind` None: in a way that tells nothing about the target."""
        with self._lock:
            self.error = (type(error).__name__, getattr(error, "status_code", None), now)
            if kind is not None:
                self.breaker.failed(now, kind, retry_after, credential, probe=probe)
            elif probe:
                self.breaker.undone()
            ended = self._probe_ended(probe)
        _tell(ended)

    def restarted(self, began: float, now: float) -> None:
        """An attempt that was begun at `began` is sent only now."""
        with self._lock:
            self._starts += now - began

    def ended(self, began: float, *, undone_probe: bool = False) -> None:
        """The attempt is no load any more; `undone_probe`: it was the probe, and neither succeeded nor failed."""
        with self._lock:
            self.load = max(0, self.load - 1)
            self._starts = self._starts - began if self.load else 0.0
            if undone_probe:
                self.breaker.undone()
            ended = self._probe_ended(undone_probe)
        _tell(ended)

    def measured(
        self,
        now: float,
        *,
        first_token: float | None = None,
        per_token: float | None = None,
        whole: float | None = None,
    ) -> None:
        """Latencies of one attempt, in seconds."""
        with self._lock:
            if first_token is not None:
                self.first_token.observe(first_token, now)
            if per_token is not None:
                self.per_token.observe(per_token, now)
            if whole is not None:
                self.whole.observe(whole, now)

    def age(self, now: float) -> float:
        """The mean age of what is under way; 0 if nothing is."""
        load = self.load
        return now - self._starts / load if load else 0.0

    def reset(self) -> None:
        """Close the breaker."""
        with self._lock:
            self.breaker.reset()
            ended = self._probe_ended(True)
        _tell(ended)

    def after_fork(self) -> None:
        """In the child: nothing is under way, and no lock is held by a thread that does not exist here."""
        self._lock = threading.Lock()
        self.load, self._starts = 0, 0.0
        self.breaker.undone()
        self.probe = None

    def report(self, target: Target, now: float, credential: object = None) -> TargetReport:
        """What `client.health()` shows."""
        with self._lock:
            ready = self.breaker.ready_at(credential) - now
            requests, failures = self.breaker.counts(now)
            error = self.error
            return TargetReport(
                target=target,
                breaker=self.breaker.state(now, credential),
                ready_in=None if ready == float("inf") else max(0.0, ready),
                requests=requests,
                failures=failures,
                load=self.load,
                retry_tokens=self.budget.tokens,
                first_token=_latency(self.first_token),
                per_token=_latency(self.per_token),
                whole=_latency(self.whole),
                last_error=None if error is None else LastError(error[0], error[1], now - error[2]),
            )

    def _probe_ended(self, probe: bool) -> Probe | None:
        if not probe:
            return None
        ended, self.probe = self.probe, None
        return ended


def _tell(probe: Probe | None) -> None:
    if probe is not None:
        probe.end()


def _latency(quantiles: DecayedQuantiles) -> Latency:
    return Latency(quantiles.quantile(0.5), quantiles.quantile(0.95))


class Health:
    """All targets of one client.

    Args:
        policy: when breakers open; None: never.
        clock: monotonic seconds.
        random: numbers of 0 up to 1.
        credential: what stands for a target's static credential now; None where it has none.
    """

    def __init__(
        self,
        policy: BreakerPolicy | None,
        clock: Callable[[], float],
        random: Callable[[], float],
        credential: Callable[[Target], object] = lambda _: None,
    ) -> None:
        self.policy = policy
        self.clock = clock
        self.random = random
        self.credential = credential
        self._targets: dict[Target, TargetHealth] = {}
        self._turns: dict[object, int] = {}
        self._lock = threading.Lock()

    def of(self, target: Target) -> TargetHealth:
        """One target's; made when first asked for."""
        found = self._targets.get(target)
        if found is None:
            with self._lock:
                if len(self._targets) >= REMEMBERED:
                    self._forget()
                found = self._targets.setdefault(target, TargetHealth(self.policy, self.random))
        return found

    def _forget(self) -> None:
        """Drop those that nothing is under way at, oldest first, to a half."""
        idle = [target for target, health in self._targets.items() if not health.load]
        for target in idle[: REMEMBERED // 2]:
            del self._targets[target]

    def turn(self, key: object, *, looking: bool = False) -> int:
        """0, 1, 2, … for the calls that ask with one key; `looking` tells the next without taking it."""
        with self._lock:
            if len(self._turns) >= REMEMBERED:
                self._turns.clear()
            turn = self._turns.get(key, -1) + 1
            if not looking:
                self._turns[key] = turn
            return turn

    def asked(self) -> Sequence[Target]:
        """Every target that was ever asked."""
        return list(self._targets)

    def report(self) -> dict[str, TargetReport]:
        """Every target that was ever asked, by `"provider/model"`."""
        now = self.clock()
        found = list(self._targets.items())
        return {str(target): health.report(target, now, self.credential(target)) for target, health in found}

    def reset(self) -> None:
        """Close every breaker."""
        for health in list(self._targets.values()):
            health.reset()

    def after_fork(self) -> None:
        """In the child: keep what was learned, with locks of its own and nothing under way."""
        self._lock = threading.Lock()
        for health in self._targets.values():
            health.after_fork()
