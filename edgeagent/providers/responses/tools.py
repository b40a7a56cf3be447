"""Tools, the choice among them, and the format of the answer, both directions.

What chat nests (`{"type": "function", "function": {…}}`) is flat here. Built-in tools (`web_search`, `file_search`,
`code_interpreter`, `mcp`, `image_generation`, `computer_use_preview`, …) have the same form in a chat request's `tools`
as in this API's and are passed on as they are. Functions are strict here unless told otherwise, and not in chat.

Source: https://platform.openai.com/docs/guides/migrate-to-responses (function definitions, structured outputs).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.notes import Notes
from edgeagent.providers.responses.parts import refused
from edgeagent.types import ChatRequest

__all__ = ["decode_choice", "decode_format", "decode_tool", "encode_choice", "encode_format", "encode_tools"]

Tool = dict[str, Any]

_FUNCTION: Final = ("name", "description", "parameters", "strict")
_CUSTOM: Final = ("name", "description", "format")
_BESIDE: Final = frozenset({"allowed_callers", "defer_loading", "output_schema"})
"""Fields of a client's tool that chat does not have: they stand beside `function` there."""
_SCHEMA: Final = ("name", "description", "schema", "strict")


def encode_tools(request: ChatRequest, notes: Notes) -> list[Tool]:
    """`tools` and `web_search_options` as the vendor's tools. Raises `RequestValidationError`."""
    tools = [_tool(tool, notes, f"tools[{i}]") for i, tool in enumerate(request.tools or ())]
    options = request.web_search_options
    if options is not None:
        search = {name: value for name, value in options.items() if value is not None}
        location = search.pop("user_location", None)
        if isinstance(location, Mapping):
            search["user_location"] = {"type": "approximate", **_object(location.get("approximate"))}
        tools.append({"type": "web_search", **search})
    return tools


def _tool(tool: Mapping[str, Any], notes: Notes, where: str) -> Tool:
    kind = tool.get("type", "function")
    body = tool.get(kind) if isinstance(kind, str) else None
    if kind not in ("function", "custom") or not isinstance(body, Mapping):
        return dict(tool)
    if not isinstance(body.get("name"), str):
        raise refused(f"A {kind} tool needs a name.", f"{where}.{kind}.name")
    made: Tool = {"type": kind}
    for name, value in body.items():
        if name in (_FUNCTION if kind == "function" else _CUSTOM) and value is not None:
            made[name] = value
        elif value is not None:
            notes.drop(f"{where}.{kind}.{name}")
    for name, value in tool.items():
        if name in _BESIDE:
            made[name] = value
        elif name not in ("type", kind) and value is not None:
            notes.drop(f"{where}.{name}")
    if kind == "function":
        made.setdefault("parameters", {"type": "object", "properties": {}})
        if "strict" not in body:
            made["strict"] = False
    elif isinstance(made.get("format"), Mapping) and isinstance(made["format"].get("grammar"), Mapping):
        made["format"] = {"type": "grammar", **made["format"]["grammar"]}
    return made


def encode_choice(request: ChatRequest) -> str | Tool | None:
    """`tool_choice`. Raises `RequestValidationError` for what is none of the documented forms."""
    choice = request.tool_choice
    if choice is None or isinstance(choice, str):
        return choice
    allowed = choice.get("allowed_tools")
    if choice.get("type") == "allowed_tools" and isinstance(allowed, Mapping):
        tools = allowed.get("tools")
        if not isinstance(tools, list):
            raise refused("allowed_tools needs its tools.", "tool_choice.allowed_tools.tools")
        return {"type": "allowed_tools", "mode": allowed.get("mode", "auto"), "tools": [_flat(tool) for tool in tools]}
    if not isinstance(choice.get("type"), str):
        raise refused("tool_choice is none of the documented values.", "tool_choice")
    return _flat(choice)


def _flat(named: Any) -> Tool:
    """What names a tool, without nesting: `{"type": "function", "name": …}`."""
    if not isinstance(named, Mapping):
        raise refused("What names a tool is an object.", "tool_choice")
    kind = named.get("type")
    body = named.get(kind) if isinstance(kind, str) else None
    return {"type": kind, **body} if isinstance(body, Mapping) else dict(named)


def encode_format(form: Mapping[str, Any]) -> Tool:
    """`response_format` as `text.format`."""
    schema = form.get("json_schema")
    if form.get("type") != "json_schema" or not isinstance(schema, Mapping):
        return dict(form)
    made: Tool = {"type": "json_schema", **{name: schema[name] for name in _SCHEMA if schema.get(name) is not None}}
    made.setdefault("schema", {})
    return made


# The inverse


def decode_tool(tool: Mapping[str, Any]) -> Tool:
    """The vendor's tool as chat has it. `strict: None` stands for the vendor's own default, which is not chat's."""
    kind = tool.get("type")
    if kind not in ("function", "custom") or not isinstance(tool.get("name"), str):
        return dict(tool)
    names = _FUNCTION if kind == "function" else _CUSTOM
    body = {name: tool[name] for name in names if tool.get(name) is not None}
    if kind == "function":
        body.setdefault("strict", None)
    form = body.get("format")
    if isinstance(form, Mapping) and form.get("type") == "grammar":
        body["format"] = {"type": "grammar", "grammar": {k: v for k, v in form.items() if k != "type"}}
    beside = {name: value for name, value in tool.items() if name not in {"type", *names} and value is not None}
    return {"type": kind, kind: body, **beside}


def decode_choice(choice: Any) -> Any:
    """The vendor's `tool_choice` as chat has it."""
    if not isinstance(choice, Mapping):
        return choice
    if choice.get("type") == "allowed_tools" and isinstance(choice.get("tools"), list):
        tools = [_nested(tool) for tool in choice["tools"]]
        return {"type": "allowed_tools", "allowed_tools": {"mode": choice.get("mode", "auto"), "tools": tools}}
    return _nested(choice)


def _nested(named: Any) -> Any:
    if not isinstance(named, Mapping):
        return named
    kind = named.get("type")
    if kind not in ("function", "custom") or not isinstance(named.get("name"), str):
        return dict(named)
    return {"type": kind, kind: {"name": named["name"]}}


def decode_format(form: Mapping[str, Any]) -> Tool:
    """`text.format` as `response_format`."""
    if form.get("type") != "json_schema":
        return dict(form)
    schema = {name: form[name] for name in _SCHEMA if form.get(name) is not None}
    return {"type": "json_schema", "json_schema": schema}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
