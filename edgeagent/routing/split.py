"""A/B: a stable share of the sessions each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edgeagent.errors import ConfigurationError
from edgeagent.routing.ordering import followed_by, share_of
from edgeagent.routing.outlook import Outlook
from edgeagent.routing.patterns import first_matching
from edgeagent.routing.sticky import SessionKey, session_of
from edgeagent.types import AnyRequest, Target

__all__ = ["SplitRouter"]


@dataclass(frozen=True)
class SplitRouter:
    """Sends each session to one arm, always the same one, in every process.

    Args:
        arms: pattern of targets → share; the shares need not add up to 1.
        experiment: its name: the same session is split anew in another one.
        key: what names a call's session; a call without one is drawn at random.

    Raises:
        ConfigurationError: there is no arm, or a share is negative, or all are 0.
    """

    arms: Mapping[str, float]
    experiment: str = ""
    key: SessionKey = session_of

    def __post_init__(self) -> None:
        if not self.arms or min(self.arms.values()) < 0 or not sum(self.arms.values()) > 0:
            raise ConfigurationError("SplitRouter: arms needs patterns of targets with shares of 0 or more, not all 0.")

    def plan(self, request: AnyRequest, targets: Sequence[Target], health: Outlook, /) -> Sequence[Target]:
        """The arm's targets first, all others as fallbacks."""
        return followed_by(first_matching((self.arm(request, health),), targets), targets)

    def arm(self, request: AnyRequest, health: Outlook) -> str:
        """The pattern of the arm that a request falls into."""
        session = self.key(request, health.tags)
        at = health.random() if session is None else share_of(self.experiment, session)
        left = at * sum(self.arms.values())
        for pattern, share in self.arms.items():
            left -= share
            if left < 0:
                return pattern
        return max(self.arms, key=self.arms.__getitem__)  # rounding left a crumb
