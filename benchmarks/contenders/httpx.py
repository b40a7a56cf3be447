"""The bare call: what an application without any SDK would write. A stream is read line by line, unparsed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

import httpx

from benchmarks.workload import CHUNKS, MODEL, STREAMED

__all__ = ["Contender"]

_HEADERS = {"authorization": "Bearer none"}
_LINES = CHUNKS + 4
"""Of a whole stream: the role, the pieces, the finish reason, the usage, the end."""


def _body(messages: list[Any]) -> dict[str, Any]:
    return {"model": MODEL, "messages": messages}


def _stream_body(messages: list[Any]) -> dict[str, Any]:
    return {**_body(messages), "stream": True, "stream_options": {"include_usage": True}}


class Contender:
    def __init__(self, upstream: str, scratch: Path) -> None:
        self._url = f"{upstream}/v1/chat/completions"
        self._paced_url = f"{upstream}/paced/v1/chat/completions"

    @cached_property
    def _client(self) -> httpx.Client:
        return httpx.Client(headers=_HEADERS, timeout=600)

    @cached_property
    def _aclient(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(headers=_HEADERS, timeout=600)

    def miss(self, messages: list[Any]) -> Any:
        response = self._client.post(self._url, json=_body(messages))
        response.raise_for_status()
        return response.json()["choices"][0]["message"]["content"]

    async def amiss(self, messages: list[Any]) -> Any:
        response = await self._aclient.post(self._url, json=_body(messages))
        response.raise_for_status()
        return response.json()["choices"][0]["message"]["content"]

    def stream(self, messages: list[Any]) -> str:
        return self._read(self._url, messages)

    def paced(self, messages: list[Any]) -> str:
        return self._read(self._paced_url, messages)

    async def astream(self, messages: list[Any]) -> str:
        return await self._aread(self._url, messages)

    async def apaced(self, messages: list[Any]) -> str:
        return await self._aread(self._paced_url, messages)

    def _read(self, url: str, messages: list[Any]) -> str:
        with self._client.stream("POST", url, json=_stream_body(messages)) as response:
            lines = [line for line in response.iter_lines() if line]
        return STREAMED if len(lines) == _LINES else f"{len(lines)} lines"

    async def _aread(self, url: str, messages: list[Any]) -> str:
        async with self._aclient.stream("POST", url, json=_stream_body(messages)) as response:
            lines = [line async for line in response.aiter_lines() if line]
        return STREAMED if len(lines) == _LINES else f"{len(lines)} lines"
