"""The life of a request, without I/O: effects are scripted, time stands still unless somebody waits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from edgeagent import errors as e
from edgeagent.cache.entry import decode_entry, encode_entry
from edgeagent.cache.memory import MemoryCache
from edgeagent.cache.policy import CacheOptions
from edgeagent.core.call import CallOptions
from edgeagent.core.layers import CacheLayers
from edgeagent.core.pipeline import Pipeline
from edgeagent.core.requests import chat_request
from edgeagent.core.retry import RetryPolicy
from edgeagent.core.session import StreamSession
from edgeagent.core.targets import Targets
from edgeagent.effects import Close, Invoke, Join, Offload, OpenIterator, Scope
from edgeagent.providers.base import Capabilities
from edgeagent.providers.names import Named
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.names import Names
from edgeagent.telemetry.base import CallEnded, CallStarted
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatCompletion, ChatRequest, CompletionUsage, Target
from edgeagent.types.assembly import assemble
from tests.core.world import World


class Prices:
    """A cent for every token."""

    def cost(
        self, vendor: str, model: str, usage: CompletionUsage, *, service_tier: str | None = None
    ) -> Decimal | None:
        return None if vendor == "free" else Decimal(usage.total_tokens) / 100


class Watcher:
    """An observer that writes everything down."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def start(self, event: CallStarted) -> Watcher:
        self.seen.append(event)
        return self

    def attempt(self, attempt: Any, error: BaseException | None) -> None:
        self.seen.append(("attempt", attempt.outcome))

    def retry(self, target: Target, delay: float) -> None:
        self.seen.append(("retry", str(target)))

    def fallback(self, failed: Target, target: Target) -> None:
        self.seen.append(("fallback", str(failed), str(target)))

    def end(self, event: CallEnded) -> None:
        self.seen.append(event)

    def activate(self) -> None:
        return None

    def cache_lookup(self, tier: str, *, hit: bool) -> None:
        self.seen.append((tier, hit))

    def cache_fault(self, tier: str, error: BaseException) -> None:
        self.seen.append((tier, type(error)))

    @property
    def ends(self) -> list[CallEnded]:
        return [event for event in self.seen if isinstance(event, CallEnded)]


LOOKUPS = [(tier, hit) for tier in ("memory", "disk") for hit in (False, True)]


class Far:
    """A tier that blocks, in a dict."""

    name = "disk"
    blocking = True

    def __init__(self) -> None:
        self.held: dict[bytes, bytes] = {}
        self.error: Exception | None = None

    def get(self, key: bytes) -> bytes | None:
        if self.error:
            raise self.error
        return self.held.get(key)

    def put(self, key: bytes, value: bytes, ttl: float | None = None) -> None:
        if self.error:
            raise self.error
        self.held[key] = value

    def delete(self, key: bytes) -> None:
        self.held.pop(key, None)

    def clear(self) -> None:
        self.held.clear()

    def close(self) -> None:
        pass


class House:
    """A pipeline over fakes in a scripted world."""

    def __init__(
        self,
        *providers: Any,
        groups: dict[str, Sequence[str]] | None = None,
        memory: bool = True,
        far: Far | None = None,
        world: World | None = None,
        layered: dict[str, Any] | None = None,
        **pipeline: Any,
    ) -> None:
        self.world = world or World()
        self.watcher = Watcher()
        by_name = {provider.name: provider for provider in providers}
        names = Names([Named(p, p.name, lambda vendor, model: False) for p in providers], groups or {})
        targets = Targets(by_name, names, FailoverRouter())
        tiers: list[Any] = [MemoryCache(clock=self.world.clock)] if memory else []
        tiers += [far] if far else []
        layers = CacheLayers(tiers, self.world.submit, self.world.wall, self.watcher, **(layered or {}))
        self.pipeline = Pipeline(
            targets, layers, Prices(), self.watcher, clock=self.world.clock, wall=self.world.wall, **pipeline
        )

    def complete(self, prompt: str = "hello", *, options: CallOptions | None = None, **params: Any) -> ChatCompletion:
        return self.start(prompt, options=options, **params)[1]

    def start(self, prompt: str = "hello", *, options: CallOptions | None = None, **params: Any) -> tuple[Scope, Any]:
        scope = Scope()
        flow = self.pipeline.complete(
            self.request(prompt, **params), options or CallOptions(), scope, prefers_async=False
        )
        try:
            return scope, self.world.run(flow, scope)
        finally:
            scope.release()

    def stream(self, prompt: str = "hello", *, options: CallOptions | None = None, **params: Any) -> StreamSession:
        request = self.request(prompt, stream=True, **params)
        flow = self.pipeline.open_stream(request, options or CallOptions(), Scope(), prefers_async=False)
        session = self.world.run(flow)
        assert isinstance(session, StreamSession)
        return session

    def chunks(self, session: StreamSession) -> list[Any]:
        chunks = []
        while session.flowing or session.pending:
            if not session.pending:
                self.world.run(session.advance())
            while session.pending:
                chunks.append(session.pending.popleft())
        return chunks

    @staticmethod
    def request(prompt: str, model: str = "m", **params: Any) -> ChatRequest:
        return chat_request({"model": model, "messages": [{"role": "user", "content": prompt}], **params})


