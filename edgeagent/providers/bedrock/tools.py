"""Tools, the choice among them, and the form of the answer: OpenAI's form → `toolConfig` and `outputConfig`.

- A function's `parameters` become the `inputSchema`, an object's; a free-form (`custom`) tool becomes a tool with one
  string. An entry `{"type": "systemTool", "systemTool": {…}}` (also `toolSpec`, `cachePoint`) is the vendor's own.
- Converse has no `none`: the tools are left out. But it refuses tool calls in the conversation without any tool, so a
  tool that does nothing stands for them (an edit).
- A schema is asked for by `outputConfig` where the model compiles schemas, else by a reserved tool that it must call.
- What `strict` promised and the model does not compile is checked on the answer.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.schema import closed_schema
from edgeagent.providers.bedrock.content import Context
from edgeagent.providers.calls import CUSTOM_INPUT, JSON_TOOL
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest
from edgeagent.wire.json import dump_json

__all__ = ["INERT_TOOL", "NATIVE_TOOLS", "Asked", "asked_form"]

Tool = dict[str, Any]

NATIVE_TOOLS: Final = frozenset({"systemTool", "toolSpec", "cachePoint"})
"""Types of tools that are Converse's own entries."""

INERT_TOOL: Final = "edgeagent_no_tool"
"""The tool that is defined where the conversation has calls and the request has no tools."""

_INSTRUCTION: Final = "Answer with one JSON object and nothing else: no code fence, no words before or after it."


@dataclass(slots=True)
class Asked:
    """`toolConfig`, `outputConfig`, a sentence for the system prompt, fields for the model: what there is of them."""

    tools: list[Tool] = field(default_factory=list)
    choice: dict[str, Any] | None = None
    text_format: dict[str, Any] | None = None
    instruction: str | None = None

    @property
    def is_forced(self) -> bool:
        """Whether a tool call is demanded."""
        return self.choice is not None and "auto" not in self.choice

    @property
    def tool_config(self) -> dict[str, Any] | None:
        """The value of `toolConfig`."""
        if not self.tools:
            return None
        return {"tools": self.tools, **({"toolChoice": self.choice} if self.choice is not None else {})}


def asked_form(request: ChatRequest, context: Context, *, tool_blocks: bool) -> Asked:
    """How the model is asked for tools and form. Raises `RequestValidationError`.

    `tool_blocks` says that the conversation holds tool calls or results.
    """
    asked = Asked()
    for index, tool in enumerate(request.tools or ()):
        asked.tools += _tool(tool, context, f"tools[{index}]")
    for index, function in enumerate(request.functions or ()):
        asked.tools.append({"toolSpec": _function(function, context, f"functions[{index}]")})
    if request.web_search_options is not None:
        asked.tools.append(_web_search(context))
    _choose(request, asked, context)
    _shape(request.response_format, asked, context)
    if tool_blocks and not asked.tools:
        context.notes.edit(
            f"A tool {INERT_TOOL} is added: the vendor refuses tool calls in a conversation without one."
        )
        words = "Stands for the tools of earlier calls. It does nothing and is never to be called."
        asked.tools.append({"toolSpec": {"name": INERT_TOOL, "description": words, "inputSchema": _schema(None)}})
    return asked


# tools


def _schema(schema: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"json": {"type": "object", "properties": {}} if schema is None else dict(schema)}


def _tool(tool: Mapping[str, Any], context: Context, where: str) -> list[Tool]:
    kind = tool.get("type")
    if isinstance(kind, str) and kind in NATIVE_TOOLS:
        if not isinstance(tool.get(kind), Mapping):
            raise RequestValidationError(f"A {kind} needs {kind!r}, an object.", param=f"{where}.{kind}")
        return [{kind: dict(tool[kind])}]
    if isinstance(tool.get("function"), Mapping):
        spec = _function(tool["function"], context, f"{where}.function")
    elif isinstance(tool.get("custom"), Mapping):
        spec = _custom(tool["custom"], f"{where}.custom")
    elif kind in (None, "function"):
        raise RequestValidationError("A function tool needs 'function', an object.", param=f"{where}.function")
    else:
        raise RequestValidationError(f"Bedrock has no tool of type {kind!r}.", param=f"{where}.type")
    for name, value in tool.items():
        if name not in {"type", "function", "custom", "cache_control"} and value is not None:
            context.notes.drop(f"{where}.{name}")
    return context.cached([{"toolSpec": spec}], tool.get("cache_control"), where)


