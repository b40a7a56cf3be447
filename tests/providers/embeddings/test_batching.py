"""Splitting and joining: nothing lost, nothing out of order, nothing too large."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.providers.embeddings import Limits, join, split
from edgeagent.providers.embeddings.batching import tokens_at_most
from edgeagent.types import CreateEmbeddingResponse
from edgeagent.types.embedding import embedding_request

texts = st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=30)
token_lists = st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=9), min_size=1, max_size=30)
limits = st.builds(Limits, st.none() | st.integers(1, 12), st.none() | st.integers(1, 40))


@given(texts | token_lists, limits)
def test_parts_are_the_whole(items: list[Any], limit: Limits) -> None:
    """In order, everything once, no part empty or above a limit, no two neighbours that fit in one."""
    request = embedding_request({"model": "m", "input": items, "dimensions": 2, "x": 1})
    parts = split(request, limit)
    assert [item for part in parts for item in part.items] == items
    sizes = [[tokens_at_most(item) for item in part.items] for part in parts]
    for size in sizes:
        assert size
        assert limit.inputs is None or len(size) <= limit.inputs
        assert limit.tokens is None or sum(size) <= limit.tokens or len(size) == 1
    for one, following in itertools.pairwise(sizes):
        full = limit.inputs is not None and len(one) == limit.inputs
        assert full or (limit.tokens is not None and sum(one) + following[0] > limit.tokens)
    assert all(part.model_copy(update={"input": items}) == request for part in parts)


@given(texts, limits)
def test_joined_answers_are_the_answer_to_the_whole(items: list[str], limit: Limits) -> None:
    """Vectors in the order of the inputs, indices counted through, usage summed: as if it had been one request."""
    request = embedding_request({"model": "m", "input": items})
    assert join([answer_to(list(part.items)) for part in split(request, limit)]) == answer_to(items)


def answer_to(items: list[str]) -> CreateEmbeddingResponse:
    count = sum(map(len, items))
    return CreateEmbeddingResponse.model_validate(
        {
            "object": "list",
            "data": [{"embedding": [float(len(t))], "index": i, "t": t} for i, t in enumerate(items)],
            "model": "m",
            "usage": {"prompt_tokens": count, "total_tokens": count, "cost": count, "details": {"n": count}},
            "texts": items,
            "meta": {"billed": {"tokens": count}, "version": 2, "name": "v2", "warm": True},
        }
    )


def test_one_text_is_not_split() -> None:
    """One text, or one text as token ids, is the same request."""
    for value in ("long " * 99, list(range(99))):
        request = embedding_request({"model": "m", "input": value})
        assert split(request, Limits(1, 5)) == [request]


def test_unknown_usage_stays_unknown() -> None:
    """A part of the usage is not told as the whole."""
    known, unknown = answer_to(["a"]), answer_to(["b"]).model_copy(update={"usage": None})
    assert join([known, unknown]).usage is None


def test_nothing_cannot_be_joined() -> None:
    """No answers make no answer."""
    with pytest.raises(ValueError, match="nothing to join"):
        join([])


def test_a_count_of_ones_own() -> None:
    """Who knows the tokenizer says so."""
    request = embedding_request({"model": "m", "input": ["aaaa", "bbbb", "cccc"]})
    assert len(split(request, Limits(tokens=8))) == 2
    assert len(split(request, Limits(tokens=8), lambda item: 1)) == 1
