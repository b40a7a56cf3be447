"""The life of an embedding call, without I/O: effects are scripted, time stands still unless somebody waits."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent import errors as e
from edgeagent.cache.entry import decode_entry, encode_entry
from edgeagent.cache.memory import MemoryCache
from edgeagent.cache.policy import CacheOptions
from edgeagent.core.call import CallOptions
from edgeagent.core.embedding import Embeddings
from edgeagent.core.retry import RetryPolicy
from edgeagent.effects import Join, Offload, Scope
from edgeagent.providers import OpenAI
from edgeagent.routing.failover import FailoverRouter
from edgeagent.telemetry.base import CallStarted
from edgeagent.testing import FakeProvider
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest, EmbeddingUsage
from edgeagent.types.embedding import embedding_request, floats_of
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from tests.core.test_pipeline import Far, House
from tests.core.world import World

ONCE = RetryPolicy.of(0)


class Embedder:
    """A provider that only embeds: the length of a text, and its own number."""

    def __init__(self, name: str = "e", number: float = 0.5, says: str | None = None) -> None:
        self.name = name
        self.number = number
        self.says = says
        self.asked: list[list[Any]] = []
        self.error: Exception | None = None
        self.during: Callable[[], None] | None = None

    def embed(self, request: EmbeddingRequest) -> dict[str, Any]:
        self.asked.append(list(request.items))
        if self.during is not None:
            self.during()
        if self.error is not None:
            raise self.error
        tokens = sum(len(item) for item in request.items)
        found: dict[str, Any] = {
            "data": [{"embedding": [len(item), self.number]} for item in request.items],
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return found if self.says is None else {**found, "model": self.says}


class Home(House):
    """A house that embeds."""

    def __init__(self, *providers: Any, **options: Any) -> None:
        super().__init__(*providers, **options)
        self.embeddings = Embeddings.beside(self.pipeline)

    def embed(self, value: Any, *, options: CallOptions | None = None, **params: Any) -> CreateEmbeddingResponse:
        return self.ask(embedding_request({"model": "m", "input": value, **params}), options)

    def ask(self, request: EmbeddingRequest, options: CallOptions | None = None) -> CreateEmbeddingResponse:
        scope = Scope()
        flow = self.embeddings.create(request, options or CallOptions(), scope, prefers_async=False)
        try:
            answer: CreateEmbeddingResponse = self.world.run(flow, scope)
            return answer
        finally:
            scope.release()


def cache(**options: Any) -> CallOptions:
    return CallOptions(cache=CacheOptions(**options), retry=ONCE)


def vectors(answer: CreateEmbeddingResponse) -> list[list[float]]:
    assert [vector.index for vector in answer.data] == list(range(len(answer.data)))
    return [vector.floats for vector in answer.data]


def openai_answer(model: str = "text-embedding-3-small") -> Callable[[HTTPRequest], HTTPResponse]:
    """What a vendor says: each text's length, and usage."""

    def answer(request: HTTPRequest) -> HTTPResponse:
        texts = json.loads(request.content)["input"]
        texts = [texts] if isinstance(texts, str) else texts
        data = [{"object": "embedding", "index": i, "embedding": [len(t), 0.5]} for i, t in enumerate(texts)]
        usage = {"prompt_tokens": sum(map(len, texts)), "total_tokens": sum(map(len, texts))}
        body = {"object": "list", "data": data, "model": model, "usage": usage}
        return HTTPResponse(200, {"x-request-id": "req_1"}, json.dumps(body).encode(), request)

    return answer


def texts_of(request: HTTPRequest) -> Any:
    return json.loads(request.content)["input"]


# what is asked


def test_only_what_is_new_is_asked_for() -> None:
    """A batch with one new text asks for that one; order, usage, cost and the count of what was cached are right."""
    embedder = Embedder()
    home = Home(embedder)
    first = home.embed(["a", "bb"])
    second = home.embed(["ccc", "bb", "a"])
    assert embedder.asked == [["a", "bb"], ["ccc"]]
    assert vectors(second) == [[3, 0.5], [2, 0.5], [1, 0.5]]
    assert first.usage is not None
    assert second.usage is not None
    assert (first.usage.prompt_tokens, second.usage.prompt_tokens) == (3, 3)
    assert (first.edge.cost_usd, second.edge.cost_usd) == (Decimal("0.03"), Decimal("0.03"))
    assert (second.edge.cached, second.edge.cached_inputs, second.edge.saved_usd) == (False, 2, Decimal("0.03"))
    assert second.edge.cache_tier is None