def _function(function: Any, context: Context, where: str) -> Tool:
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise RequestValidationError("A function needs a name.", param=f"{where}.name")
    spec: Tool = {"name": function["name"]}
    if isinstance(function.get("description"), str) and function["description"]:
        spec["description"] = function["description"]
    parameters = function.get("parameters")
    if parameters is not None and (not isinstance(parameters, Mapping) or parameters.get("type", "object") != "object"):
        raise RequestValidationError(
            "A tool's parameters are the JSON Schema of an object.", param=f"{where}.parameters"
        )
    if isinstance(parameters, Mapping) and "type" not in parameters:
        context.notes.edit(f"{where}.parameters: type object is added: the vendor demands it.")
        parameters = {"type": "object", **parameters}
    spec["inputSchema"] = _schema(parameters)
    if function.get("strict"):
        _strict(spec, context, where)
    elif function.get("strict") is False and context.facts.compiles_schemas:
        spec["strict"] = False
    return spec


def _strict(spec: Tool, context: Context, where: str) -> None:
    schema = spec["inputSchema"]["json"]
    closed = closed_schema(schema) if context.facts.compiles_schemas else None
    if closed is None or closed.weaker:
        context.notes.promise(schema, spec["name"])
    if closed is None:
        context.notes.edit(f"{where}.strict is kept by checking the answer: the vendor does not compile this schema.")
        return
    spec["strict"] = True
    if closed.changed:
        spec["inputSchema"] = {"json": closed.schema}
        context.notes.edit(f"{where}.parameters: what strict tools cannot express is told in descriptions instead.")


def _custom(custom: Mapping[str, Any], where: str) -> Tool:
    if not isinstance(custom.get("name"), str):
        raise RequestValidationError("A custom tool needs a name.", param=f"{where}.name")
    form = custom.get("format")
    if form is not None and (not isinstance(form, Mapping) or form.get("type") != "text"):
        raise RequestValidationError("Bedrock's models take no grammar for a tool.", param=f"{where}.format")
    text = {"type": "string", "description": "The tool's whole input, free-form."}
    spec: Tool = {"name": custom["name"]}
    if isinstance(custom.get("description"), str) and custom["description"]:
        spec["description"] = custom["description"]
    schema = {"type": "object", "properties": {CUSTOM_INPUT: text}, "required": [CUSTOM_INPUT]}
    return {**spec, "inputSchema": _schema(schema)}


def _web_search(context: Context) -> Tool:
    """Amazon's own models have a search of their own (/nova/latest/nova2-userguide/web-grounding.html)."""
    if not context.facts.is_nova:
        raise RequestValidationError("This model does not search the web.", param="web_search_options")
    context.notes.edit("web_search_options is asked for as the system tool nova_grounding, without its options.")
    return {"systemTool": {"name": "nova_grounding"}}


# the choice


def _choose(request: ChatRequest, asked: Asked, context: Context) -> None:
    where = "tool_choice" if request.tool_choice is not None else "function_call"
    choice: Any = request.tool_choice if request.tool_choice is not None else request.function_call
    if choice is None:
        return
    if choice == "none":
        if asked.tools:
            context.notes.edit("The tools are left out of the request: the vendor cannot forbid to call them.")
        asked.tools = []
        return
    if isinstance(choice, Mapping) and choice.get("type") == "allowed_tools":
        _allow(choice.get("allowed_tools"), asked, context.notes)
        mode = choice["allowed_tools"].get("mode") if isinstance(choice.get("allowed_tools"), Mapping) else None
        choice = "required" if mode == "required" else "auto"
    if choice == "auto":
        asked.choice = {"auto": {}} if asked.tools else None
        return
    name = _name_of(choice) if isinstance(choice, Mapping) else None
    if choice != "required" and name is None:
        raise RequestValidationError(f"{where} is none of the documented values.", param=where)
    if not asked.tools:
        raise RequestValidationError(f"{where} demands a tool call, but there are no tools.", param=where)
    _force(name, asked, context, where)


