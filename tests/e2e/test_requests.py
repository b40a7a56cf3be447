"""What is refused before anything is sent, where a model's name leads, and requests as they reach the wire."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

import edgeagent
from edgeagent import NoTargetError, RequestValidationError
from edgeagent.core.requests import KNOWN_PARAMETERS
from edgeagent.providers.anthropic import Anthropic
from edgeagent.testing import FakeProvider
from tests.e2e.harness import ANTHROPIC, OPENAI, Gate, Vendor, outcome, run
from tests.providers.anthropic.reading import normal_body
from tests.support.corpus import records
from tests.support.loopback import Loopback, reply

USER = {"role": "user", "content": "hello"}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"model": ""}, "model"),
    ({"model": "  "}, "model"),
    ({"model": 7}, "model"),
    ({"messages": []}, "messages"),
    ({"messages": "hello"}, "messages"),
    ({"messages": [USER, "hello"]}, "messages[1]"),
    ({"messages": [{"content": "x"}]}, "messages[0].role"),
    ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
    ({"messages": [USER, {"role": "user"}]}, "messages[1].content"),
    ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"text": "x"}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}, "messages[0].content[0].type"),
    ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
    ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].image_url"),
    ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages[1].tool_call_id"),
    ({"messages": [USER, {"role": "tool", "tool_call_id": "c9", "content": "x"}]}, "messages[1].tool_call_id"),
    (
        {
            "messages": [
                {"role": "tool", "tool_call_id": "c1", "content": "x"},
                {"role": "assistant", "tool_calls": [CALL]},
            ]
        },
        "messages[0].tool_call_id",
    ),
    ({"n": 0}, "n"),
    ({"n": -1}, "n"),
    ({"n": "two"}, "n"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_completion_tokens": -5}, "max_completion_tokens"),
    ({"temperature": "hot"}, "temperature"),
    ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
    ({"tools": [TOOL, TOOL]}, "tools[1].function.name"),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice.function.name"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"edge": {"cashe": True}}, "edge.cashe"),
    ({"edge": {"cache": "sometimes"}}, "edge.cache.mode"),
    ({"edge": {"deadline": -1}}, "edge.deadline"),
    ({"timeout": "soon"}, "timeout"),
    ({"messages": [{"role": "user", "content": "x" * 11_000_000}]}, "messages"),
]


@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
async def test_what_is_wrong_is_named_and_not_sent(kind: str, vendor: Vendor, streaming: bool) -> None:
    """A `RequestValidationError` is a 400 that names the field; nobody is asked, also not the next target."""
    with Loopback(vendor.serve) as server:
        providers = [vendor.provider(server), vendor.provider(server, name="other")]
        async with Gate(kind, providers) as gate:
            for wrong, param in WRONG:
                asks = {"model": vendor.model, "messages": [USER], "stream": streaming, **wrong}
                if "edge" not in wrong:
                    asks["edge"] = {"fallbacks": [f"other/{vendor.model}"]}
                error = await outcome(lambda asks=asks: gate.create(**asks))  # type: ignore[misc]
                assert isinstance(error, RequestValidationError), (wrong, error)
                assert isinstance(error, edgeagent.BadRequestError)
                assert (error.param, error.status_code) == (param, 400), wrong
                assert param.rpartition(".")[2] in str(error)
                assert error.attempts == ()
                assert error.body["param"] == param  # type: ignore[index]
            assert (await gate.create(model=vendor.model)).choices[0].message.content == "Paris"
    assert len(server.requests) == 1


RANGES: list[tuple[Vendor, dict[str, Any], str | None]] = [
    (OPENAI, {"temperature": 2}, None),
    (OPENAI, {"temperature": 2.1}, "temperature"),
    (OPENAI, {"temperature": -0.1}, "temperature"),
    (OPENAI, {"top_p": 1.1}, "top_p"),
    (OPENAI, {"presence_penalty": 2.5}, "presence_penalty"),
    (OPENAI, {"frequency_penalty": -2.5}, "frequency_penalty"),
    (ANTHROPIC, {"temperature": 1}, None),
    (ANTHROPIC, {"temperature": 1.1}, "temperature"),
]


@pytest.mark.parametrize(("vendor", "asks", "param"), RANGES)
async def test_ranges_are_those_of_the_targets_vendor(
    kind: str, vendor: Vendor, asks: dict[str, Any], param: str | None
) -> None:
    """What one vendor takes another may not."""
    with Loopback(vendor.serve) as server:
        async with Gate(kind, [vendor.provider(server)]) as gate:
            result = await outcome(lambda: gate.create(model=vendor.model, **asks))
    assert getattr(result, "param", None) == param
    assert len(server.requests) == (param is None)


@pytest.mark.parametrize("limit", [500, 5000])
async def test_the_limit_of_a_bodys_size(kind: str, limit: int) -> None:
    """It is the client's to set."""
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], max_body_bytes=limit) as gate:
            result = await outcome(lambda: gate.create("x" * 1000, model=OPENAI.model))
    assert isinstance(result, RequestValidationError) == (limit == 500)


