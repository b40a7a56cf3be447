"""When a server says that a request may be sent again."""

from __future__ import annotations

import time

import pytest

from edgeagent.wire.http import Headers
from edgeagent.wire.retry_after import retry_after, should_retry
from tests.support.corpus import record

DATE = "Wed, 21 Oct 2015 07:28:00 GMT"
NOW = 1_445_412_480.0  # the same moment


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2.0),
        ({"Retry-After": " 2 "}, 2.0),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": ".5"}, 0.5),
        ({"retry-after": "2."}, 2.0),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "20.5"}, 0.0205),
        ({"retry-after-ms": "0", "retry-after": "1"}, 1.0),
        ({"retry-after-ms": "1500", "retry-after": "1"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after-ms": "10", "retry-after": "later"}, 0.01),
        ({"retry-after": ""}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": "1_000"}, None),
        ({"retry-after": "9" * 400}, None),
        ({"retry-after": "²"}, None),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
        ({"retry-after": "Wed, 21 Oct 99999 07:28:00 GMT"}, None),
        ({"retry-after": DATE}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wednesday, 21-Oct-15 07:28:30 GMT"}, 30.0),
        ({"retry-after": "Wed Oct 21 07:28:30 2015"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 -0000"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:27:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 31 Dec 1999 23:59:59 GMT", "date": "Fri, 31 Dec 1999 23:59:49 GMT"}, 10.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "never"}, 30.0),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    """The wait is the larger of what can be read, in seconds; what cannot be read says nothing."""
    assert retry_after(Headers(headers), now=NOW) == seconds


def test_a_date_counts_from_the_clock_where_nothing_else_is_known() -> None:
    """Without the answer's own date and without `now`, the clock is asked."""
    wait = retry_after(Headers({"retry-after": "Fri, 31 Dec 2100 23:59:59 GMT"}))
    assert wait == pytest.approx(4_133_980_799 - time.time(), abs=5)


@pytest.mark.parametrize(
    ("value", "meaning"),
    [(None, None), ("true", True), ("false", False), (" True ", True), ("yes", None), ("", None)],
)
def test_should_retry(value: str | None, meaning: bool | None) -> None:
    """`x-should-retry` says true, false or nothing."""
    assert should_retry(Headers({} if value is None else {"X-Should-Retry": value})) is meaning


def test_oddity_32_two_headers_disagree() -> None:
    """Azure sends `retry-after-ms: 0` beside `retry-after: 1`: one second is waited, not none."""
    headers = Headers(record("azure_ai.chat", "7024d7994b")["response"]["headers"])
    assert headers["retry-after-ms"] == "0"
    assert headers["retry-after"] == "1"
    assert retry_after(headers) == 1.0
