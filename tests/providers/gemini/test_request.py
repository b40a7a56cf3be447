"""Requests: what each parameter becomes, what is dropped, refused, and said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.gemini.messages import NO_SIGNATURE
from edgeagent.types import ChatRequest
from edgeagent.wire.http import HTTPResponse
from tests.providers.gemini.support import USER, codec, encode
from tests.providers.gemini.vendor_types import unknown_fields

SCHEMA = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
OTHER = {"type": "function", "function": {"name": "g"}}
CALL = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def test_every_parameter() -> None:
    """Each parameter has its field; the advisory ones are named as dropped."""
    made = encode(
        "gemini-2.0-flash",
        temperature=0.5,
        top_p=0.9,
        n=2,
        max_completion_tokens=7,
        stop="END",
        seed=1,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        logprobs=True,
        top_logprobs=3,
        service_tier="default",
        user="u",
        store=True,
        metadata={"a": "b"},
    )
    assert made.body["generationConfig"] == {
        "temperature": 0.5,
        "topP": 0.9,
        "candidateCount": 2,
        "maxOutputTokens": 7,
        "stopSequences": ["END"],
        "seed": 1,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "responseLogprobs": True,
        "logprobs": 3,
    }
    assert made.body["serviceTier"] == "standard"
    assert set(made.dropped) == {"user", "store", "metadata"}
    assert unknown_fields(made.body) == []


@pytest.mark.parametrize(
    ("model", "taken"),
    [
        ("gemini-2.0-flash", True),
        ("gemini-2.5-flash", False),
        ("models/gemini-3-pro-preview", False),
        ("gemma-3", True),
    ],
)
def test_penalties(model: str, *, taken: bool) -> None:
    """Since 2.5 they are refused: they are left out, and one that is not 0 is named. The caller's own field is sent."""
    made = encode(model, presence_penalty=0.1, frequency_penalty=0)
    sent = {"presencePenalty": 0.1, "frequencyPenalty": 0} if taken else {}
    assert made.body.get("generationConfig", {}) == sent
    assert made.dropped == (() if taken else ("presence_penalty",))
    assert encode(model, presencePenalty=0.1).body["generationConfig"] == {"presencePenalty": 0.1}


def test_system_messages_in_every_position() -> None:
    """Leading ones are the instruction, later ones text of the user's turn, and alone they are the turn."""
    made = encode(
        messages=[
            {"role": "system", "content": "one"},
            {"role": "developer", "content": [{"type": "text", "text": "two"}]},
            {"role": "user", "content": "hi"},
            {"role": "system", "content": "later"},
        ]
    )
    assert made.body["systemInstruction"] == {"parts": [{"text": "one"}, {"text": "two"}]}
    assert made.body["contents"][1] == {"role": "user", "parts": [{"text": "<system>\nlater\n</system>"}]}
    assert made.edits
    alone = encode(messages=[{"role": "system", "content": "one"}])
    assert alone.body == {"contents": [{"role": "user", "parts": [{"text": "one"}]}]}


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            ("inlineData", "image/png", "AA=="),
        ),
        (
            {"type": "image_url", "image_url": {"url": "https://x/a.jpg?b"}},
            ("fileData", "image/jpeg", "https://x/a.jpg?b"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            ("inlineData", "audio/wav", "AA=="),
        ),
        (
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}},
            ("inlineData", "application/pdf", "AA=="),
        ),
        ({"type": "file", "file": {"file_data": "AA==", "filename": "a.csv"}}, ("inlineData", "text/csv", "AA==")),
        ({"type": "file", "file": {"file_id": "gs://b/a.mp4"}}, ("fileData", "video/mp4", "gs://b/a.mp4")),
    ],
)
def test_parts(part: dict[str, Any], expected: tuple[str, str, str]) -> None:
    """Each of OpenAI's parts becomes inline data or a file's address, with its media type."""
    [made] = encode(messages=[{"role": "user", "content": [part]}]).body["contents"][0]["parts"]
    kind, media_type, value = expected
    assert made == {kind: {"mimeType": media_type, "data" if kind == "inlineData" else "fileUri": value}}


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"logit_bias": {"1": 1.0}}, "logit_bias"),
        ({"temperature": 3.0}, "temperature"),
        ({"top_p": 1.1}, "top_p"),
        ({"modalities": ["smell"]}, "modalities"),
        ({"modalities": ["audio"], "audio": {"format": "mp3"}}, "audio.format"),
        ({"tools": [{"type": "file_search"}]}, "tools[0].type"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "x"}}, "tool_choice"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.schema"),
        ({"messages": [{"role": "x", "content": "a"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]}]}, None),
        ({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}, "messages[0].content[0].type"),
        ({"messages": []}, "messages"),
    ],
)
def test_what_is_refused(params: dict[str, Any], param: str | None) -> None:
    """What the vendor has not is refused, and the error names the field."""
    with pytest.raises(RequestValidationError) as caught:
        encode(**params)
    assert caught.value.param == (param or "messages[0].content[0].file.file_id")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "f"}}, {"mode": "ANY", "allowedFunctionNames": ["f"]}),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [OTHER]}},
            {"mode": "ANY", "allowedFunctionNames": ["g"]},
        ),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [OTHER]}}, {"mode": "AUTO"}),
    ],
)
def test_tool_choice(choice: Any, expected: Any) -> None:
    """Every form of the choice has its mode and names."""
    made = encode(tools=[TOOL, OTHER], tool_choice=choice, parallel_tool_calls=False)
    assert made.body.get("toolConfig", {}).get("functionCallingConfig") == expected
    names = [f["name"] for f in made.body["tools"][0]["functionDeclarations"]]
    is_auto_list = isinstance(choice, dict) and choice.get("allowed_tools", {}).get("mode") == "auto"
    assert names == (["g"] if is_auto_list else ["f", "g"])
    assert made.dropped == ("parallel_tool_calls",)


