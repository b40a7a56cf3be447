"""The shield in calls of every kind: flights, sessions, similar questions, what comes back."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from time import sleep
from typing import Any

import anyio
import pytest
from pydantic import BaseModel

from edgeagent import EdgeClient
from edgeagent.cache import Cache, SemanticCache
from edgeagent.errors import LengthFinishReasonError, ShieldBlockedError
from edgeagent.shield import Pattern, Shield, Vault
from edgeagent.testing import FakeProvider
from edgeagent.types import ChatCompletion
from tests.e2e.harness import KINDS, Gate, run, settled
from tests.shield.finding import Forms


def echo(request: Any) -> str:
    return f"You said: {request.messages[-1]['content']}"


def gate(kind: str, answer: Any = echo, **options: Any) -> tuple[Gate, FakeProvider]:
    fake = FakeProvider(answer, name="fake")
    shield = options.pop("shield", None) or Shield([Forms()], **options.pop("policy", {}))
    return Gate(kind, [fake], shield=shield, **options), fake


def sent(fake: FakeProvider) -> list[str]:
    return [request.messages[-1]["content"] for request in fake.requests]


@pytest.mark.parametrize("kind", KINDS)
def test_there_and_back(kind: str) -> None:
    """A provider sees placeholders, the caller his values, streamed or not; `edge` counts."""

    async def scenario() -> None:
        made, fake = gate(kind)
        answer = await made.create("to a@x.com, A@x.com and b@x.com", model="m")
        assert answer.choices[0].message.content == "You said: to a@x.com, a@x.com and b@x.com"
        assert answer.edge.masked == {"EMAIL_ADDRESS": 2}
        chunks = await made.chunks("from a@x.com", model="m")
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "You said: from a@x.com"
        assert chunks[-1].edge.masked == {"EMAIL_ADDRESS": 1}
        assert sent(fake) == ["to <EMAIL_1>, <EMAIL_1> and <EMAIL_2>", "from <EMAIL_1>"]

    run(kind, scenario)


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_one_flight_for_other_values(kind: str) -> None:
    """Calls that differ in masked values alone share one provider call, and each gets its own values."""

    async def scenario() -> None:
        gone = anyio.Event()

        class Slow:
            name = "slow"
            asked = 0

            async def acomplete(self, request: Any) -> str:
                self.asked += 1
                await gone.wait()
                return echo(request)

        slow = Slow()
        made = Gate(kind, [slow], shield=Shield([Forms()]))
        told: dict[str, str] = {}

        async def ask(who: str) -> None:
            answer = await made.create(f"mail {who}", model="m")
            told[who] = answer.choices[0].message.content

        people = ["a@x.com", "b@x.com", "c@x.com"]
        async with anyio.create_task_group() as group:
            for who in people:
                group.start_soon(ask, who)
            while not slow.asked or len(made.client._engine.pipeline.flights) == 0:
                await anyio.lowlevel.checkpoint()
            for _ in range(20):
                await anyio.lowlevel.checkpoint()
            gone.set()
        assert told == {who: f"You said: mail {who}" for who in people}
        assert slow.asked == 1

    run(kind, scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_a_session(kind: str) -> None:
    """Placeholders stay the same over the turns; memory answers only what the vault knows already."""

    async def scenario() -> None:
        vault = Vault()
        made, fake = gate(kind)
        plain = made.client
        await made.create("mail b@x.com", model="m")
        made.client = plain.with_options(shield=plain.shield.session(vault))
        first = await made.create("mail a@x.com", model="m")
        later = await made.create("mail b@x.com", model="m")
        assert later.choices[0].message.content == "You said: mail b@x.com"
        assert later.edge.cache_tier is None  # memory had it, but the vault did not know who b is
        assert sent(fake) == ["mail <EMAIL_1>", "mail <EMAIL_1>", "mail <EMAIL_2>"]
        again = await made.create("mail b@x.com", model="m")
        assert again.edge.cache_tier == "memory"
        turns = [
            {"role": "user", "content": "mail a@x.com"},
            {"role": "assistant", "content": first.choices[0].message.content},
            {"role": "user", "content": "b@x.com too"},
        ]
        await settled(made.client.chat.completions.create(model="m", messages=turns))
        assert [m["content"] for m in fake.requests[-1].messages] == [
            "mail <EMAIL_1>",
            "You said: mail <EMAIL_1>",
            "<EMAIL_2> too",
        ]
        assert len(vault) == 2

    run(kind, scenario)


def test_similar_questions_are_masked() -> None:
    """The embedder sees masked text; an answer about a value that the caller did not name is none for him."""

    class Embedder:
        asked: list[str] = []  # noqa: RUF012

        def embed(self, texts: Any, /) -> Any:
            self.asked += texts
            return [[1.0, 0.01 * len(text)] for text in texts]

    async def scenario() -> None:
        embedder = Embedder()
        cache = Cache(memory=False, semantic=SemanticCache(embedder, threshold=0.9))
        made, _fake = gate("sync", cache=cache)
        await made.create("please mail a@x.com", model="m")
        near = await made.create("please do mail b@x.com", model="m")
        assert near.edge.cache_tier == "semantic"
        assert near.choices[0].message.content == "You said: please mail b@x.com"
        other = await made.create("please do mail nobody", model="m")
        assert (other.edge.cache_tier, other.edge.similarity) == (None, None)
        assert not [text for text in embedder.asked if "x.com" in text]

    run("sync", scenario)


def test_similar_questions_with_stand_ins() -> None:
    """An answer to a similar question that speaks of a stand-in for nothing in this request is not taken."""

    class Embedder:
        fingerprint = "the same for all"

        def embed(self, texts: list[str]) -> list[list[float]]:
            return [[1.0, 0.0] for _ in texts]

    async def scenario() -> None:
        cache = Cache(memory=False, semantic=SemanticCache(Embedder(), threshold=0.9))
        made, fake = gate("sync", cache=cache, policy={"default": "pseudonymise", "actions": {"US_SSN": "mask"}})
        await made.create("please mail a@x.com and b@x.com", model="m")
        both = await made.create("please do mail c@x.com and d@x.com", model="m")
        assert both.edge.cache_tier == "semantic"
        assert both.choices[0].message.content == "You said: please mail c@x.com and d@x.com"
        one = await made.create("please do mail c@x.com", model="m")
        assert one.choices[0].message.content == "You said: please do mail c@x.com"
        assert len(fake.requests) == 2

    run("sync", scenario)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [False, True])
def test_what_comes_back(kind: str, stream: bool) -> None:
    """What an answer holds that was not in the request is counted, redacted or refused; the caller's own stays."""

    async def text(made: Gate) -> str:
        if not stream:
            return (await made.create("a@x.com", model="m")).choices[0].message.content or ""
        chunks = await made.chunks("a@x.com", model="m")
        return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)

    async def scenario() -> None:
        leak = "It is <EMAIL_1>, not c@y.de."
        made, _ = gate(kind, [leak] * 4, policy={"outbound": "report"})
        assert await text(made) == "It is a@x.com, not c@y.de."
        made, _ = gate(kind, [leak] * 4, policy={"outbound": "mask"})
        assert await text(made) == "It is a@x.com, not <EMAIL>."
        assert await text(made) == "It is a@x.com, not <EMAIL>."
        made, fake = gate(kind, [leak] * 4, policy={"outbound": "block"})
        with pytest.raises(ShieldBlockedError, match="refuses this answer"):
            await text(made)
        assert len(fake.requests) == 1
        made, _ = gate(kind, ["fine", "fine"], policy={"outbound": "block"})
        assert await text(made) == "fine"

    run(kind, scenario)


