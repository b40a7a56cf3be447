"""What no record shows: requests, answers, streams and errors built by hand."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from edgeagent.errors import (
    APIConnectionError,
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    OverloadedError,
    RateLimitError,
    ResponseValidationError,
)
from edgeagent.providers.mistral import Mistral
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.http import HTTPResponse
from tests.providers.mistral.support import CODEC, USER, answer, asking, chunk, decoded, encode, refused, sse, streamed
from tests.providers.mistral.vendor_types import unknown_fields

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
THINKING = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}], "signature": "s1", "closed": True}


def part(kind: str, value: Any) -> dict[str, Any]:
    return {"type": kind, kind: value}


# requests


def test_parameters() -> None:
    """Every parameter that the vendor has is sent, under its own name, valid by its types."""
    given = {
        "seed": 3,
        "max_completion_tokens": 9,
        "n": 2,
        "stop": ["x"],
        "temperature": 0.5,
        "top_p": 0.9,
        "presence_penalty": 0.1,
        "frequency_penalty": -0.1,
        "parallel_tool_calls": False,
        "tools": [TOOL],
        "tool_choice": "required",
        "reasoning_effort": "high",
        "metadata": {"a": "b"},
        "logprobs": True,
        "safe_prompt": True,
        "prompt_mode": "reasoning",
        "service_tier": "default",
        "prompt_cache_key": "k",
        "prediction": {"type": "content", "content": [{"type": "text", "text": "abc"}]},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}},
    }
    encoded = encode(stream=True, **given)
    body = encoded.body
    assert unknown_fields(body) == []
    assert encoded.dropped == encoded.edits == ()
    assert (body["random_seed"], body["max_tokens"], body["tool_choice"], body["stream"]) == (3, 9, "any", True)
    assert body["prediction"] == {"type": "content", "content": "abc"}
    assert (body["safe_prompt"], body["prompt_mode"], body["service_tier"]) == (True, "reasoning", "standard_only")
    assert "stream" not in encode().body


def test_advisory_parameters_are_named() -> None:
    """What only advises and has no place is left out and named."""
    encoded = encode(user="u", store=True, verbosity="low", prompt_cache_retention="24h", service_tier="flex")
    assert set(encoded.dropped) == {"user", "store", "verbosity", "prompt_cache_retention", "service_tier"}
    assert encoded.body.keys() == {"model", "messages"}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"audio": {"voice": "v"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"web_search_options": {"a": 1}}, "web_search_options"),
        ({"temperature": 1.6}, "temperature"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": "sometimes", "tools": [TOOL]}, "tool_choice"),
        ({"tools": [{"type": "custom", "custom": {"name": "c"}}]}, "tools[0].custom"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"name": "n"}}},
            "response_format.json_schema.schema",
        ),
        ({"response_format": {"type": "grammar"}}, "response_format.type"),
        ({"messages": [{"role": "user", "content": [part("video_url", {"url": "x"})]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    ],
)
def test_what_cannot_be_asked(params: dict[str, Any], field: str) -> None:
    """What would be another answer is refused, and the field named."""
    assert refused(**params) == field


@pytest.mark.parametrize(
    ("choice", "sent", "names"),
    [
        ("auto", "auto", ["f", "g"]),
        ("none", "none", ["f", "g"]),
        ({"type": "function", "function": {"name": "g"}}, {"type": "function", "function": {"name": "g"}}, ["f", "g"]),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [{"function": {"name": "g"}}]}},
            "any",
            ["g"],
        ),
    ],
)
def test_tool_choices(choice: Any, sent: Any, names: list[str]) -> None:
    """Every form of tool_choice, and the tools that it leaves."""
    tools = [TOOL, {"type": "function", "function": {"name": "g"}}]
    body = encode(tools=tools, tool_choice=choice).body
    assert unknown_fields(body) == []
    assert body["tool_choice"] == sent
    assert [tool["function"]["name"] for tool in body["tools"]] == names


def test_parts_of_every_kind() -> None:
    """OpenAI's parts in the vendor's form, its own as they are."""
    content = [
        part("text", "a"),
        part("image_url", {"url": "https://x/a.png", "detail": "high"}),
        part("input_audio", {"data": "UklGRg", "format": "wav"}),
        part("file", {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}),
        part("file", {"file_data": "aGk=", "filename": "a.txt"}),
        part("file", {"file_id": "0f1e"}),
        part("document_url", "https://x/a.pdf"),
    ]
    body = encode(messages=[{"role": "user", "content": content}]).body
    assert unknown_fields(body) == []
    assert body["messages"][0]["content"] == [
        part("text", "a"),
        part("image_url", {"url": "https://x/a.png", "detail": "high"}),
        part("input_audio", "UklGRg"),
        {**part("document_url", "data:application/pdf;base64,JVBE"), "document_name": "a.pdf"},
        part("text", "hi"),
        {"type": "file", "file_id": "0f1e"},
        part("document_url", "https://x/a.pdf"),
    ]


def test_foreign_ids_become_nine_characters_in_call_and_result() -> None:
    """Another vendor's id is replaced, the same in call and result and at every time."""

    def turn(id: str) -> list[dict[str, Any]]:
        call = {"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}
        return [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": id, "content": "1"}]

    sent = {}
    for given in ("toolu_01A09q90qw90lq917835lq9", "call_abc", "A1b2C3d4E", ""):
        encoded = encode(messages=[USER, *turn(given)])
        first, second = encoded.body["messages"][1:]
        sent[given] = first["tool_calls"][0]["id"]
        assert second["tool_call_id"] == sent[given]
        assert len(sent[given]) == 9
        assert sent[given].isalnum()
        assert bool(encoded.edits) == (given != "A1b2C3d4E")
        assert encode(messages=[USER, *turn(given)]).body == encoded.body
    assert sent["A1b2C3d4E"] == "A1b2C3d4E"
    assert len(set(sent.values())) == 4


def test_the_order_of_roles() -> None:
    """Later system messages are told by the user; an unfinished answer is a prefix; empty messages go."""
    system = {"role": "system", "content": "Be brief."}
    call = {"id": "A1b2C3d4E", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "developer", "content": "Be kind."},
        USER,
        {"role": "assistant", "content": ""},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "A1b2C3d4E", "content": "1"},
        system,
        {"role": "user", "content": "Go on."},
        {"role": "assistant", "content": "Once"},
    ]
    encoded = encode(messages=messages)
    sent = encoded.body["messages"]
    assert unknown_fields(encoded.body) == []
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "tool", "user", "user", "assistant"]
    assert sent[4]["content"] == "<system>\nBe brief.\n</system>"
    assert sent[-1] == {"role": "assistant", "content": "Once", "prefix": True}
    assert len(encoded.edits) == 3
    assert not [1 for a, b in pairwise(sent) if (a["role"], b["role"]) in {("assistant", "system"), ("tool", "system")}]


