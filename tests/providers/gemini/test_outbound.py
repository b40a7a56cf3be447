"""Completions of other vendors, told as Google's answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

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
