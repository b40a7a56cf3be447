"""`client.chat.completions`: openai's surface over the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal, overload

from edgeagent.config import edge_options, timeout_of
from edgeagent.core.requests import KNOWN_PARAMETERS, chat_request, given
from edgeagent.effects import Scope
from edgeagent.errors import ConfigurationError, RequestValidationError
from edgeagent.resources.streams import AsyncStream, Stream

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.call import CallOptions
    from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
    from edgeagent.types.params import ChatParams

__all__ = ["AsyncChat", "AsyncCompletions", "Chat", "Completions"]

_OPTIONS: Final = frozenset({"extra_headers", "extra_query", "extra_body", "timeout", "edge"})
_ACCEPTED: Final = (KNOWN_PARAMETERS | _OPTIONS) - {"stream"}


def _prepared(
    client: EdgeClient | AsyncEdgeClient, params: dict[str, Any], stream: object
) -> tuple[ChatRequest, CallOptions]:
    """The request and the options that one call's arguments mean.

    Raises:
        TypeError: an unknown argument.
        RequestValidationError: a missing or ill-typed one.
    """
    if not _ACCEPTED.issuperset(params):
        name = min(params.keys() - _ACCEPTED)
        raise TypeError(
            f"create() got an unexpected keyword argument {name!r}; a vendor's own parameters go into extra_body."
        )
    options, extra_body = client.options, None
    if client.default_headers or client.default_query or not _OPTIONS.isdisjoint(params):
        options, extra_body = _call_options(client, params)
    if stream:
        params["stream"] = True
    return chat_request(params, extra_body), options


def _call_options(client: EdgeClient | AsyncEdgeClient, params: dict[str, Any]) -> tuple[CallOptions, Any]:
    """Take the arguments that are no parameters out of `params`, and merge the client's headers and query into it."""
    options = client.options
    edge = params.pop("edge", None)
    if edge is not None:
        options = edge_options(options, edge)
    timeout = params.pop("timeout", None)
    if timeout is not None and given(timeout):
        options = _timed(options, timeout)
    for name, defaults in (("extra_headers", client.default_headers), ("extra_query", client.default_query)):
        if defaults or name in params:
            params[name] = _merged(name, defaults, params.get(name))
    return options, params.pop("extra_body", None)


def _timed(options: CallOptions, timeout: Any) -> CallOptions:
    from dataclasses import replace

    try:
        return replace(options, timeout=timeout_of(timeout))
    except ConfigurationError as error:
        raise RequestValidationError(str(error), param="timeout") from None


def _merged(name: str, defaults: Mapping[str, Any], own: Any) -> dict[str, Any] | None:
    """Defaults with a call's own values over them; a value that openai's `omit` stands for takes a default away."""
    if own is None or not given(own):
        own = {}
    if not isinstance(own, Mapping):
        raise RequestValidationError(f"{name}: must be a mapping.", param=name)
    left_out = {key for key, value in own.items() if not given(value)}
    merged = {**defaults, **own}
    return {key: value for key, value in merged.items() if key not in left_out} or None


class Completions:
    """`client.chat.completions`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @overload
    def create(self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]) -> ChatCompletion: ...

    @overload
    def create(self, *, stream: Literal[True], **params: Unpack[ChatParams]) -> Stream[ChatCompletionChunk]: ...

    @overload
    def create(self, *, stream: bool, **params: Unpack[ChatParams]) -> ChatCompletion | Stream[ChatCompletionChunk]: ...

    def create(self, *, stream: bool | None = None, **params: Any) -> ChatCompletion | Stream[ChatCompletionChunk]:
        """Ask for a completion, with openai's parameters and `edge={…}`.

        Returns:
            A `ChatCompletion`; with `stream=True` a `Stream` of chunks, once the first chunk with content is there.

        Raises:
            RequestValidationError: the request is wrong; `.param` names the field.
            NoTargetError: no configured provider can serve it.
            APIError: the provider's final error, as in the `openai` package; `.attempts` tells what was tried.
        """
        client = self._client
        stream = bool(stream) if given(stream) else False
        request, options = _prepared(client, params, stream)
        engine = client._engine.here()
        driver = engine.runtime.sync_driver
        scope = Scope()
        if not stream:
            return driver.run(engine.pipeline.complete(request, options, scope, prefers_async=False), scope)
        try:
            session = driver.step(engine.pipeline.open_stream(request, options, scope, prefers_async=False), scope)
        except BaseException:
            driver.close(scope)
            raise
        return Stream(session, driver, scope)


class AsyncCompletions:
    """`client.chat.completions` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @overload
    async def create(self, *, stream: Literal[False] | None = None, **params: Unpack[ChatParams]) -> ChatCompletion: ...

    @overload
    async def create(
        self, *, stream: Literal[True], **params: Unpack[ChatParams]
    ) -> AsyncStream[ChatCompletionChunk]: ...

    @overload
    async def create(
        self, *, stream: bool, **params: Unpack[ChatParams]
    ) -> ChatCompletion | AsyncStream[ChatCompletionChunk]: ...

    async def create(
        self, *, stream: bool | None = None, **params: Any
    ) -> ChatCompletion | AsyncStream[ChatCompletionChunk]:
        """Ask for a completion; see `Completions.create`."""
        client = self._client
        stream = bool(stream) if given(stream) else False
        request, options = _prepared(client, params, stream)
        engine = client._engine.here()
        driver = engine.runtime.async_driver
        scope = Scope()
        if not stream:
            return await driver.run(engine.pipeline.complete(request, options, scope, prefers_async=True), scope)
        try:
            session = await driver.step(engine.pipeline.open_stream(request, options, scope, prefers_async=True), scope)
        except BaseException:
            await driver.aclose(scope)
            raise
        return AsyncStream(session, driver, scope)


class Chat:
    """`client.chat`."""

    def __init__(self, client: EdgeClient) -> None:
        self._client = client

    @cached_property
    def completions(self) -> Completions:
        """Chat completions."""
        return Completions(self._client)


class AsyncChat:
    """`client.chat` of an async client."""

    def __init__(self, client: AsyncEdgeClient) -> None:
        self._client = client

    @cached_property
    def completions(self) -> AsyncCompletions:
        """Chat completions."""
        return AsyncCompletions(self._client)
