"""Tools, the choice among them, and the answer's form: OpenAI's → Cohere's.

- `tool_choice` is REQUIRED or NONE; a named tool is REQUIRED with no other tool in the request (an edit).
- `strict_tools` holds for all tools: it is set if all of them are strict; else the strict ones are checked on the
  answer.
- A JSON Schema is given with `json_object`. It cannot stand beside tools or documents. Its stricter keywords are not
  enforced by the vendor, so that a strict one is checked on the answer.

https://docs.cohere.com/v2/reference/chat, /v2/docs/structured-outputs
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from edgeagent.errors import RequestValidationError
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["encode_choice", "encode_format", "encode_tools"]

Tool = dict[str, Any]


def encode_tools(request: ChatRequest, notes: Notes) -> tuple[list[Tool], bool | None]:
    """The tools, less those that `tool_choice` leaves out, and `strict_tools`. Raises `RequestValidationError`."""
    given = [(tool, f"tools[{i}]") for i, tool in enumerate(request.tools or ())]
    given += [({"function": function}, f"functions[{i}]") for i, function in enumerate(request.functions or ())]
    functions = [_function(tool, notes, where) for tool, where in given]
    wanted = _wanted(request)
    if wanted is not None:
        kept = [function for function in functions if function["name"] in wanted]
        if len(kept) < len(functions):
            notes.edit("Tools that tool_choice does not name are left out of the request.")
        functions = kept
    strict = [function.pop("strict", None) for function in functions]
    tools = [{"type": "function", "function": function} for function in functions]
    if tools and all(strict):
        return tools, True
    for function, is_strict in zip(functions, strict, strict=True):
        if is_strict:
            notes.promise(function["parameters"], function["name"])
    return tools, None


def _function(tool: Mapping[str, Any], notes: Notes, where: str) -> Tool:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        _refuse("Cohere has function tools only", where)
    for name, value in tool.items():
        if name not in ("type", "function") and value is not None:
            notes.drop(f"{where}.{name}")
    if not isinstance(function.get("name"), str):
        _refuse("a function needs a name", f"{where}.function.name")
    parameters = function.get("parameters")
    if parameters is None:
        parameters = {"type": "object", "properties": {}}  # the vendor demands them
    elif not isinstance(parameters, Mapping):
        _refuse("a tool's parameters are a JSON Schema", f"{where}.function.parameters")
    result: Tool = {"name": function["name"], "parameters": dict(parameters)}
    if function.get("description") is not None:
        result["description"] = function["description"]
    if function.get("strict"):
        result["strict"] = True
    for name, value in function.items():
        if name not in ("name", "parameters", "description", "strict") and value is not None:
            notes.drop(f"{where}.function.{name}")
    return result


def encode_choice(request: ChatRequest, tools: list[Tool]) -> str | None:
    """`tool_choice`; None for the vendor's default. Raises `RequestValidationError`."""
    choice: Any = request.tool_choice if request.tool_choice is not None else request.function_call
    where = "tool_choice" if request.tool_choice is not None else "function_call"
    sent = _choice(choice, where)
    if sent == "REQUIRED" and not tools:
        _refuse("a tool call is demanded, but there are no tools", where)
    return sent if tools else None


def _choice(choice: Any, where: str) -> str | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        if choice not in ("auto", "none", "required"):
            _refuse("is none of the documented values", where)
        return {"required": "REQUIRED", "none": "NONE"}.get(choice)
    if choice.get("type") == "allowed_tools":
        return "REQUIRED" if _object(choice.get("allowed_tools")).get("mode") == "required" else None
    if _name(choice) is None:
        _refuse("is none of the documented values", where)
    return "REQUIRED"


def _wanted(request: ChatRequest) -> set[str] | None:
    """The names of the tools that may be called; None for all."""
    choice: Any = request.tool_choice if request.tool_choice is not None else request.function_call
    if not isinstance(choice, Mapping):
        return None
    if choice.get("type") != "allowed_tools":
        name = _name(choice)
        return None if name is None else {name}
    entries = _object(choice.get("allowed_tools")).get("tools")
    names = [_name(_object(entry)) for entry in entries] if isinstance(entries, list) else []
    return {name for name in names if name is not None}


def _name(tool: Mapping[str, Any]) -> str | None:
    name = _object(tool.get("function")).get("name", tool.get("name"))
    return name if isinstance(name, str) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def encode_format(wanted: Mapping[str, Any] | None, *, beside: str | None, notes: Notes) -> dict[str, Any] | None:
    """`response_format`; `beside` names what the vendor refuses together with it. Raises `RequestValidationError`."""
    if wanted is None or wanted.get("type") == "text":
        return None
    kind = wanted.get("type")
    if kind not in ("json_object", "json_schema"):
        _refuse("is none of the documented values", "response_format.type")
    if beside is not None:
        _refuse(f"Cohere does not take it together with {beside}", "response_format")
    if kind == "json_object":
        schema = wanted.get("schema", wanted.get("json_schema"))
        return {"type": kind, **({"json_schema": schema} if isinstance(schema, Mapping) else {})}
    form = _object(wanted.get("json_schema"))
    if not isinstance(form.get("schema"), Mapping):
        _refuse("a json_schema format needs a schema", "response_format.json_schema.schema")
    if form.get("strict"):
        notes.promise(form["schema"])
    return {"type": "json_object", "json_schema": dict(form["schema"])}


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