def test_changed_content_outweighs_native_parts() -> None:
    """Parts are sent back as long as the text still says what they say."""
    native = {"wire": "mistral.chat", "content": [THINKING, part("text", "Yes")]}
    kept = {"role": "assistant", "content": "Yes", "native_content": native}
    assert encode(messages=[USER, kept, USER]).body["messages"][1]["content"] == native["content"]
    changed = {**kept, "content": "No"}
    assert encode(messages=[USER, changed, USER]).body["messages"][1]["content"] == "No"


# answers


@pytest.mark.parametrize(
    ("native", "finish"), [("stop", "stop"), ("length", "length"), ("model_length", "length"), ("odd", "stop")]
)
def test_finish_reasons(native: str, finish: str) -> None:
    """The vendor's reasons in OpenAI's words, whole and streamed, its own kept."""
    for completion in (
        decoded(answer({"content": "a"}, native)),
        streamed(chunk({"content": "a"}), chunk({"content": ""}, native))[1],
    ):
        assert (completion.choices[0].finish_reason, completion.choices[0].native_finish_reason) == (finish, native)


def test_an_answer_that_ended_with_an_error() -> None:
    """The finish reason `error` is a typed error, behind what came."""
    with pytest.raises(InternalServerError):
        decoded(answer({"content": "a"}, "error"))
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(sse(chunk({"content": "a"}), chunk({}, "error"), done=False))
    assert assemble(chunks).choices[0].message.content == "a"
    with pytest.raises(InternalServerError):
        decoder.feed(b"")


