"""What vendors' headers say of their own limits, and how long to wait so that they need not refuse.

Sources: https://platform.openai.com/docs/guides/rate-limits («Rate limits in headers»: `x-ratelimit-limit-requests`,
`-remaining-`, `-reset-` as in `6m0s`, the time until the limit is whole again), shared by Azure, Groq and other servers
of that shape; https://docs.anthropic.com/en/api/rate-limits («Response headers»: `anthropic-ratelimit-requests-limit`,
`-remaining`, `-reset` in RFC 3339, when it is whole again; the same for `tokens`, `input-tokens`, `output-tokens`).

Both refill continuously: of a limit of 60 with 30 left that is whole again in 30 s, one comes back every second. So one
answer tells the level, and how fast it rises; between answers what is sent from here is taken off.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from datetime import datetime, timezone
from threading import Lock
from typing import Final, NamedTuple

__all__ = ["Allowance", "Pacer", "allowances"]

RESERVE: Final = 0.02
"""The share of a vendor's limit that is left alone: for others who use the same key."""
MINUTE: Final = 60.0
REMEMBERED: Final = 1000
"""Calls that may be told apart from those that an answer's headers know of."""
LONGEST: Final = 3600.0
"""What says that a limit is whole again only after more than this is taken for a quota, not for a pace."""

_DURATION: Final = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_UNITS: Final = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)")

_KINDS: Final = ("requests", "tokens", "input-tokens", "output-tokens")


class Allowance(NamedTuple):
    """What is left of one of a vendor's limits; it is whole in `reset` seconds, None if that is not told."""

    kind: str
    limit: int
    remaining: int
    reset: float | None


def allowances(headers: Mapping[str, str], now: float) -> list[Allowance]:
    """What the headers of an answer say; `now` is in seconds since the epoch. What cannot be read is left out."""
    found = []
    for kind in _KINDS:
        for start, limit, remaining, reset in (
            ("x-ratelimit-", f"limit-{kind}", f"remaining-{kind}", f"reset-{kind}"),
            ("anthropic-ratelimit-", f"{kind}-limit", f"{kind}-remaining", f"{kind}-reset"),
        ):
            left = _number(headers.get(start + remaining))
            whole = _number(headers.get(start + limit))
            if left is None or whole is None or whole < 1 or left > whole:
                continue
            found.append(Allowance(kind, whole, left, _seconds(headers.get(start + reset), now)))
            break
    return found


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if text.isdecimal() and len(text) <= 15 else None


def _seconds(text: str | None, now: float) -> float | None:
    text = (text or "").strip()
    if not text:
        return None
    if _RFC3339.fullmatch(text):
        try:
            when = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except ValueError:
            return None
        return max(0.0, when.astimezone(timezone.utc).timestamp() - now)
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    parts = _DURATION.fullmatch(text)
    if parts is None:
        return None
    return sum(float(part) * unit for part, unit in zip(parts.groups(), _UNITS, strict=True) if part)


class _Level:
    """One limit of a vendor: how much is left by now, and how fast it comes back."""

    __slots__ = ("at", "left", "limit", "rate")

    def __init__(self, told: Allowance, now: float) -> None:
        self.limit = told.limit
        self.at = now
        self.left = float(told.remaining)
        missing = told.limit - told.remaining
        whole_in = told.reset or MINUTE
        self.rate = max(missing / whole_in if missing else told.limit / MINUTE, 1e-9)

    def now(self, now: float) -> float:
        return min(float(self.limit), self.left + (now - self.at) * self.rate)

    def wait(self, amount: float, now: float) -> float:
        wanted = min(amount + self.limit * RESERVE, float(self.limit))
        missing = wanted - self.now(now)
        return missing / self.rate if missing > 1e-6 else 0.0  # who has waited for it is not sent away by a rounding

    def take(self, amount: float, now: float) -> None:
        self.left, self.at = self.now(now) - amount, now


class _Taken(NamedTuple):
    """What was let through, and when."""

    at: float
    amounts: Mapping[str, int]


class Pacer:
    """What is known of one target's own limits. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._levels: dict[str, _Level] = {}
        self._taken: deque[_Taken] = deque(maxlen=REMEMBERED)
        self._until = 0.0

    def learn(self, headers: Mapping[str, str], now: float, wall: float, began: float) -> None:
        """Read the headers of an answer to a request that was sent at `began`.

        What they say may be as old as that: what was let through since then is taken off, as if the vendor had not seen
        it.
        """
        told = allowances(headers, wall)
        if not told:
            return
        with self._lock:
            later = [taken.amounts for taken in self._taken if taken.at > began]
            for one in told:
                if one.reset is None or one.reset <= LONGEST:
                    level = self._levels[one.kind] = _Level(one, now)
                    level.left -= sum(amounts[one.kind] for amounts in later)

    def refused(self, seconds: float, now: float) -> None:
        """The vendor refused, and named a time to come again."""
        with self._lock:
            self._until = max(self._until, now + min(seconds, LONGEST))

    def take(self, tokens_in: int, tokens_out: int, now: float) -> float:
        """Go ahead (0), or wait so many seconds and ask again."""
        amounts = {"requests": 1, "tokens": tokens_in + tokens_out, "input-tokens": tokens_in}
        amounts["output-tokens"] = tokens_out
        with self._lock:
            waits = [level.wait(amounts[kind], now) for kind, level in self._levels.items()]
            wait = max([*waits, self._until - now, 0.0])
            if not wait:
                self._taken.append(_Taken(now, amounts))
                for kind, level in self._levels.items():
                    level.take(amounts[kind], now)
            return wait
