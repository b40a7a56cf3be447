"""A stream that breaks off in the middle, and goes on at another target."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from edgeagent import (
    APITimeoutError,
    BadRequestError,
    BudgetExceededError,
    ContentFilterError,
    EdgeClient,
    InternalServerError,
    RateLimitError,
    RequestValidationError,
    RetryPolicy,
    ShieldBlockedError,
    StreamInterruptedError,
)
from edgeagent.core.resuming import continues
from edgeagent.providers import Anthropic, Bedrock, Mistral, OpenAI, OpenAICompatible, VertexAI
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatRequest
from tests.e2e.harness import ANTHROPIC, OPENAI, PROMPT, Gate, streamed, text_of
from tests.support.loopback import HANG_UP, Loopback

GONE = ConnectionResetError("gone")
RESUME: Any = {"resume": True}


class Continuing(FakeProvider):
    """Goes on with an answer that has begun."""

    continues = True


def breaking(*pieces: Any, name: str, kind: type[FakeProvider] = FakeProvider) -> FakeProvider:
    """Says the pieces, and is gone."""
    return kind(lambda _: [*pieces, GONE], name=name)


def gate_of(kind: str, *fakes: FakeProvider, **settings: Any) -> Gate:
    group = {"g": [f"{fake.name}/m" for fake in fakes]}
    return Gate(kind, fakes, models=group, **{"cache": False, "retry": 0, **settings})


async def test_another_target_goes_on(kind: str) -> None:
    """What had come is the beginning of its answer; to the caller it is one stream, and `edge` tells of both."""
    first = breaking("One,", " two,", name="first")
    second = Continuing(lambda _: [" three,", " four."], name="second")
    async with gate_of(kind, first, second) as gate:
        stream = await gate.stream(model="g", edge=RESUME)
        chunks = [chunk async for chunk in stream]
    assert text_of(chunks) == "One, two, three, four."
    assert len({(chunk.id, chunk.created) for chunk in chunks}) == 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    edge = chunks[-1].edge
    assert edge is stream.edge
    assert (edge.provider, [str(target) for target in edge.resumed]) == ("second", ["first/m"])
    assert [(str(a.target), a.outcome) for a in edge.attempts] == [
        ("first/m", "ConnectionResetError"),
        ("second/m", "ok"),
    ]
    assert second.requests[0].messages == [
        {"role": "user", "content": PROMPT},
        {"role": "assistant", "content": "One, two,"},
    ]


async def test_only_if_the_caller_wants_it(kind: str) -> None:
    """Without it the error is raised, as it is where nobody can go on."""
    second = Continuing(" three.", name="second")
    for edge, other in (({}, second), (RESUME, FakeProvider("!", name="second"))):
        async with gate_of(kind, breaking("One,", name="first"), other) as gate:
            with pytest.raises(StreamInterruptedError) as caught:
                await gate.chunks(model="g", edge=edge)
        assert caught.value.partial.choices[0].message.content == "One,"
        assert caught.value.__cause__ is not None
        assert other.calls == 0


async def test_more_than_once(kind: str) -> None:
    """Each goes on with all that was said; a target that broke off is not asked again; at last all of it is told."""
    a, b = breaking("One,", name="a"), breaking(" two,", name="b", kind=Continuing)
    c = breaking(" three,", name="c", kind=Continuing)
    async with gate_of(kind, a, b, c) as gate:
        with pytest.raises(StreamInterruptedError) as caught:
            await gate.chunks(model="g", edge=RESUME)
    error = caught.value
    assert error.partial.choices[0].message.content == "One, two, three,"
    assert [str(attempt.target) for attempt in error.attempts] == ["a/m", "b/m", "c/m"]
    assert c.requests[0].messages[-1] == {"role": "assistant", "content": "One, two,"}
    assert (a.calls, b.calls, c.calls) == (1, 1, 1)


async def test_the_next_one_fails_to_begin(kind: str) -> None:
    """Then the one after it is asked, as for any call."""
    second = Continuing(GONE, name="second")
    third = Continuing(" two.", name="third")
    async with gate_of(kind, breaking("One,", name="first"), second, third) as gate:
        chunks = await gate.chunks(model="g", edge=RESUME)
    assert text_of(chunks) == "One, two."
    assert [(str(a.target), a.outcome == "ok") for a in chunks[-1].edge.attempts] == [
        ("first/m", False),
        ("second/m", False),
        ("third/m", True),
    ]


@pytest.mark.parametrize(
    ("cause", "retry", "told"),
    [
        (lambda: ValueError("of its own"), 0, ["first", "second", "third"]),
        (lambda: InternalServerError("Down."), 0, ["first", "second", "third"]),
        (lambda: InternalServerError("Down."), 1, ["first", "second", "second", "third", "third"]),
        (lambda: BadRequestError("No."), 0, ["first", "second"]),
    ],
    ids=["a provider's own", "a vendor's", "tried again", "a refusal"],
)
async def test_nobody_begins(kind: str, cause: Callable[[], Exception], retry: int, told: list[str]) -> None:
    """The error tells of those who were asked to go on, too: each attempt once, in their order."""
    policy = RetryPolicy(attempts=retry, wait=lambda _: 0, budget=False)
    second, third = (Continuing(lambda _: cause(), name=name) for name in ("second", "third"))
    async with gate_of(kind, breaking("One,", name="first"), second, third, retry=policy) as gate:
        with pytest.raises(StreamInterruptedError) as caught:
            await gate.chunks(model="g", edge=RESUME)
    error = caught.value
    assert [attempt.target.provider for attempt in error.attempts] == told
    assert [attempt.outcome for attempt in error.attempts[1:]] == [type(cause()).__name__] * (len(told) - 1)
    assert error.partial.choices[0].message.content == "One,"
    assert repr(error.__cause__) == repr(GONE)


async def test_one_goes_on_and_nobody_after_it(kind: str) -> None:
    """Those whose streams broke off, and then those who did not begin one."""
    second = breaking(" two,", name="second", kind=Continuing)
    third, fourth = (Continuing(GONE, name=name) for name in ("third", "fourth"))
    async with gate_of(kind, breaking("One,", name="first"), second, third, fourth) as gate:
        with pytest.raises(StreamInterruptedError) as caught:
            await gate.chunks(model="g", edge=RESUME)
    assert [attempt.target.provider for attempt in caught.value.attempts] == ["first", "second", "third", "fourth"]


@pytest.mark.parametrize(
    ("said", "rest", "whole"),
    [
        ("One, ", " two", "One, two"),
        ("One, ", "two", "One, two"),
        ("One,\n\n", "\n\ntwo", "One,\n\ntwo"),
        ("One,\n\n", "\ntwo", "One,\n\ntwo"),
        ("One,", " two", "One, two"),
    ],
)
async def test_the_space_between(kind: str, said: str, rest: str, whole: str) -> None:
    """A beginning is sent without the space at its end, which vendors refuse; it is there once."""
    second = Continuing([rest], name="second")
    async with gate_of(kind, breaking(said, name="first"), second) as gate:
        assert text_of(await gate.chunks(model="g", edge=RESUME)) == whole
    assert second.requests[0].messages[-1]["content"] == said.rstrip()


CALL = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}]}


@pytest.mark.parametrize(
    ("pieces", "params"),
    [
        ([CALL], {}),
        (["Look:", CALL], {}),
        ([{"reasoning_content": "Hm"}], {}),
        ([{"refusal": "No"}], {}),
        (['{"a":'], {"response_format": {"type": "json_object"}}),
        ([" ", "  "], {}),
    ],
    ids=["call", "text and call", "reasoning", "refusal", "json", "space"],
)
async def test_what_nobody_can_go_on_with(kind: str, pieces: list[Any], params: dict[str, Any]) -> None:
    """Anything but plain text that has begun."""
    second = Continuing("!", name="second")
    async with gate_of(kind, breaking(*pieces, name="first"), second) as gate:
        with pytest.raises(StreamInterruptedError):
            await gate.chunks(model="g", edge=RESUME, **params)
    assert second.calls == 0


@pytest.mark.parametrize(
    ("cause", "resumed"),
    [
        (InternalServerError("Down."), True),
        (RateLimitError("Slow down."), True),
        (APITimeoutError(), True),
        (ValueError("of a provider's own"), True),
        (ContentFilterError("No."), False),
        (ShieldBlockedError("No."), False),
        (BudgetExceededError("No."), False),
        (BadRequestError("No."), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
async def test_after_what(kind: str, cause: Exception, resumed: bool) -> None:
    """Where another target would be asked before the first content; not after a refusal."""
    first = FakeProvider(lambda _: ["One,", cause], name="first")
    async with gate_of(kind, first, Continuing(lambda _: [" two."], name="second")) as gate:
        if resumed:
            assert text_of(await gate.chunks(model="g", edge=RESUME)) == "One, two."
        else:
            with pytest.raises(StreamInterruptedError):
                await gate.chunks(model="g", edge=RESUME)


async def test_it_is_not_stored(kind: str) -> None:
    """Two models' words are no model's answer; one that did not break off is stored as ever."""
    second = Continuing(" two.", name="second")
    async with gate_of(kind, breaking("One,", name="first"), second, cache=True) as gate:
        for _ in range(2):
            assert text_of(await gate.chunks(model="g", edge=RESUME)) == "One, two."
        assert second.calls == 2
        for _ in range(2):
            last = (await gate.chunks(model="second/m", edge=RESUME))[-1]
        assert last.edge.cached


async def test_under_a_shield(kind: str) -> None:
    """Each part is masked and restored by itself; what is told of an error holds placeholders."""
    prompt = "Write to ann@example.com"

    def echo(request: ChatRequest) -> list[Any]:
        return ["To ", str(request.messages[0]["content"]).split()[-1], ": ", GONE]

    first = FakeProvider(echo, name="first")
    second = Continuing(["Hello."], name="second")
    async with gate_of(kind, first, second, shield="default") as gate:
        assert text_of(await gate.chunks(prompt, model="g", edge=RESUME)) == "To ann@example.com: Hello."
    assert "ann" not in str(second.requests[0].messages)
    third = breaking("Hello,", name="second", kind=Continuing)
    async with gate_of(kind, first, third, shield="default") as gate:
        with pytest.raises(StreamInterruptedError) as caught:
            await gate.chunks(prompt, model="g", edge=RESUME)
    assert caught.value.partial.choices[0].message.content == "To ann@example.com: Hello,"
    assert b"ann@" not in pickle.dumps(caught.value)


async def test_between_vendors(kind: str) -> None:
    """A connection that is cut on the wire, an answer that begins with what had come; the cost of both is told."""

    def cut(_: Any) -> Any:
        return streamed([*OPENAI.opening(), OPENAI.text("It is "), OPENAI.text("called "), HANG_UP])

    with Loopback(cut) as broken, Loopback(ANTHROPIC.serve) as well:
        providers = [OPENAI.provider(broken), ANTHROPIC.provider(well)]
        group = {"g": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"]}
        async with Gate(kind, providers, models=group, cache=False, retry=0) as gate:
            alone = (await gate.chunks(model="anthropic/claude-haiku-4-5"))[-1].edge.cost_usd
            chunks = await gate.chunks(model="g", edge=RESUME)
    sent = well.requests[-1].json()["messages"]
    assert sent[-1] == {"role": "assistant", "content": "It is called"}
    assert text_of(chunks) == "It is called Paris"
    assert chunks[-1].edge.cost_usd > alone


async def test_who_goes_on_is_told_what_it_takes(kind: str) -> None:
    """A temperature that was said of another model is lowered to the highest that this one takes."""
    first = breaking("Par", name="first")
    with Loopback(ANTHROPIC.serve) as server:
        async with Gate(kind, [first, ANTHROPIC.provider(server)], cache=False, retry=0) as gate:
            edge = {**RESUME, "fallbacks": ["anthropic/claude-haiku-4-5"]}
            stream = await gate.stream(model="first/m", temperature=1.5, edge=edge)
            chunks = [chunk async for chunk in stream]
    assert server.requests[0].json()["temperature"] == 1
    assert [str(target) for target in chunks[-1].edge.resumed] == ["first/m"]


@pytest.mark.parametrize("kind", ["asyncio", "trio"])  # nothing wakes a blocking provider of the caller's own
async def test_the_deadline_holds_for_all_of_it(kind: str) -> None:
    """What is left of it is the next one's."""
    second = Continuing(" two.", name="second", latency=300)
    async with gate_of(kind, breaking("One,", name="first"), second) as gate:
        with pytest.raises(StreamInterruptedError) as caught:
            await gate.chunks(model="g", edge={**RESUME, "deadline": 0.3})
    assert caught.value.partial.choices[0].message.content == "One,"