def test_builtin_tools_and_search() -> None:
    """Google's own tools are passed on, OpenAI's built-in ones become Google's."""
    made = encode(tools=[TOOL, {"google_search": {}}, {"type": "code_interpreter"}], web_search_options={})
    assert [next(iter(tool)) for tool in made.body["tools"]] == [
        "functionDeclarations",
        "googleSearch",
        "codeExecution",
        "googleSearch",
    ]


@pytest.mark.parametrize(
    ("model", "effort", "expected"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}),
        ("gemini-2.5-flash", "medium", {"thinkingBudget": 8192, "includeThoughts": True}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        ("models/gemini-3-flash-preview", "minimal", {"thinkingLevel": "minimal", "includeThoughts": True}),
        ("gemini-3-pro-preview", "medium", {"thinkingLevel": "low", "includeThoughts": True}),
        ("gemini-3.1-pro-preview", "xhigh", {"thinkingLevel": "high", "includeThoughts": True}),
        ("gemini-flash-latest", "none", {"thinkingLevel": "minimal"}),
        ("gemini-2.0-flash", "high", None),
        ("gemma-3-27b-it", "low", None),
    ],
)
def test_effort(model: str, effort: str, expected: Any) -> None:
    """A level or a budget, by the model's generation; dropped where the model does not think."""
    made = encode(model, reasoning_effort=effort)
    assert made.body.get("generationConfig", {}).get("thinkingConfig") == expected
    assert ("reasoning_effort" in made.dropped) == (expected is None)


def test_extra_parameters_win() -> None:
    """The vendor's own parameters in either spelling and any place go where they belong, and win."""
    made = encode(
        reasoning_effort="low",
        temperature=0.1,
        top_k=4,
        generation_config={"temperature": 0.7},
        safety_settings=[{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "OFF"}],
        google={"thinking_config": {"thinking_budget": 5}, "cached_content": "cachedContents/x"},
    )
    assert made.body["generationConfig"] == {"temperature": 0.7, "topK": 4, "thinkingConfig": {"thinkingBudget": 5}}
    assert made.body["cachedContent"] == "cachedContents/x"
    assert made.body["safetySettings"][0]["threshold"] == "OFF"
    assert unknown_fields(made.body) == []


