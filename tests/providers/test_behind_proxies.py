"""Anthropic's and Google's formats as proxies and gateways serve them, judged by a plain reading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.gemini import GeminiCodec
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.support import report
from tests.support.corpus import Record, body, records
from tests.support.judge import documents

__all__: list[str] = []

APIS = {
    "local.messages": AnthropicMessagesCodec(),
    "openrouter.messages": AnthropicMessagesCodec(),
    "local.generate": GeminiCodec(),
}


def told(record: Record) -> list[dict[str, Any]]:
    """The JSON documents of the answer: one, or those of its events."""
    response = record["response"]
    return [response["body_json"]] if "body_json" in response else documents(response["body_text"])


def strings(value: Any, name: str) -> Iterator[str]:
    """Every text under a field of this name, in order."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == name and isinstance(item, str):
                yield item
            else:
                yield from strings(item, name)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, name)


def numbers(value: Any, name: str) -> list[int]:
    if isinstance(value, dict):
        own = [value[name]] if isinstance(value.get(name), int) else []
        return own + [found for item in value.values() for found in numbers(item, name)]
    return [found for item in value for found in numbers(item, name)] if isinstance(value, list) else []


def answered(codec: Any, record: Record, cuts: int = 0) -> ChatCompletion:
    data = body(record)
    head = HTTPResponse(200, record["response"]["headers"])
    if "body_json" in record["response"]:
        made: ChatCompletion = codec.decode_response(HTTPResponse(200, record["response"]["headers"], data))
        return made
    decoder = codec.stream_decoder(ChatRequest(model="m", messages=[]), head)
    size = cuts or len(data)
    chunks = [chunk for i in range(0, len(data), size) for chunk in decoder.feed(data[i : i + size])]
    return assemble(chunks + decoder.end())


@pytest.mark.parametrize("api", APIS)
def test_answers_and_requests(api: str) -> None:
    """Text, end and output tokens are what the JSON says; a stream is the same byte by byte; a request comes back."""
    codec = APIS[api]
    for record in records(api):
        completion = answered(codec, record)
        (choice,) = completion.choices
        assert choice.message.content == "".join(strings(told(record), "text"))
        assert choice.finish_reason == ("length" if "max_tokens" in json.dumps(told(record)) else "stop")
        assert completion.usage is not None
        outputs = numbers(told(record), "output_tokens") or [
            a + b
            for a, b in zip(
                numbers(told(record), "candidatesTokenCount"),
                numbers(told(record), "thoughtsTokenCount") or [0] * 9,
                strict=False,
            )
        ]
        assert completion.usage.completion_tokens == outputs[-1]
        assert answered(codec, record, 1) == completion
        asked = record["request"]["body"]
        again = codec.encode_request(codec.decode_request({"model": "m", **asked}), model="m", stream=False).body
        assert list(strings(again, "text")) or list(strings(again, "content")) == list(strings(asked, "content"))
        assert set(strings(asked, "text")) <= {
            *strings(again, "text"),
            *strings(again, "content"),
            *strings(again, "system"),
        }
    report.add(api, "answers, streams at every byte, requests", len(records(api)), 0)
