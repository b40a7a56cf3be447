"""The transport itself: two short ways, one blocking, one awaiting, around the same steps."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

from edgeagent.core.native import NativeAnswer
from edgeagent.effects import Scope
from edgeagent.errors import ConfigurationError
from edgeagent.resources.streams import AsyncStream, Stream
from edgeagent.transports.addressing import Addresses
from edgeagent.transports.answers import answer_body, answer_fields, stream_fields, vector_fields
from edgeagent.transports.counting import counted
from edgeagent.transports.faults import broken, refusal
from edgeagent.transports.fields import SHIELD_FIELD
from edgeagent.transports.heads import Heads
from edgeagent.transports.incoming import (
    Asked,
    AskedVectors,
    Incoming,
    NotUnderstoodError,
    embedding_understood,
    incoming,
    understood,
)
from edgeagent.transports.kinds import Kind, kind_of
from edgeagent.transports.listing import AskedModels, models_asked
from edgeagent.transports.passing import Passage
from edgeagent.transports.repeats import Repeats
from edgeagent.transports.streamed import AsyncStreamed, Streamed
from edgeagent.transports.wires import EMBEDDINGS, Route, why_unknown
from edgeagent.types import CreateEmbeddingResponse
from edgeagent.wire.json import dump_json

if TYPE_CHECKING:
    from typing_extensions import Self

    from edgeagent.client import AsyncEdgeClient, EdgeClient

__all__ = ["Transport", "transport"]


def transport(edge: EdgeClient | AsyncEdgeClient) -> Any:
    """A transport for httpx and httpx2 clients, sync and async, that runs their requests through `edge`.

    It is typed as anything, since it fits the `transport=` of two libraries and two kinds of client. The client is not
    closed with it.

    Raises:
        ConfigurationError: `edge` is no client of ours.
    """
    return Transport(edge)


class Transport:
    """Answers requests of httpx and httpx2, each in its own kind; see `transport`."""

    def __init__(self, edge: EdgeClient | AsyncEdgeClient) -> None:
        if not hasattr(edge, "_engine"):
            raise ConfigurationError(f"transport() takes an EdgeClient or AsyncEdgeClient, not {type(edge).__name__}.")
        self._edge = edge
        self._heads = Heads()
        self._addresses = Addresses()
        self._repeats = Repeats(edge._engine.runtime.clock)
        self._passage = Passage(edge._engine.settings.http_client)

    # blocking

    def handle_request(self, request: Any) -> Any:
        """Answer a request of a client that blocks."""
        kind, came = kind_of(request), incoming(self._heads, request)
        if "upgrade" in came.headers:
            return _no_upgrade(kind)
        route = came.route
        if route is None:
            return self._pass(kind, request, came, why_unknown(came.url))
        content = request.read()
        self._repeats.check(kind, request, came, content)
        try:
            if route.asks == "count":
                return _told(kind, counted(self._edge, self._addresses, came, route, content))
            if route.asks == "models":
                return self._list(kind, models_asked(self._edge, self._addresses, came, route))
            if route.wire == EMBEDDINGS:
                return self._embed(kind, embedding_understood(self._edge, self._addresses, came, route, content))
            asked = understood(self._edge, self._addresses, came, route, content)
            return self._stream(kind, asked) if asked.stream else self._answer(kind, asked)
        except NotUnderstoodError as error:
            return self._pass(kind, request, came, str(error))
        except Exception as error:
            return self._failed(kind, request, came, content, route, error)

    def _answer(self, kind: Kind, asked: Asked) -> Any:
        scope = Scope()
        driver = self._edge._engine.runtime.plain_drivers[0]
        flow = asked.pipeline.complete_natively(asked.request, asked.native, asked.options, scope, prefers_async=False)
        return _whole(kind, asked, driver.run(flow, scope))

    def _embed(self, kind: Kind, asked: AskedVectors) -> Any:
        scope = Scope()
        driver = self._edge._engine.runtime.plain_drivers[0]
        flow = asked.pipeline.create(asked.request, asked.options, scope, prefers_async=False)
        return _vectors(kind, driver.run(flow, scope))

    def _list(self, kind: Kind, asked: AskedModels) -> Any:
        scope = Scope()
        driver = self._edge._engine.runtime.plain_drivers[0]
        return _told(kind, asked.told(driver.run(asked.flow(scope, prefers_async=False), scope)))

    def _stream(self, kind: Kind, asked: Asked) -> Any:
        scope = Scope()
        driver = self._edge._engine.runtime.plain_drivers[0]
        flow = asked.pipeline.open_stream_natively(
            asked.request, asked.native, asked.options, scope, prefers_async=False
        )
        try:
            session = driver.step(flow, scope)
        except BaseException:
            driver.close(scope)
            raise
        framing = asked.route.framing()
        body = Streamed(kind, session, Stream(session, driver, scope), framing)
        return kind.streamed(200, stream_fields(asked, session, framing), body)

    def _pass(self, kind: Kind, request: Any, came: Incoming, reason: str) -> Any:
        if self._is_shielded(came):
            return _shielded(kind)
        targets = self._edge._engine.here().pipeline.targets
        return self._passage.send(kind, request, came, targets, reason)

    # awaiting

    async def handle_async_request(self, request: Any) -> Any:
        """Answer a request of a client that awaits."""
        kind, came = kind_of(request), incoming(self._heads, request)
        if "upgrade" in came.headers:
            return _no_upgrade(kind)
        route = came.route
        if route is None:
            return await self._apass(kind, request, came, why_unknown(came.url))
        content = await request.aread()
        self._repeats.check(kind, request, came, content)
        try:
            if route.asks == "count":
                return _told(kind, counted(self._edge, self._addresses, came, route, content))
            if route.asks == "models":
                return await self._alist(kind, models_asked(self._edge, self._addresses, came, route))
            if route.wire == EMBEDDINGS:
                vectors = embedding_understood(self._edge, self._addresses, came, route, content)
                return await self._aembed(kind, vectors)
            asked = understood(self._edge, self._addresses, came, route, content)
            return await (self._astream(kind, asked) if asked.stream else self._aanswer(kind, asked))
        except NotUnderstoodError as error:
            return await self._apass(kind, request, came, str(error))
        except Exception as error:
            return self._failed(kind, request, came, content, route, error)

    async def _aanswer(self, kind: Kind, asked: Asked) -> Any:
        scope = Scope()
        driver = self._edge._engine.runtime.plain_drivers[1]
        flow = asked.pipeline.complete_natively(asked.request, asked.native, asked.options, scope, prefers_async=True)
        return _whole(kind, asked, await driver.run(flow, scope))

    async def _aembed(self, kind: Kind, asked: AskedVectors) -> Any:
        scope = Scope()
        driver = self._edge._engine.runtime.plain_drivers[1]
        flow = asked.pipeline.create(asked.request, asked.options, scope, prefers_async=True)
        return _vectors(kind, await driver.run(flow, scope))

    async def _alist(self, kind: Kind, asked: AskedModels) -> Any:
        scope = Scope()
        driver = self._edge._engine.runtime.plain_drivers[1]
        return _told(kind, asked.told(await driver.run(asked.flow(scope, prefers_async=True), scope)))

    async def _astream(self, kind: Kind, asked: Asked) -> Any:
        scope = Scope()
        driver = self._edge._engine.runtime.plain_drivers[1]
        flow = asked.pipeline.open_stream_natively(
            asked.request, asked.native, asked.options, scope, prefers_async=True
        )
        try:
            session = await driver.step(flow, scope)
        except BaseException:
            await driver.aclose(scope)
            raise
        framing = asked.route.framing()
        body = AsyncStreamed(kind, session, AsyncStream(session, driver, scope), framing)
        return kind.streamed_async(200, stream_fields(asked, session, framing), body)

    async def _apass(self, kind: Kind, request: Any, came: Incoming, reason: str) -> Any:
        if self._is_shielded(came):
            return _shielded(kind)
        targets = self._edge._engine.here().pipeline.targets
        return await self._passage.asend(kind, request, came, targets, reason)

    # both

    def _is_shielded(self, came: Incoming) -> bool:
        """Whether a request must not be passed on as it is: what is in its body is not understood, and not masked.

        A field of its own may ask for a shield, whatever it says: who wrote it does not expect that nothing is masked.
        """
        shield = self._edge.options.shield
        shielded = SHIELD_FIELD in came.headers or (shield is not None and not shield.policy.dry_run)
        return shielded and came.method not in {"GET", "HEAD", "DELETE", "OPTIONS"}

    def _failed(self, kind: Kind, request: Any, came: Incoming, content: bytes, route: Route, error: Exception) -> Any:
        """The error as a response, or raised as the HTTP library's own."""
        fault = broken(error)
        if fault is not None:
            self._repeats.remember(came, content, fault)
            raise kind.fault(*fault, request) from error
        answer = refusal(error, route)
        return kind.response(answer.status_code, answer.headers.fields, answer.content)

    def close(self) -> None:
        """Nothing is held here; the client is closed by whoever made it."""

    async def aclose(self) -> None:
        """The same."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"transport({self._edge!r})"


def _whole(kind: Kind, asked: Asked, answer: NativeAnswer) -> Any:
    fields, body = answer_fields(asked.native, answer), answer_body(asked.native, answer)
    return kind.response(200, fields, body, recurs=answer.completion.edge.cached)


def _told(kind: Kind, answer: tuple[list[tuple[str, str]], bytes]) -> Any:
    return kind.response(200, *answer)


def _vectors(kind: Kind, answer: CreateEmbeddingResponse) -> Any:
    return kind.response(200, vector_fields(answer), answer.model_dump_json(exclude_unset=True).encode())


def _shielded(kind: Kind) -> Any:
    message = (
        "This client has a shield, which cannot read requests of this kind: nothing was sent. "
        "Make a client without a shield for them."
    )
    error = {"message": message, "type": "permission_error", "param": None, "code": "shield_blocked"}
    return kind.response(403, [("content-type", "application/json")], dump_json({"error": error}))


def _no_upgrade(kind: Kind) -> Any:
    message = "edgeagent's transport answers HTTP requests; it has no WebSocket connections."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "no_upgrade"}
    fields = [("content-type", "application/json"), ("x-should-retry", "false")]
    return kind.response(501, fields, dump_json({"error": error}))
