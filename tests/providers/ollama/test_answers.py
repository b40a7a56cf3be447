"""Ollama's answers, streams and errors: the cases that no record shows."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    ResponseValidationError,
)
from edgeagent.providers.document import DocumentDecoder
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.ollama.support import CODEC, answer, asking, completion, lines, streamed

__all__: list[str] = []


def piece(**message: Any) -> dict[str, Any]:
    return {**answer(), "done": False, "message": {"role": "assistant", "content": "", **message}}


def test_ids_are_made_and_stay() -> None:
    """The same answer gives the same ids however often it is read, another one others."""
    calls = [{"function": {"name": "f", "arguments": {}}}, {"function": {"name": "f", "arguments": {}}}]
    first, again = (completion({"content": "", "tool_calls": calls}) for _ in range(2))
    other = completion({"tool_calls": calls}, created_at="2026-01-02T03:04:06Z")
    ids = [call.id for call in first.choices[0].message.tool_calls or []]
    assert first == again
    assert len({*ids, *(call.id for call in other.choices[0].message.tool_calls or [])}) == 4
    assert first.id != other.id


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("1970-01-01T00:00:10Z", 10),
        ("1970-01-01T01:00:10.123456789+01:00", 10),
        ("1969-12-31T23:00:10-01:00", 10),
        ("yesterday", 0),
        ("2026-99-01T00:00:00Z", 0),
    ],
)
def test_when_it_was_created(told: str, seconds: int) -> None:
    """In seconds since the epoch, from any offset; 0 where it is no time."""
    assert completion(created_at=told).created == seconds


@pytest.mark.parametrize(
    ("reason", "calls", "finish"),
    [
        ("stop", False, "stop"),
        ("length", False, "length"),
        ("length", True, "length"),
        ("load", False, "stop"),
        (None, True, "tool_calls"),
        (None, False, "stop"),
    ],
)
def test_finish_reasons(reason: str | None, calls: bool, finish: str) -> None:
    """Ollama's word is kept; a cut tool call is not called."""
    message = {"tool_calls": [{"function": {"name": "f", "arguments": {}}}]} if calls else {}
    choice = completion(message, done_reason=reason).choices[0]
    assert (choice.finish_reason, choice.native_finish_reason) == (finish, reason)


def test_unknown_fields_stay() -> None:
    """On the completion; those of the message as native content, whole and streamed."""
    told = {"images": ["AAAA"]}
    whole = completion(told, remote_model="gpt-oss:120b")
    parts = assemble(streamed(lines(piece(**told), answer(remote_model="gpt-oss:120b"))))
    for found in (whole, parts):
        assert found.remote_model == "gpt-oss:120b"  # type: ignore[attr-defined]
        assert found.choices[0].message.native_content == {"wire": "ollama.chat", "content": [told]}
    assert CODEC.encode_response(whole)["message"]["images"] == ["AAAA"]


def test_lines_where_one_document_was_asked_for() -> None:
    """A proxy that streams all the same is understood; half a stream is no answer."""
    data = lines(piece(content="Hel"), piece(content="lo"), answer({"content": ""}))
    assert CODEC.decode_response(HTTPResponse(200, content=data)).choices[0].message.content == "Hello"
    with pytest.raises(ResponseValidationError):
        CODEC.decode_response(HTTPResponse(200, content=lines(piece(content="Hel"), piece(content="lo"))))


def test_one_document_where_a_stream_was_asked_for() -> None:
    """It is decoded as what it is."""
    head = HTTPResponse(200, {"content-type": "application/json; charset=utf-8"})
    decoder = CODEC.stream_decoder(asking(), head)
    assert isinstance(decoder, DocumentDecoder)
    chunks = decoder.feed(json.dumps(answer(), indent=1).encode()) + decoder.end()
    assert assemble(chunks).choices[0].message.content == "Hello"


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        {"message": None, "done": True},
        {"message": {"content": 1}, "done": True},
        {"message": {"tool_calls": [1]}, "done": True},
        {"message": {"tool_calls": {}, "content": "a"}, "done": False},
        {"message": {"tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}, "done": True},
        {"message": {"content": "a"}, "done": True, "eval_count": "1"},
        {"message": {"content": "a"}, "done": True, "eval_count": True},
        {"message": {"content": "a"}, "done": True, "logprobs": [{"token": 1}]},
        {"message": {"content": "a"}, "done": True, "done_reason": 1},
        {"message": {"content": "a"}, "done": True, "model": 1},
    ],
)
def test_answers_that_are_none(document: Any) -> None:
    """Each is a typed error, whole and in a stream."""
    data = json.dumps(document).encode()
    with pytest.raises(ResponseValidationError):
        CODEC.decode_response(HTTPResponse(200, content=data))
    with pytest.raises(APIError):
        streamed(data + b"\n")


