"""Each target as often as its weight says, group after group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from edgeagent.errors import ConfigurationError
from edgeagent.routing.ordering import weighted_order
from edgeagent.routing.outlook import Outlook
from edgeagent.routing.patterns import matches
from edgeagent.types import AnyRequest, Target

__all__ = ["WeightedRouter"]


@dataclass(frozen=True)
class WeightedRouter:
    """A random order in which each target is first as often as its weight says.

    Args:
        weights: pattern of targets → weight, the first that matches; 1 where none does. A weight of 0 is a fallback
            only.
        priorities: pattern of targets → group, the first that matches; 0 where none does. All targets of a lower group
            come before those of a higher one; the weights count within a group.

    Raises:
        ConfigurationError: a weight is negative.
    """

    weights: Mapping[str, float] = field(default_factory=dict)
    priorities: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for pattern, weight in self.weights.items():
            if not weight >= 0:
                raise ConfigurationError(f"WeightedRouter: the weight of {pattern!r} must be 0 or more.")

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The targets, drawn."""
        drawn = weighted_order(targets, lambda target: _of(self.weights, target, 1.0), health)
        return sorted(drawn, key=lambda target: _of(self.priorities, target, 0.0))


def _of(by_pattern: Mapping[str, float], target: Target, default: float) -> float:
    return next((value for pattern, value in by_pattern.items() if matches(pattern, target)), default)
