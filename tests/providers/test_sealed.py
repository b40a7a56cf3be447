"""What another vendor signed, carried where a format has its own vendor's signatures."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode, urlsafe_b64encode
from typing import Any

import pytest

from edgeagent.providers import Anthropic, Gemini, VertexAI
from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.gemini.codec import GeminiCodec
from edgeagent.providers.sealed import Sealed, is_seal, seal, unseal

NATIVE = {"wire": "x.y", "content": [{"a": "ü>?~" * 9}, {"b": 1}]}


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_a_seal_comes_back_in_any_alphabet(encode: Any, padded: bool) -> None:
    """Google's SDK reads a signature as bytes, and writes these as it likes."""
    made = encode(b64decode(seal(NATIVE, "text"), validate=True)).decode()
    made = made if padded else made.rstrip("=")
    assert is_seal(made)
    assert unseal(made) == Sealed(NATIVE, "text")


@pytest.mark.parametrize("value", [None, 7, "", "sig", b64encode(b"edgeagent").decode(), NATIVE])
def test_what_is_no_seal(value: Any) -> None:
    """Vendors' own signatures, and anything else."""
    assert not is_seal(value)


@pytest.mark.parametrize("cut", [0, 1, 8, 30])
def test_a_damaged_seal_carries_nothing(cut: int) -> None:
    """Cut off, or with another's bytes in it."""
    made = seal(NATIVE, "")
    beginning = made[: len(made) - 40 - cut]
    assert unseal(beginning) is None
    assert unseal(beginning + "!") is None
    assert unseal(b64encode(b64decode(seal({}, ""))).decode()) is None


SEAL = seal({"wire": "anthropic.messages", "content": [{"type": "thinking", "thinking": "", "signature": "c"}]}, "")
CALL = {"functionCall": {"name": "f", "args": {}}}
GOOGLES = [
    {"role": "user", "parts": [{"text": "?"}]},
    {"role": "model", "parts": [{"text": "a"}, {**CALL, "thoughtSignature": SEAL}]},
    {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {}}}]},
    {"role": "model", "parts": [{"text": "b", "thought_signature": SEAL}]},
    {"role": "model", "parts": [{"text": "", "thoughtSignature": SEAL}]},
    {"role": "model", "parts": [{"text": "c", "thoughtSignature": "own"}]},
]


@pytest.mark.parametrize("provider", [Gemini(api_key="k"), VertexAI(api_key="k")])
@pytest.mark.parametrize("model", ["gemini-2.5-flash", "gemini-3-pro-preview"])
def test_gemini_is_sent_no_other_vendors_signature(provider: Any, model: str) -> None:
    """What is left is what was said; Gemini's own signatures stay. A damaged seal is none of its either."""
    body = {"contents": GOOGLES}
    before = json.dumps(body)
    for given in (body, json.loads(before.replace(SEAL, SEAL[:60]))):
        encoded = provider.codec_for(model).encode_native(given, model=model, stream=False)
        roles = [(content["role"], len(content["parts"])) for content in encoded.body["contents"]]
        assert roles == [("user", 1), ("model", 2), ("user", 1), ("model", 1), ("model", 1)]
        assert SEAL[:60] not in json.dumps(encoded.body)
        assert encoded.body["contents"][-1] == GOOGLES[-1]
        assert "what another vendor signed left out of contents" in encoded.edits
    assert json.dumps(body) == before


BLOCK = {"type": "redacted_thinking", "data": SEAL}
OWN = {"type": "redacted_thinking", "data": "own"}
ANTHROPICS = [
    {"role": "user", "content": "?"},
    {"role": "assistant", "content": [BLOCK, {"type": "text", "text": "a"}, OWN]},
    {"role": "assistant", "content": [BLOCK]},
]


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "kimi-k2"])
def test_no_anthropic_server_is_sent_another_vendors_signature(model: str) -> None:
    """Claude or not; redacted thinking of its own stays."""
    body = {"model": model, "max_tokens": 9, "messages": ANTHROPICS}
    encoded = Anthropic(api_key="k").codec_for(model).encode_native(body, model=model, stream=False)  # type: ignore[attr-defined]
    assert encoded.body["messages"] == [ANTHROPICS[0], {"role": "assistant", "content": ANTHROPICS[1]["content"][1:]}]
    assert encoded.edits == ("what another vendor signed left out of messages",)


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ([[{"text": "hm", "thought": True}], [{"text": "Let me "}], [{"text": "look."}], ["call"]], "Let me look."),
        ([[{"text": "Let me look."}, "call"]], "Let me look."),
        ([["call"]], "Let me look."),
        ([[{"text": "Something else."}, "call"]], "Something else."),
    ],
)
def test_an_answer_that_comes_back_in_pieces_is_one(parts: Any, said: str) -> None:
    """A content for each piece of a stream, or the call alone, of which some SDKs keep no more."""
    sealed = {**CALL, "thoughtSignature": seal(NATIVE, "Let me look.")}
    pieces = [[sealed if part == "call" else part for part in piece] for piece in parts]
    contents = [{"role": "model", "parts": piece} for piece in pieces]
    user = {"role": "user", "parts": [{"text": "?"}]}
    decoded = GeminiCodec().decode_request({"contents": [user, *contents, user, *contents[:-1], user]})
    roles = [message["role"] for message in decoded.messages]
    assert roles == ["user", "assistant", "user", *["assistant"] * (len(contents) - 1), "user"]
    answer = decoded.messages[1]
    assert (answer["content"], answer["native_content"]) == (said, NATIVE)
    assert [call["function"]["name"] for call in answer["tool_calls"]] == ["f"]


def test_a_damaged_seal_leaves_what_was_said() -> None:
    """In both formats."""
    damaged = seal(NATIVE, "a")[:60]
    parts = [{"text": "a", "thoughtSignature": damaged}]
    [message] = GeminiCodec().decode_request({"contents": [{"role": "model", "parts": parts}]}).messages
    assert message == {"role": "assistant", "content": "a"}
    blocks = [{"type": "redacted_thinking", "data": damaged}, {"type": "text", "text": "a"}]
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "assistant", "content": blocks}]}
    [message] = AnthropicMessagesCodec().decode_request(body).messages
    assert message == {"role": "assistant", "content": [{"type": "text", "text": "a"}]}
