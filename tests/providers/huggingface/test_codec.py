"""Text generation at Hugging Face's, by its documentation: no record shows an answer of it."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    ContextWindowExceededError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    RequestValidationError,
    ResponseValidationError,
    UnprocessableEntityError,
)
from edgeagent.providers.huggingface import HuggingFaceInference, HuggingFaceInferenceCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse

__all__: list[str] = []

CODEC = HuggingFaceInferenceCodec()
DETAILS = {"finish_reason": "length", "generated_tokens": 2, "seed": 7}
TOKENS = [
    {"id": 1, "text": "a", "logprob": -0.5, "special": False},
    {"id": 2, "text": "b", "logprob": -1, "special": False},
]


def asking(**params: Any) -> ChatRequest:
    return ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": "Once"}], **params})


def completion(value: Any) -> ChatCompletion:
    return CODEC.decode_response(HTTPResponse(200, {"x-request-id": "r"}, json.dumps(value).encode()))


def events(*values: Any) -> bytes:
    return b"".join(f"data:{json.dumps(value)}\n\n".encode() for value in values)


def token(text: str, *, special: bool = False, **more: Any) -> dict[str, Any]:
    return {"index": 1, "token": {"id": 1, "text": text, "logprob": -0.5, "special": special}, **more}


STREAM = events(
    token("a", generated_text=None, details=None),
    token("b"),
    token(
        "</s>", special=True, generated_text="ab", details={**DETAILS, "finish_reason": "eos_token", "input_length": 3}
    ),
)


def streamed(data: bytes, **params: Any) -> list[ChatCompletionChunk]:
    decoder = CODEC.stream_decoder(asking(**params), HTTPResponse(200, {"x-request-id": "r"}))
    return decoder.feed(data) + decoder.end()


def test_request() -> None:
    """Parameters under their names there, others as they are; details are asked for."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}, "strict": True}}
    encoded = CODEC.encode_request(
        asking(
            max_tokens=5, stop="END", top_logprobs=2, response_format=form, top_k=3, options={"wait_for_model": True}
        ),
        model="m",
        stream=True,
    )
    assert encoded.body == {
        "inputs": "Once",
        "parameters": {
            "details": True,
            "return_full_text": False,
            "max_new_tokens": 5,
            "stop": ["END"],
            "top_n_tokens": 2,
            "grammar": {"type": "json", "value": {"type": "object"}},
            "top_k": 3,
        },
        "options": {"wait_for_model": True},
        "stream": True,
    }
    assert len(encoded.promises) == 1
    again = CODEC.encode_request(CODEC.decode_request(encoded.body), model="m", stream=True)
    assert again.body == encoded.body


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"messages": [{"role": "system", "content": "a"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "a"}] * 2}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].type"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"n": 2}, "n"),
    ],
)
def test_refused(params: dict[str, Any], param: str) -> None:
    """It continues one text: a conversation, images and tools have no place."""
    with pytest.raises(RequestValidationError) as caught:
        CODEC.encode_request(asking(**params), model="m", stream=False)
    assert caught.value.param == param


def test_answers() -> None:
    """In a list or alone, with details or without."""
    bare = completion([{"generated_text": "ab"}])
    assert (bare.choices[0].message.content, bare.choices[0].finish_reason) == ("ab", "stop")
    value = {"generated_text": "ab", "details": {**DETAILS, "tokens": TOKENS, "prefill": []}}
    whole = completion(value)
    (choice,) = whole.choices
    assert (choice.finish_reason, choice.native_finish_reason) == ("length", "length")
    assert choice.logprobs is not None
    assert [(t.token, t.logprob) for t in choice.logprobs.content or []] == [("a", -0.5), ("b", -1)]
    assert CODEC.encode_response(whole) == value
    assert CODEC.encode_response(bare) == {"generated_text": "ab"}


