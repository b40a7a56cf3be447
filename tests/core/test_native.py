"""Calls in a vendor's own format: what reaches a target of the format, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from edgeagent import errors as e
from edgeagent.cache.policy import CacheOptions
from edgeagent.core.call import CallOptions
from edgeagent.core.native import Native, NativeAnswer
from edgeagent.core.native_session import NativeSession
from edgeagent.core.retry import RetryPolicy
from edgeagent.effects import Scope
from edgeagent.providers import Anthropic, Gemini, Mistral, OpenAI, OpenAICompatible
from edgeagent.testing import FakeProvider
from edgeagent.wire.http import Headers, HTTPResponse
from tests.core.test_pipeline import Far, House
from tests.core.world import ScriptedSource

COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-4o-2024-08-06",
    "invented_yesterday": {"a": [1, 2.5, None]},
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris", "new": 1}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
}
BODY = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "Where?", "unheard_of": True}],
    "temperature": None,
    "brand_new": {"x": [1.0, 1]},
}
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "Lyon"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2, "novelty": 7},
}


def chunk(delta: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": more.pop("finish", None)}]
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": choices, **more}


def sse(*chunks: dict[str, Any], done: bool = True) -> bytes:
    events = [b"data: " + json.dumps(value).encode() + b"\n\n" for value in chunks]
    return b"".join((*events, b"data: [DONE]\n\n" if done else b""))


USAGE = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
WITH_USAGE = (
    chunk({"role": "assistant", "content": ""}, usage=None, obfuscation="xx"),
    chunk({"content": "Par"}, usage=None, novelty=1),
    chunk({"content": "is"}, usage=None),
    chunk({}, finish="stop", usage=None),
    chunk(None, usage=USAGE),
)
WITHOUT_USAGE = tuple({k: v for k, v in value.items() if k != "usage"} for value in WITH_USAGE[:-1])


def openai_provider(**options: Any) -> OpenAI:
    return OpenAI(api_key="sk-own", base_url="https://one.test/v1", **options)


def native(body: dict[str, Any] = BODY, provider: Any = None, **more: Any) -> Native:
    provider = provider or openai_provider()
    return Native(provider.codec_for(body.get("model", "")), body, **more)


def ask(house: House, asked: Native, *, options: CallOptions | None = None, model: str | None = None) -> NativeAnswer:
    request = asked.codec.decode_request(asked.body)
    if model is not None:
        request = request.model_copy(update={"model": model})
    scope = Scope()
    flow = house.pipeline.complete_natively(request, asked, options or CallOptions(), scope, prefers_async=False)
    try:
        answer = house.world.run(flow, scope)
    finally:
        scope.release()
    assert isinstance(answer, NativeAnswer)
    return answer


def open_stream(house: House, asked: Native, options: CallOptions | None = None) -> NativeSession:
    request = asked.codec.decode_request(asked.body)
    flow = house.pipeline.open_stream_natively(request, asked, options or CallOptions(), Scope(), prefers_async=False)
    session = house.world.run(flow)
    assert isinstance(session, NativeSession)
    return session


def drain(house: House, session: NativeSession) -> bytes:
    pieces: list[bytes] = []
    while True:
        pieces += session.pending
        session.pending.clear()
        if not session.flowing:
            return b"".join(pieces)
        house.world.run(session.advance())


def streaming(body: dict[str, Any] = BODY, **more: Any) -> dict[str, Any]:
    return {**body, "stream": True, **more}


def sent_body(house: House, index: int = -1) -> Any:
    return json.loads(house.world.sent()[index].content)


def test_the_caller_s_own_body_and_the_vendor_s_own_bytes_pass() -> None:
    """Fields that no model knows, nulls, and the bytes of the answer: all as they were."""
    house = House(openai_provider())
    raw = json.dumps(COMPLETION, indent=1).encode()
    house.world.answers.append(HTTPResponse(200, {"x-request-id": "req_7"}, raw))
    answer = ask(house, native(headers={"OpenAI-Beta": "x"}, query={"q": "1"}))
    assert sent_body(house) == BODY
    request = house.world.sent()[0]
    assert request.headers["openai-beta"] == "x"
    assert request.headers["authorization"] == "Bearer sk-own"
    assert request.url == "https://one.test/v1/chat/completions?q=1"
    assert answer.body == raw
    assert answer.headers["x-request-id"] == "req_7"
    assert answer.completion.choices[0].message.content == "Paris"
    edge = answer.completion.edge
    assert (edge.provider, edge.request_id, edge.edits, edge.cost_usd) == ("openai", "req_7", (), Decimal("0.06"))


def test_the_model_s_name_is_the_only_edit_of_an_alias() -> None:
    """An alias is sent under the target's name, and that is told."""
    house = House(openai_provider(), groups={"fast": ["openai/gpt-4o"]})
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    answer = ask(house, native({**BODY, "model": "fast"}))
    assert sent_body(house) == BODY
    assert answer.completion.edge.edits == ("model sent as gpt-4o",)


