"""Embedding requests and answers: what is accepted, what is refused and where, base64 bit by bit."""

from __future__ import annotations

import base64
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse as OpenAIAnswer
from openai.types import EmbeddingCreateParams
from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.types import CreateEmbeddingResponse, Embedding, EmbeddingRequest, RerankRequest
from edgeagent.types.embedding import embedding_request, floats_of, rerank_request, text_of

narrow = st.floats(width=32, allow_nan=False, allow_infinity=False)


def test_every_parameter_of_openai_is_a_field() -> None:
    """What openai's own type has, ours has by name."""
    assert EmbeddingCreateParams.__annotations__.keys() <= EmbeddingRequest.model_fields.keys()


@pytest.mark.parametrize(
    ("given_", "items"),
    [
        ("a", ["a"]),
        (["a", "b"], ["a", "b"]),
        (("a", "b"), ["a", "b"]),
        (iter(["a"]), ["a"]),
        ([1, 2], [[1, 2]]),
        ([[1], [2, 3]], [[1], [2, 3]]),
        (([1], (2, 3)), [[1], [2, 3]]),
        ([{"content": [{"type": "text", "text": "a"}]}, "b"], [{"content": [{"type": "text", "text": "a"}]}, "b"]),
    ],
)
def test_all_forms_of_input(given_: Any, items: list[Any]) -> None:
    """One text, several, token ids, lists of such, inputs in parts: each gets one vector."""
    assert embedding_request({"model": "m", "input": given_}).items == items


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"input": "a"}, "model"),
        ({"model": " ", "input": "a"}, "model"),
        ({"model": 1, "input": "a"}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": ""}, "input"),
        ({"model": "m", "input": []}, "input"),
        ({"model": "m", "input": ["a", ""]}, "input[1]"),
        ({"model": "m", "input": [[1], []]}, "input[1]"),
        ({"model": "m", "input": ["a", {"content": []}]}, "input[1].content"),
        ({"model": "m", "input": ["a", 1.5]}, "input[1]"),
        ({"model": "m", "input": [True]}, "input[0]"),
        ({"model": "m", "input": b"a"}, "input"),
        ({"model": "m", "input": "a", "dimensions": 0}, "dimensions"),
        ({"model": "m", "input": "a", "dimensions": "8"}, "dimensions"),
        ({"model": "m", "input": "a", "user": 7}, "user"),
        ({"model": "m", "input": "a", "extra_headers": {"a": 1}}, "extra_headers.a"),
    ],
)
def test_what_is_refused_is_named(params: dict[str, Any], param: str) -> None:
    """A missing, ill-typed or empty value is a typed error that names its place."""
    with pytest.raises(RequestValidationError) as caught:
        embedding_request(params)
    assert caught.value.param == param


def test_nothing_is_shared_and_unknown_ones_are_kept() -> None:
    """The caller's list may change afterwards; vendors' parameters and extra_body are kept; None is absence."""
    texts = ["a"]
    request = embedding_request({"model": "m", "input": texts, "user": None, "x": 1}, {"y": [2], "dimensions": 3})
    texts.append("b")
    assert request.params() == {"model": "m", "input": ["a"], "dimensions": 3, "x": 1, "y": [2]}


def test_headers_and_query_are_no_body() -> None:
    """They travel outside the JSON, and are not shown."""
    request = embedding_request({"model": "m", "input": "a", "extra_headers": {"k": "secret"}, "extra_query": {"q": 1}})
    assert request.params() == {"model": "m", "input": "a"}
    assert "secret" not in repr(request)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"model": "m", "documents": ["a"]}, "query"),
        ({"model": "m", "query": "q", "documents": []}, "documents"),
        ({"model": "m", "query": "q", "documents": ["a"], "top_n": 0}, "top_n"),
        ({"model": "m", "query": "q", "documents": [1]}, "documents[0]"),
    ],
)
def test_rerank_requests_are_checked(params: dict[str, Any], param: str) -> None:
    """The same for reranking."""
    with pytest.raises(RequestValidationError) as caught:
        rerank_request(params)
    assert caught.value.param == param
    assert isinstance(rerank_request({"model": "m", "query": "q", "documents": iter(["a"])}), RerankRequest)


@given(st.lists(narrow))
def test_base64_is_exact(numbers: list[float]) -> None:
    """Floats of 32 bits survive, bit by bit, little-endian."""
    text = text_of(numbers)
    assert base64.b64decode(text) == struct.pack(f"<{len(numbers)}f", *numbers)
    assert [math.copysign(1, n) for n in floats_of(text)] == [math.copysign(1, n) for n in numbers]
    assert floats_of(text) == numbers


@pytest.mark.parametrize("text", ["AAA", "AAAA", "*", "AACAfw==", "AADAfw==", "é"])
def test_what_is_no_vector_is_a_value_error(text: str) -> None:
    """Padding, length, alphabet, infinity, NaN."""
    with pytest.raises(ValueError, match=r"base64|whole number|finite|ASCII"):
        floats_of(text)


def test_numbers_too_large_for_32_bits() -> None:
    """They would become infinite."""
    with pytest.raises(ValueError, match="too large"):
        text_of([1e39])


def test_an_answer_is_openais() -> None:
    """Field names and JSON are those of openai's objects; `edge` is there and in no dump."""
    answer = CreateEmbeddingResponse(
        data=[Embedding(embedding=[0.5, -1], index=0)], model="m", usage={"prompt_tokens": 1, "total_tokens": 1}
    )
    theirs = OpenAIAnswer.model_validate(answer.model_dump())
    assert theirs.model_dump() == answer.model_dump()
    assert answer.edge.cached is False
    assert "edge" not in answer.model_dump()


@pytest.mark.parametrize("vector", [[True], ["1"], [math.nan], [None], None, 3])
def test_a_vector_holds_numbers(vector: Any) -> None:
    """Nothing is turned into a number that is none."""
    with pytest.raises(ValidationError):
        Embedding(embedding=vector, index=0)
