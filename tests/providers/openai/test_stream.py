"""OpenAI's streams: what is accepted, where they may end, and how they fail."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    BadRequestError,
    InternalServerError,
    RateLimitError,
    ResponseValidationError,
)
from edgeagent.providers import events
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.types import ChatCompletionChunk, ChatRequest, ChoiceDelta, ChunkChoice
from edgeagent.types.assembly import assemble
from edgeagent.wire.sse import SSEDecoder

CODEC = OpenAIChatCodec()
REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "x"}])
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
DONE = b"data: [DONE]\n\n"


def chunk(content: str | None = None, finish: str | None = None, index: int = 0, **top: Any) -> dict[str, Any]:
    delta = {} if content is None else {"content": content}
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **top}


def event(value: object, name: str | None = None) -> bytes:
    text = value if isinstance(value, str) else json.dumps(value)
    return (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()


A, B, END = event(chunk("a")), event(chunk("b")), event(chunk(finish="stop"))
ERROR = {"error": {"message": "No.", "type": "server_error", "code": "rate_limit_exceeded"}}
LAST_USAGE = event(chunk(choices=[], usage=USAGE))


def run(data: bytes, size: int) -> tuple[str, type[APIError] | None]:
    """The text that came and the error that ended it, fed in pieces of `size` bytes."""
    decoder = CODEC.stream_decoder(REQUEST)
    chunks: list[ChatCompletionChunk] = []
    error: type[APIError] | None = None
    try:
        for start in range(0, len(data), size):
            chunks += decoder.feed(data[start : start + size])
        chunks += decoder.end()
    except APIError as caught:
        error = type(caught)
    return "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices), error


@pytest.mark.parametrize(
    ("data", "text", "error"),
    [
        pytest.param(A + B + END + DONE, "ab", None, id="documented"),
        pytest.param(A + B + END + LAST_USAGE + DONE, "ab", None, id="with usage"),
        pytest.param((A + B + END + DONE).replace(b"\n", b"\r\n"), "ab", None, id="CRLF"),
        pytest.param(A + END, "a", None, id="no [DONE]"),
        pytest.param(A + END + LAST_USAGE, "a", None, id="usage but no [DONE]"),
        pytest.param(A + LAST_USAGE, "a", None, id="usage but no finish reason and no [DONE]"),
        pytest.param(A + DONE, "a", None, id="[DONE] but no finish reason"),
        pytest.param(A + END + b"data: [DONE]", "a", None, id="no blank line at the end"),
        pytest.param(A + END[:-2], "a", None, id="no blank line after the last chunk"),
        pytest.param(A + END + b"data:  [DONE] \n\n", "a", None, id="[DONE] among spaces"),
        pytest.param(A + END + B + DONE, "ab", None, id="content after the finish"),
        pytest.param(A + END + DONE + B + event(ERROR), "a", None, id="what follows [DONE] is not read"),
        pytest.param(b": hello\n\n" + A + b": ping\n\n" + END + DONE, "a", None, id="comments"),
        pytest.param(event({}) + event("") + A + END, "a", None, id="keep-alives"),
        pytest.param(A + event(chunk(choices=None)) + END, "a", None, id="choices null"),
        pytest.param(event({"choices": [{"delta": {"content": "a"}, "finish_reason": "eos"}]}), "a", None, id="bare"),
        pytest.param(A + event(chunk(choices=[{"index": 0, "finish_reason": "stop"}])), "a", None, id="no delta"),
        pytest.param(event(chunk("a", index=1)) + event(chunk(finish="stop", index=1)) + A + END, "aa", None, id="n=2"),
        pytest.param(b"", "", APIConnectionError, id="nothing"),
        pytest.param(b": ping\n\n", "", APIConnectionError, id="only comments"),
        pytest.param(b"dat", "", APIConnectionError, id="cut in the first field"),
        pytest.param(A[:-9], "", APIConnectionError, id="cut in the first event"),
        pytest.param(A, "a", APIConnectionError, id="cut after the first event"),
        pytest.param(A + B[:-9], "a", APIConnectionError, id="cut in an event"),
        pytest.param(A + END + LAST_USAGE[:-9], "a", APIConnectionError, id="cut in the usage"),
        pytest.param(event(chunk("a", index=1)) + A + END, "aa", APIConnectionError, id="one choice did not finish"),
        pytest.param(LAST_USAGE, "", APIConnectionError, id="usage of nothing"),
        pytest.param(A + event(ERROR), "a", RateLimitError, id="an error chunk"),
        pytest.param(A + event(ERROR, "error"), "a", RateLimitError, id="an error event"),
        pytest.param(A + event(chunk("x", **ERROR)), "a", RateLimitError, id="an error in a chunk"),
        pytest.param(A + event(chunk("x", finish="error", **ERROR)), "a", RateLimitError, id="an error as its finish"),
        pytest.param(A + event("overloaded", "error"), "a", InternalServerError, id="an error event of plain text"),
        pytest.param(
            A + event({"message": "No.", "type": "invalid_request_error"}, "error"), "a", BadRequestError, id="flat"
        ),
        pytest.param(A + event("{bad") + B, "a", ResponseValidationError, id="no JSON"),
        pytest.param(A + event("[1]"), "a", ResponseValidationError, id="a list"),
        pytest.param(A + event(chunk(choices=[3])), "a", ResponseValidationError, id="a choice is a number"),
        pytest.param(A + event(chunk(choices=3)), "a", ResponseValidationError, id="choices are a number"),
        pytest.param(b"<html>Bad gateway</html>", "", ResponseValidationError, id="HTML"),
        pytest.param(b"no such thing\n\n", "", ResponseValidationError, id="plain text"),
        pytest.param(json.dumps(ERROR).encode(), "", RateLimitError, id="a JSON error labelled as a stream"),
        pytest.param(json.dumps(ERROR, indent=1).encode(), "", RateLimitError, id="the same on several lines"),
        pytest.param(b'{"id": "x", "cho', "", ResponseValidationError, id="JSON cut short"),
        pytest.param(
            json.dumps({"choices": [{"message": {"content": "whole"}, "finish_reason": "stop"}]}).encode(),
            "whole",
            None,
            id="a whole answer labelled as a stream",
        ),
    ],
)
def test_table(data: bytes, text: str, error: type[APIError] | None) -> None:
    """Each stream gives its text and its end, whole, in pieces and byte by byte."""
    for size in (max(1, len(data)), 7, 1):
        assert run(data, size) == (text, error)


def test_a_fault_waits_for_the_next_call_and_stays() -> None:
    """Chunks before a fault in the same bytes are returned; every call after raises the same error."""
    decoder = CODEC.stream_decoder(REQUEST)
    assert not decoder.finished
    assert len(decoder.feed(A + B + event(ERROR))) == 2
    assert decoder.finished
    for call in (decoder.feed, decoder.feed, lambda _: decoder.end()):
        with pytest.raises(RateLimitError, match=r"No\."):
            call(b"")


def test_an_error_that_comes_alone_is_raised_at_once() -> None:
    """Nothing is gained by waiting: a server may leave the connection open."""
    decoder = CODEC.stream_decoder(REQUEST)
    decoder.feed(A)
    with pytest.raises(RateLimitError):
        decoder.feed(event(ERROR))
    with pytest.raises(RateLimitError):
        decoder.end()


def test_finished_is_done() -> None:
    """`finished` is what the stream itself says, with `[DONE]`."""
    decoder = CODEC.stream_decoder(REQUEST)
    decoder.feed(A + END)
    assert not decoder.finished
    decoder.feed(DONE)
    assert decoder.finished
    assert decoder.end() == []


def test_an_event_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that never ends does not fill the memory."""
    monkeypatch.setattr(events, "SSEDecoder", lambda: SSEDecoder(limit=1000))
    for first in (b"", A):
        decoder = CODEC.stream_decoder(REQUEST)
        decoder.feed(first + b"data: ")
        for _ in range(9):
            decoder.feed(b"x" * 100)
        with pytest.raises(ResponseValidationError, match="larger than"):
            decoder.feed(b"x" * 100)
        with pytest.raises(ResponseValidationError, match="larger than"):
            decoder.end()


