"""Requests: what becomes of each parameter, part and message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.bedrock.tools import INERT_TOOL
from tests.providers.bedrock.reading import invalid
from tests.providers.bedrock.support import CLAUDE, CODEC, LLAMA, NOVA, encode, refused

PNG = "data:image/png;base64,iVBORw0KGgo="
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "f", "parameters": SCHEMA}}
OTHER = {"type": "function", "function": {"name": "g", "parameters": SCHEMA}}
MISTRAL = "mistral.pixtral-large-2502-v1:0"


def user(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"role": "user", "content": list(parts)}]


def content(model: str = CLAUDE, *parts: dict[str, Any]) -> list[dict[str, Any]]:
    encoded = encode(model, messages=user(*parts))
    assert invalid("Converse", encoded.body) == ""
    blocks: list[dict[str, Any]] = encoded.body["messages"][0]["content"]
    return blocks


def test_media() -> None:
    """Images, documents, audio and video, as data and in S3; the vendor's own parts as they are."""
    assert content(NOVA, {"type": "image_url", "image_url": {"url": PNG}}) == [
        {"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}
    ]
    uri = "s3://bucket-1/a.mp4"
    assert content(NOVA, {"type": "video_url", "video_url": {"url": uri}}) == [
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": uri}}}}
    ]
    assert content(NOVA, {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}) == [
        {"audio": {"format": "wav", "source": {"bytes": "AAAA"}}}
    ]
    file = {"filename": "my_file.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}
    assert content(NOVA, {"type": "file", "file": file, "citations": {"enabled": True}}) == [
        {
            "document": {
                "format": "pdf",
                "name": "my-file",
                "source": {"bytes": "JVBERi0="},
                "citations": {"enabled": True},
            }
        }
    ]
    unnamed = {"type": "file", "file": {"file_data": "JVBERi0="}}
    names = [block["document"]["name"] for block in content(NOVA, unnamed, unnamed)]
    assert names == ["document", "document 2"]
    inner = {"text": {"text": "x", "qualifiers": ["query"]}}
    assert content(NOVA, {"type": "guardContent", "guardContent": inner}) == [{"guardContent": inner}]
    as_image = {"type": "file", "file": {"file_data": PNG}}
    assert content(NOVA, as_image)[0]["image"]["format"] == "png"
    in_s3 = {"type": "file", "file": {"file_id": "s3://bucket-1/a.docx", "filename": "a.docx"}}
    assert content(NOVA, in_s3)[0]["document"]["format"] == "docx"


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, "image_url.url"),
        ({"type": "image_url", "image_url": {"url": "data:image/tiff;base64,AA"}}, "image_url.url"),
        ({"type": "image_url", "image_url": {"url": "data:image/png"}}, "image_url.url"),
        ({"type": "image_url", "image_url": {"url": "s3://b/a"}}, "image_url.url"),
        ({"type": "image_url", "image_url": {}}, "image_url.url"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "file.file_id"),
        ({"type": "file", "file": {"file_data": "AAAA"}}, "file"),
        ({"type": "file", "file": {}}, "file"),
        ({"type": "file"}, "file"),
        ({"type": "input_audio", "input_audio": {"data": "A", "format": "x"}}, "input_audio"),
        ({"type": "hologram"}, "type"),
        ({"type": "text"}, "text"),
        ({"type": "document", "document": 5}, "document"),
    ],
)
def test_parts_that_cannot_be_read(part: dict[str, Any], param: str) -> None:
    """The part and its field are named."""
    assert refused(NOVA, messages=user(part)) == f"messages[0].content[0].{param}"


