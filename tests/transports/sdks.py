"""The official SDKs over the transport: each check is the same for every version of an SDK.

    python -m tests.transports.sdks openai anthropic google-genai

runs the checks of the named SDKs with whatever versions are installed, and needs nothing else but this package.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from edgeagent import EdgeClient
from edgeagent.errors import BudgetExceededError
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from tests.support.loopback import Loopback, Request, chunk, events, head, reply

QUESTION = [{"role": "user", "content": "What is the capital of France?"}]
USAGE = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-2024-08-06",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Paris", "refusal": None},
            "finish_reason": "stop",
            "logprobs": None,
        }
    ],
    "usage": USAGE,
}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-4o",
    "status": "completed",
    "error": None,
    "incomplete_details": None,
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "temperature": 1.0,
    "top_p": 1.0,
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Paris", "annotations": []}],
        }
    ],
    "usage": {
        "input_tokens": 5,
        "output_tokens": 1,
        "total_tokens": 6,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens_details": {"reasoning_tokens": 0},
    },
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": "Paris"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 5, "output_tokens": 1},
}
GENERATED = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Paris"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 1, "totalTokenCount": 6},
    "modelVersion": "gemini-2.5-flash",
}


def vendor(request: Request) -> Any:
    """OpenAI, Anthropic and Google in one: what an SDK's own parser is happy with."""
    path = request.path.partition("?")[0]
    if request.method == "GET":
        return reply(200, {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]})
    body = request.json()
    if "refuse" in json.dumps(body):
        return reply(429, {"error": {"message": "slow", "type": "rate_limit_error", "code": "x"}}, x_request_id="r1")
    if path.endswith("/count_tokens"):
        return reply(200, {"input_tokens": 7})
    if path.endswith("/messages"):
        return named(_anthropic()) if body.get("stream") else reply(200, MESSAGE, request_id="req_a")
    if path.endswith(":streamGenerateContent"):
        return events([GENERATED])
    if path.endswith(":generateContent"):
        return reply(200, GENERATED)
    if path.endswith("/responses"):
        return named(_responses()) if body.get("stream") else reply(200, RESPONSE)
    if body.get("stream"):
        return events(_chunks())
    return reply(200, COMPLETION, x_request_id="req_1")