# where a name leads


NAMES: list[tuple[str, str, str]] = [
    ("fast", "openai", "gpt-4o-mini"),
    ("one", "anthropic", "claude-haiku-4-5"),
    ("openai/gpt-4o", "openai", "gpt-4o"),
    ("anthropic/claude-opus-4-5", "anthropic", "claude-opus-4-5"),
    ("second/gpt-4o", "second", "gpt-4o"),
    ("second/some/deep/name", "second", "some/deep/name"),
    ("claude-haiku-4-5", "anthropic", "claude-haiku-4-5"),
    ("gpt-4o", "openai", "gpt-4o"),
    ("my-finetune", "second", "my-finetune"),
    ("gpt-99-turbo", "openai", "gpt-99-turbo"),
    ("claude-next-9", "anthropic", "claude-next-9"),
]


async def test_where_a_name_leads(kind: str) -> None:
    """A key of `models`, a provider's name before the slash, an exact model, a family; ties by order."""
    with Loopback(lambda r: (ANTHROPIC if "messages" in r.path.split("/") else OPENAI).serve(r)) as server:
        providers = [
            OPENAI.provider(server),
            ANTHROPIC.provider(server),
            OPENAI.provider(server, name="second", models=["my-finetune"]),
        ]
        models = {"fast": ["openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"], "one": "claude-haiku-4-5"}
        async with Gate(kind, providers, models=models, cache=False) as gate:
            for name, provider, model in NAMES:
                answer = await gate.create(model=name)
                assert (answer.edge.provider, answer.edge.model) == (provider, model), name
                assert server.requests[-1].json()["model"] == model
            for _ in range(2):
                with warnings.catch_warnings(record=True) as warned:
                    warnings.simplefilter("always")
                    assert (await gate.create(model="mystery")).edge.provider == "openai"
                assert len(warned) == (1 if _ == 0 else 0)
        async with Gate(kind, providers, strict_models=True) as gate:
            assert isinstance(await outcome(lambda: gate.create(model="mystery")), edgeagent.EdgeAgentError)