def test_another_vendor_is_asked_in_its_format_and_told_in_the_caller_s() -> None:
    """Claude answers OpenAI's format: its own body, without the caller's header fields."""
    house = House(Anthropic(api_key="k"))
    house.world.answers.append(HTTPResponse(200, content=json.dumps(MESSAGE).encode()))
    body = {"model": "claude-sonnet-4-5", "messages": BODY["messages"], "max_tokens": 5}
    answer = ask(house, native(body, openai_provider(), headers={"openai-beta": "x"}, query={"q": "1"}))
    assert sent_body(house)["max_tokens"] == 5
    assert "openai-beta" not in house.world.sent()[0].headers
    assert "q=1" not in house.world.sent()[0].url
    told = json.loads(answer.body)
    assert (told["object"], told["choices"][0]["message"]["content"]) == ("chat.completion", "Lyon")
    assert answer.headers == Headers()


@pytest.mark.parametrize(("model", "reasons"), [("gpt-4o", False), ("gpt-4.1-mini", False), ("gpt-5-mini", True)])
def test_a_model_that_does_not_reason_is_not_told_how_much(model: str, *, reasons: bool) -> None:
    """What Claude's format says of thinking is for a model that thinks; OpenAI refuses it for others."""
    house, claude = House(openai_provider()), Anthropic(api_key="k")
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    thinking = {"type": "enabled", "budget_tokens": 2000}
    body = {"model": model, "messages": BODY["messages"], "max_tokens": 3000, "thinking": thinking}
    answer = ask(house, native(body, claude))
    assert ("reasoning_effort" in sent_body(house)) is reasons
    assert ("reasoning_effort" in answer.completion.edge.dropped_params) is not reasons


SAMPLING = {"temperature": 0.2, "top_p": 0.9}


@pytest.mark.parametrize(
    ("model", "thinking", "taken"),
    [
        ("gpt-4o", None, True),
        ("gpt-5-chat-latest", None, True),
        ("gpt-5-mini", None, False),
        ("o3-mini", None, False),
        ("o4-mini-2025-04-16", None, False),
        ("gpt-5.1", None, True),
        ("gpt-5.1", {"type": "enabled", "budget_tokens": 2000}, False),
        ("gpt-5.2", {"type": "disabled"}, True),
        ("gpt-5.6-luna", None, False),
        ("gpt-of-tomorrow", None, True),
    ],
)
def test_a_model_that_reasons_is_not_told_a_temperature(model: str, thinking: Any, *, taken: bool) -> None:
    """What Claude's format says of sampling is for a model that takes it; OpenAI's that reason refuse it."""
    house, claude = House(openai_provider()), Anthropic(api_key="k")
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    body = {"model": model, "messages": BODY["messages"], "max_tokens": 3000, **SAMPLING}
    answer = ask(house, native({**body, **({"thinking": thinking} if thinking else {})}, claude))
    dropped = SAMPLING.keys() & set(answer.completion.edge.dropped_params)
    assert dropped == (set() if taken else SAMPLING.keys())
    assert SAMPLING.items() <= sent_body(house).items() if taken else not SAMPLING.keys() & sent_body(house).keys()


