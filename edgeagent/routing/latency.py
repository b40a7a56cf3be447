"""The target that is likely to answer this request first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeagent.routing.ordering import by_score, followed_by
from edgeagent.routing.outlook import Outlook
from edgeagent.types import AnyRequest, Target

__all__ = ["LatencyRouter"]


@dataclass(frozen=True)
class LatencyRouter:
    """By the seconds that this request is expected to take, times the attempts under way.

    Args:
        quantile: of the decayed latencies that is compared.
        explore: the share of calls that go to the target which was measured longest ago, if that is more than `stale`
            ago: so one that was slow is found again when it has recovered.
        stale: in seconds.

    A target that was never measured is tried first. Under load (something is under way at the best) two targets are
    drawn and the better one is taken, so that many callers do not all run to the same one.
    """

    quantile: float = 0.5
    explore: float = 0.05
    stale: float = 2.0

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:  # noqa: ARG002
        """The targets, fastest first."""
        if len(targets) < 2:
            return targets
        scores = {target: self._score(target, health) for target in targets}
        order = by_score(targets, scores.__getitem__)
        unknown = [target for target in targets if scores[target] is None and not health.of(target).load]
        if unknown:
            return followed_by(unknown, order)
        draw = health.health.random
        if draw() < self.explore:
            return followed_by(self._longest_ago(targets, health), order)
        if health.of(order[0]).load and len(order) > 2:
            return followed_by([self._better_of_two(order, draw(), draw())], order)
        return order

    def _score(self, target: Target, health: Outlook) -> float | None:
        latency = health.latency(target, self.quantile)
        return None if latency is None else latency * (1 + health.of(target).load)

    def _longest_ago(self, targets: Sequence[Target], health: Outlook) -> list[Target]:
        now = health.health.clock()
        ages = {target: now - _last(target, health) for target in targets if health.available(target)}
        oldest = max(ages, key=ages.__getitem__, default=None)
        return [oldest] if oldest is not None and ages[oldest] > self.stale else []

    def _better_of_two(self, order: Sequence[Target], one: float, other: float) -> Target:
        first, second = int(one * len(order)), int(other * (len(order) - 1))
        return order[min(first, second + (second >= first))]


def _last(target: Target, health: Outlook) -> float:
    state = health.of(target)
    return max(state.whole.last or 0.0, state.first_token.last or 0.0)
