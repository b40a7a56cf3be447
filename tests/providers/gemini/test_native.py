"""A body of Google's format passed on: what another vendor's answer left in the conversation."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.providers.gemini.codec import GeminiCodec
from edgeagent.providers.gemini.messages import NO_SIGNATURE

USER = {"role": "user", "parts": [{"text": "?"}]}
CALL = {"functionCall": {"name": "f", "args": {}}}
SNAKE = {"function_call": {"name": "f", "args": {}}}
TEXT = {"text": "A"}
EDIT = "calls without a thought signature sent with the one that skips its check"


def said(*parts: Any) -> dict[str, Any]:
    return {"role": "model", "parts": list(parts)}


def skips(part: dict[str, Any]) -> dict[str, Any]:
    return {**part, "thoughtSignature": NO_SIGNATURE}


@pytest.mark.parametrize(
    ("contents", "sent"),
    [
        ([USER, said(TEXT, CALL, CALL), USER], [USER, said(TEXT, skips(CALL), CALL), USER]),
        ([said(SNAKE), said(CALL)], [said(skips(SNAKE)), said(skips(CALL))]),
        ([said({**CALL, "thoughtSignature": "sig"}, CALL)], None),
        ([said({**SNAKE, "thought_signature": "sig"})], None),
        ([USER, said(TEXT)], None),
        ([{"role": "user", "parts": [CALL]}, {"role": "model"}, "odd", said("odd")], None),
        ("odd", None),
    ],
)
@pytest.mark.parametrize("vertex", [False, True])
def test_calls_of_another_vendor_s_model(contents: Any, sent: Any, *, vertex: bool) -> None:
    """They have no signature: newer models refuse them without the value that says so, older ones know none."""
    codec, body = GeminiCodec(vertex=vertex), {"contents": contents, "more": 1}
    encoded = codec.encode_native(body, model="gemini-3-pro-preview", stream=False)
    assert encoded.body == {**body, "contents": contents if sent is None else sent}
    assert encoded.edits == (() if sent is None else (EDIT,))
    older = codec.encode_native(body, model="models/gemini-2.5-flash", stream=True)
    assert (older.body, older.edits) == (body, ())