def test_all_of_it_from_the_cache() -> None:
    """Nothing is asked, nothing used; who answered then is still named."""
    embedder = Embedder(says="e-2024")
    home = Home(embedder)
    home.embed(["a", "bb"])
    hit = home.embed(["bb", "a", "a"])
    assert len(embedder.asked) == 1
    assert vectors(hit) == [[2, 0.5], [1, 0.5], [1, 0.5]]
    edge = hit.edge
    assert (edge.cached, edge.cache_tier, edge.cached_inputs) == (True, "memory", 3)
    assert (edge.provider, edge.model, edge.cost_usd, edge.saved_usd) == ("e", "m", 0, Decimal("0.03"))
    assert hit.usage == EmbeddingUsage(prompt_tokens=0, total_tokens=0)
    assert hit.model == "e-2024"


def test_vectors_from_the_cache_are_as_old_as_the_oldest() -> None:
    """Said of what the cache answered alone, as of any other answer."""
    home = Home(Embedder())
    assert home.embed("a").edge.age is None
    home.world.now += 30
    assert home.embed(["a", "b"]).edge.age is None
    home.world.now += 5
    assert [home.embed(texts).edge.age for texts in ("a", "b", ["b", "a"])] == [35, 5, 35]
    home.world.now -= 60  # a clock that was set back
    assert home.embed("a").edge.age == 0


def test_one_text_alone_or_in_a_list_is_one_entry() -> None:
    """Also as one of many."""
    embedder = Embedder()
    home = Home(embedder)
    home.embed("a")
    assert home.embed(["a"]).edge.cached
    assert home.embed(["a", "bb"]).edge.cached_inputs == 1
    assert embedder.asked == [["a"], ["bb"]]


def test_equal_texts_of_one_batch_are_asked_for_once() -> None:
    """Each has its vector, and none shares a list with another."""
    embedder = Embedder()
    answer = Home(embedder).embed(["a", "bb", "a", "a"])
    assert embedder.asked == [["a", "bb"]]
    assert vectors(answer) == [[1, 0.5], [2, 0.5], [1, 0.5], [1, 0.5]]
    first, third, fourth = (answer.data[i].embedding for i in (0, 2, 3))
    assert first is not third
    assert third is not fourth


def test_without_a_cache_everything_is_asked_as_it_is_written() -> None:
    """No tier, or switched off: repetition included."""
    for home, options in ((Home(Embedder(), memory=False), None), (Home(Embedder()), cache(mode="off"))):
        embedder = home.pipeline.targets.providers()[0]
        for _ in range(2):
            answer = home.embed(["a", "a"], options=options)
            assert (answer.edge.cached, answer.edge.cached_inputs) == (False, 0)
        assert embedder.asked == [["a", "a"]] * 2  # type: ignore[union-attr]


def test_what_the_gateway_did_is_no_part_of_the_answer() -> None:
    """It is neither in dumps nor in equality, is copied and pickled along, and has openai's name for the id."""
    world = World(openai_answer(), openai_answer())
    home = Home(OpenAI(api_key="k"), world=world)
    one, two = (home.embed("a", model="openai/m", options=cache(mode="off")) for _ in range(2))
    assert one == two
    assert one.edge is not two.edge
    assert one != one.model_copy(update={"model": "other"})
    assert one != "a"
    assert one._request_id == "req_1"
    assert "edge" not in one.model_dump()
    assert pickle.loads(pickle.dumps(one)).edge == one.edge


def test_a_hit_is_independent() -> None:
    """Nobody's changes reach the cache."""
    home = Home(Embedder())
    for _ in range(3):
        answer = home.embed(["a", "a"])
        assert vectors(answer) == [[1, 0.5], [1, 0.5]]
        answer.data[0].embedding.append(1.0)  # type: ignore[union-attr]


