"""Forks are kept out while a thread is in SQLite."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgeagent.cache import forks
from edgeagent.cache.forks import ForkGate
from tests.support.children import forked

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def fork(works: Callable[[], bool] = lambda: True) -> int:
    """The exit status of a child: 0 if that is so in it."""
    return os.waitpid(forked(works), 0)[1]


def test_a_fork_waits_for_those_inside() -> None:
    """It happens when the last of them has left."""
    gate = ForkGate()
    inside, leave = threading.Event(), threading.Event()
    left: list[bool] = []

    def work() -> None:
        with gate:
            inside.set()
            leave.wait(5)
            left.append(True)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work)
        inside.wait(5)
        threading.Timer(0.05, leave.set).start()
        assert fork() == 0
        assert left == [True]


def test_nobody_enters_during_a_fork() -> None:
    """Who comes then waits until it is over."""
    gate = ForkGate()
    entered = threading.Event()

    def work() -> None:
        with gate:
            entered.set()

    gate._hold()
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work)
        assert not entered.wait(0.05)
        gate._let_go()
        done.result(5)
    assert entered.is_set()


def test_a_child_enters() -> None:
    """It begins anew: nobody of its parent's threads is in there."""
    gate = ForkGate()

    def enters() -> bool:
        with gate:
            return True

    assert fork(enters) == 0
    assert enters()


def test_a_fork_from_inside_is_late_but_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever."""
    monkeypatch.setattr(forks, "FORK_SECONDS", 0.05)
    gate = ForkGate()
    with gate:
        assert fork() == 0


def test_a_gate_can_be_forgotten() -> None:
    """The hooks, which live as long as the process, do not hold it."""
    gate = ForkGate()
    known = weakref.ref(gate)
    del gate
    gc.collect()
    assert known() is None
    assert fork() == 0
