"""Cost, latency, health and quality, weighed against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edgeagent.routing.ordering import by_score, followed_by, stalest
from edgeagent.routing.outlook import Outlook
from edgeagent.routing.patterns import matches
from edgeagent.types import AnyRequest, Target

__all__ = ["HybridRouter"]


@dataclass(frozen=True)
class HybridRouter:
    """By a weighted sum of four numbers between 0 (best) and 1 (worst) of the targets at hand.

    Args:
        cost: the weight of what this request is expected to cost, as a share of the dearest target's price.
        latency: of the time it is expected to take, with what is under way, as a share of the slowest target's.
        health: of the share of recent attempts that failed.
        quality: of what is missing to a quality of 1.
        qualities: pattern of targets → quality between 0 and 1, the first that matches; 0.5 where none does.
        explore: the share of calls that go to the target which was measured longest ago, if that is more than `stale`
            seconds ago, so that one that was slow is found again; only where latency has a weight.
        stale: in seconds.

    What is not known of a target counts as half.
    """

    cost: float = 1.0
    latency: float = 1.0
    health: float = 1.0
    quality: float = 0.0
    qualities: Mapping[str, float] = field(default_factory=dict)
    explore: float = 0.05
    stale: float = 2.0

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets, best first."""
        if len(targets) < 2:
            return targets
        prices = _relative(targets, lambda target: None if (p := health.price(target)) is None else float(p))
        times = _relative(targets, health.busy_latency)

        def score(target: Target) -> float:
            return (
                self.cost * prices[target]
                + self.latency * times[target]
                + self.health * health.failure_rate(target)
                + self.quality * (1 - self._quality(target))
            )

        explored = None
        if self.latency and health.random() < self.explore:
            explored = stalest(targets, health, self.stale)
        return followed_by([] if explored is None else [explored], by_score(targets, score))

    def _quality(self, target: Target) -> float:
        return next((value for pattern, value in self.qualities.items() if matches(pattern, target)), 0.5)


def _relative(targets: Sequence[Target], value: Callable[[Target], float | None]) -> dict[Target, float]:
    """Each value as a share of the largest."""
    values = {target: value(target) for target in targets}
    largest = max((found for found in values.values() if found is not None), default=0.0)
    return {target: 0.5 if found is None else found / largest if largest else 0.0 for target, found in values.items()}