def _chunks() -> list[Any]:
    top = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    told: list[Any] = [{**top, "choices": [{"index": 0, "delta": {"content": t}}]} for t in ("Par", "is")]
    told.append({**top, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return [*told, {**top, "choices": [], "usage": USAGE}, "[DONE]"]


def _anthropic() -> list[dict[str, Any]]:
    start = {**MESSAGE, "content": [], "stop_reason": None}
    return [
        {"type": "message_start", "message": start},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "ping"},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Paris"}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    ]


def _responses() -> list[dict[str, Any]]:
    item = RESPONSE["output"][0]  # type: ignore[index]
    part = {"type": "output_text", "text": "", "annotations": []}
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    begun = {**RESPONSE, "status": "in_progress", "output": [], "usage": None}
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "content": [], "status": "in_progress"},
        },
        {"type": "response.content_part.added", **at, "part": part},
        {"type": "response.output_text.delta", **at, "delta": "Paris", "logprobs": []},
        {"type": "response.output_text.done", **at, "text": "Paris", "logprobs": []},
        {"type": "response.content_part.done", **at, "part": {**part, "text": "Paris"}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": RESPONSE},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(told)]


def named(told: list[dict[str, Any]]) -> Iterator[bytes]:
    """A streamed response whose events have names, as Anthropic's SDK wants them."""
    yield head()
    for event in told:
        yield chunk(b"event: %s\ndata: %s\n\n" % (event["type"].encode(), json.dumps(event).encode()))
    yield chunk(b"")


@contextmanager
def _world(*providers: Any) -> Iterator[tuple[Loopback, EdgeClient]]:
    fakes = [FakeProvider("Rome is old", name="fake"), FakeProvider(BudgetExceededError("spent"), name="poor")]
    with Loopback(vendor) as server, EdgeClient(providers=[*providers, *fakes], retry=0) as edge:
        yield server, edge


# OpenAI


def check_openai() -> None:
    """Chat and responses, streamed, async, cached, refused; what is not known passes; others answer."""
    import openai

    with _world() as (server, edge):
        made = _openai_client(openai.OpenAI, openai.DefaultHttpxClient, edge, base_url=server.url + "/v1")
        raw = made.chat.completions.with_raw_response.create(model="gpt-4o", messages=QUESTION)
        completion = raw.parse()
        assert completion.choices[0].message.content == "Paris"
        assert (completion._request_id, raw.headers["x-edgeagent-cache"]) == ("req_1", "miss")
        assert made.chat.completions.create(model="gpt-4o", messages=QUESTION) == completion
        assert len(server.requests) == 1
        assert server.requests[0].headers["authorization"] == "Bearer sk-sdk"
        chunks = list(made.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True, user="s"))
        assert "".join(c.choices[0].delta.content or "" for c in chunks) == "Paris"
        assert not any(c.usage for c in chunks)
        assert [model.id for model in made.models.list()] == ["m"]
        _refused(
            openai.RateLimitError,
            server,
            lambda: made.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "refuse"}]),
        )
        if hasattr(made, "responses"):
            assert made.responses.create(model="gpt-4o", input="?").output_text == "Paris"
            told = [event.type for event in made.responses.create(model="gpt-4o", input="other", stream=True)]
            assert told == [event["type"] for event in _responses()]
            before = len(server.requests)
            hit = list(made.responses.create(model="gpt-4o", input="?", stream=True))
            assert (hit[-1].type, hit[-1].response.output_text) == ("response.completed", "Paris")
            assert len(server.requests) == before, "the whole answer is told as a stream"
    with _world() as (server, edge):
        made = _openai_client(openai.OpenAI, openai.DefaultHttpxClient, edge)
        answer = made.chat.completions.create(model="fake/x", messages=QUESTION)
        assert answer.choices[0].message.content == "Rome is old"
        _refused(openai.RateLimitError, server, lambda: made.chat.completions.create(model="poor/x", messages=QUESTION))
        asyncio.run(_check_async_openai(server, edge))


async def _check_async_openai(server: Loopback, edge: EdgeClient) -> None:
    import openai

    made = _openai_client(openai.AsyncOpenAI, openai.DefaultAsyncHttpxClient, edge, base_url=server.url + "/v1")
    async with made:
        assert (await made.chat.completions.create(model="gpt-4o", messages=QUESTION)).choices[0].message.content
        stream = await made.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True, user="t")
        assert "".join([c.choices[0].delta.content or "" async for c in stream]) == "Paris"


def _openai_client(kind: Any, http: Any, edge: EdgeClient, **options: Any) -> Any:
    return kind(api_key="sk-sdk", http_client=http(transport=transport(edge)), **options)


# Anthropic


