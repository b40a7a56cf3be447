"""Embeddings and reranking of a local model: what needs no model, then llama.cpp itself."""

from __future__ import annotations

import math
import pickle
from collections.abc import Iterator
from pathlib import Path
from struct import pack
from typing import Any

import pytest

from edgeagent.errors import (
    APIConnectionError,
    BadRequestError,
    ConfigurationError,
    ContextWindowExceededError,
    RequestValidationError,
)
from edgeagent.providers.local import Local
from edgeagent.providers.local.embeddings import asked, own_pooling, response_of
from edgeagent.providers.local.engine import RefusedError
from edgeagent.types import CreateEmbeddingResponse, RerankRequest
from edgeagent.types.embedding import embedding_request
from tests.support.local_model import missing, required_model_file

reason = missing()
real = pytest.mark.skipif(reason is not None, reason=reason or "")
SMALL = 128
"""Tokens of context."""


def ask(value: Any, **params: Any) -> Any:
    return embedding_request({"model": "any", "input": value, **params})


def gguf_file(folder: Path, pooling: int | None) -> Path:
    path = folder / "model.gguf"
    key = b"bert.pooling_type"
    pair = b"" if pooling is None else pack("<Q", len(key)) + key + pack("<II", 4, pooling)
    path.write_bytes(b"GGUF" + pack("<IQQ", 3, 0, 1) + pair)
    return path


@pytest.mark.parametrize(
    ("number", "name"), [(None, None), (1, "mean"), (2, "cls"), (3, "last"), (4, "rank"), (0, None)]
)
def test_the_files_own_pooling(tmp_path: Path, number: int | None, name: str | None) -> None:
    """It is told by the metadata; a file of a model that only generates does not tell it."""
    assert own_pooling(gguf_file(tmp_path, number)) == name


def test_a_file_that_ends_within_the_number(tmp_path: Path) -> None:
    """What is cut off says nothing."""
    path = gguf_file(tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-1])
    assert own_pooling(path) is None


def test_an_unknown_pooling_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, with those that there are."""
    monkeypatch.setattr("edgeagent.providers.local.provider.find_spec", lambda name: object())
    with pytest.raises(ConfigurationError, match="pooling must be one of mean, cls, last, rank; got 'max'"):
        Local(gguf_file(tmp_path, None), pooling="max")


def test_scores_are_no_embeddings_and_the_reverse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the file is not made for is refused before it is loaded: the numbers would mean nothing."""
    monkeypatch.setattr("edgeagent.providers.local.provider.find_spec", lambda name: object())
    with pytest.raises(ConfigurationError, match="scores, not embeddings"):
        Local(gguf_file(tmp_path, 4)).embed(ask("a"))
    with pytest.raises(ConfigurationError, match="no model for reranking"):
        Local(gguf_file(tmp_path, 1)).rerank(RerankRequest(model="m", query="q", documents=["a"]))


