"""The index of the semantic cache: nearest within a group, bounded, right under threads."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache import ClientEmbedder, Embedder, SemanticCache
from edgeagent.errors import ConfigurationError

__all__: list[str] = []

GROUP, OTHER = b"g" * 32, b"h" * 32


class NoEmbedder:
    """The index is given its vectors by the tests."""

    def embed(self, texts: Sequence[str], /) -> list[list[float]]:
        raise AssertionError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def cache(**more: Any) -> SemanticCache:
    return SemanticCache(NoEmbedder(), **more)


def value(found: Any) -> Any:
    return None if found is None else found.value


def test_the_nearest_of_the_group_if_it_is_near_enough() -> None:
    """With its question and its similarity; other groups are other worlds."""
    one = cache(threshold=0.9)
    assert one.nearest(GROUP, [1, 0]) is None
    one.put(GROUP, "east", [2, 0], b"e")
    one.put(GROUP, "north", [0, 5], b"n")
    one.put(OTHER, "north-east", [1, 1], b"ne")
    found = one.nearest(GROUP, [1, 0.1])
    assert found is not None
    assert (found.text, found.value) == ("east", b"e")
    assert found.similarity == pytest.approx(1 / np.hypot(1, 0.1))
    assert one.nearest(GROUP, [1, 1]) is None
    assert value(one.nearest(OTHER, [1, 1])) == b"ne"
    same = one.nearest(GROUP, [3, 0])
    assert same is not None
    assert same.similarity == 1.0


def test_a_question_has_one_answer() -> None:
    """The last; it can be forgotten, and so can everything."""
    one = cache()
    for answer in (b"first", b"second"):
        one.put(GROUP, "q", [1, 0], answer)
    assert (len(one), value(one.nearest(GROUP, [1, 0]))) == (1, b"second")
    one.forget(GROUP, "q")
    one.forget(GROUP, "q")
    assert (len(one), one.nearest(GROUP, [1, 0])) == (0, None)
    one.put(GROUP, "q", [1, 0], b"third")
    one.clear()
    assert (len(one), one.nearest(GROUP, [1, 0]), one._bytes) == (0, None, 0)


def test_answers_have_their_time() -> None:
    """The cache's own, or the one that is said; zero is none."""
    clock = Clock()
    one = cache(ttl=10, clock=clock)
    one.put(GROUP, "a", [1, 0], b"a")
    one.put(GROUP, "b", [0, 1], b"b", ttl=5)
    clock.now = 5.0
    assert (value(one.nearest(GROUP, [1, 0])), one.nearest(GROUP, [0, 1])) == (b"a", None)
    assert len(one) == 1
    one.put(GROUP, "a", [1, 0], b"x", ttl=0)
    assert len(one) == 0


def test_what_was_not_asked_for_goes_first() -> None:
    """When there are too many, or too many bytes."""
    one = cache(max_entries=3)
    vectors = np.eye(5)
    for number in range(3):
        one.put(GROUP, str(number), vectors[number].tolist(), b"v")
    assert one.nearest(GROUP, vectors[0].tolist()) is not None
    one.put(OTHER, "3", vectors[3].tolist(), b"v")
    assert one.nearest(GROUP, vectors[1].tolist()) is None
    assert one.nearest(GROUP, vectors[0].tolist()) is not None
    small = cache(max_bytes=1000)
    for number in range(5):
        small.put(GROUP, str(number), vectors[number].tolist(), b"v" * 400)
    assert (len(small), small._bytes) == (2, 2 * (400 + 1 + 20))


@pytest.mark.parametrize("vector", [[0, 0], [float("nan"), 1], [float("inf"), 1], [[1, 0]], [1, 0, 0], []], ids=str)
def test_what_is_no_vector(vector: Any) -> None:
    """Or one of another model: an error, and nothing is harmed."""
    one = cache()
    one.put(GROUP, "q", [1, 0], b"v")
    with pytest.raises(ValueError, match="vector"):
        one.put(GROUP, "r", vector, b"w")
    with pytest.raises(ValueError, match="vector"):
        one.nearest(GROUP, vector)
    assert value(one.nearest(GROUP, [1, 0])) == b"v"


STEPS = st.lists(
    st.tuples(st.sampled_from(["put", "forget", "ask"]), st.sampled_from([GROUP, OTHER]), st.integers(0, 7)),
    max_size=60,
)


