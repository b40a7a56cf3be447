"""What a fault does to an answer that is not bytes: what is waited for, how much comes, how it ends."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, closing, nullcontext
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, Final

from edgeagent.errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    ConfigurationError,
    OverloadedError,
    RateLimitError,
    ResponseValidationError,
    status_error_class,
)
from edgeagent.testing import faults
from edgeagent.testing.faults import Fault
from edgeagent.wire.http import Headers, HTTPResponse

__all__ = ["GOOD", "Course", "abroken", "broken", "course_of", "wait"]

EMPTY: Final[dict[str, Any]] = {"choices": []}


@dataclass(frozen=True, slots=True)
class Course:
    """`first` seconds, then so many `pieces` that are `between` seconds apart, then `error`, or the end."""

    first: float = 0.0
    between: float = 0.0
    pieces: float = 0
    error: Exception | None = None

    @property
    def waits(self) -> bool:
        """Whether it takes time."""
        return self.first > 0 or self.between > 0

    @property
    def spoils(self) -> bool:
        """Whether the answer is not a good one."""
        return self.pieces != math.inf

    def outcome(self) -> Any:
        """Of a whole answer that is spoilt. Raises the error."""
        if self.error is not None:
            raise self.error
        return EMPTY


GOOD: Final = Course(pieces=math.inf)
"""Nothing goes wrong."""


def course_of(fault: Fault) -> Course:
    """How a provider does it. Raises `ConfigurationError` for a fault of bytes."""
    match fault:
        case faults.Hang():
            return Course(first=fault.seconds, error=APITimeoutError())
        case faults.Reset():
            return Course(error=_reset("reset", sent=fault.sent))
        case faults.Status():
            return Course(error=_status(fault))
        case faults.Truncated() | faults.Html():
            return Course(
                error=ResponseValidationError(HTTPResponse(200), None, message="An injected answer: no JSON.")
            )
        case faults.Empty():
            return Course()
        case faults.HalfStream():
            return Course(pieces=fault.events, error=_reset("broken off", sent=True))
        case faults.ErrorEvent():
            return Course(pieces=fault.events, error=OverloadedError("An injected fault: overloaded."))
        case faults.Slow():
            return Course(first=fault.first, between=fault.between, pieces=math.inf)
    raise ConfigurationError(
        f"{type(fault).__name__} is a fault of bytes, which a provider has none of: use FaultServer."
    )


def _reset(how: str, *, sent: bool) -> APIConnectionError:
    error = APIConnectionError(message=f"An injected fault: the connection was {how}.")
    error.sent = sent
    return error


def _status(fault: faults.Status) -> APIStatusError:
    told = {} if fault.retry_after is None else {"retry-after": f"{fault.retry_after:g}"}
    body = {"message": "An injected fault.", "type": "server_error", "param": None, "code": fault.code}
    response = HTTPResponse(fault.status, Headers(told))
    error = status_error_class(fault.status)("An injected fault.", response=response, body=body)
    if isinstance(error, RateLimitError):
        error.retry_after = fault.retry_after
    return error


def broken(course: Course, items: Iterable[Any], sleep: Callable[[float], object]) -> Iterator[Any]:
    """A stream's items, as far as they come."""
    sleep(course.first)
    with closing(items) if hasattr(items, "close") else nullcontext():  # type: ignore[type-var]  # it can be closed
        for number, item in enumerate(items, 1):
            yield item
            if number >= course.pieces:
                break
            sleep(course.between)
    if course.error is not None:
        raise course.error


async def wait(seconds: float) -> None:
    """On the running loop's clock."""
    if seconds > 0:
        from anyio import sleep

        await sleep(seconds)


async def abroken(course: Course, ask: Callable[[], Any]) -> AsyncGenerator[Any, None]:
    """The same of what `ask` gives: any kind of stream, or an awaitable of one; waited for on the running loop."""
    await wait(course.first)
    items = ask() if course.pieces else ()
    items = await items if isawaitable(items) else items
    each: Any = items if hasattr(items, "__aiter__") else _each(items)
    async with aclosing(each) if hasattr(each, "aclose") else nullcontext():
        number = 0
        async for item in each:
            yield item
            number += 1
            if number >= course.pieces:
                break
            await wait(course.between)
    if course.error is not None:
        raise course.error


async def _each(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item
