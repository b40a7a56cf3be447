"""Quantiles of what was measured lately: a histogram with buckets of equal ratio, in which older values weigh less."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["DecayedQuantiles"]

LEAST: Final = 1e-4
"""Seconds: the upper end of the first bucket."""
RATIO: Final = 1.1
BUCKETS: Final = 176
"""Up to about half an hour; a quantile is off by half of `RATIO` at most."""
_LOG: Final = math.log(RATIO)
_RESCALE: Final = 1e100


class DecayedQuantiles:
    """Weights halve with every `half_life` seconds; observing takes constant time, a quantile a look at each bucket.

    A value weighs more the later it comes, instead of all others losing weight at each step; where nothing new comes,
    nothing is forgotten. Not thread-safe: whoever owns it holds a lock.
    """

    __slots__ = ("_half_life", "_origin", "_weights", "last", "seen", "total")

    def __init__(self, half_life: float) -> None:
        self._half_life = half_life
        self._weights = [0.0] * BUCKETS
        self._origin = 0.0
        self.total = 0.0
        self.seen = 0
        """How many values came."""
        self.last: float | None = None
        """When the last value came."""

    def observe(self, value: float, now: float) -> None:
        """Add a value in seconds, at a time of the monotonic clock."""
        if self.last is None:
            self._origin = now
        weight = self._weight(now)
        if weight > _RESCALE:
            self._weights = [old / weight for old in self._weights]
            self.total /= weight
            self._origin, weight = now, 1.0
        self._weights[_bucket(value)] += weight
        self.total += weight
        self.seen += 1
        self.last = now

    def quantile(self, share: float) -> float | None:
        """The value below which `share` (0…1) of the weight lies; None if nothing was observed."""
        left = share * self.total
        if self.total <= 0:
            return None
        at = 0
        for at, weight in enumerate(self._weights):  # noqa: B007  # the last one is wanted
            left -= weight
            if left <= 0 and weight:
                break
        return float(LEAST * RATIO ** (at - 0.5))

    def weight(self, now: float) -> float:
        """How many values' worth there is, each weighed as of `now`."""
        return self.total / self._weight(now) if self.last is not None else 0.0

    def _weight(self, now: float) -> float:
        return float(2.0 ** min((now - self._origin) / self._half_life, 1000.0))


def _bucket(value: float) -> int:
    if value <= LEAST:
        return 0
    return min(math.ceil(math.log(value / LEAST) / _LOG), BUCKETS - 1)
