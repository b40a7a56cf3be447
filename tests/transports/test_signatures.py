"""Thinking that its vendor signed, in loops of tools on another vendor's SDK: it comes back to that vendor alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anthropic
import pytest
from google import genai
from google.genai import types

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic, Gemini
from edgeagent.transports import transport
from tests.support.loopback import Loopback, Request, events, reply
from tests.transports.sdks import GENERATED, MESSAGE, named

CLAUDE, GEMINI = "claude-haiku-4-5", "gemini-3-pro-preview"
ASKED: dict[str, Any] = {"name": "get_weather", "args": {"city": "Paris"}}
THOUGHT: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "Hm.", "signature": "claude-signed"},
    {"type": "redacted_thinking", "data": "claude-hid"},
    {"type": "text", "text": "Let me look."},
    {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": ASKED["args"]},
]
SAID: list[dict[str, Any]] = [{"type": "text", "text": "20 degrees."}]
GROWING = {"text": ("text", "text_delta"), "thinking": ("thinking", "thinking_delta")}
PARTS: list[dict[str, Any]] = [
    {"text": "Hm.", "thought": True},
    {"text": "Let me look."},
    {"functionCall": ASKED, "thoughtSignature": "Z29vZ2xlLXNpZ25lZA=="},
]


def claude(body: dict[str, Any]) -> Any:
    blocks = SAID if '"tool_result"' in json.dumps(body) else THOUGHT
    reason = "end_turn" if blocks is SAID else "tool_use"
    if not body.get("stream"):
        return reply(200, {**MESSAGE, "content": blocks, "stop_reason": reason})
    told: list[Any] = [{"type": "message_start", "message": {**MESSAGE, "content": [], "stop_reason": None}}]
    for index, block in enumerate(blocks):
        deltas: list[dict[str, Any]] = []
        begun = dict(block)
        if (grows := GROWING.get(block["type"])) is not None:
            begun[grows[0]] = ""
            deltas.append({"type": grows[1], grows[0]: block[grows[0]]})
        if "signature" in block:
            begun["signature"] = ""
            deltas.append({"type": "signature_delta", "signature": block["signature"]})
        if "input" in block:
            begun["input"] = {}
            deltas.append({"type": "input_json_delta", "partial_json": json.dumps(block["input"])})
        told.append({"type": "content_block_start", "index": index, "content_block": begun})
        told += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        told.append({"type": "content_block_stop", "index": index})
    told.append({"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 3}})
    told.append({"type": "message_stop"})
    return named(told)


def gemini(body: dict[str, Any], *, stream: bool) -> Any:
    parts = [{"text": "20 degrees."}] if "functionResponse" in json.dumps(body) else PARTS
    made = [
        {**GENERATED, "candidates": [{"content": {"role": "model", "parts": some}, "index": 0, **end}]}
        for some, end in [*(([part], {}) for part in parts[:-1]), (parts[-1:], {"finishReason": "STOP"})]
    ]
    if stream:
        return events(made)
    return reply(200, {**GENERATED, "candidates": [{"content": {"parts": parts}, "finishReason": "STOP", "index": 0}]})


@contextmanager
def vendors() -> Iterator[tuple[EdgeClient, list[tuple[str, dict[str, Any]]]]]:
    """A client of both vendors, and what each was sent."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def serve(request: Request) -> Any:
        body = request.json()
        if request.path.endswith("/messages"):
            sent.append(("claude", body))
            return claude(body)
        sent.append(("gemini", body))
        return gemini(body, stream=":streamGenerateContent" in request.path)

    with Loopback(serve) as server:
        providers = [Anthropic(api_key="k", base_url=server.url), Gemini(api_key="k", base_url=f"{server.url}/v1beta")]
        with EdgeClient(providers=providers, cache=False) as edge:
            yield edge, sent


def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"20 degrees in {city}"


THINKING = types.ThinkingConfig(include_thoughts=True, thinking_budget=2000)
CALLED = types.GenerateContentConfig(tools=[get_weather], thinking_config=THINKING)