# forms


def test_numbers_and_base64_share_entries() -> None:
    """Whoever asks first, the other gets the same numbers in his form."""
    for first, then in (("float", "base64"), ("base64", "float"), (None, "base64"), ("base64", None)):
        embedder = Embedder(number=0.1)
        home = Home(embedder)
        answers = {form: home.embed(["a"], encoding_format=form).data[0].embedding for form in (first, then)}
        assert len(embedder.asked) == 1
        text = answers["base64"]
        assert isinstance(text, str)
        assert floats_of(text) == pytest.approx([1, 0.1])
        assert answers[next(form for form in answers if form != "base64")] == [1, 0.1]  # not rounded by who came first


def test_a_partial_hit_in_base64() -> None:
    """Cached and fresh vectors alike, equal ones too."""
    home = Home(Embedder())
    home.embed(["a"])
    answer = home.embed(["bb", "a", "bb"], encoding_format="base64")
    assert all(isinstance(vector.embedding, str) for vector in answer.data)
    assert vectors(answer) == [[2, 0.5], [1, 0.5], [2, 0.5]]


def test_a_vendors_own_form_has_entries_of_its_own() -> None:
    """It is neither turned into another nor mixed with it."""
    world = World(openai_answer(), lambda request: packed(request, "AQI="), openai_answer())
    home = Home(OpenAI(api_key="k", name="openai"), world=world)
    home.embed("a", model="openai/m")
    own = [home.embed("a", model="openai/m", encoding_format="ubinary").data[0].embedding for _ in range(2)]
    assert own == ["AQI=", "AQI="]
    assert len(world.sent()) == 2


def packed(request: HTTPRequest, text: str) -> HTTPResponse:
    data = [{"object": "embedding", "index": 0, "embedding": text}]
    return HTTPResponse(200, {}, json.dumps({"object": "list", "data": data, "model": "m"}).encode(), request)


def test_what_a_vendor_says_of_a_vector_is_kept() -> None:
    """Fields beside the numbers are on the hit too; those of the whole answer only where something was asked."""
    told = {"data": [{"embedding": [1.0], "statistics": {"truncated": False}}], "billed": 3}
    home = Home(FakeProvider("x", embeddings=lambda request: told))
    first, hit = home.embed("a"), home.embed("a")
    assert first.billed == 3  # type: ignore[attr-defined]
    assert first.data == hit.data
    assert hit.data[0].statistics == {"truncated": False}  # type: ignore[attr-defined]
    assert "billed" not in (hit.model_extra or {})


def test_an_answer_that_no_entry_can_hold_is_given() -> None:
    """What the call says of itself is no text that can be written (a tag with half a character): nothing is kept."""
    embedder = Embedder()
    home = Home(embedder)
    options = CallOptions(retry=ONCE, tags=("\ud800",))
    for _ in range(2):
        assert vectors(home.embed(["a", "bb"], options=options)) == [[1, 0.5], [2, 0.5]]
    assert len(embedder.asked) == 2


def test_numbers_that_no_base64_can_hold() -> None:
    """They are given as they are, and neither kept nor shared; asked for in base64 they are an error."""
    fake = FakeProvider("x", embeddings=lambda request: [[1e39]])
    home = Home(fake)
    assert [home.embed("a").data[0].embedding for _ in range(2)] == [[1e39]] * 2
    with pytest.raises(e.ResponseValidationError):
        home.embed("a", encoding_format="base64", options=CallOptions(retry=ONCE))
    assert len(fake.embedding_requests) == 3


# one model's vectors