def check_anthropic() -> None:
    """Messages, streamed, async, counted, refused; and answered by another vendor."""
    import anthropic

    ask = {"model": "claude-of-these-tests", "max_tokens": 9, "messages": QUESTION}
    with _world() as (server, edge):
        http = anthropic.DefaultHttpxClient(transport=transport(edge))
        made: Any = anthropic.Anthropic(api_key="sk-sdk", base_url=server.url, http_client=http)
        message = made.messages.create(**ask)
        assert message.content[0].text == "Paris"
        assert made.messages.create(**ask) == message
        assert len(server.requests) == 1
        headers = server.requests[0].headers  # 2.x sends its key as a token
        assert "sk-sdk" in {headers.get("x-api-key"), headers.get("authorization", "").removeprefix("Bearer ")}
        with made.messages.stream(**ask, system="s") as stream:
            assert "".join(stream.text_stream) == "Paris"
            assert stream.get_final_message().stop_reason == "end_turn"
        assert made.messages.count_tokens(model=ask["model"], messages=QUESTION).input_tokens == 7
        refuse = {**ask, "system": "refuse"}
        _refused(anthropic.RateLimitError, server, lambda: made.messages.create(**refuse))
        asyncio.run(_check_async_anthropic(server, edge, ask))
    with _world() as (server, edge):
        http = anthropic.DefaultHttpxClient(transport=transport(edge))
        made = anthropic.Anthropic(api_key="sk-sdk", http_client=http)
        assert made.messages.create(**{**ask, "model": "fake/x"}).content[0].text == "Rome is old"
        with made.messages.stream(**{**ask, "model": "fake/x", "system": "s"}) as stream:
            assert stream.get_final_text() == "Rome is old"
        _refused(anthropic.RateLimitError, server, lambda: made.messages.create(**{**ask, "model": "poor/x"}))


async def _check_async_anthropic(server: Loopback, edge: EdgeClient, ask: dict[str, Any]) -> None:
    import anthropic

    http = anthropic.DefaultAsyncHttpxClient(transport=transport(edge))
    async with anthropic.AsyncAnthropic(api_key="sk-sdk", base_url=server.url, http_client=http) as made:
        assert (await made.messages.create(**ask)).content[0].text == "Paris"  # type: ignore[union-attr]
        async with made.messages.stream(**ask, system="t") as stream:
            assert "".join([text async for text in stream.text_stream]) == "Paris"


# Google


def check_genai() -> None:
    """generateContent, streamed, async; and answered by another vendor."""
    from google import genai

    model = "gemini-2.5-flash"
    with _world() as (server, edge):
        made = _genai_client(genai, edge, server.url)
        assert made.models.generate_content(model=model, contents="?").text == "Paris"
        assert server.requests[0].headers["x-goog-api-key"] == "sk-sdk"
        told = list(made.models.generate_content_stream(model=model, contents="other"))
        assert "".join(chunk.text for chunk in told) == "Paris"
        asyncio.run(_check_async_genai(made, model))
    with _world() as (server, edge):
        grouped = EdgeClient(providers=[FakeProvider("Rome is old", name="fake")], models={"gemini-any": "fake/x"})
        made = _genai_client(genai, grouped, None)
        assert made.models.generate_content(model="gemini-any", contents="?").text == "Rome is old"
        told = list(made.models.generate_content_stream(model="gemini-any", contents="other"))
        assert "".join(chunk.text or "" for chunk in told) == "Rome is old"


def _genai_client(genai: Any, edge: EdgeClient, url: str | None) -> Any:
    made = transport(edge)
    options = genai.types.HttpOptions(
        base_url=url, client_args={"transport": made}, async_client_args={"transport": made}
    )
    return genai.Client(api_key="sk-sdk", http_options=options)


async def _check_async_genai(made: Any, model: str) -> None:
    assert (await made.aio.models.generate_content(model=model, contents="async")).text == "Paris"
    stream = await made.aio.models.generate_content_stream(model=model, contents="async stream")
    assert "".join([chunk.text async for chunk in stream]) == "Paris"


def _refused(kind: type[Exception], server: Loopback, call: Any) -> None:
    """The SDK raises its own class, after the pipeline's attempts alone."""
    before = len(server.requests)
    try:
        call()
    except kind:
        assert len(server.requests) - before <= 1, "the SDK tried again"
    else:
        raise AssertionError(f"it did not raise {kind}")


CHECKS = {"openai": check_openai, "anthropic": check_anthropic, "google-genai": check_genai}

if __name__ == "__main__":
    from importlib.metadata import version

    for name in sys.argv[1:]:
        CHECKS[name]()
        print(f"{name} {version(name)}: works over the transport")
