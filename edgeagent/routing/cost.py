"""The cheapest target for this request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeagent.routing.ordering import by_score
from edgeagent.routing.outlook import Outlook
from edgeagent.types import AnyRequest, Target

__all__ = ["CostRouter"]


@dataclass(frozen=True)
class CostRouter:
    """By what this very request is expected to cost: its input tokens, the output that the model is known to give, what
    the vendor's prompt cache still holds of it, and the prices that its length and its service tier fall into: the
    request's, or the one that a provider says of all that it serves, such as `batch`.

    Targets without a known price come last.
    """

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets, cheapest first."""
        if len(targets) < 2:
            return targets
        prices = {target: health.price(target) for target in targets}
        return by_score(targets, lambda target: None if (price := prices[target]) is None else float(price))
