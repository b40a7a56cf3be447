"""Waiting for a turn: the first of a queue asks, the others wait until they are first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from edgeagent.core.call import Call
from edgeagent.effects import Flow, join
from edgeagent.errors import LimitExceededError
from edgeagent.limits.meters import UNKNOWN
from edgeagent.limits.queue import Queue
from edgeagent.signal import Signal

__all__ = ["wait_for_turn"]

POLL: Final = 0.25
"""The longest time between two questions to a store that others share: they may leave early, too."""
FIRST_POLL: Final = 0.02


def wait_for_turn(
    call: Call[Any],
    queue: Queue,
    ask: Callable[[], Flow[float]],
    longest: float | None,
    refuse: Callable[[float | None], LimitExceededError],
    *,
    polls: bool,
) -> Flow[None]:
    """Return when `ask` has granted.

    Args:
        call: its priority and its deadline.
        queue: of those who want the same.
        ask: 0: granted; else seconds until it may be (`UNKNOWN`: until somebody leaves).
        longest: seconds to wait at most, 0: none; None: as long as the deadline allows.
        refuse: makes the error, told when to come again.
        polls: whether somebody may leave without telling the queue.

    Raises:
        LimitExceededError: its turn will not come in time, which is said as soon as it is known.
    """
    if longest == 0:  # who may not wait stands in no queue
        wait = yield from ask()
        if wait:
            raise refuse(_seconds(wait))
        return
    limit = _earliest(call.deadline, None if longest is None else call.clock() + longest)
    waiter = queue.enter(call.options.priority)
    leave = call.scope.add(partial(queue.leave, waiter))
    pause = FIRST_POLL
    try:
        while True:
            waiter.signal = Signal()  # before anyone is asked: what becomes free from now on is not missed
            again: float | None = None
            if queue.leads(waiter):
                wait = yield from ask()
                if not wait:
                    queue.ready = 0.0
                    return
                queue.ready = 0.0 if wait == UNKNOWN else call.clock() + wait
                if limit is not None and queue.ready > limit:
                    raise refuse(_seconds(wait))
                again = queue.ready or None
                if polls:
                    pause = min(POLL, pause * 1.5)
                    again = _earliest(again, call.clock() + pause)
            if limit is not None and call.clock() >= limit:
                raise refuse(_ahead(call, queue))
            yield from join(waiter.signal, _earliest(limit, again))
    finally:
        queue.leave(waiter)
        call.scope.drop(leave)


def _earliest(*times: float | None) -> float | None:
    return min((time for time in times if time is not None), default=None)


def _seconds(wait: float) -> float | None:
    return None if wait == UNKNOWN else wait


def _ahead(call: Call[Any], queue: Queue) -> float | None:
    """When the first one expects its turn; a later one cannot know better."""
    return max(0.0, queue.ready - call.clock()) if queue.ready else None
