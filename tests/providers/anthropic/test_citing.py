"""Pages that another vendor's answer cites, under Anthropic's SDK: told as its own are, and not sent to it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from anthropic.types import Message

from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.anthropic.encoder import MessageStreamEncoder
from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.wire.http import HTTPResponse
from tests.providers.anthropic.reading import message_of_stream

CODEC = AnthropicMessagesCodec()


def cites(url: str | None, title: str | None = "t", start: int = 0) -> dict[str, Any]:
    page = {"url": url, "title": title, "start_index": start, "end_index": start + 1}
    return {"type": "url_citation", "url_citation": page}


def location(url: str, title: str | None = "t") -> dict[str, Any]:
    known = {"type": "web_search_result_location", "url": url, "title": title}
    return {**known, "cited_text": "", "encrypted_index": ""}


CITED = [cites("https://a"), cites("https://b", "", 1), cites("https://a", start=2), cites(None), {"type": "odd"}]
TOLD = [location("https://a"), location("https://b", None)]
OWN = {**location("https://c"), "encrypted_index": "x", "cited_text": "words"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOP: dict[str, Any] = {"id": "m", "created": 0, "model": "gpt"}


def whole(**message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}
    return CODEC.encode_response(ChatCompletion.model_validate({**TOP, "choices": [choice]}))


def streamed(*deltas: dict[str, Any]) -> dict[str, Any]:
    """The message that a stream of these deltas is told as."""
    encoder = MessageStreamEncoder()
    chunks = [{**TOP, "choices": [{"index": 0, "delta": delta}]} for delta in (*deltas, {})]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    out = b"".join(encoder.feed(ChatCompletionChunk.model_validate(chunk)) for chunk in chunks) + encoder.end()
    return message_of_stream(out.decode())


def test_pages_are_citations_of_the_text() -> None:
    """Each once, of the vendor's own type; what is no page is left out, and a text without pages has no citations."""
    message = whole(content="abc", annotations=CITED, tool_calls=[CALL])
    assert message["content"][0] == {"type": "text", "text": "abc", "citations": TOLD}
    Message.model_validate(message)
    assert whole(content="abc", annotations=[cites(None)])["content"] == [{"type": "text", "text": "abc"}]


@pytest.mark.parametrize(
    "deltas",
    [
        [{"content": "ab"}, {"content": "c", "annotations": CITED}, {"tool_calls": [{"index": 0, **CALL}]}],
        [{"content": "abc"}, {"annotations": CITED[:2]}, {"annotations": CITED[2:]}],
        [{"content": "abc"}, {"annotations": CITED, "tool_calls": [{"index": 0, **CALL}]}],
        [{"annotations": CITED}, {"content": "abc"}],
    ],
)
def test_a_stream_tells_them_at_the_end_of_the_text(deltas: Any) -> None:
    """Whenever they come."""
    [text, *_] = streamed(*deltas)["content"]
    assert text == {"type": "text", "text": "abc", "citations": TOLD}


def test_claudes_own_are_told_once() -> None:
    """As its blocks have them, whole and streamed."""
    block = {"type": "text", "text": "abc", "citations": [OWN]}
    document = {
        "type": "message",
        "role": "assistant",
        **TOP,
        "content": [block],
        "stop_reason": "end_turn",
        "usage": {},
    }
    completion = CODEC.decode_response(HTTPResponse(200, content=json.dumps(document).encode()))
    assert CODEC.encode_response(completion)["content"] == [block]
    native = {"wire": "anthropic.messages", "content": [block]}
    deltas = [{"content": "abc"}, {"annotations": [cites("https://c")]}, {"native_content": native}]
    assert streamed(*deltas)["content"] == [block]
    assert streamed({"content": "abc", "annotations": [cites("https://c")], "native_content": native})["content"] == [
        block
    ]


def asking(*citations: dict[str, Any]) -> dict[str, Any]:
    block = {"type": "text", "text": "abc", "citations": [*citations]}
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": [block]}]
    return {"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [*messages, {"role": "user", "content": "?"}]}


def test_the_vendor_is_not_sent_them() -> None:
    """It would not find the page; its own citations stay. Others are told the text alone."""
    body = asking(*TOLD, OWN)
    before = json.dumps(body)
    encoded = CODEC.encode_native(body, model="claude-haiku-4-5", stream=False)
    assert encoded.body["messages"] == asking(OWN)["messages"]
    assert encoded.edits == ("pages that another vendor cited left out of messages",)
    alone = CODEC.encode_native(asking(*TOLD), model="claude-haiku-4-5", stream=False)
    assert alone.body["messages"][1]["content"] == [{"type": "text", "text": "abc"}]
    assert CODEC.encode_native(asking(OWN), model="claude-haiku-4-5", stream=False).edits == ()
    assert CODEC.decode_request(asking(*TOLD)).messages[1] == {
        "role": "assistant",
        "content": [{"type": "text", "text": "abc"}],
    }
    assert json.dumps(body) == before