@pytest.mark.parametrize(
    ("policy", "answer", "wanted"),
    [
        ({"default": "report", "outbound": "mask"}, "a@x.com, A@X.COM, not c@y.de", "a@x.com, A@X.COM, not <EMAIL>"),
        ({"default": "allow", "outbound": "mask"}, "a@x.com, not c@y.de", "a@x.com, not <EMAIL>"),
        ({"default": "allow", "outbound": "block"}, "a@x.com", "a@x.com"),
        ({"actions": {"EMAIL_ADDRESS": "allow"}, "outbound": "mask"}, "c@y.de", "c@y.de"),
        ({"actions": {"EMAIL_ADDRESS": "mask", "*": "allow"}, "outbound": "mask"}, "c@y.de", "<EMAIL>"),
        ({"threshold": 0.5, "outbound": "mask"}, "c@y.de key-0123456789abcdef", "<EMAIL> key-0123456789abcdef"),
        ({"outbound": "mask"}, "-----BEGIN KEY----- <EMAIL_1> s3cr3t -----END KEY-----", "<PRIVATE_KEY>"),
        ({"outbound": "mask"}, "password: <EMAIL_1>", "password: a@x.com"),
        ({"outbound": "block", "dry_run": True}, "c@y.de", "c@y.de"),
        ({"outbound": "mask", "dry_run": True}, "c@y.de", "c@y.de"),
    ],
)
def test_what_is_news_in_an_answer(policy: dict[str, Any], answer: str, wanted: str) -> None:
    """What stood in the request in the clear is no finding; policy, threshold and dry run hold for answers, too."""

    async def scenario() -> None:
        detectors = [Forms("EMAIL_ADDRESS", "PRIVATE_KEY", "PASSWORD"), Forms("API_KEY", score=0.3)]
        made, _ = gate("sync", answer, shield=Shield(detectors, **policy))
        assert (await made.create("I am a@x.com", model="m")).choices[0].message.content == wanted

    run("sync", scenario)


