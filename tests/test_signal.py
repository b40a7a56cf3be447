"""What is waited for and happens once."""

from __future__ import annotations

import threading

import pytest

from edgeagent.core.flight import Flight, Flights
from edgeagent.routing.health import Probe
from edgeagent.signal import Signal

__all__: list[str] = []

KINDS = [Signal, Probe, lambda: Flight(Flights(), "key")]


@pytest.mark.parametrize("make", KINDS)
def test_everyone_is_called_back_once(make: type[Signal]) -> None:
    """When it happens, at once if it has, never if that was taken back."""
    signal, told = make(), []
    signal.add_done_callback(lambda: told.append("first"))
    take_back = signal.add_done_callback(lambda: told.append("never"))
    take_back()
    take_back()
    assert not signal.ended
    signal.end()
    signal.end()
    assert signal.ended
    signal.add_done_callback(lambda: told.append("late"))()
    assert told == ["first", "late"]


@pytest.mark.parametrize("make", KINDS)
def test_a_callback_may_ask_again(make: type[Signal]) -> None:
    """Or end it: nobody is called back under its lock."""
    signal, told = make(), []

    def asks() -> None:
        told.append("asked")
        signal.end()
        signal.add_done_callback(lambda: told.append("again"))

    signal.add_done_callback(asks)
    signal.end()
    assert told == ["asked", "again"]


@pytest.mark.parametrize("make", KINDS)
def test_nobody_is_forgotten(make: type[Signal]) -> None:
    """Whoever comes while it happens is called back, and once."""
    for _ in range(50):
        signal, told = make(), []
        start = threading.Barrier(3)

        def ask(signal: Signal = signal, told: list[int] = told, start: threading.Barrier = start) -> None:
            start.wait(10)
            for number in range(20):
                signal.add_done_callback(lambda number=number: told.append(number))  # type: ignore[misc]

        def end(signal: Signal = signal, start: threading.Barrier = start) -> None:
            start.wait(10)
            signal.end()

        threads = [threading.Thread(target=job) for job in (ask, ask, end)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(told) == sorted([*range(20)] * 2)
