"""Tiers, keys, entries and policy of the response cache."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from edgeagent.cache.base import Awaits, Batches, CacheTier, Grant, Leases, Listing, Put
    from edgeagent.cache.disk import DiskCache
    from edgeagent.cache.encrypted import EncryptedCache
    from edgeagent.cache.memory import MemoryCache, MemoryStats
    from edgeagent.cache.policy import CacheOptions
    from edgeagent.cache.redis import RedisCache
    from edgeagent.cache.rules import CachePolicy
    from edgeagent.cache.semantic import ClientEmbedder, Embedder, SemanticCache
    from edgeagent.cache.tiers import Cache

__all__ = [
    "Awaits",
    "Batches",
    "Cache",
    "CacheOptions",
    "CachePolicy",
    "CacheTier",
    "ClientEmbedder",
    "DiskCache",
    "Embedder",
    "EncryptedCache",
    "Grant",
    "Leases",
    "Listing",
    "MemoryCache",
    "MemoryStats",
    "Put",
    "RedisCache",
    "SemanticCache",
]

_HOME: Final = {
    "Awaits": "base",
    "Batches": "base",
    "Cache": "tiers",
    "CacheOptions": "policy",
    "CachePolicy": "rules",
    "CacheTier": "base",
    "ClientEmbedder": "semantic",
    "DiskCache": "disk",
    "Embedder": "semantic",
    "EncryptedCache": "encrypted",
    "Grant": "base",
    "Leases": "base",
    "Listing": "base",
    "MemoryCache": "memory",
    "MemoryStats": "memory",
    "Put": "base",
    "RedisCache": "redis",
    "SemanticCache": "semantic",
}
"""Public names and the modules they are loaded from when they are first asked for."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
