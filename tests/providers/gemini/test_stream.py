"""The stream decoder and encoder, beyond what was recorded."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    ContentFilterError,
    OverloadedError,
    RateLimitError,
    ResponseValidationError,
)
from edgeagent.types import ChatCompletionChunk
from edgeagent.types.assembly import assemble
from tests.providers.gemini.support import chunks_of, codec
from tests.support.timing import cpu_seconds

END = {"candidates": [{"finishReason": "STOP"}], "responseId": "r", "modelVersion": "m"}


def said(*parts: Any, **candidate: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts), "role": "model"}, **candidate}], "responseId": "r"}


def sse(*documents: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(document).encode() + b"\r\n\r\n" for document in documents)


def both(*documents: Any) -> list[bytes]:
    return [sse(*documents), json.dumps(list(documents)).encode()]


def outcome(data: list[bytes]) -> tuple[list[ChatCompletionChunk], str]:
    """The chunks, and what went wrong in the end."""
    decoder = codec().stream_decoder(None)  # type: ignore[arg-type]  # the request is not looked at
    chunks: list[ChatCompletionChunk] = []
    try:
        for piece in data:
            chunks += decoder.feed(piece)
        chunks += decoder.end()
    except APIError as error:
        return chunks, f"{type(error).__name__}: {error.message}"
    return chunks, ""


@pytest.mark.parametrize("data", both({"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}))
def test_an_error_in_the_stream(data: bytes) -> None:
    """An error document under a status of 200 is the typed error."""
    with pytest.raises(OverloadedError, match="busy"):
        chunks_of([data])


@pytest.mark.parametrize("data", both(said({"text": "a"}), {"error": {"message": "x", "status": "RESOURCE_EXHAUSTED"}}))
def test_what_came_before_an_error_is_delivered_first(data: bytes) -> None:
    """Wherever the bytes are cut."""
    chunks, fault = outcome([data])
    assert assemble(chunks).choices[0].message.content == "a"
    assert fault.startswith(RateLimitError.__name__)
    assert outcome([data[i : i + 1] for i in range(len(data))]) == (chunks, fault)


@pytest.mark.parametrize("lead", [b"", b"data: " + json.dumps(END).encode() + b"\n"])
def test_an_error_behind_the_events(lead: bytes) -> None:
    """Google writes it as bare JSON over several lines, which are no events; it is the typed error all the same."""
    error = {"error": {"code": 429, "message": "quota", "status": "RESOURCE_EXHAUSTED"}}
    for raw in (json.dumps(error, indent=2).encode(), json.dumps([error]).encode()):
        data = sse(said({"text": "a"})) + lead + raw
        chunks, fault = outcome([data])
        assert assemble(chunks).choices[0].message.content == "a"
        assert fault == f"{RateLimitError.__name__}: quota"
        assert outcome([data[i : i + 1] for i in range(len(data))]) == (chunks, fault)


@pytest.mark.parametrize(
    ("rest", "kind"), [(b'{"error": {', APIConnectionError), (b"[7]", ResponseValidationError), (b"{} x", APIError)]
)
def test_what_is_broken_behind_the_events(rest: bytes, kind: type[APIError]) -> None:
    """What came before it is delivered first."""
    chunks, fault = outcome([sse(said({"text": "a"})) + rest])
    assert assemble(chunks).choices[0].message.content == "a"
    with pytest.raises(kind):
        chunks_of([sse(said({"text": "a"})) + rest])
    assert fault


@pytest.mark.parametrize("data", both(said({"text": "a"})))
def test_an_end_without_a_reason(data: bytes) -> None:
    """A stream whose candidate has no finish reason was cut."""
    with pytest.raises(APIConnectionError):
        chunks_of([data])


@pytest.mark.parametrize(
    "data", [b"", b"[", b"[]", b": ping\n\n", b"[" + json.dumps(said({"text": "a"}, finishReason="STOP")).encode()]
)
def test_streams_that_were_cut(data: bytes) -> None:
    """An end before the format's own is a connection error."""
    with pytest.raises(APIConnectionError):
        chunks_of([data])


@pytest.mark.parametrize(
    "data",
    [
        b"<html>",
        b"[1]",
        b"[[]]",
        b'[{"a":}]',
        b"{} x",
        b'[{"candidates":[]}]',
        b'{"candidates":7}',
        sse([]),
        sse(said(7)),
    ],
)
def test_what_is_no_answer(data: bytes) -> None:
    """Bytes of another form are an invalid answer."""
    with pytest.raises(ResponseValidationError):
        chunks_of([data])


@pytest.mark.parametrize("data", both({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, "usageMetadata": {}}))
def test_a_blocked_prompt(data: bytes) -> None:
    """It is a refused request, as OpenAI-shaped callers know it."""
    with pytest.raises(ContentFilterError) as caught:
        chunks_of([data])
    assert (caught.value.code, caught.value.type, caught.value.status_code) == (
        "content_filter",
        "PROHIBITED_CONTENT",
        400,
    )


