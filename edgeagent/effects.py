"""What the core may ask of the outside world.

The core is written as generators ("flows") that yield one of the effects below and are sent its outcome. Two drivers in
`edgeagent.io` perform them, one blocking, one awaiting. The list is closed.

A flow never yields an effect itself: it says `yield from` one of the helper functions at the end of this file, so that
every effect has one place where its result gets a type.

All points in time (`deadline`) are seconds of the pipeline's monotonic clock; None means no limit. A driver raises
`DeadlineExceededError` when a deadline passes while it performs an effect.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Generator, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar

from edgeagent.wire.http import Headers, HTTPRequest, HTTPResponse

__all__ = [
    "Close",
    "Effect",
    "FirstOf",
    "Flow",
    "Here",
    "Invoke",
    "Join",
    "Offload",
    "Open",
    "OpenIterator",
    "Read",
    "Scope",
    "Send",
    "Sleep",
    "Source",
    "Spawn",
    "Timeout",
    "Waitable",
    "close",
    "first_of",
    "here",
    "invoke",
    "join",
    "offload",
    "open_iterator",
    "open_stream",
    "read",
    "send",
    "sleep",
    "spawn",
]

T = TypeVar("T")

logger = logging.getLogger("edgeagent")


@dataclass(frozen=True, slots=True)
class Timeout:
    """Time limits of one attempt in seconds, with httpx's meaning; None is no limit.

    `connect` covers establishing a connection, `read` each wait for bytes (so it is both the time to the first chunk
    and the longest gap between two), `write` each send, `pool` the wait for a free connection.
    """

    connect: float | None = 5.0
    read: float | None = 600.0
    write: float | None = 600.0
    pool: float | None = 600.0


class Source(Protocol):
    """An open stream, owned by the driver: an HTTP response whose body is still to come, or a provider's iterator.

    For an HTTP response the status and headers are known; `status_code` is 200 and `headers` empty for an iterator.
    """

    status_code: int
    headers: Headers


class Waitable(Protocol):
    """Something that ends once, told to everyone who asked.

    `add_done_callback` calls back from whichever thread ends it (at once, in the caller, if it has ended already);
    the function it returns takes the callback back.
    """

    def add_done_callback(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Have `callback` called when it has ended."""
        ...


class Place(Protocol):
    """An event loop of asyncio, for what keeps connections there."""

    @property
    def loop(self) -> Any:
        """The loop itself: hashable."""
        ...

    def within(self, seconds: float | None, /) -> AbstractContextManager[object]:
        """Where what is awaited may take so long; then it is cancelled and `TimeoutError` raised. None is no limit."""
        ...

    def soon(self, call: Callable[[], object], /) -> None:
        """Call it there; nothing happens if the loop has ended. May be called from any thread."""
        ...

    def at_end(self, job: Callable[[], Awaitable[object]], /) -> Any:
        """Have it run when the loop ends, when `aclose()` of what is returned is awaited, or when nobody holds that."""
        ...


@dataclass(frozen=True, slots=True)
class Send:
    """Send the request, read the whole answer → `HTTPResponse`.

    Raises `APIConnectionError` (with `.sent`), `APITimeoutError`. Any HTTP status is an answer, not an error.
    `client` is the provider's own httpx or httpx2 client, if it was given one.
    """

    request: HTTPRequest
    timeout: Timeout
    deadline: float | None
    client: Any = None


@dataclass(frozen=True, slots=True)
class Open:
    """Send the request, read only the head of the answer → `Source`. Raises like `Send`.

    The source is registered with the call's scope and closed with it, unless it was read to its end or closed before.
    """

    request: HTTPRequest
    timeout: Timeout
    deadline: float | None
    client: Any = None


@dataclass(frozen=True, slots=True)
class OpenIterator:
    """Call a provider's own streaming function, sync or async → `Source` over the items it yields.

    The call may return an iterator, an async iterator, or an awaitable of either. Closing the source closes it.
    """

    call: Callable[[], Any]
    timeout: Timeout
    deadline: float | None


