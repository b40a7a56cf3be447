"""A stream that ends with an error: what an encoder tells, the decoder of the same format raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edgeagent.errors import APIStatusError, InternalServerError, OverloadedError, RateLimitError
from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.base import Encoded
from edgeagent.providers.gemini.codec import GeminiCodec
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.providers.responses.codec import ResponsesCodec
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse

CODECS: list[Callable[[], Any]] = [OpenAIChatCodec, ResponsesCodec, AnthropicMessagesCodec, GeminiCodec]
ERRORS: list[type[APIStatusError]] = [InternalServerError, OverloadedError, RateLimitError]
CHUNK = ChatCompletionChunk.model_validate(
    {
        "id": "c",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "Par"}, "finish_reason": None}],
    }
)


@pytest.mark.parametrize("begun", [True, False], ids=["begun", "at once"])
@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("make", CODECS)
def test_what_is_told_is_raised(make: Callable[[], Any], kind: type[APIStatusError], begun: bool) -> None:
    """In the middle and at the beginning, whole and byte by byte, with its message."""
    codec = make()
    status = {RateLimitError: 429, OverloadedError: 503}.get(kind, 500)
    error = kind("it broke\noff", response=HTTPResponse(status), body={"message": "it broke\noff"})
    encoder = codec.stream_encoder()
    stream = (encoder.feed(CHUNK) if begun else b"") + encoder.fault(error)
    for size in (len(stream), 1):
        request = ChatRequest(model="m", messages=[{"role": "user", "content": "?"}], stream=True)
        decoder = codec.stream_decoder(request, HTTPResponse(200, [("content-type", "text/event-stream")]))
        with pytest.raises(APIStatusError, match="it broke\noff"):
            _read(decoder, [stream[start : start + size] for start in range(0, len(stream), size)])


def _read(decoder: Any, pieces: list[bytes]) -> None:
    for piece in pieces:
        decoder.feed(piece)
    decoder.end()


@pytest.mark.parametrize("make", CODECS)
def test_nothing_is_waited_for_once_it_is_known(make: Callable[[], Any]) -> None:
    """An error in one piece with the content before it: a connection that the vendor leaves open holds up nobody."""
    codec = make()
    error = InternalServerError("it broke off", response=HTTPResponse(500), body={"message": "it broke off"})
    encoder = codec.stream_encoder()
    request = ChatRequest(model="m", messages=[{"role": "user", "content": "?"}], stream=True)
    decoder = codec.stream_decoder(request, HTTPResponse(200, [("content-type", "text/event-stream")]))
    assert not decoder.finished
    chunks = decoder.feed(encoder.feed(CHUNK) + encoder.fault(error))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Par"
    assert decoder.finished
    with pytest.raises(InternalServerError):
        decoder.end()


def test_a_body_is_sent_as_it_was_written_unless_it_was_changed() -> None:
    """A changed copy is written anew, whoever changed it and however deep."""
    body = {"model": "m", "temperature": 1.0, "messages": [{"role": "user"}]}
    written = b'{ "model": "m", "temperature": 1.0, "messages": [{"role": "user"}] }'
    assert Encoded(dict(body), written=(body, written)).content() == written
    changed = {**body, "messages": [{"role": "system"}]}
    assert Encoded(changed, written=(body, written)).content() == (
        b'{"model":"m","temperature":1.0,"messages":[{"role":"system"}]}'
    )
    assert written.decode() not in repr(Encoded(body, written=(body, written)))
    assert Encoded({}).content() == b"{}"
