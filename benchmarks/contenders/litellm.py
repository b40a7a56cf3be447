"""litellm as it comes, offline: its own price table, no telemetry; its cache only where a hit is measured.

Its disk cache is gone, so that only its memory and its Redis are measured.
"""

from __future__ import annotations

import os
from functools import cached_property
from pathlib import Path
from typing import Any

import litellm
from litellm.caching.caching import Cache

from benchmarks.workload import MODEL, atext_of, text_of

__all__ = ["Contender"]

TTL = 24 * 3600.0
"""Of its entries, in seconds: a minute unless it is told, which is less than a run lasts."""

litellm.telemetry = False
litellm.suppress_debug_info = True


class Contender:
    def __init__(self, upstream: str, scratch: Path) -> None:
        self._request: dict[str, Any] = {
            "model": f"openai/{MODEL}",
            "api_base": f"{upstream}/v1",
            "api_key": "none",
            "max_retries": 0,
        }
        self._stream = {**self._request, "stream": True, "stream_options": {"include_usage": True}}
        self._paced = {**self._stream, "api_base": f"{upstream}/paced/v1"}

    @cached_property
    def _memory(self) -> Cache:
        return Cache(type="local", ttl=TTL)

    def memory(self, messages: list[Any]) -> Any:
        litellm.cache = self._memory
        return litellm.completion(messages=messages, caching=True, **self._request).choices[0].message.content

    async def amemory(self, messages: list[Any]) -> Any:
        litellm.cache = self._memory
        answer = await litellm.acompletion(messages=messages, caching=True, **self._request)
        return answer.choices[0].message.content

    @cached_property
    def _redis(self) -> Cache:
        host, _, port = os.environ["BENCH_REDIS_URL"].removeprefix("redis://").removesuffix("/0").partition(":")
        return Cache(type="redis", host=host, port=port, ttl=TTL)

    def redis(self, messages: list[Any]) -> Any:
        litellm.cache = self._redis
        return litellm.completion(messages=messages, caching=True, **self._request).choices[0].message.content

    async def aredis(self, messages: list[Any]) -> Any:
        litellm.cache = self._redis
        answer = await litellm.acompletion(messages=messages, caching=True, **self._request)
        return answer.choices[0].message.content

    def miss(self, messages: list[Any]) -> Any:
        litellm.cache = None
        return litellm.completion(messages=messages, **self._request).choices[0].message.content

    async def amiss(self, messages: list[Any]) -> Any:
        litellm.cache = None
        return (await litellm.acompletion(messages=messages, **self._request)).choices[0].message.content

    def stream(self, messages: list[Any]) -> str:
        litellm.cache = None
        return text_of(litellm.completion(messages=messages, **self._stream))

    def paced(self, messages: list[Any]) -> str:
        litellm.cache = None
        return text_of(litellm.completion(messages=messages, **self._paced))

    async def astream(self, messages: list[Any]) -> str:
        litellm.cache = None
        return await atext_of(await litellm.acompletion(messages=messages, **self._stream))

    async def apaced(self, messages: list[Any]) -> str:
        litellm.cache = None
        return await atext_of(await litellm.acompletion(messages=messages, **self._paced))
