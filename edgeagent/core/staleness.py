"""Answers past their time: kept for a while, and given where they are better than waiting or than an error.

- `stale_while_revalidate`: the stale answer is given at once, and the same request is asked again in the background:
  once for each key, as a call of its own under the caller's tags, with a deadline of its own. What comes of it is
  stored; that it failed is counted, and told to the observers as of any call.
- `stale_if_error`: where the provider fails in a way that may pass (`excuses`), the stale answer is given instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from edgeagent.core.verdict import judge
from edgeagent.errors import DeadlineExceededError

if TYPE_CHECKING:
    from edgeagent.cache.entry import Entry
    from edgeagent.cache.policy import CacheOptions
    from edgeagent.core.call import CallOptions
    from edgeagent.effects import Flow, Scope
    from edgeagent.types.metadata import CacheTierName

__all__ = ["Background", "RefreshStats", "Refreshes", "Spare", "excuses", "refreshing"]

REFRESH_SECONDS: Final = 120.0
"""The deadline of a call in the background, if the caller's own calls have none that is shorter."""

Background = Callable[[Callable[["Scope"], "Flow[Any]"], Callable[[BaseException | None], None]], bool]
"""Runs a flow that nobody waits for, and tells how it ended (None: well; a `BaseException` that is no `Exception`: it
was dropped). False: it will not, there are too many; then nothing is told."""


class Spare:
    """The youngest stale answer that one call came across.

    Args:
        options: of the call.
        wall: seconds since the epoch.
    """

    __slots__ = ("_options", "_wall", "entry", "tier")

    def __init__(self, options: CacheOptions, wall: Callable[[], float]) -> None:
        self._options = options
        self._wall = wall
        self.entry: Entry | None = None
        self.tier: CacheTierName = "memory"

    def offer(self, entry: Entry, tier: CacheTierName) -> None:
        """A tier holds this one, which is not fresh any more."""
        if self.entry is None or entry.created > self.entry.created:
            self.entry, self.tier = entry, tier

    def while_revalidating(self) -> tuple[Entry, CacheTierName] | None:
        """The answer, if it may be given at once."""
        return self._within(self._options.stale_while_revalidate if self._options.mode == "on" else None)

    def if_error(self) -> tuple[Entry, CacheTierName] | None:
        """The answer, if it may be given in place of an error."""
        return self._within(self._options.stale_if_error)

    def _within(self, seconds: float | None) -> tuple[Entry, CacheTierName] | None:
        entry = self.entry
        if entry is None or not seconds:
            return None
        since = self._options.fresh_until(entry.created, entry.expires)
        return (entry, self.tier) if self._wall() - since <= seconds else None


def excuses(error: Exception) -> bool:
    """Whether a stale answer may be given for this error: one that another attempt might not meet, or being too late.

    Not for an error of the caller's (400, 401, 403, 404, 422), nor for his own limits and budgets.
    """
    return isinstance(error, DeadlineExceededError) or judge(error).again


def refreshing(options: CallOptions) -> CallOptions:
    """The options of the call in the background that renews an answer for a call with these."""
    own = options.deadline
    deadline = REFRESH_SECONDS if own is None else min(own, REFRESH_SECONDS)
    # its response is not the one that the caller is shown
    return replace(options, deadline=deadline, record=None, renews=True)


class RefreshStats(NamedTuple):
    """Calls in the background that renewed answers: how many are under way, were stored, failed, were dropped."""

    running: int = 0
    done: int = 0
    failed: int = 0
    dropped: int = 0


@dataclass(slots=True)
class _Counts:
    done: int = 0
    failed: int = 0
    dropped: int = 0


class Refreshes:
    """The calls under way in the background: one for each key.

    Args:
        background: runs flows.
    """

    def __init__(self, background: Background) -> None:
        self._background = background
        self._lock = Lock()
        self._keys: set[bytes] = set()
        self._counts = _Counts()

    def begin(self, key: bytes, flow: Callable[[Scope], Flow[Any]]) -> None:
        """Have the answer under `key` renewed, unless it is being renewed. Never blocks, never raises."""
        with self._lock:
            if key in self._keys:
                return
            self._keys.add(key)
        if not self._background(flow, partial(self._ended, key)):
            with self._lock:
                self._keys.discard(key)
                self._counts.dropped += 1

    def _ended(self, key: bytes, error: BaseException | None) -> None:
        with self._lock:
            self._keys.discard(key)
            counts = self._counts
            if error is None:
                counts.done += 1
            elif isinstance(error, Exception):
                counts.failed += 1
            else:
                counts.dropped += 1

    def stats(self) -> RefreshStats:
        """What came of them so far."""
        with self._lock:
            counts = self._counts
            return RefreshStats(len(self._keys), counts.done, counts.failed, counts.dropped)
