"""Which tiers a client has: the value that `EdgeClient(cache=…)` takes.

A `Cache` is a description; it opens nothing. `tiers()` makes the tier objects, which open on first use.
"""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgeagent.cache.base import CacheTier
from edgeagent.cache.policy import CacheOptions
from edgeagent.cache.rules import CachePolicy
from edgeagent.errors import ConfigurationError

if TYPE_CHECKING:
    from edgeagent.cache.semantic import SemanticCache

__all__ = ["Cache", "user_cache_directory"]


@dataclass(frozen=True)
class Cache:
    """The cache tiers, asked in this order. Equal descriptions make equal tiers; it can be pickled if its tiers can.

    Attributes:
        memory: True, False, or a tier object (`MemoryCache(max_entries=…, max_bytes=…)`).
        disk: True for `user_cache_directory()`, False, a directory of its own, or a tier object.
        redis: True for the server that the environment variable `REDIS_URL` names, False, a URL (`redis://…`,
            `rediss://…`; not shown by repr), or a tier object.
        encryption: what is on disk and in Redis is encrypted: True with the key that the environment variable
            `EDGEAGENT_CACHE_KEY` holds, or with a key or several (see `EncryptedCache`; not shown by repr).
        semantic: a `SemanticCache`, asked last for the answer to a similar question; None: there is none.
        ttl: seconds that entries live in the tiers made here (a tier object has its own); None: while there is room.
        policy: defaults and rules of the cache controls: a `CachePolicy`, or a dict of its arguments.

    Raises:
        ConfigurationError: a value is none of these, or `ttl` is not positive.
    """

    memory: bool | CacheTier = True
    disk: bool | str | os.PathLike[str] | CacheTier = False
    redis: bool | str | CacheTier = field(default=False, repr=False)
    ttl: float | None = None
    encryption: bool | str | bytes | Sequence[str | bytes] = field(default=False, repr=False)
    semantic: SemanticCache | None = None
    policy: CachePolicy | Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.memory, bool | CacheTier):
            raise ConfigurationError(f"Cache(memory=…) is True, False or a tier object, not {_shown(self.memory)}.")
        if not isinstance(self.disk, bool | CacheTier) and not (_is_path(self.disk) and os.fspath(self.disk)):
            raise ConfigurationError(
                f"Cache(disk=…) is True, False, a directory or a tier object, not {_shown(self.disk)}."
            )
        if not isinstance(self.redis, bool | CacheTier) and not (isinstance(self.redis, str) and "://" in self.redis):
            raise ConfigurationError(
                "Cache(redis=…) is True, False, a URL (redis://…, rediss://…) or a tier object, not "
                f"{'this text' if isinstance(self.redis, str) else type(self.redis).__name__}."
            )
        if self.ttl is not None and (
            isinstance(self.ttl, bool) or not isinstance(self.ttl, int | float) or not 0 < self.ttl < inf
        ):
            raise ConfigurationError(f"Cache(ttl=…) is a positive number of seconds or None, not {self.ttl!r}.")
        if self.semantic is not None and not hasattr(self.semantic, "nearest"):
            raise ConfigurationError(f"Cache(semantic=…) is a SemanticCache(…) or None, not {_shown(self.semantic)}.")
        if not isinstance(self.encryption, bool):
            from edgeagent.cache.encrypted import parse_keys

            parse_keys(self.encryption)
        object.__setattr__(self, "policy", _policy(self.policy))

    @property
    def rules(self) -> CachePolicy | None:
        """The policy, if it says anything of some calls and not of others."""
        policy = self.policy
        assert policy is None or isinstance(policy, CachePolicy)
        return policy if policy is not None and policy.distinguishes else None

    def defaults(self, namespace: str | None) -> CacheOptions:
        """The options of a call that says nothing itself, for a client with this namespace."""
        assert self.policy is None or isinstance(self.policy, CachePolicy)
        return CacheOptions(namespace=namespace) if self.policy is None else self.policy.defaults(namespace)

    @classmethod
    def of(cls, value: object) -> Cache:
        """The `cache=…` of a client: True (memory), False or None (no tier), a directory (memory and disk), a `Cache`.

        Raises `ConfigurationError` for anything else.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, bool) or value is None:
            return cls(memory=bool(value))
        if isinstance(value, str | os.PathLike):
            return cls(disk=value)
        raise ConfigurationError(f"cache=… is True, False, a directory or a Cache(…), not {_shown(value)}.")

    def tiers(self) -> list[CacheTier]:
        """Fresh tier objects, or those that were given, from the nearest to the farthest."""
        made = (self._memory(), self._encrypted(self._disk()), self._encrypted(self._redis()))
        return [tier for tier in made if isinstance(tier, CacheTier)]

    def _memory(self) -> object:
        if self.memory is not True:
            return self.memory
        from edgeagent.cache.memory import MemoryCache

        return MemoryCache(ttl=self.ttl)

    def _disk(self) -> object:
        if self.disk is False or isinstance(self.disk, CacheTier):
            return self.disk
        from edgeagent.cache.disk import DiskCache

        return DiskCache(user_cache_directory() if self.disk is True else self.disk, ttl=self.ttl)

    def _redis(self) -> object:
        if self.redis is False or isinstance(self.redis, CacheTier):
            return self.redis
        from edgeagent.cache.redis import RedisCache

        return RedisCache(None if self.redis is True else self.redis, ttl=self.ttl)

    def _encrypted(self, tier: object) -> object:
        if self.encryption is False or not isinstance(tier, CacheTier):
            return tier
        from edgeagent.cache.encrypted import EncryptedCache

        return EncryptedCache(tier, None if self.encryption is True else self.encryption)

    def __getstate__(self) -> dict[str, Any]:
        for name in ("memory", "disk", "redis"):
            tier = getattr(self, name) if name != "redis" else self._redis()  # a URL may hold a password
            if isinstance(tier, CacheTier):
                _check_pickles(name, tier)
        if not isinstance(self.encryption, bool):
            raise ConfigurationError(
                "A Cache that was given encryption keys cannot be pickled: set EDGEAGENT_CACHE_KEY and encryption=True."
            )
        if self.semantic is not None:
            raise ConfigurationError("A Cache with a SemanticCache cannot be pickled: build the client in the worker.")
        return dict(self.__dict__)


def user_cache_directory(
    platform: str = sys.platform, environ: Mapping[str, str] = os.environ, home: Path | None = None
) -> Path:
    """Where `disk=True` is: the platform's place for a user's caches, and `edgeagent` in it.

    - Windows: `%LOCALAPPDATA%`, else `~\\AppData\\Local`.
    - macOS: `~/Library/Caches`.
    - elsewhere: `$XDG_CACHE_HOME` if it is absolute, else `~/.cache` (XDG Base Directory Specification).
    """
    home = home if home is not None else Path.home()
    if platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        given = environ.get("XDG_CACHE_HOME", "")
        base = Path(given) if given.startswith("/") else home / ".cache"
    return base / "edgeagent"


def _policy(value: object) -> CachePolicy | None:
    if value is None or isinstance(value, CachePolicy):
        return value
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f"Cache(policy=…) is a CachePolicy, a dict of its arguments or None, not {_shown(value)}."
        )
    try:
        return CachePolicy(**value)
    except TypeError as error:
        raise ConfigurationError(f"Cache(policy=…): {error}") from None


def _is_path(value: object) -> bool:
    return isinstance(value, str | os.PathLike)


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, bool | int | float | str) else type(value).__name__


def _check_pickles(name: str, tier: CacheTier) -> None:
    try:
        pickle.dumps(tier)
    except ConfigurationError:
        raise
    except Exception as error:
        raise ConfigurationError(
            f"Cache({name}=…) holds a {type(tier).__name__} that cannot be pickled; give True or a location, or make "
            f"the tier's class picklable."
        ) from error
