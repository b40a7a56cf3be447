"""What of a request in Google's format goes to a vendor of another, what is dropped, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.gemini.codec import GeminiCodec
from edgeagent.providers.gemini.others import for_others
from edgeagent.providers.sealed import seal
from edgeagent.types import ChatRequest

CODEC = GeminiCodec()
BODY: dict[str, Any] = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
TOOLS = [{"functionDeclarations": [{"name": "f"}]}]


def told(**more: Any) -> tuple[ChatRequest, tuple[str, ...]]:
    body = {**BODY, **more}
    return CODEC.for_others(CODEC.decode_request(body), body)


@pytest.mark.parametrize(
    ("more", "dropped"),
    [
        ({"safetySettings": [{"category": "c"}], "labels": {"a": "b"}}, ("labels", "safetySettings")),
        ({"generationConfig": {"topK": 5, "responseModalities": ["TEXT"]}}, ("generationConfig.topK",)),
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 1024}}}, ()),
        (
            {"toolConfig": {"includeServerSideToolInvocations": True}},
            ("toolConfig.includeServerSideToolInvocations",),
        ),
    ],
)
def test_advice_is_dropped_and_named(more: dict[str, Any], dropped: tuple[str, ...]) -> None:
    """What the unified model has said in its own words needs no note."""
    request, names = told(**more)
    assert names == dropped
    assert not request.model_extra


MODE = "toolConfig.functionCallingConfig.mode"


@pytest.mark.parametrize(
    ("calling", "choice", "dropped"),
    [
        ({"mode": "any"}, "required", ()),
        ({"mode": "none"}, "none", ()),
        ({"mode": "auto"}, "auto", ()),
        ({"mode": "VALIDATED"}, "auto", (MODE,)),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["f"]}, "f", (MODE,)),
        ({"mode": "MODE_UNSPECIFIED"}, "auto", ()),
        (
            {"streamFunctionCallArguments": True},
            "auto",
            ("toolConfig.functionCallingConfig.streamFunctionCallArguments",),
        ),
        ({"mode": "odd"}, None, (MODE,)),
    ],
)
def test_how_tools_are_called(calling: dict[str, Any], choice: str | None, dropped: Any) -> None:
    """Google takes the mode in small letters, too; others do not promise that arguments fit their schema."""
    request, names = told(tools=TOOLS, toolConfig={"functionCallingConfig": calling})
    named = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "f"}}]}
    assert request.tool_choice == ({"type": "allowed_tools", "allowed_tools": named} if choice == "f" else choice)
    assert names == dropped


@pytest.mark.parametrize("mode", ["NONE", "AUTO", "none"])
def test_a_choice_without_tools_is_no_choice(mode: str) -> None:
    """Google takes it, others refuse it."""
    assert told(toolConfig={"functionCallingConfig": {"mode": mode}})[0].tool_choice is None


def test_thinking_is_an_effort_and_its_refusal_is_no_question() -> None:
    """A budget is the nearest effort; a model of another vendor may have nothing to switch off."""
    assert told(generationConfig={"thinkingConfig": {"thinkingBudget": 1024}})[0].reasoning_effort == "low"
    assert told(generationConfig={"thinkingConfig": {"thinkingBudget": 0}})[0].reasoning_effort is None


def test_what_a_function_gives_is_dropped() -> None:
    """google-genai declares what a Python function returns; OpenAI refuses a function with a field it does not know."""
    declared = {"name": "f", "description": "d", "parametersJsonSchema": {"type": "object"}, "behavior": "BLOCKING"}
    gives = {"response": {"type": "STRING"}, "responseJsonSchema": {"type": "string"}}
    request, names = told(tools=[{"functionDeclarations": [{**declared, **gives}, {"name": "g"}]}])
    assert names == ("tools.behavior", "tools.response", "tools.responseJsonSchema")
    assert [tool["function"] for tool in request.tools or ()] == [
        {"name": "f", "description": "d", "parameters": {"type": "object"}},
        {"name": "g"},
    ]


def test_what_a_user_says_is_no_thought() -> None:
    """Some clients say so of every part; text stays text, and a result stays one."""
    parts = [{"text": "hi", "thought": False}]
    request, _ = told(contents=[{"role": "user", "parts": parts}])
    assert request.messages == [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"cachedContent": "cachedContents/x"}, "cachedContent"),
        ({"tools": [{"googleSearch": {}}]}, "tools[0]"),
        ({"generationConfig": {"responseModalities": ["TEXT", "IMAGE"]}}, "generationConfig.responseModalities"),
        *(
            ({"generationConfig": {"responseMimeType": "text/x.enum", **schema}}, "generationConfig.responseSchema")
            for schema in ({}, {"responseSchema": {"type": "STRING"}}, {"responseSchema": {"enum": [1]}})
        ),
    ],
)
def test_what_only_google_can_do_is_refused(more: dict[str, Any], param: str) -> None:
    """The error names the field."""
    with pytest.raises(RequestValidationError) as caught:
        told(**more)
    assert caught.value.param == param


def blob(kind: str, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": kind, "data": "AAAA", **more}}


@pytest.mark.parametrize("uri", ["gs://b/a.png", "https://generativelanguage.googleapis.com/v1beta/files/a"])
@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "video/mp4"])
def test_what_was_uploaded_to_google_is_not_told_to_others(uri: str, kind: str) -> None:
    """Nobody else can read it there; Google is sent what the caller wrote."""
    part = {"fileData": {"mimeType": kind, "fileUri": uri}}
    with pytest.raises(RequestValidationError, match="a file is kept at Google") as caught:
        told(contents=[{"role": "user", "parts": [part]}])
    assert caught.value.param == "messages[0]"


@pytest.mark.parametrize(
    ("part", "sent", "dropped"),
    [
        (blob("image/jpg"), {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}}, ()),
        (blob("video/mp4"), {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}, ()),
        (
            {"fileData": {"fileUri": "https://youtu.be/a", "mimeType": "video/*"}},
            {"type": "video_url", "video_url": {"url": "https://youtu.be/a", "format": "video/*"}},
            (),
        ),
        (blob("audio/mpeg"), {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "mp3"}}, ()),
        (
            blob("image/png", displayName="a.png"),
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ("displayName",),
        ),
        (
            {**blob("image/png"), "mediaResolution": {"level": "MEDIA_RESOLUTION_HIGH"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}},
            (),
        ),
        (
            {**blob("image/png"), "mediaResolution": {"level": "MEDIA_RESOLUTION_MEDIUM"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ("mediaResolution",),
        ),
        (
            {**blob("application/pdf", displayName="a.pdf"), "mediaResolution": {"level": "MEDIA_RESOLUTION_LOW"}},
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.pdf"}},
            ("mediaResolution",),
        ),
        (
            {"fileData": {"fileUri": "https://x.test/a", "mimeType": "application/pdf", "displayName": "a"}},
            {
                "type": "file",
                "file": {"file_url": "https://x.test/a", "format": "application/pdf", "filename": "a"},
            },
            (),
        ),
        ({"text": "hi", "partMetadata": {"a": 1}}, {"type": "text", "text": "hi"}, ("partMetadata",)),
    ],
)
def test_what_a_part_says_beside_its_content(part: dict[str, Any], sent: dict[str, Any], dropped: Any) -> None:
    """A name and a resolution have a place in others' parts or are named as dropped; the content is not refused."""
    body = {"contents": [{"role": "user", "parts": [part, {"text": "?"}]}]}
    request, names = told(**body)
    assert request.messages[0]["content"] == [sent, {"type": "text", "text": "?"}]
    assert names == dropped
    again = CODEC.encode_request(CODEC.decode_request(body), model="gemini-2.5-flash", stream=False)
    right = {**part, **({"inlineData": {**part["inlineData"]}} if "inlineData" in part else {})}
    other_names = {"audio/mpeg": "audio/mp3", "image/jpg": "image/jpeg"}
    if "inlineData" in right:
        kind = right["inlineData"]["mimeType"]
        right["inlineData"]["mimeType"] = other_names.get(kind, kind)
    assert again.body["contents"][0]["parts"][0] == right
    assert again.dropped == ()