def test_the_form_of_the_answer() -> None:
    """JSON Schema, OpenAPI or words, by the model; what the vendor does not enforce is promised."""
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}}
    new = encode("gemini-3-flash-preview", response_format=wanted, tools=[TOOL])
    assert new.body["generationConfig"] == {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
    old = encode("gemini-2.0-flash", response_format=wanted)
    assert old.body["generationConfig"]["responseSchema"] == SCHEMA
    assert encode(response_format={"type": "json_object"}).body["generationConfig"] == {
        "responseMimeType": "application/json"
    }
    beside = encode("gemini-2.5-flash", response_format=wanted, tools=[TOOL])
    assert "generationConfig" not in beside.body
    assert "JSON Schema" in beside.body["systemInstruction"]["parts"][0]["text"]
    assert [promise.schema for promise in beside.promises] == [SCHEMA]
    loose = {"type": "object", "properties": {"x": {"type": "string", "pattern": "a", "format": "email"}}}
    relaxed = encode(response_format={"type": "json_schema", "json_schema": {"schema": loose, "strict": True}})
    assert [promise.schema for promise in relaxed.promises] == [loose]
    assert any("/properties/x" in edit for edit in relaxed.edits)


def test_strict_tools_are_promised() -> None:
    """The arguments of strict tools are checked on the answer."""
    strict = {"type": "function", "function": {"name": "f", "parameters": SCHEMA, "strict": True}}
    [promise] = encode(tools=[strict]).promises
    assert (promise.schema, promise.tool) == (SCHEMA, "f")


def test_a_conversation_that_began_elsewhere() -> None:
    """Foreign blocks are left out, foreign ids kept on both sides, and the signature is what the vendor documents."""
    messages = [
        *USER,
        {**CALLED, "native_content": {"wire": "anthropic.messages", "content": []}, "reasoning_content": "hm"},
        {"role": "tool", "tool_call_id": "toolu_1", "content": "fine"},
        {"role": "tool", "tool_call_id": "toolu_2", "name": "g", "content": '{"a":1}'},
        {"role": "user", "content": "and?"},
    ]
    made = encode("gemini-3-flash-preview", messages=messages)
    _, call, results, last = made.body["contents"]
    assert call["parts"] == [
        {"functionCall": {"id": "toolu_1", "name": "f", "args": {"x": 1}}, "thoughtSignature": NO_SIGNATURE}
    ]
    first, second = (part["functionResponse"] for part in results["parts"])
    assert first == {"name": "f", "id": "toolu_1", "response": {"output": "fine"}}
    assert second == {"name": "g", "id": "toolu_2", "response": {"a": 1}}
    assert last["parts"] == [{"text": "and?"}]
    assert made.edits
    assert "thoughtSignature" not in encode("gemini-2.5-flash", messages=messages).body["contents"][1]["parts"][0]


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ("no such city", {"error": "no such city"}),
        ([{"type": "text", "text": "no"}], {"error": "no"}),
        ("", {"error": ""}),
        ('{"code": 4}', {"error": {"code": 4}}),
        ('{"error": {"code": 4}}', {"error": {"code": 4}}),
    ],
)
def test_a_failed_result(content: Any, response: dict[str, Any]) -> None:
    """It is under the key by which the vendor knows it."""
    result = {"role": "tool", "tool_call_id": "toolu_1", "content": content, "is_error": True}
    made = encode(messages=[*USER, CALLED, result])
    [part] = made.body["contents"][2]["parts"]
    assert part["functionResponse"]["response"] == response
    assert made.dropped == ()
    fine = encode(messages=[*USER, CALLED, {**result, "content": "4", "is_error": False}])
    assert fine.body["contents"][2]["parts"][0]["functionResponse"]["response"] == {"output": "4"}
    assert fine.dropped == ()


@pytest.mark.parametrize(
    ("response", "failed"),
    [
        ({"error": "no"}, True),
        ({"error": '{"a":1}'}, True),
        ({"error": {"error": 1}}, True),
        ({"error": None}, False),
        ({"error": ""}, False),
        ({"error": "no", "more": 1}, False),
        ({"output": "no"}, False),
    ],
)
def test_a_failed_result_of_the_vendor_s_form(response: dict[str, Any], failed: bool) -> None:
    """One that says nothing but an error; it is the same again for the vendor."""
    parts = [{"functionResponse": {"name": "f", "id": "c", "response": response}}]
    call = {"role": "model", "parts": [{"functionCall": {"name": "f", "id": "c", "args": {}}}]}
    request = codec().decode_request({"contents": [call, {"role": "user", "parts": parts}]})
    assert request.messages[-1].get("is_error", False) is failed
    assert encode(messages=request.messages).body["contents"][-1]["parts"] == parts


