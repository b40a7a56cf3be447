"""Reading from the tiers that may block: in a thread, or awaited where a tier can do that."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from edgeagent.cache.base import Awaits, CacheTier
from edgeagent.effects import Flow, offload

__all__ = ["READ_BOUND", "read", "read_many"]

READ_BOUND: Final = 2.0
"""Seconds after which a busy or slow tier counts as a miss."""


def read(tier: CacheTier, key: bytes) -> Flow[bytes | None]:
    """The bytes under a key. Raises whatever the tier does."""
    awaiting = _awaiting(tier)
    return offload(partial(tier.get, key), READ_BOUND, None if awaiting is None else partial(awaiting.aget, key))


def read_many(tier: CacheTier, keys: Sequence[bytes]) -> Flow[dict[bytes, bytes]]:
    """What is under each of them, as far as there is something. Raises whatever the tier does."""
    awaiting = _awaiting(tier)
    awaited = None if awaiting is None else partial(awaiting.aget_many, keys)
    found = yield from offload(partial(_all, tier, keys), READ_BOUND, awaited)
    return {key: data for key, data in zip(keys, found, strict=True) if data is not None}


def _awaiting(tier: Any) -> Awaits | None:
    return tier if getattr(tier, "awaits", False) else None


def _all(tier: Any, keys: Sequence[bytes]) -> Sequence[bytes | None]:
    return tier.get_many(keys) if getattr(tier, "batches", False) else [tier.get(key) for key in keys]
