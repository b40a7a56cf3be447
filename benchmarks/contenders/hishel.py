"""The bare call through hishel, an HTTP cache for httpx, in memory and on disk (SQLite).

hishel 2 keeps answers to GET and HEAD alone, so that it keeps no vendor's. What a hit of its costs is measured with a
GET that has the body; the body is the key.
"""

from __future__ import annotations

import sqlite3
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import anysqlite
import httpx
from hishel import AsyncSqliteStorage, SqliteStorage
from hishel.httpx import AsyncCacheTransport, CacheTransport

from benchmarks.workload import MODEL
from edgeagent.wire.json import dump_json

__all__ = ["Contender"]

_HEADERS = {"authorization": "Bearer none", "content-type": "application/json"}


class Contender:
    def __init__(self, upstream: str, scratch: Path) -> None:
        self._url = f"{upstream}/v1/chat/completions"
        self._path = scratch / "hishel.db"

    def _client(self, storage: SqliteStorage) -> httpx.Client:
        transport = CacheTransport(httpx.HTTPTransport(), storage=storage)
        return httpx.Client(headers=_HEADERS, timeout=600, transport=transport)

    def _aclient(self, storage: AsyncSqliteStorage) -> httpx.AsyncClient:
        transport = AsyncCacheTransport(httpx.AsyncHTTPTransport(), storage=storage)
        return httpx.AsyncClient(headers=_HEADERS, timeout=600, transport=transport)

    @cached_property
    def _memory(self) -> httpx.Client:
        return self._client(SqliteStorage(connection=sqlite3.connect(":memory:", check_same_thread=False)))

    @cached_property
    def _disk(self) -> httpx.Client:
        return self._client(SqliteStorage(database_path=self._path))

    @cached_property
    def _adisk(self) -> httpx.AsyncClient:
        return self._aclient(AsyncSqliteStorage(database_path=self._path))

    _amemory_client: httpx.AsyncClient | None = None

    def memory(self, messages: list[Any]) -> Any:
        return _read(self._memory.request("GET", self._url, **_asked(messages)))

    def disk(self, messages: list[Any]) -> Any:
        return _read(self._disk.request("GET", self._url, **_asked(messages)))

    async def amemory(self, messages: list[Any]) -> Any:
        if self._amemory_client is None:
            connection = await anysqlite.connect(":memory:")
            self._amemory_client = self._aclient(AsyncSqliteStorage(connection=connection))
        return _read(await self._amemory_client.request("GET", self._url, **_asked(messages)))

    async def adisk(self, messages: list[Any]) -> Any:
        return _read(await self._adisk.request("GET", self._url, **_asked(messages)))


def _asked(messages: list[Any]) -> dict[str, Any]:
    body = dump_json({"model": MODEL, "messages": messages})
    return {"content": body, "extensions": {"caching": {"key": sha256(body).hexdigest()}}}


def _read(response: httpx.Response) -> Any:
    response.raise_for_status()
    return response.json()["choices"][0]["message"]["content"]
