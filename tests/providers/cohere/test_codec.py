"""What no record shows: requests, answers, streams and errors built by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    ContentFilterError,
    ContextWindowExceededError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    ResponseValidationError,
)
from edgeagent.providers.base import Promise
from edgeagent.providers.cohere import Cohere, decode_generation
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.wire.http import HTTPResponse
from tests.providers.cohere.support import CODEC, USER, answer, asking, decoded, encode, refused, sse, streamed, told
from tests.providers.cohere.vendor_types import unknown_fields

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
TEXT = {"type": "text", "text": "ab"}


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": SCHEMA, **more}}


# requests


def test_parameters() -> None:
    """Every parameter that the vendor has is sent, valid by its types, and comes back."""
    given = {
        "seed": 3,
        "max_tokens": 9,
        "stop": "x",
        "temperature": 0.5,
        "top_p": 0.9,
        "logprobs": True,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "reasoning_effort": "low",
        "safety_mode": "STRICT",
        "citation_options": {"mode": "FAST"},
        "k": 5,
        "priority": 1,
        "documents": [{"id": "d", "data": {"text": "t"}}],
    }
    encoded = encode(stream=True, **given)
    body = encoded.body
    assert unknown_fields(body) == []
    assert encoded.dropped == encoded.edits == ()
    assert (body["seed"], body["max_tokens"], body["stop_sequences"], body["p"]) == (3, 9, ["x"], 0.9)
    assert (body["k"], body["safety_mode"], body["stream"]) == (5, "STRICT", True)
    assert body["thinking"] == {"type": "enabled", "token_budget": 1024}
    back = CODEC.decode_request(body).params()
    assert {k: v for k, v in back.items() if k in given} == {**given, "stop": ["x"]}


def test_advisory_parameters_are_named() -> None:
    """What only advises and has no place is left out and named."""
    encoded = encode(user="u", store=True, metadata={"a": "b"}, parallel_tool_calls=False, top_p=1)
    assert set(encoded.dropped) == {"user", "store", "metadata", "parallel_tool_calls"}
    assert encoded.body["p"] == 0.99
    assert len(encoded.edits) == 1


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "dropped"),
    [
        ("command-a-reasoning-08-2025", "none", {"type": "disabled"}, ()),
        ("command-a-reasoning-08-2025", "high", {"type": "enabled"}, ()),
        ("command-a-03-2025", "high", None, ("reasoning_effort",)),
        ("command-r7b-12-2024", "none", None, ()),
    ],
)
def test_efforts(model: str, effort: str, thinking: Any, dropped: tuple[str, ...]) -> None:
    """An effort is a budget of thinking where the model thinks; the caller's own budget wins."""
    encoded = encode(model, reasoning_effort=effort)
    assert (encoded.body.get("thinking"), encoded.dropped) == (thinking, dropped)
    own = {"type": "enabled", "token_budget": 7}
    assert encode(model, reasoning_effort=effort, thinking=own).body["thinking"] == own


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"n": 2}, "n"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"frequency_penalty": -1}, "frequency_penalty"),
        ({"stop": ["a", "b", "c", "d", "e", "f"]}, "stop"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"response_format": {"type": "json_object"}, "tools": [tool("f")]}, "response_format"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {}}]}]},
         "messages[0].content[0].type"),
        ({"messages": [{"role": "assistant", "content": ""}]}, "messages"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(params: dict[str, Any], field: str) -> None:
    """What would be another answer is refused, and the field named."""
    assert refused(**params) == field


@pytest.mark.parametrize(
    ("choice", "sent", "names"),
    [
        ("auto", None, ["f", "g"]),
        ("none", "NONE", ["f", "g"]),
        ("required", "REQUIRED", ["f", "g"]),
        ({"type": "function", "function": {"name": "g"}}, "REQUIRED", ["g"]),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"function": {"name": "f"}}]}},
            None,
            ["f"],
        ),
    ],
)
def test_tool_choices(choice: Any, sent: Any, names: list[str]) -> None:
    """Every form of tool_choice, and the tools that it leaves."""
    body = encode(tools=[tool("f"), tool("g")], tool_choice=choice).body
    assert unknown_fields(body) == []
    assert body.get("tool_choice") == sent
    assert [one["function"]["name"] for one in body["tools"]] == names


