"""Writes to the far tiers: in the background, seen by look-ups while they are under way, many at once where a tier can.

Each write is a job of the background's queue. A tier over a network takes what has gathered meanwhile in one round
trip: the first job does the work of those behind it, which then find nothing to do.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from edgeagent.cache.base import CacheTier, LeaseLost, Put
from edgeagent.core.counts import Counts

__all__ = ["Writes"]

BATCH: Final = 64
BATCH_BYTES: Final = 2**20
"""How many entries, and about how many bytes, are sent at once."""
LEASES: Final = 10_000
"""How many leases may wait to be ended; the oldest of more have run out by themselves."""


class Writes:
    """What is being stored.

    Args:
        submit: runs a job in the background, never blocks.
        fault: told which tier raised what.
        counts: what is counted of a tier, if anything is.
    """

    def __init__(
        self,
        submit: Callable[[Callable[[], None]], None],
        fault: Callable[[CacheTier, Exception], None],
        counts: Callable[[CacheTier], Counts] | None = None,
    ) -> None:
        self._submit = submit
        self.fault = fault
        self._counts = counts
        self.after_fork()

    def wrote(self, tier: CacheTier) -> None:
        """Something is stored."""
        if self._counts is not None:
            self._counts(tier).wrote()

    def dropped(self, tier: CacheTier) -> None:
        """Something will not be stored."""
        if self._counts is not None:
            self._counts(tier).dropped_write()

    def after_fork(self) -> None:
        """In the child: writes under way are the parent's."""
        self._values: dict[bytes, tuple[bytes, list[Put]]] = {}  # the latest value, and those that store it
        self._gathered: dict[int, deque[_Write]] = {}
        self._ends: deque[Callable[[], object]] = deque(maxlen=LEASES)

    def under_way(self, key: bytes) -> bytes | None:
        """What is about to be stored under `key`, until every tier has it."""
        held = self._values.get(key)
        return None if held is None else held[0]

    def put(self, tier: CacheTier, put: Put, unless: Callable[[], bool] | None = None) -> None:
        """Have it stored soon. What is not to be stored if `unless`, which is asked then and may block, is not seen."""
        gathered = None
        if unless is None and getattr(tier, "batches", False):
            gathered = self._gathered.setdefault(id(tier), deque())
        write = _Write(self, tier, put, gathered, unless)
        if unless is None:
            self._see(put)
        if gathered is not None:
            gathered.append(write)
        self._submit(write)

    def _see(self, put: Put) -> None:
        held = self._values.get(put.key)  # no lock: a race only has a value seen for less long
        if held is None or held[0] is not put.value:
            held = self._values[put.key] = put.value, []
        held[1].append(put)

    def over(self, put: Put) -> None:
        """It is done, or will not be."""
        held = self._values.get(put.key)
        if held is not None and held[0] is put.value:
            with suppress(ValueError):
                held[1].remove(put)
            if not held[1]:
                self._values.pop(put.key, None)

    def end_lease(self, end: Callable[[], object]) -> None:
        """Have a lease ended soon."""
        self._ends.append(end)
        self._submit(self.end_leases)

    def not_done(self, tier: Any, put: Put) -> None:
        """It will not be: the lease that it would have ended is ended by the next job. Never blocks, nor submits."""
        if put.token:
            self._ends.append(partial(tier.release, put.key, put.token))

    def end_leases(self) -> None:
        """End those that are to be."""
        while True:
            try:
                end = self._ends.popleft()
            except IndexError:
                return
            with suppress(Exception):  # it ends by itself
                end()


class _Write:
    """One background write; `gathered` are those of its tier that wait, itself among them, if they go together."""

    __slots__ = ("_gathered", "_tier", "_unless", "_writes", "put")

    def __init__(
        self, writes: Writes, tier: Any, put: Put, gathered: deque[_Write] | None, unless: Callable[[], bool] | None
    ) -> None:
        self._writes = writes
        self._tier = tier
        self._gathered = gathered
        self._unless = unless
        self.put = put

    def __call__(self) -> None:
        self._writes.end_leases()  # they are waited for
        puts = [self.put] if self._gathered is None else _taken(self._gathered)
        try:
            if self._unless is None or not self._unless():
                self._store(puts)
            else:
                self._writes.not_done(self._tier, self.put)
        except Exception as error:
            self._writes.fault(self._tier, error)
            for put in puts:
                self._writes.not_done(self._tier, put)
        finally:
            for put in puts:
                self._writes.over(put)
            self._writes.end_leases()

    def _store(self, puts: list[Put]) -> None:
        if len(puts) > 1:
            for put, fault in zip(puts, self._tier.put_many(puts), strict=True):
                if fault is None:
                    self._writes.wrote(self._tier)
                elif not isinstance(fault, LeaseLost):
                    self._refused(put, fault)
        elif puts:
            key, value, ttl, token = puts[0]
            try:
                if token:
                    stored = bool(self._tier.put_leased(key, value, token, ttl))
                else:
                    stored = self._tier.put(key, value, ttl) is not False
            except Exception as error:
                self._refused(puts[0], error)
                return
            if stored:
                self._writes.wrote(self._tier)

    def _refused(self, put: Put, error: Exception) -> None:
        """The tier says why; the write would have ended the lease, for which others wait."""
        self._writes.fault(self._tier, error)
        self._writes.not_done(self._tier, put)

    def dropped(self) -> None:
        """The background will not run this job; the write may be under way by another."""
        if self._gathered is not None:
            try:
                self._gathered.remove(self)
            except ValueError:
                return
        self._writes.dropped(self._tier)
        self._writes.not_done(self._tier, self.put)
        self._writes.over(self.put)


def _taken(gathered: deque[_Write]) -> list[Put]:
    """The oldest of those that wait."""
    puts: list[Put] = []
    size = 0
    while len(puts) < BATCH and size < BATCH_BYTES:
        try:
            put = gathered.popleft().put
        except IndexError:  # not asked before: the last one may be dropped in between
            break
        puts.append(put)
        size += len(put.value)
    return puts