def test_as_events() -> None:
    """`.stream()` tells the content, and the final completion, as of one answer."""
    fakes = [breaking("One,", name="first"), Continuing(lambda _: [" two."], name="second")]
    with EdgeClient(providers=fakes, retry=0, models={"g": ["first/m", "second/m"]}) as client:
        asked: Any = {"model": "g", "messages": [{"role": "user", "content": "?"}], "edge": RESUME}
        with client.chat.completions.stream(**asked) as stream:
            told = [event.delta for event in stream if event.type == "content.delta"]
            final = stream.get_final_completion()
    assert "".join(told) == final.choices[0].message.content == "One, two."
    assert [str(target) for target in final.edge.resumed] == ["first/m"]


def test_closing_early() -> None:
    """Gives back whoever flows now."""
    second = Continuing(lambda _: [" two", " three", " four"], name="second")
    with EdgeClient(
        providers=[breaking("One,", name="first"), second], retry=0, models={"g": ["first/m", "second/m"]}
    ) as client:
        with client.chat.completions.create(
            model="g", messages=[{"role": "user", "content": "?"}], stream=True, edge=RESUME
        ) as stream:
            text = ""
            for chunk in stream:
                text += chunk.choices[0].delta.content or ""
                if "two" in text:
                    break
        assert text == "One, two"
        assert [report.load for report in client.health().values()] == [0, 0]