def test_vectors_of_two_targets_are_never_in_one_answer() -> None:
    """Where the first target fails, the second is asked for everything, cached or not."""
    one, two = Embedder("one", 0.25), Embedder("two", 0.75)
    home = Home(one, two, groups={"g": ["one/m", "two/m"]})
    home.embed(["a"], model="g")
    one.error = e.NotFoundError("gone")
    answer = home.embed(["a", "bb"], model="g")
    assert vectors(answer) == [[1, 0.75], [2, 0.75]]
    assert two.asked == [["a", "bb"]]
    assert (answer.edge.provider, answer.edge.cached_inputs, answer.edge.saved_usd) == ("two", 0, None)
    one.error = None
    assert vectors(home.embed(["a", "bb"], model="g")) == [[1, 0.25], [2, 0.25]]  # a fallback's were not kept
    assert one.asked[-1] == ["bb"]


def test_a_router_that_chooses_by_request() -> None:
    """Entries of two targets are there: what the chosen one did not make is asked for."""

    class Second(FailoverRouter):
        def plan(self, request: Any, targets: Sequence[Any], health: Any, /) -> Sequence[Any]:
            return list(targets)[::-1] if "swap" in request.params() else targets

    one, two = Embedder("one", 0.25), Embedder("two", 0.75)
    home = Home(one, two, groups={"g": ["one/m", "two/m"]})
    home.pipeline.targets._router = Second()
    home.embed(["a"], model="g")
    home.embed(["bb"], model="g", user="swap")
    Second.plan = lambda self, request, targets, health: list(targets)[::-1]  # type: ignore[method-assign]
    home.embed(["bb"], model="g")
    answer = home.embed(["a", "bb"], model="g")
    assert vectors(answer) == [[1, 0.75], [2, 0.75]]
    assert two.asked[-1] == ["a"]


def test_a_vendor_that_changed_its_model() -> None:
    """Another model answers under the same name: what is cached is asked for again, in the same call."""
    embedder = Embedder(number=0.25, says="v1")
    home = Home(embedder)
    home.embed(["a", "bb"])
    embedder.says, embedder.number = "v2", 0.75
    answer = home.embed(["ccc", "bb", "a"])
    assert vectors(answer) == [[3, 0.75], [2, 0.75], [1, 0.75]]
    assert (answer.model, answer.edge.cached_inputs) == ("v2", 0)
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 6
    assert embedder.asked[1:] == [["ccc"], ["bb", "a"]]
    assert home.embed(["a", "bb", "ccc"]).edge.cached


def test_a_vendor_with_two_models_at_once() -> None:
    """It is changing over: no answer is made of both, though each request of a call may meet another."""
    models = ["v1", "v2", "v1", "v2", "v2"]
    embedder = Embedder()

    def change() -> None:
        embedder.says = models.pop(0)
        embedder.number = {"v1": 0.25, "v2": 0.75}[embedder.says]

    embedder.during = change
    home = Home(embedder)
    home.embed(["a", "bb"])
    answer = home.embed(["ccc", "bb", "a"])
    assert (answer.model, vectors(answer)) == ("v2", [[3, 0.75], [2, 0.75], [1, 0.75]])
    assert embedder.asked[1:] == [["ccc"], ["bb", "a"]] * 2
    again = home.embed(["a", "ccc"])
    assert (again.edge.cached, vectors(again)) == (True, [[1, 0.75], [3, 0.75]])


def test_entries_of_an_older_model_beside_newer_ones() -> None:
    """They are no hit together; the newer ones are kept and the others asked for."""
    embedder = Embedder(number=0.25, says="v1")
    home = Home(embedder)
    home.embed(["a"])
    home.world.now += 1
    embedder.says, embedder.number = "v2", 0.75
    home.embed(["bb"])
    assert vectors(home.embed(["a", "bb"])) == [[1, 0.75], [2, 0.75]]
    assert embedder.asked[-1] == ["a"]


# tiers and modes


def test_tiers_that_outlive_the_process() -> None:
    """One effect asks a tier for all that memory lacks; what it has is promoted."""
    far, embedder = Far(), Embedder()
    home = Home(embedder, far=far)
    home.embed(["a", "bb"], options=cache(namespace="n"))
    home.world.write()
    assert len(far.held) == 2
    other = Home(embedder, far=far)
    answer = other.embed(["a", "bb"], options=cache(namespace="n"))
    assert (answer.edge.cached, answer.edge.cache_tier) == (True, "disk")
    assert sum(isinstance(effect, Offload) for effect in other.world.effects) == 1
    assert other.embed(["bb"], options=cache(namespace="n")).edge.cache_tier == "memory"
    partial = other.embed(["a", "ccc"], options=cache(namespace="n"))
    assert (partial.edge.cached_inputs, embedder.asked[-1]) == (1, ["ccc"])


