"""Tools, the choice among them, structured output and thinking: what the model's generation makes of them."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.providers.anthropic.schema import closed_schema
from edgeagent.providers.base import Promise
from edgeagent.providers.calls import CUSTOM_INPUT, JSON_TOOL
from tests.providers.anthropic.support import MODEL, encode, refused

OLD, MANUAL, NEW, STUBBORN = "claude-3-5-haiku-latest", "claude-sonnet-4-5", "claude-opus-4-8", "claude-opus-5-5"
OPEN = {"type": "object", "properties": {"x": {"type": "string"}}}
CLOSED = {**OPEN, "required": ["x"], "additionalProperties": False}
NOTHING = {"type": "object", "properties": {}}
FREE = {"type": "object"}


def function(name: str = "f", **fields: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, **fields}}


def tool(name: str = "f", schema: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": schema or NOTHING, **fields}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (function(), tool()),
        (function(description="d", parameters=OPEN), tool(schema=OPEN, description="d")),
        (function(parameters={}), tool(schema={"type": "object"})),
        (function(parameters={"properties": {}}), tool(schema=NOTHING)),
        (function(strict=False), tool()),
        (function(strict=True, parameters=CLOSED), tool(schema=CLOSED, strict=True)),
        (function(strict=True), tool(schema={**NOTHING, "additionalProperties": False}, strict=True)),
        (
            {**function(), "cache_control": {"type": "ephemeral"}, "defer_loading": True},
            tool(cache_control={"type": "ephemeral"}, defer_loading=True),
        ),
        (tool("own", OPEN), tool("own", OPEN)),
        (
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 1},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 1},
        ),
        ({"type": "mcp_toolset", "mcp_server_name": "x"}, {"type": "mcp_toolset", "mcp_server_name": "x"}),
    ],
)
def test_tools(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Function tools are translated, hints kept, the vendor's own tools passed on."""
    encoded = encode(tools=[given])
    assert encoded.body["tools"] == [expected]
    assert encoded.dropped == ()


def test_custom_tools() -> None:
    """A free-form tool is one with a string; a grammar is refused."""
    given = {"type": "custom", "custom": {"name": "run", "description": "d", "format": {"type": "text"}}}
    [encoded] = encode(tools=[given]).body["tools"]
    assert (encoded["name"], encoded["description"]) == ("run", "d")
    assert encoded["input_schema"]["required"] == [CUSTOM_INPUT]
    assert encode(tools=[{"type": "custom", "custom": {"name": "run"}}]).body["tools"][0]["name"] == "run"
    grammar = {"type": "custom", "custom": {"name": "run", "format": {"type": "grammar"}}}
    assert refused(tools=[grammar]) == "tools[0].custom.format"


def test_legacy_functions() -> None:
    """`functions` are tools, `function_call` is the choice."""
    body = encode(functions=[{"name": "f", "parameters": OPEN}], function_call={"name": "f"}).body
    assert body["tools"] == [tool(schema=OPEN)]
    assert body["tool_choice"] == {"type": "tool", "name": "f"}
    assert encode(functions=[{"name": "f"}], function_call="none").body["tool_choice"] == {"type": "none"}


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "custom", "custom": {}}]}, "tools[0].custom.name"),
        ({"tools": [function(parameters={"type": "string"})]}, "tools[0].function.parameters"),
        ({"tools": [function(parameters=[])]}, "tools[0].function.parameters"),
        ({"functions": [{}]}, "functions[0].name"),
        ({"tools": [function()], "tool_choice": "sometimes"}, "tool_choice"),
        ({"tools": [function()], "tool_choice": {"type": "function"}}, "tool_choice"),
        ({"functions": [{"name": "f"}], "function_call": "sometimes"}, "function_call"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"function_call": {"name": "f"}}, "function_call"),
    ],
)
def test_refused(params: dict[str, Any], field: str) -> None:
    """Malformed tools and impossible choices name their field."""
    assert refused(**params) == field


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, None),
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (function("g"), {"type": "tool", "name": "g"}),
        ({"type": "custom", "custom": {"name": "g"}}, {"type": "tool", "name": "g"}),
        ({"type": "function", "name": "g"}, {"type": "tool", "name": "g"}),
    ],
)
def test_choices(choice: Any, expected: dict[str, Any] | None) -> None:
    """Every tool_choice, alone and with parallel calls forbidden."""
    tools = [function(), function("g")]
    assert encode(tools=tools, tool_choice=choice).body.get("tool_choice") == expected
    single = encode(tools=tools, tool_choice=choice, parallel_tool_calls=False).body["tool_choice"]
    if expected == {"type": "none"}:
        assert single == expected
    else:
        assert single == {**(expected or {"type": "auto"}), "disable_parallel_tool_use": True}