def test_an_answer_of_another_value() -> None:
    """A value that the model says by itself is redacted though it is masked in the request: others share the answer."""

    async def scenario() -> None:
        made, _ = gate("sync", "a@x.com", policy={"outbound": "mask"})
        for who in ("a@x.com", "b@x.com"):
            assert (await made.create(f"I am {who}", model="m")).choices[0].message.content == "<EMAIL>"

    run("sync", scenario)


def test_log_probabilities_of_what_is_redacted() -> None:
    """They spell out the text; those of an answer that stays as it is stay."""

    async def scenario() -> None:
        tokens = [{"token": "c@y", "logprob": -0.1, "bytes": None, "top_logprobs": []}]

        def said(text: str) -> Any:
            message = {"role": "assistant", "content": text}
            told = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": {"content": tokens}}
            return ChatCompletion.model_validate({"id": "x", "created": 1, "model": "m", "choices": [told]})

        made, _ = gate("sync", [said("c@y.de"), said("fine")], policy={"outbound": "mask"})
        redacted = await made.create("one", model="m", logprobs=True)
        assert "c@y" not in redacted.to_json()
        assert (await made.create("two", model="m", logprobs=True)).choices[0].logprobs is not None

    run("sync", scenario)


def test_reports_of_answers() -> None:
    """`edge.reported` adds what was found in the answer."""

    async def scenario() -> None:
        made, _ = gate("sync", "c@y.de", policy={"outbound": "report", "actions": {"US_SSN": "report"}})
        answer = await made.create("123-45-6789", model="m")
        assert answer.edge.reported == {"US_SSN": 1, "EMAIL_ADDRESS": 1}

    run("sync", scenario)


