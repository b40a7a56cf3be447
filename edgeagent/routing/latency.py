"""The target that is likely to answer this request first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeagent.routing.ordering import by_score, followed_by, stalest, weighted_order
from edgeagent.routing.outlook import Outlook
from edgeagent.types import AnyRequest, Target

__all__ = ["LatencyRouter"]


@dataclass(frozen=True)
class LatencyRouter:
    """By the seconds that this request is expected to take, times the attempts under way and itself.

    What is under way tells too: a target whose attempts are older on average than its answers used to take is taken to
    be as slow as that, before one of them has ended.

    Args:
        quantile: of the decayed latencies that is compared.
        explore: the share of calls that go to the target which was measured longest ago, if that is more than `stale`
            ago: so one that was slow is found again when it has recovered.
        stale: in seconds.

    A target that was never measured is tried first. Under load (something is under way at the best) two targets are
    drawn, faster ones more often, and the better of them is taken: many processes that know the same do not all run to
    the same one.
    """

    quantile: float = 0.5
    explore: float = 0.05
    stale: float = 2.0

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets, fastest first."""
        if len(targets) < 2:
            return targets
        scores = {target: health.busy_latency(target, self.quantile) for target in targets}
        order = by_score(targets, scores.__getitem__)
        unknown = [target for target in targets if scores[target] is None and not health.of(target).load]
        if unknown:
            return followed_by(unknown, order)
        explored = stalest(targets, health, self.stale) if health.random() < self.explore else None
        if explored is not None:
            return followed_by([explored], order)
        if health.of(order[0]).load:
            drawn = weighted_order(order, lambda target: (scores[target] or 1.0) ** -2, health)[:2]
            return followed_by([min(drawn, key=order.index)], order)
        return order
