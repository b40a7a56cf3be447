"""Routers on a simulated fleet: `python -m benchmarks.fleet`.

Five targets answer in log-normal times around a median of their own, a few requests at once each; what is more waits
for a place. Calls arrive at random (Poisson). Nothing sleeps: events are run in the order of a virtual clock, from a
seed, so that the figures are the same wherever this is run. Two questions:

- What is the 95th percentile of the whole time of a call under each router?
- One target slows down to ten times its time for a while. How long until a router sends it less than half its fair
  share, how long until it is used again after it has recovered, and what is the 95th percentile meanwhile?
"""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from edgeagent.routing import Router
from edgeagent.routing.health import Health
from edgeagent.routing.outlook import Outlook
from edgeagent.routing.strategies import router_named
from edgeagent.types import ChatRequest, Target

SEED: Final = 7
SECONDS: Final = 300.0
RATE: Final = 12.0
"""Calls a second; all places together hold about twenty at the medians below."""
MEDIANS: Final = {"one": 0.4, "two": 0.6, "three": 0.8, "four": 1.2, "five": 1.6}
PLACES: Final = 6
SLOW: Final = ("two", 100.0, 160.0, 10.0)
"""Which target slows down, from when to when, how many times."""
ROUTERS: Final = ("round-robin", "weighted", "least-busy", "latency", "hybrid")
REQUEST: Final = ChatRequest(model="m", messages=[{"role": "user", "content": "x"}])


@dataclass
class Place:
    """One target: what it is at, and who waits."""

    median: float
    busy: int = 0
    waiting: deque[tuple[float, int]] = field(default_factory=deque)


@dataclass(frozen=True)
class Done:
    """One call: when it came, whom it was sent to, how long it took."""

    began: float
    target: str
    took: float


class Fleet:
    """A run of one router."""

    def __init__(self, router: Router, *, slows: bool, seed: int = SEED) -> None:
        self.now = 0.0
        self._router = router
        self._slows = slows
        self._random = random.Random(seed)
        draws = random.Random(seed + 1)
        self._health = Health(None, lambda: self.now, draws.random)
        self._outlook = Outlook(self._health)
        self._targets = [Target(name, "m") for name in MEDIANS]
        self._places = {target: Place(MEDIANS[target.provider]) for target in self._targets}
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._number = 0
        self.done: list[Done] = []

    def run(self) -> list[Done]:
        """Every call, in the order in which they ended."""
        self._at(self._random.expovariate(RATE), self._arrive)
        while self._events:
            self.now, _, happen = heapq.heappop(self._events)
            happen()
        return self.done

    def _at(self, when: float, happen: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (when, self._number, happen))

    def _arrive(self) -> None:
        if self.now > SECONDS:
            return
        self._at(self.now + self._random.expovariate(RATE), self._arrive)
        target = self._router.plan(REQUEST, self._targets, self._outlook)[0]
        self._health.of(target).begin(self.now)
        self._places[target].waiting.append((self.now, self._number))
        self._serve(target)

    def _serve(self, target: Target) -> None:
        place = self._places[target]
        while place.waiting and place.busy < PLACES:
            began, _ = place.waiting.popleft()
            place.busy += 1
            self._at(self.now + self._time(target), lambda began=began: self._end(target, began))  # type: ignore[misc]

    def _time(self, target: Target) -> float:
        name, since, until, times = SLOW
        slow = self._slows and target.provider == name and since <= self.now < until
        return self._places[target].median * self._random.lognormvariate(0, 0.35) * (times if slow else 1.0)

    def _end(self, target: Target, began: float) -> None:
        self._places[target].busy -= 1
        took = self.now - began
        health = self._health.of(target)
        health.measured(self.now, whole=took)
        health.succeeded(self.now)
        health.ended(began)
        self.done.append(Done(began, target.provider, took))
        self._serve(target)


def percentile(values: Sequence[float], share: float) -> float:
    """Of sorted or unsorted values."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def seconds_until(done: Sequence[Done], since: float, holds: Callable[[float], bool]) -> float | None:
    """Seconds after `since` when the slow target's share of the calls of five seconds first is so."""
    name = SLOW[0]
    for second in range(int(SECONDS - since) - 5):
        window = [one.target == name for one in done if since + second <= one.began < since + second + 5]
        if window and holds(sum(window) / len(window)):
            return float(second)
    return None


@dataclass(frozen=True)
class Figures:
    """Of one router; seconds."""

    p50: float
    p95: float
    slow_p95: float
    leaves: float | None
    returns: float | None


def figures(name: str, seed: int = SEED) -> Figures:
    """Run a router in both fleets."""
    steady = [one.took for one in Fleet(router_named(name), slows=False, seed=seed).run()]
    done = Fleet(router_named(name), slows=True, seed=seed).run()
    _, since, until, _ = SLOW
    fair = 1 / len(MEDIANS)
    return Figures(
        p50=percentile(steady, 0.5),
        p95=percentile(steady, 0.95),
        slow_p95=percentile([one.took for one in done if since <= one.began < until], 0.95),
        leaves=seconds_until(done, since, lambda share: share < fair / 2),
        returns=seconds_until(done, until, lambda share: share > fair / 2),
    )


def main() -> None:
    """Print the table."""
    print(f"{'router':<14} {'p50':>7} {'p95':>7} {'p95 slow':>9} {'leaves after':>13} {'returns after':>14}")
    for name in ROUTERS:
        one = figures(name)
        leaves, returns = ("-" if at is None else f"{at:.0f} s" for at in (one.leaves, one.returns))
        print(f"{name:<14} {one.p50:>6.2f}s {one.p95:>6.2f}s {one.slow_p95:>8.2f}s {leaves:>13} {returns:>14}")


if __name__ == "__main__":
    main()