def _force(name: str | None, asked: Asked, context: Context, where: str) -> None:
    forced = context.facts.forced
    if forced == "none":
        raise RequestValidationError("This model cannot be made to call a tool.", param=where)
    if name is not None and forced == "any":
        kept = [tool for tool in asked.tools if _name_of(tool.get("toolSpec", {})) == name]
        if len(kept) < len(asked.tools):
            context.notes.edit(f"{where}: the other tools are left out, since this model can only be made to call any.")
        asked.tools = kept or asked.tools
        name = None
    asked.choice = {"any": {}} if name is None else {"tool": {"name": name}}


def _allow(allowed: Any, asked: Asked, notes: Notes) -> None:
    entries = allowed.get("tools") if isinstance(allowed, Mapping) else None
    names = {_name_of(entry) for entry in entries if isinstance(entry, Mapping)} if isinstance(entries, list) else set()
    kept = [tool for tool in asked.tools if "toolSpec" not in tool or _name_of(tool["toolSpec"]) in names]
    if len(kept) < len(asked.tools):
        notes.edit("Tools that tool_choice.allowed_tools does not name are left out of the request.")
    asked.tools = kept


def _name_of(tool: Mapping[str, Any]) -> str | None:
    for place in (tool.get("function"), tool.get("custom"), tool):
        if isinstance(place, Mapping) and isinstance(place.get("name"), str):
            return str(place["name"])
    return None


# the form of the answer


def _shape(wanted: dict[str, Any] | None, asked: Asked, context: Context) -> None:
    if wanted is None or wanted.get("type") == "text":
        return
    if wanted.get("type") == "json_object":
        if context.facts.forced == "none":
            context.notes.edit("JSON is asked for in the system prompt: this model cannot be made to call a tool.")
            asked.instruction = _INSTRUCTION
        else:
            _force_json("The answer, as a JSON object.", {"type": "object"}, asked, context)
        return
    form = wanted.get("json_schema")
    where = "response_format.json_schema"
    if wanted.get("type") != "json_schema":
        raise RequestValidationError("response_format is none of the documented values.", param="response_format.type")
    if not isinstance(form, Mapping) or not isinstance(form.get("schema"), Mapping):
        raise RequestValidationError("A json_schema format needs a schema.", param=f"{where}.schema")
    schema = dict(form["schema"])
    closed = closed_schema(schema) if context.facts.compiles_schemas else None
    if form.get("strict") and (closed is None or closed.weaker):
        context.notes.promise(schema)
    if closed is not None:
        if closed.changed:
            context.notes.edit(f"{where}.schema: what structured outputs cannot express is told in descriptions.")
        names = {name: form[name] for name in ("name", "description") if isinstance(form.get(name), str)}
        structure = {"jsonSchema": {"schema": dump_json(closed.schema).decode(), **names}}
        asked.text_format = {"type": "json_schema", "structure": structure}
        return
    if context.facts.forced == "none":
        raise RequestValidationError("This model has no way to be held to this schema.", param="response_format")
    if schema.get("type") != "object":
        raise RequestValidationError("The schema of an answer is an object's.", param=f"{where}.schema.type")
    words = form.get("description")
    text = words if isinstance(words, str) and words else "The answer, in the form that was asked for."
    _force_json(text, schema, asked, context)


def _force_json(description: str, schema: dict[str, Any], asked: Asked, context: Context) -> None:
    if asked.is_forced:
        context.notes.edit("response_format is not asked for: tool_choice demands a tool call.")
        return
    tool = {"toolSpec": {"name": JSON_TOOL, "description": description, "inputSchema": _schema(schema)}}
    if asked.tools or context.facts.forced == "any":
        context.notes.edit(f"response_format is had by the tool {JSON_TOOL}: a call, of it or another, is forced.")
        asked.choice = {"any": {}}
    else:
        context.notes.edit(f"response_format is had by a forced call of the tool {JSON_TOOL}.")
        asked.choice = {"tool": {"name": JSON_TOOL}}
    asked.tools.append(tool)
