"""Open streams of the blocking driver: what `Open` and `OpenIterator` give, and `Read` reads.

The driver keeps a source in its call's scope from its opening to its end; a source does not know the scope.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

from edgeagent.io.decoding import Inflate
from edgeagent.io.faults import deadline_fault
from edgeagent.wire.http import Headers

__all__ = ["END", "Exchange", "IteratorSource", "ResponseSource", "SyncSource", "closers"]

END: Final[Any] = object()
"""What stands for the end of an iterator, since a provider may yield None."""


class SyncSource(Protocol):
    """What the blocking driver does with a source."""

    status_code: int
    headers: Headers

    def read(self, deadline: float | None) -> Any:
        """The next piece; None at the end."""
        ...

    def close(self) -> None:
        """End it. Idempotent."""
        ...


class Exchange:
    """A response whose head has come, as an engine holds it.

    Args:
        status_code: of the response.
        headers: of the response.
        response: the library's own, which has `close`.
        raw: the pieces of its body.
        inflate: undoes the content encoding, None where the library has done it.
    """

    def __init__(
        self, status_code: int, headers: Headers, response: Any, raw: Iterator[bytes], inflate: Inflate | None
    ) -> None:
        self.status_code = status_code
        self.headers = headers
        self.response = response
        self.ended = False
        self.thread = threading.get_ident()  # that is at it
        self._pieces = raw if inflate is None else _inflated(raw, inflate)

    def piece(self) -> bytes | None:
        """The next piece of the body; None at its end."""
        data = next(self._pieces, None)
        self.ended = data is None
        return data

    def rest(self) -> bytes:
        """All that is to come of the body."""
        data = b"".join(self._pieces)
        self.ended = True
        return data


def _inflated(raw: Iterator[bytes], inflate: Inflate) -> Iterator[bytes]:
    for data in raw:
        yield from inflate.feed(data)


class ResponseSource:
    """A response whose body is still to come.

    Args:
        exchange: the response.
        guard: runs one step of it under a deadline, and turns the library's exceptions into ours.
        give_back: ends it.
    """

    def __init__(
        self,
        exchange: Exchange,
        guard: Callable[[Callable[[], bytes | None], float | None], bytes | None],
        give_back: Callable[[Exchange], None],
    ) -> None:
        self.status_code = exchange.status_code
        self.headers = exchange.headers
        self._exchange: Exchange | None = exchange
        self._guard = guard
        self._give_back = give_back

    def read(self, deadline: float | None) -> bytes | None:
        """The next piece; None at the end."""
        if self._exchange is None:
            return None
        self._exchange.thread = threading.get_ident()
        try:
            data = self._guard(self._exchange.piece, deadline)
        except BaseException:
            self.close()
            raise
        if data is None:
            self.close()
        return data

    def close(self) -> None:
        """Give the connection back: to the pool after the whole body, else it is closed."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            self._give_back(exchange)

    def __del__(self) -> None:
        with contextlib.suppress(Exception):  # at the interpreter's exit what is needed may be gone
            self.close()


class IteratorSource:
    """A provider's own iterator.

    Args:
        items: what the provider's function returned.
        clock: monotonic seconds. A step cannot be interrupted: the deadline is looked at before and after it.
    """

    status_code = 200
    headers = Headers()

    def __init__(self, items: Any, clock: Callable[[], float]) -> None:
        self._items = items
        self._iterator: Iterator[Any] | None = iter(items)
        self._clock = clock

    def read(self, deadline: float | None) -> Any:
        """The next item; None at the end."""
        item = None
        while item is None:
            if self._iterator is None:
                return None
            try:
                self._check(deadline)
                item = next(self._iterator, END)
                self._check(deadline)
            except BaseException:
                self.close()
                raise
        if item is END:
            self.close()
            return None
        return item

    def _check(self, deadline: float | None) -> None:
        if deadline is not None and self._clock() >= deadline:
            raise deadline_fault(sent=True)

    def close(self) -> None:
        """Close the iterator and what it came from, if they can be closed."""
        iterator, self._iterator = self._iterator, None
        if iterator is None:
            return
        for close in closers(iterator, self._items, "close"):
            close()


def closers(iterator: Any, items: Any, *names: str) -> Iterator[Callable[[], Any]]:
    """The closing methods of an iterator and of what it came from, if that is another object (openai's `Stream`)."""
    for part in (iterator,) if items is iterator else (iterator, items):
        found = next((close for name in names if callable(close := getattr(part, name, None))), None)
        if found is not None:
            yield found