@pytest.mark.parametrize(
    ("model", "asked", "sent"),
    [
        ("gpt-4o", 16_384, 16_384),
        ("gpt-4o-mini", 64_000, 16_384),
        ("gpt-4.1", 50_000, 32_768),
        ("gpt-5", 64_000, 64_000),
        ("gpt-of-tomorrow", 999_999, 999_999),
    ],
)
def test_a_model_is_asked_for_no_more_than_it_gives(model: str, asked: int, sent: int) -> None:
    """Anthropic's format must have a limit, which many set to Claude's own; OpenAI refuses one that is too large."""
    house = House(openai_provider())
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    body = {"model": model, "messages": BODY["messages"], "max_tokens": asked}
    answer = ask(house, native(body, Anthropic(api_key="k")))
    assert sent_body(house)["max_completion_tokens"] == sent
    assert any("the most that this model gives" in edit for edit in answer.completion.edge.edits) == (sent < asked)


@pytest.mark.parametrize(
    ("provider", "model", "sent"),
    [
        (Anthropic(api_key="k"), "claude-haiku-4-5", 1),
        (Mistral(api_key="k"), "mistral-large-latest", 1.5),
        (OpenAI(api_key="k"), "gpt-4o", 1.8),
    ],
)
def test_a_temperature_is_no_higher_than_a_model_takes(provider: Any, model: str, sent: float) -> None:
    """Google's and OpenAI's go up to 2; the nearest is asked for, and it is said."""
    house = House(provider)
    house.world.answers.append(HTTPResponse(200, content=json.dumps(MESSAGE if sent == 1 else COMPLETION).encode()))
    body = {"model": model, "contents": [{"parts": [{"text": "?"}]}], "generationConfig": {"temperature": 1.8}}
    answer = ask(house, native(body, Gemini(api_key="k")))
    assert sent_body(house)["temperature"] == sent
    assert any("the highest that this model takes" in edit for edit in answer.completion.edge.edits) == (sent < 1.8)


OBJECT: dict[str, Any] = {"type": "object"}
EMPTY: dict[str, Any] = {**OBJECT, "properties": {}}


@pytest.mark.parametrize(
    ("schema", "sent"),
    [
        (OBJECT, EMPTY),
        ({**OBJECT, "additionalProperties": False}, {**EMPTY, "additionalProperties": False}),
        ({"$schema": "s"}, {**EMPTY, "$schema": "s"}),
        (EMPTY, EMPTY),
        ({**EMPTY, "properties": {"a": OBJECT}}, {**EMPTY, "properties": {"a": OBJECT}}),
        ({"type": ["object", "null"]}, {"type": ["object", "null"]}),
    ],
)
def test_a_tool_without_parameters_says_so(schema: dict[str, Any], sent: dict[str, Any]) -> None:
    """MCP's servers write `{"type": "object"}`, which Claude takes and OpenAI refuses."""
    house = House(openai_provider())
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    tools = [{"name": "f", "input_schema": schema}, {"name": "g", "input_schema": EMPTY}]
    body = {"model": "gpt-4o", "messages": BODY["messages"], "max_tokens": 30, "tools": tools}
    answer = ask(house, native(body, Anthropic(api_key="k")))
    assert [tool["function"]["parameters"] for tool in sent_body(house)["tools"]] == [sent, EMPTY]
    assert answer.completion.edge.edits == ()


@pytest.mark.parametrize(("length", "sent"), [(64, "u" * 64), (65, sha256(b"u" * 65).hexdigest())])
def test_a_long_user_is_told_apart_by_a_hash(length: int, sent: str) -> None:
    """Anthropic's `user_id` may be longer than OpenAI's `user`; the same one is the same each time."""
    house = House(openai_provider())
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    body = {"model": "gpt-4o", "messages": BODY["messages"], "max_tokens": 30, "metadata": {"user_id": "u" * length}}
    answer = ask(house, native(body, Anthropic(api_key="k")))
    assert sent_body(house)["user"] == sent
    assert any("SHA-256" in edit for edit in answer.completion.edge.edits) == (length > 64)


@pytest.mark.parametrize(("model", "taken"), [("gpt-5", True), ("gpt-4o", True), ("o3", False), ("o4-mini", False)])
def test_a_model_that_refuses_a_word_on_parallel_calls_is_told_none(model: str, *, taken: bool) -> None:
    """OpenAI's o models do; whoever asks Claude's format for one call at a time is told that it was left out."""
    house = House(openai_provider())
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    tools = [{"name": "f", "input_schema": {"type": "object"}}]
    body = {"model": model, "messages": BODY["messages"], "max_tokens": 30, "tools": tools, "tool_choice": choice}
    answer = ask(house, native(body, Anthropic(api_key="k")))
    assert sent_body(house).get("parallel_tool_calls") == (False if taken else None)
    assert ("parallel_tool_calls" in answer.completion.edge.dropped_params) is not taken


