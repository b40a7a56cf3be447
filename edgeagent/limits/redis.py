"""Budgets' accounts and limits' meters in a Redis or Valkey server, shared by processes and machines.

Every step is one script, which the server runs alone. Time is the server's, so machines need not agree on it. All names
begin with `{prefix}`, one hash slot: the scripts also run in a cluster.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

from edgeagent.errors import ConfigurationError
from edgeagent.limits.accounts import Balance, Charge, Hold, Refusal
from edgeagent.limits.limit import Limit
from edgeagent.limits.meters import UNKNOWN

__all__ = ["RedisState"]

VERSION: Final = 1
"""Of the names and values; part of every name, so that releases that differ do not meet."""
HOLD_SECONDS: Final = 900.0
SETTLED_SECONDS: Final = 86400
"""How long a settled hold is remembered, so that one that is settled again after a lost reply counts once."""
KEEP_SECONDS: Final = 400 * 86400

_HELD: Final = """
local function now() local t = redis.call('TIME') return tonumber(t[1]) + tonumber(t[2]) / 1e6 end
local function less(account, field, amount)
  if amount ~= '0' then redis.call('HINCRBY', account, field, '-' .. amount) end
end
local function expire(account, holds, at)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', holds, '-inf', at)) do
    local usd, tokens = string.match(member, '^[^:]+:(%d+):(%d+)$')
    less(account, 'held_usd', usd)
    less(account, 'held_tokens', tokens)
    redis.call('ZREM', holds, member)
  end
end
local function balance(account)
  local found = redis.call('HMGET', account, 'usd', 'tokens', 'held_usd', 'held_tokens')
  for i = 1, 4 do found[i] = found[i] or '0' end
  return found
end
"""
_RESERVE: Final = (
    _HELD
    + """
local at, hold, usd, tokens = now(), ARGV[1], ARGV[2], ARGV[3]
for i = 1, #KEYS / 2 do
  local account, holds = KEYS[2 * i - 1], KEYS[2 * i]
  expire(account, holds, at)
  local has = balance(account)
  local most_usd, most_tokens = ARGV[3 + 2 * i], ARGV[4 + 2 * i]
  if (most_usd ~= '' and has[1] + has[3] + usd > tonumber(most_usd))
    or (most_tokens ~= '' and has[2] + has[4] + tokens > tonumber(most_tokens)) then
    return {i, has[1], has[2], has[3], has[4]}
  end
end
for i = 1, #KEYS / 2 do
  local account, holds = KEYS[2 * i - 1], KEYS[2 * i]
  if redis.call('ZADD', holds, at + tonumber(ARGV[4]), hold .. ':' .. usd .. ':' .. tokens) == 1 then
    redis.call('HINCRBY', account, 'held_usd', usd)
    redis.call('HINCRBY', account, 'held_tokens', tokens)
  end
end
return {0}
"""
)
_SETTLE: Final = (
    _HELD
    + """
local hold, usd, tokens, held_usd, held_tokens = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local first = redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[6])
local out = {}
for i = 1, (#KEYS - 1) / 2 do
  local account, holds = KEYS[2 * i], KEYS[2 * i + 1]
  if first then
    if redis.call('ZREM', holds, hold .. ':' .. held_usd .. ':' .. held_tokens) == 1 then
      less(account, 'held_usd', held_usd)
      less(account, 'held_tokens', held_tokens)
    end
    redis.call('HINCRBY', account, 'usd', usd)
    redis.call('HINCRBY', account, 'tokens', tokens)
    if ARGV[6 + i] ~= '' then redis.call('EXPIREAT', account, ARGV[6 + i]) end
  end
  out[i] = balance(account)
end
return out
"""
)
_BALANCE: Final = _HELD + "expire(KEYS[1], KEYS[2], now()) return balance(KEYS[1])"

_WINDOW: Final = """
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1e6 + tonumber(t[2])
"""
_TAKE: Final = (
    _WINDOW
    + """
local place, span, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local wait = 0
if ARGV[4] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
  if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[4]) then return -1 end
