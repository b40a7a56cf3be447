"""Our request → a body of `POST /v1/chat/completions`.

What Mistral has under OpenAI's names is sent as it is; parameters of its own (`safe_prompt`, `prompt_mode`,
`guardrails`, `min_tokens`, `top_k`, …) come with `extra_body` and win.

https://docs.mistral.ai/api/endpoint/chat
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.mistral.messages import encode_messages
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["encode_request"]

_SAME: Final = (
    *("temperature", "top_p", "stop", "n", "presence_penalty", "frequency_penalty", "logprobs", "top_logprobs"),
    *("parallel_tool_calls", "metadata", "reasoning_effort", "prompt_cache_key"),
)
_ADVISORY: Final = (
    *("user", "safety_identifier", "store", "verbosity", "prompt_cache_retention", "prompt_cache_options"),
)
_UNFIT: Final[Mapping[str, str]] = {
    "logit_bias": "takes no bias of single tokens",
    "audio": "does not speak",
    "web_search_options": "does not search the web in chat completions",
    "moderation": "moderates answers by guardrails only",
}
_RANGES: Final = (
    ("temperature", 0, 1.5),
    ("top_p", 0, 1),
    ("frequency_penalty", -2, 2),
    ("presence_penalty", -2, 2),
)
"""From Mistral's OpenAPI document."""
_TIERS: Final[Mapping[str, str]] = {"auto": "auto", "default": "standard_only", "standard_only": "standard_only"}
_HINT: Final = "cache_control"


def encode_request(request: ChatRequest, *, model: str, stream: bool) -> Encoded:
    """Our request → the body for `model`. Raises `RequestValidationError` for what this vendor has not."""
    _refuse_unfit(request)
    notes = Notes()
    extra = dict(request.model_extra or {})
    if extra.pop(_HINT, None) is not None:
        notes.drop(_HINT)
    body: dict[str, Any] = {"model": model, "messages": encode_messages(request.messages, notes)}
    body.update({name: value for name in _SAME if (value := getattr(request, name)) is not None})
    if request.max_completion_tokens is not None and request.max_tokens is not None:
        notes.drop("max_tokens")
    tools = _tools(request, notes)
    values = {
        "max_tokens": request.output_limit,
        "random_seed": request.seed,
        "stream": True if stream else None,
        "tools": tools or None,
        "tool_choice": _choice(request.tool_choice, tools),
        "response_format": _format(request.response_format),
        "prediction": _prediction(request.prediction),
        "service_tier": _TIERS.get(request.service_tier) if request.service_tier is not None else None,
    }
    if request.service_tier is not None and values["service_tier"] is None:
        notes.drop("service_tier")
    body.update({name: value for name, value in values.items() if value is not None})
    for name in _ADVISORY:
        if getattr(request, name) is not None:
            notes.drop(name)
    if not tools and body.pop("parallel_tool_calls", None) is False:
        notes.drop("parallel_tool_calls")
    body.update(extra)
    return notes.encoded(body)


def _refuse_unfit(request: ChatRequest) -> None:
    for name, reason in _UNFIT.items():
        value = getattr(request, name)
        if value is not None and (value or name != "logit_bias"):  # an empty object asks for a search, not for a bias
            _refuse(f"Mistral {reason}", name)
    if request.modalities not in (None, [], ["text"]):
        _refuse("Mistral answers with text only", "modalities")
    for name, low, high in _RANGES:
        value = getattr(request, name)
        if value is not None and not low <= value <= high:
            _refuse(f"must be between {low} and {high}; got {value}", name)


# tools


def _tools(request: ChatRequest, notes: Notes) -> list[dict[str, Any]]:
    tools = [_tool(tool, notes, f"tools[{i}]") for i, tool in enumerate(request.tools or ())]
    for i, function in enumerate(request.functions or ()):
        tools.append({"type": "function", "function": _function(function, notes, f"functions[{i}]")})
    allowed = _allowed(request.tool_choice)
    if allowed is None:
        return tools
    kept = [tool for tool in tools if _name(tool) in allowed]
    if len(kept) < len(tools):
        notes.edit("Tools that tool_choice.allowed_tools does not name are left out of the request.")
    return kept


