"""`response_format`: how the answer's form is asked for.

- `json_schema`: by `output_config.format`, where the model compiles schemas and this one has a compiled form.
- Otherwise, and for `json_object` (any object has no compiled form): by a reserved tool that the model must call, whose
  input becomes the content (see `blocks.read_blocks`). With tools of the caller's own the model must call one of all.
- `json_object` for models that refuse forced tools: by a sentence in the system prompt.

Each way but the first stands in `edits`. A strict schema of which the vendor compiles only a part, or nothing, is
checked on the answer besides. Where the caller's `tool_choice` demands a tool call anyway, no content can come and
nothing is added.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.schema import closed_schema
from edgeagent.providers.calls import JSON_TOOL
from edgeagent.providers.claude import ModelFacts
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["OutputForm", "force_json_tool", "output_form"]

_INSTRUCTION: Final = "Answer with one JSON object and nothing else: no code fence, no words before or after it."


@dataclass(frozen=True, slots=True)
class OutputForm:
    """One of: the value of `output_config.format`; the reserved tool; a sentence for the system prompt; nothing."""

    format: dict[str, Any] | None = None
    tool: dict[str, Any] | None = None
    instruction: str | None = None


def output_form(request: ChatRequest, facts: ModelFacts, notes: Notes) -> OutputForm:
    """How this model is asked for the form that the request wants. Raises `RequestValidationError`."""
    wanted = request.response_format
    if wanted is None or wanted.get("type") == "text":
        return OutputForm()
    if wanted.get("type") == "json_object":
        if facts.forced_tools:
            return OutputForm(tool=_tool("The answer, as a JSON object.", {"type": "object"}))
        notes.edit("JSON is asked for in the system prompt: this model refuses forced tools.")
        return OutputForm(instruction=_INSTRUCTION)
    if wanted.get("type") != "json_schema":
        raise RequestValidationError("response_format is none of the documented values.", param="response_format.type")
    return _by_schema(wanted.get("json_schema"), facts, notes)


def _by_schema(wanted: Any, facts: ModelFacts, notes: Notes) -> OutputForm:
    where = "response_format.json_schema"
    if not isinstance(wanted, Mapping) or not isinstance(wanted.get("schema"), Mapping):
        raise RequestValidationError("A json_schema format needs a schema.", param=f"{where}.schema")
    schema = dict(wanted["schema"])
    description = wanted.get("description")
    closed = closed_schema(schema) if facts.native_schema else None
    if wanted.get("strict") and (closed is None or closed.weaker):
        notes.promise(schema)
    if closed is not None:
        if closed.changed:
            notes.edit(f"{where}.schema: what structured outputs cannot express is told in descriptions instead.")
        return OutputForm(format={"type": "json_schema", "schema": _described(closed.schema, description)})
    if not facts.forced_tools:
        message = "This model has no way to be held to this schema: it is too free, and forced tools are refused."
        raise RequestValidationError(message, param="response_format")
    if schema.get("type") != "object":
        raise RequestValidationError("The schema of an answer is an object's.", param=f"{where}.schema.type")
    text = description if isinstance(description, str) else "The answer, in the form that was asked for."
    return OutputForm(tool=_tool(text, schema))


def _described(schema: dict[str, Any], description: Any) -> dict[str, Any]:
    if isinstance(description, str) and "description" not in schema:
        return {"description": description, **schema}
    return schema


def _tool(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": JSON_TOOL, "description": description, "input_schema": schema}


def force_json_tool(
    tool: dict[str, Any], tools: list[dict[str, Any]], choice: dict[str, Any] | None, notes: Notes
) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The tools and the choice with the reserved tool in them; unchanged if a tool call is demanded anyway."""
    kind = (choice or {}).get("type")
    if kind in {"any", "tool"}:
        notes.edit("response_format is not asked for: tool_choice demands a tool call.")
        return tools, choice
    once = {"disable_parallel_tool_use": True}
    if not tools or kind == "none":
        notes.edit(f"response_format is had by a forced call of the tool {JSON_TOOL}.")
        return [*tools, tool], {"type": "tool", "name": JSON_TOOL, **once}
    notes.edit(f"response_format is had by the tool {JSON_TOOL}: one call, of it or of another tool, is forced.")
    return [*tools, tool], {"type": "any", **once}
