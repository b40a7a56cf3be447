"""The target with the fewest attempts under way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgeagent.routing.ordering import by_score
from edgeagent.routing.outlook import Outlook
from edgeagent.types import AnyRequest, Target

__all__ = ["LeastBusyRouter"]


@dataclass(frozen=True)
class LeastBusyRouter:
    """By the attempts that are under way in this process; among equals each in turn."""

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets, least busy first."""
        begin = health.turn(("least-busy", tuple(targets))) % len(targets)
        return by_score([*targets[begin:], *targets[:begin]], lambda target: float(health.of(target).load))