@pytest.mark.parametrize(("mode", "kind"), [("auto", "auto"), ("required", "any")])
def test_allowed_tools(mode: str, kind: str) -> None:
    """Tools that are not allowed are left out."""
    allowed = {"mode": mode, "tools": [function("g"), {"type": "function", "name": "h"}]}
    tools = [function(), function("g"), function("h")]
    encoded = encode(tools=tools, tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert [tool["name"] for tool in encoded.body["tools"]] == ["g", "h"]
    assert encoded.body["tool_choice"] == {"type": kind}
    assert any("allowed_tools" in edit for edit in encoded.edits)
    all_of_them = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
    assert not any("allowed_tools" in edit for edit in encode(tools=tools, tool_choice=all_of_them).edits)


def test_choice_without_tools() -> None:
    """A choice that demands nothing is nothing where there are no tools."""
    assert "tool_choice" not in encode(tool_choice="none", parallel_tool_calls=False).body
    assert "tools" not in encode(tools=[]).body


def test_models_that_refuse_forced_tools() -> None:
    """Where a model cannot be made to call a tool, the request is refused instead of weakened."""
    assert refused(STUBBORN, tools=[function()], tool_choice="required") == "tool_choice"
    assert refused(STUBBORN, functions=[{"name": "f"}], function_call={"name": "f"}) == "function_call"
    assert encode(STUBBORN, tools=[function()], tool_choice="auto").body["tool_choice"] == {"type": "auto"}


def test_strict() -> None:
    """Strict is kept where the model and the schema allow it, repaired where that is enough, else checked here."""
    for encoded in (
        encode(OLD, tools=[function(strict=True, parameters=CLOSED)]),
        encode(tools=[function(strict=True, parameters=FREE)]),
    ):
        assert "strict" not in encoded.body["tools"][0]
        assert [promise.tool for promise in encoded.promises] == ["f"]
        assert any("strict is kept by checking" in edit for edit in encoded.edits)
    repaired = encode(tools=[function(strict=True, parameters=OPEN)])
    assert repaired.promises == ()
    assert repaired.body["tools"] == [tool(schema={**OPEN, "additionalProperties": False}, strict=True)]
    assert any("strict tools" in edit for edit in repaired.edits)
    ranged = {**CLOSED, "properties": {"a": {"type": "integer", "minimum": 3}}}
    weaker = encode(tools=[function(strict=True, parameters=ranged)])
    assert weaker.promises == (Promise(ranged, "f"),)
    assert "minimum" not in weaker.body["tools"][0]["input_schema"]["properties"]["a"]
    assert encode(tools=[function(parameters=ranged)]).promises == ()
    assert encode(tools=[{**function(), "odd": 1}]).dropped == ("tools.odd",)


# Structured output


def json_schema(schema: Any = CLOSED, **fields: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, **fields}}


