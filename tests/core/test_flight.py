"""Who leads, who follows, and how a flight ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from edgeagent.core.flight import Flight, Flights
from edgeagent.errors import RateLimitError

KEY = b"k"


def lead(flights: Flights | None = None) -> Flight:
    flight, leads = (Flights() if flights is None else flights).board(KEY)
    assert flight is not None
    assert leads
    return flight


def test_first_leads_others_follow() -> None:
    """One flight a key; another key is another flight."""
    flights = Flights()
    flight = lead(flights)
    same, follows = flights.board(KEY)
    assert not follows
    assert same is flight
    assert flights.board(b"other")[1]


def test_a_blocking_call_in_the_leaders_thread_flies_alone() -> None:
    """It would wait for a thread that waits for it; another thread, or a task, may follow."""
    flights = Flights()
    flights.board(KEY)
    assert flights.board(KEY, blocking=True) == (None, False)
    assert flights.board(KEY)[0] is not None
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(flights.board, KEY, blocking=True).result()[0] is not None


@pytest.mark.parametrize("end", ["land", "fail", "abandon"])
def test_an_end_is_told_once_and_the_key_is_free(end: str) -> None:
    """Whichever way it ends: callbacks run once, later ends do nothing, the next caller leads a new flight."""
    flights = Flights()
    flight = lead(flights)
    told: list[str] = []
    flight.add_done_callback(lambda: told.append("before"))
    taken_back = flight.add_done_callback(lambda: told.append("taken back"))
    taken_back()
    taken_back()
    arguments = {"land": (b"entry",), "fail": (RateLimitError("slow down"),), "abandon": ()}[end]
    getattr(flight, end)(*arguments)
    flight.land(b"later")
    flight.abandon()
    flight.add_done_callback(lambda: told.append("after"))()
    assert told == ["before", "after"]
    assert flight.ended
    assert flight.entry == (b"entry" if end == "land" else None)
    assert (flight.error() is None) == (end != "fail")
    assert len(flights) == 0
    assert flights.board(KEY)[1]


def test_everyone_gets_his_own_copy_of_the_error() -> None:
    """Equal in everything but identity, the cause included."""
    flight = lead()
    error = RateLimitError("slow down")
    error.retry_after = 3.0
    error.__cause__ = ValueError("why")
    flight.fail(error)
    one, two = flight.error(), flight.error()
    assert isinstance(one, RateLimitError)
    assert one is not two
    assert one is not error
    assert (one.message, one.retry_after, one.__cause__) == ("slow down", 3.0, error.__cause__)


def test_an_error_that_cannot_be_copied_is_shared() -> None:
    """Better the same object than none."""

    class Stubborn(Exception):
        def __reduce__(self) -> str:
            raise TypeError

    flight = lead()
    error = Stubborn()
    flight.fail(error)
    assert flight.error() is error


@pytest.mark.parametrize(
    ("found", "cleared", "renewals", "suits"),
    [
        (False, 3, 7, True),
        (False, 3, 8, True),  # it was asked for: no answer is later
        (False, 4, 7, False),
        (True, 3, 7, True),
        (True, 3, 8, False),
        (True, 4, 7, False),
    ],
)
def test_for_whom_an_answer_is(found: bool, cleared: int, renewals: int, suits: bool) -> None:
    """Not for who began after entries had been forgotten; nor, if it was found, after answers had been replaced."""
    flight = lead()
    flight.found, flight.cleared, flight.renewals = found, 3, 7
    assert flight.suits(cleared, renewals) is suits
