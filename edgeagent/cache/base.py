"""What a cache tier is: a store of bytes under keys."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from edgeagent.types.metadata import CacheTierName

__all__ = ["CacheTier"]


@runtime_checkable
class CacheTier(Protocol):
    """Get, put and delete bytes.

    A fault (full disk, lost connection) is raised as whatever the library raises: the core counts and logs it and goes
    on as after a miss. A tier that can block says so with `blocking`, and is then called through an effect.
    """

    name: CacheTierName
    blocking: bool

    def get(self, key: bytes, /) -> bytes | None:
        """The bytes under `key`, or None."""
        ...

    def put(self, key: bytes, value: bytes, /, ttl: float | None = None) -> None:
        """Store `value` under `key` for `ttl` seconds (None: as long as there is room)."""
        ...

    def delete(self, key: bytes, /) -> None:
        """Forget `key`; nothing happens if it is not there."""
        ...

    def clear(self) -> None:
        """Forget everything."""
        ...

    def close(self) -> None:
        """Give back files and connections. Idempotent."""
        ...