def test_cache_hints_are_cache_points() -> None:
    """Behind a part, a message, a tool, a result; with their time; not where the model has none."""
    hint = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
    point = {"cachePoint": {"type": "default", "ttl": "1h"}}
    messages = [
        {"role": "system", "content": "s", **hint},
        {"role": "user", "content": [{"type": "text", "text": "u", **hint}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "1", **TOOL, "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "tool_call_id": "1", "content": "r", **hint},
    ]
    body = encode(messages=messages, tools=[{**TOOL, **hint}]).body
    assert body["system"] == [{"text": "s"}, point]
    assert body["messages"][0]["content"] == [{"text": "u"}, point]
    assert body["messages"][2]["content"][1] == point
    assert body["toolConfig"]["tools"][1] == point
    assert invalid("Converse", body) == ""
    encoded = encode(LLAMA, messages=messages[:2])
    assert "cachePoint" not in json.dumps(encoded.body)
    assert encoded.dropped == ("messages.cache_control", "messages.content.cache_control")


def test_the_conversation() -> None:
    """Turns alternate, results come first, later system words are told, empty messages are left out."""
    call = {"id": "c1|x", "type": "function", "function": {"name": "f", "arguments": "not json"}}
    encoded = encode(
        messages=[
            {"role": "developer", "content": "d"},
            {"role": "user", "content": ""},
            {"role": "assistant", "content": "a", "tool_calls": [call], "reasoning_content": "foreign"},
            {"role": "user", "content": "u"},
            {"role": "system", "content": "later"},
            {"role": "tool", "tool_call_id": "c1|x", "content": "bad", "is_error": True},
        ],
        tools=[TOOL],
    )
    body = encoded.body
    assert body["system"] == [{"text": "d"}]
    assistant, turn = body["messages"]
    use, result = assistant["content"][1]["toolUse"], turn["content"][0]["toolResult"]
    assert use["input"] == {"edgeagent_raw_arguments": "not json"}
    assert use["toolUseId"] == result["toolUseId"]
    assert result["status"] == "error"
    assert turn["content"][1:] == [{"text": "u"}, {"text": "<system>\nlater\n</system>"}]
    assert invalid("Converse", body) == ""
    assert len(encoded.edits) == 4
    only = encode(messages=[{"role": "system", "content": "s"}])
    assert only.body["messages"] == [{"role": "user", "content": [{"text": "s"}]}]
    assert "system" not in only.body
    assert refused(messages=[{"role": "user", "content": ""}]) == "messages"


def test_calls_without_tools() -> None:
    """The vendor refuses tool calls in the conversation without a tool: one that does nothing is added."""
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    history = [
        {"role": "user", "content": "u"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "r"},
    ]
    for params in ({}, {"tools": [TOOL], "tool_choice": "none"}):
        encoded = encode(messages=history, **params)
        assert [t["toolSpec"]["name"] for t in encoded.body["toolConfig"]["tools"]] == [INERT_TOOL]
        assert any(INERT_TOOL in sentence for sentence in encoded.edits)
    assert "toolConfig" not in encode(tools=[TOOL], tool_choice="none").body


@pytest.mark.parametrize(
    ("model", "choice", "expected"),
    [
        (CLAUDE, "auto", {"auto": {}}),
        (CLAUDE, "required", {"any": {}}),
        (NOVA, {"type": "function", "function": {"name": "g"}}, {"tool": {"name": "g"}}),
        (MISTRAL, {"type": "function", "function": {"name": "g"}}, {"any": {}}),
        (NOVA, {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [OTHER]}}, {"any": {}}),
        (LLAMA, {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [OTHER]}}, {"auto": {}}),
    ],
)
def test_tool_choice(model: str, choice: Any, expected: dict[str, Any]) -> None:
    """Every form, and what the model can be made to do."""
    config = encode(model, tools=[TOOL, OTHER], tool_choice=choice).body["toolConfig"]
    assert config["toolChoice"] == expected
    left = [tool["toolSpec"]["name"] for tool in config["tools"]]
    only_one = model == MISTRAL or (isinstance(choice, dict) and choice["type"] == "allowed_tools")
    assert left == (["g"] if only_one else ["f", "g"])


def test_choices_that_cannot_be() -> None:
    """A model that cannot be forced, no tools, an unknown word."""
    assert refused(LLAMA, tools=[TOOL], tool_choice="required") == "tool_choice"
    assert refused(tool_choice="required") == "tool_choice"
    assert refused(tools=[TOOL], tool_choice="sometimes") == "tool_choice"
    assert refused(tools=[{"type": "web"}]) == "tools[0].type"
    assert refused(tools=[{"type": "function"}]) == "tools[0].function"
    assert refused(functions=[{"name": "f"}], function_call="sometimes") == "function_call"


def test_one_call_at_a_time() -> None:
    """Claude's own choice has a place for it; for others it is dropped and named."""
    body = encode(tools=[TOOL], parallel_tool_calls=False).body
    expected = {"type": "auto", "disable_parallel_tool_use": True}
    assert body["additionalModelRequestFields"] == {"tool_choice": expected}
    forced = encode(tools=[TOOL], tool_choice="required", parallel_tool_calls=False).body
    assert forced["additionalModelRequestFields"]["tool_choice"]["type"] == "any"
    assert encode(NOVA, tools=[TOOL], parallel_tool_calls=False).dropped == ("parallel_tool_calls",)


