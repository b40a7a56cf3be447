"""`EdgeClient` and `AsyncEdgeClient`: what can be called on them, and their lifetime.

Both are thin: settings become one shared `Engine` (pipeline and runtime), and a client is a view of it with defaults
for its calls. `with_options`, `to_async` and `to_sync` give other views of the same engine.
"""

from __future__ import annotations

from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from edgeagent.budgets import AsyncBudgets, Budgets

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeagent.core.explaining import Plan
    from edgeagent.resources.async_responses import AsyncResponses
    from edgeagent.resources.beta import AsyncBeta, Beta
    from edgeagent.resources.cache import AsyncCacheControl, CacheControl
    from edgeagent.resources.chat import AsyncChat, Chat
    from edgeagent.resources.models import AsyncModels, Models
    from edgeagent.resources.operations import (
        AsyncEmbeddings,
        AsyncModerations,
        AsyncRerank,
        Embeddings,
        Moderations,
        Rerank,
    )
    from edgeagent.resources.raw_client import (
        AsyncClientWithRawResponse,
        AsyncClientWithStreamingResponse,
        ClientWithRawResponse,
        ClientWithStreamingResponse,
    )
    from edgeagent.resources.responses import Responses
from edgeagent.base_client import BaseClient

__all__ = ["AsyncEdgeClient", "EdgeClient"]


