"""What no record shows: other forms of requests, vendors' limits, refusals, and answers that are damaged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent.errors import APIError, ContextWindowExceededError, RequestValidationError, ResponseValidationError
from edgeagent.providers.embeddings import EmbeddingCodec, Limits
from edgeagent.providers.embeddings.cohere import CohereEmbeddingCodec
from edgeagent.providers.embeddings.google import GoogleEmbeddingCodec
from edgeagent.providers.embeddings.llamacpp import LlamaCppEmbeddingCodec
from edgeagent.providers.embeddings.ollama import OllamaEmbeddingCodec
from edgeagent.providers.embeddings.openai import (
    COMPATIBLE,
    MISTRAL,
    OPENAI,
    PERPLEXITY,
    VOYAGEAI,
    OpenAIEmbeddingCodec,
)
from edgeagent.providers.embeddings.reading import numbers_in
from edgeagent.providers.embeddings.table import route
from edgeagent.types import EmbeddingRequest
from edgeagent.types.embedding import embedding_request
from edgeagent.wire.http import HTTPResponse
from tests.providers.embeddings.reading import body_of, codec_of
from tests.providers.embeddings.test_recorded import APIS
from tests.support.corpus import body, records

CODECS: dict[str, EmbeddingCodec] = {
    codec.wire: codec
    for codec in (
        *(OpenAIEmbeddingCodec(shape) for shape in (OPENAI, COMPATIBLE, MISTRAL, PERPLEXITY, VOYAGEAI)),
        *(GoogleEmbeddingCodec(form) for form in ("batch", "single", "predict", "vertex")),
        *(CohereEmbeddingCodec(2), CohereEmbeddingCodec(1), OllamaEmbeddingCodec(), OllamaEmbeddingCodec(older=True)),
        LlamaCppEmbeddingCodec(),
    )
}
PICTURE = {"content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}
every_codec = pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)


def ask(value: Any, **params: Any) -> EmbeddingRequest:
    return embedding_request({"model": "m", "input": value, **params})


@pytest.mark.bulk
@every_codec
@given(numbers=st.lists(st.floats(-1, 1, width=16), min_size=1, max_size=5), text=st.text(min_size=1, max_size=9))
def test_both_directions_agree(codec: EmbeddingCodec, numbers: list[float], text: str) -> None:
    """What a vendor's server would read of our request, and we of its answer, is what was meant."""
    request = ask([text])
    built = codec.encode_request(request, model="m").body
    assert list(codec.decode_request({"model": "m", **built}).items) == [text]
    if codec.wire.startswith("perplexity"):
        numbers = [float(round(number * 127)) for number in numbers]
    answer = CODECS["ollama.embeddings"].decode_response(
        HTTPResponse(200, [], json.dumps({"embeddings": [numbers], "prompt_eval_count": 3}).encode()), request
    )
    written = HTTPResponse(200, [], json.dumps(codec.encode_response(answer)).encode())
    again = codec.decode_response(written, request)
    assert again.data[0].embedding == numbers
    assert again.usage is None or again.usage.prompt_tokens == 3


@pytest.mark.parametrize(
    ("wire", "value", "params", "param"),
    [
        ("mistral.embeddings", [1, 2], {}, "input"),
        ("gemini.embeddings.batch", [1, 2], {}, "input"),
        ("vertex.embeddings.predict", [[1]], {}, "input"),
        ("cohere.embeddings.v2", [[1]], {}, "input"),
        ("ollama.embeddings", [1], {}, "input"),
        ("openai.embeddings", ["a", PICTURE], {}, "input[1].content[0]"),
        ("vertex.embeddings.predict", [PICTURE], {}, "input[0].content[0]"),
        ("gemini.embeddings.single", ["a", "b"], {}, "input"),
        ("ollama.embeddings.older", ["a", "b"], {}, "input"),
        ("ollama.embeddings.older", "a", {"dimensions": 3}, "dimensions"),
        ("llamacpp.embeddings", "a", {"dimensions": 3}, "dimensions"),
        ("gemini.embeddings.batch", "a", {"encoding_format": "int8"}, "encoding_format"),
        ("cohere.embeddings.v2", "a", {"encoding_format": "int8"}, "encoding_format"),
    ],
)
def test_what_a_vendor_cannot_be_asked(wire: str, value: Any, params: dict[str, Any], param: str) -> None:
    """It is refused before anything is sent, and named."""
    with pytest.raises(RequestValidationError) as caught:
        CODECS[wire].encode_request(ask(value, **params), model="m")
    assert caught.value.param == param


