"""Short blocking calls beside an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import anyio
import pytest

from edgeagent.effects import Place
from edgeagent.io import aside as module
from edgeagent.io.aside import Aside
from edgeagent.io.threads import Threads

__all__: list[str] = []

who: ContextVar[str] = ContextVar("who", default="nobody")


class House:
    """An `Aside` with threads of its own; what it leaves to others is counted."""

    def __init__(self) -> None:
        self.threads = Threads()
        self.left = 0
        self.aside = Aside(lambda: self.threads, self.otherwise)

    async def otherwise(self, call: Callable[[], Any]) -> Any:
        self.left += 1
        await anyio.sleep(0)
        return call()

    def run(self, test: Callable[[], Awaitable[None]], backend: str = "asyncio") -> None:
        try:
            anyio.run(test, backend=backend)
        finally:
            self.threads.close()


def test_what_comes_in_time() -> None:
    """Results and errors of every kind, with the caller's context, in a thread of ours; each gives its place back."""
    house = House()

    async def test() -> None:
        who.set("me")
        for bound in (None, 5.0):
            assert await house.aside.run(who.get, bound) == "me"
        thread = await house.aside.run(threading.current_thread, 5.0)
        assert thread.name == "edgeagent-call"
        for error in (ZeroDivisionError, SystemExit):

            def fails(error: type[BaseException] = error) -> None:
                raise error

            with pytest.raises(error):
                await house.aside.run(fails, 5.0)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await house.aside.run(lambda: next(iter(())), 5.0)

    house.run(test)
    assert (house.left, len(house.aside._places)) == (0, module.PLACES)


def test_what_does_not() -> None:
    """The caller goes on at the bound, or when it is cancelled; what comes later is thrown away, silently."""
    house = House()
    released, over = threading.Event(), threading.Semaphore(0)

    def slow() -> None:
        released.wait(10)
        over.release()

    async def test() -> None:
        with pytest.raises(TimeoutError):
            await house.aside.run(slow, 0.01)
        with anyio.move_on_after(0.01) as scope:
            await house.aside.run(slow, None)
        assert scope.cancelled_caught
        assert len(house.aside._places) == module.PLACES - 2
        released.set()
        for _ in range(2):
            assert await house.aside.run(lambda: over.acquire(timeout=5), 10.0)

    house.run(test)


def test_without_a_place_it_is_left_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """No burst of calls starts more threads than there are places; all are answered."""
    monkeypatch.setattr(module, "PLACES", 2)
    house = House()
    together = threading.Barrier(2)

    async def test() -> None:
        both = asyncio.gather(*(house.aside.run(lambda: together.wait(5), 10.0) for _ in range(2)))
        await asyncio.sleep(0)
        assert await house.aside.run(lambda: 3, 5.0) == 3
        assert sorted(await both) == [0, 1]

    house.run(test)
    assert (house.left, len(house.aside._places)) == (1, 2)


def test_trio_is_left_to_others() -> None:
    """There it runs as any other blocking call does, under the same bound."""
    house = House()

    async def test() -> None:
        assert await house.aside.run(lambda: 3, 5.0) == 3
        assert await house.aside.run(lambda: 4, None) == 4

    house.run(test, "trio")
    assert house.left == 2


def test_a_loop_that_has_ended() -> None:
    """A call that is still at it then ends in silence, and gives its place back."""
    house = House()
    begun: list[threading.Thread] = []
    released = threading.Event()

    def slow() -> None:
        begun.append(threading.current_thread())
        released.wait(10)

    async def test() -> None:
        with pytest.raises(TimeoutError):
            await house.aside.run(slow, 0.01)

    house.run(test)
    released.set()
    begun[0].join(5)
    assert not begun[0].is_alive()
    assert len(house.aside._places) == module.PLACES


def test_at_the_interpreters_end_it_runs_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread can be started any more: better in the loop than not at all."""

    def refused(*_: Any) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    house = House()
    monkeypatch.setattr(house.threads, "start", refused)

    async def test() -> None:
        assert await house.aside.run(threading.get_ident, 5.0) == threading.get_ident()

    house.run(test)


def test_what_can_be_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is awaited in the caller's loop, by as many as there are places; the others block somewhere else."""
    monkeypatch.setattr(module, "PLACES", 3)
    house = House()

    async def test() -> None:
        now, most = 0, 0

        async def awaited(place: Place, bound: float | None) -> str:
            nonlocal now, most
            assert place.loop is asyncio.get_running_loop()
            assert bound == 5.0
            now += 1
            most = max(most, now)
            await anyio.sleep(0.01)
            now -= 1
            return "awaited"

        async def refused(_: Place, bound: float | None) -> str:
            raise ZeroDivisionError

        told = await asyncio.gather(*(house.aside.run(lambda: "blocked", 5.0, awaited) for _ in range(8)))
        assert (most, house.left) == (3, 5)
        assert sorted(told) == ["awaited"] * 3 + ["blocked"] * 5
        for _ in range(5):  # each gives its place back
            with pytest.raises(ZeroDivisionError):
                await house.aside.run(lambda: None, 5.0, refused)
        with anyio.move_on_after(0):
            await house.aside.run(lambda: None, 5.0, awaited)
        assert await house.aside.run(lambda: None, 5.0, awaited) == "awaited"

    house.run(test)


def test_on_trio_it_blocks_elsewhere() -> None:
    """What is for asyncio is not asked there."""
    house = House()

    async def never(_: Place) -> str:
        raise AssertionError

    async def test() -> None:
        assert await house.aside.run(lambda: "blocked", 5.0, never) == "blocked"

    house.run(test, "trio")
    assert house.left == 1
