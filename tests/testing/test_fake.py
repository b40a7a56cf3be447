"""FakeProvider: every kind of answer, asked in each of the four ways."""

from __future__ import annotations

import asyncio
import inspect
import pickle
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent import AsyncEdgeClient, EdgeClient
from edgeagent.errors import APIConnectionError, ConfigurationError, RateLimitError, ResponseValidationError
from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities, DirectProvider
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble

REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "What is it?"}])
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def complete(fake: FakeProvider, request: ChatRequest = REQUEST) -> ChatCompletion:
    """As a sync client asks."""
    answer = fake.complete(request)
    return asyncio.run(_awaited(answer)) if inspect.isawaitable(answer) else answer  # type: ignore[return-value]


async def _awaited(answer: Any) -> Any:
    return await answer


def acomplete(fake: FakeProvider, request: ChatRequest = REQUEST) -> ChatCompletion:
    """As an async client asks."""
    return asyncio.run(fake.acomplete(request))


def stream(fake: FakeProvider, request: ChatRequest = REQUEST) -> list[ChatCompletionChunk]:
    """As a sync client streams."""
    chunks = fake.stream(request)
    return asyncio.run(_collected(chunks)) if isinstance(chunks, AsyncIterator) else list(chunks)


def astream(fake: FakeProvider, request: ChatRequest = REQUEST) -> list[ChatCompletionChunk]:
    """As an async client streams."""
    return asyncio.run(_collected(fake.astream(request)))


async def _collected(chunks: AsyncIterator[ChatCompletionChunk]) -> list[ChatCompletionChunk]:
    return [chunk async for chunk in chunks]


def streamed(fake: FakeProvider, request: ChatRequest = REQUEST) -> ChatCompletion:
    return assemble(stream(fake, request))


def astreamed(fake: FakeProvider, request: ChatRequest = REQUEST) -> ChatCompletion:
    return assemble(astream(fake, request))


WAYS = [complete, acomplete, streamed, astreamed]
Way = Callable[..., ChatCompletion]


def pieces(request: ChatRequest) -> Iterator[Any]:
    yield "It "
    yield {"content": "is."}


async def async_pieces(request: ChatRequest) -> AsyncIterator[Any]:
    yield "It "
    yield {"content": "is."}


async def async_text(request: ChatRequest) -> str:
    return "It is."


async def returns_async_pieces(request: ChatRequest) -> AsyncIterator[Any]:
    return async_pieces(request)