end
for i = 1, 2 do
  local most, amount = ARGV[3 + 2 * i], tonumber(ARGV[4 + 2 * i])
  if most ~= '' then
    local log, sums = KEYS[2 * i], KEYS[2 * i + 1]
    local old = redis.call('ZRANGEBYSCORE', log, '-inf', now - span)
    for _, one in ipairs(old) do
      redis.call('HINCRBY', sums, 'total', 0 - (redis.call('HGET', sums, one) or 0))
      redis.call('HDEL', sums, one)
    end
    if #old > 0 then redis.call('ZREMRANGEBYSCORE', log, '-inf', now - span) end
    most = tonumber(most)
    local excess = tonumber(redis.call('HGET', sums, 'total') or 0) + math.min(amount, most) - most
    local from = 0
    while excess > 0 do
      local some = redis.call('ZRANGE', log, from, from + 99, 'WITHSCORES')
      if #some == 0 then break end
      for j = 1, #some, 2 do
        excess = excess - tonumber(redis.call('HGET', sums, some[j]) or 0)
        if excess <= 0 then wait = math.max(wait, some[j + 1] + span - now) break end
      end
      from = from + 100
    end
  end
end
if wait > 0 then return math.ceil(wait) end
if ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[1], now + lease, place)
  redis.call('PEXPIRE', KEYS[1], math.ceil(lease / 1e3))
end
for i = 1, 2 do
  if ARGV[3 + 2 * i] ~= '' then
    local log, sums, amount = KEYS[2 * i], KEYS[2 * i + 1], ARGV[4 + 2 * i]
    redis.call('ZADD', log, now, place)
    redis.call('HSET', sums, place, amount)
    redis.call('HINCRBY', sums, 'total', amount)
    redis.call('PEXPIRE', log, math.ceil(span / 1e3) + 1000)
    redis.call('PEXPIRE', sums, math.ceil(span / 1e3) + 1000)
  end
end
return 0
"""
)
_GIVE: Final = """
local place = ARGV[1]
redis.call('ZREM', KEYS[1], place)
for i = 1, 2 do
  local amount, sums = ARGV[1 + i], KEYS[1 + i]
  local had = redis.call('HGET', sums, place)
  if amount ~= '' and had then
    redis.call('HINCRBY', sums, 'total', amount - had)
    redis.call('HSET', sums, place, amount)
  end
