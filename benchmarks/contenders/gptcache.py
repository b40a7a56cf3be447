"""GPTCache's store in front of the bare call: an exact match of the last message, in memory.

That is all it compares unless it is given an embedding model; its answer is a text, not a completion. It has no way for
code that awaits, and what it keeps on disk is read whole when it starts.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from gptcache import Cache
from gptcache.adapter.api import get, put
from gptcache.manager import get_data_manager
from gptcache.processor.pre import get_prompt

from benchmarks.workload import MODEL

__all__ = ["Contender"]

_HEADERS = {"authorization": "Bearer none"}


class Contender:
    def __init__(self, upstream: str, scratch: Path) -> None:
        self._url = f"{upstream}/v1/chat/completions"
        self._path = scratch / "gptcache.map"

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(headers=_HEADERS, timeout=600)

    @cached_property
    def _cache(self) -> Cache:
        cache = Cache()
        cache.init(pre_embedding_func=get_prompt, data_manager=get_data_manager(data_path=str(self._path)))
        return cache

    def memory(self, messages: list[Any]) -> Any:
        question = messages[-1]["content"]
        text = get(question, cache_obj=self._cache)
        if text is None:
            response = self._client.post(self._url, json={"model": MODEL, "messages": messages})
            response.raise_for_status()
            text = response.json()["choices"][0]["message"]["content"]
            put(question, text, cache_obj=self._cache)
        return text