def test_an_event_that_becomes_too_large_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for the last event too."""
    monkeypatch.setattr(events, "SSEDecoder", lambda: SSEDecoder(limit=1000))
    decoder = CODEC.stream_decoder(REQUEST)
    assert len(decoder.feed(A + b"data: " + b"x" * 1100)) == 1
    with pytest.raises(ResponseValidationError, match="larger than"):
        decoder.end()


def test_the_head_of_a_long_body_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments without end, and then nothing, are a cut stream, whatever their size."""
    monkeypatch.setattr(events, "MAX_HEAD", 100)
    decoder = CODEC.stream_decoder(REQUEST)
    for _ in range(50):
        decoder.feed(b": still here\n\n")
    with pytest.raises(APIConnectionError):
        decoder.end()


def test_finish_reasons_of_others() -> None:
    """A gateway's word becomes OpenAI's, and is kept."""
    decoder = CODEC.stream_decoder(REQUEST)
    [first] = decoder.feed(event(chunk("a", finish="max_tokens")))
    assert (first.choices[0].finish_reason, first.choices[0].native_finish_reason) == ("length", "max_tokens")
    assert decoder.end() == []


def test_the_request_id_of_a_hidden_error_is_its_body() -> None:
    """An error event is quoted by the error's response."""
    with pytest.raises(APIStatusError) as caught:
        CODEC.stream_decoder(REQUEST).feed(event(ERROR))
    assert caught.value.response.json() == ERROR
    assert caught.value.body == ERROR["error"]


