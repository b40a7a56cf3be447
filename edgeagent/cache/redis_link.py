"""Connections to one Redis or Valkey server: commands in, replies out, by the `redis` library's own connections.

The library's client spends more time on a command than the server does. What a cache needs of it is the connection
(address, TLS, authentication, protocol); the pool here is a list. A connection that was idle may have been closed by
the server, so a command that fails on one is sent once more on a fresh one: every command here may be repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, TypeAlias

from redis.backoff import NoBackoff
from redis.connection import Connection, parse_url
from redis.exceptions import ConnectionError, NoScriptError, ResponseError, TimeoutError  # noqa: A004  # redis's
from redis.retry import Retry

from edgeagent.cache.outage import Outage

__all__ = ["Command", "Link", "Script", "connection_options", "packed"]

Command: TypeAlias = tuple[bytes | str | int, ...]

_GONE: Final = (ConnectionError, TimeoutError, OSError)
"""What means that the server is away; anything else is an answer."""


class Script:
    """A Lua script; the server knows it by its hash once it has seen it."""

    def __init__(self, text: str) -> None:
        from hashlib import sha1

        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()


def connection_options(
    url: str, timeout: float, more: Mapping[str, Any], parse: Callable[[str], Any] = parse_url, retry: type[Any] = Retry
) -> dict[str, Any]:
    """What a connection of the library is made with; `parse` and `retry` are its own, of the kind of the connection.

    Raises `ValueError` for a URL that the library does not take.
    """
    options: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout}
    options.update(parse(url), **more)
    options.update(
        decode_responses=False, health_check_interval=0, protocol=2, retry=retry(NoBackoff(), 0), retry_on_timeout=False
    )
    return options


class Link:
    """Connections of one process. Thread-safe.

    Args:
        options: as `connection_options` gives them.
        clock: seconds, monotonic.
    """

    def __init__(self, options: Mapping[str, Any], clock: Callable[[], float] = time.monotonic) -> None:
        self._options = dict(options)
        self._kind: type[Any] = self._options.pop("connection_class", Connection)
        self._idle: list[Any] = []
        self._closed = False
        self.outage = Outage(self._probe, clock)

    def call(self, *command: bytes | str | int) -> Any:
        """The reply to one command.

        Raises:
            Away: the server is away.
            redis.RedisError: it has just gone away, or it refuses the command.
        """
        reply = self.many([command])[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def many(self, commands: Sequence[Command]) -> list[Any]:
        """The replies to several commands, sent as one; a refusal is the reply to its command. Raises like `call`."""
        self.outage.check()
        try:
            return self._on_idle(commands) or self._on_fresh(commands)
        except _GONE:
            self.outage.begins()
            raise

    def script(self, script: Script, keys: Sequence[bytes], *arguments: bytes | str | int) -> Any:
        """What a Lua script returns. Raises like `call`."""
        try:
            return self.call("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return self.call("EVAL", script.text, len(keys), *keys, *arguments)

    def close(self) -> None:
        """Close the connections; those in use are closed when they are given back."""
        self._closed = True
        self._disconnect_idle()

    def _on_idle(self, commands: Sequence[Command]) -> list[Any] | None:
        """On a connection that was used before; None if there is none, or the server has closed it."""
        try:
            connection = self._idle.pop()
        except IndexError:
            return None
        try:
            return self._exchange(connection, commands)
        except TimeoutError:
            raise
        except (ConnectionError, OSError):  # those beside it were most likely closed with it
            self._disconnect_idle()
            return None

    def _disconnect_idle(self) -> None:
        """One by one, out of the one list: into one that is replaced another thread may put what nobody closes."""
        while self._idle:
            with suppress(IndexError):  # another thread was faster
                self._idle.pop().disconnect()

    def _on_fresh(self, commands: Sequence[Command]) -> list[Any]:
        return self._exchange(self._kind(**self._options), commands)

    def _exchange(self, connection: Any, commands: Sequence[Command]) -> list[Any]:
        try:
            connection.send_packed_command([packed(commands)])
            replies = [_reply(connection) for _ in commands]
        except BaseException:
            connection.disconnect()
            raise
        self._idle.append(connection)
        if self._closed:
            self.close()
        return replies

    def _probe(self) -> None:
        self._on_fresh([("PING",)])


def packed(commands: Sequence[Command]) -> bytes:
    """Commands as the protocol has them: arrays of byte strings, each preceded by its length."""
    parts = []
    for command in commands:
        parts.append(b"*%d\r\n" % len(command))
        for word in command:
            data = word if isinstance(word, bytes) else str(word).encode()
            parts.append(b"$%d\r\n%b\r\n" % (len(data), data))
    return b"".join(parts)


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error
