"""A provider that answers what it was told to, and remembers what it was asked.

    fake = FakeProvider("Paris")                        # always this
    fake = FakeProvider(["Paris", RateLimitError("…")])  # in this order, then no more
    client = EdgeClient(providers=[fake])
    ...
    assert fake.requests[0].messages[-1]["content"] == "The capital of France?"

Nothing in it is random and nothing is read from a clock: ids count up from `chatcmpl-<name>-1`, `created` is 0, usage
is that of `edgeagent.testing.estimate` where an answer does not state its own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
)
from contextlib import aclosing
from typing import Any, TypeAlias

from pydantic import BaseModel

from edgeagent.errors import ConfigurationError
from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities
from edgeagent.testing import performing
from edgeagent.testing.vectors import vectors
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest, EmbeddingRequest

__all__ = ["Answer", "FakeProvider"]

Answer: TypeAlias = (
    str
    | Mapping[str, Any]
    | BaseModel
    | BaseException
    | Iterable[Any]
    | AsyncIterable[Any]
    | Callable[[ChatRequest], Any]
)
"""What a fake can be told to answer; see `FakeProvider`."""


class FakeProvider:
    """A provider for tests: in process, without network, thread-safe, sync and async, streaming or not.

    Args:
        answers: one answer, repeated for ever; or several, or one list of them, used once each, in the order in which
            the requests arrive. An answer is
            - text; a dict of a completion or of its message (`{"content": …}`, `{"tool_calls": […]}`; see
              `edgeagent.providers.answers.completion_from`); a `ChatCompletion`. Streamed, its text comes word by word.
            - an exception, raised (a copy each time).
            - an iterable of pieces (text, dicts of a delta, `ChatCompletionChunk`s, exceptions): streamed as they are,
              an exception raised in its place; joined for a call that does not stream. A generator can be used only
              once: wrap it in a function.
            - a function, sync or async, that is given the `ChatRequest` and returns any of these.
        name: the provider's name, unique within a client.
        models: the model names it is known to serve; it answers to any.
        vendor: its id in telemetry and in the price table; default: `name`.
        latency: seconds to wait before each answer (before the first chunk, when streaming).
        cache_identity: what stands for its credential in cache keys.
        capabilities: what it can do; default: everything.
        sleep: how a sync call waits; async calls wait by `anyio.sleep`.
        embeddings: a function that is given the `EmbeddingRequest` and returns one vector for each input (or a whole
            answer), or an exception; default: vectors of `DIMENSIONS` numbers (or of as many as are asked for) and of
            length 1, made of the text's hash, so that equal texts have equal vectors.

    Raises:
        ConfigurationError: no answer was given. Also from a call, when all answers have been used.
    """

    def __init__(
        self,
        *answers: Answer,
        name: str = "fake",
        models: Iterable[str] = (),
        vendor: str | None = None,
        latency: float = 0.0,
        cache_identity: str | None = "fake",
        capabilities: Capabilities = ALL_CAPABILITIES,
        sleep: Callable[[float], object] = time.sleep,
        embeddings: Callable[[EmbeddingRequest], Any] | BaseException | None = None,
    ) -> None:
        if len(answers) == 1 and isinstance(answers[0], list):
            answers, self._repeats = tuple(answers[0]), False
        else:
            self._repeats = len(answers) == 1 and not isinstance(answers[0], Iterator | AsyncIterator)
        if not answers:
            raise ConfigurationError(f"FakeProvider {name!r} needs at least one answer.")
        if any(isinstance(answer, type) for answer in answers):
            raise ConfigurationError(f"FakeProvider {name!r} answers with an exception object, not with its class.")
        self.name = name
        self.models = tuple(models)
        self.vendor = vendor or name
        self.latency = latency
        self.cache_identity = cache_identity
        self.requests: list[ChatRequest] = []
        """Every request so far, in the order of arrival."""
        self.embedding_requests: list[EmbeddingRequest] = []
        """Every embedding request so far, in the order of arrival."""
        self._embeddings = embeddings
        self._answers = answers
        self._capabilities = capabilities
        self._sleep = sleep
        self._lock = threading.Lock()

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return len(self.requests)

    def capabilities(self, model: str) -> Capabilities:
        """The same for every model."""
        return self._capabilities

    def complete(self, request: ChatRequest) -> ChatCompletion | Awaitable[ChatCompletion]:
        """Answer; an awaitable of the answer if it comes from an async function or an async iterable.

        Raises:
            ConfigurationError: all answers have been used.
            ResponseValidationError: what it was told to answer is no answer.
        """
        answer, answer_id = self._next(request)
        if self.latency:
            self._sleep(self.latency)
        answer = performing.evaluate(answer, request)
        if performing.is_async(answer):
            return performing.acomplete(answer, request, answer_id)
        return performing.complete(answer, request, answer_id)

    async def acomplete(self, request: ChatRequest) -> ChatCompletion:
        """Answer. Raises like `complete`."""
        answer, answer_id = self._next(request)
        await self._wait()
        return await performing.acomplete(performing.evaluate(answer, request), request, answer_id)

    def stream(self, request: ChatRequest) -> Iterator[ChatCompletionChunk] | AsyncIterator[ChatCompletionChunk]:
        """Answer in chunks; an async iterator where `complete` gives an awaitable. Raises like it."""
        answer, answer_id = self._next(request)
        if self.latency:
            self._sleep(self.latency)
        answer = performing.evaluate(answer, request)
        if performing.is_async(answer):
            return performing.astream(answer, request, answer_id)
        return performing.stream(answer, request, answer_id)

    async def astream(self, request: ChatRequest) -> AsyncGenerator[ChatCompletionChunk, None]:
        """Answer in chunks. Raises like `complete`."""
        answer, answer_id = self._next(request)
        await self._wait()
        async with aclosing(performing.astream(performing.evaluate(answer, request), request, answer_id)) as chunks:
            async for chunk in chunks:
                yield chunk

    def embed(self, request: EmbeddingRequest) -> Any:
        """Vectors, with an estimated usage."""
        self._note(request)
        if self.latency:
            self._sleep(self.latency)
        return vectors(self._embeddings, request)

    async def aembed(self, request: EmbeddingRequest) -> Any:
        """Vectors, with an estimated usage."""
        self._note(request)
        await self._wait()
        return vectors(self._embeddings, request)

    def _note(self, request: EmbeddingRequest) -> None:
        with self._lock:
            self.embedding_requests.append(request)

    def _next(self, request: ChatRequest) -> tuple[Answer, str]:
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
        if number > len(self._answers) and not self._repeats:
            given = len(self._answers)
            answers = "1 answer" if given == 1 else f"{given} answers"
            raise ConfigurationError(f"FakeProvider {self.name!r} was given {answers}; this is request {number}.")
        return self._answers[0 if self._repeats else number - 1], f"chatcmpl-{self.name}-{number}"

    async def _wait(self) -> None:
        if self.latency:
            import anyio

            await anyio.sleep(self.latency)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())

    def __repr__(self) -> str:
        return f"FakeProvider(name={self.name!r}, calls={self.calls})"
