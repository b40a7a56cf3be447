"""Each target in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeagent.routing.outlook import Outlook
from edgeagent.types import AnyRequest, Target

__all__ = ["RoundRobinRouter"]


@dataclass(frozen=True)
class RoundRobinRouter:
    """The next target with every call; the others, in a circle from there, are its fallbacks."""

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets, begun one further than last time."""
        begin = health.turn(tuple(targets)) % len(targets)
        return [*targets[begin:], *targets[:begin]]