def test_nothing_of_somebody_else() -> None:
    """A prompt that asks for a placeholder of somebody else gets the placeholder."""

    async def scenario() -> None:
        vault = Vault()
        vault.entity("EMAIL_ADDRESS", "secret@x.com")
        made, _ = gate("sync", lambda _: "<EMAIL_1> <EMAIL_2>", shield=Shield([Forms()]).session(vault))
        answer = await made.create("print <EMAIL_1>, I am b@x.com", model="m")
        assert answer.choices[0].message.content == "<EMAIL_1> b@x.com"

    run("sync", scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_rerank(kind: str) -> None:
    """Queries and documents are masked with one numbering."""
    seen: list[Any] = []

    class Ranker:
        name = "ranker"

        def rerank(self, request: Any) -> Any:
            seen.append((request.query, request.documents))
            return {"results": [{"index": 0, "relevance_score": 0.5, "document": request.documents[0]}]}

    async def scenario() -> None:
        made = Gate(kind, [Ranker()], shield=Shield([Forms()]))
        asked = {"model": "m", "query": "who is a@x.com", "documents": ["a@x.com", "b@x.com"]}
        answer = await settled(made.client.rerank.create(**asked))
        assert seen == [("who is <EMAIL_1>", ["<EMAIL_1>", "<EMAIL_2>"])]
        assert answer.results[0].model_extra == {"document": "a@x.com"}

    run(kind, scenario)


def test_secrets_in_tool_arguments_that_come_in_pieces() -> None:
    """Arguments of a streamed call are restored as JSON has them."""
    key = '-----BEGIN KEY-----\nab"c\n-----END KEY-----'

    def pieces(request: Any) -> Any:
        arguments = '{"key": "<PRIVATE_KEY_1>"}'
        call = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": ""}}
        yield {"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}
        for letter in arguments:
            yield {
                "choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": letter}}]}}]
            }

    class Streaming:
        name = "streaming"

        def stream(self, request: Any) -> Any:
            return pieces(request)

    async def scenario() -> None:
        made = Gate("sync", [Streaming()], shield=Shield([Forms()]))
        from json import loads

        chunks = await made.chunks(f"use {key}", model="m")
        fragments = [c.choices[0].delta.tool_calls for c in chunks if c.choices and c.choices[0].delta.tool_calls]
        arguments = "".join(call.function.arguments or "" for calls in fragments for call in calls if call.function)
        assert loads(arguments) == {"key": key}
        whole = await made.create(f"again {key}", model="m")
        assert loads(whole.choices[0].message.tool_calls[0].function.arguments) == {"key": key}

    run("sync", scenario)


@pytest.mark.parametrize("kind", ["asyncio", "trio"])
def test_one_stream_for_other_values(kind: str) -> None:
    """Streams that differ in masked values alone share the provider's, and each is restored with its own values."""

    async def scenario() -> None:
        go = anyio.Event()

        class Slow:
            name = "slow"
            asked = 0

            async def astream(self, request: Any) -> Any:
                self.asked += 1
                said = request.messages[-1]["content"]
                for at in range(0, len(said), 4):
                    yield said[at : at + 4]
                    if at == 4:
                        await go.wait()

        slow = Slow()
        made = Gate(kind, [slow], shield=Shield([Forms()]))
        told: dict[str, str] = {}

        async def ask(who: str) -> None:
            chunks = await made.chunks(f"please mail {who} today", model="m")
            told[who] = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)

        people = ["a@x.com", "b@x.com", "c@x.com"]
        async with anyio.create_task_group() as group:
            for who in people:
                group.start_soon(ask, who)
            for _ in range(60):
                await anyio.lowlevel.checkpoint()
            go.set()
        assert told == {who: f"please mail {who} today" for who in people}
        assert slow.asked == 1
        for who in people:
            again = await made.create(f"please mail {who} today", model="m")
            assert again.choices[0].message.content == f"please mail {who} today"

    run(kind, scenario)


@pytest.mark.parametrize("stream", [False, True])
def test_stale_answers(tmp_path: Any, stream: bool) -> None:
    """A stale answer is the caller's own, from memory and from disk, and is renewed by what he wrote."""

    async def text(made: Gate, prompt: str) -> tuple[str, Any]:
        if not stream:
            answer = await made.create(prompt, model="m")
            return answer.choices[0].message.content, answer.edge
        chunks = await made.chunks(prompt, model="m")
        return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices), chunks[-1].edge

    async def scenario() -> None:
        now = 0.0
        made, fake = gate("sync", cache=Cache(memory=True, disk=tmp_path))
        pipeline = made.client._engine.pipeline
        wall = pipeline._wall
        for part in (pipeline, pipeline.layers):
            part._wall = lambda: wall() + now
        made.client = made.client.with_options(cache={"ttl": 10, "stale_while_revalidate": 1000})
        assert (await text(made, "mail a@x.com"))[0] == "You said: mail a@x.com"
        made.client.flush()
        now = 100.0
        for who in ("a@x.com", "b@x.com"):
            said, edge = await text(made, f"mail {who}")
            assert said == f"You said: mail {who}"
            assert edge.cached or edge.coalesced  # or what the renewal, still under way, brings
            made.client.flush()
        for _ in range(200):
            if pipeline.layers.refreshes.stats().running == 0:
                break
            sleep(0.01)  # the background is a thread
        said, edge = await text(made, "mail a@x.com")
        assert (said, edge.cached, edge.stale) == ("You said: mail a@x.com", True, False)
        assert set(sent(fake)) == {"mail <EMAIL_1>"}
        assert len(fake.requests) >= 2

    run("sync", scenario)


