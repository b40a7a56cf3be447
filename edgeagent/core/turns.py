"""The limits of one client: an attempt's place in each of them, in turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from uuid import uuid4

from edgeagent.core.call import Call
from edgeagent.core.claim import Claim, Outcome
from edgeagent.core.settling import Settling
from edgeagent.core.sizes import Sizes
from edgeagent.core.waiting import wait_for_turn
from edgeagent.effects import Flow, offload
from edgeagent.errors import APIStatusError, ConfigurationError, LimitExceededError, RateLimitError
from edgeagent.limits.keys import OF_TARGETS, Facts, account_of, parts_of
from edgeagent.limits.limit import Limit
from edgeagent.limits.meters import Meters
from edgeagent.limits.queue import Queue
from edgeagent.limits.vendor import Pacer
from edgeagent.types import Target
from edgeagent.wire.retry_after import retry_after

__all__ = ["Turns"]

logger = logging.getLogger("edgeagent.limits")

STORE_SECONDS: Final = 5.0
"""How long one question to a shared store may take; then the call goes on without it."""
KEPT: Final = 4096
"""Beyond so many queues those in which nobody waits are forgotten."""


class Turns:
    """Places in limits.

    A limit's place is taken after those of the limits that are listed before it, narrower ones first: who waits for a
    turn of its own holds no place that others could use.

    Args:
        limits: the client's.
        meters: where they count.
        settling: gives back what a shared store holds.
    """

    def __init__(self, limits: Sequence[Limit], meters: Meters, settling: Settling) -> None:
        self.limits = sorted(limits, key=_breadth)
        self.meters = meters
        self._settling = settling
        self._faults: set[type[BaseException]] = set()
        self._queues: dict[str, Queue] = {}
        self._pacers: dict[Target, Pacer] = {}

    def after_fork(self) -> None:
        """In the child: nobody waits."""
        self._queues = {}
        self._pacers = {}
        getattr(self.meters, "after_fork", _nothing)()

    def enter(self, call: Call[Any], facts: Facts, sizes: Sizes, add: Callable[[Claim[Any]], None]) -> Flow[None]:
        """Wait for a place in each limit; `add` is told of each before it is taken. Raises `LimitExceededError`."""
        for limit in self.limits:
            if not limit.covers(facts):
                continue
            if limit.learn:
                yield from self._pace(call, limit, facts, sizes)
            if limit.counts:
                for key in parts_of(limit.parts, facts):
                    meter = account_of(limit.name, "", key)
                    yield from self._take(call, limit, meter, sizes.tokens_in + sizes.tokens_out, facts, add)

    def answered(self, call: Call[Any], facts: Facts, began: float) -> None:
        """Learn from the headers of an answer to a request that was sent at `began`."""
        headers = call.answer_headers
        if headers is not None:
            for limit in self.limits:
                if limit.learn and limit.covers(facts):
                    self._pacer(facts.target).learn(headers, call.clock(), call.wall(), began)
                    return

    def refused(self, call: Call[Any], facts: Facts, began: float, error: Exception) -> None:
        """Learn from a refusal: its headers, and the time that it names to all who wait."""
        self.answered(call, facts, began)
        if not isinstance(error, APIStatusError) or isinstance(error, LimitExceededError):
            return
        told = retry_after(error.response.headers)
        if told is None and isinstance(error, RateLimitError):
            told = error.retry_after
        if told and any(limit.learn and limit.covers(facts) for limit in self.limits):
            self._pacer(facts.target).refused(told, call.clock())

    def _take(
        self,
        call: Call[Any],
        limit: Limit,
        meter: str,
        tokens: int,
        facts: Facts,
        add: Callable[[Claim[Any]], None],
    ) -> Flow[None]:
        queue, place, meters = self._queue(meter), uuid4().hex, self.meters

        def give(outcome: Outcome) -> None:
            undo = outcome.kind == "unsent"
            back = partial(meters.give, meter, limit, place, outcome.tokens, undo=undo)
            if meters.blocking:
                self._settling.later(back)
            else:
                back()
            queue.nudge()

        claim = Claim(partial(meters.take, meter, limit, place, tokens), _granted, give)
        add(claim)
        ask = partial(self._ask_store, call, claim) if meters.blocking else partial(_at_once, claim)
        refuse = partial(_refused, limit, facts.target)
        yield from wait_for_turn(call, queue, ask, limit.longest_wait, refuse, polls=meters.blocking)

    def _pace(self, call: Call[Any], limit: Limit, facts: Facts, sizes: Sizes) -> Flow[None]:
        """Wait until the vendor's own limits have room, by what it told."""
        pacer = self._pacer(facts.target)
        queue = self._queue(f"pace|{facts.target}")

        def ask() -> Flow[float]:
            yield from ()  # it is a flow that asks for nothing
            return pacer.take(sizes.tokens_in, sizes.tokens_out, call.clock())

        refuse = partial(_refused, limit, facts.target)
        yield from wait_for_turn(call, queue, ask, limit.longest_wait, refuse, polls=False)

    def _ask_store(self, call: Call[Any], claim: Claim[float]) -> Flow[float]:
        try:
            return (yield from offload(claim.acquire, call.at_most(STORE_SECONDS), prompt=False))
        except ConfigurationError:
            raise
        except Exception as error:  # a store that is away stops nobody: the vendor's own limit still stands
            call.check_deadline()
            if type(error) not in self._faults:
                self._faults.add(type(error))
                logger.warning("the store of the limits fails (%s); calls go on without it", type(error).__name__)
            return 0.0

    def _queue(self, name: str) -> Queue:
        found = self._queues.get(name)
        if found is None:
            if len(self._queues) >= KEPT:
                for other, queue in list(self._queues.items()):
                    if not len(queue):
                        self._queues.pop(other, None)
            found = self._queues.setdefault(name, Queue())
        return found

    def _pacer(self, target: Target) -> Pacer:
        found = self._pacers.get(target)
        return self._pacers.setdefault(target, Pacer()) if found is None else found


def _at_once(claim: Claim[float]) -> Flow[float]:
    yield from ()  # it is a flow that asks for nothing
    return claim.acquire()


def _granted(wait: float) -> bool:
    return wait == 0


def _refused(limit: Limit, target: Target, wait: float | None) -> LimitExceededError:
    after = "" if wait is None else f" Come again in {wait:.3g} s."
    error = LimitExceededError(f"The limit {limit.name!r} lets no more calls in now, and this one may not wait.{after}")
    error.retry_after = wait
    error.limit = limit.name
    if limit.learn or any(part in OF_TARGETS for part in limit.parts) or limit.target != "*":
        error.target = str(target)
    return error


def _breadth(limit: Limit) -> bool:
    """Whether it is about a target, not about who calls."""
    return not limit.parts or all(part in OF_TARGETS for part in limit.parts)


def _nothing() -> None:
    """A store that a fork does not concern."""