def text(chunks: Sequence[Any]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


# answers and hits


def test_an_answer_and_its_facts() -> None:
    """Provider, model, cost, latency and attempts are told; nothing was cached."""
    house = House(FakeProvider("Paris"))
    completion = house.complete()
    edge = completion.edge
    assert completion.choices[0].message.content == "Paris"
    assert (edge.provider, edge.model, edge.cached, edge.cache_tier) == ("fake", "m", False, None)
    assert completion.usage is not None
    assert edge.cost_usd == Decimal(completion.usage.total_tokens) / 100
    assert [(str(a.target), a.outcome, a.status) for a in edge.attempts] == [("fake/m", "ok", 200)]
    assert completion.id.startswith("chatcmpl-")
    assert completion.created == int(house.world.wall())


def test_a_hit_is_a_fresh_equal_object() -> None:
    """Nobody's changes reach the cache, the first caller's neither; the price is what was saved."""
    fake = FakeProvider({"content": "Paris", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]})
    house = House(fake)
    first = house.complete()
    kept = first.model_dump()
    first.choices[0].message.content = "changed"
    second = house.complete()
    assert second.model_dump() == kept
    second.choices.clear()
    third = house.complete()
    assert third.model_dump() == kept
    assert (third.edge.provider, third.edge.cached, third.edge.cache_tier) == ("fake", True, "memory")
    assert (third.edge.cost_usd, third.edge.saved_usd) == (0, first.edge.cost_usd)
    assert third.edge.attempts == ()
    assert fake.calls == 1


def test_disk_hit_is_promoted_to_memory() -> None:
    """After the process that wrote it is gone, the second look-up is memory's."""
    far = Far()
    first = House(FakeProvider("Paris"), far=far)
    first.complete()
    first.world.write()
    fake = FakeProvider("London")
    house = House(fake, far=far)
    assert house.complete().edge.cache_tier == "disk"
    assert house.complete().edge.cache_tier == "memory"
    assert fake.calls == 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_what_was_stored_while_a_stream_looked_into_a_slow_tier_is_not_asked_for_again(stream: bool) -> None:
    """That tier has just said that it has nothing: memory has the other call's answer by then."""
    house: House

    class Slow(Far):
        looked = 0

        def get(self, key: bytes) -> bytes | None:
            self.looked += 1
            if self.looked == 1:
                _ = house.chunks(house.stream()) if stream else house.complete()
            return None

    fake = FakeProvider(["Paris", "London"])
    house = House(fake, far=Slow())
    session = house.stream()
    assert text(house.chunks(session)) == "Paris"
    assert (session.call.edge.cached, fake.calls) == (True, 1)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("tier", ["memory", "disk"])
@pytest.mark.parametrize("completion", [b"", b"null", b"{}", b"\xff", b'{"id": 7, "choices": []}'])
def test_an_entry_that_holds_no_answer_is_a_miss(completion: bytes, tier: str, stream: bool) -> None:
    """Whoever wrote it (an import, another version): counted as a fault of its tier, and replaced."""
    far = Far()
    house = House(FakeProvider(["Paris", "London"]), far=far)
    house.complete()
    house.world.write()
    memory: Any = house.pipeline.layers.tiers[0]
    ((key, data),) = memory.items()
    entry = decode_entry(data)
    assert entry is not None
    memory.clear()
    place = memory if tier == "memory" else far
    place.put(key, encode_entry(entry._replace(completion=completion)))
    if tier == "memory":
        far.clear()
    if stream:
        session = house.stream()
        said, edge = text(house.chunks(session)), session.call.edge
    else:
        answer = house.complete()
        said, edge = answer.choices[0].message.content or "", answer.edge
    assert (said, edge.cached, edge.cache_tier, edge.saved_usd) == ("London", False, None, None)
    assert any(seen[0] == tier and issubclass(seen[1], ValueError) for seen in house.watcher.seen if faulty(seen))
    assert house.complete().edge.cached