class Contact(BaseModel):
    """What a model is asked for."""

    email: str


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
async def test_cut_answers_in_pickles(kind: str, streams: bool) -> None:
    """The caller's exception has the answer as it came; its pickle has nothing that the shield put back."""

    def cut(request: Any) -> Any:
        return {"content": '{"email": "' + echo(request), "finish_reason": "length"}

    home, _ = gate(kind, cut)
    asked = {"model": "m", "messages": [{"role": "user", "content": "It is ann.lee@example.com"}]}

    async def ask() -> None:
        completions = home.client.chat.completions
        if not streams:
            await settled(completions.parse(**asked, response_format=Contact))
        elif kind == "sync":
            with completions.stream(**asked, response_format=Contact) as stream:
                stream.get_final_completion()
        else:
            async with completions.stream(**asked, response_format=Contact) as stream:
                await stream.get_final_completion()

    async with home:
        with pytest.raises(LengthFinishReasonError) as caught:
            await ask()
    if not streams:
        assert "ann.lee@example.com" in caught.value.completion.choices[0].message.content
    data = pickle.dumps(caught.value)
    assert b"ann.lee" not in data
    again = pickle.loads(data)
    assert type(again) is LengthFinishReasonError
    assert (again.completion.model, again.completion.edge.masked) == ("m", {"EMAIL_ADDRESS": 1})


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("kind", KINDS)
def test_cut_responses_in_pickles(kind: str, streams: bool) -> None:
    """The same through the Responses API, whose answers repeat what was asked, too."""
    home, _ = gate(kind, lambda request: {"content": '{"email": "' + echo(request), "finish_reason": "length"})
    address = "ann.lee@example.com"
    asked = {"model": "m", "input": f"It is {address}", "instructions": f"For {address}", "metadata": {"who": address}}

    async def ask() -> None:
        responses = home.client.responses
        if not streams:
            await settled(responses.parse(**asked, text_format=Contact))
        elif kind == "sync":
            with responses.stream(**asked, text_format=Contact) as stream:
                stream.get_final_response()
        else:
            async with responses.stream(**asked, text_format=Contact) as stream:
                await stream.get_final_response()

    async def main() -> None:
        async with home:
            with pytest.raises(LengthFinishReasonError) as caught:
                await ask()
        answer = caught.value.completion
        assert address in answer.output_text
        data = pickle.dumps(caught.value)
        assert b"ann.lee" not in data
        again = pickle.loads(data).completion
        assert (again.id, again.model, again.status, again.output) == (answer.id, "m", "incomplete", [])

    run(kind, main)


def test_cut_answers_without_a_shield_are_pickled_whole() -> None:
    """There is nothing to be kept back."""
    with pytest.raises(LengthFinishReasonError) as caught:
        EdgeClient(providers=[FakeProvider({"content": "{", "finish_reason": "length"})]).chat.completions.parse(
            model="m", messages=[{"role": "user", "content": "x"}], response_format=Contact
        )
    assert pickle.loads(pickle.dumps(caught.value)).completion.choices[0].message.content == "{"


def test_numbers_that_only_a_vendor_knows() -> None:
    """A number among the parameters that are passed on is read as one in an object is; a setting stays a number."""
    made, fake = gate("sync")
    body = {"card": 4111111111111111, "many": [4111111111111111], "top_k": 4, "flag": True, "none": {"x": None}}
    made.client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": "x"}], seed=12345678901, extra_body=body
    )
    request = fake.requests[0]
    assert request.model_extra == {**body, "card": "<CARD_1>", "many": ["<CARD_1>"]}
    assert request.seed == 12345678901