@pytest.mark.parametrize("content", [b"", b"null", b"{", b"<html>", b"\xff\xfe", b"[" * 100_000])
def test_bodies_that_are_none(content: bytes) -> None:
    """Each is a typed error."""
    with pytest.raises(ResponseValidationError):
        CODEC.decode_response(HTTPResponse(200, content=content))
    with pytest.raises(APIError):
        streamed(content)


def test_a_stream_that_breaks_off() -> None:
    """Between lines, and in the middle of one."""
    for data in (b"", lines(piece(content="a")), lines(piece(content="a")) + b'{"mess'):
        with pytest.raises(APIConnectionError):
            streamed(data)


def test_what_came_before_a_fault_is_delivered() -> None:
    """The error line is raised by the call after, however the bytes come."""
    data = lines(piece(content="a"), {"error": "an error was encountered while running the model"})
    decoder = CODEC.stream_decoder(asking())
    assert [chunk.choices[0].delta.content for chunk in decoder.feed(data)] == ["a"]
    for call in (lambda: decoder.feed(b"x"), decoder.end):
        with pytest.raises(InternalServerError, match="an error was encountered"):
            call()


@pytest.mark.parametrize(
    ("text", "cls"),
    [
        ("model 'x' not found", NotFoundError),
        ("registry.ollama.ai/library/x does not support tools", BadRequestError),
        ("the prompt is too long; it exceeds the model's context length", ContextWindowExceededError),
        ("input length exceeds the context length", ContextWindowExceededError),
        ("server busy, please try again.  maximum pending requests exceeded", OverloadedError),
        ("llama runner process has terminated", InternalServerError),
    ],
)
def test_errors_inside_an_answer(text: str, cls: type[APIStatusError]) -> None:
    """They have no status: the text tells the class, and the class the status."""
    with pytest.raises(cls) as caught:
        streamed(lines({"error": text}))
    with pytest.raises(cls):
        CODEC.decode_response(HTTPResponse(200, content=json.dumps({"error": text}).encode()))
    assert type(caught.value) is cls
    assert caught.value.status_code == cls.default_status
    assert caught.value.message == text


@pytest.mark.parametrize(
    ("status", "content", "cls", "message"),
    [
        (400, b'{"error":"registry.ollama.ai/library/x does not support tools"}', BadRequestError, "does not support"),
        (401, b'{"error":"unauthorized","signin_url":"https://ollama.com/connect"}', AuthenticationError, "unauthor"),
        (429, b'{"error":"too many requests"}', RateLimitError, "too many"),
        (500, b'{"StatusCode":500,"error":"model runner has unexpectedly stopped"}', InternalServerError, "runner"),
        (503, b'{"error":"server busy"}', OverloadedError, "busy"),
        (502, b"<html><title>502 Bad Gateway</title>", InternalServerError, "HTML page: 502 Bad Gateway"),
        (500, b"", InternalServerError, "without a body"),
        (404, b"404 page not found", NotFoundError, "404 page not found"),
        (400, b'{"error":{"message":"invalid"}}', BadRequestError, "invalid"),
        (400, b"[1,2]", BadRequestError, "HTTP 400"),
    ],
)
def test_errors(status: int, content: bytes, cls: type[APIStatusError], message: str) -> None:
    """By status; any body will do."""
    error = CODEC.decode_error(HTTPResponse(status, {"retry-after": "3"}, content))
    assert type(error) is cls
    assert message in error.message
    if isinstance(error, RateLimitError):
        assert error.retry_after == 3
        assert CODEC.encode_error(error).headers["retry-after"] == "3"


def test_a_stream_of_another_vendor_is_encoded() -> None:
    """Fragments of a call are one call, at the end; usage and the reason come with the last line."""
    calls = [{"id": "call_9", "function": {"name": "f", "arguments": {"a": 1}}}]
    encoder = CODEC.stream_encoder()
    data = b"".join(
        map(encoder.feed, streamed(lines(piece(content="a"), answer({"content": "", "tool_calls": calls}))))
    )
    told = [json.loads(line) for line in (data + encoder.end()).splitlines()]
    assert [line["message"].get("tool_calls") for line in told] == [
        None,
        [{"id": "call_9", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}}],
        None,
    ]
    assert (told[-1]["done"], told[-1]["done_reason"]) == (True, "stop")


def test_time_is_linear() -> None:
    """30 000 lines in one piece, and one line of 10 MB in small pieces."""
    began = time.process_time()
    data = lines(piece(content="a"))
    chunks = streamed(data * 30_000 + lines(answer({"content": ""})))
    assert len(chunks) == 30_001
    decoder = CODEC.stream_decoder(asking())
    large = lines(answer({"content": "x" * 10_000_000}))
    for start in range(0, len(large), 1000):
        chunks = decoder.feed(large[start : start + 1000])
    assert len(assemble(chunks).choices[0].message.content or "") == 10_000_000
    assert time.process_time() - began < 60
