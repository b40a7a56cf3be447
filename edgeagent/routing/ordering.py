"""Orders that several routers share."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from edgeagent.routing.outlook import Outlook
from edgeagent.types import Target

__all__ = ["by_score", "followed_by", "share_of", "stalest", "weighted_order"]

T = TypeVar("T")


def by_score(targets: Sequence[Target], score: Callable[[Target], float | None]) -> list[Target]:
    """Lowest first; those without a score after all others; equal ones as they were."""
    scores = {target: score(target) for target in targets}
    return sorted(targets, key=lambda target: (scores[target] is None, scores[target] or 0.0))


def followed_by(first: Iterable[Target], targets: Sequence[Target]) -> list[Target]:
    """`first`, then the rest of `targets` as fallbacks."""
    return list(dict.fromkeys((*first, *targets)))


def stalest(targets: Sequence[Target], health: Outlook, seconds: float) -> Target | None:
    """The available target that was measured longest ago, if that is more than `seconds`: worth another look."""
    oldest = min(filter(health.available, targets), key=health.measured, default=None)
    return oldest if oldest is not None and health.clock() - health.measured(oldest) > seconds else None


def share_of(*parts: str) -> float:
    """A number of 0 up to 1 that the texts always give, in every process and version."""
    digest = hashlib.blake2b("\x1f".join(parts).encode("utf-8", "surrogatepass"), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2.0**56


def weighted_order(items: Sequence[T], weight: Callable[[T], float], health: Outlook) -> list[T]:
    """A random order in which each item is first as often as its weight says; weight 0 comes last."""
    return sorted(items, key=lambda item: _draw(weight(item), health.random()))


def _draw(weight: float, random: float) -> float:
    """Exponential waiting times: the least of several is that of an item in proportion to its weight."""
    from math import inf, log

    return inf if weight <= 0 else -log(1.0 - random) / weight