def test_one_answer_where_a_stream_was_asked_for() -> None:
    """A single object is read as the whole stream."""
    answer = assemble(chunks_of([json.dumps(said({"text": "whole"}, finishReason="STOP")).encode()]))
    assert answer.choices[0].message.content == "whole"


def test_several_candidates_and_calls() -> None:
    """Choices are told apart by their index; ids differ."""
    call = {"functionCall": {"name": "f", "args": {"x": 1}}}
    first = {"candidates": [{"index": 1, "content": {"parts": [call, call]}}, {"content": {"parts": [{"text": "a"}]}}]}
    last = {"candidates": [{"index": 0, "finishReason": "MAX_TOKENS"}, {"index": 1, "finishReason": "STOP"}]}
    answer = assemble(chunks_of([sse(first, last)]))
    assert [choice.finish_reason for choice in answer.choices] == ["length", "tool_calls"]
    calls = answer.choices[1].message.tool_calls or []
    assert len({one.id for one in calls}) == 2


def test_audio_and_images() -> None:
    """Pieces of audio, each with its own padding, are one base64; images are parts of the message."""
    pieces = [b"ab", b"cdefg", b"h"]
    audio = [{"inlineData": {"mimeType": "audio/L16;rate=24000", "data": base64.b64encode(p).decode()}} for p in pieces]
    image = {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}
    documents = [*(said(part) for part in audio), said(image), END]
    message = assemble(chunks_of([sse(*documents)])).choices[0].message
    assert message.audio is not None
    assert base64.b64decode(message.audio.data or "") == b"".join(pieces)
    assert message.model_extra is not None
    assert message.model_extra["images"] == [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]
    whole = codec().decode_response(_response(said(*audio, image, finishReason="STOP"))).choices[0].message
    assert (whole.audio, whole.content, whole.model_extra) == (message.audio, None, message.model_extra)


def test_positions_are_in_characters() -> None:
    """The vendor counts bytes, the annotations characters."""
    text = "Größe: 3 m. Ende"
    start, end = (len(text[:i].encode()) for i in (7, 11))
    support = {"segment": {"startIndex": start, "endIndex": end, "text": "3 m."}, "groundingChunkIndices": [0]}
    metadata = {"groundingChunks": [{"web": {"uri": "https://x", "title": "X"}}], "groundingSupports": [support]}
    documents = [said({"text": text[:5]}), said({"text": text[5:]}, groundingMetadata=metadata, finishReason="STOP")]
    [note] = assemble(chunks_of([sse(*documents)])).choices[0].message.annotations or []
    assert note.url_citation is not None
    assert (note.url_citation.start_index, note.url_citation.end_index) == (7, 11)


def _response(document: Any) -> Any:
    from edgeagent.wire.http import HTTPResponse

    return HTTPResponse(200, content=json.dumps(document).encode())


