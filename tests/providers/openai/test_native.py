"""OpenAI's chat format passed on: what is edited of a request, what is hidden of a stream."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.providers import AzureOpenAI, OpenAI, OpenAICompatible
from edgeagent.providers.openai.native import UsageFilter

BODY: dict[str, Any] = {"model": "m", "messages": [], "novelty": [None, 1.0]}


@pytest.mark.parametrize(
    ("version", "model", "asks"), [("2024-08-01-preview", "m", False), ("2025-01-01-preview", "m", True)]
)
def test_a_deployment_keeps_the_body_s_model(version: str, model: str, asks: bool) -> None:
    """The URL names the deployment; an older version of the API is not asked for usage."""
    azure: Any = AzureOpenAI(azure_endpoint="https://x", api_key="k", api_version=version)
    encoded = azure.codec_for("dep").encode_native(BODY, model="dep", stream=True)
    assert encoded.body["model"] == model
    assert ("stream_options" in encoded.body) is asks


def test_an_unstreamed_call_has_no_options_of_a_stream() -> None:
    """OpenAI refuses them without `stream`."""
    body = {**BODY, "stream": True, "stream_options": {"include_usage": True}}
    encoded = OpenAI(api_key="k").codec.encode_native(body, model="m", stream=False)  # type: ignore[attr-defined]
    assert encoded.body == {**BODY, "stream": False}
    assert body["stream"] is True


TOLD: dict[str, Any] = {
    "role": "assistant",
    "content": "A",
    "annotations": [],
    "reasoning_content": "hm",
    "native_content": {"wire": "anthropic.messages", "content": []},
}


@pytest.mark.parametrize(
    ("provider", "taken"),
    [
        (OpenAI(api_key="k"), ("native_content", "reasoning_content")),
        (OpenAICompatible(name="x", base_url="https://x/v1"), ("native_content",)),
    ],
)
def test_what_another_vendor_s_answer_had_is_not_sent_back(provider: Any, taken: tuple[str, ...]) -> None:
    """A conversation that changes the vendor: the SDK keeps every field of an answer, OpenAI refuses those it lacks."""
    user = {"role": "user", "content": "?"}
    body = {**BODY, "messages": [user, TOLD, user, "odd"]}
    encoded = provider.codec_for("m").encode_native(body, model="m", stream=False)
    assert encoded.body["messages"] == [user, {k: v for k, v in TOLD.items() if k not in taken}, user, "odd"]
    assert encoded.edits == (f"fields of answers not sent back: {', '.join(taken)}",)
    assert body["messages"][1] is TOLD
    assert "native_content" in TOLD


def test_calls_of_another_vendor_s_answer_are_sent_back_as_openai_takes_them() -> None:
    """Without signatures, with ids that are short enough, alike in the call and its result; another server gets all."""
    long = "call_" + "x" * 60
    calls = [{"id": long, "type": "function", "extra_content": {"google": {}}}, {"id": "call_1"}, "odd"]
    answer = {"role": "assistant", "content": None, "citations": ["https://x"], "tool_calls": calls}
    result = {"role": "tool", "tool_call_id": long, "content": "3"}
    body = {**BODY, "messages": [answer, result, "tool_calls", {"role": "assistant", "tool_calls": "odd"}]}
    encoded = OpenAI(api_key="k").codec.encode_native(body, model="m", stream=False)  # type: ignore[attr-defined]
    told, answered, *rest = encoded.body["messages"]
    short = answered["tool_call_id"]
    assert len(short) == 24
    assert told["tool_calls"] == [{"id": short, "type": "function"}, {"id": "call_1"}, "odd"]
    assert "citations" not in told
    assert rest == body["messages"][2:]
    assert encoded.edits == (
        "fields of answers not sent back: citations, tool_calls.extra_content",
        "ids of tool calls longer than 40 characters replaced",
    )
    assert answer["tool_calls"] is calls
    assert "extra_content" in calls[0]  # type: ignore[operator]
    compatible = OpenAICompatible(name="x", base_url="https://x/v1").codec_for("m")
    assert compatible.encode_native(body, model="m", stream=False).body == body  # type: ignore[attr-defined]


EVENTS = [
    (b'data: {"choices":[{"delta":{}}],"usage":null}\n\n', b'data: {"choices":[{"delta":{}}]}\n\n'),
    (b'data: {"choices":[],"usage":{"total_tokens":1}}\n\n', b""),
    (b'data: {"choices":[{"delta":{"content":"\\"usage\\""}}]}\n\n', None),
    (b'data: {"choices":[{"delta":{}}],"usage":{"total_tokens":1}}\n\n', None),
    (b'data: "usage" is no JSON\n\n', None),
    (b': "usage"\n\n', None),
    (b'data: ["usage"]\r\n\r\n', None),
    (b"data: [DONE]\n\n", None),
]


@pytest.mark.parametrize(("event", "shown"), EVENTS)
def test_what_the_usage_filter_shows(event: bytes, shown: bytes | None) -> None:
    """Only what is there because usage was asked for is taken out; every other byte stays, also at a cut end."""
    expected = event if shown is None else shown
    whole, cut = UsageFilter(), UsageFilter()
    assert whole.feed(event) + whole.end() == expected
    assert cut.feed(event[:-1]) + cut.end() == expected.removesuffix(b"\n")


ENDS = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"citations":["b"]}\n\n'
BESIDE = (
    b'data: {"id":"c","obfuscation":"x","choices":[],"usage":{"total_tokens":1},"citations":["a"],"mine":{"b":1}}\n\n'
)
JOINED = b'data: {"choices":[{"delta":{},"finish_reason":"stop"}],"citations":["a"],"mine":{"b":1}}\n\n'
TEXT = b'data: {"choices":[{"delta":{"content":"x"},"finish_reason":null}]}\n\n'
DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize("cut", [1, 7, 10_000])
def test_what_a_vendor_says_beside_the_usage_is_told_with_the_end_of_the_choice(cut: int) -> None:
    """Nobody who asked for no usage gets a chunk without choices, and nothing of the vendor's own is lost."""
    stream = TEXT + ENDS + BESIDE + DONE
    filtering = UsageFilter()
    told = b"".join(filtering.feed(stream[at : at + cut]) for at in range(0, len(stream), cut)) + filtering.end()
    assert told == TEXT + JOINED + DONE


