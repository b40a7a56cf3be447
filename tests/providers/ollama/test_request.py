"""OpenAI-shaped requests → Ollama's body: what is translated, what is dropped, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Promise
from edgeagent.providers.ollama import OllamaGenerateCodec
from tests.providers.ollama.support import CODEC, asking, completion, encode, refused

__all__: list[str] = []

TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
PIXEL = "iVBORw0KGgo="


def image(url: str = f"data:image/png;base64,{PIXEL}", **more: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def text(value: str) -> dict[str, str]:
    return {"type": "text", "text": value}


def call(**fields: Any) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}, **fields}


def sent(*messages: dict[str, Any]) -> list[dict[str, Any]]:
    body = encode(messages=list(messages)).body
    return list(body["messages"])


def test_parameters_become_options() -> None:
    """OpenAI's and Ollama's own, beside `options`, which count over both."""
    encoded = encode(
        temperature=0.5,
        top_p=0.9,
        seed=7,
        frequency_penalty=0.1,
        presence_penalty=0.2,
        max_tokens=10,
        stop="END",
        top_k=40,
        min_p=0.05,
        num_ctx=8192,
        repeat_penalty=1.1,
        options={"temperature": 0.6},
        keep_alive="10m",
    )
    assert encoded.body["options"] == {
        "temperature": 0.6,
        "top_p": 0.9,
        "seed": 7,
        "frequency_penalty": 0.1,
        "presence_penalty": 0.2,
        "num_predict": 10,
        "stop": ["END"],
        "min_p": 0.05,
        "num_ctx": 8192,
        "repeat_penalty": 1.1,
        "top_k": 40,
    }
    assert encoded.body["keep_alive"] == "10m"
    assert (encoded.dropped, encoded.edits) == ((), ())


def test_a_stream_is_always_said() -> None:
    """Ollama streams where nothing is said."""
    assert encode().body["stream"] is False
    assert encode(stream=True).body["stream"] is True


@pytest.mark.parametrize(
    ("effort", "think", "edited"),
    [("none", False, False), ("low", "low", False), ("high", "high", False), ("minimal", "low", True)],
)
def test_reasoning_effort(effort: str, think: bool | str, edited: bool) -> None:
    """None is off, a level is a level; what Ollama has not is the nearest, and told."""
    encoded = encode(reasoning_effort=effort)
    assert encoded.body["think"] == think
    assert bool(encoded.edits) is edited


def test_think_of_the_callers_own_counts() -> None:
    """A vendor parameter stands over the translated one."""
    assert encode(reasoning_effort="low", think=True).body["think"] is True


def test_formats() -> None:
    """JSON, a schema, text; what strict promises is checked on the answer."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}
    assert encode(response_format={"type": "json_object"}).body["format"] == "json"
    assert "format" not in encode(response_format={"type": "text"}).body
    encoded = encode(response_format=form)
    assert encoded.body["format"] == SCHEMA
    assert encoded.promises == (Promise(SCHEMA),)


def test_tools() -> None:
    """`strict` is kept by checking, missing parameters are those of none."""
    strict = {"type": "function", "function": {"name": "g", "strict": True, "parameters": SCHEMA}}
    bare = {"type": "function", "function": {"name": "h"}, "cache_control": {"type": "ephemeral"}}
    encoded = encode(tools=[TOOL, strict, bare], tool_choice="auto")
    functions = [tool["function"] for tool in encoded.body["tools"]]
    assert functions[1] == {"name": "g", "parameters": SCHEMA}
    assert functions[2] == {"name": "h", "parameters": {"type": "object", "properties": {}}}
    assert encoded.promises == (Promise(SCHEMA, "g"),)
    assert encoded.dropped == ("tools.cache_control",)


def test_references_of_tools_are_written_out() -> None:
    """Ollama's server does not pass them to the model's template; one that leads to itself ends."""
    city = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
    schema = {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/city"}, "node": {"$ref": "#/$defs/node"}},
        "$defs": {"city": city, "node": node},
    }
    encoded = encode(tools=[{"type": "function", "function": {"name": "f", "parameters": schema}}])
    parameters = encoded.body["tools"][0]["function"]["parameters"]
    assert parameters["properties"]["city"] == city
    assert "$ref" not in str(parameters)
    assert len(encoded.edits) == 1