@given(STEPS, st.integers(1, 8))
def test_like_a_list_that_is_searched(steps: list[Any], room: int) -> None:
    """Any operations, against a dict in which every vector is looked at."""
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(8, 4))
    one = cache(threshold=0.3, max_entries=room)
    model: dict[tuple[bytes, int], bytes] = {}
    for turn, (step, group, number) in enumerate(steps):
        if step == "put":
            model.pop((group, number), None)
            model[group, number] = b"%d" % turn
            one.put(group, str(number), vectors[number].tolist(), b"%d" % turn)
            if len(model) > room:
                del model[next(iter(model))]
        elif step == "forget":
            model.pop((group, number), None)
            one.forget(group, str(number))
        else:
            asked = vectors[number]
            cosines = {
                known: float(vectors[known[1]] @ asked / np.linalg.norm(vectors[known[1]]) / np.linalg.norm(asked))
                for known in model
                if known[0] == group
            }
            best = max(cosines, key=lambda known: cosines[known], default=None)
            expected = None if best is None or cosines[best] < 0.3 else model[best]
            assert value(one.nearest(group, asked.tolist())) == expected
            if best is not None and expected is not None:
                model[best] = model.pop(best)
        assert len(one) == len(model)


@pytest.mark.parametrize("again", [False, True])
def test_what_is_cleared_while_it_is_searched_is_not_found(monkeypatch: pytest.MonkeyPatch, again: bool) -> None:
    """Also where the question has another answer by then; the search, which holds no lock, ends as with a miss."""
    one = cache()
    one.put(GROUP, "text", [1.0, 0.0], b"old")
    search = np.argmax

    def clearing(products: Any) -> Any:
        one.clear()
        if again:
            one.put(GROUP, "text", [1.0, 0.0], b"new")
        return search(products)

    monkeypatch.setattr(np, "argmax", clearing)
    assert one.nearest(GROUP, [1.0, 0.0]) is None


def test_threads_share_it() -> None:
    """What is found is always near, and belongs to its question."""
    one = cache(threshold=0.99, max_entries=50)
    vectors = np.random.default_rng(1).normal(size=(200, 8)).astype(np.float32)

    def work(seed: int) -> None:
        mine = random.Random(seed)
        for _ in range(400):
            number = mine.randrange(200)
            one.put(GROUP, str(number), vectors[number].tolist(), b"%d" % number)
            asked = mine.randrange(200)
            found = one.nearest(GROUP, vectors[asked].tolist())
            assert found is None or (found.value == found.text.encode() and found.similarity >= 0.99)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert len(one) == 50


@pytest.mark.parametrize(
    "wrong",
    [{"threshold": 0}, {"threshold": 1.1}, {"max_entries": 0}, {"max_bytes": 0}, {"ttl": 0}, {"ttl": -1}],
    ids=str,
)
def test_senseless_settings_are_refused(wrong: dict[str, Any]) -> None:
    """At once, and so is an embedder that is none."""
    with pytest.raises(ConfigurationError, match="SemanticCache needs 0"):
        cache(**wrong)
    with pytest.raises(ConfigurationError, match="an embedder"):
        SemanticCache(len)  # type: ignore[arg-type]


def test_a_missing_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the extra."""
    monkeypatch.setattr("edgeagent.cache.semantic.find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'edgeagent\[semantic\]'"):
        cache()


class Embeddings:
    """`client.embeddings`, as openai has it."""

    def create(self, *, model: str, input: list[str], encoding_format: str) -> Any:
        items = [type("Item", (), {"embedding": [float(len(text)), 1.0]}) for text in input]
        return type("Answer", (), {"data": items, "model": model})


class AsyncEmbeddings(Embeddings):
    async def create(self, **asked: Any) -> Any:  # type: ignore[override]
        return super().create(**asked)


@pytest.mark.parametrize("kind", [Embeddings, AsyncEmbeddings])
def test_a_client_makes_the_vectors(kind: type[Any]) -> None:
    """Blocking or async: one vector for each text, in order."""
    embedder = ClientEmbedder(type("Client", (), {"embeddings": kind()}), "text-embedding-3-small")
    assert isinstance(embedder, Embedder)
    made: Any = embedder.embed(["ab", "c"])
    if hasattr(made, "__await__"):
        with pytest.raises(StopIteration) as end:
            made.__await__().send(None)
        made = end.value.value
    assert made == [[2.0, 1.0], [1.0, 1.0]]
