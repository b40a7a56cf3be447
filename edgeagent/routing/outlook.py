"""What a router is told: of this call, and of its targets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import inf

from edgeagent.routing.health import Health, TargetHealth
from edgeagent.tokens import Estimate
from edgeagent.types import Target

__all__ = ["Outlook"]


@dataclass(frozen=True, slots=True)
class Outlook:
    """The `health` argument of `Router.plan`. What costs work to know is worked out when it is asked for.

    Args:
        health: every target's state.
        tags: the call's.
        stream: whether a stream was asked for.
        tokens: the input tokens that this request has at a target.
        output: the output tokens that are expected of it: learned per model, the request's own limit at most.
        price: the US dollars that this request is expected to cost there; None where no price is known.
        window: a target's context window in tokens; None where not known.
        looking: whether nobody will be asked: turns are shown, not taken.
    """

    health: Health
    tags: tuple[str, ...] = ()
    stream: bool = False
    tokens: Callable[[Target], Estimate] = lambda _: Estimate(0, 1.0, 0)
    output: Callable[[Target], int] = lambda _: 0
    price: Callable[[Target], Decimal | None] = lambda _: None
    window: Callable[[Target], int | None] = lambda _: None
    looking: bool = False

    def random(self) -> float:
        """A number of 0 up to 1: what routers that draw stand on, so that they hold no state of their own."""
        return self.health.random()

    def turn(self, key: object) -> int:
        """0, 1, 2, … for the calls that ask with one key: what routers that take turns stand on."""
        return self.health.turn(key, looking=self.looking)

    def clock(self) -> float:
        """Monotonic seconds."""
        return self.health.clock()

    def of(self, target: Target) -> TargetHealth:
        """A target's load, latencies and breaker."""
        return self.health.of(target)

    def available(self, target: Target) -> bool:
        """Whether its breaker would let an attempt begin now."""
        breaker = self.health.of(target).breaker
        if breaker.closed:
            return True
        state = breaker.state(self.clock(), self.health.credential(target))
        return state == "half-open" and not breaker.probing

    def latency(self, target: Target, share: float = 0.5) -> float | None:
        """Seconds that this request is expected to take, at a quantile; None where nothing was measured.

        For a stream, the time to its first content and that of its tokens; else the time of whole answers where any
        were measured.
        """
        health = self.health.of(target)
        first, whole = health.first_token.quantile(share), health.whole.quantile(share)
        if first is None or (whole is not None and not self.stream):
            return whole
        return first + (health.per_token.quantile(share) or 0.0) * self.output(target)

    def busy_latency(self, target: Target, share: float = 0.5) -> float | None:
        """`latency`, or the mean age of what is under way if that is more, for each attempt under way and this one."""
        latency, state = self.latency(target, share), self.health.of(target)
        return None if latency is None else max(latency, state.age(self.clock()), 1e-9) * (1 + state.load)

    def measured(self, target: Target) -> float:
        """When a latency of the target was last measured; before everything else if never."""
        state = self.health.of(target)
        return max(*(-inf if at is None else at for at in (state.whole.last, state.first_token.last)))

    def failure_rate(self, target: Target) -> float:
        """The share of the attempts in the breaker's window that failed; 0 if there were none."""
        total, failed = self.health.of(target).breaker.counts(self.clock())
        return failed / total if total else 0.0
