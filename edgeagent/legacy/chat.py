"""`openai.ChatCompletion`: what `create` and `acreate` of the class `edgeagent.ChatCompletion` do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any

from edgeagent.core.requests import KNOWN_PARAMETERS
from edgeagent.legacy.calls import Call, prepared
from edgeagent.legacy.faults import old_errors
from edgeagent.openai_object import OpenAIObject

if TYPE_CHECKING:
    from edgeagent.resources.streams import AsyncStream, Stream
    from edgeagent.types import ChatCompletionChunk

__all__ = ["acreate", "create"]

_IN_BODY = KNOWN_PARAMETERS - {"extra_headers", "extra_query"}


def create(arguments: dict[str, Any]) -> Any:
    """An `OpenAIObject`; with `stream=True` a generator of them. Raises `edgeagent.error.OpenAIError`."""
    with old_errors():
        call = prepared("ChatCompletion", arguments)
        answer = call.client.chat.completions.create(**_keywords(call))
    return _chunks(call, answer) if call.params.get("stream") else call.result(answer.to_dict(), answer.edge)


async def acreate(arguments: dict[str, Any]) -> Any:
    """The same, awaiting; with `stream=True` an async generator."""
    with old_errors():
        call = prepared("ChatCompletion", arguments)
        answer = await call.client.to_async().chat.completions.create(**_keywords(call))
    return _achunks(call, answer) if call.params.get("stream") else call.result(answer.to_dict(), answer.edge)


def _keywords(call: Call) -> dict[str, Any]:
    return {**call.keywords(_IN_BODY), "stream": bool(call.params.get("stream"))}


def _chunks(call: Call, stream: Stream[ChatCompletionChunk]) -> Generator[OpenAIObject, None, None]:
    with stream:
        while True:
            with old_errors():
                chunk = next(stream, None)
            if chunk is None:
                return
            yield call.result(_told(call, chunk), chunk.edge)


async def _achunks(call: Call, stream: AsyncStream[ChatCompletionChunk]) -> AsyncGenerator[OpenAIObject, None]:
    async with stream:
        while True:
            with old_errors():
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield call.result(_told(call, chunk), chunk.edge)


def _told(call: Call, chunk: ChatCompletionChunk) -> dict[str, Any]:
    """A chunk without the empty usage that it has because the pipeline asked for a stream's usage."""
    fields = chunk.to_dict()
    if fields.get("usage") is None and not call.params.get("stream_options"):
        fields.pop("usage", None)
    return fields