def test_strictness() -> None:
    """All strict: the vendor is asked; some: they are checked; a strict schema of the answer is checked."""
    assert encode(tools=[tool("f", strict=True)]).body["strict_tools"] is True
    mixed = encode(tools=[tool("f", strict=True), tool("g")])
    assert "strict_tools" not in mixed.body
    assert mixed.promises == (Promise(SCHEMA, "f"),)
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
    encoded = encode(response_format=form)
    assert encoded.body["response_format"] == {"type": "json_object", "json_schema": SCHEMA}
    assert encoded.promises == (Promise(SCHEMA),)
    assert unknown_fields(encoded.body) == []


def test_messages_in_every_position() -> None:
    """Every role in every position, in the vendor's form, valid by its types."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
    messages = [
        {"role": "system", "content": "A"},
        {"role": "developer", "content": [{"type": "text", "text": "B"}]},
        {"role": "user", "content": [TEXT, {"type": "image_url", "image_url": {"url": "https://x", "detail": "low"}}]},
        {"role": "assistant", "content": None, "reasoning_content": "Hm", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": [{"type": "document", "document": {"data": {"a": "b"}}}]},
        {"role": "system", "content": "C"},
        {"role": "assistant", "content": ""},
        {"role": "user", "content": [{"type": "file", "file": {"file_data": "data:text/plain;base64,aGk="}}]},
    ]
    encoded = encode(messages=messages)
    sent = encoded.body["messages"]
    assert unknown_fields(encoded.body) == []
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "user", "user"]
    assert sent[0]["content"] == [{"type": "text", "text": "A"}, {"type": "text", "text": "B"}]
    assert sent[2] == {"role": "assistant", "tool_calls": [{**call, "function": {"name": "f", "arguments": "{}"}}]}
    assert sent[4]["content"] == "<system>\nC\n</system>"
    assert sent[5]["content"] == [{"type": "text", "text": "hi"}]
    assert len(encoded.edits) == 3


# answers


@pytest.mark.parametrize(
    ("native", "finish"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "stop"),
        ("ERROR_TOXIC", "content_filter"),
        ("ODD", "stop"),
    ],
)
def test_finish_reasons(native: str, finish: str) -> None:
    """The vendor's reasons in OpenAI's words, whole and streamed, its own kept."""
    delta = told("content-delta", {"content": {"text": "ab"}}, index=0)
    for completion in (decoded(answer({"content": [TEXT]}, native)), streamed(delta, finish=native)[1]):
        assert (completion.choices[0].finish_reason, completion.choices[0].native_finish_reason) == (finish, native)


@pytest.mark.parametrize(
    ("reason", "more", "kind", "status"),
    [
        ("ERROR", {"error": "m"}, InternalServerError, 500),
        ("TIMEOUT", {}, InternalServerError, 504),
        ("ERROR", {"error": "m", "error_type": "TOO_MANY_TOKENS"}, ContextWindowExceededError, 400),
    ],
)
def test_answers_that_ended_with_an_error(
    reason: str, more: dict[str, Any], kind: type[APIStatusError], status: int
) -> None:
    """ERROR and TIMEOUT are typed errors, whole and streamed alike."""
    with pytest.raises(kind) as whole:
        decoded(answer({"content": [TEXT]}, reason, **more))
    decoder = CODEC.stream_decoder(asking())
    with pytest.raises(kind) as caught:
        decoder.feed(sse({"type": "message-end", "delta": {"finish_reason": reason, **more}}))
    assert whole.value.status_code == caught.value.status_code == status
    assert whole.value.message == caught.value.message


def test_images_are_counted_as_input() -> None:
    """Tokens of images, cache and reasoning in their places, and the vendor's usage back."""
    tokens = {"input_tokens": 501, "output_tokens": 65, "image_tokens": 518, "reasoning_tokens": 7}
    usage = {"billed_units": {"input_tokens": 522.0, "output_tokens": 65.0}, "tokens": tokens, "cached_tokens": 480.0}
    completion = decoded(answer({"content": [TEXT]}, usage=usage))
    found = completion.usage
    assert found is not None
    assert (found.prompt_tokens, found.completion_tokens, found.total_tokens) == (1019, 65, 1084)
    assert found.prompt_tokens_details is not None
    assert (found.prompt_tokens_details.cached_tokens, found.prompt_tokens_details.image_tokens) == (480, 518)
    assert CODEC.encode_response(completion)["usage"] == usage


