"""Chat requests ↔ the body of `POST /accounts/{account}/ai/run/{model}`.

The messages, tools and sampling parameters are OpenAI's in form; a `json_schema` format holds the schema itself. What
the documented body has not, and would be another answer without it (a forced tool call, stop sequences, several
answers, log probabilities), is a `RequestValidationError`; advisory parameters are dropped. Extra parameters go into
the body as they are (`top_k`, `repetition_penalty`, `raw`, `lora`, `chat_template_kwargs`).

Source: https://developers.cloudflare.com/api/resources/ai/methods/run/, …/workers-ai/features/json-mode/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault

__all__ = ["decode_request", "encode_request"]

_SAME: Final = (
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "seed",
    "temperature",
    "top_p",
)
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
_PARTS: Final = frozenset({"text", "image_url"})
_MESSAGE: Final = frozenset({"role", "content", "name", "tool_calls", "tool_call_id"})
_ANSWER: Final = frozenset({"annotations", "audio", "function_call", "native_content", "reasoning_content", "refusal"})


def encode_request(request: ChatRequest, *, stream: bool) -> Encoded:
    """The body, what was dropped and what was edited. Raises `RequestValidationError`."""
    notes = Notes()
    _refuse(request)
    for name in _ADVISORY:
        if getattr(request, name) is not None:
            notes.drop(name)
    extra = dict(request.model_extra or {})
    if extra.pop("cache_control", None) is not None:
        notes.drop("cache_control")
    messages = [_message(message, notes, f"messages[{i}]") for i, message in enumerate(request.messages)]
    body: dict[str, Any] = {
        "messages": messages,
        "max_tokens": request.output_limit,
        **{name: getattr(request, name) for name in _SAME},
        "tools": _tools(request, notes) or None,
        "response_format": _format(request, notes),
        "stream": True if stream else None,
        **extra,
    }
    sent = {name: value for name, value in body.items() if value is not None}
    return Encoded(sent, dropped=notes.dropped, edits=notes.edits, promises=notes.promises)


def _refuse(request: ChatRequest) -> None:
    asked = {
        "n": (request.n not in {None, 1}, "gives one answer to a request"),
        "stop": (bool(request.stop), "has no stop sequences"),
        "logprobs": (bool(request.logprobs or request.top_logprobs), "tells no log probabilities"),
        "logit_bias": (bool(request.logit_bias), "has no token biases"),
        "audio": (request.audio is not None, "does not speak"),
        "modalities": (bool({*(request.modalities or ())} - {"text"}), "answers with text"),
        "moderation": (request.moderation is not None, "has no moderation"),
        "web_search_options": (request.web_search_options is not None, "does not search the web"),
    }
    for name, (is_asked, reason) in asked.items():
        if is_asked:
            raise RequestValidationError(f"Workers AI {reason}.", param=name)


def _message(message: Mapping[str, Any], notes: Notes, where: str) -> dict[str, Any]:
    role = message.get("role")
    if role not in ("system", "developer", "user", "assistant", "tool"):
        raise RequestValidationError(f"Workers AI has no role {role!r}.", param=f"{where}.role")
    if role == "developer":
        notes.edit("Messages of the developer are sent as the system's.")
    for name in message.keys() - _MESSAGE - _ANSWER:
        notes.drop(f"messages.{name}")
    sent: dict[str, Any] = {"role": "system" if role == "developer" else role}
    sent["content"] = _said(message, where) if role == "assistant" else _content(message, notes, where)
    if message.get("tool_call_id") is not None:
        sent["tool_call_id"] = message["tool_call_id"]
    if role == "tool" and message.get("name") is not None:
        sent["name"] = message["name"]
    elif message.get("name") is not None:
        notes.drop("messages.name")
    if calls := message.get("tool_calls"):
        if not isinstance(calls, list):
            raise RequestValidationError("tool_calls is a list.", param=f"{where}.tool_calls")
        sent["tool_calls"] = [_call(call, notes, f"{where}.tool_calls[{i}]") for i, call in enumerate(calls)]
    return sent


def _content(message: Mapping[str, Any], notes: Notes, where: str) -> Any:
    """A text, or parts; several texts and nothing else are one, as not every model takes parts."""
    content = message.get("content")
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise RequestValidationError("content is text or a list of parts.", param=f"{where}.content")
    for i, part in enumerate(content):
        kind = part.get("type") if isinstance(part, Mapping) else None
        if not isinstance(kind, str) or kind not in _PARTS:
            message_ = f"Workers AI has no parts of type {kind!r}."
            raise RequestValidationError(message_, param=f"{where}.content[{i}].type")
        if kind == "text" and not isinstance(part.get("text"), str):
            raise RequestValidationError("text is text.", param=f"{where}.content[{i}].text")
        if part.get("cache_control") is not None:
            notes.drop("messages.content.cache_control")
    if all(part["type"] == "text" for part in content):
        return "\n".join(part["text"] for part in content)
    return [{k: v for k, v in part.items() if k != "cache_control"} for part in content]


def _said(message: Mapping[str, Any], where: str) -> str:
    """What the assistant said, text and refusals; the vendor demands a text."""
    content, refusal = message.get("content"), message.get("refusal")
    pieces = [content] if isinstance(content, str) else []
    for i, part in enumerate(content if isinstance(content, list) else ()):
        kind = part.get("type") if isinstance(part, Mapping) else None
        text = part.get(kind) if kind in ("text", "refusal") else None
        if not isinstance(text, str):
            told = f"An assistant's message has no parts of type {kind!r}."
            raise RequestValidationError(told, param=f"{where}.content[{i}].type")
        pieces.append(text)
    audio = message.get("audio")
    spoken = audio.get("transcript") if isinstance(audio, Mapping) else None
    return "".join([*pieces, *(text for text in (refusal, spoken) if isinstance(text, str))])


def _call(call: Any, notes: Notes, where: str) -> dict[str, Any]:
    call = call if isinstance(call, Mapping) else {}
    function, custom = call.get("function"), call.get("custom")
    if isinstance(custom, Mapping):
        notes.edit("Calls of free-form tools are sent as calls of functions.")
        function = {"name": custom.get("name"), "arguments": str(custom.get("input") or "")}
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise RequestValidationError("A tool call needs a function with a name.", param=f"{where}.function.name")
    kept = {"name": function["name"], "arguments": function.get("arguments") or "{}"}
    sent: dict[str, Any] = {"type": "function", "function": kept}
    return {"id": call["id"], **sent} if isinstance(call.get("id"), str) else sent


def _tools(request: ChatRequest, notes: Notes) -> list[dict[str, Any]]:
    choice = request.tool_choice
    if choice not in {None, "auto", "none"} if isinstance(choice, str | None) else True:
        raise RequestValidationError("Workers AI cannot be made to call a tool.", param="tool_choice")
    tools = [_tool(tool, notes, f"tools[{i}]") for i, tool in enumerate(request.tools or ())]
    if choice == "none" and tools:
        notes.edit("Tools are left out of the request: tool_choice is none.")
        return []
    return tools


def _tool(tool: Mapping[str, Any], notes: Notes, where: str) -> dict[str, Any]:
    function = tool.get("function")
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise RequestValidationError("Workers AI's tools are functions with a name.", param=f"{where}.function")
    if function.get("strict"):
        notes.promise(function.get("parameters") or {}, function["name"])
        notes.edit("Tools' strict is kept by checking the answer.")
    for name in tool.keys() - {"type", "function"}:
        notes.drop(f"tools.{name}")
    kept = {name: value for name, value in function.items() if name != "strict" and value is not None}
    kept.setdefault("description", function["name"])  # demanded, as parameters are
    kept.setdefault("parameters", {"type": "object", "properties": {}})
    return {"type": "function", "function": kept}


def _format(request: ChatRequest, notes: Notes) -> dict[str, Any] | None:
    wanted = request.response_format or {}
    kind = wanted.get("type")
    if kind in (None, "text"):
        return None
    if kind == "json_object":
        return {"type": "json_object"}
    spec = wanted.get("json_schema")
    if kind != "json_schema":
        raise RequestValidationError("response_format is none of the documented values.", param="response_format.type")
    if not isinstance(spec, Mapping) or not isinstance(spec.get("schema"), Mapping):
        message = "A json_schema format needs a schema."
        raise RequestValidationError(message, param="response_format.json_schema.schema")
    if spec.get("strict"):
        notes.promise(spec["schema"])  # "can't guarantee that the model responds according to the requested schema"
    return {"type": "json_schema", "json_schema": dict(spec["schema"])}


# The inverse


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """A body → our request; the model, which only the address names, is empty. Raises `RequestValidationError`."""
    params = {name: value for name, value in body.items() if value is not None}
    for name in ("extra_headers", "extra_query"):  # would become header fields or a query
        if name in params:
            raise RequestValidationError(f"{name}: it is no field of the body.", param=name)
    prompt = params.pop("prompt", None)
    if prompt is not None and "messages" not in params:
        params["messages"] = [{"role": "user", "content": prompt}]
    form = params.get("response_format")
    schema = form.get("json_schema") if isinstance(form, Mapping) else None
    if isinstance(schema, Mapping) and not isinstance(schema.get("schema"), Mapping):
        params["response_format"] = {**(form or {}), "json_schema": {"name": "answer", "schema": dict(schema)}}
    if isinstance(tools := params.get("tools"), list):
        params["tools"] = [_wrapped(tool) for tool in tools]
    try:
        return ChatRequest.model_validate({"model": "", **params})
    except ValidationError as error:
        param, reason = first_fault(error)
        raise RequestValidationError(f"{param}: {reason}.", param=param) from None


def _wrapped(tool: Any) -> Any:
    """A flat tool (`{"name", "description", "parameters"}`) in OpenAI's form."""
    if isinstance(tool, Mapping) and "function" not in tool and isinstance(tool.get("name"), str):
        return {"type": "function", "function": dict(tool)}
    return tool
