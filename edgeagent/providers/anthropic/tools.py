"""Tools and the choice among them, from OpenAI's form to Anthropic's.

- A function tool's `parameters` become the `input_schema`, which must be an object's; a free-form (`custom`) tool
  becomes a tool with one string. The older `functions` and `function_call` are read the same way.
- An entry without `function` or `custom` is Anthropic's own (a server tool, a tool in its native form), and passed on.
- `allowed_tools` leaves the other tools out, since the vendor cannot forbid single ones.
- `strict` is kept where the model compiles schemas and the schema has a compiled form; what it leaves out, or all of
  it, is checked on the answer.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.schema import closed_schema
from edgeagent.providers.calls import CUSTOM_INPUT
from edgeagent.providers.claude import ModelFacts
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["TOOL_FIELDS", "encode_choice", "encode_tools"]

Tool = dict[str, Any]

TOOL_FIELDS: Final = frozenset(
    {"allowed_callers", "cache_control", "defer_loading", "eager_input_streaming", "input_examples"}
)
"""Fields of Anthropic's tools beyond OpenAI's, which may stand beside `function`."""


def encode_tools(request: ChatRequest, facts: ModelFacts, notes: Notes) -> list[Tool]:
    """The request's tools, without those that its `tool_choice` leaves out. Raises `RequestValidationError`."""
    tools = [_tool(tool, facts, notes, f"tools[{i}]") for i, tool in enumerate(request.tools or ())]
    for i, function in enumerate(request.functions or ()):
        tools.append(_function(function, facts, notes, f"functions[{i}]"))
    allowed = _allowed(request.tool_choice)
    if allowed is None:
        return tools
    kept = [tool for tool in tools if _name(tool) in allowed]
    if len(kept) < len(tools):
        notes.edit("Tools that tool_choice.allowed_tools does not name are left out of the request.")
    return kept


def encode_choice(request: ChatRequest, tools: list[Tool], facts: ModelFacts) -> dict[str, Any] | None:
    """`tool_choice` with `disable_parallel_tool_use`; None for the vendor's default.

    Raises `RequestValidationError` if a tool is demanded and there is none, or the model cannot be made to call one.
    """
    where, choice = "tool_choice", _choice(request)
    if request.tool_choice is None and request.function_call is not None:
        where = "function_call"
    if not tools:
        if choice is not None and choice["type"] in {"any", "tool"}:
            raise RequestValidationError(f"{where} demands a tool call, but there are no tools.", param=where)
        return None
    if choice is not None and choice["type"] in {"any", "tool"} and not facts.forced_tools:
        raise RequestValidationError("This model refuses a tool_choice that demands a tool call.", param=where)
    if request.parallel_tool_calls is False and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return choice


def _tool(tool: Mapping[str, Any], facts: ModelFacts, notes: Notes, where: str) -> Tool:
    if isinstance(tool.get("function"), Mapping):
        result = _function(tool["function"], facts, notes, f"{where}.function")
    elif isinstance(tool.get("custom"), Mapping):
        result = _custom(tool["custom"], f"{where}.custom")
    elif tool.get("type") == "function" or (not isinstance(tool.get("name"), str) and not tool.get("type")):
        raise RequestValidationError("A function tool needs 'function', an object.", param=f"{where}.function")
    else:
        return dict(tool)
    for name, value in tool.items():
        if name in TOOL_FIELDS:
            result[name] = value
        elif name not in {"type", "function", "custom"}:
            notes.drop(f"{where}.{name}")
    return result


def _function(function: Any, facts: ModelFacts, notes: Notes, where: str) -> Tool:
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise RequestValidationError("A function needs a name.", param=f"{where}.name")
    result: Tool = {"name": function["name"]}
    if function.get("description") is not None:
        result["description"] = function["description"]
    result["input_schema"] = _input_schema(function.get("parameters"), notes, f"{where}.parameters")
    if function.get("strict"):
        _strict(result, facts, notes, where)
    return result


def _input_schema(parameters: Any, notes: Notes, where: str) -> dict[str, Any]:
    if parameters is None:
        return {"type": "object", "properties": {}}
    if not isinstance(parameters, Mapping) or parameters.get("type", "object") != "object":
        raise RequestValidationError("A tool's parameters are the JSON Schema of an object.", param=where)
    if "type" not in parameters:
        notes.edit(f"{where}: type object is added: the vendor demands it.")
        return {"type": "object", **parameters}
    return dict(parameters)


def _strict(tool: Tool, facts: ModelFacts, notes: Notes, where: str) -> None:
    closed = closed_schema(tool["input_schema"]) if facts.native_schema else None
    if closed is None or closed.weaker:
        notes.promise(tool["input_schema"], tool["name"])
    if closed is None:
        notes.edit(f"{where}.strict is kept by checking the answer: the vendor does not compile this schema.")
        return
    tool["strict"] = True
    if closed.changed:
        tool["input_schema"] = closed.schema
        notes.edit(f"{where}.parameters: what strict tools cannot express is told in descriptions instead.")


def _custom(custom: Mapping[str, Any], where: str) -> Tool:
    if not isinstance(custom.get("name"), str):
        raise RequestValidationError("A custom tool needs a name.", param=f"{where}.name")
    form = custom.get("format")
    if form is not None and (not isinstance(form, Mapping) or form.get("type") != "text"):
        raise RequestValidationError("Anthropic's models take no grammar for a tool.", param=f"{where}.format")
    text = {"type": "string", "description": "The tool's whole input, free-form."}
    schema = {"type": "object", "properties": {CUSTOM_INPUT: text}, "required": [CUSTOM_INPUT]}
    result: Tool = {"name": custom["name"]}
    if custom.get("description") is not None:
        result["description"] = custom["description"]
    return {**result, "input_schema": schema}


def _choice(request: ChatRequest) -> dict[str, Any] | None:
    choice: Any = request.tool_choice if request.tool_choice is not None else request.function_call
    if choice is None:
        return None
    if isinstance(choice, str):
        kind = {"auto": "auto", "none": "none", "required": "any"}.get(choice)
        return {"type": kind} if kind else _unknown_choice(request)
    if choice.get("type") == "allowed_tools":
        mode = _object(choice.get("allowed_tools")).get("mode")
        return {"type": "any" if mode == "required" else "auto"}
    name = _name(choice)
    return {"type": "tool", "name": name} if name is not None else _unknown_choice(request)


def _unknown_choice(request: ChatRequest) -> dict[str, Any]:
    param = "tool_choice" if request.tool_choice is not None else "function_call"
    raise RequestValidationError(f"{param} is none of the documented values.", param=param)


def _allowed(choice: Any) -> set[str] | None:
    """The names that `allowed_tools` allows; None if it is not used."""
    if not isinstance(choice, Mapping) or choice.get("type") != "allowed_tools":
        return None
    entries = _object(choice.get("allowed_tools")).get("tools")
    names = [_name(_object(entry)) for entry in entries] if isinstance(entries, list) else []
    return {name for name in names if name is not None}


def _name(tool: Mapping[str, Any]) -> str | None:
    """The name of a tool or of what names one: under `function`, under `custom`, or (as some write it) flat."""
    for place in (_object(tool.get("function")), _object(tool.get("custom")), tool):
        if isinstance(place.get("name"), str):
            return str(place["name"])
    return None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
