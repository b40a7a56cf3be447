"""Days, weeks and months of a time zone."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Literal, NamedTuple, TypeAlias

from edgeagent.errors import ConfigurationError

__all__ = ["Period", "Span", "span_of", "zone_of"]

Period: TypeAlias = Literal["day", "week", "month"]


class Span(NamedTuple):
    """One day, week (from Monday) or month: its name, and its end in seconds since the epoch."""

    name: str
    end: float


def zone_of(name: str) -> tzinfo:
    """The time zone of that name in the IANA database. Raises `ConfigurationError`."""
    if name == "UTC":
        return timezone.utc
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ConfigurationError(
            f"There is no time zone {name!r} here: it needs a name such as 'Europe/Berlin', and where the system has "
            "no time zones pip install tzdata."
        ) from None


def span_of(period: Period, zone: tzinfo, now: float) -> Span:
    """The span that `now` (seconds since the epoch) lies in."""
    day = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period == "day":
        return Span(f"{day:%Y-%m-%d}", _midnight(day + timedelta(days=1)))
    if period == "week":
        year, week, weekday = day.isocalendar()
        return Span(f"{year}-W{week:02}", _midnight(day + timedelta(days=8 - weekday)))
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Span(f"{day:%Y-%m}", _midnight(following))


def _midnight(day: datetime) -> float:
    """Wall time in the zone, whose offset may have changed since the date that this was reckoned from."""
    return day.timestamp()
