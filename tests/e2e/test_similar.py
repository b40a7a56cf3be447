"""Similar questions through a client of each kind: what is compared, what must be equal, what `edge` says."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from typing import Any

import numpy
import pytest

from edgeagent import EdgeClient
from edgeagent.cache import Cache, ClientEmbedder, SemanticCache
from edgeagent.cache.policy import CacheOptions
from edgeagent.core.semantic import question_of
from edgeagent.errors import DeadlineExceededError
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest
from tests.e2e.harness import Gate, settled, together

__all__: list[str] = []

VECTORS = {
    "What is the capital of France?": [1.0, 0.0, 0.0],
    "France's capital?": [0.98, 0.199, 0.0],
    "What is the capital of Spain?": [0.9, 0.0, 0.436],
}
QUESTION, PARAPHRASE, OTHER = VECTORS


class Embedder:
    """Knows three questions; anything else is a fault of its own."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.fault: Exception | None = None

    def embed(self, texts: Sequence[str], /) -> Any:
        self.asked += texts
        if self.fault is not None:
            raise self.fault
        return [VECTORS[text] for text in texts]


class AsyncEmbedder(Embedder):
    async def embed(self, texts: Sequence[str], /) -> Any:
        return super().embed(texts)


@pytest.fixture(params=[Embedder, AsyncEmbedder])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    made: Embedder = request.param()
    return made


def gate(kind: str, embedder: Embedder, memory: bool = False, **options: Any) -> Gate:
    fake = FakeProvider(["one", "two", "three", "four", "five"], name="fake")
    cache = Cache(memory=memory, semantic=SemanticCache(embedder, **options))
    return Gate(kind, [fake], cache=cache)


async def ask(gate: Gate, prompt: str, **more: Any) -> tuple[str | None, str | None, float | None]:
    answer = await gate.create(prompt, model="fake/m", **more)
    return answer.choices[0].message.content, answer.edge.cache_tier, answer.edge.similarity


async def test_a_paraphrase_gets_the_answer(kind: str, embedder: Embedder) -> None:
    """With its similarity; a question that is too far off is asked."""
    one = gate(kind, embedder)
    assert await ask(one, QUESTION) == ("one", None, None)
    content, tier, similarity = await ask(one, PARAPHRASE)
    assert (content, tier) == ("one", "semantic")
    assert similarity == pytest.approx(0.98, abs=0.001)
    assert await ask(one, OTHER) == ("two", None, None)
    assert await ask(one, QUESTION) == ("one", "semantic", 1.0)


async def test_the_exact_answer_comes_first(kind: str, embedder: Embedder) -> None:
    """Nothing is embedded for it, and a similar answer never becomes an exact one."""
    one = gate(kind, embedder, memory=True)
    for _ in range(2):
        await ask(one, QUESTION)
    assert embedder.asked == [QUESTION]
    for _ in range(2):
        assert (await ask(one, PARAPHRASE))[1] == "semantic"


async def test_what_is_forgotten_by_its_key_does_not_come_back(kind: str, embedder: Embedder) -> None:
    """As the answer to the most similar question of all, which is the same one."""
    one = gate(kind, embedder, memory=True)
    await ask(one, QUESTION)
    params: Any = {"model": "fake/m", "messages": [{"role": "user", "content": QUESTION}]}
    told = await settled(one.client.cache.peek(**params))
    assert await settled(one.client.cache.clear(key=told.key)) == 2
    assert await ask(one, QUESTION) == ("two", None, None)


async def test_everything_else_must_be_equal(kind: str, embedder: Embedder) -> None:
    """Parameters, system prompt, earlier turns, images beside the text."""
    one = gate(kind, embedder)
    await ask(one, QUESTION)
    system = [{"role": "system", "content": "be brief"}, {"role": "user", "content": PARAPHRASE}]
    for other in ({"temperature": 0.5}, {"messages": system}):
        assert (await ask(one, PARAPHRASE, **other))[1] is None
        assert (await ask(one, PARAPHRASE, **other))[1] == "semantic"