def test_a_rich_request_is_valid_by_the_packages_types() -> None:
    """Every part of a request at once, as the `ollama` package would send it."""
    types = pytest.importorskip("ollama._types")
    call_made = {"role": "assistant", "tool_calls": [call()], "reasoning_content": "Hm."}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "1"}
    sent_body = encode(
        stream=True,
        messages=[{"role": "user", "content": [text("a"), image()]}, call_made, result],
        tools=[TOOL],
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
        reasoning_effort="high",
        logprobs=True,
        top_logprobs=3,
        temperature=0.1,
        max_tokens=5,
        stop=["a", "b"],
        keep_alive=300,
        num_ctx=1024,
    ).body
    valid = types.ChatRequest(**sent_body)
    assert valid.model_dump(exclude_none=True).keys() == sent_body.keys()
    types.Options.model_validate(sent_body["options"], strict=True)
    types.Tool.model_validate(sent_body["tools"][0], strict=True)
    types.Message(**sent_body["messages"][1])


def test_tool_choice() -> None:
    """None and a narrower set are had by leaving tools out; a demand is refused."""
    other = {"type": "function", "function": {"name": "g", "parameters": SCHEMA}}
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "g"}}]}
    assert "tools" not in encode(tools=[TOOL], tool_choice="none").body
    narrowed = encode(tools=[TOOL, other], tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert narrowed.body["tools"] == [other]
    assert narrowed.edits
    assert refused(tools=[TOOL], tool_choice="required") == "tool_choice"
    assert refused(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "f"}}) == "tool_choice"


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("n", 2),
        ("logit_bias", {"1": 5}),
        ("audio", {"voice": "alloy", "format": "wav"}),
        ("modalities", ["text", "audio"]),
        ("web_search_options", {}),
        ("moderation", {}),
        ("reasoning_effort", "very"),
    ],
)
def test_refused_parameters(param: str, value: Any) -> None:
    """What would be another answer without it names its field."""
    assert refused(**{param: value}) == param


def test_dropped_parameters() -> None:
    """Advisory ones are named."""
    encoded = encode(user="u", store=True, service_tier="flex", metadata={"a": "b"}, parallel_tool_calls=False)
    assert set(encoded.dropped) == {"user", "store", "service_tier", "metadata", "parallel_tool_calls"}
    assert encoded.body.keys() == {"model", "messages", "stream"}


def test_images_stand_with_the_text_before_them() -> None:
    """Several texts are several messages; a percent-encoded data URL becomes base64."""
    parts = [text("one"), image(), text("two"), image("data:image/svg+xml,%3Csvg/%3E")]
    assert sent({"role": "user", "content": parts}) == [
        {"role": "user", "content": "one", "images": [PIXEL]},
        {"role": "user", "content": "two", "images": ["PHN2Zy8+"]},
    ]
    assert sent({"role": "user", "content": [image(), text("what?")]}) == [
        {"role": "user", "content": "what?", "images": [PIXEL]}
    ]


@pytest.mark.parametrize(
    ("part", "param"),
    [
        (image("https://example.com/a.png"), "messages[0].content[0].image_url.url"),
        (image("data:image/png;base64,???"), "messages[0].content[0].image_url.url"),
        ({"type": "image_url"}, "messages[0].content[0].image_url.url"),
        ({"type": "input_audio", "input_audio": {}}, "messages[0].content[0].type"),
        ({"type": "file", "file": {}}, "messages[0].content[0].type"),
        ({"type": "text"}, "messages[0].content[0].text"),
        ({}, "messages[0].content[0].type"),
    ],
)
def test_refused_parts(part: dict[str, Any], param: str) -> None:
    """An image by its URL, audio and files have no form; the part is named."""
    assert refused(messages=[{"role": "user", "content": [part]}]) == param


