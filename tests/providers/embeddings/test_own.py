"""What providers of the caller's own may return for embeddings and reranks."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.embeddings.own import embedding_answer, rerank_answer
from edgeagent.types import CreateEmbeddingResponse, RerankResponse
from edgeagent.types.embedding import embedding_request, rerank_request

TWO = embedding_request({"model": "m", "input": ["a", "b"]})
RANK = rerank_request({"model": "m", "query": "q", "documents": ["a", "b"]})
WHOLE = {
    "object": "list",
    "data": [{"object": "embedding", "index": i, "embedding": [float(i), 0.5]} for i in range(2)],
    "model": "own-1",
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}


class Array:
    """What NumPy's arrays have of interest."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def tolist(self) -> Any:
        return self.rows


@pytest.mark.parametrize(
    "value",
    [
        [[0.0, 0.5], [1.0, 0.5]],
        ((0, 0.5), (1, 0.5)),
        Array([[0.0, 0.5], [1.0, 0.5]]),
        [Array([0.0, 0.5]), Array([1.0, 0.5])],
        {"data": [{"embedding": [0.0, 0.5]}, {"embedding": [1.0, 0.5]}]},
        {"data": [{"index": 1, "embedding": [1.0, 0.5]}, {"index": 0, "embedding": [0.0, 0.5]}]},
        {"data": [{"embedding": "AAAAAAAAAD8="}, {"embedding": "AACAPwAAAD8="}]},
    ],
    ids=["lists", "tuples", "array", "arrays", "dict", "out of order", "base64"],
)
def test_vectors_in_any_form(value: Any) -> None:
    """Numbers, in the order of the inputs; the model is the one that was asked for."""
    answer = embedding_answer(value, TWO)
    assert [vector.embedding for vector in answer.data] == [[0.0, 0.5], [1.0, 0.5]]
    assert (answer.model, answer.usage) == ("m", None)


@pytest.mark.parametrize(
    "value",
    [
        WHOLE,
        CreateEmbeddingResponse.model_validate(WHOLE),
        openai.types.CreateEmbeddingResponse.model_validate(WHOLE),
    ],
    ids=["dict", "ours", "openai's"],
)
def test_whole_answers(value: Any) -> None:
    """Model and usage are theirs; nothing is shared with what was returned; base64 where it was asked for."""
    answer = embedding_answer(value, TWO)
    assert answer.to_dict() == WHOLE
    answer.data[0].embedding.append(1.0)  # type: ignore[union-attr]
    assert embedding_answer(value, TWO).to_dict() == WHOLE
    text = embedding_answer(value, TWO.model_copy(update={"encoding_format": "base64"}))
    assert text.data[1].embedding == "AACAPwAAAD8="


@pytest.mark.parametrize(
    "value",
    [None, "text", 3, [], [[1.0]], [[1.0], ["x"]], {"data": 3}, {"data": [3, 4]}, {}, [[float("nan")], [1.0]]],
    ids=repr,
)
def test_what_is_no_answer(value: Any) -> None:
    """A typed error that quotes nothing of it."""
    with pytest.raises(ResponseValidationError, match="not what is documented"):
        embedding_answer(value, TWO)


def test_reranks() -> None:
    """A dict or our object, the best first, independent of what was returned."""
    rows = [{"index": 0, "relevance_score": 0.1}, {"index": 1, "relevance_score": 0.9}]
    ours = RerankResponse.model_validate({"results": rows})
    for value in ({"results": rows}, ours):
        answer = rerank_answer(value, RANK)
        assert [result.index for result in answer.results] == [1, 0]
    assert [result.index for result in ours.results] == [0, 1]
    for wrong in (None, [], {"results": [rows[0], rows[0]]}, {"results": [{"index": 7, "relevance_score": 1}]}):
        with pytest.raises(ResponseValidationError):
            rerank_answer(wrong, RANK)
