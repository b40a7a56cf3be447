"""Reading from the tiers that may block: in a thread, or awaited where a tier can do that.

Nobody waits longer than `READ_BOUND` or than the call's deadline allows: a busy or slow tier is a miss. A client that
blocks reads in its caller's own thread while a tier is prompt, since a thread of ours takes more time than the read of
a file. There nothing could end a read, so the first ones, and those after a slow one, are given a thread with the
bound. What stops answering between two prompt reads holds up, once, those that are under way. A read that never ends
keeps its thread: where too many do, the tier is not asked until one of them has come back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, TypeVar

from edgeagent.cache.base import Awaits, CacheTier
from edgeagent.cache.outage import Away
from edgeagent.effects import Flow, offload

if TYPE_CHECKING:
    from edgeagent.core.call import Call

__all__ = ["READ_BOUND", "Reads", "bound_of"]

K = TypeVar("K")
T = TypeVar("T")

READ_BOUND: Final = 1.0
"""Seconds after which a busy or slow tier counts as a miss."""

PROMPT: Final = 0.05
"""Seconds that a read of a prompt tier takes at most."""
PROMPT_READS: Final = 3
"""So many in a row make a tier prompt."""
STUCK: Final = 16
"""So many reads that go on after `READ_BOUND` mean that a tier is away."""


def bound_of(call: Call[Any]) -> float:
    """How long a call may wait for a tier, in seconds."""
    return call.at_most(READ_BOUND)


class _Pace:
    """How prompt one tier is."""

    __slots__ = ("_began", "_in_a_row")

    def __init__(self) -> None:
        self._in_a_row = 0
        self._began: dict[int, float] = {}  # of the reads under way, by thread

    def is_prompt(self, clock: Callable[[], float]) -> bool:
        """Whether the next read will most likely take no time. Raises `Away` if too many do not come to an end."""
        if not self._began:
            return self._in_a_row >= PROMPT_READS
        under_way, now = tuple(self._began.values()), clock()
        if sum(now - began > READ_BOUND for began in under_way) >= STUCK:
            raise Away("The tier does not answer.")
        return self._in_a_row >= PROMPT_READS and now - min(under_way, default=now) <= PROMPT

    def timed(self, clock: Callable[[], float], get: Callable[[K], T], key: K) -> T:
        """A read."""
        thread, prompt = get_ident(), False
        self._began[thread] = began = clock()
        try:
            value = get(key)
            prompt = clock() - began <= PROMPT
        finally:
            self._began.pop(thread, None)
            self._in_a_row = min(self._in_a_row + 1, PROMPT_READS) if prompt else 0
        return value


class Reads:
    """Reads of one client's tiers."""

    def __init__(self) -> None:
        self._paces: dict[int, _Pace] = {}  # by tier

    def read(self, call: Call[Any], tier: CacheTier, key: bytes) -> Flow[bytes | None]:
        """The bytes under a key.

        Raises:
            Away: too many reads do not come to an end.
            TimeoutError: it took too long.
            Exception: whatever the tier does.
        """
        awaiting, pace = _awaiting(tier), self._pace(tier)
        awaited = None if awaiting is None else partial(awaiting.aget, key)
        get = partial(pace.timed, call.clock, tier.get, key)
        return offload(get, bound_of(call), awaited, prompt=pace.is_prompt(call.clock))

    def read_many(self, call: Call[Any], tier: CacheTier, keys: Sequence[bytes]) -> Flow[dict[bytes, bytes]]:
        """What is under each of them, as far as there is something. Raises as `read` does."""
        awaiting, pace = _awaiting(tier), self._pace(tier)
        awaited = None if awaiting is None else partial(awaiting.aget_many, keys)
        get = partial(pace.timed, call.clock, partial(_all, tier), keys)
        found = yield from offload(get, bound_of(call), awaited, prompt=pace.is_prompt(call.clock))
        return {key: data for key, data in zip(keys, found, strict=True) if data is not None}

    def _pace(self, tier: CacheTier) -> _Pace:
        pace = self._paces.get(id(tier))
        return self._paces.setdefault(id(tier), _Pace()) if pace is None else pace


def _awaiting(tier: Any) -> Awaits | None:
    return tier if getattr(tier, "awaits", False) else None


def _all(tier: Any, keys: Sequence[bytes]) -> Sequence[bytes | None]:
    return tier.get_many(keys) if getattr(tier, "batches", False) else [tier.get(key) for key in keys]