def test_a_conversation_of_another_vendor() -> None:
    """Foreign ids stay, results name their tool, the developer is the system, reasoning is thinking."""
    messages = sent(
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "Hi", "name": "ann"},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "Hm.",
            "native_content": {"wire": "anthropic.messages", "content": [{"type": "thinking"}]},
            "tool_calls": [call(id="toolu_1"), call(id="toolu_2", function={"name": "g", "arguments": ""})],
        },
        {"role": "tool", "tool_call_id": "toolu_2", "content": [text("1"), text("2"), image()]},
    )
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "tool"]
    assert messages[2] == {
        "role": "assistant",
        "thinking": "Hm.",
        "tool_calls": [
            {"id": "toolu_1", "type": "function", "function": {"index": 0, "name": "f", "arguments": {"a": 1}}},
            {"id": "toolu_2", "type": "function", "function": {"index": 1, "name": "g", "arguments": {}}},
        ],
    }
    assert messages[3] == {
        "role": "tool",
        "content": "1\n2",
        "images": [PIXEL],
        "tool_name": "g",
        "tool_call_id": "toolu_2",
    }


@pytest.mark.parametrize("arguments", ['{"a":', "null", "[1]", "\ud83d"])
def test_arguments_that_are_no_object(arguments: str) -> None:
    """They are sent inside one, and that is told."""
    encoded = encode(
        messages=[{"role": "assistant", "tool_calls": [call(function={"name": "f", "arguments": arguments})]}]
    )
    function = encoded.body["messages"][0]["tool_calls"][0]["function"]
    assert function["arguments"] == {"edgeagent_raw_arguments": arguments}
    assert len(encoded.edits) == 1


def test_an_answer_goes_back() -> None:
    """Fields of Ollama's own are sent back as they came; ids that were made are not."""
    answered = completion({"images": ["AAAA"], "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]})
    message = answered.choices[0].message.to_dict()
    tool = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "1"}
    first, second = sent(message, tool)
    assert first["images"] == ["AAAA"]
    assert "id" not in first["tool_calls"][0]
    assert second == {"role": "tool", "content": "1", "tool_name": "f"}


def test_refused_messages() -> None:
    """Roles and shapes that are none."""
    assert refused(messages=[{"role": "critic", "content": "x"}]) == "messages[0].role"
    assert refused(messages=[{"role": "assistant", "tool_calls": [{}]}]) == "messages[0].tool_calls[0].function"
    assert refused(messages=[{"role": "assistant", "audio": {"id": "a"}}]) == "messages[0].audio"
    assert refused(tools=[{"type": "web_search"}]) == "tools[0].type"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "m"}, "messages"),
        ({"model": "m", "messages": [1]}, "messages[0].role"),
        ({"model": "m", "messages": [], "options": []}, "options"),
        ({"model": "m", "messages": [], "format": 3}, "format"),
        ({"model": "m", "messages": [{"role": "user", "images": [1]}]}, "messages[0].images"),
        ({"model": "m", "messages": [], "extra_headers": {"a": "b"}}, "extra_headers"),
        ({"messages": []}, "model"),
    ],
)
def test_bodies_that_are_none(body: dict[str, Any], param: str) -> None:
    """The field is named."""
    with pytest.raises(RequestValidationError) as caught:
        CODEC.decode_request(body)
    assert caught.value.param == param


def test_results_find_their_calls() -> None:
    """Calls without ids get some, and results name theirs by tool and order."""
    calls = [{"function": {"name": name, "arguments": {}}} for name in ("f", "g", "f")]
    results = [{"role": "tool", "content": "x", "tool_name": name} for name in ("g", "f", "f")]
    messages = CODEC.decode_request(
        {"model": "m", "messages": [{"role": "assistant", "tool_calls": calls}, *results]}
    ).messages
    ids = [call["id"] for call in messages[0]["tool_calls"]]
    assert len(set(ids)) == 3
    assert [m["tool_call_id"] for m in messages[1:]] == [ids[1], ids[0], ids[2]]


def test_generate_takes_one_prompt() -> None:
    """A conversation and tools have no place in the older API."""
    codec = OllamaGenerateCodec()
    system = {"role": "system", "content": "S"}
    body = codec.encode_request(
        asking(messages=[system, {"role": "user", "content": "Hi"}]), model="m", stream=True
    ).body
    assert body == {"model": "m", "prompt": "Hi", "system": "S", "stream": True}
    for params in ({"messages": [{"role": "user", "content": "a"}] * 2}, {"tools": [TOOL]}):
        with pytest.raises(RequestValidationError):
            codec.encode_request(asking(**params), model="m", stream=False)
