"""What a budget may be, and the time that it counts."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import ConfigurationError
from edgeagent.limits import Budget, Facts
from edgeagent.limits.money import MAX_USD, dollars, pico, pico_at_least
from edgeagent.limits.period import span_of, zone_of
from edgeagent.types import ChatRequest, Target

FACTS = Facts(Target("openai", "gpt-4o"), ChatRequest(model="m", messages=[]), ("tenant=acme",))
NOW = datetime(2026, 11, 26, 23, 30, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({}, "how much"),
        ({"usd": "many"}, "amount"),
        ({"usd": -1}, "amount"),
        ({"usd": "nan"}, "amount"),
        ({"usd": True}, "amount"),
        ({"usd": MAX_USD + 1}, "amount"),
        ({"tokens": 1.5}, "tokens"),
        ({"tokens": -1}, "tokens"),
        ({"usd": 1, "per": "year"}, "per="),
        ({"usd": 1, "timezone": "Europe/Atlantis"}, "time zone"),
        ({"usd": 1, "notify_at": 0.5}, "notify_at"),
        ({"usd": 1, "notify_at": [0]}, "notify_at"),
        ({"usd": 1, "name": "a|b"}, "stands between"),
        ({"usd": 1, "by": 3}, "by="),
        ({"usd": 1, "tags": "a"}, "tags"),
    ],
)
def test_what_a_budget_cannot_be(arguments: dict[str, Any], word: str) -> None:
    """The message says what to do."""
    with pytest.raises(ConfigurationError, match=word):
        Budget(**arguments)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"usd": 1}, "total"),
        ({"usd": 1, "per": "day", "by": "tenant"}, "day by tenant"),
        ({"tokens": 1, "tags": ["batch"], "target": "openai/*"}, "total batch openai/*"),
        ({"usd": 1, "name": "team"}, "team"),
    ],
)
def test_names(arguments: dict[str, Any], name: str) -> None:
    """A budget without a name is called what it is; its amount may change without its account."""
    assert Budget(**arguments).name == name


@pytest.mark.parametrize("usd", ["0.5", 0.5, Decimal("0.50")])
def test_amounts(usd: Any) -> None:
    """Floats are taken as they print."""
    assert Budget(usd=usd).usd_limit == 5 * 10**11


@pytest.mark.parametrize(
    ("per", "zone", "name", "end"),
    [
        ("day", "UTC", "2026-11-26", "2026-11-27T00:00:00+00:00"),
        ("day", "Europe/Berlin", "2026-11-27", "2026-11-28T00:00:00+01:00"),
        ("week", "UTC", "2026-W48", "2026-11-30T00:00:00+00:00"),
        ("month", "UTC", "2026-11", "2026-12-01T00:00:00+00:00"),
        ("month", "Asia/Tokyo", "2026-11", "2026-12-01T00:00:00+09:00"),
    ],
)
def test_periods(per: Any, zone: str, name: str, end: str) -> None:
    """Days, weeks and months are those of the time zone."""
    budget = Budget(usd=1, per=per, timezone=zone, name="x")
    assert budget.accounts(FACTS, NOW) == [(f"x|{name}", datetime.fromisoformat(end).timestamp())]


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]),
    st.sampled_from(["day", "week", "month"]),
)
def test_periods_follow_each_other(at: datetime, zone: str, per: Any) -> None:
    """At its end a period gives way to the next, also where clocks are set forward or back; its length is right."""
    now = at.replace(tzinfo=timezone.utc).timestamp()
    span = span_of(per, zone_of(zone), now)
    assert now < span.end
    assert span_of(per, zone_of(zone), span.end - 1).name == span.name
    assert span_of(per, zone_of(zone), span.end).name != span.name
    assert datetime.fromtimestamp(span.end, ZoneInfo(zone)).hour == 0
    assert span.end - now <= timedelta(days={"day": 1, "week": 7, "month": 31}[per], hours=1).total_seconds()


@given(st.decimals(0, 9_000_000, places=14))
def test_money_is_exact(usd: Decimal) -> None:
    """Whole numbers lose less than a picodollar, and what is reserved never loses anything."""
    assert abs(dollars(pico(usd)) - usd) <= Decimal("5e-13")
    assert 0 <= dollars(pico_at_least(usd)) - usd < Decimal("1e-12")


def test_shares_are_crossed_once() -> None:
    """Whoever brings the sum past a share tells of it."""
    budget = Budget(usd=10, tokens=100, notify_at=[0.8, 0.5], name="x")
    assert budget.crossed("x|", "usd", pico(Decimal(0)), pico(Decimal(4))) == []
    half, most = budget.crossed("x|", "usd", pico(Decimal(4)), pico(Decimal("8.5")))
    assert (half.share, most.share, most.spent, most.limit) == (0.5, 0.8, Decimal("8.5"), Decimal(10))
    assert [event.share for event in budget.crossed("x|", "tokens", 49, 50)] == [0.5]
    assert budget.crossed("x|", "tokens", 50, 51) == []


def test_a_budget_of_each_call_has_no_time() -> None:
    """It is looked at before each call."""
    assert Budget(usd=1, per="call", name="x").accounts(FACTS, NOW) == [("x|", None)]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [({}, False), ({"by": "tenant"}, False), ({"by": "model"}, True), ({"target": "a/*"}, True)],
)
def test_whether_targets_matter(arguments: dict[str, Any], expected: bool) -> None:
    """Some budgets are about some targets."""
    assert Budget(usd=1, **arguments).by_target is expected