def google(edge: EdgeClient) -> genai.Client:
    return genai.Client(api_key="g", http_options={"client_args": {"transport": transport(edge)}})  # type: ignore[arg-type]


def whole(client: genai.Client, model: str) -> Any:
    chat = client.chats.create(model=model, config=CALLED)
    assert chat.send_message("Weather?").text == "20 degrees."
    return chat


def streamed(client: genai.Client, model: str) -> Any:
    chat = client.chats.create(model=model, config=CALLED)
    assert "".join(chunk.text or "" for chunk in chat.send_message_stream("Weather?")).endswith("20 degrees.")
    return chat


LOOPS = pytest.mark.parametrize("loop", [whole, streamed])


@LOOPS
def test_claudes_thinking_under_googles_sdk(loop: Callable[[Any, str], Any]) -> None:
    """The second turn of the loop, and the next question, have all that Claude signed; thinking goes on."""
    with vendors() as (edge, sent):
        client = google(edge)
        chat = loop(client, CLAUDE)
        chat.send_message("And now?")
    assert [vendor for vendor, _ in sent[:3]] == ["claude"] * 3
    for _, body in sent[1:3]:
        assert body["messages"][1] == {"role": "assistant", "content": THOUGHT}
        assert body["thinking"]["type"] == "enabled"
    assert sent[2][1]["messages"][3] == {"role": "assistant", "content": "20 degrees."}


@LOOPS
def test_googles_sdk_changes_to_gemini(loop: Callable[[Any, str], Any]) -> None:
    """What Claude signed is not sent there; the call has the value that skips the check."""
    with vendors() as (edge, sent):
        client = google(edge)
        history = loop(client, CLAUDE).get_history()
        client.chats.create(model=GEMINI, history=history).send_message("And now?")
    vendor, body = sent[-1]
    assert vendor == "gemini"
    [called] = [part for content in body["contents"] for part in content["parts"] if "functionCall" in part]
    assert called["thoughtSignature"] == "c2tpcF90aG91Z2h0X3NpZ25hdHVyZV92YWxpZGF0b3I="
    assert "edgeagent" not in json.dumps(body)
    assert "ZWRnZWFnZW50" not in json.dumps(body)


TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


def ask(client: anthropic.Anthropic, model: str, messages: list[Any], *, stream: bool) -> Any:
    asked: Any = {"model": model, "max_tokens": 4000, "messages": messages, "tools": [TOOL]}
    if not stream:
        return client.messages.create(**asked)
    with client.messages.stream(**asked) as told:
        return told.get_final_message()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("second", [GEMINI, CLAUDE])
def test_geminis_signature_under_anthropics_sdk(stream: bool, second: str) -> None:
    """Gemini gets back the parts that it sent, signature included; Claude gets what was said."""
    with vendors() as (edge, sent):
        client = anthropic.Anthropic(http_client=anthropic.DefaultHttpxClient(transport=transport(edge)), api_key="a")
        messages: list[Any] = [{"role": "user", "content": "Weather?"}]
        first = ask(client, GEMINI, messages, stream=stream)
        [call] = [block for block in first.content if block.type == "tool_use"]
        assert first.stop_reason == "tool_use"
        assert [block.type for block in first.content] == ["thinking", "text", "tool_use", "redacted_thinking"]
        messages.append({"role": "assistant", "content": first.content})
        result = {"type": "tool_result", "tool_use_id": call.id, "content": get_weather(**call.input)}
        messages.append({"role": "user", "content": [result]})
        answer = ask(client, second, messages, stream=stream)
        assert answer.content[0].text == "20 degrees."
    _, body = sent[1]
    if second == GEMINI:
        assert body["contents"][1] == {"role": "model", "parts": PARTS}
    else:
        assert [block["type"] for block in body["messages"][1]["content"]] == ["text", "tool_use"]
        assert "Z29vZ2xlLXNpZ25lZA" not in json.dumps(body)
