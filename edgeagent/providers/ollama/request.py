"""One request → the body of `POST /api/chat`.

Every parameter is translated, or dropped and named where it is advisory, or a `RequestValidationError` where it asks
for something that Ollama's API has not: several answers, token biases, a forced tool call, audio, web search. Extra
parameters go into the body as they are, those that are options into `options`.

Source: https://docs.ollama.com/api/chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.dialect import MAX_DEPTH, Dialect, translate
from edgeagent.providers.notes import Notes
from edgeagent.providers.ollama.messages import encode_messages
from edgeagent.providers.ollama.options import encode_options
from edgeagent.types import ChatRequest

__all__ = ["encode_request"]

_ADVISORY: Final = (
    "metadata",
    "parallel_tool_calls",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
    "verbosity",
)
_INLINED: Final = Dialect(
    keywords=frozenset(
        {
            *("description", "title", "default", "examples", "pattern", "multipleOf", "uniqueItems"),
            *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength"),
            *("minItems", "maxItems", "minProperties", "maxProperties"),
        }
    ),
    formats={"string": frozenset({"date", "date-time", "time", "email", "uri", "uuid"})},
    refs=False,
)
"""What tools may say, references apart (https://github.com/ollama/ollama/blob/main/api/types.go, ToolProperty)."""
_THINK: Final[Mapping[str, bool | str]] = {
    "none": False,
    "minimal": "low",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
    "max": "high",
}
"""https://docs.ollama.com/capabilities/thinking: levels for models that have them, any of them is "on" for the rest."""


def encode_request(request: ChatRequest, *, model: str, stream: bool) -> Encoded:
    """The body, what was dropped and what was edited. Raises `RequestValidationError`."""
    notes = Notes()
    _refuse(request)
    for name in _ADVISORY:
        if getattr(request, name) is not None:
            notes.drop(name)
    extra = dict(request.model_extra or {})
    if extra.pop("cache_control", None) is not None:
        notes.drop("cache_control")
    body = {
        "model": model,
        "messages": encode_messages(request.messages, notes),
        "stream": stream,
        "tools": _tools(request, notes) or None,
        "format": _format(request, notes),
        "think": _think(request, notes),
        "options": encode_options(request, extra) or None,
        "logprobs": request.logprobs,
        "top_logprobs": request.top_logprobs,
        **extra,
    }
    return Encoded(
        {name: value for name, value in body.items() if value is not None},
        dropped=notes.dropped,
        edits=notes.edits,
        promises=notes.promises,
    )


def _refuse(request: ChatRequest) -> None:
    """What Ollama has not, and what would be another answer without it."""
    asked = {
        "n": (request.n not in {None, 1}, "gives one answer to a request"),
        "logit_bias": (bool(request.logit_bias), "has no token biases"),
        "audio": (request.audio is not None, "does not speak"),
        "modalities": (bool({*(request.modalities or ())} - {"text"}), "answers with text"),
        "moderation": (request.moderation is not None, "has no moderation"),
        "web_search_options": (request.web_search_options is not None, "does not search the web by itself"),
    }
    for name, (is_asked, reason) in asked.items():
        if is_asked:
            raise RequestValidationError(f"Ollama {reason}.", param=name)


def _think(request: ChatRequest, notes: Notes) -> bool | str | None:
    effort = request.reasoning_effort
    if effort is None:
        return None
    if effort not in _THINK:
        raise RequestValidationError("reasoning_effort is none of the documented values.", param="reasoning_effort")
    think = _THINK[effort]
    if think is not False and think != effort:
        notes.edit(f"reasoning_effort {effort!r} is sent as {think!r}.")
    return think


def _format(request: ChatRequest, notes: Notes) -> Any:
    wanted = request.response_format or {}
    kind = wanted.get("type")
    if kind in (None, "text"):
        return None
    if kind == "json_object":
        return "json"
    spec = wanted.get("json_schema")
    if kind != "json_schema":
        raise RequestValidationError("response_format is none of the documented values.", param="response_format.type")
    if not isinstance(spec, Mapping) or not isinstance(spec.get("schema"), Mapping):
        message = "A json_schema format needs a schema."
        raise RequestValidationError(message, param="response_format.json_schema.schema")
    schema = dict(spec["schema"])
    if spec.get("strict"):
        notes.promise(schema)  # the grammar made of it leaves out what it cannot say (patterns, bounds)
    if isinstance(spec.get("description"), str) and "description" not in schema:
        schema = {"description": spec["description"], **schema}
    return schema


def _tools(request: ChatRequest, notes: Notes) -> list[dict[str, Any]]:
    tools = [_tool(tool, notes, f"tools[{i}]") for i, tool in enumerate(request.tools or ())]
    choice = request.tool_choice
    if choice is None or choice == "auto":
        return tools
    if choice == "none":
        if tools:
            notes.edit("Tools are left out of the request: tool_choice is none.")
        return []
    allowed = choice.get("allowed_tools") if isinstance(choice, dict) else None
    if isinstance(allowed, Mapping) and allowed.get("mode") == "auto" and isinstance(allowed.get("tools"), list):
        names = {entry["function"].get("name") for entry in allowed["tools"] if _is_function(entry)}
        notes.edit("Tools that tool_choice.allowed_tools does not name are left out of the request.")
        return [tool for tool in tools if tool["function"]["name"] in names]
    raise RequestValidationError("Ollama cannot be made to call a tool.", param="tool_choice")


def _is_function(entry: Any) -> bool:
    return isinstance(entry, Mapping) and isinstance(entry.get("function"), Mapping)


def _tool(tool: Mapping[str, Any], notes: Notes, where: str) -> dict[str, Any]:
    if not _is_function(tool):
        raise RequestValidationError("Ollama's tools are functions.", param=f"{where}.type")
    function = tool["function"]
    if not isinstance(function.get("name"), str):
        raise RequestValidationError("A function needs a name.", param=f"{where}.function.name")
    parameters = function.get("parameters")
    if parameters is not None and not isinstance(parameters, Mapping):
        raise RequestValidationError("parameters are a JSON Schema.", param=f"{where}.function.parameters")
    if function.get("strict"):
        notes.promise(parameters or {}, function["name"])
        notes.edit("Tools' strict is kept by checking the answer.")
    for name in tool.keys() - {"type", "function"}:
        notes.drop(f"tools.{name}")
    kept = {name: value for name, value in function.items() if name != "strict" and value is not None}
    return {"type": "function", "function": {**kept, "parameters": _parameters(parameters, notes)}}


def _parameters(schema: Mapping[str, Any] | None, notes: Notes) -> dict[str, Any]:
    """The schema of an object; references are written out, since Ollama's templates are not given them."""
    if schema is None:
        return {"type": "object", "properties": {}}
    if _has_reference(schema):
        notes.edit("References in the parameters of tools are written out.")
        schema = translate(schema, _INLINED).schema
    return dict(schema) if "type" in schema else {"type": "object", **schema}


def _has_reference(schema: Any, depth: int = 0) -> bool:
    if depth > MAX_DEPTH:
        return True
    if isinstance(schema, Mapping):
        return isinstance(schema.get("$ref"), str) or any(_has_reference(v, depth + 1) for v in schema.values())
    return isinstance(schema, list) and any(_has_reference(item, depth + 1) for item in schema)