@pytest.mark.parametrize("before", [b"", TEXT], ids=["first", "between"])
def test_what_a_vendor_says_beside_an_early_usage_is_told_with_the_next_choice(before: bytes) -> None:
    """What that says itself counts more; events without a choice, and the end of the stream, tell nothing of it."""
    own, comment = b'data: {"choices":[{"index":0}],"of":{"b":3}}\n\n', b": still here\n\n"
    early = b'data: {"choices":[],"usage":{"total_tokens":1},"of":{"a":1,"b":2},"seen":1}\n\n'
    told = UsageFilter().feed(before + early + comment + own + TEXT)
    assert told == before + comment + b'data: {"of":{"a":1,"b":3},"seen":1,"choices":[{"index":0}]}\n\n' + TEXT
    assert UsageFilter().feed(before + early + DONE) == before + DONE


@pytest.mark.parametrize(
    ("stream", "shown"),
    [
        (TEXT + ENDS + DONE, TEXT + ENDS + DONE),
        (ENDS + ENDS + BESIDE, ENDS + JOINED),
        (ENDS, ENDS),
        (BESIDE + DONE, DONE),
        (ENDS.replace(b"data: ", b'data: {"finish_reason":"x"').replace(b"\n\n", b"\n\n") + BESIDE, None),
    ],
)
def test_only_the_event_that_ends_a_choice_waits(stream: bytes, shown: bytes | None) -> None:
    """It comes with the next event, or with the end; one that cannot be read is told as it is."""
    filtering = UsageFilter()
    assert filtering.feed(stream) + filtering.end() == (stream.removesuffix(BESIDE) if shown is None else shown)
    waiting = UsageFilter()
    assert waiting.feed(TEXT) == TEXT
