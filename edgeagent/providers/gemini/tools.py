"""Tools and the choice among them, from OpenAI's form to Google's.

- Function tools become `functionDeclarations` of one tool entry, with `parametersJsonSchema` or `parameters`, whichever
  loses less; a free-form (`custom`) tool becomes a function with one string.
- An entry whose fields are Google's (`{"googleSearch": {}}`) is passed on; OpenAI's web search becomes Google's.
- `strict` is kept by checking the answer: the vendor compiles no tool's schema.
- `allowed_tools` is `allowedFunctionNames` where a call is required; where it is not, the other tools are left out.

Sources: https://ai.google.dev/gemini-api/docs/function-calling, https://ai.google.dev/api/caching#Tool.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.calls import CUSTOM_INPUT
from edgeagent.providers.gemini.models import ModelFacts
from edgeagent.providers.gemini.names import camel
from edgeagent.providers.gemini.schema import native_schema
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["NATIVE_TOOLS", "encode_choice", "encode_tools"]

Tool = dict[str, Any]

NATIVE_TOOLS: Final = frozenset(
    {
        *("codeExecution", "computerUse", "enterpriseWebSearch", "exaAiSearch", "fileSearch", "functionDeclarations"),
        *("googleMaps", "googleSearch", "googleSearchRetrieval", "mcpServers", "parallelAiSearch", "retrieval"),
        "urlContext",
    }
)
"""The fields of Google's tool entries."""


def encode_tools(request: ChatRequest, facts: ModelFacts, notes: Notes) -> list[Tool]:
    """The request's tools, without those that its `tool_choice` leaves out. Raises `RequestValidationError`."""
    declared: list[Tool] = []
    others: list[Tool] = []
    for i, tool in enumerate(request.tools or ()):
        own = _own(tool)
        if own is not None:
            others.append(own)
        else:
            declared.append(_declaration(tool, facts, notes, f"tools[{i}]"))
    options = request.web_search_options
    if options is not None:
        others.append({"googleSearch": {}})
        for name, value in options.items():
            if value is not None:
                notes.drop(f"web_search_options.{name}")
    mode, names = _allowed(request.tool_choice)
    if mode == "auto":
        kept = [tool for tool in declared if tool["name"] in names]
        if len(kept) < len(declared):
            notes.edit("Tools that tool_choice.allowed_tools does not name are left out of the request.")
        declared = kept
    return [*([{"functionDeclarations": declared}] if declared else []), *others]


def encode_choice(request: ChatRequest, tools: list[Tool], notes: Notes) -> dict[str, Any] | None:
    """`functionCallingConfig`; None for the vendor's default. Raises `RequestValidationError`."""
    if request.parallel_tool_calls is False and tools:
        notes.drop("parallel_tool_calls")
    config = _config(request.tool_choice)
    if config is None:
        return None
    has_functions = any("functionDeclarations" in tool for tool in tools)
    if config["mode"] == "ANY" and not has_functions:
        raise RequestValidationError("tool_choice demands a tool call, but there are no tools.", param="tool_choice")
    return config if has_functions else None


def _own(tool: Mapping[str, Any]) -> Tool | None:
    """A tool entry in Google's form, if this is one."""
    if "function" in tool or "custom" in tool:
        return None
    entry: Tool = camel({name: value for name, value in tool.items() if name != "type"})
    if entry and entry.keys() <= NATIVE_TOOLS:
        return entry
    if not entry and tool.get("type") in ("web_search", "web_search_preview"):
        return {"googleSearch": {}}
    return {"codeExecution": {}} if not entry and tool.get("type") == "code_interpreter" else None