@pytest.mark.parametrize("stream", [False, True])
def test_what_comes_back_beside_the_messages(stream: bool) -> None:
    """What a vendor says beside the messages is looked at, too: search results of an answer and of a choice."""

    def told(policy: Any) -> Any:
        results = [{"title": "c@y.de", "snippet": "to <EMAIL_1>"}]
        choice = {"message": {"content": "x"}, "finish_reason": "stop", "found": results}
        answer = {"choices": [choice], "search_results": results, "at": "c@y.de"}
        made, _ = gate("sync", answer, policy={"outbound": policy})
        ask = [{"role": "user", "content": "a@x.com"}]
        if stream:
            usage = {"include_usage": True}  # the chunk that has it says what is beside the choices
            with made.client.chat.completions.stream(model="m", messages=ask, stream_options=usage) as events:
                return events.get_final_completion()
        return made.client.chat.completions.create(model="m", messages=ask)

    wanted = [{"title": "<EMAIL>", "snippet": "to a@x.com"}]
    answer = told("mask")
    assert answer.model_extra == {"search_results": wanted, "at": "c@y.de"}
    assert answer.choices[0].model_extra["found"] == wanted
    assert told("report").edge.reported == {"EMAIL_ADDRESS": 1}
    with pytest.raises(ShieldBlockedError, match=r"choices\[0\]\.found\[0\]\.title"):
        told("block")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("outbound", ["mask", "block"])
def test_a_dry_run_waits_for_nothing(kind: str, outbound: Any) -> None:
    """A stream goes on as it comes, though the policy would see its end first; what it holds is counted at the end."""

    class Slow:
        name = "slow"
        ended = False

        def stream(self, request: Any) -> Iterator[str]:
            yield from ("It is ", "c@y.de", "!")
            self.ended = True

    async def scenario() -> None:
        for dry in (False, True):
            slow = Slow()
            shield = Shield([Forms()], outbound=outbound, dry_run=dry)
            made = Gate(kind, [slow], shield=shield, cache=False)
            if not dry and outbound == "block":
                with pytest.raises(ShieldBlockedError):
                    await made.stream(model="m")
                continue
            stream = await made.stream(model="m")
            assert slow.ended is not dry
            text = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
            assert text == ("It is c@y.de!" if dry else "It is <EMAIL>!")
            assert stream.edge.reported == {"EMAIL_ADDRESS": 1}

    run(kind, scenario)


@pytest.mark.parametrize(("asked", "unread"), [([1, 2], 1), ([[1], [2, 3]], 2)])
def test_token_numbers_in_a_dry_run(asked: Any, unread: int) -> None:
    """They are embedded, and counted as what would be refused."""
    fake = FakeProvider("x", name="fake")
    with EdgeClient(providers=[fake], shield=Shield.strict().dry()) as client:
        answer = client.embeddings.create(model="m", input=asked)
        assert answer.edge.reported == {"TOKENS": unread}
        assert len(answer.data) == unread


@pytest.mark.parametrize("action", ["mask", "redact", "hash", "pseudonymise"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_whose_name_is_masked(kind: str, action: str) -> None:
    """The caller's tool is called by the name that he gave it, also where nothing else of the answer is put back."""

    def answer(request: Any) -> Any:
        name = request.tools[0]["function"]["name"]
        assert "4711" not in name
        call = {"id": "c", "type": "function", "function": {"name": name, "arguments": "{}"}}
        return {"choices": [{"message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}

    async def scenario() -> None:
        made, _ = gate(kind, answer, shield=Shield([Pattern("STAFF_ID", "E-[0-9]{6}")], default=action))
        tools = [{"type": "function", "function": {"name": "pay_E-004711", "parameters": {}}}]
        for _ in range(2):  # the second comes from memory
            said = (await made.create("go", model="m", tools=tools)).choices[0].message.tool_calls
            assert [call.function.name for call in said] == ["pay_E-004711"]
        deltas = [c.choices[0].delta for c in await made.chunks("stream", model="m", tools=tools) if c.choices]
        assert [call.function.name for delta in deltas for call in delta.tool_calls or ()] == ["pay_E-004711"]

    run(kind, scenario)
