"""A server that is away is not asked twice; one probe at a time finds out when it is back."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from edgeagent.cache.outage import FIRST_PAUSE, LONGEST_PAUSE, Away, Outage

__all__: list[str] = []


class Server:
    """What a probe asks, a clock, and the probes that wait to be run."""

    def __init__(self) -> None:
        self.now = 100.0
        self.there = False
        self.probes: list[Callable[[], None]] = []
        self.outage = Outage(self.answer, lambda: self.now, self.probes.append)

    def answer(self) -> None:
        if not self.there:
            raise ConnectionRefusedError

    def refused(self) -> bool:
        try:
            self.outage.check()
        except Away:
            return True
        return False

    def pass_by(self, seconds: float) -> None:
        self.now += seconds
        assert self.refused()
        self.look()

    def look(self) -> None:
        for probe in self.probes:
            probe()
        self.probes.clear()


def test_calls_fail_at_once_until_a_probe_succeeds() -> None:
    """Nobody is let through while the server is away, not even when a probe is due."""
    server = Server()
    assert not server.refused()
    server.outage.begins()
    assert [server.refused() for _ in range(3)] == [True, True, True]
    assert not server.probes
    server.there = True
    server.pass_by(FIRST_PAUSE)
    assert not server.refused()


def test_one_probe_at_a_time() -> None:
    """However many calls come while it is under way."""
    server = Server()
    server.outage.begins()
    server.now += FIRST_PAUSE
    assert all(server.refused() for _ in range(10))
    assert len(server.probes) == 1


def test_the_pause_grows_to_its_bound_and_begins_anew() -> None:
    """A server that stays away is asked ever less often; the next outage begins with the first pause again."""
    server = Server()
    server.outage.begins()
    pause = FIRST_PAUSE
    for _ in range(10):
        server.now += pause * 0.99
        assert server.refused()
        assert not server.probes
        server.pass_by(pause * 0.02)
        pause = min(2 * pause, LONGEST_PAUSE)
    server.there = True
    server.pass_by(LONGEST_PAUSE)
    assert not server.refused()
    server.outage.begins()
    server.pass_by(FIRST_PAUSE)
    assert not server.refused()


def test_failures_during_an_outage_do_not_prolong_it() -> None:
    """Calls that were on their way when it began fail later, and change nothing."""
    server = Server()
    server.outage.begins()
    server.now += FIRST_PAUSE
    server.outage.begins()
    server.there = True
    server.pass_by(0)
    assert not server.refused()


def test_calls_that_were_given_up_have_it_looked_at() -> None:
    """They say nothing of the server, so one probe finds out, and not for each of them."""
    server = Server()
    server.there = True
    for _ in range(5):
        server.outage.doubts()
    assert len(server.probes) == 1
    server.now += 2 * FIRST_PAUSE
    server.outage.doubts()
    assert len(server.probes) == 1, "it is under way"
    server.look()
    server.outage.doubts()
    assert not server.probes, "it was there a moment ago"
    assert not server.refused()
    server.now += FIRST_PAUSE
    server.there = False
    server.outage.doubts()
    server.look()
    assert server.refused()
    server.outage.doubts()
    assert not server.probes, "that it is away is known"
    server.there = True
    server.pass_by(FIRST_PAUSE)
    assert not server.refused()


def test_without_threads_nothing_is_looked_at() -> None:
    """An interpreter that is ending starts none, and nobody is told."""

    def no_thread(job: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    outage = Outage(lambda: None, lambda: 0.0, no_thread)
    outage.doubts()
    outage.check()


def test_without_threads_the_probe_is_put_off() -> None:
    """An interpreter that is ending starts no thread; the calls fail as before."""

    def no_thread(job: Callable[[], None]) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    now = [0.0]
    outage = Outage(lambda: None, lambda: now[0], no_thread)
    outage.begins()
    now[0] = FIRST_PAUSE
    for _ in range(2):
        with pytest.raises(Away):
            outage.check()


def test_the_probe_runs_beside_the_caller() -> None:
    """In a thread of its own, unless told otherwise."""
    asked = threading.Event()
    names: list[str] = []

    def probe() -> None:
        names.append(threading.current_thread().name)
        asked.set()

    now = [0.0]
    outage = Outage(probe, lambda: now[0])
    outage.begins()
    now[0] = FIRST_PAUSE
    with pytest.raises(Away):
        outage.check()
    assert asked.wait(5)
    assert names == ["edgeagent-probe"]
