"""How many retries a target can be asked for: a bucket that its first attempts fill."""

from __future__ import annotations

from typing import Final

__all__ = ["RetryBudget"]

RESERVE: Final = 10.0
"""Tokens of a full bucket, with which a target begins."""
SHARE: Final = 0.2
"""Of a token for each first attempt: in the long run one retry for five calls, so that in an outage a target sees a
fifth more requests than there are calls, and not three times as many."""
PER_SECOND: Final = 0.2
"""What comes back by itself, so that a client of few calls can retry too."""


class RetryBudget:
    """A token bucket; a retry takes one token. Not thread-safe: whoever owns it holds a lock."""

    __slots__ = ("_filled", "tokens")

    def __init__(self) -> None:
        self.tokens = RESERVE
        self._filled: float | None = None

    def first(self, now: float) -> None:
        """A first attempt begins."""
        if self.tokens >= RESERVE:  # nearly always
            self._filled = now
            return
        self._fill(now)
        self.tokens = min(RESERVE, self.tokens + SHARE)

    def retry(self, now: float) -> bool:
        """Whether there may be a retry; it takes its token."""
        self._fill(now)
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True

    def _fill(self, now: float) -> None:
        if self._filled is not None:
            self.tokens = min(RESERVE, self.tokens + (now - self._filled) * PER_SECOND)
        self._filled = now