def test_citations() -> None:
    """Citations are kept; those of pages are annotations too, at their place in the joined text."""
    page = {"type": "document", "id": "d", "document": {"url": "https://x", "title": "T"}}
    tool_source = {"type": "tool", "id": "t:0", "tool_output": {"a": "b"}}
    cited = {"start": 0, "end": 2, "text": "cd", "sources": [page, tool_source], "type": "TEXT_CONTENT"}
    blocks = [TEXT, {"type": "thinking", "thinking": "Hm"}, {"type": "text", "text": "cd"}]
    given = [{**cited, "content_index": 2}, {**cited, "type": "PLAN"}]
    whole = decoded(answer({"content": blocks, "citations": given}))
    message = whole.choices[0].message
    assert message.content == "abcd"
    assert message.annotations is not None
    [annotation] = message.annotations
    assert annotation.url_citation is not None
    assert (annotation.url_citation.start_index, annotation.url_citation.end_index) == (2, 4)
    assert CODEC.encode_response(whole)["message"] == {"role": "assistant", "content": blocks, "citations": given}
    events = [
        *(event for block in blocks for event in (
            told("content-start", {"content": {"type": block["type"], block["type"]: ""}}, index=0),
            told("content-delta", {"content": {block["type"]: block[block["type"]]}}, index=0),
            told("content-end", index=0),
        )),
        *(told("citation-start", {"citations": one}, index=0) for one in given),
    ]  # fmt: skip
    _, completion = streamed(*events)
    assert completion.choices[0].message == message
    encoder = CODEC.stream_encoder()
    data = b"".join(map(encoder.feed, to_chunks(whole))) + encoder.end()
    assert assemble(CODEC.stream_decoder(asking()).feed(data)).choices == whole.choices


def test_logprobs_there_and_back() -> None:
    """A piece of several tokens has their sum, and keeps the single values."""
    items = [{"text": "ab", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}]
    completion = decoded(answer({"content": [TEXT]}, logprobs=items))
    found = completion.choices[0].logprobs
    assert found is not None
    assert found.content is not None
    assert (found.content[0].token, found.content[0].logprob, found.content[0].bytes) == ("ab", -0.75, [97, 98])
    assert CODEC.encode_response(completion)["logprobs"] == items
    delta = told("content-delta", {"content": {"text": "ab"}}, index=0, logprobs=items[0])
    assert streamed(delta)[1].choices[0].logprobs == found


def test_streamed_calls() -> None:
    """Fragments by index, `{}` for a call without arguments, and the same events back."""
    start = {"type": "function", "function": {"name": "f", "arguments": ""}}
    chunks, completion = streamed(
        told("tool-plan-delta", {"tool_plan": "I will."}),
        told("tool-call-start", {"tool_calls": {"id": "c1", **start}}, index=0),
        told("tool-call-delta", {"tool_calls": {"function": {"arguments": '{"a"'}}}, index=0),
        told("tool-call-delta", {"tool_calls": {"function": {"arguments": ": 1}"}}}, index=0),
        told("tool-call-end", index=0),
        told("tool-call-start", {"tool_calls": {"id": "c2", **start}}, index=1),
        told("tool-call-end", index=1),
        finish="TOOL_CALL",
    )
    message = completion.choices[0].message
    calls = [(c.id, c.function.arguments) for c in message.tool_calls or () if c.function]
    assert calls == [("c1", '{"a": 1}'), ("c2", "{}")]
    assert (message.content, message.reasoning_content) == (None, "I will.")
    encoder = CODEC.stream_encoder()
    data = b"".join(map(encoder.feed, chunks)) + encoder.end()
    again = assemble(CODEC.stream_decoder(asking()).feed(data)).choices[0].message
    assert (again.tool_calls, again.reasoning_content) == (message.tool_calls, message.reasoning_content)


