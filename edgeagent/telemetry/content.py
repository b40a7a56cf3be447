"""Messages → the GenAI conventions' JSON, for `gen_ai.input.messages` and `gen_ai.output.messages`.

This is the text of prompts and answers: it is recorded only where the application has asked for it. Schemas:
gen-ai-input-messages.json and gen-ai-output-messages.json of
https://github.com/open-telemetry/semantic-conventions-genai (docs/gen-ai). Attributes of the Python API cannot be
nested, so the values are JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from edgeagent.types import ChatCompletion
from edgeagent.wire.json import dump_json

__all__ = ["input_messages", "output_messages"]

Part: TypeAlias = dict[str, Any]

_FINISH_REASONS: Final = {"tool_calls": "tool_call", "function_call": "tool_call"}
"""OpenAI's words → those of the schema, which has the other ones unchanged."""


def input_messages(messages: Iterable[Mapping[str, Any]]) -> str:
    """The messages of a request, in their order, system messages included."""
    return _text([_message(message) for message in messages])


def output_messages(completion: ChatCompletion) -> str:
    """One message for each choice. A choice that was cut off has the finish reason "error"."""
    return _text(
        [
            {
                **_message(choice.message.model_dump(mode="json", exclude_none=True)),
                "finish_reason": _FINISH_REASONS.get(choice.finish_reason or "", choice.finish_reason or "error"),
            }
            for choice in completion.choices
        ]
    )


def _text(value: Any) -> str:
    return dump_json(value).decode()


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    role = str(message.get("role"))
    parts = _tool_response(message) if role in {"tool", "function"} else _parts(message)
    named = {"name": message["name"]} if isinstance(message.get("name"), str) else {}
    return {"role": role, "parts": parts, **named}


def _tool_response(message: Mapping[str, Any]) -> list[Part]:
    call = message.get("tool_call_id") or message.get("name")
    return [{"type": "tool_call_response", "id": call, "response": message.get("content")}]


def _parts(message: Mapping[str, Any]) -> list[Part]:
    parts: list[Part] = []
    if message.get("reasoning_content"):
        parts.append({"type": "reasoning", "content": message["reasoning_content"]})
    content = message.get("content")
    if isinstance(content, str):
        parts.append({"type": "text", "content": content})
    else:
        parts += [_part(part) for part in content or () if isinstance(part, Mapping)]
    if message.get("refusal"):
        parts.append({"type": "refusal", "content": message["refusal"]})
    parts += [_tool_call(call) for call in message.get("tool_calls") or () if isinstance(call, Mapping)]
    if isinstance(message.get("function_call"), Mapping):
        parts.append(_tool_call({"function": message["function_call"]}))
    return parts


def _part(part: Mapping[str, Any]) -> Part:
    kind = str(part.get("type"))
    value = part.get(kind)
    if kind == "text" and isinstance(value, str):
        return {"type": "text", "content": value}
    if kind == "image_url" and isinstance(value, Mapping):
        return _located(str(value.get("url")), "image")
    if kind == "input_audio" and isinstance(value, Mapping):
        mime = f"audio/{value.get('format')}"
        return {"type": "blob", "modality": "audio", "mime_type": mime, "content": str(value.get("data"))}
    if kind == "file" and isinstance(value, Mapping):
        if value.get("file_id"):
            return {"type": "file", "modality": "document", "file_id": str(value["file_id"])}
        return _located(str(value.get("file_data")), "document")
    return {**part, "type": kind}  # the schema's generic part


def _located(url: str, modality: str) -> Part:
    """A data URL (RFC 2397) as the data it holds, any other URL as itself."""
    head, comma, data = url.partition(",")
    if not comma or not head.startswith("data:"):
        return {"type": "uri", "modality": modality, "uri": url}
    mime = head.removeprefix("data:").partition(";")[0]
    return {"type": "blob", "modality": modality, "mime_type": mime or None, "content": data}


def _tool_call(call: Mapping[str, Any]) -> Part:
    function = call.get("function") or call.get("custom") or {}
    arguments = function.get("arguments", function.get("input"))
    part: Part = {"type": "tool_call", "name": str(function.get("name")), "arguments": _parsed(arguments)}
    return {**part, "id": call["id"]} if call.get("id") else part


def _parsed(arguments: Any) -> Any:
    """JSON text as the value it stands for; text that is none (or cut off) as it is."""
    try:
        return json.loads(arguments)
    except (TypeError, ValueError):
        return arguments