def test_a_write_under_way_is_visible() -> None:
    """What another call is about to write to the disk is found."""
    far = Far()
    home = Home(Embedder(), far=far, memory=False)
    home.embed(["a"], options=cache(namespace="n"))
    assert far.held == {}
    assert home.embed(["a"], options=cache(namespace="n")).edge.cache_tier == "disk"


def test_two_far_tiers() -> None:
    """The second is asked for what the first lacks, and what it has is written to the first."""
    near, far = Far(), Far()
    home = Home(Embedder(), memory=False, far=near)
    home.pipeline.layers._far = (near, far)
    home.embed(["a", "bb"], options=cache(namespace="n"))
    home.world.write()
    key = next(iter(near.held))
    del near.held[key]
    assert home.embed(["a", "bb"], options=cache(namespace="n")).edge.cached
    home.world.write()
    assert near.held.keys() == far.held.keys()


def test_a_tier_that_fails_is_a_miss() -> None:
    """Counted, never raised."""
    far = Far()
    far.error = OSError("broken")
    home = Home(Embedder(), far=far, memory=False)
    assert vectors(home.embed(["a"], options=cache(namespace="n"))) == [[1, 0.5]]
    assert ("disk", OSError) in home.watcher.seen


@pytest.mark.parametrize(
    ("mode", "asked", "kept"),
    [("on", 0, True), ("read", 0, True), ("write", 1, True), ("refresh", 1, True), ("off", 1, False)],
)
def test_modes(mode: Any, asked: int, kept: bool) -> None:
    """Which of them look up (a known text), and which store (a new one)."""
    embedder = Embedder()
    home = Home(embedder)
    home.embed(["a"])
    home.embed(["a"], options=cache(mode=mode))
    assert len(embedder.asked) - 1 == asked
    home.embed(["new"], options=cache(mode=mode))
    assert home.embed(["new"]).edge.cached == (kept and mode != "read")


def test_refreshed_entries_replace_the_old() -> None:
    """The next look-up finds the newer vector."""
    embedder = Embedder(number=0.25)
    home = Home(embedder)
    home.embed(["a"])
    embedder.number = 0.75
    home.embed(["a"], options=cache(mode="refresh"))
    assert vectors(home.embed(["a"])) == [[1, 0.75]]


def test_time_to_live_and_age() -> None:
    """An entry that is stale, or too old for this caller, is asked for again; the others are not."""
    embedder = Embedder()
    home = Home(embedder)
    home.embed(["a"], options=cache(ttl=10))
    home.world.now += 6
    home.embed(["bb"], options=cache(ttl=10))
    assert home.embed(["a", "bb"]).edge.cached
    assert home.embed(["a", "bb"], options=cache(max_age=5)).edge.cached_inputs == 1
    assert embedder.asked[-1] == ["a"]
    home.world.now += 11
    assert home.embed(["bb"]).edge.cached_inputs == 0


def test_namespaces_and_samples_keep_apart() -> None:
    """Each has entries of its own."""
    embedder = Embedder()
    home = Home(embedder)
    for options in (cache(), cache(namespace="n"), cache(sample=1)):
        assert not home.embed(["a"], options=options).edge.cached
        assert home.embed(["a"], options=options).edge.cached


def test_chat_and_embeddings_never_meet() -> None:
    """Keys of the two are different, whatever the request."""
    fake = FakeProvider("Paris")
    home = Home(fake)
    home.complete("a")
    assert not home.embed("a").edge.cached


