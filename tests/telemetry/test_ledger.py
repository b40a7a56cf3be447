"""The account of calls: what is booked, how it is shown, from any number of threads."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import RateLimitError
from edgeagent.telemetry import CallEnded, Ledger, Totals
from edgeagent.types import ResponseMetadata
from tests.telemetry.calls import OPENAI, cached, coalesced, completion, ended, failed, started

PRICE = Decimal("0.000027")
USED = Totals(calls=1, input_tokens=100, output_tokens=20)
UNPRICED = ended(edge=ResponseMetadata(provider="openai", model="gpt-4o-mini"))
UNCOUNTED = ended(completion=completion(usage=None))


def book(ledger: Ledger, event: CallEnded, retries: int = 0) -> None:
    entry = ledger.start(started())
    for _ in range(retries):
        entry.retry(OPENAI, 0.5)
    entry.end(event)


@pytest.mark.parametrize(
    ("event", "name", "expected"),
    [
        (ended(), "openai/gpt-4o-mini", replace(USED, cost_usd=PRICE)),
        (cached("disk"), "openai/gpt-4o-mini", Totals(calls=1, saved_usd=PRICE, hits={"disk": 1})),  # type: ignore[arg-type]
        (coalesced(), "openai/gpt-4o-mini", Totals(calls=1, coalesced=1, saved_usd=PRICE)),
        (UNPRICED, "openai/gpt-4o-mini", replace(USED, unpriced=1)),
        (UNCOUNTED, "openai/gpt-4o-mini", Totals(calls=1, cost_usd=PRICE)),
        (failed(RateLimitError("x")), "gpt-4o-mini", Totals(calls=1, errors=1)),
        (ended(completion=None), "openai/gpt-4o-mini", Totals(calls=1, closed_early=1, cost_usd=PRICE)),
    ],
)
def test_booking(event: CallEnded, name: str, expected: Totals) -> None:
    """Each end of a call is booked under the target that answered, or the name that was asked for."""
    ledger = Ledger()
    book(ledger, event)
    assert dict(ledger.rows) == {name: expected}


def test_total() -> None:
    """The total is the sum of the rows; both are copies; `clear` begins anew."""
    ledger = Ledger()
    for event, retries in ((ended(), 2), (ended(), 0), (cached(), 0), (failed(ValueError()), 1)):
        book(ledger, event, retries)
    total = ledger.total
    assert (total.calls, total.retries, total.errors, total.hits) == (4, 3, 1, {"memory": 1})
    assert (total.cost_usd, total.saved_usd) == (2 * PRICE, PRICE)
    ledger.rows["gpt-4o-mini"].calls = 99
    total.calls = 99
    assert ledger.total.calls == 4
    ledger.clear()
    assert ledger.total == Totals()


def test_threads() -> None:
    """No call is lost when many threads book at once."""
    ledger = Ledger()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: book(ledger, ended() if number % 2 else cached()), range(2000)))
    assert (ledger.total.calls, ledger.total.hits["memory"], ledger.total.cost_usd) == (2000, 1000, 1000 * PRICE)


def test_table() -> None:
    """As text: a head, a line for each target, the total."""
    ledger = Ledger()
    for event in (ended(), cached(), cached("disk"), failed(ValueError())):
        book(ledger, event)
    assert str(ledger).splitlines() == [
        "                    calls               hits  errors  tokens in  tokens out       cost      saved",
        "openai/gpt-4o-mini      3  1 disk + 1 memory       0        100          20  $0.000027  $0.000054",
        "gpt-4o-mini             1                  0       1          0           0         $0         $0",
        "total                   4  1 disk + 1 memory       1        100          20  $0.000027  $0.000054",
    ]


def test_unpriced() -> None:
    """Calls whose price is not known are told beside the cost, which is too low by theirs."""
    ledger = Ledger()
    book(ledger, ended())
    book(ledger, UNPRICED)
    assert str(ledger).count("$0.000027 + 1 unpriced") == 2


class Reader(HTMLParser):
    """The tags and the texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def html(model: str) -> str:
    ledger = Ledger()
    ledger.start(started(model=model)).end(failed(ValueError()))
    return ledger._repr_html_()


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["C"])))
def test_html(model: str) -> None:
    """As HTML: the same table, whatever the model is called."""
    page = Reader(html(model))
    assert page.tags == Reader(html("m")).tags
    assert model in page.texts


def test_html_shows_the_table() -> None:
    """The HTML table holds the cells of the text table."""
    assert Reader(html("m")).texts == [
        *("calls", "hits", "errors", "tokens in", "tokens out", "cost", "saved"),
        *("m", "1", "0", "1", "0", "0", "$0", "$0"),
        *("total", "1", "0", "1", "0", "0", "$0", "$0"),
    ]


def test_pickle() -> None:
    """A ledger can be pickled with its account and goes on counting."""
    ledger = Ledger()
    book(ledger, ended())
    copy = pickle.loads(pickle.dumps(ledger))
    book(copy, ended())
    assert (ledger.total.calls, copy.total.calls) == (1, 2)