@pytest.mark.parametrize("defaults", [{"temperature": 1, "top_p": 1.0}, {}])
def test_a_default_temperature_is_left_out_without_a_word(defaults: dict[str, Any]) -> None:
    """It asks for nothing."""
    house = House(openai_provider())
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    body = {"model": "gpt-5", "messages": BODY["messages"], "max_tokens": 30, **defaults}
    answer = ask(house, native(body, Anthropic(api_key="k")))
    assert not SAMPLING.keys() & sent_body(house).keys()
    assert answer.completion.edge.dropped_params == ()


@pytest.mark.parametrize(
    ("model", "tokens", "effort"),
    [
        ("gpt-5-mini", 1024, "minimal"),
        ("gpt-5-mini", 60_000, "high"),
        ("gpt-5.1", 1024, "low"),
        ("o4-mini", 1024, "low"),
        ("o3-2025-04-16", 60_000, "high"),
        ("gpt-5.2", 60_000, "xhigh"),
        ("gpt-5.5", 1024, "low"),
        ("gpt-5.6-luna", 60_000, "xhigh"),
        ("gpt-of-tomorrow", 1024, "minimal"),
    ],
)
def test_a_model_is_told_an_effort_that_it_has(model: str, tokens: int, effort: str) -> None:
    """Claude's budgets are told in OpenAI's words, of which each model refuses some: the nearest, and it is said."""
    house, claude = House(openai_provider()), Anthropic(api_key="k")
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    thinking = {"type": "enabled", "budget_tokens": tokens}
    body = {"model": model, "messages": BODY["messages"], "max_tokens": 64_000, "thinking": thinking}
    answer = ask(house, native(body, claude))
    assert sent_body(house)["reasoning_effort"] == effort
    said = [edit for edit in answer.completion.edge.edits if edit.startswith("reasoning_effort")]
    meant = "minimal" if tokens == 1024 else "xhigh"
    assert said == ([] if effort == meant else [f"reasoning_effort {meant} is asked for as {effort}."])


def test_a_fallback_in_the_same_format_gets_the_same_body() -> None:
    """The second target is sent what the caller wrote, and its answer is the one that comes back."""
    second = OpenAI(name="second", api_key="k2", base_url="https://two.test/v1")
    house = House(openai_provider(), second, groups={"any": ["openai/gpt-4o", "second/gpt-4o"]})
    raw = json.dumps(COMPLETION).encode()
    house.world.answers.extend([HTTPResponse(503, content=b"{}"), HTTPResponse(200, content=raw)])
    answer = ask(house, native({**BODY, "model": "any"}), options=CallOptions(retry=RetryPolicy.of(0)))
    assert [request.url for request in house.world.sent()] == [
        "https://one.test/v1/chat/completions",
        "https://two.test/v1/chat/completions",
    ]
    assert answer.body == raw
    assert sent_body(house) == BODY


def test_an_answer_of_another_format_leaves_nothing_of_the_failed_one() -> None:
    """A first target whose answer was invalid: the second's is told, not the first's bytes."""
    house = House(openai_provider(), FakeProvider("Rome", name="fake"), groups={"any": ["openai/gpt-4o", "fake/x"]})
    house.world.answers.append(HTTPResponse(200, content=json.dumps({**COMPLETION, "choices": []}).encode()))
    answer = ask(house, native({**BODY, "model": "any"}), options=CallOptions(retry=RetryPolicy.of(0)))
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "Rome"


def test_a_dialect_is_passed_only_what_was_meant_for_it() -> None:
    """A server with ways of its own gets the raw body if the caller addressed it, else what it can understand."""
    groq = OpenAICompatible(name="groq", api_key="k")
    body = {**BODY, "model": "groq/llama", "temperature": None}
    for vendor, kept in ((groq.vendor, True), ("openai", False), (None, False)):
        house = House(groq)
        house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
        ask(house, native(body, openai_provider(), vendor=vendor))
        assert ("temperature" in sent_body(house)) is kept