end
return 0
"""


class RedisState:
    """Accounts and meters in one server. Implements `Accounts` and `Meters`; thread-safe, connects at the first use.

    Args:
        url: `redis://[user[:password]@]host[:port][/db]`, `rediss://…`, `unix://…`; None: the environment variable
            `REDIS_URL`, read at the first use.
        prefix: what the names of all keys begin with.
        hold_seconds: after so long what a call holds (of a budget, or a place among those under way) is free again,
            should its process have died. Longer than the longest call.
        timeout: seconds to connect, and to wait for each reply.
        options: more arguments for the library's connections.

    Raises:
        ConfigurationError: the extra is not installed, or a number is not positive.
        redis.RedisError: at any use: the server is away.
    """

    blocking = True

    def __init__(
        self,
        url: str | None = None,
        *,
        prefix: str = "edgeagent",
        hold_seconds: float = HOLD_SECONDS,
        timeout: float = 2.0,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if find_spec("redis") is None:
            raise ConfigurationError("Budgets in Redis need the redis library: pip install 'edgeagent[redis]'.")
        if not prefix or not hold_seconds > 0 or not timeout > 0:
            raise ConfigurationError("RedisState needs a prefix, and a positive hold_seconds and timeout.")
        import_module("redis")  # not in the midst of a call
        self.prefix = prefix
        self.hold_seconds = hold_seconds
        self.timeout = timeout
        self._url = url
        self._options = dict(options or {})
        self._clients: dict[int, Any] = {}
        self._scripts: dict[str, Any] = {}

    # accounts

    def reserve(self, hold: Hold, charges: Sequence[Charge], /) -> Refusal | None:
        """See `Accounts`."""
        limits = [_text(limit) for charge in charges for limit in (charge.usd_limit, charge.tokens_limit)]
        place, *balance = self._run(_RESERVE, self._of(charges), [*hold, self.hold_seconds, *limits])
        return Refusal(place - 1, _balance(balance)) if place else None

    def settle(self, hold: Hold, charges: Sequence[Charge], usd: int, tokens: int, /) -> Sequence[Balance]:
        """See `Accounts`."""
        ends = ["" if charge.end is None else int(charge.end) + KEEP_SECONDS for charge in charges]
        names = [self._name("settled", hold.id), *self._of(charges)]
        arguments = [hold.id, usd, tokens, hold.usd, hold.tokens, SETTLED_SECONDS, *ends]
        return [_balance(one) for one in self._run(_SETTLE, names, arguments)]

    def balance(self, account: str, /) -> Balance:
        """See `Accounts`."""
        return _balance(self._run(_BALANCE, self._of([Charge(account)]), []))

    # meters

    def take(self, meter: str, limit: Limit, place: str, tokens: int, /) -> float:
        """See `Meters`."""
        arguments = [
            place,
            round(limit.seconds * 1e6),
            round(self.hold_seconds * 1e6),
            _text(limit.concurrent),
            _text(limit.requests),
            1,
            _text(limit.tokens),
            tokens,
        ]
        names = [self._name(kind, meter) for kind in ("under-way", "requests", "request-sums", "tokens", "token-sums")]
        wait = self._run(_TAKE, names, arguments)
        return UNKNOWN if wait < 0 else wait / 1e6

    def give(self, meter: str, limit: Limit, place: str, tokens: int | None, /, *, undo: bool = False) -> None:
        """See `Meters`."""
        names = [self._name(kind, meter) for kind in ("under-way", "request-sums", "token-sums")]
        self._run(_GIVE, names, [place, 0 if undo else "", 0 if undo else _text(tokens)])

    def close(self) -> None:
        """Close the connections, those in use when they are given back; the next use opens others."""
        client = self._clients.pop(os.getpid(), None)
        if client is not None:
            _close_idle(client)

    # what these are made of

    def _of(self, charges: Sequence[Charge]) -> list[str]:
        return [self._name(kind, charge.account) for charge in charges for kind in ("account", "holds")]

    def _name(self, kind: str, name: str) -> str:
        return f"{{{self.prefix}}}:limits:{VERSION}:{kind}:{name}"

    def _run(self, text: str, names: Sequence[str], arguments: Sequence[Any]) -> Any:
        script = self._scripts.get(text)
        client = self._client()
        if script is None:
            script = self._scripts.setdefault(text, client.register_script(text))
        try:
            return script(keys=names, args=arguments, client=client)
        finally:
            if self._clients.get(os.getpid()) is not client:  # it was closed meanwhile
                _close_idle(client)

    def _client(self) -> Any:
        pid = os.getpid()  # a child leaves its parent's connections alone
        client = self._clients.get(pid)
        if client is None:
            client = self._clients.setdefault(pid, self._connected())
        return client

    def _connected(self) -> Any:
        import redis

        url = self._url or os.environ.get("REDIS_URL")
        if not url:
            raise ConfigurationError("RedisState() without a URL needs the environment variable REDIS_URL.")
        for ours, theirs in (("valkey://", "redis://"), ("valkeys://", "rediss://")):
            if url.startswith(ours):
                url = theirs + url[len(ours) :]
        options = {"socket_timeout": self.timeout, "socket_connect_timeout": self.timeout, **self._options}
        try:
            return redis.Redis.from_url(url, **options)
        except ValueError:
            raise ConfigurationError(
                "RedisState needs a URL that begins with redis://, rediss:// or unix://."
            ) from None

    def __reduce__(self) -> tuple[Any, ...]:
        if (self._url is not None and "@" in self._url) or self._options:
            raise ConfigurationError(
                "A RedisState with a password in its URL, or with options, cannot be pickled: leave out the URL and "
                "set the environment variable REDIS_URL."
            )
        return (_rebuilt, (self._url, self.prefix, self.hold_seconds, self.timeout))

    def __repr__(self) -> str:
        return f"RedisState(prefix={self.prefix!r})"


def _close_idle(client: Any) -> None:
    """The client's own `close` would take the connections away from those who wait for a reply, too."""
    client.connection_pool.disconnect(inuse_connections=False)


def _rebuilt(url: str | None, prefix: str, hold_seconds: float, timeout: float) -> RedisState:
    return RedisState(url, prefix=prefix, hold_seconds=hold_seconds, timeout=timeout)


def _text(limit: int | None) -> int | str:
    return "" if limit is None else limit


def _balance(found: Sequence[bytes]) -> Balance:
    usd, tokens, held_usd, held_tokens = (int(number) for number in found)
    return Balance(usd, tokens, held_usd, held_tokens)
