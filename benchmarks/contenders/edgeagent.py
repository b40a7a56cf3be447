"""edgeagent: an `EdgeClient` as it comes. Its cache is on, so a miss looks up, joins a flight and stores."""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.workload import MODEL, atext_of, text_of
from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.cache import Cache
from edgeagent.cache.memory import MemoryCache
from edgeagent.providers import OpenAI

__all__ = ["Contender"]

_STREAM: dict[str, Any] = {"model": MODEL, "stream": True, "stream_options": {"include_usage": True}}


class Contender:
    def __init__(self, upstream: str, scratch: Path) -> None:
        self._upstream = upstream
        self._scratch = scratch

    def _options(self, path: str = "") -> dict[str, Any]:
        return {"providers": [OpenAI(api_key="none", base_url=f"{self._upstream}{path}/v1")]}

    def _disk(self) -> Cache:
        """Memory with room for one answer, so that every hit is a disk hit and is promoted like any other."""
        return Cache(memory=MemoryCache(max_entries=1), disk=self._scratch / "edgeagent")

    @cached_property
    def _client(self) -> EdgeClient:
        return EdgeClient(**self._options())

    @cached_property
    def _aclient(self) -> AsyncEdgeClient:
        return AsyncEdgeClient(**self._options())

    @cached_property
    def _disk_client(self) -> EdgeClient:
        return EdgeClient(**self._options(), cache=self._disk())

    @cached_property
    def _disk_aclient(self) -> AsyncEdgeClient:
        return AsyncEdgeClient(**self._options(), cache=self._disk())

    def _redis(self) -> Cache:
        """The same with Redis in place of the disk."""
        return Cache(memory=MemoryCache(max_entries=1), redis=os.environ["BENCH_REDIS_URL"])

    @cached_property
    def _redis_client(self) -> EdgeClient:
        return EdgeClient(**self._options(), cache=self._redis())

    @cached_property
    def _redis_aclient(self) -> AsyncEdgeClient:
        return AsyncEdgeClient(**self._options(), cache=self._redis())

    @cached_property
    def _paced_client(self) -> EdgeClient:
        return EdgeClient(**self._options("/paced"))

    @cached_property
    def _paced_aclient(self) -> AsyncEdgeClient:
        return AsyncEdgeClient(**self._options("/paced"))

    def memory(self, messages: list[Any]) -> str | None:
        return self._client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content

    async def amemory(self, messages: list[Any]) -> str | None:
        return (await self._aclient.chat.completions.create(model=MODEL, messages=messages)).choices[0].message.content

    miss, amiss = memory, amemory

    def disk(self, messages: list[Any]) -> str | None:
        return self._disk_client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content

    async def adisk(self, messages: list[Any]) -> str | None:
        answer = await self._disk_aclient.chat.completions.create(model=MODEL, messages=messages)
        return answer.choices[0].message.content

    def redis(self, messages: list[Any]) -> str | None:
        return self._redis_client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content

    async def aredis(self, messages: list[Any]) -> str | None:
        answer = await self._redis_aclient.chat.completions.create(model=MODEL, messages=messages)
        return answer.choices[0].message.content

    def stream(self, messages: list[Any]) -> str:
        return text_of(self._client.chat.completions.create(messages=messages, **_STREAM))

    def paced(self, messages: list[Any]) -> str:
        return text_of(self._paced_client.chat.completions.create(messages=messages, **_STREAM))

    async def astream(self, messages: list[Any]) -> str:
        return await atext_of(await self._aclient.chat.completions.create(messages=messages, **_STREAM))

    async def apaced(self, messages: list[Any]) -> str:
        return await atext_of(await self._paced_aclient.chat.completions.create(messages=messages, **_STREAM))