def test_streams_that_go_wrong() -> None:
    """A stream without its end, and a fragment of no call, are typed errors; unknown events are harmless."""
    start = sse(told("message-start", {"role": "assistant"}, id="a1"))
    decoder = CODEC.stream_decoder(asking())
    decoder.feed(start)
    with pytest.raises(APIConnectionError):
        decoder.end()
    decoder = CODEC.stream_decoder(asking())
    with pytest.raises(ResponseValidationError):
        decoder.feed(sse(told("tool-call-delta", {"tool_calls": {"function": {"arguments": "x"}}}, index=3)))
    decoder = CODEC.stream_decoder(asking())
    assert decoder.feed(sse({"type": "debug", "prompt": "x"}, {"type": "news"})) == []


def test_a_document_in_place_of_a_stream() -> None:
    """One JSON document is read as such, labelled or not."""
    data = json.dumps(answer({"content": [TEXT]})).encode()
    for head in (HTTPResponse(200, {"content-type": "application/json"}), None):
        decoder = CODEC.stream_decoder(asking(), head)
        assert assemble(decoder.feed(data) + decoder.end()).choices[0].message.content == "ab"


# errors


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, {"message": "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292."},
         ContextWindowExceededError, None),
        (400, {"message": "too many tokens: max tokens must be less than or equal to 4096"}, BadRequestError, None),
        (400, {"message": "x", "error_type": "TOO_MANY_TOKENS"}, ContextWindowExceededError, None),
        (429, {"message": "trial token rate limit exceeded"}, RateLimitError, None),
        (498, {"message": "m"}, ContentFilterError, None),
        (499, {"message": "request cancelled"}, APIStatusError, None),
        (503, {"data": "m"}, OverloadedError, "m"),
        (500, b"<html>", InternalServerError, "HTTP 500 without an error object (no content type)"),
        (500, b'"oops"', InternalServerError, 'HTTP 500: "oops"'),
    ],
)  # fmt: skip
def test_errors_of_every_form(status: int, body: Any, kind: type[Exception], message: str | None) -> None:
    """Class, message and wait of every form of body, there and back."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = CODEC.decode_error(HTTPResponse(status, {"retry-after": "7"}, content))
    assert (type(error), error.message, error.status_code) == (kind, message or body["message"], status)
    if isinstance(error, RateLimitError):
        assert error.retry_after == 7
    assert type(CODEC.decode_error(CODEC.encode_error(error))) is kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", ResponseValidationError),
        (b'{"generations": []}', ResponseValidationError),
        (b'{"generations": [{"text": 5}], "id": "a"}', ResponseValidationError),
        (b'{"text": "a", "is_finished": false, "event_type": "text-generation"}', APIConnectionError),
        (b'{"is_finished": true, "event_type": "stream-end", "finish_reason": "ERROR"}', InternalServerError),
    ],
)
def test_generations_that_go_wrong(content: bytes, kind: type[Exception]) -> None:
    """The older endpoint's answers: what is wrong is a typed error."""
    with pytest.raises(kind):
        decode_generation(HTTPResponse(200, content=content))


# the provider


