"""What a limit may be, and the meters that hold it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from edgeagent.errors import ConfigurationError
from edgeagent.limits import Limit, MemoryMeters, Meters, RedisState
from edgeagent.limits import meters as module
from edgeagent.limits.limit import priority_of
from edgeagent.limits.meters import UNKNOWN
from tests.limits.clock import Clock
from tests.support.redis_server import RedisServer, needs_redis


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({}, "limits nothing"),
        ({"requests": 0}, "requests="),
        ({"tokens": 1.5}, "tokens="),
        ({"concurrent": True}, "concurrent="),
        ({"requests": 1, "per": "year"}, "per="),
        ({"requests": 1, "per": 0}, "per="),
        ({"requests": 1, "wait": -1}, "wait="),
        ({"requests": 1, "by": 3}, "by="),
    ],
)
def test_what_a_limit_cannot_be(arguments: dict[str, Any], word: str) -> None:
    """The message says what to do."""
    with pytest.raises(ConfigurationError, match=word):
        Limit(**arguments)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"requests": 5}, "5 requests/minute"),
        ({"tokens": 5, "per": 2.5, "by": ("user", len)}, "5 tokens/2.5 s, by user,len"),
        ({"concurrent": 2, "target": "a/*", "tags": ["x"]}, "2 at once, a/*, x"),
        ({"learn": True}, "learned"),
        ({"requests": 5, "name": "n"}, "n"),
    ],
)
def test_names(arguments: dict[str, Any], name: str) -> None:
    """A limit without a name is called what it is."""
    assert Limit(**arguments).name == name


@pytest.mark.parametrize(("wait", "longest"), [(True, None), (False, 0.0), (2.5, 2.5), (3, 3.0)])
def test_waits(wait: Any, longest: float | None) -> None:
    """As long as the deadline allows, not at all, or so many seconds."""
    assert Limit(requests=1, wait=wait).longest_wait == longest


def test_priorities() -> None:
    """Three classes, by name."""
    assert [priority_of(name) for name in ("high", "normal", "low", "urgent", 1)] == [0, 1, 2, None, None]


class Metered(RuleBasedStateMachine):
    """A meter of all three kinds against a list of places."""

    LIMIT = Limit(requests=4, tokens=20, per=8.0, concurrent=3)

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(0.0)
        self.meters = MemoryMeters(self.clock)
        self.number = 0
        self.let_in: list[list[Any]] = []  # at, requests, tokens
        self.open: dict[str, list[Any]] = {}

    @rule(eighths=st.integers(0, 40))
    def time_passes(self, eighths: int) -> None:
        self.clock.now += eighths / 8

    @rule(tokens=st.integers(0, 25))
    def take(self, tokens: int) -> None:
        self.number += 1
        inside = [one for one in self.let_in if one[0] > self.clock.now - 8]
        requests, used = sum(one[1] for one in inside), sum(one[2] for one in inside)
        wait = self.meters.take("m", self.LIMIT, str(self.number), tokens)
        if len(self.open) == 3:
            assert wait == UNKNOWN
        elif requests + 1 > 4 or used + min(tokens, 20) > 20:
            assert 0 < wait <= 8
        else:
            assert wait == 0
            self.open[str(self.number)] = entry = [self.clock.now, 1, tokens]
            self.let_in.append(entry)

    @precondition(lambda self: self.open)
    @rule(data=st.data(), used=st.none() | st.integers(0, 30), undo=st.booleans())
    def give(self, data: st.DataObject, used: int | None, undo: bool) -> None:
        place = data.draw(st.sampled_from(list(self.open)))
        entry = self.open.pop(place)
        self.meters.give("m", self.LIMIT, place, used, undo=undo)
        self.meters.give("m", self.LIMIT, place, used, undo=undo)  # the second time it is no place any more
        if entry[0] > self.clock.now - 8:
            entry[1:] = [0, 0] if undo else [1, entry[2] if used is None else used]


TestMetered = Metered.TestCase


@pytest.fixture(scope="module")
def shared() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture(params=["memory", pytest.param("server", marks=needs_redis)])
def meters(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A store of each kind, on a clock that goes by itself."""
    if request.param == "memory":
        import time

        yield MemoryMeters(time.monotonic)
        return
    server: RedisServer = request.getfixturevalue("shared")
    server.say("FLUSHALL")
    state = RedisState(server.url)
    yield state
    state.close()


def test_a_crowd_never_gets_more_than_there_is(meters: Any) -> None:
    """200 threads ask at once where 37 are let in; the others are told how long to wait."""
    assert isinstance(meters, Meters)
    limit, said, start = Limit(requests=37, per=60.0), [], threading.Barrier(25)

    def ask(number: int) -> None:
        start.wait()
        for n in range(8):
            said.append(meters.take("m", limit, f"{number}-{n}", 0))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(0) == 37
    assert all(50 < wait <= 60 for wait in said if wait)


def test_tokens_are_corrected(meters: Any) -> None:
    """What a call did not use is free for others, what it used beyond the estimate is not."""
    limit = Limit(tokens=100, per=60.0)
    assert meters.take("m", limit, "a", 90) == 0
    assert meters.take("m", limit, "b", 20) > 0
    meters.give("m", limit, "a", 30)
    assert meters.take("m", limit, "b", 20) == 0
    meters.give("m", limit, "b", 70)
    assert meters.take("m", limit, "c", 1) > 0
    assert meters.take("m", limit, "d", 500) > 0


def test_more_than_the_whole_limit_waits_for_an_empty_window(meters: Any) -> None:
    """A call that is larger than the limit is let in alone."""
    limit = Limit(tokens=100, per=60.0)
    assert meters.take("m", limit, "a", 500) == 0
    assert meters.take("m", limit, "b", 1) > 0


def test_places_among_those_under_way(meters: Any) -> None:
    """They are free again when a call ends; what was never sent counts nowhere."""
    limit = Limit(concurrent=2, requests=3, per=60.0)
    assert [meters.take("m", limit, place, 0) for place in "abc"] == [0, 0, UNKNOWN]
    meters.give("m", limit, "a", None, undo=True)
    meters.give("m", limit, "b", 5)
    assert [meters.take("m", limit, place, 0) for place in "de"] == [0, 0]
    meters.give("m", limit, "d", 5)
    assert meters.take("m", limit, "f", 0) > 0
    meters.give("m", limit, "unknown", 5)
    meters.give("other", limit, "unknown", 5)


def test_idle_meters_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys come from callers: memory does not grow with them, and what still counts stays."""
    monkeypatch.setattr(module, "KEPT", 10)
    clock = Clock()
    meters, limit = MemoryMeters(clock), Limit(requests=1, per=60.0)
    meters.take("kept", Limit(concurrent=1), "x", 0)
    for number in range(50):
        assert meters.take(f"user-{number}", limit, "x", 0) == 0
        meters.give(f"user-{number}", limit, "x", None)
        clock.now += 60.0
    assert len(meters._meters) <= 11
    assert meters.take("kept", Limit(concurrent=1), "y", 0) == UNKNOWN
    meters.close()