def _tool(tool: Mapping[str, Any], notes: Notes, where: str) -> dict[str, Any]:
    if isinstance(tool.get("custom"), Mapping) or tool.get("type") == "custom":
        _refuse("Mistral has no free-form tools", f"{where}.custom")
    if "function" not in tool and tool.get("type", "function") != "function":
        return {name: value for name, value in tool.items() if value is not None}  # the vendor's own tools
    for name, value in tool.items():
        if name not in ("type", "function") and value is not None:
            notes.drop(f"{where}.{name}")
    return {"type": "function", "function": _function(tool.get("function"), notes, f"{where}.function")}


def _function(function: Any, notes: Notes, where: str) -> dict[str, Any]:
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        _refuse("a function needs a name", f"{where}.name")
    parameters = function.get("parameters")
    if parameters is None:
        parameters = {"type": "object", "properties": {}}  # the vendor demands them
    elif not isinstance(parameters, Mapping):
        _refuse("a tool's parameters are a JSON Schema", f"{where}.parameters")
    result: dict[str, Any] = {"name": function["name"]}
    for name in ("description", "strict"):
        if function.get(name) is not None:
            result[name] = function[name]
    for name, value in function.items():
        if name not in ("name", "description", "strict", "parameters") and value is not None:
            notes.drop(f"{where}.{name}")
    return {**result, "parameters": dict(parameters)}


def _choice(choice: Any, tools: list[dict[str, Any]]) -> Any:
    if choice is None:
        return None
    sent: Any = None
    if isinstance(choice, str):
        sent = {"auto": "auto", "none": "none", "required": "any", "any": "any"}.get(choice)
    elif choice.get("type") == "allowed_tools":
        options = choice.get("allowed_tools")
        sent = "any" if isinstance(options, Mapping) and options.get("mode") == "required" else "auto"
    elif (name := _name(choice)) is not None and "custom" not in choice:
        sent = {"type": "function", "function": {"name": name}}
    if sent is None:
        _refuse("is none of the documented values", "tool_choice")
    if not tools:
        if sent in ("auto", "none"):
            return None
        _refuse("a tool call is demanded, but there are no tools", "tool_choice")
    return sent


def _allowed(choice: Any) -> set[str] | None:
    """The names that `allowed_tools` allows; None if it is not used."""
    if not isinstance(choice, Mapping) or choice.get("type") != "allowed_tools":
        return None
    options = choice.get("allowed_tools")
    entries = options.get("tools") if isinstance(options, Mapping) else None
    names = [_name(entry) for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []
    return {name for name in names if name is not None}


def _name(tool: Mapping[str, Any]) -> str | None:
    inner = tool.get("function")
    name = inner.get("name") if isinstance(inner, Mapping) else tool.get("name")
    return name if isinstance(name, str) else None


# the answer's form


def _format(wanted: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if wanted is None:
        return None
    kind = wanted.get("type")
    if kind in ("text", "json_object"):
        return {"type": kind}
    if kind != "json_schema":
        _refuse("is none of the documented values", "response_format.type")
    schema = wanted.get("json_schema")
    where = "response_format.json_schema"
    if not isinstance(schema, Mapping) or not isinstance(schema.get("schema"), Mapping):
        _refuse("a json_schema format needs a schema", f"{where}.schema")
    if not isinstance(schema.get("name"), str):
        _refuse("a json_schema format needs a name", f"{where}.name")
    return {"type": kind, "json_schema": {name: value for name, value in schema.items() if value is not None}}


def _prediction(prediction: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if prediction is None:
        return None
    content = prediction.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    if not isinstance(content, str):
        _refuse("a prediction needs its content", "prediction.content")
    return {"type": "content", "content": content}


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