@dataclass(slots=True)  # one for each piece of a stream: made in a third of a frozen one's time, and nobody keeps it
class Read:
    """The next piece of a source → bytes (or an item); None at its end, after which the source is closed.

    For HTTP the bytes are decoded from content encodings. Raises `APIConnectionError` when the connection breaks,
    `APITimeoutError` when `timeout.read` passes, whatever the provider's iterator raises.
    """

    source: Source
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Close:
    """Close a source before its end → None. Idempotent."""

    source: Source


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait → None. The core checks before that the deadline allows it."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Offload:
    """Run a blocking call where it blocks nobody else → its result; raises what it raises.

    `bound` is the longest wait in seconds; then `TimeoutError` is raised and the call's outcome is thrown away.
    `awaited` does the same in an event loop of asyncio and blocks nobody: there it is awaited, and ends by itself when
    the bound that it is given has passed.
    `prompt` is whether it takes so little time that a client that blocks runs it in the caller's own thread, where no
    bound could end it; otherwise that client, too, waits for another thread.
    """

    call: Callable[[], Any]
    bound: float | None = None
    awaited: Callable[[Place, float | None], Awaitable[Any]] | None = None
    prompt: bool = True


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call a provider's (or a credential source's) own function, sync or async → its awaited result.

    An async function called by a sync client runs on the client's own event-loop thread; a sync function called by an
    async client runs in a bounded worker thread, with the caller's context variables.
    """

    call: Callable[[], Any]
    deadline: float | None


@dataclass(frozen=True, slots=True)
class Join:
    """Wait until something that another call does has ended → True; False when `deadline` passed first (no error)."""

    waitable: Waitable
    deadline: float | None


@dataclass(frozen=True, slots=True)
class FirstOf:
    """Begin one flow after the other until one returns → what that one returns. There is at least one.

    The next is begun beside the others when `stagger` seconds have passed since the last one was begun, or at once when
    one has failed. Each is made with a scope of its own. The first that returns has won: its scope goes over to the
    call's scope, with its open sources. The others are ended (by an exception that is not an `Exception`) and their
    scopes closed. No two of them, nor one of them and who asked, ever run at the same time: they only wait at the same
    time.

    When all have failed, the first one's error is raised; a flow that has more to tell has told it before it raises.
    At `deadline`, when the call is cancelled, or when one raises what is not an `Exception`, all are ended.
    """

    flows: tuple[Callable[[Scope], Flow[Any]], ...]
    stagger: float
    deadline: float | None


@dataclass(frozen=True)
class Here:
    """What stands for where this call runs: the event loop, or None for threads, which are all one → a hashable value.

    Calls of one place may read each other's sources.
    """


@dataclass(frozen=True, slots=True)
class Spawn:
    """Begin a flow beside this call, in the same place → a function that ends it, which never blocks.

    The flow has a scope of its own and goes on when this call has ended. What it raises is nobody's. Raises
    `RuntimeError` when the interpreter is ending and starts no thread.
    """

    flow: Callable[[Scope], Flow[None]]


Effect: TypeAlias = Send | Open | OpenIterator | Read | Close | Sleep | Offload | Invoke | Join | FirstOf | Here | Spawn
Flow: TypeAlias = Generator[Effect, Any, T]


class Scope:
    """What one call holds and must give back however it ends: releases (run once, in reverse order) and open sources.

    The core adds and drops; the driver runs what is left when the call has ended. A release never blocks.
    `activate` makes the call's telemetry span current; the driver enters it only around performing an effect.
    """

    __slots__ = ("_added", "_releases", "activate", "sources")

    def __init__(self) -> None:
        self._releases: dict[int, Callable[[], None]] = {}
        self._added = 0
        self.sources: list[Any] = []
        self.activate: Callable[[], AbstractContextManager[object]] | None = None

    def add(self, release: Callable[[], None]) -> int:
        """Register a release; the number returned, never given again, takes it back with `drop`."""
        token = self._added
        self._added = token + 1
        self._releases[token] = release
        return token

    def drop(self, token: int) -> None:
        """Take a release back: what it stood for has been given back in the normal way. Idempotent."""
        self._releases.pop(token, None)

    def adopt(self, child: Scope) -> None:
        """Take over what another scope holds. Its numbers stay good there: what is dropped from it is not released."""
        self.sources += child.sources
        child.sources.clear()
        self.add(child.release)

    def release(self) -> None:
        """Run every release that is left, last first; a failing one is logged and does not stop the others."""
        while self._releases:
            _, release = self._releases.popitem()
            try:
                release()
            except Exception:
                logger.exception("a release failed")


def send(request: HTTPRequest, timeout: Timeout, deadline: float | None, client: Any = None) -> Flow[HTTPResponse]:
    """See `Send`."""
    response: HTTPResponse = yield Send(request, timeout, deadline, client)
    return response


def open_stream(request: HTTPRequest, timeout: Timeout, deadline: float | None, client: Any = None) -> Flow[Source]:
    """See `Open`."""
    source: Source = yield Open(request, timeout, deadline, client)
    return source


def open_iterator(call: Callable[[], Any], timeout: Timeout, deadline: float | None) -> Flow[Source]:
    """See `OpenIterator`."""
    source: Source = yield OpenIterator(call, timeout, deadline)
    return source


def read(source: Source, deadline: float | None) -> Flow[Any]:
    """See `Read`."""
    return (yield Read(source, deadline))


def close(source: Source) -> Flow[None]:
    """See `Close`."""
    yield Close(source)


def sleep(seconds: float) -> Flow[None]:
    """See `Sleep`."""
    yield Sleep(seconds)


def offload(
    call: Callable[[], T],
    bound: float | None = None,
    awaited: Callable[[Place, float | None], Awaitable[T]] | None = None,
    *,
    prompt: bool = True,
) -> Flow[T]:
    """See `Offload`."""
    result: T = yield Offload(call, bound, awaited, prompt)
    return result


def invoke(call: Callable[[], T | Awaitable[T]], deadline: float | None) -> Flow[T]:
    """See `Invoke`."""
    result: T = yield Invoke(call, deadline)
    return result


def join(waitable: Waitable, deadline: float | None) -> Flow[bool]:
    """See `Join`."""
    ended: bool = yield Join(waitable, deadline)
    return ended


def first_of(flows: Sequence[Callable[[Scope], Flow[T]]], stagger: float, deadline: float | None) -> Flow[T]:
    """See `FirstOf`."""
    result: T = yield FirstOf(tuple(flows), stagger, deadline)
    return result


def here() -> Flow[Hashable]:
    """See `Here`."""
    place: Hashable = yield Here()
    return place


def spawn(flow: Callable[[Scope], Flow[None]]) -> Flow[Callable[[], None]]:
    """See `Spawn`."""
    end: Callable[[], None] = yield Spawn(flow)
    return end
