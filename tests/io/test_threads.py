"""Calls that can be given up."""

from __future__ import annotations

import threading
from contextvars import ContextVar

import pytest

from edgeagent.io import threads as module
from edgeagent.io.threads import Threads

__all__: list[str] = []

who: ContextVar[str] = ContextVar("who", default="nobody")


def workers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "edgeagent-call"}


def test_what_comes_in_time() -> None:
    """Results and errors, with the caller's context; one thread serves calls in turn."""
    before = workers()
    threads = Threads()
    who.set("me")
    for _ in range(10):
        assert threads.call(who.get, 5) == "me"
    for error in (ZeroDivisionError, SystemExit):

        def fails(error: type[BaseException] = error) -> None:
            raise error

        with pytest.raises(error):
            threads.call(fails, 5)
    assert len(workers() - before) == 1


def test_what_does_not() -> None:
    """The caller goes on; the late result is handed over, so that it can be given back; the thread serves others."""
    threads = Threads()
    released, told = threading.Event(), threading.Event()
    late: list[str] = []

    def slow() -> str:
        released.wait(10)
        return "late"

    def tell(result: str) -> None:
        late.append(result)
        told.set()

    with pytest.raises(TimeoutError):
        threads.call(slow, 0.01, tell)
    assert threads.call(lambda: "other", 5) == "other"
    released.set()
    assert told.wait(5)
    assert late == ["late"]


def test_an_error_that_comes_late() -> None:
    """Nobody is told."""
    threads = Threads()
    released, raised = threading.Event(), threading.Event()

    def fails() -> None:
        released.wait(10)
        raised.set()
        raise ZeroDivisionError

    with pytest.raises(TimeoutError):
        threads.call(fails, 0.01, lambda _: pytest.fail("told"))
    released.set()
    assert raised.wait(5)
    assert threads.call(lambda: 1, 5) == 1


def test_idle_threads_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """None is kept for nothing; a call that comes just then is served."""
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.001)
    before = workers()
    threads = Threads()
    for number in range(100):
        assert threads.call(lambda number=number: number, 5) == number  # type: ignore[misc]
    for thread in workers() - before:
        thread.join(5)
    assert not workers() - before


def test_many_at_once() -> None:
    """As many threads as calls, each with its own answer."""
    threads = Threads()
    barrier = threading.Barrier(20)
    answers: list[bool] = []

    def call(number: int) -> None:
        def answer() -> int:
            barrier.wait(10)
            return number

        answers.append(threads.call(answer, 10) == number)

    callers = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(10)
    assert answers == [True] * 20
