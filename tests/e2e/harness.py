"""One scenario for all kinds of client: blocking, on asyncio, on trio; and vendors made of a few bytes on loopback.

A scenario is an `async def`. For the blocking client it is run straight through, without any event loop: what it awaits
never waits. So each behaviour is written once, and no twin can fall behind.
"""

from __future__ import annotations

import inspect
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ClassVar

import anyio
from typing_extensions import Self

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.providers import OpenAI
from edgeagent.providers.anthropic import Anthropic
from tests.support.loopback import HANG_UP, Loopback, Request, chunk, head, reply

KINDS = ("sync", "asyncio", "trio")
KEY = "sk-a-secret-that-must-never-be-seen"
PROMPT = "What is the capital of France?"


def run(kind: str, scenario: Callable[[], Awaitable[Any]]) -> Any:
    """Run a scenario with the clients of one kind."""
    if kind != "sync":
        return anyio.run(scenario, backend=kind)
    running = scenario()
    assert inspect.iscoroutine(running)
    try:
        running.send(None)
    except StopIteration as end:
        return end.value
    running.close()
    raise AssertionError("a blocking scenario awaited something that waits")


async def settled(value: Any) -> Any:
    """What a blocking call gave, or what an async one gives."""
    return await value if inspect.isawaitable(value) else value


class Gate:
    """A client of any kind under one awaiting surface. Nothing sleeps between attempts: `slept` is what would be."""

    def __init__(self, kind: str, providers: Iterable[Any], **options: Any) -> None:
        self.kind = kind
        maker = EdgeClient if kind == "sync" else AsyncEdgeClient
        self.adopt(maker(providers=list(providers), **options))

    def adopt(self, client: Any) -> None:
        self.client = client
        self.slept: list[float] = []
        runtime = client._engine.runtime
        runtime.sync_driver._sleep = self.slept.append
        runtime.async_driver._sleep = self._sleep

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    async def create(self, prompt: str = PROMPT, **params: Any) -> Any:
        """A call; with stream=True a `Flow`."""
        params = {"messages": [{"role": "user", "content": prompt}], **params}
        made = await settled(self.client.chat.completions.create(**params))
        return Streamed(made) if params.get("stream") else made

    async def stream(self, prompt: str = PROMPT, **params: Any) -> Streamed:
        """A streamed call whose first content is there."""
        streamed = await self.create(prompt, **params, stream=True)
        assert isinstance(streamed, Streamed)
        return streamed

    async def chunks(self, prompt: str = PROMPT, **params: Any) -> list[Any]:
        """A streamed call, to its end."""
        return [piece async for piece in await self.stream(prompt, **params)]

    async def together(self, count: int, call: Callable[[], Awaitable[Any]]) -> list[Any]:
        """So many calls at once, in threads or tasks: what each gave or raised."""
        return await together(self.kind, [call] * count)

    async def pause(self, seconds: float) -> None:
        """Let a moment pass for everyone else."""
        if self.kind == "sync":
            threading.Event().wait(seconds)
        else:
            await anyio.sleep(seconds)

    async def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> None:
        """Wait until something outside has happened."""
        for _ in range(int(seconds / 0.005)):
            if condition():
                return
            await self.pause(0.005)
        raise AssertionError("it has not happened")

    async def flush(self, seconds: float = 60) -> bool:
        """Whether the background has nothing to do any more, in time."""
        return bool(await settled(self.client.flush(seconds)))

    async def close(self) -> None:
        await settled(self.client.close())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


async def together(kind: str, calls: Sequence[Callable[[], Awaitable[Any]]]) -> list[Any]:
    """Calls at once, in threads or tasks: what each gave or raised, in their order."""
    if kind == "sync":
        with ThreadPoolExecutor(len(calls)) as pool:
            return [f.result(60) for f in [pool.submit(run, "sync", partial(outcome, call)) for call in calls]]
    outcomes: list[Any] = [None] * len(calls)

    async def one(place: int) -> None:
        outcomes[place] = await outcome(calls[place])

    async with anyio.create_task_group() as group:
        for place in range(len(calls)):
            group.start_soon(one, place)
    return outcomes


