"""Flows that nobody waits for: a few at once, the others in their turn, all given up at the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest

from edgeagent.effects import Flow, Scope, offload, sleep
from edgeagent.io import background as module
from edgeagent.io.background import Background
from edgeagent.io.lanes import LaneEnded
from edgeagent.io.runtime import Runtime

NAME: ContextVar[str] = ContextVar("NAME", default="nobody")


class Ends:
    """What flows ended with, in the order in which they did."""

    def __init__(self) -> None:
        self.seen: list[BaseException | None] = []
        self._changed = threading.Condition()

    def __call__(self, error: BaseException | None) -> None:
        with self._changed:
            self.seen.append(error)
            self._changed.notify_all()

    def wait(self, count: int) -> list[BaseException | None]:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.seen) >= count, 30)
            return list(self.seen)


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime()
    yield made
    made.close()


@pytest.fixture
def background(runtime: Runtime) -> Background:
    return runtime._background


def test_how_it_ended_is_told(background: Background) -> None:
    """Nothing, or what it raised; its scope is released before; it runs with the caller's context."""
    ends = Ends()
    told: list[Any] = []

    def fine(scope: Scope) -> Flow[None]:
        scope.add(lambda: told.append("released"))
        yield from sleep(0)
        told.append(NAME.get())

    def wrong(scope: Scope) -> Flow[None]:
        yield from offload(lambda: 1 // 0)

    token = NAME.set("caller")
    assert background.start(fine, ends)
    NAME.reset(token)
    assert ends.wait(1) == [None]
    assert told == ["caller", "released"]
    assert background.start(wrong, ends)
    assert isinstance(ends.wait(2)[1], ZeroDivisionError)


def test_a_few_at_once(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait for their turn; when too many wait, more are refused."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    monkeypatch.setattr(module, "WAITING", 3)
    go, ends = threading.Event(), Ends()
    lock, running, most = threading.Lock(), 0, 0

    def held() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        assert go.wait(30)
        with lock:
            running -= 1

    def flow(scope: Scope) -> Flow[None]:
        yield from offload(held)

    assert [background.start(flow, ends) for _ in range(6)] == [True] * 5 + [False]
    go.set()
    assert ends.wait(5) == [None] * 5
    assert most <= 2
    assert background.start(flow, ends)
    assert ends.wait(6) == [None] * 6


def test_closing_gives_up(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is dropped, what runs is woken; each is told, and what is started later runs."""
    monkeypatch.setattr(module, "AT_ONCE", 1)
    begun, ends, later = threading.Event(), Ends(), Ends()

    def long(scope: Scope) -> Flow[None]:
        begun.set()
        yield from sleep(600)
        yield from sleep(600)

    def short(scope: Scope) -> Flow[None]:
        yield from sleep(0)

    background.start(long, ends)
    background.start(short, ends)
    assert begun.wait(30)
    background.close()
    background.close()
    assert [type(error) for error in ends.wait(2)] == [LaneEnded] * 2
    assert background.start(short, later)
    assert later.wait(1) == [None]


def test_no_thread_no_flow(background: Background, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the interpreter ends and starts no thread, it is refused; the place is free again."""

    def none(*_: Any) -> None:
        raise RuntimeError("can't start new thread")

    threads = background._threads()
    monkeypatch.setattr(threads, "start", none)
    assert not background.start(lambda scope: sleep(0), Ends())
    assert not background._running