WHOLE = {"choices": [{"index": 0, "message": {"role": "assistant", "content": "It is."}, "finish_reason": "stop"}]}
ANSWERS = [
    pytest.param("It is.", id="text"),
    pytest.param({"content": "It is."}, id="dict of the message"),
    pytest.param(WHOLE, id="dict of the completion"),
    pytest.param(
        ChatCompletion.model_validate({"id": "chatcmpl-fake-1", "created": 0, "model": "m", **WHOLE}), id="completion"
    ),
    pytest.param(("It ", "is."), id="pieces"),
    pytest.param(lambda request: "It is.", id="function"),
    pytest.param(async_text, id="async function"),
    pytest.param(pieces, id="generator function"),
    pytest.param(async_pieces, id="async generator function"),
    pytest.param(returns_async_pieces, id="async function that returns an async iterator"),
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("answer", ANSWERS)
def test_every_answer_in_every_way(answer: Any, way: Way) -> None:
    """Whatever the form of an answer, and however it is asked for, it says the same, with the same usage."""
    fake = FakeProvider(answer)
    for number in (1, 2):  # a single answer is repeated
        made = way(fake)
        assert made.choices[0].message.content == "It is."
        assert made.choices[0].finish_reason == "stop"
        assert made.model == "m"
        assert made.usage is not None
        assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (3, 2)
        if not isinstance(answer, ChatCompletion):
            assert made.id == f"chatcmpl-fake-{number}"
    assert fake.requests == [REQUEST, REQUEST]
    assert fake.calls == 2


@pytest.mark.parametrize("way", WAYS)
def test_in_order_and_no_more(way: Way) -> None:
    """Several answers are used once each, in order; then the fake says how many it was given."""
    for fake in (FakeProvider("A", "B", name="x"), FakeProvider(["A", "B"], name="x")):
        assert [way(fake).choices[0].message.content for _ in range(2)] == ["A", "B"]
        with pytest.raises(ConfigurationError, match=r"'x' was given 2 answers; this is request 3\."):
            way(fake)
        assert fake.calls == 3


@pytest.mark.parametrize("answers", [(["A"],), (iter(["A"]),), (async_pieces(REQUEST),)])
def test_one_answer_once(answers: Any) -> None:
    """A list of one is used once; so is an iterator, which cannot be run through again."""
    fake = FakeProvider(*answers)
    acomplete(fake)
    with pytest.raises(ConfigurationError, match="was given 1 answer; this is request 2"):
        acomplete(fake)


@pytest.mark.parametrize(
    ("answers", "reason"),
    [((), "at least one"), (([],), "at least one"), ((RateLimitError,), "class"), (("A", RateLimitError), "class")],
)
def test_no_answer(answers: Any, reason: str) -> None:
    """A fake without answers, or with a class for an exception, is refused at once."""
    with pytest.raises(ConfigurationError, match=reason):
        FakeProvider(*answers)


class Peculiar(Exception):
    """Cannot be copied: its constructor wants what it does not keep."""

    def __init__(self, *, reason: str) -> None:
        super().__init__()


@pytest.mark.parametrize("way", WAYS)
def test_exceptions_are_raised(way: Way) -> None:
    """An exception is raised: a copy each time, with its attributes and cause."""
    error = RateLimitError("slow down")
    error.retry_after = 3.0
    error.__cause__ = cause = ValueError("why")
    fake = FakeProvider(error)
    caught = []
    for _ in range(2):
        with pytest.raises(RateLimitError, match="slow down") as info:
            way(fake)
        caught.append(info.value)
    assert [found.retry_after for found in caught] == [3.0, 3.0]
    assert [found.__cause__ for found in caught] == [cause, cause]
    assert len({id(found) for found in (error, *caught)}) == 3
    assert error.__traceback__ is None


@pytest.mark.parametrize("way", WAYS)
def test_peculiar_exceptions_are_raised(way: Way) -> None:
    """An exception that cannot be copied is raised itself."""
    error = Peculiar(reason="x")
    with pytest.raises(Peculiar) as caught:
        way(FakeProvider(error))
    assert caught.value is error


@pytest.mark.parametrize("way", WAYS)
def test_exceptions_of_functions(way: Way) -> None:
    """A function may return an exception or raise it."""

    def raises(request: ChatRequest) -> Any:
        raise RateLimitError("raised")

    fake = FakeProvider(raises, lambda request: RateLimitError("returned"))
    for reason in ("raised", "returned"):
        with pytest.raises(RateLimitError, match=reason):
            way(fake)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("answer", [42, {"contnet": "A"}, b"A", ("A", 42)])
def test_no_answers_at_all(way: Way, answer: Any) -> None:
    """What is no answer of a provider is none of a fake."""
    with pytest.raises(ResponseValidationError):
        way(FakeProvider(answer))


@pytest.mark.parametrize("way", [stream, astream])
@pytest.mark.parametrize(
    "answer",
    [
        ("A", "B", APIConnectionError()),
        lambda request: iter(["A", "B", APIConnectionError()]),
    ],
)
def test_an_exception_in_its_place(answer: Any, way: Any) -> None:
    """An exception among the pieces is raised after those before it."""
    fake = FakeProvider(answer)
    seen: list[Any] = []

    async def read() -> None:
        async for chunk in fake.astream(REQUEST):
            seen.append(chunk.choices[0].delta.content)

    def read_sync() -> None:
        for chunk in fake.stream(REQUEST):  # type: ignore[union-attr]
            seen.append(chunk.choices[0].delta.content)

    with pytest.raises(APIConnectionError):
        read_sync() if way is stream else asyncio.run(read())
    assert seen == ["A", "B"]


def test_functions_see_the_request() -> None:
    """A function answers by what it is asked."""
    fake = FakeProvider(lambda request: request.messages[-1]["content"].upper())
    assert complete(fake).choices[0].message.content == "WHAT IS IT?"


def deltas(chunks: list[ChatCompletionChunk]) -> list[Any]:
    return [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]


@pytest.mark.parametrize("way", [stream, astream])
def test_words(way: Any) -> None:
    """A text is streamed word by word, then the finish reason, then the usage."""
    chunks = way(FakeProvider("The capital is\nParis."))
    assert deltas(chunks) == ["The ", "capital ", "is\n", "Paris.", None]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * 4 + ["stop"]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert (chunks[-1].choices, chunks[-1].usage is None) == ([], False)
    assert {(chunk.id, chunk.model, chunk.created) for chunk in chunks} == {("chatcmpl-fake-1", "m", 0)}


@given(st.text())
def test_streamed_is_unstreamed(text: str) -> None:
    """Any text, streamed and put together again, is the unstreamed answer."""
    fake = FakeProvider(text)
    whole, parts = complete(fake), streamed(fake)
    assert parts.choices == whole.choices
    assert parts.usage == whole.usage


@pytest.mark.parametrize(
    "answer",
    [
        {"tool_calls": [{"function": {"name": "look", "arguments": {"where": "here"}}}], "content": "Let me see."},
        {"choices": [{"message": {"content": "one two"}}, {"message": {"content": "three four"}}]},
        {"content": None, "refusal": "no", "reasoning_content": "hm hm"},
        {"content": "A", "usage": USAGE, "model": "n", "finish_reason": "length", "vendor_field": {"a": 1}},
    ],
)
def test_streamed_is_unstreamed_for_all_parts(answer: Any) -> None:
    """So is an answer with tool calls, several choices, a refusal, fields of a vendor."""
    assert streamed(FakeProvider(answer)) == complete(FakeProvider(answer))


@pytest.mark.parametrize("way", [stream, astream])
def test_pieces_are_streamed_as_they_are(way: Any) -> None:
    """Pieces are not cut, and what they say themselves is not said again."""
    last = {"content": "", "finish_reason": "length"}
    chunks = way(FakeProvider(("The capital", " is", last, {"usage": USAGE})))
    assert deltas(chunks) == ["The capital", " is", ""]
    assert [chunk.usage.total_tokens for chunk in chunks if chunk.usage] == [3]
    assert [c.finish_reason for chunk in chunks for c in chunk.choices] == [None, None, "length"]


def test_pieces_of_tool_calls_end_so() -> None:
    """Pieces with tool calls end with that reason."""
    fake = FakeProvider(({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "look", "arguments": "{}"}}]},))
    assert streamed(fake).choices[0].finish_reason == "tool_calls"