@pytest.mark.parametrize("kind", [0, 1])
def test_time_is_linear(kind: int) -> None:
    """Four times the bytes take about four times as long: one long line, and many tiny pieces."""

    def seconds(size: int) -> float:
        data = both(said({"text": 'x"\\' * size}), *[said({"text": "y"})] * (size // 50), END)[kind]
        pieces = [data[i : i + 4096] for i in range(0, len(data), 4096)]
        return cpu_seconds(lambda: chunks_of(pieces))

    assert seconds(80_000) < 10 * seconds(20_000) + 0.05


# encoding


def encoded(chunks: list[ChatCompletionChunk]) -> list[dict[str, Any]]:
    encoder = codec().stream_encoder()
    data = b"".join([*(encoder.feed(chunk) for chunk in chunks), encoder.end()]).decode()
    return [json.loads(line[6:]) for line in data.split("\r\n") if line]


def test_fragments_of_calls_are_one_call() -> None:
    """Arguments are sent when they are whole."""
    deltas = [
        {"role": "assistant", "content": "hm"},
        {"tool_calls": [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": '{"a"'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]},
    ]
    chunks = [
        ChatCompletionChunk.model_validate(
            {"id": "i", "created": 0, "model": "m", "choices": [{"index": 0, "delta": d}]}
        )
        for d in deltas
    ]
    first, last = encoded(chunks)
    assert first["candidates"][0]["content"]["parts"] == [{"text": "hm"}]
    [part] = last["candidates"][0]["content"]["parts"]
    assert part == {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}}


def test_a_signature_behind_text_that_was_sent() -> None:
    """It comes in an empty part, and the text is not told twice."""
    data = sse(said({"text": "ab"}), said({"text": "c", "thoughtSignature": "s"}, finishReason="STOP"))
    sent = [part for document in encoded(chunks_of([data])) for part in document["candidates"][0]["content"]["parts"]]
    assert "".join(part["text"] for part in sent) == "abc"
    assert [part.get("thoughtSignature") for part in sent if "thoughtSignature" in part] == ["s"]


# Arguments in pieces


def piece(path: str, *, more: bool = True, **value: Any) -> dict[str, Any]:
    return {"functionCall": {"partialArgs": [{"jsonPath": path, **value}], **({"willContinue": True} if more else {})}}


NAMED = {"functionCall": {"name": "f", "id": "c1", "willContinue": True}, "thoughtSignature": "c2ln"}
PIECES: list[tuple[list[Any], list[tuple[str, Any]]]] = [
    (
        [NAMED, piece("$.a", stringValue="Bos"), piece("$.a", stringValue="ton"), {"functionCall": {}}],
        [("f", {"a": "Boston"})],
    ),
    ([NAMED, piece("$.a", numberValue=1), piece("$.b", boolValue=True, more=False)], [("f", {"a": 1, "b": True})]),
    (
        [NAMED, piece("$.a", nullValue="NULL_VALUE"), piece("$.b[0].c", stringValue="x", more=False)],
        [("f", {"a": None, "b": [{"c": "x"}]})],
    ),
    ([NAMED, piece("$.b[0]", numberValue=1), piece("$.b[1]", numberValue=2, more=False)], [("f", {"b": [1, 2]})]),
    (
        [NAMED, piece("$['a b']['c\\'d']", stringValue="x"), piece('$["e.f"]', stringValue="y", more=False)],
        [("f", {"a b": {"c'd": "x"}, "e.f": "y"})],
    ),
    (
        [
            {"functionCall": {"name": "f", "args": {"b": [1, 2]}, "willContinue": True}},
            piece("$.b[0]", numberValue=3, more=False),
        ],
        [("f", {"b": [3, 2]})],
    ),
    ([NAMED, {"functionCall": {}}], [("f", {})]),
    ([NAMED, piece("$.a", stringValue="cut")], [("f", {"a": "cut"})]),
    (
        [NAMED, piece("$.a", numberValue=1), {"functionCall": {"name": "g", "id": "c2", "args": {"x": 1}}}],
        [("f", {"a": 1}), ("g", {"x": 1})],
    ),
    (
        [
            {"functionCall": {"name": "f", "id": "c1", **piece("$.a", stringValue="San ")["functionCall"]}},
            {"text": "meanwhile"},
            {"functionCall": {"name": "f", "id": "c1", **piece("$.a", stringValue="Jose", more=False)["functionCall"]}},
            {"functionCall": {"name": "h", "args": {}}},
        ],
        [("f", {"a": "San Jose"}), ("h", {})],
    ),
    ([{"functionCall": {}}, {"text": "nothing was open"}], []),
]


@pytest.mark.parametrize(("parts", "calls"), PIECES)
def test_arguments_in_pieces(parts: list[Any], calls: list[tuple[str, Any]]) -> None:
    """Pieces by a path are one call with its arguments, whether a piece stands alone in a document or not."""
    for data in (*both(*(said(part) for part in parts), END), *both(said(*parts), END)):
        choice = assemble(chunks_of([data])).choices[0]
        told = [(call.function.name, json.loads(call.function.arguments)) for call in choice.message.tool_calls or ()]
        assert told == calls
        assert choice.finish_reason == ("tool_calls" if calls else "stop")
    if parts[0] is NAMED:
        native = choice.message.native_content
        assert native["content"][0] == {
            "functionCall": {"id": "c1", "name": "f", "args": calls[0][1]},
            "thoughtSignature": "c2ln",
        }


@pytest.mark.parametrize(
    "parts",
    [
        [piece("$.a", stringValue="nameless", more=False)],
        [NAMED, piece("a", stringValue="no root", more=False)],
        [NAMED, piece("$", stringValue="nothing", more=False)],
        [NAMED, piece("$.a[", stringValue="x", more=False)],
        [NAMED, piece("$..a", stringValue="x", more=False)],
        [NAMED, piece("$" + ".a" * 3000, stringValue="x", more=False)],
        [NAMED, piece("$" + ".a" * 100, stringValue="x", more=False)],
        [NAMED, piece("$.a[999999999]", stringValue="a hole", more=False)],
        [NAMED, piece("$.a", numberValue=1), piece("$.a.b", numberValue=1, more=False)],
        [NAMED, piece("$.a", stringValue=3, more=False)],
        [NAMED, {"functionCall": {"partialArgs": 3}}],
        [NAMED, {"functionCall": {"partialArgs": [3]}}],
        [{"functionCall": {"name": 3, "willContinue": True}}, {"functionCall": {}}],
    ],
)
def test_pieces_that_cannot_be_put_together(parts: list[Any]) -> None:
    """What is not the documented form is a typed error, and no list grows to where a path says."""
    with pytest.raises(ResponseValidationError):
        chunks_of([sse(*(said(part) for part in parts), END)])


def test_arguments_in_many_pieces_are_linear() -> None:
    """Four times the pieces of one string take about four times as long."""

    def run(count: int) -> float:
        data = sse(said(NAMED), *[said(piece("$.a", stringValue="x" * 50))] * count, END)
        return cpu_seconds(lambda: chunks_of([data]))

    few = run(500)
    assert run(2000) < 10 * few + 0.05