@pytest.mark.parametrize(
    ("head", "vector"),
    [
        (b"damaged", b"f0000"),
        (b"{}", b"f0000"),
        (b'{"model":"m"}', b"f0000"),
        (b'{"model":"m","extra":[]}', b"f0000"),
        (b'{"model":"m","extra":{"index":1}}', b"f0000"),
        (b'{"model":"m","extra":{}}', b""),
        (b'{"model":"m","extra":{}}', b"x0000"),
        (b'{"model":"m","extra":{}}', b"f000"),
        (b'{"model":"m","extra":{}}', b"d0000"),
        (b'{"model":"m","extra":{}}', b"j{"),
    ],
)
@pytest.mark.parametrize("texts", [["a"], ["a", "b"]], ids=["alone", "beside another"])
def test_an_entry_that_holds_no_vector_is_a_miss(head: bytes, vector: bytes, texts: list[str]) -> None:
    """One of a right sum, as an import may bring it: the text is embedded anew, and the entry replaced."""
    embedder = Embedder()
    home = Home(embedder)
    home.embed("a")
    memory = home.pipeline.layers.tiers[0]
    assert isinstance(memory, MemoryCache)
    ((key, data),) = memory.items()
    entry = decode_entry(data)
    assert entry is not None
    memory.put(key, encode_entry(entry._replace(completion=head, native=vector)))
    assert vectors(home.embed(texts)) == [[1, 0.5]] * len(texts)
    assert embedder.asked == [["a"], texts]
    assert home.embed(texts).edge.cached


def test_a_router_of_the_call_has_its_own_shared_entries() -> None:
    """Memory is shared by what the caller wrote; the far tiers are kept apart."""
    far = Far()
    home = Home(Embedder(), far=far)
    home.embed(["a"], options=cache(namespace="n"))
    home.world.write()
    options = CallOptions(cache=CacheOptions(namespace="n"), router=FailoverRouter())
    other = Home(Embedder(), far=far)
    assert not other.embed(["a"], options=options).edge.cached
    other.world.write()
    assert len(far.held) == 2


# flights


def test_identical_calls_share_one_request() -> None:
    """A call that comes while another is under way gets its answer, in its own form, at no cost of its own."""
    embedder = Embedder()
    home = Home(embedder)
    followers: list[Any] = []
    flows: list[Any] = []

    def follow() -> None:
        embedder.during = None
        for form in (None, "base64"):
            request = embedding_request({"model": "m", "input": ["a", "bb", "a"], "encoding_format": form})
            flow = home.embeddings.create(request, CallOptions(), Scope(), prefers_async=True)
            effect = flow.send(None)
            assert isinstance(effect, Join)
            flows.append(flow)

    embedder.during = follow
    answer = home.embed(["a", "bb", "a"])
    for flow in flows:
        with pytest.raises(StopIteration) as end:
            flow.send(True)
        followers.append(end.value.value)
    assert embedder.asked == [["a", "bb"]]
    plain, text = followers
    assert vectors(plain) == vectors(text) == vectors(answer)
    assert isinstance(text.data[0].embedding, str)
    for follower in followers:
        assert (follower.edge.coalesced, follower.edge.cached, follower.edge.cost_usd) == (True, False, 0)
        assert follower.edge.saved_usd == answer.edge.cost_usd
        assert follower.usage.prompt_tokens == 0
        assert follower.model == answer.model


def test_a_follower_for_whom_the_flights_answer_is_too_old() -> None:
    """What the leader found in a tier is as old as its oldest vector: who wants it fresher asks for himself."""
    far, embedder = Far(), Embedder()
    home = Home(embedder, far=far)
    home.embed(["a"], options=cache(namespace="n"))
    home.world.write()
    home.world.now += 100
    other = Home(embedder, far=far, world=home.world)
    request = embedding_request({"model": "m", "input": ["a"]})
    leader = other.embeddings.create(request, cache(namespace="n"), Scope(), prefers_async=True)
    offload = leader.send(None)
    follower = other.embeddings.create(request, cache(namespace="n", max_age=50), Scope(), prefers_async=True)
    assert isinstance(follower.send(None), Join)
    with pytest.raises(StopIteration):
        leader.send(offload.call())  # type: ignore[union-attr]
    answer = other.world.run(resumed(follower, True))
    assert (answer.edge.cached, answer.edge.coalesced) == (False, False)
    assert len(embedder.asked) == 2