class EdgeClient(Budgets, BaseClient):
    """The gateway, for code that blocks.

    Thread-safe: one client may be shared by any number of threads, and it works inside a running event loop. Its
    arguments are those of `edgeagent.base_client.BaseClient`, which says what each means.
    """

    @cached_property
    def chat(self) -> Chat:
        """Chat completions."""
        from edgeagent.resources.chat import Chat

        return Chat(self)

    @cached_property
    def cache(self) -> CacheControl:
        """What the cache holds: clear, stats, peek, export, import."""
        from edgeagent.resources.cache import CacheControl

        return CacheControl(self)

    @cached_property
    def embeddings(self) -> Embeddings:
        """Vectors of texts."""
        from edgeagent.resources.operations import Embeddings

        return Embeddings(self)

    @cached_property
    def rerank(self) -> Rerank:
        """Documents, ordered by how well they answer a query."""
        from edgeagent.resources.operations import Rerank

        return Rerank(self)

    @cached_property
    def moderations(self) -> Moderations:
        """Texts, judged."""
        from edgeagent.resources.operations import Moderations

        return Moderations(self)

    @cached_property
    def models(self) -> Models:
        """What models the providers have."""
        from edgeagent.resources.models import Models

        return Models(self)

    @cached_property
    def responses(self) -> Responses:
        """The Responses API."""
        from edgeagent.resources.responses import Responses

        return Responses(self)

    @property
    def beta(self) -> Beta:
        """`client.beta.chat`, as older code calls `client.chat`."""
        from edgeagent.resources.beta import Beta

        return Beta(self)

    @property
    def with_raw_response(self) -> ClientWithRawResponse:
        """The same client, each of whose calls gives the HTTP response."""
        from edgeagent.resources.raw_client import ClientWithRawResponse

        return ClientWithRawResponse(self)

    @property
    def with_streaming_response(self) -> ClientWithStreamingResponse:
        """The same client, each of whose calls gives a context manager over the HTTP response."""
        from edgeagent.resources.raw_client import ClientWithStreamingResponse

        return ClientWithStreamingResponse(self)

    def explain(self, **params: Any) -> Plan:
        """Which targets a chat call with these arguments would ask, in which order, and why; nobody is asked.

        Raises like `chat.completions.create`, except where no target can serve the request: that is in the plan.
        """
        from edgeagent.resources.explaining import explained

        return explained(self, params)

    def probe(self, *models: str, timeout: float = 10.0) -> dict[str, Exception | None]:
        """Ask each target for one word, and learn of it: breakers close and open, latencies are measured.

        It costs what such a call costs, and has this client's tags and `probe`. No cache answers, nothing is tried
        again or elsewhere.

        Args:
            *models: names, groups among them; default: all groups of `models=`, and whatever was ever asked.
            timeout: seconds for each; one that is held back is waited for, and not asked if that takes longer.

        Returns:
            By `"provider/model"` what was raised, None where it answered. `health()` then tells more.

        Raises:
            NoTargetError: a name means nobody.
        """
        from edgeagent.resources.probing import probed

        return probed(self, models, timeout)

    def to_async(self) -> AsyncEdgeClient:
        """The async kind of this client; shares everything but connections."""
        return self._view(AsyncEdgeClient)

    def flush(self, timeout: float | None = None) -> bool:
        """Wait until the cache writes that were under way are done; False if `timeout` seconds were not enough."""
        return self._engine.here().runtime.flush(timeout)

    def close(self) -> None:
        """Flush the cache, then give back connections, threads and files. Idempotent; views share the end.

        A call that comes afterwards opens them again.
        """
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncEdgeClient(AsyncBudgets, BaseClient):
    """The gateway, for code that awaits: asyncio or trio, any number of tasks and event loops.

    Its arguments are those of `edgeagent.base_client.BaseClient`, which says what each means.
    """

    @cached_property
    def chat(self) -> AsyncChat:
        """Chat completions."""
        from edgeagent.resources.chat import AsyncChat

        return AsyncChat(self)

    @cached_property
    def cache(self) -> AsyncCacheControl:
        """What the cache holds: clear, stats, peek, export, import."""
        from edgeagent.resources.cache import AsyncCacheControl

        return AsyncCacheControl(self)

    @cached_property
    def embeddings(self) -> AsyncEmbeddings:
        """Vectors of texts."""
        from edgeagent.resources.operations import AsyncEmbeddings

        return AsyncEmbeddings(self)

    @cached_property
    def rerank(self) -> AsyncRerank:
        """Documents, ordered by how well they answer a query."""
        from edgeagent.resources.operations import AsyncRerank

        return AsyncRerank(self)

    @cached_property
    def moderations(self) -> AsyncModerations:
        """Texts, judged."""
        from edgeagent.resources.operations import AsyncModerations

        return AsyncModerations(self)

    @cached_property
    def models(self) -> AsyncModels:
        """What models the providers have."""
        from edgeagent.resources.models import AsyncModels

        return AsyncModels(self)

    @cached_property
    def responses(self) -> AsyncResponses:
        """The Responses API."""
        from edgeagent.resources.async_responses import AsyncResponses

        return AsyncResponses(self)

    @property
    def beta(self) -> AsyncBeta:
        """`client.beta.chat`, as older code calls `client.chat`."""
        from edgeagent.resources.beta import AsyncBeta

        return AsyncBeta(self)

    @property
    def with_raw_response(self) -> AsyncClientWithRawResponse:
        """The same client, each of whose calls gives the HTTP response."""
        from edgeagent.resources.raw_client import AsyncClientWithRawResponse

        return AsyncClientWithRawResponse(self)

    @property
    def with_streaming_response(self) -> AsyncClientWithStreamingResponse:
        """The same client, each of whose calls gives a context manager over the HTTP response."""
        from edgeagent.resources.raw_client import AsyncClientWithStreamingResponse

        return AsyncClientWithStreamingResponse(self)

    async def explain(self, **params: Any) -> Plan:
        """Which targets a chat call would ask; see `EdgeClient.explain`."""
        from edgeagent.resources.explaining import explained

        return explained(self, params)

    async def probe(self, *models: str, timeout: float = 10.0) -> dict[str, Exception | None]:
        """Ask each target for one word; see `EdgeClient.probe`."""
        from edgeagent.resources.probing import aprobed

        return await aprobed(self, models, timeout)

    def to_sync(self) -> EdgeClient:
        """The blocking kind of this client; shares everything but connections."""
        return self._view(EdgeClient)

    async def flush(self, timeout: float | None = None) -> bool:
        """Wait until the cache writes that were under way are done; False if `timeout` seconds were not enough."""
        return await self._engine.here().runtime.aflush(timeout)

    async def close(self) -> None:
        """Flush the cache, then give back connections, threads and files. Idempotent; views share the end.

        A call that comes afterwards opens them again.
        """
        await self._engine.aclose()

    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