def test_structured_output() -> None:
    """By outputConfig where the model compiles schemas, else by a forced tool, else unfit."""
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
    text = encode(response_format=form).body["outputConfig"]["textFormat"]
    assert json.loads(text["structure"]["jsonSchema"]["schema"]) == SCHEMA
    by_tool = encode(NOVA, response_format=form)
    assert by_tool.body["toolConfig"]["toolChoice"] == {"tool": {"name": "edgeagent_json_output"}}
    assert len(by_tool.promises) == 1
    with_tools = encode(NOVA, response_format=form, tools=[TOOL]).body["toolConfig"]
    assert with_tools["toolChoice"] == {"any": {}}
    assert refused(LLAMA, response_format=form) == "response_format"
    assert encode(LLAMA, response_format={"type": "json_object"}).body["system"][0]["text"].startswith("Answer with")
    demanded = encode(NOVA, response_format=form, tools=[TOOL], tool_choice="required")
    assert len(demanded.body["toolConfig"]["tools"]) == 1
    for body in (by_tool.body, demanded.body):
        assert invalid("Converse", body) == ""
    assert refused(response_format={"type": "xml"}) == "response_format.type"
    assert refused(response_format={"type": "json_schema"}) == "response_format.json_schema.schema"
    free = {"type": "json_schema", "json_schema": {"schema": {"type": "array"}}}
    assert refused(NOVA, response_format=free) == "response_format.json_schema.schema.type"


def test_strict_tools() -> None:
    """Kept where compiled; else checked on the answer."""
    strict = {"type": "function", "function": {**TOOL["function"], "strict": True}}
    assert encode(tools=[strict]).body["toolConfig"]["tools"][0]["toolSpec"]["strict"] is True
    weak = encode(NOVA, tools=[strict])
    assert "strict" not in weak.body["toolConfig"]["tools"][0]["toolSpec"]
    assert [promise.tool for promise in weak.promises] == ["f"]


def test_reasoning() -> None:
    """In the fields of each family; the caller's own win."""
    old = encode("us.anthropic.claude-3-7-sonnet-20250219-v1:0", reasoning_effort="low", temperature=0.5)
    assert old.body["additionalModelRequestFields"]["thinking"]["budget_tokens"] == 2048
    assert "temperature" in old.dropped
    new = encode("us.anthropic.claude-sonnet-4-6", reasoning_effort="high").body["additionalModelRequestFields"]
    assert new == {"thinking": {"type": "adaptive"}, "output_config": {"effort": "high"}}
    nova = encode(NOVA, reasoning_effort="xhigh").body["additionalModelRequestFields"]["reasoningConfig"]
    assert nova == {"type": "enabled", "maxReasoningEffort": "high"}
    lower = encode(NOVA, reasoning_effort="high", max_tokens=5).body["additionalModelRequestFields"]["reasoningConfig"]
    assert lower["maxReasoningEffort"] == "medium"
    assert encode(NOVA, reasoning_effort="none").body["additionalModelRequestFields"] == {
        "reasoningConfig": {"type": "disabled"}
    }
    gpt = encode("openai.gpt-oss-120b-1:0", reasoning_effort="minimal").body["additionalModelRequestFields"]
    assert gpt == {"reasoning_effort": "low"}
    assert encode(LLAMA, reasoning_effort="low").dropped == ("reasoning_effort",)
    own = encode(reasoning_effort="low", thinking={"type": "disabled"})
    assert own.body["additionalModelRequestFields"] == {"thinking": {"type": "disabled"}}
    assert refused(reasoning_effort="huge") == "reasoning_effort"


