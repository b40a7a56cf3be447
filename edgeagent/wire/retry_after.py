"""When a server says that a request may be sent again: `retry-after-ms`, `retry-after`, `x-should-retry`."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from edgeagent.wire.http import Headers

__all__ = ["retry_after", "should_retry"]

_NUMBER: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]*)?|\.[0-9]+")


def retry_after(headers: Headers, *, now: float | None = None) -> float | None:
    """How long the server asks to wait, in seconds; None if it does not say, or not in a form that can be read.

    `retry-after-ms` is OpenAI's and Azure's, in milliseconds. `retry-after` is RFC 9110 §10.2.3: seconds (fractions are
    accepted, since servers send them) or an HTTP date, which counts from the answer's own `date` where it has one, so
    that a wrong clock on either side does no harm, else from `now` (seconds since the epoch; default: the clock).

    With both present the larger counts: Azure sends `retry-after-ms: 0` beside `retry-after: 1`. Waiting too long costs
    part of a second, waiting too short costs another refusal that counts against the same limit.
    """
    waits = (_milliseconds(headers), _seconds_or_date(headers, now))
    return max((wait for wait in waits if wait is not None), default=None)


def should_retry(headers: Headers) -> bool | None:
    """What `x-should-retry` says (OpenAI and Anthropic send it); None if it says nothing."""
    return {"true": True, "false": False}.get(headers.get("x-should-retry", "").strip().lower())


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _milliseconds(headers: Headers) -> float | None:
    value = _number(headers.get("retry-after-ms", ""))
    return None if value is None else value / 1000


def _seconds_or_date(headers: Headers, now: float | None) -> float | None:
    text = headers.get("retry-after", "")
    seconds = _number(text)
    if seconds is not None:
        return seconds
    when = _date(text)
    if when is None:
        return None
    start = _date(headers.get("date", ""))
    if start is None:
        start = time.time() if now is None else now
    return max(0.0, when - start)


def _date(text: str) -> float | None:
    """Seconds since the epoch of an HTTP date (RFC 9110 §5.6.7), in any of its three forms."""
    if not text:
        return None
    from datetime import timezone
    from email.utils import parsedate_to_datetime  # loads `socket`: only when a server sends a date

    try:
        when = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