def faulty(seen: Any) -> bool:
    """Whether it is a tier's fault."""
    return isinstance(seen, tuple) and isinstance(seen[1], type)


def test_reading_only_reads_the_disk_too() -> None:
    """The mode `read` asks every tier, and stores what it did not find in none."""
    far = Far()
    first = House(FakeProvider("Paris"), far=far)
    first.complete()
    first.world.write()
    house = House(FakeProvider("London"), far=far)
    options = CallOptions(cache=CacheOptions(mode="read"))
    assert house.complete(options=options).edge.cache_tier == "disk"
    assert text(house.chunks(house.stream("other", options=options))) == "London"
    assert len(far.held) == 1


def test_a_write_under_way_is_visible() -> None:
    """Without a memory tier too: the background has not written yet, the answer is there."""
    far = Far()
    fake = FakeProvider("Paris")
    house = House(fake, memory=False, far=far)
    house.complete()
    assert far.held == {}
    assert house.complete().edge.cache_tier == "disk"
    house.world.write()
    assert len(far.held) == 1
    assert fake.calls == 1


def test_a_faulty_tier_is_a_miss(caplog: pytest.LogCaptureFixture) -> None:
    """Its faults are counted, logged once, and never raised."""
    far = Far()
    far.error = OSError("disk full: /secret/place")
    fake = FakeProvider("Paris")
    house = House(fake, memory=False, far=far)
    for _ in range(3):
        assert house.complete().choices[0].message.content == "Paris"
        house.world.write()
    assert fake.calls == 3
    assert house.watcher.seen.count(("disk", OSError)) == 6
    assert len(caplog.records) == 1
    assert "secret" not in caplog.text


def test_damaged_bytes_are_a_miss() -> None:
    """An entry that is not exactly what was written is no entry."""
    far = Far()
    house = House(FakeProvider("Paris"), memory=False, far=far)
    house.complete()
    house.world.write()
    far.held = {key: value[:-1] for key, value in far.held.items()}
    assert not house.complete().edge.cached


@pytest.mark.parametrize(
    ("mode", "calls", "cached"),
    [("on", 1, True), ("off", 2, False), ("read", 2, False), ("write", 2, False), ("refresh", 2, False)],
)
def test_modes_of_the_second_call(mode: Any, calls: int, cached: bool) -> None:
    """Read looks but does not store, write and refresh store but do not look, off does neither."""
    fake = FakeProvider("Paris")
    house = House(fake)
    options = CallOptions(cache=CacheOptions(mode=mode))
    house.complete(options=options)
    assert house.complete(options=options).edge.cached == cached
    assert fake.calls == calls
    assert house.complete().edge.cached == (mode in {"on", "write", "refresh"})


def test_ttl_and_max_age() -> None:
    """An entry past its time, or older than the caller wants, is no hit."""
    fake = FakeProvider("Paris")
    house = House(fake)
    house.complete(options=CallOptions(cache=CacheOptions(ttl=10)))
    house.world.now += 5
    assert house.complete().edge.cached
    assert not house.complete(options=CallOptions(cache=CacheOptions(max_age=3, mode="read"))).edge.cached
    house.world.now += 6
    assert not house.complete().edge.cached


@pytest.mark.parametrize(
    "answer",
    [{"content": "cut", "finish_reason": "length"}, {"content": None, "finish_reason": "content_filter"}],
)
def test_what_did_not_finish_cleanly_is_not_stored(answer: dict[str, Any]) -> None:
    """The next caller asks again."""
    fake = FakeProvider([answer, "whole"])
    house = House(fake)
    house.complete()
    assert house.complete().choices[0].message.content == "whole"