async def test_a_target_that_cannot_is_not_asked(kind: str) -> None:
    """gpt-3.5 sees no images: the group's next target does; alone, the error says why."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    messages = [{"role": "user", "content": [image]}]
    with Loopback(OPENAI.serve) as one, Loopback(ANTHROPIC.serve) as two:
        providers = [OPENAI.provider(one), ANTHROPIC.provider(two)]
        async with Gate(kind, providers, models={"g": ["gpt-3.5-turbo", "claude-haiku-4-5"]}) as gate:
            answer = await gate.create(model="g", messages=messages)
            assert answer.edge.provider == "anthropic"
            assert (await gate.create(model="g", messages=messages)).edge.cached
            with pytest.raises(NoTargetError, match="vision"):
                await gate.create(model="gpt-3.5-turbo", messages=messages)
    assert one.requests == []


async def test_a_vendors_own_part_goes_to_that_vendor(kind: str) -> None:
    """A block in Anthropic's form is sent as it is; OpenAI alone cannot read it, and the error says so."""
    block = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    messages = [{"role": "user", "content": [block, {"type": "text", "text": "what?"}]}]
    with Loopback(OPENAI.serve) as one, Loopback(ANTHROPIC.serve) as two:
        providers = [OPENAI.provider(one), ANTHROPIC.provider(two)]
        async with Gate(kind, providers, models={"g": ["gpt-4o", "claude-haiku-4-5"]}) as gate:
            assert (await gate.create(model="g", messages=messages)).edge.provider == "anthropic"
            with pytest.raises(RequestValidationError, match=r"messages\[0\]\.content\[0\]\.type"):
                await gate.create(model="gpt-4o", messages=messages)
    assert one.requests == []
    assert two.requests[0].json()["messages"][0]["content"][0] == block


async def test_a_router_of_the_callers(kind: str) -> None:
    """It orders the targets, for a client or for a call."""

    class Backwards:
        def plan(self, request: Any, targets: Any, health: Any) -> Any:
            return list(reversed(targets))

    fakes = [FakeProvider("one", name="one"), FakeProvider("two", name="two")]
    async with Gate(kind, fakes, models={"g": ["one/m", "two/m"]}, cache=False) as gate:
        assert (await gate.create(model="g")).edge.provider == "one"
        assert (await gate.create(model="g", edge={"router": Backwards()})).edge.provider == "two"
    async with Gate(kind, fakes, models={"g": ["one/m", "two/m"]}, cache=False, router=Backwards()) as gate:
        assert (await gate.create(model="g")).edge.provider == "two"
        assert (await gate.create(model="g", edge={"router": "failover"})).edge.provider == "one"


# on the wire


async def test_headers_and_query(kind: str, vendor: Vendor) -> None:
    """A call's own over a view's over the provider's; the credential is the vendor's own header."""
    with Loopback(vendor.serve) as server:
        provider = vendor.provider(server, default_headers={"x-a": "p", "x-b": "p"}, default_query={"q": "p", "r": "p"})
        async with Gate(kind, [provider], cache=False) as gate:
            gate.client = gate.client.with_options(default_headers={"x-b": "v", "x-c": "v"}, default_query={"r": "v"})
            await gate.create(model=vendor.model, extra_headers={"X-C": "c"}, extra_query={"s": "c"})
    (request,) = server.requests
    assert [request.headers[f"x-{name}"] for name in "abc"] == ["p", "v", "c"]
    assert request.path == f"{vendor.path}?q=p&r=v&s=c"
    credential = "authorization" if vendor is OPENAI else "x-api-key"
    assert request.headers[credential].endswith("never-be-seen")


async def test_what_is_dropped_is_told(kind: str) -> None:
    """An advisory parameter that a vendor has no place for, and a default that it requires."""
    with Loopback(ANTHROPIC.serve) as server:
        async with Gate(kind, [ANTHROPIC.provider(server)], cache=False) as gate:
            answer = await gate.create(model=ANTHROPIC.model, seed=7)
            stream = await gate.stream(model=ANTHROPIC.model, seed=7)
            async for _ in stream:
                pass
    assert "seed" not in server.requests[0].json()
    assert "seed" in answer.edge.dropped_params
    assert stream.edge.dropped_params == answer.edge.dropped_params
    assert any("max_tokens" in edit for edit in answer.edge.edits)