PUBLISHED = "locations/global/publishers/anthropic/models"


@pytest.mark.parametrize(
    ("provider", "model", "able"),
    [
        (lambda: Anthropic(api_key="k"), "claude-haiku-4-5", True),
        (lambda: Anthropic(api_key="k"), "claude-opus-4-6", False),
        (lambda: Anthropic(api_key="k"), "some-model", False),
        (lambda: Bedrock(api_key="k", region_name="us-east-1"), "us.anthropic.claude-haiku-4-5-20251001-v1:0", True),
        (
            lambda: Bedrock(api_key="k", region_name="us-east-1"),
            "invoke/anthropic.claude-haiku-4-5-20251001-v1:0",
            True,
        ),
        (lambda: Bedrock(api_key="k", region_name="us-east-1"), "amazon.nova-lite-v1:0", False),
        (lambda: VertexAI(project="p"), "claude-haiku-4-5@20251001", True),
        (lambda: VertexAI(project="p"), "claude-3-5-sonnet-v2@20241022", True),
        (lambda: VertexAI(project="p"), "publishers/anthropic/models/claude-opus-4-5@20251101", True),
        (lambda: VertexAI(project="p"), "publishers/anthropic/models/claude-opus-4-6", False),
        (lambda: VertexAI(project="p"), "claude-sonnet-4-6@default", False),
        (lambda: VertexAI(project="p"), f"projects/claude-opus-4-6/{PUBLISHED}/claude-haiku-4-5", True),
        (lambda: VertexAI(project="p"), f"projects/claude-haiku-4-5/{PUBLISHED}/claude-opus-4-6", False),
        (lambda: VertexAI(project="p"), "gemini-2.5-flash", False),
        (lambda: VertexAI(project="p"), "projects/p/locations/global/endpoints/1", False),
        (lambda: VertexAI(project="p"), "meta/llama-4-maverick-17b-128e-instruct-maas", False),
        (lambda: OpenAI(api_key="k"), "gpt-4.1", False),
        (lambda: Mistral(api_key="k"), "mistral-small-latest", False),
        (lambda: OpenAICompatible(name="llamacpp"), "any", True),
        (lambda: OpenAICompatible(name="vllm"), "any", False),
        (lambda: FakeProvider("x"), "any", False),
        (lambda: Continuing("x"), "any", True),
    ],
)
def test_who_can_go_on(provider: Callable[[], Any], model: str, able: bool) -> None:
    """As the vendors say; where that is not known, nobody."""
    assert continues(provider(), model) is able


def test_it_is_a_yes_or_a_no() -> None:
    """Anything else is a typed error."""
    with EdgeClient(providers=[FakeProvider("x")]) as client, pytest.raises(RequestValidationError) as caught:
        client.chat.completions.create(model="fake/m", messages=[{"role": "user", "content": "?"}], edge={"resume": 1})  # type: ignore[typeddict-item]
    assert caught.value.param == "edge.resume"