def test_an_answer_reached_through_fallback_is_not_stored() -> None:
    """The first choice gets its chance again at the next call."""
    first = FakeProvider([e.NotFoundError("gone"), "first"], name="a")
    second = FakeProvider("second", name="b")
    house = House(first, second, groups={"m": ["a/x", "b/y"]})
    completion = house.complete()
    assert (completion.edge.provider, completion.edge.model) == ("b", "y")
    assert [attempt.outcome for attempt in completion.edge.attempts] == ["NotFoundError", "ok"]
    assert ("fallback", "a/x", "b/y") in house.watcher.seen
    assert house.complete().edge.provider == "a"
    assert house.complete().edge.cached
    assert [request.model for request in first.requests] == ["x", "x"]


def test_uncacheable_requests() -> None:
    """What the vendor itself stores, or what costs more than text, is asked for each time."""
    fake = FakeProvider("Paris")
    house = House(fake)
    house.complete(store=True)
    assert not house.complete(store=True).edge.cached


def test_an_answer_that_json_cannot_hold() -> None:
    """It reaches the caller all the same; it is neither cached nor shared."""

    def answer(request: ChatRequest) -> ChatCompletion:
        completion = ChatCompletion.model_validate(
            {"id": "1", "created": 1, "model": "m", "choices": [{"index": 0, "message": {"content": "\ud800"}}]}
        )
        completion.choices[0].finish_reason = "stop"
        return completion

    fake = FakeProvider(answer)
    house = House(fake)
    for _ in range(2):
        assert house.complete().choices[0].message.content == "\ud800"
    assert fake.calls == 2
    assert len(house.pipeline.flights) == 0


# errors


def test_invalid_requests_are_refused_before_anything_is_asked() -> None:
    """Validation ends the call, and the observers are told."""
    fake = FakeProvider("Paris")
    house = House(fake, max_body_bytes=200)
    with pytest.raises(e.RequestValidationError):
        house.complete("x" * 300)
    assert fake.calls == 0
    assert isinstance(house.watcher.ends[0].error, e.RequestValidationError)


def test_errors_tell_what_was_tried() -> None:
    """The error that is raised carries every attempt."""
    house = House(FakeProvider([e.InternalServerError("1"), e.InternalServerError("2"), e.NotFoundError("3")]))
    with pytest.raises(e.NotFoundError) as caught:
        house.complete()
    assert [attempt.outcome for attempt in caught.value.attempts] == [
        "InternalServerError",
        "InternalServerError",
        "NotFoundError",
    ]
    assert house.watcher.ends[0].error is caught.value


@pytest.mark.parametrize("answer", [{"choices": []}, {"nonsense": 1}, 7])
def test_no_answer_is_a_validation_error(answer: Any) -> None:
    """What is not an answer is tried again and then raised as such, never as an AttributeError."""
    fake = FakeProvider(lambda request: answer)
    house = House(fake)
    with pytest.raises(e.ResponseValidationError):
        house.complete()
    assert fake.calls == 3


def test_a_target_that_cannot_is_not_tried() -> None:
    """Capabilities leave targets out; when none is left, the error says what each lacked."""
    weak = FakeProvider("weak", name="weak", capabilities=Capabilities(frozenset({"streaming"})))
    strong = FakeProvider("strong", name="strong")
    tools = [{"type": "function", "function": {"name": "f"}}]
    house = House(weak, strong, groups={"m": ["weak/m", "strong/m"]})
    assert house.complete(tools=tools).edge.provider == "strong"
    assert house.complete().edge.provider == "weak"
    with pytest.raises(e.NoTargetError, match="weak/m cannot do json_schema, tools"):
        House(weak).complete(tools=tools, response_format={"type": "json_schema", "json_schema": {"name": "x"}})


def test_a_router_that_leaves_nothing() -> None:
    """An empty plan is an error that names the router."""

    class Nobody:
        def plan(self, request: Any, targets: Any, health: Any) -> list[Any]:
            return []

    with pytest.raises(e.NoTargetError, match="Nobody"):
        House(FakeProvider("x")).complete(options=CallOptions(router=Nobody()))


def test_a_provider_that_only_streams() -> None:
    """What it streams is the answer of an unstreamed call."""

    class Streamer:
        name = "s"

        def stream(self, request: Any) -> list[str]:
            return ["a"]

    assert House(Streamer()).complete().choices[0].message.content == "a"