@pytest.mark.parametrize("grouped", [True, False])
async def test_a_fallback_that_does_not_reason(kind: str, grouped: bool) -> None:
    """It is not told how much to, nor how much to say, of the model before it; a model that is asked by name is."""
    served = iter([reply(500), *[OPENAI.serve] * 2])

    def serve(request: Any) -> Any:
        answer = next(served)
        return answer(request) if callable(answer) else answer

    models = {"g": ["openai/gpt-5", "openai/gpt-4o"]}
    edge = {} if grouped else {"fallbacks": ["openai/gpt-4o"]}
    said = {"reasoning_effort": "low", "verbosity": "low"}
    with Loopback(serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=False, retry=0, models=models) as gate:
            answer = await gate.create(model="g" if grouped else "openai/gpt-5", edge=edge, **said)
            named = await gate.create(model="openai/gpt-4o", **said)
    first, second, third = (request.json() for request in server.requests)
    assert {"model": "gpt-5", **said}.items() <= first.items()
    assert second["model"] == "gpt-4o"
    assert not said.keys() & second.keys()
    assert answer.edge.dropped_params == ("reasoning_effort", "verbosity")
    assert said.items() <= third.items()
    assert named.edge.dropped_params == ()


@pytest.mark.parametrize("grouped", [True, False])
async def test_a_fallback_that_reasons(kind: str, grouped: bool) -> None:
    """It is not told how to sample, nor a limit that is too large; a model that is asked by name is."""
    served = iter([reply(500), *[OPENAI.serve] * 2])

    def serve(request: Any) -> Any:
        answer = next(served)
        return answer(request) if callable(answer) else answer

    models = {"g": ["openai/gpt-4o", "openai/gpt-5"]}
    edge = {} if grouped else {"fallbacks": ["openai/gpt-5"]}
    said = {"temperature": 0.2, "top_p": 1, "presence_penalty": 0.5, "frequency_penalty": 0}
    limit = {"max_completion_tokens": 500_000}
    with Loopback(serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=False, retry=0, models=models) as gate:
            answer = await gate.create(model="g" if grouped else "openai/gpt-4o", edge=edge, **said, **limit)
            named = await gate.create(model="openai/gpt-5", **said, **limit)
    first, second, third = (request.json() for request in server.requests)
    assert said.items() <= first.items()
    assert first["max_completion_tokens"] == (16_384 if grouped else 500_000)
    assert (second["model"], second["max_completion_tokens"]) == ("gpt-5", 128_000)
    assert not said.keys() & second.keys()
    assert answer.edge.dropped_params == ("temperature", "presence_penalty")
    assert {**said, **limit}.items() <= third.items()
    assert named.edge.dropped_params == ()


@pytest.mark.parametrize("models", [["openai/gpt-5", "openai/gpt-4o"], ["openai/gpt-5"]])
async def test_what_is_said_to_a_group_is_said_to_none_of_it(kind: str, models: list[str]) -> None:
    """Its first model is not told what it refuses, either; a name for one model is that model's."""
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=False, retry=0, models={"g": models}) as gate:
            answer = await gate.create(model="g", temperature=0.2)
    told = server.requests[0].json()
    assert told["model"] == "gpt-5"
    grouped = len(models) > 1
    assert ("temperature" in told) is not grouped
    assert answer.edge.dropped_params == (("temperature",) if grouped else ())


@pytest.mark.parametrize("fallback", ["gpt-5", "openai/gpt-5"])
async def test_a_model_that_is_its_own_fallback_is_asked_by_its_name(kind: str, fallback: str) -> None:
    """It is told what its caller said to it, though a fallback names it too."""
    with Loopback(OPENAI.serve) as server:
        async with Gate(kind, [OPENAI.provider(server)], cache=False, retry=0) as gate:
            answer = await gate.create(model="openai/gpt-5", edge={"fallbacks": [fallback]}, temperature=0.2)
    assert server.requests[0].json()["temperature"] == 0.2
    assert answer.edge.dropped_params == ()


