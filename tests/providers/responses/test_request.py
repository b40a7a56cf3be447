"""Requests of ours as the vendor's: roles, parts, tools, choices, formats, and what cannot be said."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from tests.providers.responses.support import CODEC, OTHERS, asking, encoded
from tests.providers.responses.vendor_types import faults_of_request

USER = {"role": "user", "content": "hi"}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def item(role: str, content: Any) -> dict[str, Any]:
    return {"type": "message", "role": role, "content": content}


def test_roles_stay_in_their_places() -> None:
    """A leading system text is the instructions; later system and developer messages stay where they are."""
    system = {"role": "system", "content": "Be kind."}
    developer = {"role": "developer", "content": "Be brief."}
    sent = encoded(system, developer, USER, system)
    assert sent["instructions"] == "Be kind."
    assert sent["input"] == [item("developer", "Be brief."), item("user", "hi"), item("system", "Be kind.")]
    assert encoded(system)["input"] == [item("system", "Be kind.")]
    assert "instructions" not in encoded(system)
    assert faults_of_request(sent) == []


def test_parts_have_their_forms() -> None:
    """Text, images with their detail, files by content (which must have a name), URL and id; a native part as it is."""
    parts = [
        {"type": "text", "text": "a"},
        {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}},
        {"type": "file", "file": {"file_url": "https://x/y"}},
        {"type": "file", "file": {"file_id": "file-1"}},
        {"type": "input_image", "file_id": "file-2", "detail": "auto"},
    ]
    (message,) = encoded({"role": "user", "content": parts})["input"]
    assert message["content"] == [
        {"type": "input_text", "text": "a"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,JVBE", "filename": "file.pdf"},
        {"type": "input_file", "file_url": "https://x/y"},
        {"type": "input_file", "file_id": "file-1"},
        {"type": "input_image", "file_id": "file-2", "detail": "auto"},
    ]
    assert faults_of_request(encoded({"role": "user", "content": parts})) == []


@pytest.mark.parametrize("kind", ["input_audio", "video_url", "thinking"])
def test_parts_it_cannot_read_are_named(kind: str) -> None:
    """What the API cannot read makes the target unfit."""
    with pytest.raises(RequestValidationError) as caught:
        encoded({"role": "user", "content": [{"type": kind, kind: {}}]})
    assert caught.value.param == "messages[0].content[0].type"


def test_calls_and_results_of_every_kind() -> None:
    """Function and custom calls, with results of text and of images; long ids of other vendors are shortened."""
    long = "x" * 100
    calls = [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": long, "type": "custom", "custom": {"name": "g", "input": "free"}},
    ]
    results = [
        {"role": "tool", "tool_call_id": "call_1", "content": "ok"},
        {
            "role": "tool",
            "tool_call_id": long,
            "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}],
        },
    ]
    sent = encoded(USER, {"role": "assistant", "content": None, "tool_calls": calls}, *results)
    _, call, custom, result, custom_result = sent["input"]
    assert call == {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}
    assert (custom["type"], custom["input"]) == ("custom_tool_call", "free")
    assert len(custom["call_id"]) <= 64
    assert result == {"type": "function_call_output", "call_id": "call_1", "output": "ok"}
    assert (custom_result["type"], custom_result["call_id"]) == ("custom_tool_call_output", custom["call_id"])
    assert custom_result["output"][0]["type"] == "input_image"
    assert faults_of_request(sent) == []


def test_tools_are_flat_and_not_strict_unless_said() -> None:
    """Functions, custom tools with a grammar, and built-in tools as they are."""
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}}
    tools = [
        FUNCTION,
        {"type": "function", "function": {"name": "g", "strict": True}},
        {"type": "custom", "custom": {"name": "h", "format": grammar}},
        {"type": "mcp", "server_label": "x", "server_url": "https://x"},
    ]
    sent = encoded(USER, tools=tools, web_search_options={"search_context_size": "low"})
    empty = {"type": "object", "properties": {}}
    assert sent["tools"] == [
        {"type": "function", "name": "f", "parameters": empty, "strict": False},
        {"type": "function", "name": "g", "strict": True, "parameters": empty},
        {"type": "custom", "name": "h", "format": {"type": "grammar", "syntax": "lark", "definition": "start: A"}},
        {"type": "mcp", "server_label": "x", "server_url": "https://x"},
        {"type": "web_search", "search_context_size": "low"},
    ]
    assert faults_of_request(sent) == []


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "function": {"name": "f"}}, {"type": "function", "name": "f"}),
        ({"type": "custom", "custom": {"name": "f"}}, {"type": "custom", "name": "f"}),
        ({"type": "web_search_preview"}, {"type": "web_search_preview"}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FUNCTION]}},
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}],
            },
        ),
    ],
)
def test_every_choice_of_a_tool(ours: Any, theirs: Any) -> None:
    """All forms of tool_choice, there and back."""
    sent = encoded(USER, tools=[FUNCTION], tool_choice=ours)
    assert sent["tool_choice"] == theirs
    assert faults_of_request(sent) == []
    again = CODEC.decode_request(sent)
    assert encoded(USER, tools=[FUNCTION], tool_choice=again.tool_choice)["tool_choice"].__class__ is theirs.__class__


def test_parameters_have_their_places() -> None:
    """Format, verbosity, effort, limits, logprobs; the vendor's own parameters win where both say something."""
    schema = {"name": "s", "schema": {"type": "object"}, "strict": True}
    sent = encoded(
        USER,
        response_format={"type": "json_schema", "json_schema": schema},
        verbosity="low",
        reasoning_effort="high",
        max_tokens=100,
        max_completion_tokens=200,
        logprobs=True,
        top_logprobs=3,
        store=True,
        reasoning={"summary": "auto"},
        truncation="auto",
        metadata={"a": "b"},
        user="u",
    )
    assert sent["text"] == {"format": {"type": "json_schema", **schema}, "verbosity": "low"}
    assert sent["reasoning"] == {"effort": "high", "summary": "auto"}
    assert sent["max_output_tokens"] == 200
    assert (sent["top_logprobs"], sent["include"]) == (3, ["message.output_text.logprobs"])
    assert (sent["store"], sent["truncation"], sent["metadata"], sent["user"]) == (True, "auto", {"a": "b"}, "u")
    assert faults_of_request(sent) == []