def test_attempt_timeout_of_a_callers_provider() -> None:
    """The attempt's own limit is a timeout, tried again; the call's deadline is not."""
    world = World()
    world.takes = 700
    house = House(FakeProvider("x"), world=world)
    with pytest.raises(e.APITimeoutError) as caught:
        house.complete()
    assert type(caught.value) is e.APITimeoutError
    assert len(caught.value.attempts) == 3
    with pytest.raises(e.DeadlineExceededError):
        house.complete(options=CallOptions(deadline=600))


# single flight


def fly(house: House, ending: Any) -> None:
    """While one call waits for its flight, its leader ends it."""

    def end(effect: Join) -> bool:
        ending(effect.waitable)
        return True

    house.world.on_join = end


def board(house: House) -> Any:
    """A flight for the request that `complete` makes, led by somebody else."""
    seen: list[Any] = []
    real = house.pipeline.flights.board

    def spy(key: bytes, *, blocking: bool) -> Any:
        if not seen:
            seen.append(real(key))
            seen[0][0].thread = 0
        return real(key, blocking=blocking)

    house.pipeline.flights.board = spy  # type: ignore[method-assign]
    return seen


def test_a_follower_gets_the_leaders_answer() -> None:
    """It pays nothing, and is told who answered."""
    fake = FakeProvider("Paris")
    far = Far()
    house = House(fake, far=far)
    original = house.complete()
    house.world.write()
    (data,) = far.held.values()
    house = House(fake)
    board(house)
    entry = decode_entry(data)
    assert entry is not None
    fly(house, lambda flight: flight.land(entry))
    completion = house.complete()
    assert completion.model_dump() == original.model_dump()
    assert (completion.edge.coalesced, completion.edge.cached) == (True, False)
    assert (completion.edge.cost_usd, completion.edge.saved_usd) == (0, original.edge.cost_usd)
    assert fake.calls == 1


@pytest.mark.parametrize("how", [{"mode": "refresh"}, {"mode": "write"}, {"max_age": 1}], ids=str)
def test_who_asks_after_a_renewal_is_given_nothing_of_before(how: Any) -> None:
    """He waits for who began before it and reads what that may have; then he looks for himself."""
    house = House(FakeProvider("old", "new"), far=Far(), memory=False)
    house.complete()
    house.world.write()
    house.world.now += 5
    leader = house.pipeline.complete(house.request("hello"), CallOptions(), Scope(), prefers_async=True)
    offload = next(leader)
    assert isinstance(offload, Offload)
    data = offload.call()
    assert house.complete(options=CallOptions(cache=CacheOptions(**how))).choices[0].message.content == "new"

    def land(effect: Join) -> bool:
        with pytest.raises(StopIteration) as ended:
            leader.send(data)
        assert ended.value.value.choices[0].message.content == "old"
        return True

    house.world.on_join = land
    follower = house.pipeline.complete(house.request("hello"), CallOptions(), Scope(), prefers_async=True)
    completion = house.world.run(follower)
    assert completion.choices[0].message.content == "new"
    assert (completion.edge.cached, completion.edge.coalesced) == (True, False)


def test_a_follower_gets_his_own_copy_of_the_error() -> None:
    """A provider's error is shared; nobody runs a second ladder of retries."""
    fake = FakeProvider("Paris")
    house = House(fake)
    board(house)
    error = e.RateLimitError("slow down")
    fly(house, lambda flight: flight.fail(error))
    with pytest.raises(e.RateLimitError) as caught:
        house.complete()
    assert caught.value is not error
    assert fake.calls == 0


def test_an_abandoned_flight_is_taken_over() -> None:
    """The leader is gone: one of the followers leads."""
    fake = FakeProvider("Paris")
    house = House(fake)
    board(house)
    fly(house, lambda flight: flight.abandon())
    assert house.complete().choices[0].message.content == "Paris"
    assert fake.calls == 1
    assert len(house.pipeline.flights) == 0


def test_a_followers_own_deadline() -> None:
    """It does not wait longer than it may."""
    house = House(FakeProvider("Paris"))
    board(house)
    house.world.on_join = lambda effect: False
    with pytest.raises(e.DeadlineExceededError):
        house.complete(options=CallOptions(deadline=5))


