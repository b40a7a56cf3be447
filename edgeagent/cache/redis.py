"""The Redis tier: one server, Redis or Valkey, shared by any number of threads, processes and machines.

Entries live under `<prefix>:<version>:<key>`; the server forgets them by itself when their time is over. When the
server goes away the first call that notices it fails (after `timeout` seconds at most, if the server hangs), every
later one fails at once, and one probe at a time finds out when it is back: see `edgeagent.cache.outage`.

Beside each entry there may be a lease, `<key>:lease`, so that of many processes that want the same answer one asks for
it. Its value is the leader's token. A leader whose lease is over cannot overwrite what a later one wrote: the server
compares the tokens in the same step in which it stores.
"""

from __future__ import annotations

import math
import os
import re
import secrets
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from edgeagent.cache.base import Grant, LeaseLost, Put
from edgeagent.errors import ConfigurationError
from edgeagent.types.metadata import CacheTierName

if TYPE_CHECKING:
    from edgeagent.cache.redis_async import AsyncLink
    from edgeagent.cache.redis_link import Link, Script
    from edgeagent.effects import Place

__all__ = ["RedisCache"]

VERSION: Final = 1
"""Of the entries' encoding and of the leases; part of every key, so that releases that differ do not meet."""

VARIABLE: Final = "REDIS_URL"

_SCHEMES: Final = {
    "redis": "redis",
    "rediss": "rediss",
    "unix": "unix",
    "valkey": "redis",
    "valkeys": "rediss",
}
"""What a URL may begin with, and what the library calls it."""

_OURS: Final = re.compile(rb"([0-9a-f]{2})*(:lease)?")

_BATCH: Final = 500
"""Keys deleted in one round trip."""

_PAGE: Final = 100
"""Entries read in one round trip."""

