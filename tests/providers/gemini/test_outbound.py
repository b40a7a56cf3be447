"""Completions of other vendors, told as Google's answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai.types import GenerateContentResponse

from edgeagent.errors import status_error_class
from edgeagent.providers.gemini.codec import GeminiCodec
from edgeagent.types import ChatCompletion
from edgeagent.types.assembly import to_chunks
from edgeagent.wire.http import HTTPResponse

CODEC = GeminiCodec()


def answer(finish: str | None, native: str | None) -> ChatCompletion:
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": finish}
    value = {"id": "c1", "created": 1, "model": "m", "choices": [{**choice, "native_finish_reason": native}]}
    return ChatCompletion.model_validate(value)


@pytest.mark.parametrize(
    ("finish", "native", "word"),
    [
        ("stop", None, "STOP"),
        ("stop", "end_turn", "STOP"),
        ("stop", "LANGUAGE", "LANGUAGE"),
        ("stop", "MODEL_ARMOR", "MODEL_ARMOR"),
        ("content_filter", "RECITATION", "RECITATION"),
        ("stop", "COMPLETE", "STOP"),
        ("stop", "STOP_SEQUENCE", "STOP"),
        ("tool_calls", "TOOL_CALL", "STOP"),
        ("length", "MAX_TOKENS", "MAX_TOKENS"),
        ("length", "LENGTH", "MAX_TOKENS"),
        ("stop", "FINISH", "STOP"),
    ],
)
def test_finish_reasons(finish: str, native: str | None, word: str) -> None:
    """Google's own words stay; those of others in capitals (Cohere's, Titan's) are no words of Google's."""
    completion = answer(finish, native)
    assert CODEC.encode_response(completion)["candidates"][0]["finishReason"] == word
    encoder = CODEC.stream_encoder()
    data = b"".join([*map(encoder.feed, to_chunks(completion)), encoder.end()]).decode()
    last = json.loads(data.strip().split("\r\n\r\n")[-1].removeprefix("data: "))
    assert last["candidates"][0]["finishReason"] == word


@pytest.mark.parametrize(
    ("status", "word"), [(400, "INVALID_ARGUMENT"), (401, "UNAUTHENTICATED"), (500, "INTERNAL"), (502, "INTERNAL")]
)
def test_statuses_of_errors(status: int, word: str) -> None:
    """Another vendor's error has the usual one of Google's words for its status; no data was lost for a 500."""
    error = status_error_class(status)("No.", response=HTTPResponse(status), body=None)
    assert json.loads(CODEC.encode_error(error).content)["error"]["status"] == word


def cite(start: int | None, end: int | None, url: str | None = "https://a.test/") -> dict[str, Any]:
    citation = {"start_index": start, "end_index": end, "url": url, "title": "A"}
    return {"type": "url_citation", "url_citation": citation}


def test_citations_are_told_as_grounding() -> None:
    """Google counts bytes of UTF-8; what reads its answers gets the annotations again, whole and streamed."""
    text = "Größe: 3 m. Mehr."
    annotations = [cite(7, 11), cite(7, 11, "https://b.test/"), cite(7, 11), cite(12, 17), cite(None, None)]
    broken = [cite(5, 99), cite(0, 1, None), {"type": "note"}]
    message = {"role": "assistant", "content": text, "annotations": annotations + broken}
    choices: Any = [{"index": 0, "message": message, "finish_reason": "stop"}]
    completion = ChatCompletion.model_validate({"id": "c1", "created": 1, "model": "m", "choices": choices})
    body = CODEC.encode_response(completion)
    told = body["candidates"][0]["groundingMetadata"]
    assert told == {
        "groundingChunks": [
            {"web": {"uri": "https://a.test/", "title": "A"}},
            {"web": {"uri": "https://b.test/", "title": "A"}},
        ],
        "groundingSupports": [
            {"segment": {"startIndex": 9, "endIndex": 13, "text": "3 m."}, "groundingChunkIndices": [0, 1]},
            {"segment": {"startIndex": 14, "endIndex": 19, "text": "Mehr."}, "groundingChunkIndices": [0]},
        ],
    }
    GenerateContentResponse.model_validate(body)
    encoder = CODEC.stream_encoder()
    data = b"".join([*map(encoder.feed, to_chunks(completion)), encoder.end()]).decode()
    assert json.loads(data.strip().split("\r\n\r\n")[-1][6:])["candidates"][0]["groundingMetadata"] == told
    again = CODEC.decode_response(HTTPResponse(200, content=json.dumps(body).encode())).choices[0].message.annotations
    assert [one.model_dump() for one in again or ()] == [cite(7, 11), cite(7, 11, "https://b.test/"), cite(12, 17)]


@pytest.mark.parametrize("own", ["groundingMetadata", "citationMetadata"])
def test_what_google_said_itself_stays(own: str) -> None:
    """Its metadata is not told a second time in other words."""
    message = {"role": "assistant", "content": "Paris", "annotations": [cite(0, 5)]}
    choice: Any = {"index": 0, "message": message, "finish_reason": "stop", own: {"x": 1}}
    completion = ChatCompletion.model_validate({"id": "c1", "created": 1, "model": "m", "choices": [choice]})
    candidate = CODEC.encode_response(completion)["candidates"][0]
    assert {name: value for name, value in candidate.items() if name.endswith("Metadata")} == {own: {"x": 1}}