def test_audio_is_counted_as_input() -> None:
    """Tokens that only the total has are the audio's, and part of the prompt."""
    usage = {"prompt_tokens": 16, "completion_tokens": 2, "total_tokens": 393, "prompt_audio_seconds": 0}
    found = decoded(answer({"content": "a"}, usage=usage)).usage
    assert found is not None
    assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == (391, 2, 393)
    assert found.prompt_tokens_details is not None
    assert found.prompt_tokens_details.audio_tokens == 375


def test_references_and_pages() -> None:
    """A page becomes an annotation at its place; whole and streamed say the same, and it goes back as it came."""
    page = {"type": "tool_reference", "tool": "web_search", "title": "T", "url": "https://x"}
    parts = [part("text", "ab"), page, part("text", "c"), {"type": "reference", "reference_ids": [1]}]
    whole = decoded(answer({"content": parts}))
    message = whole.choices[0].message
    assert message.content == "abc"
    assert message.annotations is not None
    cited = message.annotations[0].url_citation
    assert cited is not None
    assert (cited.url, cited.start_index) == ("https://x", 2)
    chunks, completion = streamed(chunk({"content": "ab"}), chunk({"content": parts[1:]}), chunk({}, "stop"))
    assert completion.choices[0].message == message
    assert CODEC.encode_response(whole)["choices"][0]["message"]["content"] == parts
    encoder = CODEC.stream_encoder()
    again = CODEC.stream_decoder(asking())
    assert assemble(again.feed(b"".join(map(encoder.feed, chunks)) + encoder.end())).choices == completion.choices


def test_signed_thinking_survives_every_way() -> None:
    """A signature stays with its thinking: streamed in fragments, replayed, encoded again."""
    whole = decoded(answer({"content": [THINKING, part("text", "Yes")]}))
    first = {**THINKING, "thinking": [{"type": "text", "text": "H"}]}
    _, completion = streamed(
        chunk({"content": [first]}),
        chunk({"content": [part("thinking", [part("text", "m.")]), part("text", "Yes")]}),
        chunk({}, "stop"),
    )
    assert completion.choices[0].message == whole.choices[0].message
    encoder = CODEC.stream_encoder()
    data = b"".join(map(encoder.feed, to_chunks(whole))) + encoder.end()
    assert assemble(CODEC.stream_decoder(asking()).feed(data)).choices == whole.choices


def test_calls_are_told_apart() -> None:
    """By id where there is one, else by index; objects as arguments are text; a missing id is made, always the same."""
    f = {"name": "f", "arguments": {"a": 1}}
    first = chunk({"tool_calls": [{"id": "aaaaaaaaa", "index": 0, "function": f}]})
    second = chunk({"tool_calls": [{"id": "bbbbbbbbb", "index": 0, "function": f}, {"id": "null", "function": f}]})
    _, completion = streamed(first, second, chunk({}, "tool_calls"))
    calls = completion.choices[0].message.tool_calls or []
    assert [call.id for call in calls][:2] == ["aaaaaaaaa", "bbbbbbbbb"]
    assert len({call.id for call in calls}) == 3
    assert {call.function.arguments for call in calls if call.function} == {'{"a":1}'}
    assert streamed(first, second, chunk({}, "tool_calls"))[1] == completion


# streams that go wrong


def test_a_stream_without_its_end() -> None:
    """A stream that is cut off is a connection error."""
    decoder = CODEC.stream_decoder(asking())
    decoder.feed(sse(chunk({"content": "a"}), done=False))
    with pytest.raises(APIConnectionError):
        decoder.end()