def test_a_hit_gives_the_same_bytes() -> None:
    """The entry holds the vendor's bytes; the second call sends nothing."""
    house = House(openai_provider())
    raw = json.dumps(COMPLETION, indent=2).encode()
    house.world.answers.append(HTTPResponse(200, content=raw))
    first, second = ask(house, native()), ask(house, native())
    assert first.body == second.body == raw
    assert second.completion.edge.cache_tier == "memory"
    assert len(house.world.sent()) == 1


@pytest.mark.parametrize(
    "other",
    [
        native({**BODY, "brand_new": {"x": [1, 1]}}),
        native({**BODY, "metadata": {"a": "b"}}),
        native(headers={"openai-beta": "y"}),
        native(query={"v": "2"}),
        native(vendor="groq"),
    ],
    ids=["unknown field", "metadata", "header", "query", "dialect"],
)
def test_what_the_unified_model_does_not_know_is_in_the_key(other: Native) -> None:
    """Whatever may change the native answer keeps entries apart."""
    house = House(openai_provider())
    house.world.answers.extend([HTTPResponse(200, content=json.dumps(COMPLETION).encode())] * 2)
    ask(house, native())
    assert ask(house, other).completion.edge.cached is False


def test_a_native_call_and_a_unified_one_share_no_entry() -> None:
    """The unified call's entry holds no vendor's bytes, and the other way round a chat call needs none."""
    house = House(openai_provider())
    house.world.answers.extend([HTTPResponse(200, content=json.dumps(COMPLETION).encode())] * 2)
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hello"}]}
    house.complete(model="gpt-4o")
    assert ask(house, native(body)).completion.edge.cached is False


def test_state_at_the_vendor_is_not_cached() -> None:
    """What continues or keeps something at the vendor goes there each time, unless forced."""
    for extra in ({"store": True}, {"previous_response_id": "r"}, {"background": True}):
        house = House(openai_provider())
        house.world.answers.extend([HTTPResponse(200, content=json.dumps(COMPLETION).encode())] * 2)
        ask(house, native({**BODY, **extra}))
        assert ask(house, native({**BODY, **extra})).completion.edge.cached is False
    assert CacheOptions(force=True).allows_native({"store": True})


def test_what_only_the_vendor_may_know_is_left_to_it() -> None:
    """A part type of tomorrow passes to the vendor that the format is of, and to no other."""
    body = {"model": "any", "messages": [{"role": "user", "content": [{"type": "hologram", "hologram": 1}]}]}
    house = House(Anthropic(api_key="k"), openai_provider(), groups={"any": ["anthropic/claude-x", "openai/gpt-4o"]})
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    ask(house, native(body))
    assert [request.url for request in house.world.sent()] == ["https://one.test/v1/chat/completions"]
    assert sent_body(house) == {**body, "model": "gpt-4o"}
    with pytest.raises(e.RequestValidationError):
        ask(House(Anthropic(api_key="k")), native({**body, "model": "claude-x"}, openai_provider()))


def test_a_body_that_is_too_large_is_refused() -> None:
    """The size limit holds for native calls too."""
    house = House(openai_provider(), max_body_bytes=100)
    with pytest.raises(e.RequestValidationError, match="limit of 100"):
        ask(house, native({**BODY, "brand_new": "x" * 200}))
    assert house.world.sent() == []


def test_a_vendor_s_refusal_says_in_which_format_it_is() -> None:
    """The error's response may be passed on as it is to a caller of that format."""
    house = House(openai_provider())
    house.world.answers.append(HTTPResponse(400, content=b'{"error":{"message":"no","novelty":1}}'))
    with pytest.raises(e.BadRequestError) as caught:
        ask(house, native())
    assert caught.value.wire == "openai.chat"
    assert caught.value.response.json() == {"error": {"message": "no", "novelty": 1}}