def test_who_asks_after_a_renewal_is_given_no_vector_of_before() -> None:
    """As with answers: what a leader reads that began before it is not his."""
    embedder = Embedder()
    home = Home(embedder, far=Far(), memory=False)
    home.embed(["a"])
    home.world.write()
    request = embedding_request({"model": "m", "input": ["a"]})
    leader = home.embeddings.create(request, cache(), Scope(), prefers_async=True)
    offload = leader.send(None)
    old = offload.call()  # type: ignore[union-attr]
    home.embed(["a"], options=cache(mode="refresh"))
    follower = home.embeddings.create(request, cache(), Scope(), prefers_async=True)
    assert isinstance(follower.send(None), Join)
    with pytest.raises(StopIteration):
        leader.send(old)
    answer = home.world.run(resumed(follower, True))
    assert (answer.edge.cached, answer.edge.coalesced) == (True, False)


def resumed(flow: Any, outcome: Any) -> Any:
    """A flow that waits for an outcome, as one that begins with what it does next."""
    try:
        effect = flow.send(outcome)
        while True:
            outcome = yield effect
            effect = flow.send(outcome)
    except StopIteration as end:
        return end.value


# attempts


def test_parts_that_were_answered_are_not_asked_for_again() -> None:
    """Of a batch in two requests the second fails: only it is tried again."""
    failed = HTTPResponse(500, {}, b"{}")
    world = World(openai_answer(), failed, openai_answer())
    home = Home(OpenAI(api_key="k"), world=world)
    answer = home.embed([f"t{i}" for i in range(2050)], model="openai/text-embedding-3-small")
    assert [len(texts_of(request)) for request in world.sent()] == [2048, 2, 2]
    assert len(answer.data) == 2050
    assert [attempt.outcome for attempt in answer.edge.attempts] == ["InternalServerError", "ok"]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == sum(len(f"t{i}") for i in range(2050))


def test_parts_of_different_models() -> None:
    """The vendor's model changed between two parts: no answer is made of both; all of it is asked for again."""
    world = World(openai_answer("v1"), openai_answer("v2"), openai_answer("v2"), openai_answer("v2"))
    home = Home(OpenAI(api_key="k"), world=world)
    answer = home.embed([f"t{i}" for i in range(2050)], model="openai/text-embedding-3-small")
    assert [len(texts_of(request)) for request in world.sent()] == [2048, 2, 2048, 2]
    assert (answer.model, len(answer.data)) == ("v2", 2050)


def test_a_redirect_is_an_error() -> None:
    """It is not taken for an answer."""
    home = Home(OpenAI(api_key="k"), world=World(HTTPResponse(302, {"location": "https://x.test"}, b"")))
    with pytest.raises(e.APIStatusError) as caught:
        home.embed("a", model="openai/m", options=CallOptions(retry=ONCE))
    assert caught.value.status_code == 302


def test_retry_after_is_heeded() -> None:
    """A limit is waited out, as for chat."""
    world = World(HTTPResponse(429, {"retry-after": "7"}, b"{}"), openai_answer())
    home = Home(OpenAI(api_key="k"), world=world)
    answer = home.embed("a", model="openai/m")
    assert world.sleeps == [7]
    assert answer.edge.request_id == "req_1"


def test_the_deadline_of_the_whole_call() -> None:
    """It holds over all attempts."""
    world = World(openai_answer())
    world.takes = 5
    home = Home(OpenAI(api_key="k"), world=world)
    with pytest.raises(e.DeadlineExceededError):
        home.embed("a", model="openai/m", options=CallOptions(deadline=3))


def test_a_vendor_that_cannot_be_asked_this() -> None:
    """Token ids: the next target takes them; alone, the error names the field and the target."""
    from edgeagent.providers import Mistral

    mistral = Mistral(api_key="k")
    embedder = Embedder()
    home = Home(mistral, embedder, groups={"g": ["mistral/mistral-embed", "e/m"]})
    assert home.embed([1, 2, 3], model="g").edge.provider == "e"
    with pytest.raises(e.RequestValidationError) as caught:
        home.embed([1, 2, 3], model="mistral/mistral-embed")
    assert (caught.value.param, caught.value.target) == ("input", "mistral/mistral-embed")