_ACQUIRE: Final = """
if ARGV[3] == '1' and redis.call('EXISTS', KEYS[1]) == 1 then return 'stored' end
local holder = redis.call('GET', KEYS[2])
if holder == 'nobody' then return 'open' end
if holder and holder ~= ARGV[1] then return 'held' end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 'granted'
"""
_RENEW: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_RELEASE: Final = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
_ABANDON: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], 'nobody', 'PX', ARGV[2])
return 1
"""
_OPEN: Final = 1000
"""Milliseconds for which an abandoned lease is open: whoever waits for it has looked by then."""
_STORE: Final = """
local holder = redis.call('GET', KEYS[2])
if holder == 'nobody' then holder = false end
if holder ~= ARGV[1] and (holder or redis.call('EXISTS', KEYS[1]) == 1) then return 0 end
if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
if holder then redis.call('DEL', KEYS[2]) end
return 1
"""
"""Stores if the token still holds the lease, or if nobody holds it and the place is empty (the lease was lost with the
server, say): a late answer may fill a gap, but replaces nothing."""


class RedisCache:
    """Bytes in a Redis or Valkey server. Implements `CacheTier`, `Leases`, `Batches` and `Awaits`; thread-safe.

    Faults are raised as the `redis` library's errors, or as `ConnectionError` while the server is known to be away.

    Args:
        url: `redis://[user[:password]@]host[:port][/db]`, `rediss://…` for TLS, `unix://…`; `valkey://` and
            `valkeys://` mean the same. Query parameters are the library's (`ssl_ca_certs`, `socket_keepalive`, …).
            None: the environment variable `REDIS_URL`.
        prefix: what the names of all keys begin with.
        ttl: seconds that an entry lives unless `put` says otherwise; None: as long as the server keeps it.
        timeout: seconds to connect, and to wait for each reply.
        leases: whether processes that share the server make one call for identical requests at the same moment.
        lease_seconds: how soon a lease ends whose leader has crashed; a living leader renews it three times as often.
        options: more arguments for the library's connections (`credential_provider=…`, `ssl_certfile=…`).
        clock: seconds, monotonic.

    Raises:
        ConfigurationError: the extra is not installed, there is no URL, it has another scheme, or a number is not
            positive.
    """

    name: CacheTierName = "redis"
    blocking: bool = True
    batches: bool = True
    awaits: bool = True

    def __init__(
        self,
        url: str | None = None,
        *,
        prefix: str = "edgeagent",
        ttl: float | None = None,
        timeout: float = 0.5,
        leases: bool = True,
        lease_seconds: float = 10.0,
        options: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if find_spec("redis") is None:
            raise ConfigurationError("The Redis tier needs the redis library: pip install 'edgeagent[redis]'.")
        if not prefix or not timeout > 0 or not lease_seconds > 0 or (ttl is not None and not 0 < ttl < math.inf):
            raise ConfigurationError(
                "RedisCache needs a prefix, a positive timeout and lease_seconds, and a positive ttl or None."
            )
        _checked(_from_environment() if url is None else url)
        import_module("edgeagent.cache.redis_async")  # takes a while, which no call's look-up and no loop has
        self.url = url
        self.prefix = prefix
        self.ttl = ttl
        self.timeout = timeout
        self.leases = leases
        self.lease_seconds = lease_seconds
        self._options = dict(options or {})
        self._clock = clock
        self._start = f"{prefix}:{VERSION}:".encode()
        self._links: dict[int, Link] = {}
        self._async_links: dict[Any, AsyncLink] = {}
        self._scripts: dict[str, Script] = {}

    def get(self, key: bytes, /) -> bytes | None:
        """The bytes under `key`, or None."""
        value: bytes | None = self._link().call("GET", self._name(key))
        return value

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> None:
        """Store `value` for `ttl` seconds (None: the tier's own)."""
        self._link().call(*self._put_command(Put(key, value, ttl)))

    def get_many(self, keys: Sequence[bytes], /) -> list[bytes | None]:
        """What is under each key, in one round trip."""
        values: list[bytes | None] = self._link().call("MGET", *map(self._name, keys)) if keys else []
        return values

    async def aget(self, key: bytes, place: Place, bound: float | None = None, /) -> bytes | None:
        """See `Awaits`."""
        value: bytes | None = await self._async_link(place).call("GET", self._name(key), bound=bound)
        return value

    async def aget_many(self, keys: Sequence[bytes], place: Place, bound: float | None = None, /) -> list[bytes | None]:
        """See `Awaits`."""
        if not keys:
            return []
        values: list[bytes | None] = await self._async_link(place).call("MGET", *map(self._name, keys), bound=bound)
        return values

    def put_many(self, puts: Sequence[Put], /) -> list[Exception | None]:
        """Store them in one round trip; for each the error with which the server refused it, or `LeaseLost`."""
        from redis.exceptions import NoScriptError, RedisError

        replies = self._link().many([self._put_command(put) for put in puts])
        for place, reply in enumerate(replies):
            if isinstance(reply, NoScriptError):  # a server that was started anew
                key, value, ttl, token = puts[place]
                try:
                    replies[place] = self.put_leased(key, value, token, ttl)
                except (RedisError, OSError) as error:
                    replies[place] = error
        return [_told(put, reply) for put, reply in zip(puts, replies, strict=True)]

    def delete(self, key: bytes, /) -> None:
        """Forget `key`."""
        self._link().call("UNLINK", self._name(key))

    def clear(self) -> None:
        """Forget every key that begins with the prefix, and no other; the server goes on serving meanwhile."""
        link = self._link()
        batch: list[bytes] = []
        for name in self._all(link):
            batch.append(name)
            if len(batch) == _BATCH:
                link.call("UNLINK", *batch)
                batch = []
        if batch:
            link.call("UNLINK", *batch)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Each key with its bytes; the server goes on serving meanwhile."""
        link = self._link()
        names = (name for name in self._all(link) if not name.endswith(b":lease"))
        while batch := list(islice(names, _PAGE)):
            for name, value in zip(batch, link.call("MGET", *batch), strict=True):
                if value is not None:
                    yield bytes.fromhex(name[len(self._start) :].decode()), value

    def usage(self) -> tuple[int, None]:
        """How many entries it holds, all of which are counted one by one."""
        return sum(not name.endswith(b":lease") for name in self._all(self._link())), None

    def close(self) -> None:
        """Close the connections; the next use opens them again."""
        link = self._links.pop(os.getpid(), None)
        if link is not None:
            link.close()
        for other in list(self._async_links.values()):
            other.close()

    # leases

    def acquire(self, key: bytes, /, *, anyway: bool = False) -> Grant:
        """See `Leases`."""
        token = secrets.token_hex(16)  # chosen here: asked again after a lost reply, the server knows its holder
        names = [self._name(key), self._lease(key)]
        said = self._run(_ACQUIRE, names, token, round(self.lease_seconds * 1e3), "0" if anyway else "1")
        return Grant(said.decode(), token if said == b"granted" else "")

    def renew(self, key: bytes, token: str, /) -> bool:
        """See `Leases`."""
        return bool(self._run(_RENEW, [self._lease(key)], token, round(self.lease_seconds * 1e3)))

    def release(self, key: bytes, token: str, /) -> None:
        """See `Leases`."""
        self._run(_RELEASE, [self._lease(key)], token)

    def abandon(self, key: bytes, token: str, /) -> None:
        """See `Leases`."""
        self._run(_ABANDON, [self._lease(key)], token, _OPEN)

    def put_leased(self, key: bytes, value: bytes, token: str, /, ttl: float | None = None) -> bool:
        """See `Leases`."""
        milliseconds = self._milliseconds(ttl)
        if milliseconds == 0:
            self.release(key, token)
            return False
        return bool(self._run(_STORE, [self._name(key), self._lease(key)], token, value, milliseconds or ""))

    # what these are made of

    def _name(self, key: bytes) -> bytes:
        return self._start + key.hex().encode()

    def _lease(self, key: bytes) -> bytes:
        return self._name(key) + b":lease"

    def _milliseconds(self, ttl: float | None) -> int | None:
        lifetime = self.ttl if ttl is None else ttl
        if lifetime is None:
            return None
        return max(1, round(lifetime * 1e3)) if lifetime > 0 else 0

    def _put_command(self, put: Put) -> tuple[bytes | str | int, ...]:
        name, milliseconds = self._name(put.key), self._milliseconds(put.ttl)
        if milliseconds == 0:
            return ("UNLINK", name)
        if put.token:
            sha = self._script(_STORE).sha
            return ("EVALSHA", sha, 2, name, self._lease(put.key), put.token, put.value, milliseconds or "")
        return ("SET", name, put.value) if milliseconds is None else ("SET", name, put.value, "PX", milliseconds)

    def _run(self, text: str, names: list[bytes], *arguments: bytes | str | int) -> Any:
        return self._link().script(self._script(text), names, *arguments)

    def _script(self, text: str) -> Script:
        from edgeagent.cache.redis_link import Script

        script = self._scripts.get(text)
        if script is None:
            script = self._scripts[text] = Script(text)
        return script

    def _all(self, link: Link) -> Iterator[bytes]:
        pattern = re.sub(rb"([*?\[\]\\^-])", rb"\\\1", self._start) + b"*"
        cursor: bytes | int = 0
        while True:
            cursor, names = link.call("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
            for name in names:
                if _OURS.fullmatch(name, len(self._start)):  # a longer prefix may begin with this one
                    yield name
            if int(cursor) == 0:
                return

    def _link(self) -> Link:
        pid = os.getpid()  # a child leaves its parent's connections alone
        link = self._links.get(pid)
        if link is None:
            from edgeagent.cache.redis_link import Link

            link = self._links.setdefault(pid, Link(self._connection(), self._clock))
        return link

    def _async_link(self, place: Place) -> AsyncLink:
        link = self._async_links.get(place.loop)
        if link is None:
            from edgeagent.cache.redis_async import AsyncLink, async_connection_options

            for closed in [loop for loop in list(self._async_links) if loop.is_closed()]:
                self._async_links.pop(closed, None)  # by somebody who did not let it end
            options = async_connection_options(self._address(), self.timeout, self._options)
            ended = partial(_forget, weakref.ref(self), place.loop)  # no cycle: who forgets this tier closes it
            link = self._async_links[place.loop] = AsyncLink(options, self._link().outage, place, ended)
        return link

    def _connection(self) -> dict[str, Any]:
        from edgeagent.cache.redis_link import connection_options

        return connection_options(self._address(), self.timeout, self._options)

    def _address(self) -> str:
        return _checked(_from_environment() if self.url is None else self.url)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._options or (self.url is not None and _has_secret(self.url)):
            raise ConfigurationError(
                f"A RedisCache with a password in its URL, or with options, cannot be pickled: leave out the URL and "
                f"set the environment variable {VARIABLE}."
            )
        return (_rebuilt, (self.url, self.prefix, self.ttl, self.timeout, self.leases, self.lease_seconds))

    def __repr__(self) -> str:
        return f"RedisCache({'' if self.url is None else repr(shown(self.url))})"


def _told(put: Put, reply: object) -> Exception | None:
    if isinstance(reply, Exception):
        return reply
    return LeaseLost() if put.token and not reply else None


def _forget(tier: weakref.ref[RedisCache], loop: Any) -> None:
    found = tier()
    if found is not None:
        found._async_links.pop(loop, None)


def _rebuilt(
    url: str | None, prefix: str, ttl: float | None, timeout: float, leases: bool, lease_seconds: float
) -> RedisCache:
    return RedisCache(url, prefix=prefix, ttl=ttl, timeout=timeout, leases=leases, lease_seconds=lease_seconds)


def _from_environment() -> str:
    url = os.environ.get(VARIABLE)
    if not url:
        raise ConfigurationError(f"RedisCache() without a URL needs the environment variable {VARIABLE}.")
    return url


def _checked(url: str) -> str:
    """The URL as the library has it."""
    scheme, colon, rest = url.partition("://")
    if not colon or scheme not in _SCHEMES:
        raise ConfigurationError("RedisCache needs a URL that begins with redis://, rediss:// or unix://.")
    return f"{_SCHEMES[scheme]}://{rest}"


def _has_secret(url: str) -> bool:
    parts = urlsplit(url)
    return "@" in parts.netloc or "password" in parts.query


def shown(url: str) -> str:
    """The URL without credentials and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
