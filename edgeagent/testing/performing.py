"""What a fake was told to answer → a completion or chunks.

The sync and the async functions differ in how they wait for the answer, not in what they make of it.
"""

from __future__ import annotations

import copy
import re
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Iterator, Mapping
from contextlib import aclosing, closing, nullcontext
from inspect import isawaitable
from typing import Any

from pydantic import BaseModel

from edgeagent.providers.answers import chunk_from, completion_from
from edgeagent.testing.estimate import chunk_characters, completion_characters, usage_of
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble, to_chunks

__all__ = ["acomplete", "astream", "complete", "evaluate", "is_async", "raise_exception", "stream"]


def evaluate(answer: Any, request: ChatRequest) -> Any:
    """The answer itself: of a function what it returns for `request`, which may be awaitable."""
    return answer(request) if callable(answer) else answer


def is_async(answer: Any) -> bool:
    """Whether the answer has to be waited for."""
    return isawaitable(answer) or isinstance(answer, AsyncIterable)


def complete(answer: Any, request: ChatRequest, id: str) -> ChatCompletion:
    """An answer that is at hand → a completion with usage."""
    raise_exception(answer)
    if _is_pieces(answer):
        return assemble(stream(answer, request, id))
    completion = completion_from(answer, request=request, id=id)
    if completion.usage is None:
        completion.usage = usage_of(request, completion_characters(completion))
    return completion


async def acomplete(answer: Any, request: ChatRequest, id: str) -> ChatCompletion:
    """Any answer → a completion with usage."""
    answer = await _settled(answer)
    if isinstance(answer, AsyncIterable):
        return assemble([chunk async for chunk in astream(answer, request, id)])
    return complete(answer, request, id)


def stream(answer: Any, request: ChatRequest, id: str) -> Generator[ChatCompletionChunk, None, None]:
    """An answer that is at hand → chunks, the last one with usage."""
    if isinstance(answer, BaseException) or not _is_pieces(answer):
        yield from _word_by_word(complete(answer, request, id))
        return
    performance = _Performance(request, id)
    with closing(answer) if isinstance(answer, Generator) else nullcontext():
        for piece in answer:
            yield performance.chunk(piece)
    yield from performance.rest()


async def astream(answer: Any, request: ChatRequest, id: str) -> AsyncGenerator[ChatCompletionChunk, None]:
    """Any answer → chunks, the last one with usage."""
    answer = await _settled(answer)
    if not isinstance(answer, AsyncIterable):
        for chunk in stream(answer, request, id):
            yield chunk
        return
    performance = _Performance(request, id)
    async with aclosing(answer) if isinstance(answer, AsyncGenerator) else nullcontext():
        async for piece in answer:
            yield performance.chunk(piece)
    for chunk in performance.rest():
        yield chunk


class _Performance:
    """One streamed answer that is given in pieces: each piece as it is, then what no piece said."""

    def __init__(self, request: ChatRequest, id: str) -> None:
        self._request = request
        self._id = id
        self._characters = 0
        self._reason: str | None = "stop"
        self._has_usage = False

    def chunk(self, piece: Any) -> ChatCompletionChunk:
        raise_exception(piece)
        chunk = chunk_from(piece, request=self._request, id=self._id)
        self._characters += chunk_characters(chunk)
        self._has_usage |= chunk.usage is not None
        for choice in chunk.choices:
            if choice.finish_reason is not None:
                self._reason = None
            elif choice.delta.tool_calls and self._reason:
                self._reason = "tool_calls"
        return chunk

    def rest(self) -> Iterator[ChatCompletionChunk]:
        if self._reason:
            yield chunk_from({"finish_reason": self._reason}, request=self._request, id=self._id)
        if not self._has_usage:
            usage = usage_of(self._request, self._characters)
            yield chunk_from({"usage": usage}, request=self._request, id=self._id)


async def _settled(answer: Any) -> Any:
    return await answer if isawaitable(answer) else answer


def _is_pieces(answer: Any) -> bool:
    return isinstance(answer, Iterable) and not isinstance(answer, str | bytes | bytearray | Mapping | BaseModel)


def _word_by_word(completion: ChatCompletion) -> Iterator[ChatCompletionChunk]:
    for chunk in to_chunks(completion):
        text = chunk.choices[0].delta.content if chunk.choices else None
        first, *more = re.split(r"(?<=\s)(?=\S)", text or "")
        if more:
            chunk.choices[0].delta.content = first
        yield chunk
        for word in more:
            piece = {"index": chunk.choices[0].index, "delta": {"content": word}}
            yield ChatCompletionChunk.model_validate(
                {"id": chunk.id, "created": chunk.created, "model": chunk.model, "choices": [piece]}
            )


def raise_exception(answer: Any) -> None:
    """Raise an answer that is an exception: a copy, since each call adds its own traceback and story to it."""
    if not isinstance(answer, BaseException):
        return
    try:
        error = copy.copy(answer)
    except Exception:  # noqa: BLE001  # a constructor of its own kind; better shared than replaced by another error
        raise answer from answer.__cause__
    raise error from answer.__cause__