# streams


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def parsed(stream: bytes) -> list[Any]:
    return [json.loads(d[6:]) for d in stream.split(b"\n\n") if d and d != b"data: [DONE]"]


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_a_stream_passes_without_what_was_asked_for_behind_the_caller_s_back(size: int) -> None:
    """Usage is asked for, used, and hidden: the caller sees what it would have seen without us."""
    house = House(openai_provider())
    house.world.answers.append(ScriptedSource(cut(sse(*WITH_USAGE), size), headers={"x-request-id": "r1"}))
    session = open_stream(house, native(streaming()))
    told = drain(house, session)
    assert parsed(told) == list(WITHOUT_USAGE)
    assert told.endswith(b"data: [DONE]\n\n")
    assert sent_body(house) == streaming(stream_options={"include_usage": True})
    edge = session.call.edge
    assert edge.edits == ("stream_options.include_usage added",)
    assert (edge.request_id, edge.cost_usd) == ("r1", Decimal("0.07"))
    assert session.usage is not None


@pytest.mark.parametrize("size", [1, 33, 10_000])
def test_a_stream_whose_usage_was_asked_for_passes_untouched(size: int) -> None:
    """Byte for byte, comments included, and nothing is edited."""
    raw = b": hello\n\n" + sse(*WITH_USAGE)
    house = House(openai_provider())
    house.world.answers.append(ScriptedSource(cut(raw, size)))
    body = streaming(stream_options={"include_usage": True, "novelty": 1})
    session = open_stream(house, native(body))
    assert drain(house, session) == raw
    assert sent_body(house) == body
    assert session.call.edge.edits == ()


def test_streamed_and_unstreamed_calls_share_an_entry() -> None:
    """Each is told in its own way: the same bytes again where they were recorded so, else from what they say."""
    house = House(openai_provider())
    raw = sse(*WITH_USAGE)
    house.world.answers.append(ScriptedSource([raw]))
    asking = streaming(stream_options={"include_usage": True})
    assert drain(house, open_stream(house, native(asking))) == raw
    again = open_stream(house, native(asking))
    assert drain(house, again) == raw
    assert again.call.edge.cached
    assert parsed(drain(house, open_stream(house, native(streaming())))) == list(WITHOUT_USAGE)
    whole = ask(house, native())
    assert whole.completion.edge.cached
    told = json.loads(whole.body)
    assert (told["choices"][0]["message"]["content"], told["usage"]) == ("Paris", USAGE)

    other = House(openai_provider())
    other.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    ask(other, native())
    streamed = open_stream(other, native(streaming()))
    chunks = parsed(drain(other, streamed))
    assert streamed.call.edge.cached
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks) == "Paris"
    assert not any(c.get("usage") for c in chunks)
    assert len(other.world.sent()) == 1


def test_a_stored_stream_of_the_vendor_s_own_bytes_ends_with_them() -> None:
    """Also at the original pace: nothing is waited for when all has been given."""
    house = House(openai_provider())

    def slowly() -> Iterator[bytes]:
        for value in WITH_USAGE:
            yield sse(value, done=False)
            house.world.now += 5
        yield b"data: [DONE]\n\n"

    house.world.answers.append(ScriptedSource(slowly()))
    told = drain(house, open_stream(house, native(streaming())))
    again = open_stream(house, native(streaming()), CallOptions(cache=CacheOptions(pace="original")))
    assert drain(house, again) == told
    assert again.call.edge.cached
    assert house.world.sleeps == []


def test_another_vendor_s_stream_is_told_in_the_caller_s_format() -> None:
    """A fake's chunks as Anthropic's events."""
    anthropic = Anthropic(api_key="k")
    house = House(FakeProvider("Rome is old", name="fake"))
    body = {"model": "fake/x", "max_tokens": 9, "messages": [{"role": "user", "content": "?"}], "stream": True}
    told = drain(house, open_stream(house, native(body, anthropic)))
    events = [line[7:] for line in told.decode().splitlines() if line.startswith("event: ")]
    assert events[0] == "message_start"
    assert events[-1] == "message_stop"
    assert b'"output_tokens":0' not in told.rpartition(b"message_delta")[2]


def test_a_fault_s_own_bytes_come_before_it() -> None:
    """What the vendor says about its fault in the stream reaches the caller, then the error is raised."""
    error = b'data: {"error": {"message": "overloaded", "type": "server_error"}}\n\n'
    house = House(openai_provider())
    house.world.answers.append(ScriptedSource([sse(*WITH_USAGE[:2], done=False), error]))
    session = open_stream(house, native(streaming(stream_options={"include_usage": True})))
    pieces = list(session.pending)
    session.pending.clear()
    house.world.run(session.advance())
    pieces += session.pending
    session.pending.clear()
    assert b"".join(pieces) == sse(*WITH_USAGE[:2], done=False) + error
    assert session.flowing
    with pytest.raises(e.StreamInterruptedError) as caught:
        house.world.run(session.advance())
    assert isinstance(caught.value.__cause__, e.APIStatusError)
    assert not session.flowing


