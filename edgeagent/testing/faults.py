"""What can go wrong with one request, as values; and when, as a plan.

A plan is any iterable of faults: the first is the first request's, and so on; None leaves a request alone, and when the
plan has ended all are left alone. So `[Status(429), None]`, `itertools.cycle(…)`, a generator and a `Mix` are plans. A
single fault is everybody's.

`edgeagent.testing.Faulty` does these to any provider, in process; `edgeagent.testing.FaultServer` does them on the
wire.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import repeat
from typing import ClassVar, Final, Literal, TypeAlias

from edgeagent.errors import ConfigurationError

__all__ = [
    "Drip",
    "Empty",
    "Endless",
    "ErrorEvent",
    "Fault",
    "Garbage",
    "HalfStream",
    "Hang",
    "Html",
    "Mix",
    "Plan",
    "Reset",
    "Schedule",
    "Slow",
    "Stale",
    "Status",
    "Truncated",
    "WrongLength",
]

HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with one request. Times are in seconds."""

    on_wire_only: ClassVar[bool] = False
    """Whether it is one of bytes, so that only a server can do it."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (int, float)) and value < 0 and field.name != "by":
                raise ConfigurationError(f"{type(self).__name__} needs {field.name} of 0 or more; got {value!r}.")


@dataclass(frozen=True, slots=True)
class Hang(Fault):
    """No answer comes, for so long; then the connection is reset."""

    seconds: float = HOUR


@dataclass(frozen=True, slots=True)
class Reset(Fault):
    """The connection is reset instead of an answer.

    `sent` is whether the request had left. On the wire it always has: no server knows a request before it arrives.
    """

    sent: bool = True


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """An error of this HTTP status (400 to 599), with or without `Retry-After` (seconds) and a code in its body."""

    status: int = 500
    retry_after: float | None = None
    code: str | None = None

    def __post_init__(self) -> None:
        super(Status, self).__post_init__()
        if not 400 <= self.status <= 599:
            raise ConfigurationError(f"Status needs an HTTP status from 400 to 599; got {self.status!r}.")


@dataclass(frozen=True, slots=True)
class Truncated(Fault):
    """Status 200 and JSON that is cut in the middle, as if it were all: of a stream, in the middle of an event."""


@dataclass(frozen=True, slots=True)
class Html(Fault):
    """Status 200 and a page for people, as captive portals and proxies send it."""


@dataclass(frozen=True, slots=True)
class Empty(Fault):
    """Status 200 and nothing; of a stream, its end at once."""


@dataclass(frozen=True, slots=True)
class HalfStream(Fault):
    """A stream that breaks off after so many `events`; a whole answer of which half comes.

    `how`: the connection is closed or reset, or (only on the wire) the stream ends in order, without its last events.
    """

    events: int = 2
    how: Literal["close", "reset", "end"] = "close"


@dataclass(frozen=True, slots=True)
class ErrorEvent(Fault):
    """A stream in which an overload is told after so many `events`; a whole answer with status 200 that tells it."""

    events: int = 2


@dataclass(frozen=True, slots=True)
class Slow(Fault):
    """A good answer, late: so many seconds before the `first` piece, and `between` two."""

    first: float = 1.0
    between: float = 0.0


@dataclass(frozen=True, slots=True)
class WrongLength(Fault):
    """A good answer whose `Content-Length` says `by` bytes too many, or (negative) too few."""

    on_wire_only = True
    by: int = 10


@dataclass(frozen=True, slots=True)
class Garbage(Fault):
    """A good answer with this between its events; a whole answer with this after it.

    The default is what the rules of server-sent events tell a client to ignore.
    """

    on_wire_only = True
    data: bytes = b": comment\n\xff\xfe\x00 no field\nretry: soon\nid\n\n"


@dataclass(frozen=True, slots=True)
class Drip(Fault):
    """A good answer, `size` bytes at a time, so many seconds apart."""

    on_wire_only = True
    seconds: float = 1.0
    size: int = 1

    def __post_init__(self) -> None:
        super(Drip, self).__post_init__()
        if self.size < 1:
            raise ConfigurationError(f"Drip needs a size of 1 or more bytes; got {self.size!r}.")


@dataclass(frozen=True, slots=True)
class Endless(Fault):
    """A body that never ends: a sign of life `every` so many seconds; a stream first has all events but one."""

    on_wire_only = True
    every: float = 0.05


@dataclass(frozen=True, slots=True)
class Stale(Fault):
    """A good answer, after which the connection is reset while the client keeps it for the next request."""

    on_wire_only = True


Plan: TypeAlias = Fault | Iterable[Fault | None]
"""When what goes wrong."""


class Mix(Iterator["Fault | None"]):
    """A random plan without end. Equal arguments are equal plans.

    Args:
        faults: these, equally likely; or each with its weight.
        rate: how many requests have one, from 0 to 1.
        seed: another one is another plan.

    Raises:
        ConfigurationError: no fault is given, a weight is not positive, or the rate is not from 0 to 1.
    """

    def __init__(self, faults: Iterable[Fault] | Mapping[Fault, float], rate: float, *, seed: int = 0) -> None:
        weights = dict(faults) if isinstance(faults, Mapping) else dict.fromkeys(faults, 1.0)
        if not weights or min(weights.values()) <= 0:
            raise ConfigurationError("Mix needs at least one fault, each with a weight above 0.")
        if not 0 <= rate <= 1:
            raise ConfigurationError(f"Mix needs a rate from 0 to 1; got {rate!r}.")
        self._faults = list(weights)
        self._weights = list(weights.values())
        self._rate = rate
        self._random = random.Random(seed)  # noqa: S311  # repeatable, no secret

    def __next__(self) -> Fault | None:
        fault = self._random.choices(self._faults, self._weights)[0]
        return fault if self._random.random() < self._rate else None


class Schedule:
    """A plan under way: gives each request its fault, and counts. Thread-safe.

    Raises:
        ConfigurationError: the plan holds something that is no fault. Also from `next`.
    """

    def __init__(self, plan: Plan) -> None:
        self._faults = repeat(plan) if isinstance(plan, Fault) else iter(plan)
        self._lock = threading.Lock()
        self.injected: Counter[str] = Counter()
        """How often each fault was done, by the name of its class."""

    def next(self) -> Fault | None:
        """The next request's fault."""
        with self._lock:
            fault = next(self._faults, None)
            if fault is None:
                return None
            if not isinstance(fault, Fault):
                raise ConfigurationError(f"A plan holds faults of edgeagent.testing.faults, and None; got {fault!r}.")
            self.injected[type(fault).__name__] += 1
            return fault