def forced(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": JSON_TOOL, "description": description, "input_schema": schema}


ONCE = {"disable_parallel_tool_use": True}
MANNERS = "The answer, in the form that was asked for."


def test_native_structured_output() -> None:
    """A schema goes where the vendor compiles it; its description is told in the schema."""
    encoded = encode(response_format=json_schema(), max_tokens=1)
    assert encoded.body["output_config"] == {"format": {"type": "json_schema", "schema": CLOSED}}
    assert encoded.edits == ()
    described = encode(response_format=json_schema(description="d")).body["output_config"]["format"]["schema"]
    assert described == {"description": "d", **CLOSED}
    own = {**CLOSED, "description": "own"}
    kept = encode(response_format=json_schema(own, description="d")).body["output_config"]["format"]["schema"]
    assert kept == own


@pytest.mark.parametrize(
    ("model", "schema", "checked"),
    [
        (MODEL, CLOSED, False),
        (MODEL, OPEN, False),
        (MODEL, {**CLOSED, "properties": {"x": {"oneOf": [{"type": "string"}, {"type": "null"}]}}}, True),
        (MODEL, {**CLOSED, "properties": {"x": {"type": "string", "maxLength": 3}}}, True),
        (MODEL, FREE, True),
        (OLD, CLOSED, True),
    ],
)
def test_what_strict_promises(model: str, schema: dict[str, Any], checked: bool) -> None:
    """The answer is checked where the vendor is held to less than the schema; without strict nothing was promised."""
    encoded = encode(model, response_format=json_schema(schema, strict=True), max_tokens=1)
    assert encoded.promises == ((Promise(schema),) if checked else ())
    assert encode(model, response_format=json_schema(schema), max_tokens=1).promises == ()


def test_native_structured_output_with_a_looser_schema() -> None:
    """What cannot be compiled is told in descriptions, and an edit says so."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "maximum": 9}}}
    encoded = encode(response_format=json_schema(schema))
    number = {"type": "integer", "description": "{maximum:9}"}
    sent = encoded.body["output_config"]["format"]["schema"]
    assert sent == {"type": "object", "properties": {"n": number}, "additionalProperties": False}
    assert any("structured outputs" in edit for edit in encoded.edits)


@pytest.mark.parametrize(
    ("model", "response_format", "expected"),
    [
        (MODEL, {"type": "json_object"}, forced({"type": "object"}, "The answer, as a JSON object.")),
        (OLD, json_schema(), forced(CLOSED, MANNERS)),
        (OLD, json_schema(description="d"), forced(CLOSED, "d")),
        (MODEL, json_schema({"type": "object"}), forced({"type": "object"}, MANNERS)),
    ],
)
def test_structured_output_by_a_tool(model: str, response_format: dict[str, Any], expected: dict[str, Any]) -> None:
    """Where there is no native way, a reserved tool is forced, and an edit says so."""
    encoded = encode(model, response_format=response_format)
    assert encoded.body["tools"] == [expected]
    assert encoded.body["tool_choice"] == {"type": "tool", "name": JSON_TOOL, **ONCE}
    assert any(JSON_TOOL in edit for edit in encoded.edits)


@pytest.mark.parametrize(
    ("choice", "expected", "added"),
    [
        (None, {"type": "any", **ONCE}, True),
        ("auto", {"type": "any", **ONCE}, True),
        ("none", {"type": "tool", "name": JSON_TOOL, **ONCE}, True),
        ("required", {"type": "any"}, False),
        (function(), {"type": "tool", "name": "f"}, False),
    ],
)
def test_structured_output_beside_tools(choice: Any, expected: dict[str, Any], added: bool) -> None:
    """With tools of the caller's own, one of all must be called; a demanded call leaves no room for content."""
    encoded = encode(OLD, tools=[function()], tool_choice=choice, response_format={"type": "json_object"})
    assert encoded.body["tool_choice"] == expected
    assert [tool["name"] for tool in encoded.body["tools"]] == ["f", *([JSON_TOOL] if added else [])]
    assert any("response_format" in edit for edit in encoded.edits)


def test_structured_output_without_forced_tools() -> None:
    """Models that refuse forced tools are asked for a JSON object in words, and cannot be held to a free schema."""
    words = encode(STUBBORN, response_format={"type": "json_object"})
    [told] = words.body["system"]
    assert "JSON object" in told["text"]
    assert any("system prompt" in edit for edit in words.edits)
    messages = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    both = encode(STUBBORN, response_format={"type": "json_object"}, messages=messages).body["system"]
    assert both == [{"type": "text", "text": "s"}, told]
    parts = [{"role": "system", "content": [{"type": "text", "text": "s"}]}, {"role": "user", "content": "u"}]
    assert encode(STUBBORN, response_format={"type": "json_object"}, messages=parts).body["system"] == both
    assert refused(STUBBORN, response_format=json_schema({"type": "object"})) == "response_format"
    assert "output_config" in encode(STUBBORN, response_format=json_schema()).body


@pytest.mark.parametrize(
    ("response_format", "field"),
    [
        (json_schema(None), "response_format.json_schema.schema"),
        ({"type": "json_schema"}, "response_format.json_schema.schema"),
        (json_schema({"type": "array", "items": {"type": "string"}}), "response_format.json_schema.schema.type"),
    ],
)
def test_refused_formats(response_format: dict[str, Any], field: str) -> None:
    """A format without a schema, or with one that a tool cannot take, names its field."""
    assert refused(OLD, response_format=response_format) == field


# Schemas


def obj(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (CLOSED, CLOSED),
        (obj(), obj()),
        ({"properties": {}}, {"properties": {}, "additionalProperties": False}),
        ({"type": "string", "enum": ["a"]}, {"type": "string", "enum": ["a"]}),
        ({"type": "string", "minLength": 2}, {"type": "string", "description": "{minLength:2}"}),
        (
            {"type": "string", "description": "d", "maxLength": 2},
            {"type": "string", "description": "d\n\n{maxLength:2}"},
        ),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"type": "string", "format": "odd"}, {"type": "string", "description": "{format:odd}"}),
        ({"type": "string", "pattern": "^a$", "examples": ["a"]}, {"type": "string", "pattern": "^a$"}),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 2},
            {"type": "array", "items": {"type": "string"}, "description": "{minItems:2}"},
        ),
        ({"oneOf": [{"type": "string"}, {"type": "null"}]}, {"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ({"allOf": [CLOSED]}, {"allOf": [CLOSED]}),
        (
            {"$ref": "#/$defs/a", "$defs": {"a": OPEN}},
            {"$ref": "#/$defs/a", "$defs": {"a": {**OPEN, "additionalProperties": False}}},
        ),
        (
            obj(x={"$ref": "#/$defs/a"}, y={"$ref": "#/$defs/a"}) | {"$defs": {"a": {"type": "null"}}},
            obj(x={"$ref": "#/$defs/a"}, y={"$ref": "#/$defs/a"}) | {"$defs": {"a": {"type": "null"}}},
        ),
    ],
)
def test_closed_schema(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    """Objects are closed, unknown constraints told in the description; a schema that is fine stays as it is."""
    closed = closed_schema(schema)
    assert closed is not None
    assert closed[:2] == (expected, schema != expected)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        True,
        {"type": "object"},
        {"type": ["object", "null"]},
        {"type": "object", "additionalProperties": True, "properties": {}},
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"type": "array", "items": True},
        {"type": "array", "items": {}},
        {"type": "object", "properties": []},
        {"anyOf": {}},
        {"not": {"type": "string"}},
        {"type": "array", "prefixItems": [{"type": "string"}]},
        {"$ref": "https://example.com"},
        {"$ref": "#/$defs/missing"},
        {"$ref": 5},
        {"$ref": "#/$defs/a", "$defs": {"a": obj(next={"$ref": "#/$defs/a"})}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
        {"$ref": "#/$defs/a/b", "$defs": {"a": "odd"}},
    ],
)
def test_inexpressible_schema(schema: Any) -> None:
    """Free objects, conditionals, references to elsewhere and recursion have no compiled form."""
    assert closed_schema(schema) is None


