"""Coroutines that nobody will begin: closed, so that Python does not warn of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["Errand", "close_unbegun", "is_unbegun"]


def is_unbegun(awaitable: object) -> bool:
    """Whether it is a coroutine that was made, and no more."""
    return inspect.iscoroutine(awaitable) and inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED


def close_unbegun(awaitable: Any) -> None:
    """Close it if it is one."""
    if is_unbegun(awaitable):
        awaitable.close()


class Errand:
    """A call that another thread makes, and that whoever waits for it may give up before it is back."""

    __slots__ = ("_call", "_given_up", "_result")

    def __init__(self, call: Callable[[], Any]) -> None:
        self._call = call
        self._given_up = False
        self._result: Any = None

    def __call__(self) -> Any:
        """Make the call."""
        self._result = self._call()
        if self._given_up:
            close_unbegun(self._result)
        return self._result

    def give_up(self) -> None:
        """Nobody will await what comes of it, now or later."""
        self._given_up = True
        close_unbegun(self._result)
