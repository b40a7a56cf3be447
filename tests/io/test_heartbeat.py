"""Jobs that are repeated: as long as they say so, in one thread that comes and goes."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable

import pytest

from edgeagent.io import heartbeat
from edgeagent.io.heartbeat import Heartbeat
from tests.io.test_loops import eventually
from tests.support.children import forked

__all__: list[str] = []


def threads() -> int:
    return sum(thread.name == "edgeagent-heartbeat" for thread in threading.enumerate())


def counting(limit: int) -> tuple[list[int], Callable[[], bool]]:
    """A job that goes on until it has been called so often."""
    calls: list[int] = []

    def job() -> bool:
        calls.append(threading.get_ident())
        return len(calls) < limit

    return calls, job


def test_a_job_is_repeated_until_it_says_no() -> None:
    """All jobs run in one thread, never in the caller's."""
    beats = Heartbeat()
    first, second = counting(5), counting(3)
    beats.repeat(first[1], 0.002)
    beats.repeat(second[1], 0.001)
    assert eventually(lambda: len(first[0]) == 5 and len(second[0]) == 3)
    assert set(first[0]) == set(second[0]) != {threading.get_ident()}
    beats.close()
    assert eventually(lambda: threads() == 0)


def test_a_sooner_job_does_not_wait_for_a_later_one() -> None:
    """It wakes the thread, which looked at the clock and then waited, in one hold of the lock that `repeat` takes."""
    caller, looked = threading.get_ident(), threading.Event()

    def clock() -> float:
        if threading.get_ident() != caller:
            looked.set()
        return time.monotonic()

    beats = Heartbeat(clock)
    beats.repeat(counting(1)[1], 1000)
    assert looked.wait(5)
    soon, job = counting(3)
    beats.repeat(job, 0.001)
    assert eventually(lambda: len(soon) == 3)
    beats.close()


def test_a_job_is_stopped() -> None:
    """Once or twice; the others go on."""
    beats = Heartbeat()
    late, soon = counting(10**6), counting(10**6)
    stop_late = beats.repeat(late[1], 1000)
    stop_soon = beats.repeat(soon[1], 0.001)
    assert eventually(lambda: len(soon[0]) > 5)
    for stop in (stop_soon, stop_soon, stop_late):
        stop()
    threading.Event().wait(0.02)  # for the one that may be under way
    told = len(soon[0])
    threading.Event().wait(0.05)
    assert len(soon[0]) == told
    assert not late[0]
    beats.close()


def test_a_job_that_fails_is_not_repeated(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, and the others go on."""
    beats = Heartbeat()
    calls, job = counting(20)

    def bad() -> bool:
        raise RuntimeError("bad")

    with caplog.at_level(logging.ERROR, "edgeagent"):
        beats.repeat(bad, 0.001)
        beats.repeat(job, 0.001)
        assert eventually(lambda: len(calls) == 20)
    assert [record.message for record in caplog.records] == ["a repeated job failed"]
    beats.close()


def test_an_idle_thread_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is started again by the next job."""
    monkeypatch.setattr(heartbeat, "IDLE_SECONDS", 0.01)
    beats = Heartbeat()
    for _ in range(2):
        calls, job = counting(1)
        beats.repeat(job, 0.001)
        assert eventually(lambda: len(calls) == 1 and threads() == 0)  # noqa: B023


def test_closed_and_used_again() -> None:
    """`close` forgets the jobs; it may be called often."""
    beats = Heartbeat()
    beats.close()
    beats.repeat(counting(1)[1], 1000)
    beats.close()
    beats.close()
    calls, job = counting(1)
    beats.repeat(job, 0.001)
    assert eventually(lambda: len(calls) == 1)
    beats.close()
    assert eventually(lambda: threads() == 0)


def test_without_threads_nothing_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interpreter that is ending starts none, and the caller does not notice."""

    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    beats = Heartbeat()
    beats.repeat(counting(1)[1], 0.001)()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_repeats_nothing_of_its_parents() -> None:
    """It begins without jobs and without a thread, and can have its own."""
    beats = Heartbeat()
    beats.repeat(counting(10**6)[1], 0.001)

    def repeats() -> bool:
        beats.after_fork()
        calls, job = counting(1)
        beats.repeat(job, 0.001)
        return eventually(lambda: len(calls) == 1)

    assert os.waitpid(forked(repeats), 0)[1] == 0
    beats.close()
