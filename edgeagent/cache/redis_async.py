"""Connections to one Redis or Valkey server from one event loop of asyncio, by the `redis` library's own: for reading.

A look-up is awaited where it is asked for, since a thread that does it costs more than the reply takes. As with
`redis_link`, a command that fails on a connection that was idle is sent once more on a fresh one.
"""

from __future__ import annotations

import builtins
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio.connection import Connection, parse_url
from redis.asyncio.retry import Retry
from redis.exceptions import ConnectionError, ResponseError, TimeoutError  # noqa: A004  # redis's

from edgeagent.cache.outage import Outage
from edgeagent.cache.redis_link import connection_options, packed

if TYPE_CHECKING:
    from edgeagent.effects import Place

__all__ = ["AsyncLink", "async_connection_options"]

_LONG: Final = 0.05
"""Seconds after which a server that is there has answered: whoever is cancelled later has reason to doubt it."""
_SHORT: Final = 0.001
"""Seconds that are as good as none: the library takes none for no limit."""
_BUFFERED: Final = 32 * 1024
"""Bytes that a connection takes at once, whether or not the server reads: asyncio's buffers hold twice that."""
_ITS_NAME: Final = ("driver_info", "lib_name", "lib_version")
"""What the library tells the server of itself. Servers before 7.2 refuse it, and the library keeps what they say in a
cycle with whoever connected: forgotten connections would end in the garbage collector's hands."""


def async_connection_options(url: str, timeout: float, more: Mapping[str, Any]) -> dict[str, Any]:
    """As `redis_link.connection_options`, for connections that are awaited."""
    return connection_options(url, timeout, more, parse_url, Retry)


class AsyncLink:
    """Connections of one loop. To be used in that loop alone.

    Args:
        options: as `async_connection_options` gives them.
        outage: what is known of the server.
        place: the loop.
        ended: told when the connections have been closed.
    """

    def __init__(
        self, options: Mapping[str, Any], outage: Outage, place: Place, ended: Callable[[], object] = lambda: None
    ) -> None:
        self._options = dict(options)
        self._kind: type[Any] = self._options.pop("connection_class", Connection)
        self._timeout: float = self._options["socket_timeout"]
        self._outage = outage
        self._place = place
        self._idle: list[Any] = []
        self._closed = 0  # how often
        idle = self._idle  # not `self`: who forgets this has the connections closed

        async def end() -> None:
            ended()
            while idle:
                await idle.pop().disconnect()

        self._guard = place.at_end(end)

    async def call(self, *command: bytes | str | int, bound: float | None = None) -> Any:
        """The reply to one command, which is waited for no longer than `bound` seconds.

        Raises:
            Away: the server is away.
            redis.RedisError: it has just gone away, it refuses the command, or the bound has passed.
            TimeoutError: the bound has passed.
        """
        self._outage.check()
        began, patience = time.monotonic(), self._timeout if bound is None else min(bound, self._timeout)
        try:
            return await self._once_or_twice(packed([command]), bound, patience, began)
        except (TimeoutError, builtins.TimeoutError) as error:
            if isinstance(error, TimeoutError) and patience == self._timeout:
                self._outage.begins()
            else:  # the caller's bound
                self._outage.doubts()
            raise
        except (ConnectionError, OSError):
            self._outage.begins()
            raise
        except BaseException as error:
            cancelled = not isinstance(error, Exception)
            if cancelled and time.monotonic() - began >= _LONG:
                self._outage.doubts()
            raise

    async def _once_or_twice(self, data: bytes, bound: float | None, patience: float, began: float) -> Any:
        closed = self._closed
        if self._idle:
            try:
                return await self._exchange(self._idle.pop(), data, closed, patience)
            except TimeoutError:
                raise
            except (ConnectionError, OSError):  # those beside it were most likely closed with it
                while self._idle:
                    await self._idle.pop().disconnect(nowait=True)
        with self._place.within(None if bound is None else began + bound - time.monotonic()):
            return await self._exchange(await self._fresh(), data, closed, self._timeout)

    def close(self) -> None:
        """Have the loop close the connections; the next use opens others. May be called from any thread.

        It is done in one step, without a task: the loop may be about to end.
        """
        self._closed += 1
        self._place.soon(partial(_close, self._idle))

    async def _fresh(self) -> Any:
        connection = self._kind(**self._options)
        for name in _ITS_NAME:
            setattr(connection, name, None)
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection

    async def _exchange(self, connection: Any, data: bytes, closed: int, patience: float) -> Any:
        transport = connection._writer.transport
        try:
            if len(data) > _BUFFERED:
                began, patience = time.monotonic(), max(patience, _SHORT)
                connection.socket_timeout = patience
                await connection.send_packed_command([data], check_health=False)
                patience = max(began + patience - time.monotonic(), _SHORT)
            else:  # it fits into the buffer, so nobody waits; with a limit the library makes a task for it
                connection.socket_timeout = None
                await connection.send_packed_command([data], check_health=False)
            connection.socket_timeout = patience  # read_response(timeout=…) would give None, and leave the reply
            reply = await connection.read_response()
        except ResponseError:  # that is an answer, too
            self._give_back(connection, closed)
            raise
        except BaseException:
            transport.abort()  # to close it would be to wait until all has been sent
            await connection.disconnect(nowait=True)
            raise
        self._give_back(connection, closed)
        return reply

    def _give_back(self, connection: Any, closed: int) -> None:
        self._idle.append(connection)
        if closed != self._closed:  # while it was in use
            _close(self._idle)


def _close(idle: list[Any]) -> None:
    while idle:
        idle.pop()._close()  # what the library's `disconnect` does where there is no task