async def test_a_key_from_a_function(kind: str, vendor: Vendor) -> None:
    """Sync or async, asked for each attempt: a rotated key is used at once."""
    keys = iter(["first", "second", "third", "fourth"])

    def give() -> str:
        return next(keys)

    async def give_later() -> str:
        return next(keys)

    with Loopback(lambda request: vendor.fail(500) if len(server.requests) == 1 else vendor.serve(request)) as server:
        async with Gate(kind, [vendor.provider(server, api_key=give)], cache=False) as gate:
            await gate.create(model=vendor.model)
        async with Gate(kind, [vendor.provider(server, api_key=give_later)], cache=False) as gate:
            await gate.create(model=vendor.model)
            await gate.chunks(model=vendor.model)
    name = "authorization" if vendor is OPENAI else "x-api-key"
    sent = [request.headers[name].removeprefix("Bearer ") for request in server.requests]
    assert sent == ["first", "second", "third", "fourth"]


def test_recorded_requests_of_openai() -> None:
    """What OpenAI has accepted, given to `create()`, is accepted and reaches the wire as it was."""
    unfit = "openai.chat-697eaa96e4"  # asks a model that does not speak for a format of speech: OpenAI ignored it
    accepted = [r for r in records("openai.chat") if r["status"] == 200 and r["id"] != unfit]
    sent = 0
    with Loopback(OPENAI.serve) as server:

        async def main() -> None:
            nonlocal sent
            async with Gate("sync", [OPENAI.provider(server)], cache=False) as gate:
                for record in accepted[::3]:
                    body = record["request"]["body"]
                    asks = {name: value for name, value in body.items() if name in KNOWN_PARAMETERS}
                    extra = {name: value for name, value in body.items() if name not in KNOWN_PARAMETERS}
                    asks = {**asks, "model": f"openai/{body['model']}", "extra_body": extra}
                    made = await outcome(lambda asks=asks: gate.create(**asks))  # type: ignore[misc]
                    assert not isinstance(made, Exception), (record["id"], made)
                    if body.get("stream"):
                        await made.close()
                    sent += 1
                    wire = server.requests[-1].json()
                    assert normal(wire) == normal(body), record["id"]

        run("sync", main)
    assert sent == len(server.requests) >= 10


ANSWERS_ONLY = {"annotations", "index", "parsed", "parsed_arguments"}
"""Fields of an answer's message that are no fields of a request's; they are left out of one that is sent back."""


def normal(body: dict[str, Any]) -> dict[str, Any]:
    """A body without null in its messages, and without how its answer travels."""
    kept = {k: v for k, v in body.items() if v is not None and k not in {"stream", "stream_options"}}
    return {**kept, "messages": [_sent_back(message) for message in body["messages"]]}


def _sent_back(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _sent_back(v) for k, v in value.items() if v is not None and k not in ANSWERS_ONLY}
    return [_sent_back(item) for item in value] if isinstance(value, list) else value


def test_recorded_requests_of_anthropic() -> None:
    """What Anthropic has accepted, in our form given to `create()`, reaches the wire with the same content."""
    scrubbed = "anthropic.messages-b72bdfa6bf"  # its recorder gave the tool's call and its result different ids
    accepted = [r for r in records("anthropic.messages") if r["status"] == 200 and r["id"] != scrubbed]
    codec = Anthropic(api_key="k").codec
    sent = 0
    with Loopback(ANTHROPIC.serve) as server:

        async def main() -> None:
            nonlocal sent
            async with Gate("sync", [ANTHROPIC.provider(server)], cache=False) as gate:
                for record in accepted[::3]:
                    params = codec.decode_request(record["request"]["body"]).params()
                    asks = {name: value for name, value in params.items() if name in KNOWN_PARAMETERS}
                    extra = {name: value for name, value in params.items() if name not in KNOWN_PARAMETERS}
                    asks = {**asks, "model": f"anthropic/{params['model']}", "extra_body": extra}
                    made = await outcome(lambda asks=asks: gate.create(**asks))  # type: ignore[misc]
                    assert not isinstance(made, Exception), (record["id"], made)
                    if params.get("stream"):
                        await made.close()
                    sent += 1
                    wire = server.requests[-1].json()
                    assert normal_body(wire) == normal_body(record["request"]["body"]), record["id"]

        run("sync", main)
    assert sent == len(server.requests) >= 10
