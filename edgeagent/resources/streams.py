"""`Stream` and `AsyncStream`: two short loops around one session."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Final, Generic, NoReturn, Protocol, TypeVar

from edgeagent.types import CompletionUsage, ResponseMetadata

if TYPE_CHECKING:
    from collections import deque

    from edgeagent.core.call import Call
    from edgeagent.effects import Flow, Scope
    from edgeagent.io.async_driver import AsyncDriver
    from edgeagent.io.sync_driver import SyncDriver

__all__ = ["ENDS", "AsyncStream", "Stream", "no_end"]


T = TypeVar("T")

ENDS: Final = (StopIteration, StopAsyncIteration)


def no_end(error: BaseException) -> RuntimeError:
    """For one of `ENDS` that a caller's own validator raised: out of an iterator it would look like the end of it."""
    return RuntimeError(f"What reads the answer raised {type(error).__name__}.")


class Session(Protocol[T]):
    """What a stream is a loop around: see `edgeagent.core.session`."""

    pending: deque[T]

    @property
    def call(self) -> Call: ...

    @property
    def usage(self) -> CompletionUsage | None: ...

    @property
    def flowing(self) -> bool: ...

    def advance(self) -> Flow[None]: ...

    def close_early(self) -> None: ...


class _Facts(Generic[T]):
    """What both kinds of stream tell about themselves."""

    _session: Session[T]

    @property
    def edge(self) -> ResponseMetadata:
        """What the gateway did; complete once the stream has ended."""
        return self._session.call.edge

    @property
    def usage(self) -> CompletionUsage | None:
        """Token usage, whether or not the caller asked to see it as a chunk; None until the provider told it."""
        return self._session.usage

    @property
    def response(self) -> NoReturn:
        """What openai's streams have, and these cannot. Raises `AttributeError`, which says what there is instead."""
        raise AttributeError(
            "A stream here has no HTTP response of its own: it may come from a cache or from several attempts. "
            "`edge` tells what the gateway did, `with_raw_response.create(…, stream=True)` has status and headers."
        )


class Stream(_Facts[T]):
    """An iterator over the chunks of one answer, and a context manager that closes it."""

    def __init__(self, session: Session[T], driver: SyncDriver, scope: Scope) -> None:
        self._session = session
        self._driver = driver
        self._scope = scope

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        session = self._session
        pending = session.pending
        if not pending:
            if not session.flowing:
                raise StopIteration
            try:
                self._driver.step(session.advance(), self._scope)
            except BaseException:
                self.close()
                raise
            if not pending:
                self.close()
                raise StopIteration
        chunk = pending.popleft()
        if not pending and not session.flowing:
            self.close()
        return chunk

    def close(self) -> None:
        """Give the connection back. Idempotent; before the end nothing of the answer is stored."""
        self._session.close_early()
        self._driver.close(self._scope)

    def __enter__(self) -> Stream[T]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if hasattr(self, "_session") and self._session.flowing:
            self.close()


class AsyncStream(_Facts[T]):
    """An async iterator over the chunks of one answer, and a context manager that closes it."""

    def __init__(self, session: Session[T], driver: AsyncDriver, scope: Scope) -> None:
        self._session = session
        self._driver = driver
        self._scope = scope

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        session = self._session
        pending = session.pending
        if not pending:
            if not session.flowing:
                raise StopAsyncIteration
            try:
                await self._driver.step(session.advance(), self._scope)
            except BaseException:
                await self.close()
                raise
            if not pending:
                await self.close()
                raise StopAsyncIteration
        chunk = pending.popleft()
        if not pending and not session.flowing:
            await self.close()
        return chunk

    async def close(self) -> None:
        """Give the connection back. Idempotent; before the end nothing of the answer is stored."""
        self._session.close_early()
        await self._driver.aclose(self._scope)

    async def aclose(self) -> None:
        """The same as `close`, under the name that `contextlib.aclosing` calls."""
        await self.close()

    async def __aenter__(self) -> AsyncStream[T]:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        if hasattr(self, "_session") and self._session.flowing:
            self._session.close_early()
            self._scope.release()
            self._scope.sources.clear()  # a connection is given back by its source, in its own loop
