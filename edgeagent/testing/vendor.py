"""A vendor that is reached over HTTP, as a provider that answers by itself: through a client of its own."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import cached_property
from typing import Any, Final

from edgeagent.effects import Scope
from edgeagent.providers.base import HTTPProvider
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest

__all__ = ["WholeVendor"]

_FORWARDED: Final = frozenset({"vendor", "cache_identity", "knows", "family", "capabilities", "literal_names"})


class WholeVendor:
    """Only async, so that whoever asks can stop waiting: a blocking client runs it on its own loop's thread.

    Args:
        provider: the vendor's.
    """

    def __init__(self, provider: HTTPProvider) -> None:
        self.name = provider.name
        self._provider = provider

    def __getattr__(self, name: str) -> Any:
        if name not in _FORWARDED:
            raise AttributeError(name)
        return getattr(self._provider, name)

    @cached_property
    def _client(self) -> Any:
        from edgeagent.client import AsyncEdgeClient

        return AsyncEdgeClient(providers=[self._provider], cache=False, retry=0)

    async def acomplete(self, request: ChatRequest) -> ChatCompletion:
        """The vendor's answer. Raises what the client raises."""
        engine, scope = self._client._engine.here(), Scope()
        flow = engine.pipeline.complete(self._asked(request), self._client.options, scope, prefers_async=True)
        answer: ChatCompletion = await engine.runtime.async_driver.run(flow, scope)
        return answer

    async def astream(self, request: ChatRequest) -> AsyncGenerator[ChatCompletionChunk, None]:
        """The vendor's answer in chunks. Raises what the client raises."""
        from edgeagent.resources.streams import AsyncStream

        engine, scope = self._client._engine.here(), Scope()
        flow = engine.pipeline.open_stream(self._asked(request), self._client.options, scope, prefers_async=True)
        driver = engine.runtime.async_driver
        try:
            stream = AsyncStream(await driver.step(flow, scope), driver, scope)
            async for chunk in stream:
                yield chunk
        finally:
            await driver.aclose(scope)

    def _asked(self, request: ChatRequest) -> ChatRequest:
        """As the client is to see it: addressed to its only provider."""
        return request.model_copy(update={"model": f"{self.name}/{request.model}"})

    def __repr__(self) -> str:
        return repr(self._provider)
