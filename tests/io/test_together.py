"""The same question to several, at once."""

from __future__ import annotations

import asyncio
from threading import Lock

import pytest

from edgeagent.io.together import atogether, together


class Counted:
    """How many are under way, and were at most."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1


def test_in_threads() -> None:
    """In their order, never more than so many at a time; of none, none; what one raises is raised."""
    counted = Counted()

    def ask(number: int) -> int:
        with counted:
            return number * 2

    assert together(ask, range(50), most=3) == [number * 2 for number in range(50)]
    assert 1 <= counted.most <= 3
    assert together(ask, [], most=3) == []
    with pytest.raises(ZeroDivisionError):
        together(lambda number: 1 // number, [1, 0], most=2)


def test_in_tasks() -> None:
    """The same, awaited."""
    counted = Counted()

    async def ask(number: int) -> int:
        with counted:
            await asyncio.sleep(0)
            return number * 2

    async def refuse(number: int) -> int:
        return 1 // number

    assert asyncio.run(atogether(ask, range(50), most=3)) == [number * 2 for number in range(50)]
    assert counted.most == 3
    assert asyncio.run(atogether(ask, [], most=3)) == []
    with pytest.raises(Exception, match="unhandled errors in a TaskGroup"):
        asyncio.run(atogether(refuse, [0], most=2))
