"""One way of asking for every test here: both vendors' adapters, from sync code and from two kinds of event loop."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from typing_extensions import Self

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.providers import Anthropic, OpenAI
from edgeagent.types import ChatCompletion, ChatCompletionChunk, CompletionUsage, ResponseMetadata
from tests.support.local_model import NAME, LlamaServer

WAYS = ("sync", "asyncio", "trio")


def openai(url: str, name: str = "openai") -> OpenAI:
    return OpenAI(base_url=f"{url}/v1", api_key="x", name=name)


def anthropic(url: str, name: str = "anthropic") -> Anthropic:
    return Anthropic(base_url=url, api_key="x", name=name)


VENDORS: dict[str, Callable[..., Any]] = {"openai": openai, "anthropic": anthropic}


@dataclass
class Streamed:
    """A stream that was read: to its end, or as far as was wanted."""

    chunks: list[ChatCompletionChunk]
    usage: CompletionUsage | None
    edge: ResponseMetadata

    @property
    def text(self) -> str:
        return "".join(choice.delta.content or "" for chunk in self.chunks for choice in chunk.choices)


class Asker:
    """A client of one kind, asked from plain code; an async client lives in an event loop in a thread of its own.

    llama.cpp's server promises to keep a connection after a stream and closes it all the same, so a call that follows
    may meet the closing one: what is not about attempts leaves the client its retries.
    """

    def __init__(self, way: str, providers: list[Any], **options: Any) -> None:
        self._exit = ExitStack()
        self._portal: BlockingPortal | None = None
        if way == "sync":
            self.client: Any = self._exit.enter_context(EdgeClient(providers=providers, **options))
        else:
            self._portal = self._exit.enter_context(start_blocking_portal(way))
            manager = self._portal.wrap_async_context_manager(AsyncEdgeClient(providers=providers, **options))
            self.client = self._exit.enter_context(manager)

    def create(self, text: str = "Say hi.", **params: Any) -> ChatCompletion:
        arguments = _arguments(text, params)
        if self._portal is None:
            return self.client.chat.completions.create(**arguments)

        async def ask() -> ChatCompletion:
            return await self.client.chat.completions.create(**arguments)

        return self._portal.call(ask)

    def stream(
        self,
        text: str = "Say hi.",
        *,
        take: int | None = None,
        at: Callable[[int], None] = lambda n: None,
        **params: Any,
    ) -> Streamed:
        """Read a stream; close it after `take` chunks; call `at` with the number of chunks after each."""
        arguments = {**_arguments(text, params), "stream": True}
        chunks: list[ChatCompletionChunk] = []
        if self._portal is None:
            stream = self.client.chat.completions.create(**arguments)
            for chunk in stream:
                chunks.append(chunk)
                at(len(chunks))
                if len(chunks) == take:
                    stream.close()
                    break
            return Streamed(chunks, stream.usage, stream.edge)

        async def ask() -> Streamed:
            stream = await self.client.chat.completions.create(**arguments)
            async for chunk in stream:
                chunks.append(chunk)
                at(len(chunks))
                if len(chunks) == take:
                    await stream.close()
                    break
            return Streamed(chunks, stream.usage, stream.edge)

        return self._portal.call(ask)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit.close()


def _arguments(text: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"model": NAME, "messages": [{"role": "user", "content": text}], **params}


def metric(server: LlamaServer, name: str) -> int:
    """One of the server's own counters."""
    found = re.search(rf"^llamacpp:{name} (\d+)", httpx.get(f"{server.url}/metrics").text, re.MULTILINE)
    assert found is not None
    return int(found[1])


def wait_until_idle(server: LlamaServer, seconds: float = 60.0) -> None:
    """Until the server works on nothing."""
    until = time.monotonic() + seconds
    while metric(server, "requests_processing") or metric(server, "requests_deferred"):
        assert time.monotonic() < until, "the server is still at work"
        time.sleep(0.02)