def test_schema_with_many_references_is_read_once() -> None:
    """A chain of definitions, each used twice, is no exponential amount of work."""
    twice = [{"anyOf": [{"$ref": f"#/$defs/d{i + 1}"}, {"$ref": f"#/$defs/d{i + 1}"}]} for i in range(60)]
    definitions = {f"d{i}": schema for i, schema in enumerate(twice)} | {"d60": {"type": "null"}}
    assert closed_schema({"$ref": "#/$defs/d0", "$defs": definitions}) is not None


# Thinking


def manual(budget: int) -> dict[str, Any]:
    return {"type": "enabled", "budget_tokens": budget}


ADAPTIVE = {"type": "adaptive"}


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "level"),
    [
        (OLD, "high", None, None),
        (OLD, "none", None, None),
        (MANUAL, "none", None, None),
        (MANUAL, "minimal", manual(1024), None),
        (MANUAL, "low", manual(2048), None),
        (MANUAL, "medium", manual(8192), None),
        (MANUAL, "high", manual(16_384), None),
        (MANUAL, "xhigh", manual(32_000), None),
        ("claude-opus-4-5", "medium", manual(8192), "medium"),
        ("claude-opus-4-5", "xhigh", manual(32_000), "high"),
        ("claude-sonnet-4-6", "low", ADAPTIVE, "low"),
        ("claude-sonnet-4-6", "minimal", ADAPTIVE, "low"),
        ("claude-sonnet-4-6", "xhigh", ADAPTIVE, "high"),
        ("claude-sonnet-4-6", "max", ADAPTIVE, "max"),
        (NEW, "xhigh", ADAPTIVE, "xhigh"),
        (NEW, "none", None, None),
        ("claude-mythos-preview", "high", ADAPTIVE, "high"),
        ("claude-opus-5", "none", {"type": "disabled"}, None),
        ("claude-sonnet-5", "none", {"type": "disabled"}, None),
        ("claude-haiku-5-5", "none", {"type": "disabled"}, None),
        ("claude-sonnet-5-5", "none", {"type": "between_tools"}, None),
        ("claude-opus-5-5", "none", None, "low"),
        ("claude-fable-5-1", "none", None, "low"),
        ("claude-tomorrow", "high", ADAPTIVE, "high"),
    ],
)
def test_effort(model: str, effort: str, thinking: Any, level: str | None) -> None:
    """Each generation is asked to think in the form it takes."""
    body = encode(model, reasoning_effort=effort).body
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == level
    if thinking is not None and thinking["type"] == "enabled":
        assert body["max_tokens"] > thinking["budget_tokens"]