def test_another_pooling_is_another_cache_identity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its vectors are others."""
    monkeypatch.setattr("edgeagent.providers.local.provider.find_spec", lambda name: object())
    path = gguf_file(tmp_path, None)
    assert Local(path).cache_identity != Local(path, pooling="last").cache_identity


@pytest.mark.parametrize(
    ("text", "status"),
    [('{"data":[]}', 200), ('{"error":{"code":501}}', 501), ('{"error":{"code":7}}', 500), ("[]", 200), ("{", 200)],
)
def test_the_status_of_an_engines_answer(text: str, status: int) -> None:
    """It is in the error, if there is one."""
    assert response_of(text).status_code == status


# llama.cpp itself


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    provider = Local(required_model_file(), context=SMALL, slots=2, threads=1)
    yield provider
    provider.close()


def cosine(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


@real
def test_vectors(local: Local) -> None:
    """One of length 1 for each input, in order; a text is nearer to itself in other words than to something else."""
    texts = ["The cat sleeps on the sofa.", "A cat is sleeping on the couch.", "def f(x): return x ** 2 + 1"]
    answer = local.embed(ask(texts))
    assert isinstance(answer, CreateEmbeddingResponse)
    first, second, third = (vector.floats for vector in answer.data)
    assert [vector.index for vector in answer.data] == [0, 1, 2]
    assert cosine(first, first) == pytest.approx(1, abs=1e-3)
    assert cosine(first, second) > cosine(first, third)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 10
    alone = local.embed(ask(texts[2])).data[0].floats
    assert cosine(alone, third) == pytest.approx(1, abs=1e-3)


@real
def test_base64_and_token_ids(local: Local) -> None:
    """The same vector as text; ids of tokens in place of texts."""
    numbers = local.embed(ask([[5, 6, 7]])).data[0]
    text = local.embed(ask([5, 6, 7], encoding_format="base64")).data[0]
    assert isinstance(text.embedding, str)
    assert cosine(text.floats, numbers.floats) == pytest.approx(1, abs=1e-3)


@real
def test_it_is_loaded_once_and_again_after_closing() -> None:
    """The first request loads, the second does not; closing frees; a copy from a pickle loads for itself."""
    provider = Local(required_model_file(), context=SMALL, threads=1)
    assert provider._pooled is None
    provider.embed(ask("a"))
    assert provider._engine is None, "the model that generates was not needed"
    pooled = provider._pooled
    assert pooled is not None
    engine = pooled.engine()
    provider.embed(ask("b"))
    assert provider._pooled is pooled
    assert pooled.engine() is engine
    provider.close()
    assert not engine.usable
    with pytest.raises(APIConnectionError):
        engine.ask("embeddings", "{}")
    copy = pickle.loads(pickle.dumps(provider))
    assert len(copy.embed(ask("a")).data) == 1
    copy.close()


@real
def test_what_does_not_fit(local: Local) -> None:
    """An input longer than the context is told as such, not as a fault of the server."""
    with pytest.raises(ContextWindowExceededError):
        local.embed(ask("word " * 2 * SMALL))
    assert local.embed(ask("word " * (SMALL // 2))).data


@real
@pytest.mark.parametrize(
    ("params", "param"), [({"dimensions": 8}, "dimensions"), ({"encoding_format": "int8"}, "encoding_format")]
)
def test_what_would_be_ignored_is_refused(local: Local, params: dict[str, Any], param: str) -> None:
    """llama.cpp would take it and do something else."""
    with pytest.raises(RequestValidationError) as caught:
        local.embed(ask("a", **params))
    assert caught.value.param == param


@real
def test_a_refusal_is_typed(local: Local) -> None:
    """Ids beyond the vocabulary."""
    with pytest.raises(BadRequestError):
        local.embed(ask([10**6]))


def test_a_refusal_without_an_answer_is_typed_too() -> None:
    """An exception of the extension is llama.cpp's refusal, as for chat."""

    class Refusing:
        def engine(self) -> Refusing:
            return self

        def ask(self, kind: str, payload: str) -> str:
            raise RefusedError("no", begun=False)

    with pytest.raises(BadRequestError, match="no"):
        asked(Refusing(), "embeddings", {})  # type: ignore[arg-type]


@real
def test_rerank() -> None:
    """Each document once, the best first, at most as many as asked for; its scores are noise here."""
    provider = Local(required_model_file(), context=SMALL, threads=1, pooling="rank")
    answer = provider.rerank(RerankRequest(model="m", query="cats", documents=["a cat", {"text": "a dog"}, "a tree"]))
    assert sorted(result.index for result in answer.results) == [0, 1, 2]
    scores = [result.relevance_score for result in answer.results]
    assert scores == sorted(scores, reverse=True)
    assert answer.usage is not None
    best = provider.rerank(RerankRequest(model="m", query="cats", documents=["a cat", "a dog"], top_n=1))
    assert len(best.results) == 1
    provider.close()
