"""A stream of another vendor's that breaks off: the SDK raises its own class, and says what the vendor or we said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import anthropic
import openai
import pytest
from google import genai

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.errors import APIConnectionError, OverloadedError
from edgeagent.providers import Anthropic
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from edgeagent.wire.http import HTTPResponse
from tests.support.loopback import HANG_UP, Loopback, Request, chunk, head
from tests.transports.harness import BODY, WAYS, Caller, through

QUESTION: Any = [{"role": "user", "content": "?"}]
MODEL = "fake/x"


def broken(error: Exception) -> FakeProvider:
    """A provider whose stream breaks off after a word."""
    return FakeProvider(("Par", error), name="fake")


def lost() -> Exception:
    return APIConnectionError(message="the line went dead")


def overloaded() -> Exception:
    return OverloadedError("too much to do", response=HTTPResponse(503), body={"message": "too much to do"})


def _openai(edge: Any) -> openai.OpenAI:
    return openai.OpenAI(api_key="k", http_client=openai.DefaultHttpxClient(transport=transport(edge)))


def _chat(edge: Any, read: Callable[[str], None]) -> None:
    for part in _openai(edge).chat.completions.create(model=MODEL, messages=QUESTION, stream=True):
        read(part.choices[0].delta.content or "")


def _responses(edge: Any, read: Callable[[str], None]) -> None:
    for event in _openai(edge).responses.create(model=MODEL, input="?", stream=True):
        read(event.delta if event.type == "response.output_text.delta" else "")


def _messages(edge: Any, read: Callable[[str], None]) -> None:
    http = anthropic.DefaultHttpxClient(transport=transport(edge))
    made = anthropic.Anthropic(api_key="k", http_client=http)
    with made.messages.stream(model=MODEL, max_tokens=9, messages=QUESTION) as stream:
        for text in stream.text_stream:
            read(text)


def _generate(edge: Any, read: Callable[[str], None]) -> None:
    options = genai.types.HttpOptions(client_args={"transport": transport(edge)})
    made = genai.Client(api_key="k", http_options=options)
    for part in made.models.generate_content_stream(model="gemini-any", contents="?"):
        read(part.text or "")


SDKS: dict[str, tuple[Callable[[Any, Callable[[str], None]], None], type[Exception]]] = {
    "openai chat": (_chat, openai.APIError),
    "openai responses": (_responses, openai.APIError),
    "anthropic": (_messages, anthropic.APIStatusError),
    "google": (_generate, genai.errors.ServerError),
}


@pytest.mark.parametrize("name", SDKS)
@pytest.mark.parametrize(
    ("error", "word"), [(lost, "the line went dead"), (overloaded, "too much to do")], ids=["lost", "told"]
)
def test_an_sdk_raises_its_own_class(name: str, error: Callable[[], Exception], word: str) -> None:
    """What had come is read first; then its own error says what happened, whether a vendor said it or nobody did."""
    ask, kind = SDKS[name]
    texts: list[str] = []
    models = {"gemini-any": MODEL}
    with EdgeClient(providers=[broken(error())], models=models, retry=0) as edge, pytest.raises(kind, match=word):
        ask(edge, texts.append)
    assert "".join(texts) == "Par"


def test_an_sdk_that_awaits_raises_its_own_class() -> None:
    """The same for code that awaits."""

    async def scenario() -> None:
        async with AsyncEdgeClient(providers=[broken(lost())], retry=0) as edge:
            http = openai.DefaultAsyncHttpxClient(transport=transport(edge))
            async with openai.AsyncOpenAI(api_key="k", http_client=http) as made:
                stream = await made.chat.completions.create(model=MODEL, messages=QUESTION, stream=True)
                with pytest.raises(openai.APIError, match="went dead") as caught:
                    async for _ in stream:
                        pass
                assert caught.value.code == "stream_interrupted"

    asyncio.run(scenario())


def cut(_: Request) -> Any:
    """A vendor of messages whose stream ends in the middle."""
    message = {"id": "m", "type": "message", "role": "assistant", "model": "c", "content": []}
    usage = {"input_tokens": 1, "output_tokens": 1}
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Par"}},
    ]
    yield head()
    for event in told:
        yield chunk(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
    yield HANG_UP


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_the_event_is_the_last(way: tuple[str, str]) -> None:
    """Of a vendor's stream that ends in the middle, told in another format; nothing of it is stored."""
    with Loopback(cut) as server:

        async def scenario(caller: Caller) -> None:
            for _ in range(2):
                response = await caller.open(
                    "https://api.openai.com/v1/chat/completions", {**BODY, "model": "claude-x"}
                )
                pieces = await caller.pieces(response)
                assert b"Par" in b"".join(pieces)
                assert pieces[-1].startswith(b'data: {"error":{"message":"The stream broke off')
                assert b"[DONE]" not in b"".join(pieces)
            assert len(server.requests) == 2

        provider = Anthropic(api_key="k", base_url=server.url)
        through(way, [provider], scenario, models={"claude-x": "anthropic/claude-x"})