@pytest.mark.parametrize("said", ["search_query", "query", "RETRIEVAL_QUERY"])
def test_the_purpose_in_every_vendors_word(said: str) -> None:
    """Whoever's word the caller uses; who has no such thing says that it was dropped."""
    request = ask("a", input_type=said)
    encode = {wire: codec.encode_request(request, model="m") for wire, codec in CODECS.items()}
    assert encode["cohere.embeddings.v2"].body["input_type"] == "search_query"
    assert encode["voyageai.embeddings"].body["input_type"] == "query"
    assert encode["gemini.embeddings.batch"].body["requests"][0]["taskType"] == "RETRIEVAL_QUERY"
    assert encode["vertex.embeddings.predict"].body["instances"][0]["task_type"] == "RETRIEVAL_QUERY"
    assert encode["vertex.embeddings.vertex"].body["embedContentConfig"]["taskType"] == "RETRIEVAL_QUERY"
    for wire in ("openai.embeddings", "mistral.embeddings", "ollama.embeddings", "llamacpp.embeddings"):
        assert encode[wire].dropped == ("input_type",)
        assert "input_type" not in encode[wire].body


def test_cohere_is_told_a_purpose() -> None:
    """It must be; what we chose is said."""
    encoded = CODECS["cohere.embeddings.v2"].encode_request(ask("a"), model="m")
    assert encoded.body["input_type"] == "search_document"
    assert any("search_document" in edit for edit in encoded.edits)


def test_pictures() -> None:
    """Alone, and beside text."""
    cohere, gemini = CODECS["cohere.embeddings.v2"], CODECS["gemini.embeddings.batch"]
    alone = cohere.encode_request(ask([PICTURE]), model="m").body
    assert (alone["images"], alone["input_type"]) == (["data:image/png;base64,AAAA"], "image")
    mixed = cohere.encode_request(ask(["a", PICTURE]), model="m").body
    assert mixed["inputs"] == [{"content": [{"type": "text", "text": "a"}]}, PICTURE]
    (one,) = gemini.encode_request(ask([PICTURE]), model="m").body["requests"]
    assert one["content"]["parts"] == [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}]


def test_vectors_of_several_types() -> None:
    """All are kept; the float one is the embedding."""
    said = {"embeddings": {"int8": [[1]], "float": [[0.5]]}, "response_type": "embeddings_by_type"}
    codec = CODECS["cohere.embeddings.v2"]
    answer = codec.decode_response(HTTPResponse(200, [], json.dumps(said).encode()), ask("a"))
    assert answer.data[0].embedding == [0.5]
    assert codec.encode_response(answer) == said


def test_vertex_predict() -> None:
    """Predictions with their statistics; tokens are summed (the form of Google's reference)."""
    said = {
        "predictions": [
            {"embeddings": {"values": [0.5, 1.0], "statistics": {"token_count": n, "truncated": False}}} for n in (2, 3)
        ],
        "metadata": {"billableCharacterCount": 9},
    }
    codec = CODECS["vertex.embeddings.predict"]
    request = ask(["a", "b"], dimensions=2)
    assert codec.encode_request(request, model="m").body["parameters"] == {"outputDimensionality": 2}
    answer = codec.decode_response(HTTPResponse(200, [], json.dumps(said).encode()), request)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 5
    assert codec.encode_response(answer) == said


@pytest.mark.parametrize(
    ("vendor", "chat", "path"),
    [
        ("openai", "/chat/completions", "/embeddings"),
        ("azure.ai.openai", "/deployments/d/chat/completions", "/deployments/d/embeddings"),
        ("openrouter", "/chat/completions", "/embeddings"),
        ("perplexity", "/chat/completions", "/v1/embeddings"),
        ("gcp.gemini", "/v1beta/models/m:generateContent", "/v1beta/models/m:batchEmbedContents"),
        ("gcp.vertex_ai", "/v1/p/models/m:generateContent", "/v1/p/models/m:predict"),
        ("cohere", "/v2/chat", "/v2/embed"),
        ("ollama", "/api/chat", "/api/embed"),
        ("anthropic", "/v1/messages", None),
        ("aws.bedrock", "/model/m/converse", None),
    ],
)
def test_where_embeddings_are(vendor: str, chat: str, path: str | None) -> None:
    """Beside chat; None where there are none."""
    found = route(vendor, "m", chat)
    assert (found.path if found else None) == path