def test_who_does_not_embed_is_not_asked() -> None:
    """A vendor without embeddings is left out; where nobody has any, that is the error. So is chat with an embedder."""
    from edgeagent.providers import Anthropic

    anthropic, embedder = Anthropic(api_key="k"), Embedder()
    home = Home(anthropic, embedder, groups={"g": ["anthropic/claude", "e/m"]})
    assert home.embed("a", model="g").edge.provider == "e"
    with pytest.raises(e.NoTargetError, match="anthropic/x cannot do embeddings"):
        home.embed("a", model="anthropic/x")
    with pytest.raises(e.NoTargetError, match="e/m cannot do chat"):
        home.complete(model="e/m")


def test_a_body_that_is_too_large() -> None:
    """What would be sent is measured, request by request."""
    home = Home(OpenAI(api_key="k"), world=World(openai_answer()), max_body_bytes=1000)
    with pytest.raises(e.RequestValidationError, match="more than the limit of 1000") as caught:
        home.embed("x" * 1001, model="openai/m")
    assert caught.value.param == "input"


def test_text_that_is_no_text() -> None:
    """A lone surrogate is refused with its place, and without a cache before it is sent."""
    for memory in (True, False):
        with pytest.raises(e.RequestValidationError):
            Home(OpenAI(api_key="k"), memory=memory).embed(["a", "\ud800"], model="openai/m")


# what is told


def test_observers_are_told() -> None:
    """The operation, the request, attempts, and the end with the answer or the error."""
    embedder = Embedder()
    home = Home(embedder)
    answer = home.embed("a", options=CallOptions(tags=("t",)))
    started = home.watcher.seen[0]
    assert isinstance(started, CallStarted)
    assert (started.operation, started.stream, started.tags) == ("embeddings", False, ("t",))
    assert ("attempt", "ok") in home.watcher.seen
    assert home.watcher.ends[-1].completion is answer
    embedder.error = e.BadRequestError("no")
    with pytest.raises(e.BadRequestError) as caught:
        home.embed("b")
    assert home.watcher.ends[-1].error is caught.value
    assert [attempt.outcome for attempt in caught.value.attempts] == ["BadRequestError"]
    assert len(home.watcher.ends) == 2


def test_a_price_is_shared_out_by_size() -> None:
    """What a hit saved is its part of what its batch cost; together they are the whole."""
    home = Home(Embedder())
    whole = home.embed(["a", "bbb"]).edge.cost_usd
    parts = [home.embed(text).edge.saved_usd for text in ("a", "bbb")]
    assert parts == [Decimal("0.01"), Decimal("0.03")]
    assert sum(part for part in parts if part is not None) == whole


def test_unknown_prices_and_usage_stay_unknown() -> None:
    """Nothing is made up."""
    fake = FakeProvider("x", name="free", embeddings=lambda request: [[1.0]] * len(request.items))
    home = Home(fake)
    answer = home.embed("a")
    assert (answer.usage, answer.edge.cost_usd) == (None, None)
    assert home.embed("a").edge.saved_usd is None


# any sequence of batches


class Numbered(Embedder):
    """Each text has one vector for ever."""

    def embed(self, request: EmbeddingRequest) -> dict[str, Any]:
        found = super().embed(request)
        found["data"] = [{"embedding": [float(ord(item[0])), 0.1]} for item in request.items]
        return found


batches = st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=8), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(batches, st.sampled_from([None, "float", "base64"]))
def test_any_sequence_of_batches(sequence: list[list[str]], form: str | None) -> None:
    """Every text is asked for once in its life, and every answer is what it would be without a cache."""
    embedder = Numbered()
    home = Home(embedder)
    for batch in sequence:
        answer = home.embed(batch, encoding_format=form)
        assert vectors(answer) == [pytest.approx([ord(text), 0.1]) for text in batch]
    asked = [text for batch in embedder.asked for text in batch]
    assert sorted(asked) == sorted({text for batch in sequence for text in batch})
