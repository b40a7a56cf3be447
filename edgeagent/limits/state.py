"""What a client's `state=` accepts: where its budgets and limits are kept."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any

from edgeagent.errors import ConfigurationError
from edgeagent.limits.accounts import Accounts, MemoryAccounts
from edgeagent.limits.meters import MemoryMeters, Meters

__all__ = ["state_of"]

_SERVERS = ("redis://", "rediss://", "unix://", "valkey://", "valkeys://")


def state_of(state: Any, clock: Callable[[], float], wall: Callable[[], float]) -> tuple[Accounts, Meters]:
    """The accounts of budgets and the meters of limits.

    None: both in memory. A path: budgets in a SQLite file, limits in memory. A server's URL: both there. An object:
    what it is (`Accounts`, `Meters`, or both), the rest in memory.

    Raises:
        ConfigurationError: it is none of these.
    """
    if isinstance(state, str) and state.startswith(_SERVERS):
        from edgeagent.limits.redis import RedisState

        state = RedisState(state)
    elif isinstance(state, (str, PathLike)):
        from edgeagent.limits.sqlite import SQLiteAccounts

        if not str(state):
            raise ConfigurationError("state= is an empty text: give a path, a server's URL, or None.")
        state = SQLiteAccounts(str(state), wall=wall)
    accounts = state if isinstance(state, Accounts) else None
    meters = state if isinstance(state, Meters) else None
    if state is not None and accounts is None and meters is None:
        raise ConfigurationError(
            "state= is None (memory), the path of a file, a redis:// URL, or an object that keeps accounts or meters."
        )
    return accounts or MemoryAccounts(), meters or MemoryMeters(clock)