def _declaration(tool: Mapping[str, Any], facts: ModelFacts, notes: Notes, where: str) -> Tool:
    function, custom = tool.get("function"), tool.get("custom")
    if isinstance(custom, Mapping):
        return _custom(custom, f"{where}.custom")
    if not isinstance(function, Mapping):
        if tool.get("type") == "function":
            raise RequestValidationError("A function tool needs 'function', an object.", param=f"{where}.function")
        raise RequestValidationError(f"Gemini has no tool of type {tool.get('type')!r}.", param=f"{where}.type")
    where = f"{where}.function"
    if not isinstance(function.get("name"), str):
        raise RequestValidationError("A function needs a name.", param=f"{where}.name")
    result: Tool = {"name": function["name"]}
    if function.get("description") is not None:
        result["description"] = function["description"]
    parameters = function.get("parameters")
    if parameters is not None:
        if not isinstance(parameters, Mapping):
            raise RequestValidationError("A tool's parameters are a JSON Schema.", param=f"{where}.parameters")
        schema = native_schema(parameters, facts)
        notes_of(schema.relaxed, notes, f"{where}.parameters")
        if schema.is_json:
            result["parametersJsonSchema"] = schema.schema
        elif schema.schema.get("properties"):  # OpenAPI's objects need properties; without any, nothing is said
            result["parameters"] = schema.schema
        if function.get("strict"):
            notes.promise(parameters, function["name"])
            notes.edit(f"{where}.strict is kept by checking the answer: the vendor does not compile this schema.")
    for name, value in function.items():
        if name in ("response", "responseJsonSchema", "behavior"):
            result[name] = value
        elif name not in ("name", "description", "parameters", "strict") and value is not None:
            notes.drop(f"{where}.{name}")
    return result


def notes_of(relaxed: tuple[Any, ...], notes: Notes, where: str) -> None:
    """Say in words what a schema lost."""
    if relaxed:
        lost = ", ".join(f"{keyword} at {pointer or '/'}" for pointer, keyword in relaxed[:8])
        notes.edit(f"{where}: what the vendor's schemas cannot express is relaxed ({lost}).")


def _custom(custom: Mapping[str, Any], where: str) -> Tool:
    if not isinstance(custom.get("name"), str):
        raise RequestValidationError("A custom tool needs a name.", param=f"{where}.name")
    form = custom.get("format")
    if form is not None and (not isinstance(form, Mapping) or form.get("type") != "text"):
        raise RequestValidationError("Gemini takes no grammar for a tool.", param=f"{where}.format")
    result: Tool = {"name": custom["name"]}
    if custom.get("description") is not None:
        result["description"] = custom["description"]
    text = {"type": "string", "description": "The tool's whole input, free-form."}
    schema = {"type": "object", "properties": {CUSTOM_INPUT: text}, "required": [CUSTOM_INPUT]}
    return {**result, "parameters": schema}


def _config(choice: Any) -> dict[str, Any] | None:
    if choice is None:
        return None
    if isinstance(choice, str) and choice in ("auto", "none", "required"):
        return {"mode": {"auto": "AUTO", "none": "NONE", "required": "ANY"}[choice]}
    mode, names = _allowed(choice)
    if mode == "auto":
        return {"mode": "AUTO"}
    if mode == "required":
        return {"mode": "ANY", "allowedFunctionNames": names}
    name = _name(choice) if isinstance(choice, Mapping) else None
    if name is None:
        raise RequestValidationError("tool_choice is none of the documented values.", param="tool_choice")
    return {"mode": "ANY", "allowedFunctionNames": [name]}


def _allowed(choice: Any) -> tuple[str | None, list[str]]:
    """The mode of `allowed_tools` and the names; None if it is not used."""
    if not isinstance(choice, Mapping) or choice.get("type") != "allowed_tools":
        return None, []
    allowed = choice.get("allowed_tools")
    allowed = allowed if isinstance(allowed, Mapping) else {}
    entries = allowed.get("tools")
    names = [_name(entry) for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    mode = "required" if allowed.get("mode") == "required" else "auto"
    return mode, [name for name in names if name is not None]


def _name(tool: Mapping[str, Any]) -> str | None:
    """The name of a tool or of what names one: under `function`, under `custom`, or (as some write it) flat."""
    for place in (tool.get("function"), tool.get("custom"), tool):
        if isinstance(place, Mapping) and isinstance(place.get("name"), str):
            return str(place["name"])
    return None