@pytest.mark.parametrize(
    ("answer", "options", "end"),
    [
        (e.NotFoundError("x"), CallOptions(), "error"),
        ("Paris", CallOptions(deadline=1), "abandoned"),
        (KeyboardInterrupt(), CallOptions(), "abandoned"),
    ],
)
def test_how_a_leader_ends_its_flight(answer: Any, options: CallOptions, end: str) -> None:
    """A provider's error is shared; an own deadline or a cancellation hands the lead over."""
    world = World()
    world.takes = 2
    house = House(FakeProvider(answer), world=world)
    flights: list[Any] = []
    real = house.pipeline.flights.board

    def spy(key: bytes, *, blocking: bool) -> Any:
        flights.append(real(key, blocking=blocking))
        return flights[-1]

    house.pipeline.flights.board = spy  # type: ignore[method-assign]
    with pytest.raises(BaseException):  # noqa: B017, PT011  # each of them
        house.complete(options=options)
    flight = flights[0][0]
    assert flight.ended
    assert (flight.error() is not None) == (end == "error")
    assert len(house.pipeline.flights) == 0
    assert len(house.watcher.ends) == 1


def test_memory_is_looked_up_again_after_boarding() -> None:
    """An answer that landed between the look-up and the boarding is not asked for twice."""
    fake = FakeProvider("Paris")
    house = House(fake)
    near = house.pipeline.layers.near
    missed: list[bytes] = []

    def late(key: bytes, max_age: float | None, spare: Any = None) -> Any:
        if not missed:
            missed.append(key)
            house.complete()  # another caller's: lands meanwhile
            return None
        return near(key, max_age)

    house.pipeline.layers.near = late  # type: ignore[method-assign]
    assert house.complete().edge.cached
    assert fake.calls == 1


def test_memory_is_asked_once_where_nothing_has_landed() -> None:
    """A miss is counted once, whether a provider answers it or another tier."""
    house = House(FakeProvider("Paris"), far=Far())
    house.complete()
    assert [seen for seen in house.watcher.seen if seen in LOOKUPS] == [("memory", False), ("disk", False)]


# streams