def test_chunks_of_another_vendor_in_openais_form() -> None:
    """The encoder adds what OpenAI's chunks always have, and ends with `[DONE]`."""
    encoder = CODEC.stream_encoder()
    part = ChunkChoice(index=0, delta=ChoiceDelta(content="é"))
    data = encoder.feed(ChatCompletionChunk(id="x", created=1, model="claude", choices=[part]))
    assert json.loads(data.removeprefix(b"data: ")) == {
        "id": "x",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "claude",
        "choices": [{"index": 0, "delta": {"content": "é"}, "finish_reason": None}],
    }
    assert data.endswith(b"\n\n")
    assert encoder.end() == DONE


def test_lists_of_another_vendor_can_be_joined() -> None:
    """openai's helper joins deltas field by field: what is listed behind the first has its place."""
    encoder = CODEC.stream_encoder()

    def told(finish: str | None = None, **delta: Any) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        chunk = ChatCompletionChunk.model_validate({"id": "x", "created": 1, "model": "m", "choices": [choice]})
        sent: dict[str, Any] = json.loads(encoder.feed(chunk).removeprefix(b"data: "))["choices"][0]["delta"]
        return sent

    def native(*blocks: str) -> dict[str, Any]:
        return {"wire": "anthropic.messages", "content": [{"type": block} for block in blocks]}

    cited, shown = {"type": "url_citation"}, {"type": "image_url"}
    placed = {"type": "reasoning.text", "index": 0}
    assert told(native_content=native("thinking"), reasoning_details=[placed]) == {"reasoning_details": [placed]}
    assert told(content="a", annotations=[cited]) == {"content": "a", "annotations": [cited]}
    assert told(native_content=native("text", "text"), images=[shown]) == {"images": [shown]}
    assert told(annotations=[cited, cited], images=[shown], tool_calls=[]) == {
        "annotations": [{**cited, "index": 1}, {**cited, "index": 2}],
        "images": [{**shown, "index": 1}],
        "tool_calls": [],
    }
    assert told("stop", content="") == {"content": "", "native_content": native("thinking", "text", "text")}


def test_lists_of_servers_of_openai_s_shape_stay_as_they_are() -> None:
    """OpenRouter tells annotations in several pieces, without a place."""
    encoder = CODEC.stream_encoder()
    choice = {"index": 0, "delta": {"annotations": [{"type": "url_citation"}]}}
    chunk = ChatCompletionChunk.model_validate({"id": "x", "created": 1, "model": "m", "choices": [choice]})
    assert encoder.feed(chunk) == encoder.feed(chunk)


def test_linear_in_the_size_of_a_stream() -> None:
    """A long stream in small pieces gives all its chunks."""
    decoder = CODEC.stream_decoder(REQUEST)
    data = A * 2000 + END + DONE
    chunks = [chunk for start in range(0, len(data), 50) for chunk in decoder.feed(data[start : start + 50])]
    assert assemble(chunks + decoder.end()).choices[0].message.content == "a" * 2000
