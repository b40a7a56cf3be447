"""An SDK's own retries must not multiply the pipeline's.

A response can say `x-should-retry: false`; an exception (no connection, no answer in time) cannot. So what was raised
is remembered for a while, and raised again at once when the SDK says that it sends the same request again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from edgeagent.transports.faults import Broken
from edgeagent.transports.incoming import Incoming
from edgeagent.transports.kinds import Kind

__all__ = ["Repeats"]

SECONDS: Final = 30.0
"""Longer than an SDK waits between two attempts."""
REMEMBERED: Final = 256


class Repeats:
    """What was raised lately, by request.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._raised: OrderedDict[bytes, tuple[float, Broken]] = OrderedDict()

    def check(self, kind: Kind, request: Any, came: Incoming, content: bytes) -> None:
        """Raise again what the same request got; nothing if it is the first, or was long ago."""
        if not came.repeated:
            return
        when, fault = self._raised.get(_key(came, content), (0.0, None))
        if fault is not None and self._clock() - when < SECONDS:
            self.remember(came, content, fault)
            raise kind.fault(*fault, request)

    def remember(self, came: Incoming, content: bytes, fault: Broken) -> None:
        """A request ended by an exception."""
        self._raised[_key(came, content)] = (self._clock(), fault)
        while len(self._raised) > REMEMBERED:
            self._raised.popitem(last=False)


def _key(came: Incoming, content: bytes) -> bytes:
    """Of one SDK's request: two equal ones by different callers at once are one for this purpose."""
    return sha256(came.url.encode() + b"\0" + content).digest()