def test_limits() -> None:
    """As documented; the recorded refusal of 257 inputs is Mistral's."""
    assert CODECS["openai.embeddings"].limits("m") == Limits(2048, 300_000)
    assert CODECS["mistral.embeddings"].limits("m") == Limits(256)
    assert CODECS["cohere.embeddings.v2"].limits("m") == Limits(96)
    assert CODECS["vertex.embeddings.predict"].limits("gemini-embedding-001") == Limits(1)


def test_an_input_that_is_too_long() -> None:
    """OpenAI's words for it (it has no code), and llama.cpp's, which come as a fault of the server."""
    for status, message in (
        (400, "This model's maximum context length is 8192 tokens, however you requested 9000 tokens."),
        (500, "input (301 tokens) is too large to process. increase the physical batch size (current: 128)"),
    ):
        content = json.dumps({"error": {"message": message, "type": "x", "code": None}}).encode()
        error = CODECS["openai.embeddings"].decode_error(HTTPResponse(status, [], content))
        assert isinstance(error, ContextWindowExceededError)


@every_codec
@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"{}", b'{"data":[]}', b'{"embeddings":[]}', b'"a"', b"[" * 99999]
)
def test_what_is_no_answer(codec: EmbeddingCodec, content: bytes) -> None:
    """Whatever it is, the error is typed."""
    with pytest.raises(ResponseValidationError):
        codec.decode_response(HTTPResponse(200, [], content), ask("a"))


@every_codec
def test_not_one_vector_for_each_input(codec: EmbeddingCodec) -> None:
    """Too few, too many."""
    answer = CODECS["ollama.embeddings"].decode_response(
        HTTPResponse(200, [], b'{"embeddings":[[1],[2]]}'), ask(["a", "b"])
    )
    if codec.wire in ("gemini.embeddings.single", "vertex.embeddings.vertex", "ollama.embeddings.older"):
        return
    written = HTTPResponse(200, [], json.dumps(codec.encode_response(answer)).encode())
    for texts in (["a"], ["a", "b", "c"]):
        with pytest.raises(ResponseValidationError, match="2 vectors"):
            codec.decode_response(written, ask(texts))


small = [(codec_of(r), body_of(r), r) for api in APIS for r in records(api) if r["status"] == 200][::9]


def shortened(value: Any) -> Any:
    """An answer with vectors of three numbers, so that mutations meet more than numbers."""
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shortened(item) for item in (value[:3] if value and isinstance(value[0], float) else value)]
    return value[:8] if isinstance(value, str) and len(value) > 500 else value


@settings(max_examples=400)
@given(st.data())
def test_damaged_answers_give_typed_errors(data: st.DataObject) -> None:
    """Bytes dropped, doubled, cut; values swapped for others of any type: an answer or a typed error."""
    codec, asked, record = data.draw(st.sampled_from(small))
    request = codec.decode_request(asked)
    raw = json.dumps(shortened(json.loads(body(record)))).encode()
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 12)))
    put = data.draw(st.sampled_from([b"", raw[start:end] * 2, b"null", b'"x"', b"{}", b"[]", b"-1", b"1e999", b"true"]))
    whole = raw[:start] + put + (b"" if data.draw(st.booleans()) and not put else raw[end:])
    try:
        answer = codec.decode_response(HTTPResponse(200, [], whole), request)
    except APIError:
        return
    assert len(answer.data) == len(request.items)


@pytest.mark.parametrize(
    ("counts", "told"),
    [([3, 4.0], [3, 4]), ([None, True, "5"], []), ([float("inf"), float("nan"), 2], [2]), ([10**400], [10**400])],
)
def test_numbers_of_tokens(counts: list[Any], told: list[int]) -> None:
    """What is no number, or has no end, tells nothing; it ended the call with an `OverflowError`."""
    assert numbers_in(counts) == told


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    [
        *("model", "input", "texts", "images", "inputs", "prompt", "content", "requests", "instances", "parameters"),
        *("dimensions", "output_dimension", "taskType", "embedContentConfig", "encoding_format", "input_type"),
    ]
)


@settings(max_examples=300)
@given(st.sampled_from(list(CODECS.values())), st.dictionaries(FIELDS, JSON, max_size=5))
def test_any_body_of_a_request(codec: EmbeddingCodec, asked: dict[str, Any]) -> None:
    """It is a request or a typed refusal."""
    try:
        request = codec.decode_request(asked)
        codec.encode_request(request, model="m")
    except RequestValidationError:
        return
    assert request.items