def test_a_broken_connection_is_raised_at_once() -> None:
    """Nothing is pending, so nothing is waited for; a later call goes to the vendor again."""
    house = House(openai_provider())
    house.world.answers.append(ScriptedSource([sse(*WITH_USAGE[:2], done=False), e.APIConnectionError()]))
    session = open_stream(house, native(streaming(stream_options={"include_usage": True})))
    with pytest.raises(e.StreamInterruptedError):
        drain(house, session)
    house.world.answers.append(ScriptedSource([sse(*WITH_USAGE)]))
    assert open_stream(house, native(streaming())).call.edge.cached is False


def test_a_document_in_place_of_a_stream_is_kept_as_one() -> None:
    """A server that answers a streaming request with JSON: the caller gets it, an unstreamed call the same later."""
    raw = json.dumps(COMPLETION).encode()
    house = House(openai_provider())
    house.world.answers.append(ScriptedSource([raw], headers={"content-type": "application/json"}))
    assert drain(house, open_stream(house, native(streaming()))) == raw
    assert ask(house, native()).body == raw


RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "gpt-5",
    "status": "completed",
    "novelty": [1],
    "output": [
        {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Oslo", "annotations": []}],
        }
    ],
    "usage": {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3},
}


def test_a_recorded_stream_of_responses_tells_the_document_exactly() -> None:
    """Its last event holds the whole response, unknown fields included."""
    provider = openai_provider(responses=True)
    house = House(provider)
    first = {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None}}
    part = {
        "type": "response.output_text.delta",
        "item_id": "m",
        "output_index": 0,
        "content_index": 0,
        "delta": "Oslo",
    }
    last = {"type": "response.completed", "response": RESPONSE}
    raw = b"".join(
        b"event: %s\ndata: %s\n\n" % (v["type"].encode(), json.dumps(v).encode()) for v in (first, part, last)
    )
    house.world.answers.append(ScriptedSource([raw]))
    body = {"model": "gpt-5", "input": "?", "store": False}
    assert drain(house, open_stream(house, native({**body, "stream": True}, provider))) == raw
    whole = ask(house, native(body, provider))
    assert json.loads(whole.body) == RESPONSE
    assert whole.completion.edge.cached


def test_gemini_s_body_passes_with_the_model_in_the_url() -> None:
    """The request's model makes the URL; the body stays as it is."""
    gemini = Gemini(api_key="k", base_url="https://g.test/v1beta")
    house = House(gemini)
    raw = b'{"candidates":[{"content":{"role":"model","parts":[{"text":"Bern"}]},"finishReason":"STOP"}],"new":1}'
    house.world.answers.append(HTTPResponse(200, content=raw))
    body = {"contents": [{"role": "user", "parts": [{"text": "?"}]}], "novelty": 1}
    answer = ask(house, Native(gemini.codec, body), model="gemini-2.5-flash")
    assert house.world.sent()[0].url == "https://g.test/v1beta/models/gemini-2.5-flash:generateContent"
    assert sent_body(house) == body
    assert answer.body == raw


def test_entries_of_a_tier_keep_the_vendor_s_bytes() -> None:
    """Another process finds them on disk, under a router of the call's own too."""
    far = Far()
    raw = json.dumps(COMPLETION, indent=3).encode()
    for options in (CallOptions(), CallOptions(router=Reversed())):
        first = House(openai_provider(), far=far)
        first.world.answers.append(HTTPResponse(200, content=raw))
        ask(first, native(), options=options)
        first.world.write()
        second = House(openai_provider(), far=far, memory=False)
        answer = ask(second, native(), options=options)
        assert (answer.body, answer.completion.edge.cache_tier) == (raw, "disk")


class Reversed:
    """A router of the caller's own."""

    def plan(self, request: Any, targets: Any, health: Any) -> Any:
        return list(reversed(targets))
