"""Single flight across processes: a tier that several processes share grants one of them the lease of a key.

Inside a process the flight (`edgeagent.core.flight`) has one leader; only that one comes here. It asks for the lease:

- granted: it makes the call. The lease is renewed while it does, and ends with the write of the answer, in one step; or
  with the call, however that ends. If the process dies, the lease ends by itself soon after.
- held: another process makes the call. It looks again in short steps, for as long as its own deadline allows.
- stored: the answer is there.
- open: the answer of who led is not kept, and nobody else's would be. To wait for one after the other would be to stand
  in a line: everyone calls for himself.

A fault of the tier means that there is no lease: everyone calls for himself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, TypeVar

from edgeagent.core.reads import bound_of
from edgeagent.effects import Flow, offload, sleep

if TYPE_CHECKING:
    from edgeagent.core.call import Call

__all__ = ["Lease", "Repeat", "wait_for_lease"]

T = TypeVar("T")

Repeat = Callable[[Callable[[], bool], float], Callable[[], None]]
"""Has a job called every so many seconds until it returns False or the function that is returned is called."""

FIRST_LOOK: Final = 0.02
LAST_LOOK: Final = 0.25
"""Seconds between two looks of one who waits: a tenth of what he has waited, within these."""


class Lease:
    """One process's claim to make the call for one key.

    Args:
        tier: grants it.
        key: of the answer.
        end_later: has a lease ended in the background, never blocks.
        repeat: runs a job again and again.
        fault: told what the tier raises.
    """

    def __init__(
        self,
        tier: Any,
        key: bytes,
        end_later: Callable[[Callable[[], None]], None],
        repeat: Repeat,
        fault: Callable[[Exception], None],
    ) -> None:
        self._tier = tier
        self._key = key
        self._end_later = end_later
        self._repeat = repeat
        self._fault = fault
        self._lock = Lock()
        self._over = False
        self._vain = False
        self._stop: Callable[[], None] | None = None
        self._token = ""

    def acquire(self, *, anyway: bool) -> str:
        """Ask the tier, which may block → the grant's state. Who gave up meanwhile gives back at once."""
        grant = self._tier.acquire(self._key, anyway=anyway)
        if grant.token:
            with self._lock:
                over, self._token = self._over, grant.token
                if not over:
                    self._stop = self._repeat(self._renew, self._tier.lease_seconds / 3)
            if over:
                self._tier.release(self._key, grant.token)
        return str(grant.state)

    def take(self) -> str:
        """The token, for the one write that ends the lease; empty if there is none (any more)."""
        with self._lock:
            token, self._token = self._token, ""
        return token

    def abandon(self) -> None:
        """The answer is there and will not be kept: once the call is over, those who wait need not wait any more."""
        self._vain = True

    def end(self) -> None:
        """The call is over: end the lease, unless the write will. Idempotent, never blocks."""
        with self._lock:
            self._over = True
            stop, self._stop = self._stop, None
        if stop is not None:
            stop()
        token = self.take()
        if token:
            self._end_later(partial(self._release, token))

    def _renew(self) -> bool:
        token = self._token
        try:
            return bool(token) and bool(self._tier.renew(self._key, token))
        except Exception as error:
            self._fault(error)
            return True  # the tier may be back before the lease is over

    def _release(self, token: str) -> None:
        try:
            (self._tier.abandon if self._vain else self._tier.release)(self._key, token)
        except Exception as error:  # it ends by itself
            self._fault(error)


def wait_for_lease(call: Call, lease: Lease, look: Callable[[], Flow[T | None]]) -> Flow[T | None]:
    """Wait until the lease is granted or open → None, or the answer is there → what `look` finds.

    Raises:
        DeadlineExceededError: the call's deadline came first.
        Exception: whatever the tier raises.
    """
    began, anyway = call.clock(), False
    while True:
        state = yield from offload(partial(lease.acquire, anyway=anyway), bound_of(call), prompt=False)
        if state == "stored" or (state == "granted" and anyway):
            found = yield from look()
            if found is not None:
                return found
            anyway = True  # it is too old for this call, or damaged
        if state in ("granted", "open"):
            return None
        if state == "held":
            call.check_deadline()
            left = call.remaining()
            pause = min(LAST_LOOK, max(FIRST_LOOK, (call.clock() - began) / 10))
            yield from sleep(pause if left is None else min(pause, left))