def test_a_finished_stream_needs_no_done() -> None:
    """Every choice has ended: nothing more had to come."""
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(sse(chunk({"content": "a"}, "stop"), done=False))
    assert not decoder.finished
    assert assemble(chunks + decoder.end()).choices[0].finish_reason == "stop"


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"object": "error", "message": "m", "type": "internal_server_error", "code": "1000"}, InternalServerError),
        ({"object": "error", "message": "m", "type": "invalid_model", "code": "1500"}, NotFoundError),
        ({"error": {"message": "m", "type": "rate_limited"}}, RateLimitError),
        ({"detail": "m"}, InternalServerError),
        ([1], ResponseValidationError),
        ({"choices": [{"index": 0, "delta": {"content": 5}}]}, ResponseValidationError),
        ({"choices": [{"index": 0, "delta": {"tool_calls": [5]}}]}, ResponseValidationError),
    ],
)
def test_events_that_are_errors(event: Any, kind: type[Exception]) -> None:
    """An error inside a stream is typed, and so is an event of another form."""
    decoder = CODEC.stream_decoder(asking())
    with pytest.raises(kind):
        decoder.feed(sse(event))
    with pytest.raises(kind):
        decoder.end()


def test_a_document_in_place_of_a_stream() -> None:
    """One JSON document is read as such, labelled or not; a page is refused."""
    data = json.dumps(answer({"content": "a"})).encode()
    for head in (HTTPResponse(200, {"content-type": "application/json"}), None):
        decoder = CODEC.stream_decoder(asking(), head)
        assert assemble(decoder.feed(data) + decoder.end()).choices[0].message.content == "a"
    decoder = CODEC.stream_decoder(asking())
    decoder.feed(b"<html>")
    with pytest.raises(ResponseValidationError):
        decoder.end()


# errors

LONG = "Prompt contains 40130 tokens and 0 draft tokens, too large for model with 32768 maximum context length"


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"object": "error", "message": LONG, "type": "invalid_request_prompt"}, ContextWindowExceededError, LONG),
        (400, {"object": "error", "message": {"detail": [{"loc": ["a"], "msg": "b"}]}}, BadRequestError, "a: b"),
        (401, {"message": "Unauthorized", "request_id": "r"}, AuthenticationError, "Unauthorized"),
        (429, {"object": "error", "message": "m", "type": "service_tier_capacity_exceeded"}, RateLimitError, "m"),
        (429, {"message": "Requests rate limit exceeded"}, RateLimitError, "Requests rate limit exceeded"),
        (503, "no healthy upstream", OverloadedError, 'HTTP 503: "no healthy upstream"'),
        (500, b"<html>x</html>", InternalServerError, "HTTP 500 without an error object (no content type)"),
        (402, b"", APIStatusError, "HTTP 402 without an error object (no content type)"),
    ],
)
def test_errors_of_every_form(status: int, body: Any, kind: type[Exception], message: str) -> None:
    """Class, message and wait of every form of body, there and back."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = CODEC.decode_error(HTTPResponse(status, {"retry-after": "7"}, content))
    assert (type(error), error.message, error.status_code) == (kind, message, status)
    if isinstance(error, RateLimitError):
        assert error.retry_after == 7
        assert CODEC.encode_error(error).headers["retry-after"] == "7"
    assert type(CODEC.decode_error(CODEC.encode_error(error))) is kind


# the provider


def test_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, address, models and what they can do."""
    monkeypatch.setenv("MISTRAL_API_KEY", "k1")
    provider = Mistral()
    request = provider.http_request(encode(), provider.api_key, model="mistral-small-latest", stream=False)
    assert request.url == "https://api.mistral.ai/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer k1"
    assert provider.codec_for("m").wire == "mistral.chat"
    assert provider.family("codestral-latest")
    codestral = Mistral(name="codestral", base_url="https://codestral.mistral.ai")
    assert codestral.endpoint("codestral-latest") == "https://codestral.mistral.ai/v1/chat/completions"
    assert "audio" in provider.capabilities("voxtral-small-latest").features
    assert "vision" not in provider.capabilities("voxtral-small-latest").features
    assert "document_url" in provider.capabilities("anything").parts