def test_early_end_of_a_stream() -> None:
    """A stream that is closed early closes the iterator that it reads."""
    closed: list[str] = []

    def answer(request: ChatRequest) -> Iterator[str]:
        try:
            yield "A"
            yield "B"
        finally:
            closed.append("sync")

    async def aanswer(request: ChatRequest) -> AsyncIterator[str]:
        try:
            yield "A"
            yield "B"
        finally:
            closed.append("async")

    chunks = FakeProvider(answer).stream(REQUEST)
    assert isinstance(chunks, Iterator)
    next(chunks)
    chunks.close()  # type: ignore[attr-defined]

    async def read() -> list[str]:
        chunks = FakeProvider(aanswer).astream(REQUEST)
        await anext(chunks)
        await chunks.aclose()
        return closed.copy()  # what was closed before the loop's end

    assert asyncio.run(read()) == ["sync", "async"]


def test_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of call waits before it answers, in its own way; without a latency none waits."""
    waited: list[tuple[str, float]] = []

    async def sleep(seconds: float) -> None:
        waited.append(("async", seconds))

    monkeypatch.setattr("anyio.sleep", sleep)
    fake = FakeProvider("A", latency=0.25, sleep=lambda seconds: waited.append(("sync", seconds)))
    for way in WAYS:
        way(fake)
    assert waited == [("sync", 0.25), ("async", 0.25)] * 2
    for way in WAYS:
        way(FakeProvider("A", sleep=lambda seconds: pytest.fail("waited")))


def test_threads() -> None:
    """Asked from many threads at once, every answer is given exactly once and every request is kept."""
    fake = FakeProvider([str(number) for number in range(400)])
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: complete(fake), range(400)))
    assert {answer.choices[0].message.content for answer in made} == {str(number) for number in range(400)}
    assert {answer.id for answer in made} == {f"chatcmpl-fake-{number}" for number in range(1, 401)}
    assert fake.calls == 400


def test_what_it_says_of_itself() -> None:
    """Name, models, vendor, cache identity and capabilities are as given, with plain defaults."""
    fake = FakeProvider("A")
    assert isinstance(fake, DirectProvider)
    assert (fake.name, fake.models, fake.vendor, fake.cache_identity) == ("fake", (), "fake", "fake")
    assert fake.capabilities("m") is ALL_CAPABILITIES
    few = Capabilities(frozenset({"stop"}))
    fake = FakeProvider("A", name="x", models=["m"], vendor="openai", cache_identity=None, capabilities=few)
    assert (fake.name, fake.models, fake.vendor, fake.cache_identity) == ("x", ("m",), "openai", None)
    assert fake.capabilities("m") is few
    assert repr(fake) == "FakeProvider(name='x', calls=0)"


def test_pickle() -> None:
    """A fake whose answers can be pickled can be pickled, with what it was asked."""
    fake = FakeProvider(["A", "B"])
    complete(fake)
    copy = pickle.loads(pickle.dumps(fake))
    assert complete(copy).choices[0].message.content == "B"
    assert (fake.calls, copy.calls) == (1, 2)


# embeddings


def test_made_up_vectors() -> None:
    """Equal texts have equal vectors of length 1, others point elsewhere; as long as is asked for; usage is told."""
    fake = FakeProvider("x")
    with EdgeClient(providers=[fake], cache=False) as client:
        one = client.embeddings.create(model="m", input=["a", "b", "a"])
        two = client.embeddings.create(model="m", input="a", dimensions=3)
    first, second, third = (vector.floats for vector in one.data)
    assert first == third != second
    assert sum(number * number for number in first) == pytest.approx(1)
    assert (len(first), len(two.data[0].floats)) == (8, 3)
    assert one.usage is not None
    assert one.usage.prompt_tokens == 3
    assert [request.items for request in fake.embedding_requests] == [["a", "b", "a"], ["a"]]
    assert fake.calls == 0


def test_vectors_that_it_was_told() -> None:
    """A function, or an exception, which is raised anew for each call."""
    told = FakeProvider("x", embeddings=lambda request: [[float(len(item))] for item in request.items])
    with EdgeClient(providers=[told]) as client:
        assert client.embeddings.create(model="m", input=["abc"]).data[0].embedding == [3.0]
    broken = FakeProvider("x", embeddings=RateLimitError("no"))
    with EdgeClient(providers=[broken], retry=0) as client:
        raised = []
        for _ in range(2):
            with pytest.raises(RateLimitError) as caught:
                client.embeddings.create(model="m", input="a")
            raised.append(caught.value)
    assert raised[0] is not raised[1]


def test_token_ids_have_vectors_and_a_price_each() -> None:
    """Awaiting, too."""

    async def scenario() -> None:
        async with AsyncEdgeClient(providers=[FakeProvider("x", latency=0.001)]) as client:
            answer = await client.embeddings.create(model="m", input=[[1, 2, 3], [4]])
            assert answer.usage is not None
            assert answer.usage.prompt_tokens == 4

    anyio.run(scenario)
