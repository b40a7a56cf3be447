"""What vendors' headers say, and the pace that follows from it."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.limits.vendor import LONGEST, Pacer, allowances
from edgeagent.wire.http import Headers

NOW = datetime(2026, 11, 26, 12, 0, 0, tzinfo=timezone.utc).timestamp()


def openai(limit: int, remaining: int, reset: str, kind: str = "requests") -> dict[str, str]:
    start = "x-ratelimit-"
    return {
        f"{start}limit-{kind}": str(limit),
        f"{start}remaining-{kind}": str(remaining),
        f"{start}reset-{kind}": reset,
    }


def anthropic(limit: int, remaining: int, reset: str, kind: str = "requests") -> dict[str, str]:
    start = f"anthropic-ratelimit-{kind}-"
    return {f"{start}limit": str(limit), f"{start}remaining": str(remaining), f"{start}reset": reset}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("12ms", 0.012),
        ("6m0s", 360),
        ("1h2m3s", 3723),
        ("1d1h", 90_000),
        ("7.66s", 7.66),
        ("2m59.56s", 179.56),
        ("35", 35),
        ("0", 0),
        ("-5", 0),
        ("soon", None),
        ("", None),
        ("1x", None),
        ("2026-11-26T12:00:30Z", 30),
        ("2026-11-26T13:00:30.500000+01:00", 30.5),
        ("2026-11-26T11:59:00Z", 0),
        ("2026-13-26T11:59:00Z", None),
    ],
)
def test_when_a_limit_is_whole_again(text: str, seconds: float | None) -> None:
    """Go's durations, seconds, and times of RFC 3339; anything else is not told."""
    (found,) = allowances(openai(60, 30, text), NOW)
    assert found == ("requests", 60, 30, pytest.approx(seconds) if seconds is not None else None)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-ratelimit-limit-requests": "60"},
        openai(-1, -1, "0"),
        openai(10, 20, "1s"),
        openai(0, 0, "1s"),
        {"x-ratelimit-limit-requests": "many", "x-ratelimit-remaining-requests": "1"},
    ],
)
def test_what_says_nothing(headers: dict[str, str]) -> None:
    """Half of it, the -1 that Azure sends, and what cannot be."""
    assert allowances(Headers(headers), NOW) == []


def test_anthropics_four_limits() -> None:
    """Requests, and tokens in three ways."""
    kinds = ("requests", "tokens", "input-tokens", "output-tokens")
    headers: dict[str, str] = {}
    for number, kind in enumerate(kinds):
        headers |= anthropic(100, 10 + number, "2026-11-26T12:00:10Z", kind)
    assert allowances(Headers(headers), NOW) == [(kind, 100, 10 + n, 10.0) for n, kind in enumerate(kinds)]


def test_a_vendor_that_runs_dry_is_asked_as_fast_as_it_refills() -> None:
    """Of 60 a minute none is left: one goes every second, and none before."""
    pacer = Pacer()
    pacer.learn(openai(60, 0, "60s"), 0.0, NOW, 0.0)
    now, went = 0.0, []
    while now < 20:
        wait = pacer.take(10, 10, now)
        if wait == 0:
            went.append(now)
        else:
            now += wait
    assert all(later - earlier >= 0.999 for earlier, later in pairwise(went))
    assert 17 <= len(went) <= 19


@given(
    limit=st.integers(1, 1000),
    left=st.integers(0, 1000),
    reset=st.floats(0.5, 120),
    gaps=st.lists(st.floats(0, 5), max_size=40),
)
def test_it_never_takes_more_than_the_vendor_has(limit: int, left: int, reset: float, gaps: list[float]) -> None:
    """Against a bucket that is filled as the vendor fills it, which is never found empty."""
    left = min(left, limit)
    pacer = Pacer()
    pacer.learn(openai(limit, left, f"{reset:.6f}s"), 0.0, NOW, 0.0)
    bucket, rate, now = float(left), (limit - left) / reset if left < limit else limit / 60, 0.0
    for gap in gaps:
        now += gap
        bucket = min(limit, bucket + gap * rate)
        if pacer.take(1, 1, now) == 0:
            bucket -= 1
            assert bucket > -0.01


def test_tokens_pace_too() -> None:
    """A large call waits for as many tokens as it needs; a small one goes."""
    pacer = Pacer()
    pacer.learn(anthropic(6000, 1000, "2026-11-26T12:00:50Z", "input-tokens"), 0.0, NOW, 0.0)
    assert pacer.take(500, 0, 0.0) == 0
    assert pacer.take(2000, 0, 0.0) == pytest.approx((2000 + 120 - 500) / 100)
    assert pacer.take(9_000_000, 0, 0.0) == pytest.approx((6000 - 500) / 100)


def test_calls_that_the_vendor_has_not_seen_are_taken_off() -> None:
    """What was let through after the request whose answer tells of the limit may not be in what it tells."""
    pacer = Pacer()
    assert [pacer.take(1, 1, at) for at in (0.0, 1.0, 2.0, 3.0)] == [0, 0, 0, 0]
    pacer.learn(openai(100, 5, "95s"), 4.0, NOW, 1.0)
    assert pacer.take(1, 1, 4.0) == 0
    assert pacer.take(1, 1, 4.0) == pytest.approx(1)
    pacer.learn(openai(100, 50, "50s"), 4.0, NOW, 4.0)
    assert pacer.take(1, 1, 4.0) == 0


def test_a_refusal_holds_everyone() -> None:
    """Until the time that it named; but not for more than an hour."""
    pacer = Pacer()
    pacer.refused(5.0, 100.0)
    assert pacer.take(1, 1, 101.0) == 4.0
    assert pacer.take(1, 1, 105.0) == 0
    pacer.refused(1e9, 105.0)
    assert pacer.take(1, 1, 105.0) == LONGEST


def test_a_quota_of_a_day_is_no_pace() -> None:
    """What is whole again only tomorrow does not spread today's calls over the day."""
    pacer = Pacer()
    pacer.learn(openai(14_400, 14_000, "20h0m0s"), 0.0, NOW, 0.0)
    assert all(pacer.take(1, 1, 0.0) == 0 for _ in range(100))