def model(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"role": "model", "parts": [*parts]}


USER = {"role": "user", "parts": [{"text": "?"}]}
CALLS = [{"functionCall": {"name": name, "id": name, "args": {}}} for name in "fg"]
SEALED = {"text": "b", "thoughtSignature": seal({"wire": "x.y", "content": [{}]}, "ab")}


@pytest.mark.parametrize(
    ("contents", "told"),
    [
        ([model({"text": "a"}), model({"text": "b"}), model({"text": ""})], [("ab", "", 0)]),
        ([model({"text": "h", "thought": True}), model({"text": "m", "thought": True}), model()], [("", "hm", 0)]),
        ([model({"text": "a"}), model(CALLS[0]), model(CALLS[1]), model({"text": ""})], [("a", "", 2)]),
        ([model(CALLS[0]), model(CALLS[1])], [(None, "", 2)]),
        (
            [model({"text": "a"}), model(SEALED), model({"text": "c"}), model({"text": "d"})],
            [("ab", "", 0), ("cd", "", 0)],
        ),
        ([model({"text": "a"}), USER, model({"text": "b"})], [("a", "", 0), ("b", "", 0)]),
    ],
)
def test_a_streamed_answer_that_comes_back_in_pieces_is_one(contents: Any, told: Any) -> None:
    """As others have it: Google's SDK keeps a content of each piece; what the user says ends an answer."""
    decoded = CODEC.decode_request({"contents": [USER, *contents, USER]})
    request, _ = for_others(decoded)
    answers = [message for message in request.messages if message["role"] == "assistant"]
    found = [(m["content"], m.get("reasoning_content", ""), len(m.get("tool_calls", ()))) for m in answers]
    assert found == told
    assert len(decoded.messages) >= len(request.messages)


def test_the_order_of_fields_is_told_by_the_fields() -> None:
    """Google's SDK says it in a word of Google's, in the answer's schema and in tools', which others may refuse."""

    def of(*names: str, **more: Any) -> dict[str, Any]:
        return {"type": "object", "properties": {name: {"type": "string"} for name in names}, **more}

    inner = of("b", "propertyOrdering", "a", propertyOrdering=["a", "b", "gone"])
    schema = {"type": "array", "items": inner}
    tools = [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": inner}]}]
    config = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    request, dropped = for_others(
        CODEC.decode_request({"contents": [USER], "tools": tools, "generationConfig": config})
    )
    assert request.response_format is not None
    items = request.response_format["json_schema"]["schema"]["items"]
    assert items == of("a", "b", "propertyOrdering")
    assert list(items["properties"]) == ["a", "b", "propertyOrdering"]
    assert request.tools is not None
    assert request.tools[0]["function"]["parameters"] == items
    assert dropped == ()