def at_once(case: Callable[..., Awaitable[None]], table: Iterable[tuple[Any, ...]] = ((),)) -> None:
    """A case that takes time, with every kind of client and for every row of a table at once.

    So the test takes no longer than one of them.
    """
    rows = list(table)
    with ThreadPoolExecutor(len(KINDS)) as pool:
        made = [
            pool.submit(run, kind, partial(together, kind, [partial(case, kind, *row) for row in rows]))
            for kind in KINDS
        ]
    outcomes = [
        (kind, row, error)
        for kind, job in zip(KINDS, made, strict=True)
        for row, error in zip(rows, job.result(), strict=True)
    ]
    failed = [(kind, *row, error) for kind, row, error in outcomes if error is not None]
    for *which, error in failed:
        raise AssertionError(f"{len(failed)} of {len(outcomes)} failed, as {which}") from error


async def outcome(call: Callable[[], Awaitable[Any]]) -> Any:
    """What it gives, or the exception that it raises."""
    try:
        return await call()
    except Exception as error:
        return error


class Streamed:
    """A stream of any kind under one awaiting surface."""

    def __init__(self, raw: Any) -> None:
        self.raw = raw

    @property
    def edge(self) -> Any:
        return self.raw.edge

    @property
    def usage(self) -> Any:
        return self.raw.usage

    async def next(self) -> Any:
        """The next chunk; None at the end."""
        if hasattr(self.raw, "__anext__"):
            return await anext(self.raw, None)
        return next(self.raw, None)

    async def __aiter__(self) -> AsyncIterator[Any]:
        while (piece := await self.next()) is not None:
            yield piece

    async def close(self) -> None:
        await settled(self.raw.close())


def text_of(chunks: Iterable[Any]) -> str:
    """The text that chunks say."""
    return "".join(choice.delta.content or "" for piece in chunks for choice in piece.choices)


class Vendor:
    """What both vendors have in the eyes of a scenario: a model, a provider, answers, streams, errors."""

    name: str
    model: str
    path: str
    usage = (10, 3)
    """Input and output tokens of every answer."""

    def provider(self, server: Loopback | str, **options: Any) -> Any:
        raise NotImplementedError

    def answer(self, text: str = "Paris", finish: str = "stop") -> dict[str, Any]:
        raise NotImplementedError

    def events(self, *texts: str, finish: str = "stop") -> list[bytes]:
        """A whole streamed answer: what comes before the content, one event a text, what comes after."""
        return [*self.opening(), *map(self.text, texts), *self.closing(finish)]

    def opening(self) -> list[bytes]:
        raise NotImplementedError

    def text(self, text: str) -> bytes:
        raise NotImplementedError

    def closing(self, finish: str = "stop") -> list[bytes]:
        raise NotImplementedError

    def error_event(self) -> bytes:
        """An overload, told in a stream."""
        raise NotImplementedError

    def error(self, status: int, code: str | None = None, message: str = "No.") -> dict[str, Any]:
        raise NotImplementedError

    def reply(self, text: str = "Paris", finish: str = "stop", **headers: str) -> bytes:
        """An answer as bytes on the wire."""
        return reply(200, self.answer(text, finish), **headers)

    def fail(self, status: int, code: str | None = None, **headers: str) -> bytes:
        """An error as bytes on the wire."""
        return reply(status, self.error(status, code), **headers)

    def serve(self, request: Request, *texts: str, finish: str = "stop") -> Any:
        """An answer in the form that the request asks for."""
        texts = texts or ("Par", "is")
        if request.json().get("stream"):
            return streamed(self.events(*texts, finish=finish))
        return self.reply("".join(texts), finish)