def test_nothing_is_stored_unless_asked() -> None:
    """As in chat; models that reason give their reasoning encrypted instead, and the edits say both."""
    made = CODEC.encode_request(asking(USER), model="gpt-5", stream=False)
    assert (made.body["store"], made.body["include"]) == (False, ["reasoning.encrypted_content"])
    assert [edit.split(":")[0] for edit in made.edits] == ["include", "store"]
    assert "include" not in encoded(USER, model="gpt-4o")
    for name, value in {"previous_response_id": "resp_1", "background": True, "conversation": "conv_1"}.items():
        sent = encoded(USER, **{name: value})
        assert (sent[name], "store" in sent, "include" in sent) == (value, False, False)


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"n": 2}, "n"),
        ({"stop": ["x"]}, "stop"),
        ({"logit_bias": {"7": -1}}, "logit_bias"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"max_tokens": 5}, "max_tokens"),
        ({"max_completion_tokens": 15}, "max_completion_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"tool_choice": {"name": "f"}}, "tool_choice"),
    ],
)
def test_what_it_cannot_be_asked_is_named(params: dict[str, Any], param: str) -> None:
    """What changes the answer and has no place here is refused."""
    with pytest.raises(RequestValidationError) as caught:
        encoded(USER, **params)
    assert caught.value.param == param


def test_other_servers_have_their_own_ranges() -> None:
    """OpenAI's least output is no other server's."""
    assert OTHERS.encode_request(asking(USER, max_tokens=5), model="m", stream=False).body["max_output_tokens"] == 5


def test_advisory_parameters_are_dropped_and_named() -> None:
    """Nothing is dropped silently, and a value that asks for nothing is not named."""
    made = CODEC.encode_request(
        asking({**USER, "name": "Ann"}, seed=1, frequency_penalty=0.5, presence_penalty=0),
        model="gpt-5",
        stream=False,
    )
    assert set(made.dropped) == {"seed", "frequency_penalty", "messages.name"}
    assert not made.body.keys() & {"seed", "frequency_penalty", "presence_penalty"}