def test_streams() -> None:
    """A chunk for each token that is text; the reason and the tokens at the end; the same wherever it is cut."""
    chunks = streamed(STREAM)
    found = assemble(chunks)
    assert (found.choices[0].message.content, found.choices[0].finish_reason) == ("ab", "stop")
    assert found.choices[0].native_finish_reason == "eos_token"
    assert found.usage is not None
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (3, 2)
    assert found.choices[0].logprobs is None
    logprobs = assemble(streamed(STREAM, logprobs=True)).choices[0].logprobs
    assert logprobs is not None
    assert [t.token for t in logprobs.content or []] == ["a", "b", "</s>"]
    for cut in range(len(STREAM)):
        decoder = CODEC.stream_decoder(asking(), HTTPResponse(200, {"x-request-id": "r"}))
        assert decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:]) + decoder.end() == chunks
        if cut < STREAM.index(b"generated_text", STREAM.index(b"</s>")):
            with pytest.raises(APIConnectionError):
                streamed(STREAM[:cut])


def test_streams_there_and_back() -> None:
    """Encoded again, the events say the same."""
    encoder = CODEC.stream_encoder()
    data = b"".join(map(encoder.feed, streamed(STREAM))) + encoder.end()
    assert assemble(streamed(data)) == assemble(streamed(STREAM))


@pytest.mark.parametrize(
    ("status", "body", "cls"),
    [
        (
            422,
            {"error": "Input validation error: `inputs` must have less than 1024 tokens", "error_type": "validation"},
            ContextWindowExceededError,
        ),
        (
            422,
            {"error": "`temperature` must be strictly positive", "error_type": "validation"},
            UnprocessableEntityError,
        ),
        (429, {"error": "Model is overloaded", "error_type": "overloaded"}, RateLimitError),
        (503, {"error": "Model m is currently loading", "estimated_time": 20.0}, OverloadedError),
        (424, {"error": "Request failed during generation", "error_type": "generation"}, APIStatusError),
        (400, {"error": ["Error in `parameters`"]}, APIStatusError),
        (500, "<html>", InternalServerError),
    ],
)
def test_errors(status: int, body: Any, cls: type[APIStatusError]) -> None:
    """By status; an overflow by TGI's words; the type is kept."""
    error = CODEC.decode_error(HTTPResponse(status, content=json.dumps(body).encode()))
    assert isinstance(error, cls)
    if isinstance(body, dict):
        assert error.type == body.get("error_type")
        assert CODEC.encode_error(error).status_code == status


def test_an_error_in_a_stream() -> None:
    """Its type tells the status; what came before it is delivered."""
    decoder = CODEC.stream_decoder(asking())
    data = events(token("a"), {"error": "Model is overloaded", "error_type": "overloaded"})
    assert len(decoder.feed(data)) == 1
    with pytest.raises(RateLimitError, match="overloaded"):
        decoder.end()


@pytest.mark.parametrize(
    "value", [[], {}, [1.5], [[1.5]], {"generated_text": 1}, {"generated_text": "a", "details": 1}]
)
def test_answers_of_other_tasks(value: Any) -> None:
    """Embeddings, scores, nothing: typed errors."""
    with pytest.raises(ResponseValidationError):
        completion(value)
    with pytest.raises(APIError):
        streamed(events(value))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(STREAM)), st.integers(0, 40), st.sampled_from([b"", b"1", b"null", b"[]", b'"x"']))
def test_mutated_streams(place: int, length: int, other: bytes) -> None:
    """Decoded, or a typed error."""
    data = STREAM[:place] + other + STREAM[place + length :]
    with contextlib.suppress(APIError):
        streamed(data)
    with contextlib.suppress(APIError):
        CODEC.decode_response(HTTPResponse(200, content=data.removeprefix(b"data:").strip()))
    assert isinstance(CODEC.decode_error(HTTPResponse(422, content=data)), APIStatusError)


def test_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shared API has a path for each model; any other address is one model's own."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", "hf_secret")
    shared = HuggingFaceInference()
    assert shared.endpoint("org/model") == "https://router.huggingface.co/hf-inference/models/org/model"
    assert shared.api_key == "hf_secret"
    assert shared.auth_headers("hf_secret") == [("authorization", "Bearer hf_secret")]
    own = HuggingFaceInference(base_url="https://x.endpoints.huggingface.cloud/")
    assert own.endpoint("any") == "https://x.endpoints.huggingface.cloud"
    assert own.auth_headers(None) == []
    assert "tools" not in own.capabilities("any").features
