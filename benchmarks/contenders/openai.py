"""The `openai` SDK as it comes, without retries (nothing fails here)."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import openai

from benchmarks.workload import MODEL, atext_of, text_of

__all__ = ["Contender"]

_STREAM: dict[str, Any] = {"model": MODEL, "stream": True, "stream_options": {"include_usage": True}}


class Contender:
    def __init__(self, upstream: str, scratch: Path) -> None:
        self._upstream = upstream

    def _options(self, path: str = "") -> dict[str, Any]:
        return {"api_key": "none", "base_url": f"{self._upstream}{path}/v1", "max_retries": 0}

    @cached_property
    def _client(self) -> openai.OpenAI:
        return openai.OpenAI(**self._options())

    @cached_property
    def _aclient(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(**self._options())

    @cached_property
    def _paced_client(self) -> openai.OpenAI:
        return openai.OpenAI(**self._options("/paced"))

    @cached_property
    def _paced_aclient(self) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(**self._options("/paced"))

    def miss(self, messages: list[Any]) -> str | None:
        return self._client.chat.completions.create(model=MODEL, messages=messages).choices[0].message.content

    async def amiss(self, messages: list[Any]) -> str | None:
        return (await self._aclient.chat.completions.create(model=MODEL, messages=messages)).choices[0].message.content

    def stream(self, messages: list[Any]) -> str:
        return text_of(self._client.chat.completions.create(messages=messages, **_STREAM))

    def paced(self, messages: list[Any]) -> str:
        return text_of(self._paced_client.chat.completions.create(messages=messages, **_STREAM))

    async def astream(self, messages: list[Any]) -> str:
        return await atext_of(await self._aclient.chat.completions.create(messages=messages, **_STREAM))

    async def apaced(self, messages: list[Any]) -> str:
        return await atext_of(await self._paced_aclient.chat.completions.create(messages=messages, **_STREAM))