def test_streaming_keeps_what_it_knows_of_the_options() -> None:
    """Usage is sent unasked here; obfuscation is an option of both."""
    sent = encoded(USER, stream=True, stream_options={"include_usage": True, "include_obfuscation": False})
    assert (sent["stream"], sent["stream_options"]) == (True, {"include_obfuscation": False})
    assert "stream_options" not in encoded(USER, stream=True, stream_options={"include_usage": True})


REASONING = {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
SAID = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "output_text", "text": "yes", "annotations": []}],
}


def said(*items: dict[str, Any], text: str = "yes", wire: str = "openai.responses") -> dict[str, Any]:
    native = {"wire": wire, "content": list(items)}
    return {"role": "assistant", "content": text, "native_content": native}


def test_reasoning_is_replayed_as_it_was() -> None:
    """Encrypted reasoning goes back unchanged, before the message that it led to."""
    assert encoded(USER, said(REASONING, SAID), USER)["input"][1:3] == [REASONING, SAID]


def test_a_changed_message_is_built_from_what_it_says() -> None:
    """Who changed the text meant it: the vendor's items no longer count."""
    made = CODEC.encode_request(asking(USER, said(REASONING, SAID, text="no")), model="gpt-5", stream=False)
    assert made.body["input"][1:] == [item("assistant", "no")]
    assert any("native_content" in edit for edit in made.edits)


def test_reasoning_known_by_its_id_alone_needs_the_vendors_memory() -> None:
    """Without encrypted content it is sent where answers are stored, else left out with the ids that depend on it."""
    bare = {"id": "rs_1", "type": "reasoning", "summary": []}
    assert encoded(USER, said(bare, SAID), store=True)["input"][1:] == [bare, SAID]
    assert encoded(USER, said(bare, SAID))["input"][1:] == [{k: v for k, v in SAID.items() if k != "id"}]


@pytest.mark.parametrize(
    "native",
    [
        {"wire": "anthropic.messages", "content": [{"type": "thinking", "thinking": "x", "signature": "s"}]},
        {"wire": "gemini.generate", "content": [{"text": "yes", "thoughtSignature": "s"}]},
        {"wire": "openai.responses", "content": [{"type": "message"}, 3]},
    ],
)
def test_another_vendors_turn_stays_valid(native: dict[str, Any]) -> None:
    """A conversation that comes from elsewhere, with reasoning and calls, is said in plain items."""
    calls = [{"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
    turn = {"role": "assistant", "content": "yes", "reasoning_content": "hm", "tool_calls": calls}
    sent = encoded(USER, {**turn, "native_content": native}, {"role": "tool", "tool_call_id": "toolu_1", "content": ""})
    assert [one.get("type") for one in sent["input"]] == ["message", "message", "function_call", "function_call_output"]
    assert faults_of_request(sent) == []


def test_items_of_the_clients_travel_as_parts() -> None:
    """An answer to a built-in tool has no chat message: it is a part of its own type, in its place."""
    output = {"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}}
    parts = [{"type": "text", "text": "a"}, output, {"type": "text", "text": "b"}]
    sent = encoded({"role": "user", "content": parts})["input"]
    assert [one["type"] for one in sent] == ["message", "computer_call_output", "message"]
    (message,) = CODEC.decode_request({"model": "m", "input": [output]}).messages
    assert message == {"role": "user", "content": [output]}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "m", "input": 3}, "input"),
        ({"model": "m", "input": [{"role": "user", "content": 3}]}, "input[0]"),
        ({"model": "m", "input": ["x"]}, "input[0]"),
        ({"model": "m", "input": [{"type": "function_call", "name": "f"}]}, "input[0]"),
        ({"input": "x"}, "model"),
        ({"model": "m", "input": "x", "tools": {}}, "tools"),
        ({"model": "m", "input": "x", "messages": []}, "messages"),
        ({"model": "m", "input": "x", "extra_headers": {"a": "b"}}, "extra_headers"),
        ({"model": "m", "input": "x", "max_output_tokens": "1"}, "max_output_tokens"),
    ],
)
def test_bodies_that_are_none_are_refused(body: dict[str, Any], param: str) -> None:
    """The error names the vendor's field."""
    with pytest.raises(RequestValidationError) as caught:
        CODEC.decode_request(body)
    assert caught.value.param == param