def test_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, address, models and what they can do."""
    monkeypatch.delenv("CO_API_KEY", raising=False)
    monkeypatch.setenv("COHERE_API_KEY", "k1")
    assert Cohere().api_key == "k1"
    monkeypatch.setenv("CO_API_KEY", "k2")
    provider = Cohere()
    request = provider.http_request(encode(), provider.api_key, model="command-a-03-2025", stream=True)
    assert (request.url, request.headers["authorization"]) == ("https://api.cohere.com/v2/chat", "Bearer k2")
    assert Cohere(base_url="https://x/v2").endpoint("m") == "https://x/v2/chat"
    codec = provider.codec_for("command-r7b-12-2024")
    assert codec.wire == "cohere.chat_v2"
    assert codec == provider.codec
    told_by = codec.decode_response(HTTPResponse(200, content=json.dumps(answer({"content": [TEXT]})).encode()))
    assert told_by.model == "command-r7b-12-2024"
    assert "vision" not in provider.capabilities("command-r7b-12-2024").features
    assert "vision" in provider.capabilities("command-a-vision-07-2025").features
    assert "reasoning" in provider.capabilities("command-a-reasoning-08-2025").features
    assert "n" not in provider.capabilities("anything").features


# a conversation that changes its vendor


def test_claude_then_mistral_then_cohere() -> None:
    """Each turn's answer, of another vendor and with calls and thinking, is a valid next turn for each."""
    from edgeagent.providers.anthropic import AnthropicMessagesCodec
    from edgeagent.providers.mistral import MistralChatCodec
    from tests.providers.anthropic.vendor_types import unknown_fields as unknown_to_claude
    from tests.providers.mistral.vendor_types import unknown_fields as unknown_to_mistral

    claude, mistral = AnthropicMessagesCodec(), MistralChatCodec()
    thinking = {"type": "thinking", "thinking": "Hm", "signature": "sig"}
    use = {"type": "tool_use", "id": "toolu_01A09q90qw90lq917835lq9", "name": "f", "input": {"a": "x"}}
    claude_said = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "c",
        "stop_reason": "tool_use",
        "content": [thinking, use],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    call = {"id": "A1b2C3d4E", "function": {"name": "f", "arguments": '{"a": "y"}'}}
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "So"}]}]
    message = {"role": "assistant", "content": parts, "tool_calls": [call]}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    mistral_said = {"id": "a", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    cohere_call = {"id": "f_xyz123", "type": "function", "function": {"name": "f", "arguments": '{"a":"z"}'}}
    cohere_said = answer({"tool_plan": "I will.", "tool_calls": [cohere_call]}, "TOOL_CALL")

    messages: list[dict[str, Any]] = [{"role": "system", "content": "S"}, USER]
    tools = [tool("f")]
    vendors = (
        ("claude-sonnet-4-6", claude, unknown_to_claude),
        ("m", mistral, unknown_to_mistral),
        ("m", CODEC, unknown_fields),
    )
    for codec, said in ((claude, claude_said), (mistral, mistral_said), (CODEC, cohere_said)):
        turn = codec.decode_response(HTTPResponse(200, content=json.dumps(said).encode())).choices[0].message
        told_turn = turn.model_dump(exclude_unset=True)
        messages += [told_turn, {"role": "tool", "tool_call_id": told_turn["tool_calls"][0]["id"], "content": "1"}]
        for model, other, unknown in vendors:
            encoded = other.encode_request(asking(messages=messages, tools=tools), model=model, stream=False)
            assert unknown(encoded.body) == []
            sent = json.dumps(encoded.body)
            assert sent.count('"arguments"') == (0 if other is claude else (len(messages) - 2) // 2)
            for one in encoded.body["messages"]:
                assert one.get("content") or one.get("tool_calls") or one.get("tool_plan")
    mistral_body = mistral.encode_request(asking(messages=messages), model="m", stream=False).body["messages"]
    ids = [one["tool_calls"][0]["id"] for one in mistral_body if "tool_calls" in one]
    assert all(len(one) == 9 and one.isalnum() for one in ids)
    assert ids == [one["tool_call_id"] for one in mistral_body if one["role"] == "tool"]
    assert ids[1] == "A1b2C3d4E"
    cohere_body = encode(messages=messages).body["messages"]
    assert [one.get("tool_plan") for one in cohere_body if one["role"] == "assistant"] == [None, None, "I will."]