def test_a_stream_and_its_facts() -> None:
    """Chunks as they come; usage and edge are complete at the end, and the last chunk carries edge."""
    house = House(FakeProvider("one two three"))
    session = house.stream()
    chunks = house.chunks(session)
    assert text(chunks) == "one two three"
    assert session.state == "ended"
    assert session.usage is not None
    assert chunks[-1].edge is session.call.edge
    assert [chunk.edge for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert session.call.edge.cost_usd == Decimal(session.usage.total_tokens) / 100
    assert all(chunk.usage is None for chunk in chunks)
    assert house.watcher.ends[0].time_to_first_chunk is not None


def test_usage_is_shown_if_asked_for() -> None:
    """The caller's own include_usage brings the usage chunk last, with no choices."""
    house = House(FakeProvider("one two"))
    chunks = house.chunks(house.stream(stream_options={"include_usage": True}))
    assert chunks[-1].usage is not None
    assert chunks[-1].choices == []
    assert chunks[-1].edge is not None


@pytest.mark.parametrize("cache", [True, False])
def test_a_choice_that_has_ended_holds_up_no_other(cache: bool) -> None:
    """Only what may be the last chunk waits for the end; the others come at once, however many choices there are."""
    shown: list[tuple[int, Any, Any]] = []
    seen: list[int] = []

    def choice(index: int, content: str | None, finish: str | None = None) -> dict[str, Any]:
        delta = {} if content is None else {"content": content}
        return {"choices": [{"index": index, "delta": delta, "finish_reason": finish}]}

    pieces = [choice(0, "a"), choice(1, "b"), choice(0, None, "stop"), choice(1, "c"), choice(1, "d", "stop")]

    def told() -> Iterator[dict[str, Any]]:
        for piece in pieces:
            seen.append(len(shown))
            yield piece

    house = House(FakeProvider(lambda request: told()))
    session = house.stream(n=2, options=CallOptions(cache=CacheOptions(mode="on" if cache else "off")))
    chunks = []
    while session.flowing or session.pending:
        while session.pending:
            chunk = session.pending.popleft()
            chunks.append(chunk)
            shown += [(one.index, one.delta.content, one.finish_reason) for one in chunk.choices]
        if session.flowing:
            house.world.run(session.advance())
    assert shown == [(0, "a", None), (1, "b", None), (0, None, "stop"), (1, "c", None), (1, "d", "stop")]
    assert [chunk.edge is session.call.edge for chunk in chunks] == [False] * 4 + [True]
    assert seen == [0, 1, 2, 3, 4]


def test_a_choice_that_never_ends() -> None:
    """The last chunk has the facts all the same, once the stream is over."""
    house = House(FakeProvider(lambda request: [{"choices": [{"index": 0, "delta": {"content": "a"}}]}]))
    session = house.stream()
    chunks = house.chunks(session)
    assert chunks[-1].edge is session.call.edge


def test_streams_and_answers_share_entries() -> None:
    """In both directions."""
    fake = FakeProvider("one two three")
    house = House(fake)
    house.chunks(house.stream())
    completion = house.complete()
    assert completion.edge.cached
    assert completion.choices[0].message.content == "one two three"
    house = House(fake)
    house.complete()
    session = house.stream()
    chunks = house.chunks(session)
    assert text(chunks) == "one two three"
    assert session.call.edge.cached
    assert chunks[-1].edge.cache_tier == "memory"
    assert session.usage is not None
    assert fake.calls == 2


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("options", [None, {"include_usage": True}])
def test_what_a_vendor_says_beside_the_usage_is_streamed(options: Any, whole: bool) -> None:
    """Whether usage is shown or not, and whether it is a stream that comes or an answer that was stored."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    pieces = [
        {"content": "Paris"},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"choices": [], "usage": usage, "citations": ["a.example"], "obfuscation": "x"},
    ]
    house = House(FakeProvider(lambda request: list(pieces)))
    for _ in range(2):
        if whole:
            house.complete()
        chunks = house.chunks(house.stream(stream_options=options))
        beside = [chunk.model_extra for chunk in chunks if chunk.model_extra]
        assert [said["citations"] for said in beside] == [["a.example"]]
        assert [bool(chunk.choices) for chunk in chunks[:-1]] == [True] * (len(chunks) - 1)
        assert bool(chunks[-1].choices) == (options is None)
        assert chunks[-1].edge is not None


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "between", "last"])
@pytest.mark.parametrize("ends", [True, False])
def test_what_stands_beside_a_hidden_usage_is_said_by_another_chunk(place: int, ends: bool) -> None:
    """Wherever it came; also where a choice never ends, so that the last chunk is not held back."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    last = {"finish_reason": "stop"} if ends else {"index": 1}  # the other one has ended
    pieces: list[dict[str, Any]] = [
        {"content": "one "},
        {"choices": [{"index": 0, "delta": {"content": "two"}, "finish_reason": None if ends else "stop"}]},
        {"choices": [{"index": 0, "delta": {}, **last}], "of": {"b": 3}},
    ]
    pieces[place:place] = [
        {"choices": [], "usage": usage, "seen": ["a.example"], "of": {"a": 1}, "as": None, "obfuscation": "x"},
        {"choices": [], "usage": usage, "of": {"b": 2}, "as": "text"},
    ]
    house = House(FakeProvider(lambda request: list(pieces)))
    for _ in range(2):
        chunks = house.chunks(house.stream())
        assert [(chunk.choices[0].delta.content, chunk.usage) for chunk in chunks] == [
            ("one ", None),
            ("two", None),
            (None, None),
        ]
        assert assemble(chunks).model_extra == {"seen": ["a.example"], "of": {"a": 1, "b": 3}, "as": "text"}


def test_a_stream_from_disk() -> None:
    """The far tiers are asked for streams too."""
    far = Far()
    first = House(FakeProvider("Paris"), far=far)
    first.complete()
    first.world.write()
    house = House(FakeProvider("London"), far=far)
    session = house.stream()
    assert text(house.chunks(session)) == "Paris"
    assert any(isinstance(effect, Offload) for effect in house.world.effects)


def test_closed_early() -> None:
    """Nothing is stored, the observers are told once, and nothing more comes."""
    fake = FakeProvider("one two three")
    house = House(fake)
    session = house.stream()
    session.close_early()
    session.close_early()
    assert (session.state, list(session.pending)) == ("closed", [])
    assert [(end.completion, end.error) for end in house.watcher.ends] == [(None, None)]
    assert not house.complete().edge.cached


def test_interrupted() -> None:
    """After the first content a fault is a typed error that carries the partial; nothing is stored."""
    fake = FakeProvider([["one ", "two ", e.APIConnectionError()], "whole"])
    house = House(fake)
    session = house.stream()
    with pytest.raises(e.StreamInterruptedError) as caught:
        house.chunks(session)
    error = caught.value
    assert error.partial.choices[0].message.content == "one two "
    assert isinstance(error.__cause__, e.APIConnectionError)
    assert [attempt.outcome for attempt in error.attempts] == ["APIConnectionError"]
    assert session.state == "interrupted"
    assert house.watcher.ends[0].error is error
    assert not house.complete().edge.cached


def test_a_fault_before_the_first_content_falls_back() -> None:
    """A role alone is no content: the next target's stream is the one that the caller sees."""
    role = {"choices": [{"index": 0, "delta": {"role": "assistant"}}]}
    first = FakeProvider([[role, e.InternalServerError("x")]] * 3, name="a")
    second = FakeProvider("second", name="b")
    house = House(first, second, groups={"m": ["a/x", "b/y"]})
    session = house.stream()
    assert text(house.chunks(session)) == "second"
    assert session.call.edge.provider == "b"
    assert first.calls == 3


def test_a_failed_attempts_stream_is_closed_before_the_next() -> None:
    """No two connections are held by one call."""
    fake = FakeProvider(lambda request: [{"choices": [{"index": 0, "delta": {"role": "assistant"}}]}, {"nonsense": 1}])
    house = House(fake)
    with pytest.raises(e.ResponseValidationError):
        house.stream()
    order = [type(effect) for effect in house.world.effects if isinstance(effect, OpenIterator | Close)]
    assert order == [OpenIterator, Close] * 3


def test_an_empty_stream_is_no_answer() -> None:
    """It is tried again like any invalid answer."""
    asked: list[Any] = []

    class Silent:
        name = "silent"

        def stream(self, request: Any) -> list[str]:
            asked.append(request)
            return []

    with pytest.raises(e.ResponseValidationError):
        House(Silent()).stream()
    assert len(asked) == 3


def test_a_chunk_without_choices_delays_none_after_it() -> None:
    """Azure begins with one: each piece of text is shown when it comes, and the last chunk carries edge as ever."""
    pieces = [
        {"choices": [], "prompt_filter_results": []},
        {"content": "one "},
        {"content": "two"},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    house = House(FakeProvider(lambda request: list(pieces)))
    session = house.stream()
    assert text(session.pending) == "one "
    session.pending.clear()
    house.world.run(session.advance())
    assert text(session.pending) == "two"
    assert house.chunks(session)[-1].edge is session.call.edge


def test_content_after_a_finish_reason() -> None:
    """Some servers do that; nothing is lost and the order is kept."""
    pieces = [
        {"content": "one "},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        {"content": "two"},
    ]
    house = House(FakeProvider(lambda request: list(pieces)))
    assert text(house.chunks(house.stream())) == "one two"


def test_a_provider_without_streams_is_streamed_all_the_same() -> None:
    """Its whole answer comes as chunks."""

    class Plain:
        name = "plain"

        def complete(self, request: Any) -> str:
            return "whole"

    house = House(Plain())
    session = house.stream()
    assert text(house.chunks(session)) == "whole"


@pytest.mark.parametrize("prefers_async", [False, True])
@pytest.mark.parametrize(
    ("methods", "sync_choice", "async_choice"),
    [
        (("complete", "acomplete"), "complete", "acomplete"),
        (("complete",), "complete", "complete"),
        (("acomplete",), "acomplete", "acomplete"),
    ],
)
def test_which_method_of_a_callers_provider(
    methods: tuple[str, ...], sync_choice: str, async_choice: str, prefers_async: bool
) -> None:
    """Its own kind first, the other where there is none."""
    called: list[str] = []

    def method(name: str) -> Any:
        def answer(request: Any) -> str:
            called.append(name)
            return name

        return answer

    provider = type("Mine", (), {"name": "mine", **{name: staticmethod(method(name)) for name in methods}})()
    house = House(provider)
    flow = house.pipeline.complete(house.request("x"), CallOptions(), Scope(), prefers_async=prefers_async)
    house.world.run(flow)
    assert called == [async_choice if prefers_async else sync_choice]
    assert any(isinstance(effect, Invoke) for effect in house.world.effects)


def test_retries_are_told() -> None:
    """The observers see every attempt, retry and the end, in order."""
    house = House(FakeProvider([e.InternalServerError("x"), "ok"]), memory=False)
    house.complete(options=CallOptions(retry=RetryPolicy(1)))
    told = [event for event in house.watcher.seen if type(event) is tuple]
    assert told == [("attempt", "InternalServerError"), ("retry", "fake/m"), ("attempt", "ok")]