@pytest.mark.parametrize(
    ("limit", "budget"), [(40_000, 16_384), (20_000, 10_000), (2048, 1024), (2047, None), (100, None)]
)
def test_budget_below_the_limit(limit: int, budget: int | None) -> None:
    """A budget leaves room for an answer; where too little is left, thinking is off and the effort named as dropped."""
    encoded = encode(MANUAL, reasoning_effort="high", max_tokens=limit)
    assert encoded.body.get("thinking") == (None if budget is None else manual(budget))
    assert encoded.dropped == (("reasoning_effort",) if budget is None else ())


def test_budget_beside_a_forced_tool() -> None:
    """A thinking budget and a forced tool exclude each other; adaptive thinking does not mind."""
    encoded = encode(MANUAL, reasoning_effort="high", tools=[function()], tool_choice="required")
    assert "thinking" not in encoded.body
    assert encoded.dropped == ("reasoning_effort",)
    adaptive = encode(reasoning_effort="high", tools=[function()], tool_choice="required")
    assert adaptive.body["thinking"] == ADAPTIVE
    kept = encode("claude-opus-4-5", reasoning_effort="high", tools=[function()], tool_choice="required")
    assert (kept.body.get("thinking"), kept.body["output_config"], kept.dropped) == (None, {"effort": "high"}, ())


