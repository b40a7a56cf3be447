"""A request of this API for a vendor that has only chat: what is refused by name, what is dropped, what is carried."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.responses.others import for_others
from edgeagent.providers.responses.sealed import is_sealed, sealed_item, unsealed
from edgeagent.types import ChatRequest
from tests.providers.every import CODECS
from tests.providers.responses.support import CODEC

PLAIN: dict[str, Any] = {"model": "m", "input": "hi"}


def told(**fields: Any) -> tuple[ChatRequest, tuple[str, ...]]:
    body = {**PLAIN, **fields}
    return for_others(CODEC.decode_request(body), body)


@pytest.mark.parametrize(
    ("fields", "param", "word"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "send the conversation in input"),
        ({"conversation": {"id": "conv_1"}}, "conversation", "send it in input"),
        ({"background": True}, "background", "fetched later"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt", "send its text"),
        ({"context_management": [{"type": "compaction"}]}, "context_management", "compacts no conversation"),
        ({"instructions": [{"role": "user", "content": "x"}]}, "instructions", "must be text"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type", "'web_search'"),
        ({"tools": [{"type": "function", "name": "f"}, {"type": "mcp"}]}, "tools[1].type", "'mcp'"),
        ({"tools": [{"type": "file_search", "vector_store_ids": []}]}, "tools[0].type", "'file_search'"),
        ({"tool_choice": {"type": "computer_use_preview"}}, "tool_choice.type", "'computer_use_preview'"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]", "'item_reference'"),
        (
            {
                "input": [
                    {"role": "user", "content": "x"},
                    {"type": "function_call_output", "call_id": "c", "output": "1"},
                ]
            },
            "input[1]",
            "answers a call that is not in input",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}]},
            "input[0].content[0]",
            "uploaded to another",
        ),
        (
            {
                "input": [
                    {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
                    {
                        "type": "function_call_output",
                        "call_id": "c",
                        "output": [{"type": "input_text", "text": "x"}, {"type": "input_image", "file_id": "file-1"}],
                    },
                ]
            },
            "input[1].output[1]",
            "uploaded to another",
        ),
    ],
)
def test_what_only_the_api_itself_can_do_is_refused_by_name(fields: dict[str, Any], param: str, word: str) -> None:
    """The error names the body's field and says why."""
    with pytest.raises(RequestValidationError) as caught:
        told(**fields)
    assert caught.value.param == param
    assert param in str(caught.value)
    assert word in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({}, ()),
        ({"truncation": "disabled", "background": False, "previous_response_id": None}, ()),
        ({"truncation": "auto"}, ("truncation",)),
        ({"include": ["reasoning.encrypted_content"]}, ("include",)),
        ({"include": ["reasoning.encrypted_content"], "store": False}, ()),
        ({"max_tool_calls": 3}, ("max_tool_calls",)),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, ()),
        ({"reasoning": {"summary": "auto"}}, ("reasoning.summary",)),
        ({"reasoning": {"mode": "pro"}}, ("reasoning.mode",)),
        ({"text": {"verbosity": "low", "novel": 1}}, ("text.novel",)),
    ],
)
def test_advice_is_dropped_and_named(fields: dict[str, Any], dropped: tuple[str, ...]) -> None:
    """What is a default already is not even named."""
    request, names = told(**fields)
    assert names == dropped
    assert not request.model_extra
    assert request.store is None


def test_a_vendors_own_parameters_and_tools_stay() -> None:
    """What `extra_body` says is for the vendor; a tool of a type that is not OpenAI's may be the vendor's own."""
    tool = {"type": "web_search_20250305", "name": "web_search"}
    request, names = told(thinking={"type": "adaptive"}, tools=[tool], seed=1, stream_options={"x": 1})
    assert request.model_extra == {"thinking": {"type": "adaptive"}}
    assert (request.tools, request.seed, request.stream_options, names) == ([tool], 1, None, ())


FULL: dict[str, Any] = {
    "model": "m",
    "instructions": "Be kind.",
    "input": [
        {
            "role": "user",
            "content": [
                {"type": "input_text", "text": "What is this?"},
                {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"},
                {"type": "input_file", "file_url": "https://example.org/a.pdf"},
            ],
        },
        {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at":1}'},
        {"type": "function_call_output", "call_id": "c1", "output": "a cat"},
    ],
    "tools": [
        {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": False}
    ],
    "max_output_tokens": 200,
    "text": {"format": {"type": "json_schema", "name": "t", "schema": {"type": "object", "properties": {}}}},
    "reasoning": {"effort": "low"},
    "metadata": {"user_id": "7"},
}


@pytest.mark.parametrize("name", ["anthropic", "gemini"])
def test_the_features_that_all_have_go_out_in_the_others_form(name: str) -> None:
    """Text, image, file by its address, tools, calls and outputs, structured output, effort, limit."""
    wire = next(wire for wire in CODECS if wire.name == name)
    request, _ = for_others(CODEC.decode_request(FULL), FULL)
    sent = str(wire.codec.encode_request(request, model=wire.model, stream=False).body)
    for word in ("Be kind.", "What is this?", "iVBORw0KGgo=", "https://example.org/a.pdf", "look", "a cat", "200"):
        assert word in sent, word


NATIVE = {"wire": "anthropic.messages", "content": [{"type": "thinking", "thinking": "é", "signature": "s=="}]}


def test_what_another_vendor_signed_travels_sealed() -> None:
    """It ends an answer's items, and is that answer's `native_content` again; the next message is another's."""
    item = sealed_item(NATIVE, "rs_1")
    assert is_sealed(item)
    assert unsealed(item) == NATIVE
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": "1"}
    thought = {"type": "reasoning", "id": "rs_0", "summary": [{"type": "summary_text", "text": "é"}]}
    said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]}
    messages = CODEC.decode_request({"model": "m", "input": [thought, call, item, output, said, item, said]}).messages
    assert [message["role"] for message in messages] == ["assistant", "tool", "assistant", "assistant"]
    first, _, second, third = messages
    assert first["native_content"] == second["native_content"] == NATIVE
    assert first["reasoning_content"] == "é"
    assert first["tool_calls"][0]["id"] == "c"
    assert "native_content" not in third


@pytest.mark.parametrize(
    "content",
    [
        "!",
        "e30=",
        b64encode(b"[1]").decode(),
        b64encode(b'{"wire": 1, "content": []}').decode(),
        b64encode(b"{").decode(),
    ],
)
def test_a_damaged_seal_is_nothing(content: str) -> None:
    """Neither an error nor a message of the wrong form."""
    item = {**sealed_item(NATIVE, "rs_1"), "encrypted_content": "edgeagent-native-1:" + content}
    assert unsealed(item) is None
    assert CODEC.decode_request({"model": "m", "input": [item]}).messages == []