def test_images_of_results() -> None:
    """Inside the result where the model reads them there, else beside it."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    content = [{"type": "text", "text": "see"}, image]
    messages = [*USER, CALLED, {"role": "tool", "tool_call_id": "toolu_1", "content": content}]
    inline = {"inlineData": {"mimeType": "image/png", "data": "AA=="}}
    inside = encode("gemini-3-flash-preview", messages=messages).body["contents"][2]["parts"]
    assert [list(part) for part in inside] == [["functionResponse"]]
    assert inside[0]["functionResponse"]["parts"] == [inline]
    beside = encode("gemini-2.5-flash", messages=messages).body["contents"][2]["parts"]
    assert beside[1] == inline


def test_a_changed_message_is_built_anew() -> None:
    """Native parts count as long as they say what the message says."""
    parts = [{"text": "secret", "thoughtSignature": "s"}]
    native = {"wire": "google.generate", "content": parts}
    same = encode(messages=[*USER, {"role": "assistant", "content": "secret", "native_content": native}])
    assert same.body["contents"][1]["parts"] == parts
    changed = encode(messages=[*USER, {"role": "assistant", "content": "[masked]", "native_content": native}])
    assert changed.body["contents"][1]["parts"] == [{"text": "[masked]"}]
    assert "secret" not in json.dumps(changed.body)


def test_custom_tools() -> None:
    """A free-form tool is a function with one string, both ways."""
    tools = [{"type": "custom", "custom": {"name": "sh", "description": "d"}}]
    [function] = encode(tools=tools).body["tools"][0]["functionDeclarations"]
    [name] = function["parameters"]["properties"]
    part = {"functionCall": {"name": "sh", "args": {name: "ls"}}}
    answer = {"candidates": [{"content": {"parts": [part]}, "finishReason": "STOP"}], "responseId": "r"}
    message = codec().decode_response(HTTPResponse(200, content=json.dumps(answer).encode())).choices[0].message
    [call] = message.tool_calls or []
    assert call.custom is not None
    assert (call.type, call.custom.name, call.custom.input) == ("custom", "sh", "ls")
    again = encode(tools=tools, messages=[*USER, message.model_dump(exclude_none=True)])
    assert again.body["contents"][1]["parts"] == [part]


def test_voices() -> None:
    """Spoken answers are asked for by modality and voice."""
    made = encode(modalities=["text", "audio"], audio={"voice": "Kore", "format": "pcm16"})
    assert made.body["generationConfig"]["responseModalities"] == ["AUDIO"]
    assert unknown_fields(made.body) == []


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "contents"),
        ({"contents": [7]}, "contents[0]"),
        ({"contents": [{"role": "x"}]}, "contents[0].role"),
        ({"contents": [{"parts": [{"text": 1}]}]}, "contents[0].parts[0]"),
        ({"contents": [], "generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
        ({"contents": [], "tools": 7}, "tools"),
        ({"contents": [{"parts": [{"functionResponse": {}}]}]}, "contents[0].parts[0].functionResponse.name"),
        ({"contents": [], "systemInstruction": {"parts": [{}]}}, "systemInstruction.parts[0].text"),
    ],
)
def test_bodies_that_are_refused(body: dict[str, Any], param: str) -> None:
    """The error names the vendor's field."""
    with pytest.raises(RequestValidationError) as caught:
        codec().decode_request(body)
    assert caught.value.param == param


def test_a_body_in_the_other_spelling() -> None:
    """Fields in snake_case are the same fields; the caller's own names stay."""
    body = {
        "system_instruction": {"parts": [{"text": "s"}]},
        "contents": [
            {"role": "user", "parts": [{"inline_data": {"mime_type": "image/png", "data": "AA=="}}]},
            {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"snake_case": 1}}}]},
            {"role": "user", "parts": [{"function_response": {"name": "f", "response": {"ok_so": 1}}}]},
        ],
        "generation_config": {"max_output_tokens": 5, "thinking_config": {"thinking_budget": 0}},
    }
    request = codec().decode_request(body)
    assert isinstance(request, ChatRequest)
    assert request.max_completion_tokens == 5
    assert request.reasoning_effort == "none"
    roles = [message["role"] for message in request.messages]
    assert roles == ["system", "user", "assistant", "tool"]
    [call] = request.messages[2]["tool_calls"]
    assert call["function"]["arguments"] == '{"snake_case":1}'
    assert request.messages[3]["tool_call_id"] == call["id"]
    assert json.loads(request.messages[3]["content"]) == {"ok_so": 1}