ASKED = {"role": "user", "content": "How warm?"}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "20"}


def calling(*native: dict[str, Any]) -> dict[str, Any]:
    """An assistant's call; `native` are Claude's own blocks before it."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    blocks = [*native, {"type": "tool_use", "id": "c1", "name": "f", "input": {}}]
    return {**message, "native_content": {"wire": "anthropic.messages", "content": blocks}} if native else message


THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "s"}
OTHER = {"role": "assistant", "content": "20", "reasoning_content": "hm"}


@pytest.mark.parametrize(
    ("messages", "thinks"),
    [
        ([ASKED], True),
        ([ASKED, calling(), RESULT], False),  # another model's call, or one that came back as the plain message
        ([ASKED, calling(), RESULT, ASKED], False),  # what the user adds to results is a part of their turn
        ([ASKED, calling(), RESULT, calling(), RESULT], False),
        ([ASKED, calling(THOUGHT), RESULT], True),
        ([ASKED, calling({"type": "redacted_thinking", "data": "x"}), RESULT], True),
        ([ASKED, calling(THOUGHT), RESULT, calling(), RESULT], True),  # between calls Claude need not think
        ([ASKED, calling(), RESULT, OTHER, ASKED], True),  # that turn is over
        ([ASKED, calling(), RESULT, OTHER, ASKED, calling(THOUGHT), RESULT], True),
    ],
)
def test_budget_in_the_middle_of_a_turn(messages: list[dict[str, Any]], thinks: bool) -> None:
    """A turn of tool calls that began without thinking goes on without it: a budget would be refused."""
    encoded = encode(MANUAL, messages=messages, tools=[function()], reasoning_effort="high", temperature=0.5)
    assert encoded.body.get("thinking") == (manual(16_384) if thinks else None)
    assert encoded.body.get("temperature") == (None if thinks else 0.5)
    assert ("reasoning_effort" in encoded.dropped) is not thinks
    assert any("Thinking is off" in edit for edit in encoded.edits) is not thinks
    assert encode(messages=messages, tools=[function()], reasoning_effort="high").body["thinking"] == ADAPTIVE
    own = encode(MANUAL, messages=messages, tools=[function()], reasoning_effort="high", thinking=manual(2000))
    assert own.body["thinking"] == manual(2000)


def test_own_thinking_wins() -> None:
    """The caller's `thinking`, or effort, is sent as it is; the limit leaves room for its budget."""
    encoded = encode("claude-sonnet-4-0", reasoning_effort="low", thinking=manual(20_000))
    assert encoded.body["thinking"] == manual(20_000)
    assert encoded.body["max_tokens"] == 28_192
    assert any("own thinking" in edit for edit in encoded.edits)
    own = encode(reasoning_effort="low", output_config={"effort": "max"}).body
    assert (own.get("thinking"), own["output_config"]) == (None, {"effort": "max"})
    odd = encode(OLD, thinking={"type": "enabled", "budget_tokens": "odd"}, output_config="odd", reasoning_effort="low")
    assert odd.body["max_tokens"] == 8192


def test_effort_and_format_share_a_place() -> None:
    """Effort and structured output both stand in output_config."""
    config = encode(reasoning_effort="low", response_format=json_schema()).body["output_config"]
    assert config == {"effort": "low", "format": {"type": "json_schema", "schema": CLOSED}}


def test_effort_dropped_by_models_that_do_not_think() -> None:
    """Before Claude 3.7 there is no thinking."""
    assert encode(OLD, reasoning_effort="high").dropped == ("reasoning_effort",)
    assert encode(OLD, reasoning_effort="none").dropped == ()