@pytest.mark.parametrize("thought", [True, False])
def test_reasoning_in_the_middle_of_a_turn(*, thought: bool) -> None:
    """A turn of tool calls that began without thinking goes on without it; what Claude thought there is sent back."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    said: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [call]}
    blocks = [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"toolUse": {"toolUseId": "c1", "name": "f", "input": {}}},
    ]
    if thought:
        said["native_content"] = {"wire": "bedrock.converse", "content": blocks}
    result = {"role": "tool", "tool_call_id": "c1", "content": "20"}
    asked = {"role": "user", "content": "How warm?"}
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    model = "us.anthropic.claude-3-7-sonnet-20250219-v1:0"
    encoded = encode(model, messages=[asked, said, result], tools=tools, reasoning_effort="low")
    assert ("thinking" in (encoded.body.get("additionalModelRequestFields") or {})) is thought
    assert ("reasoning_effort" in encoded.dropped) is not thought


def test_parameters() -> None:
    """Each in its place, dropped and named, or refused."""
    encoded = encode(
        NOVA,
        max_completion_tokens=9,
        temperature=0.2,
        top_p=0.3,
        stop="x",
        service_tier="flex",
        metadata={"team": "a b", "odd": "ü"},
        seed=1,
        user="u",
        frequency_penalty=0.5,
        guardrailConfig={"guardrailIdentifier": "g", "guardrailVersion": "1"},
        performanceConfig={"latency": "optimized"},
        inferenceConfig={"maxTokens": 7},
        top_k=3,
    )
    body = encoded.body
    assert body["inferenceConfig"] == {"maxTokens": 7, "temperature": 0.2, "topP": 0.3, "stopSequences": ["x"]}
    assert body["serviceTier"] == {"type": "flex"}
    assert body["requestMetadata"] == {"team": "a b"}
    assert body["additionalModelRequestFields"] == {"top_k": 3}
    assert body["guardrailConfig"]["guardrailIdentifier"] == "g"
    assert set(encoded.dropped) == {"seed", "user", "frequency_penalty", "metadata"}
    assert invalid("Converse", body) == ""
    for name, value in {
        "n": 2,
        "logprobs": True,
        "logit_bias": {"1": 1},
        "temperature": 1.5,
        "top_p": -0.1,
        "modalities": ["audio"],
    }.items():
        assert refused(**{name: value}) == name
    assert refused(stop=" ") == "stop"
    assert encode(stream=True).headers == {"accept": "application/vnd.amazon.eventstream"}
    assert encode(NOVA, web_search_options={}).body["toolConfig"]["tools"] == [
        {"systemTool": {"name": "nova_grounding"}}
    ]
    assert refused(LLAMA, web_search_options={}) == "web_search_options"
    assert encode("us.anthropic.claude-opus-4-8", temperature=0.3, betas=["b"]).body[
        "additionalModelRequestFields"
    ] == {"anthropic_beta": ["b"]}


def test_changed_words_count_more_than_native_blocks() -> None:
    """Who changes the text of an answer means the change; another vendor's blocks are left out."""
    blocks = [{"reasoningContent": {"reasoningText": {"text": "t", "signature": "s"}}}, {"text": "old"}]
    for wire, text in (("bedrock.converse", "new"), ("anthropic.messages", "old")):
        message = {"role": "assistant", "content": text, "native_content": {"wire": wire, "content": blocks}}
        encoded = encode(messages=[{"role": "user", "content": "u"}, message, {"role": "user", "content": "u"}])
        assert encoded.body["messages"][1]["content"] == [{"text": text}]
        assert any("native_content" in sentence for sentence in encoded.edits)


def test_json_results_stay_json() -> None:
    """A result that was JSON is readable text for others, and JSON again here."""
    result = {"toolResult": {"toolUseId": "1", "content": [{"json": {"a": [1]}}, {"text": "x"}]}}
    use = {"toolUse": {"toolUseId": "1", "name": "f", "input": {}}}
    sent = {"messages": [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]}
    request = CODEC.decode_request(sent)
    assert request.messages[1]["content"][0]["text"] == '{"a":[1]}'
    assert CODEC.encode_request(request, model="m", stream=False).body["messages"] == sent["messages"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": 5}, "messages"),
        ({"messages": [{"role": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"text": 5}]}]}, "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": [{"toolResult": {}}]}]}, "messages[0].content[0].toolUseId"),
        ({"messages": [{"role": "assistant", "content": [{"toolUse": {}}]}]}, "messages[0].content"),
        ({"messages": [], "toolConfig": {"tools": [{"toolSpec": {}}]}}, "toolConfig.tools[0].inputSchema.json"),
        ({"messages": [], "toolConfig": {"toolChoice": {"x": {}}}}, "toolConfig.toolChoice"),
        ({"messages": [], "inferenceConfig": {"maxTokens": "x"}}, "max_completion_tokens"),
        ({"messages": [], "outputConfig": {"textFormat": 5}}, "outputConfig.textFormat"),
    ],
)
def test_bodies_that_are_none(body: dict[str, Any], param: str) -> None:
    """The vendor's field is named."""
    with pytest.raises(RequestValidationError) as caught:
        CODEC.decode_request(body)
    assert caught.value.param == param