class OpenAIVendor(Vendor):
    name = "openai"
    model = "gpt-4o-mini"
    path = "/v1/chat/completions"

    def provider(self, server: Loopback | str, **options: Any) -> Any:
        url = server if isinstance(server, str) else server.url
        return OpenAI(**{"api_key": KEY, "base_url": url + "/v1", **options})

    def answer(self, text: str = "Paris", finish: str = "stop") -> dict[str, Any]:
        message = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
            "usage": self._usage(),
            "service_tier": "default",
            "system_fingerprint": "fp_1",
        }

    def _usage(self) -> dict[str, Any]:
        put, out = self.usage
        return {
            "prompt_tokens": put,
            "completion_tokens": out,
            "total_tokens": put + out,
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._event([choice], None)

    def _event(self, choices: list[Any], usage: Any) -> bytes:
        return data_event(
            {
                "id": "chatcmpl-1",
                "object": "chat.completion.chunk",
                "created": 1_700_000_000,
                "model": "gpt-4o-mini-2024-07-18",
                "service_tier": "default",
                "system_fingerprint": "fp_1",
                "choices": choices,
                "usage": usage,
            }
        )

    def opening(self) -> list[bytes]:
        return [self._chunk({"role": "assistant", "content": "", "refusal": None})]

    def text(self, text: str) -> bytes:
        return self._chunk({"content": text})

    def closing(self, finish: str = "stop") -> list[bytes]:
        return [self._chunk({}, finish), self._event([], self._usage()), b"data: [DONE]\n\n"]

    def error_event(self) -> bytes:
        return data_event({"error": {"message": "Overloaded", "type": "service_unavailable_error", "code": None}})

    def error(self, status: int, code: str | None = None, message: str = "No.") -> dict[str, Any]:
        return {"error": {"message": message, "type": "some_error", "param": "model", "code": code}}


class AnthropicVendor(Vendor):
    name = "anthropic"
    model = "claude-haiku-4-5"
    path = "/v1/messages"
    _stops: ClassVar = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
    _types: ClassVar = {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        429: "rate_limit_error",
        529: "overloaded_error",
    }

    def provider(self, server: Loopback | str, **options: Any) -> Any:
        url = server if isinstance(server, str) else server.url
        return Anthropic(**{"api_key": KEY, "base_url": url, **options})

    def answer(self, text: str = "Paris", finish: str = "stop") -> dict[str, Any]:
        return {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5-20251001",
            "content": [{"type": "text", "text": text}],
            "stop_reason": self._stops[finish],
            "stop_sequence": None,
            "usage": self._usage(),
        }

    def _usage(self) -> dict[str, Any]:
        put, out = self.usage
        return {
            "input_tokens": put,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
            "output_tokens": out,
            "service_tier": "standard",
        }

    def opening(self) -> list[bytes]:
        message = {**self.answer(), "content": [], "stop_reason": None, "usage": {**self._usage(), "output_tokens": 1}}
        block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        return [
            named_event({"type": "message_start", "message": message}),
            named_event({"type": "ping"}),
            named_event(block),
        ]

    def text(self, text: str) -> bytes:
        delta = {"type": "text_delta", "text": text}
        return named_event({"type": "content_block_delta", "index": 0, "delta": delta})

    def closing(self, finish: str = "stop") -> list[bytes]:
        delta = {"stop_reason": self._stops[finish], "stop_sequence": None}
        return [
            named_event({"type": "content_block_stop", "index": 0}),
            named_event({"type": "message_delta", "delta": delta, "usage": {"output_tokens": self.usage[1]}}),
            named_event({"type": "message_stop"}),
        ]

    def error_event(self) -> bytes:
        return named_event({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})

    def error(self, status: int, code: str | None = None, message: str = "No.") -> dict[str, Any]:
        kind = code or self._types.get(status, "api_error")
        return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_body"}


OPENAI, ANTHROPIC = OpenAIVendor(), AnthropicVendor()
VENDORS = {vendor.name: vendor for vendor in (OPENAI, ANTHROPIC)}


def data_event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def named_event(value: dict[str, Any]) -> bytes:
    return f"event: {value['type']}\ndata: {json.dumps(value)}\n\n".encode()


def streamed(events: Iterable[Any], *, end: bool = True, **headers: str) -> Iterator[Any]:
    """A response of server-sent events, a piece each; `HANG_UP` and callables (to wait for) stand between them."""
    yield head(**headers)
    for event in events:
        if event is HANG_UP:
            yield HANG_UP
        elif callable(event):
            event()
        else:
            yield chunk(event)
    if end:
        yield chunk(b"")


class Script:
    """A handler that gives the answers in their order, the last one for ever. A callable is given the request."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self._lock = threading.Lock()

    def __call__(self, request: Request) -> Any:
        with self._lock:
            answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return answer(request) if callable(answer) else answer
