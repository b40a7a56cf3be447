"""The key of each input of an embedding request: what counts, what does not, and that nothing runs together."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache.embedding_key import COUNTS, DOES_NOT_COUNT, flight_key, input_keys, shares_entries
from edgeagent.errors import RequestValidationError
from edgeagent.types import EmbeddingRequest
from edgeagent.types.embedding import embedding_request

DIGEST = b"d" * 32

items = st.text(min_size=1, max_size=6) | st.lists(st.integers(0, 99), min_size=1, max_size=4)


def request(value: Any = "text", **params: Any) -> EmbeddingRequest:
    return embedding_request({"model": "m", "input": value, **params})


def key(value: Any = "text", **params: Any) -> bytes:
    (found,) = input_keys(request(value, **params), DIGEST)
    return found


def test_every_field_is_classified() -> None:
    """A new field of the request has to be put into one of the two tables."""
    assert COUNTS.keys() | DOES_NOT_COUNT.keys() == set(EmbeddingRequest.model_fields)
    assert not COUNTS.keys() & DOES_NOT_COUNT.keys()


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=6))
def test_an_input_has_the_same_key_in_any_batch(texts: list[str]) -> None:
    """Alone, as a list of one, or among others."""
    assert input_keys(request(texts), DIGEST) == [key(text) for text in texts] == [key([text]) for text in texts]


@given(items, items)
def test_different_inputs_have_different_keys(one: Any, other: Any) -> None:
    """Texts, and lists of token ids, also those that look alike."""
    one_key, other_key = (key([value]) if isinstance(value, list) else key(value) for value in (one, other))
    assert (one_key == other_key) == (one == other)


@pytest.mark.parametrize(
    "params",
    [
        {"model": "n"},
        {"dimensions": 2},
        {"user": "u"},
        {"input_type": "search_query"},
        {"extra_headers": {"X-Project": "p"}},
        {"extra_query": {"v": 1}},
        {"encoding_format": "ubinary"},
        {"a_vendors_own": 1},
    ],
    ids=str,
)
def test_what_counts(params: dict[str, Any]) -> None:
    """Everything that can change a vector makes another key."""
    assert key(**params) != key()


@pytest.mark.parametrize(
    "params",
    [
        {"encoding_format": "float"},
        {"encoding_format": "base64"},
        {"dimensions": None},
        {"extra_headers": {"TraceParent": "x", "x-stainless-os": "y"}},
        {"extra_headers": {}},
        {"extra_query": {}},
    ],
    ids=str,
)
def test_what_does_not_count(params: dict[str, Any]) -> None:
    """The two forms of numbers share, and so do requests that differ in what only traces."""
    assert key(**params) == key()


def test_the_surroundings_count() -> None:
    """Candidates, policy and routing are part of the key."""
    plain = input_keys(request(), DIGEST)
    assert input_keys(request(), b"e" * 32) != plain
    assert input_keys(request(), DIGEST, b"policy") != plain
    assert input_keys(request(), DIGEST, b"", {"router": "x"}) != plain


def test_a_flight_is_of_the_same_inputs_in_the_same_order() -> None:
    """Order, repetition and number of the inputs matter."""
    a, b = key("a"), key("b")
    assert len({flight_key(keys) for keys in ([a], [b], [a, b], [b, a], [a, a], [a, a, b])}) == 6


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"input": "\ud800"}, "input"),
        ({"input": ["fine", "\ud800"]}, "input[1]"),
        ({"input": [{"content": [{"type": "text", "text": "\ud800"}]}]}, "input[0].content[0].text"),
        ({"input": "x", "own": float("nan")}, "own"),
    ],
    ids=str,
)
def test_what_json_cannot_hold_has_no_key(params: dict[str, Any], param: str) -> None:
    """The error names the place."""
    with pytest.raises(RequestValidationError) as caught:
        input_keys(embedding_request({"model": "m", **params}), DIGEST)
    assert caught.value.param == param


def test_which_forms_share() -> None:
    """Numbers and base64 of them."""
    assert [shares_entries(form) for form in (None, "float", "base64", "int8")] == [True, True, True, False]