async def test_a_verifier_has_the_last_word(kind: str, embedder: Embedder) -> None:
    """It is told both questions, may be sync or async, and is not asked where they are one."""
    told: list[tuple[str, str]] = []

    async def refuses(asked: str, known: str) -> bool:
        told.append((asked, known))
        return False

    one = gate(kind, embedder, verify=refuses)
    await ask(one, QUESTION)
    assert (await ask(one, PARAPHRASE))[1] is None
    assert told == [(PARAPHRASE, QUESTION)]
    assert (await ask(one, PARAPHRASE))[1] == "semantic"
    assert len(told) == 1
    for said, serves in ((True, True), (numpy.float64(1.5) > 1, True), (numpy.bool_(False), False), ("no", False)):
        other = gate(kind, embedder, verify=lambda asked, known, said=said: said)
        await ask(other, QUESTION)
        assert (await ask(other, PARAPHRASE))[1] == ("semantic" if serves else None)


@pytest.mark.parametrize("fault", [RuntimeError("broken"), KeyError("unknown"), TimeoutError()], ids=repr)
async def test_without_vectors_the_provider_answers(
    kind: str, embedder: Embedder, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever the embedder raises is a miss, logged once."""
    one = gate(kind, embedder)
    embedder.fault = fault
    with caplog.at_level(logging.WARNING, "edgeagent.cache"):
        assert (await ask(one, QUESTION))[0] == "one"
        assert (await ask(one, QUESTION))[0] == "two"
    assert len(caplog.records) == 1


async def test_vectors_by_a_client_of_ours(kind: str) -> None:
    """Its `embeddings`, cached as ever: a question that was embedded once is not embedded again."""
    vendor = FakeProvider("-", name="vectors", embeddings=lambda asked: [VECTORS[str(text)] for text in asked.input])
    with EdgeClient(providers=[vendor]) as embedding:
        embedder = ClientEmbedder(embedding, "vectors/small")
        one = gate(kind, embedder, threshold=0.9)  # type: ignore[arg-type]
        assert (await ask(one, QUESTION))[1] is None
        assert (await ask(one, PARAPHRASE))[1] == "semantic"
        assert (await ask(one, PARAPHRASE))[1] == "semantic"
    assert len(vendor.embedding_requests) == 2


async def test_streams_take_part(kind: str, embedder: Embedder) -> None:
    """A streamed question finds an unstreamed answer, and the other way round."""
    one = gate(kind, embedder)
    await one.chunks(QUESTION, model="fake/m")
    assert (await ask(one, PARAPHRASE))[1] == "semantic"
    edge = (await one.chunks(PARAPHRASE, model="fake/m"))[-1].edge
    assert edge.cache_tier == "semantic"
    assert edge.similarity < 1


async def test_modes_and_ages(kind: str, embedder: Embedder) -> None:
    """`read` stores nothing, `off` asks nobody, `refresh` forgets the answer it replaces, `max_age` holds here too."""
    one = gate(kind, embedder)
    await ask(one, QUESTION, edge={"cache": "read"})
    assert (await ask(one, QUESTION, edge={"cache": "off"}))[1] is None
    assert (await ask(one, QUESTION))[1] is None
    assert (await ask(one, PARAPHRASE, edge={"cache": {"max_age": 100}}))[1] == "semantic"
    one.client._engine.pipeline.layers._wall = lambda: 10**12
    assert (await ask(one, PARAPHRASE, edge={"cache": {"max_age": 100, "mode": "read"}}))[1] is None
    asked = len(embedder.asked)
    await ask(one, QUESTION, edge={"cache": "refresh"})
    assert len(embedder.asked) == asked
    assert not len(one.client._engine.pipeline.layers.semantic)


async def test_who_shares_a_similar_answer_is_told_how_near_it_is(kind: str) -> None:
    """Calls at the same moment of which one looks: the answer is to another question for all of them."""
    looks = threading.Event()

    class Slow(Embedder):
        def embed(self, texts: Sequence[str], /) -> Any:
            if PARAPHRASE in texts:
                looks.wait(30)
            return super().embed(texts)

    async with gate(kind, Slow()) as one:
        assert (await ask(one, QUESTION))[0] == "one"
        flights = one.client._engine.pipeline.flights

        async def edge() -> Any:
            return (await one.create(PARAPHRASE, model="fake/m")).edge

        async def let_go() -> Any:
            await one.until(lambda: any(flight._callbacks for flight in list(flights._flights.values())))
            looks.set()

        first, second, _ = await together(kind, [edge, edge, let_go])
    assert sorted([first.coalesced, second.coalesced]) == [False, True]
    assert first.similarity == second.similarity == pytest.approx(0.98, abs=0.001)


async def test_what_is_renewed_is_asked_again(kind: str, embedder: Embedder) -> None:
    """The answer to a similar question renews nothing: the stale one would be given again and again."""
    stale = {"ttl": 0.02, "stale_while_revalidate": 3600}
    async with gate(kind, embedder, memory=True) as one:
        assert await ask(one, QUESTION, edge={"cache": stale}) == ("one", None, None)
        await one.pause(0.03)
        assert await ask(one, PARAPHRASE) == ("two", None, None)
        assert await ask(one, QUESTION, edge={"cache": {**stale, "ttl": 3600}}) == ("one", "memory", None)
        refreshes = one.client._engine.pipeline.layers.refreshes
        await one.until(lambda: refreshes.stats().done)
        assert await ask(one, QUESTION) == ("three", "memory", None)


async def test_a_slow_search_does_not_outlast_a_deadline(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """Many vectors take their time: the call does not."""
    release = threading.Event()

    class Slow(SemanticCache):
        def nearest(self, group: bytes, vector: Sequence[float]) -> Any:
            assert release.wait(60)
            return super().nearest(group, vector)

    cache = Cache(memory=False, semantic=Slow(Embedder()))
    async with Gate(kind, [FakeProvider("one", name="fake")], cache=cache) as one:
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            await ask(one, QUESTION, edge={"deadline": 0.1})
        assert time.monotonic() - began < 30
        release.set()
        assert await ask(one, QUESTION) == ("one", None, None)
        assert (await ask(one, PARAPHRASE))[1] == "semantic"
    assert not caplog.records


async def test_the_deadline_is_the_calls(kind: str) -> None:
    """An embedder that takes too long ends the call like anything else that does."""
    clock = [0.0]

    class Slow(Embedder):
        def embed(self, texts: Sequence[str], /) -> Any:
            clock[0] += 100
            return super().embed(texts)

    one = gate(kind, Slow())
    runtime = one.client._engine.runtime
    one.client._engine.pipeline._clock = lambda: clock[0]
    runtime.sync_driver._clock = runtime.async_driver._clock = lambda: clock[0]
    with pytest.raises(DeadlineExceededError):
        await ask(one, QUESTION, edge={"deadline": 50})


IMAGE = {"type": "image_url", "image_url": {"url": "https://h/a.png"}}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("hello", "hello"),
        ([{"type": "text", "text": "hello"}, IMAGE, {"type": "text", "text": "you"}], "hello\nyou"),
        ("   ", None),
        (None, None),
        ([IMAGE], None),
        ([], None),
    ],
    ids=str,
)
def test_what_is_compared(content: Any, text: str | None) -> None:
    """The text of a last message that is a user's."""
    request = ChatRequest(model="m", messages=[{"role": "user", "content": content}])
    question = question_of(request, b"", b"")
    assert (None if question is None else question.text) == text


def test_who_has_no_question() -> None:
    """A request that ends with somebody else's message, or has none."""
    for messages in ([], [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]):
        assert question_of(ChatRequest(model="m", messages=messages), b"", b"") is None


def test_groups() -> None:
    """Two questions are in one group exactly if nothing but their text differs."""

    def group(content: Any, candidates: bytes = b"c", options: CacheOptions | None = None, **more: Any) -> bytes:
        request = ChatRequest(model="m", messages=[{"role": "user", "content": content}], **more)
        question = question_of(request, candidates, (options or CacheOptions()).fingerprint)
        assert question is not None
        return question.group

    text = {"type": "text", "text": "b"}
    assert group("a") == group("b")
    assert group([{"type": "text", "text": "a"}, IMAGE]) == group([text, IMAGE])
    groups = [
        group("a"),
        group("a", b"d"),
        group("a", seed=1),
        group("a", options=CacheOptions(sample=1)),
        group([text]),
        group([text, IMAGE]),
        group([IMAGE, text]),
        group([text, text, IMAGE]),
    ]
    assert len(set(groups)) == len(groups)
