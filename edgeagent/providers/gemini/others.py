"""A request of generateContent for a vendor of another format.

What means another answer and has no place elsewhere is refused by name; what is advice is dropped and named. What the
unified model says in its own words (thinking as an effort, sampling, tools) has been said in them already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import PLAIN
from edgeagent.providers.gemini.content import PART_FIELDS
from edgeagent.providers.gemini.parts import WIRE
from edgeagent.providers.gemini.schema import json_schema_of
from edgeagent.providers.native import refuse_uploads, without
from edgeagent.types import ChatRequest

__all__ = ["for_others"]

_OWN: Final = frozenset(
    {"cachedContent", "generationConfig", "labels", "modelArmorConfig", "safetySettings", "store", "toolConfig"}
)
_SAID: Final = frozenset({"thinkingConfig", "responseModalities"})
_OF_FUNCTIONS: Final = frozenset({"behavior", "response", "responseJsonSchema"})
"""What a declaration says beyond a call: what comes back, and whether it is waited for."""
_ORDER: Final = "propertyOrdering"
_ONE_WORD: Final = "text/x.enum"
_SCHEMAS: Final = frozenset({"responseJsonSchema", "responseMimeType", "responseSchema"})
_OF_PARTS: Final = frozenset({"displayName", *PART_FIELDS})
_DETAILS: Final = {
    "MEDIA_RESOLUTION_LOW": "low",
    "MEDIA_RESOLUTION_HIGH": "high",
    "MEDIA_RESOLUTION_ULTRA_HIGH": "high",
}
"""How closely an image is looked at, in OpenAI's words; it has none for what lies between."""
_CHOICES: Final = {
    "any": "required",
    "auto": "auto",
    "mode_unspecified": "auto",
    "none": "none",
    "validated": "auto",
}


def for_others(request: ChatRequest) -> tuple[ChatRequest, tuple[str, ...]]:
    """The decoded request as any codec takes it, and the names of what was dropped.

    Raises:
        RequestValidationError: what only Google can do; `.param` names the body's field.
    """
    extra = request.model_extra or {}
    if extra.get("cachedContent"):
        _refuse("the prompt's beginning is kept at Google", "cachedContent")
    for place, tool in enumerate(request.tools or ()):
        if tool.get("type") not in ("function", "custom"):
            _refuse(f"{', '.join(tool)} runs at Google", f"tools[{place}]")
    config = _object(extra.get("generationConfig"))
    modalities = config.get("responseModalities")
    if isinstance(modalities, list) and any(str(one).upper() != "TEXT" for one in modalities):
        _refuse("answers other than text are not asked of others", "generationConfig.responseModalities")
    refuse_uploads(request, "Google")
    changes: dict[str, Any] = {}
    wanted = request.response_format
    if config.get("responseMimeType") == _ONE_WORD:
        wanted = _one_of(config)
        config = {name: value for name, value in config.items() if name not in _SCHEMAS}
    calling = _object(_object(extra.get("toolConfig")).get("functionCallingConfig"))
    if calling and request.tool_choice is None and request.tools and (choice := _choice(calling)) is not None:
        changes["tool_choice"] = choice
    if request.tool_choice in ("auto", "none") and not request.tools:
        changes["tool_choice"] = None  # it says nothing, and others refuse it
    if request.reasoning_effort == "none":
        changes["reasoning_effort"] = None  # other vendors' models may have nothing to switch off
    dropped = list(_dropped(extra, config, calling))
    if request.tools:
        changes["tools"] = [_tool(tool, dropped) for tool in request.tools]
    if wanted is not None:
        changes["response_format"] = _ordered(wanted)
    messages = _whole(request.messages)
    if len(messages) < len(request.messages):
        changes["messages"] = messages
    if any(_OF_PARTS & part.keys() for message in messages for part in _parts(message)):
        changes["messages"] = [_message(message, dropped) for message in messages]
    return without(request, _OWN, changes), tuple(dropped)


def _one_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """The form of an answer that is one of some words, without quotes."""
    schema = config.get("responseJsonSchema") or json_schema_of(config.get("responseSchema"))
    words = _object(schema).get("enum")
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        _refuse("the words that it may answer with are not told", "generationConfig.responseSchema")
    return {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": {"type": "string", "enum": words}, PLAIN: True},
    }


def _tool(tool: Mapping[str, Any], dropped: list[str]) -> dict[str, Any]:
    tool = _ordered(tool)
    function = _object(tool.get("function"))
    own = sorted(_OF_FUNCTIONS & function.keys())
    if not own:
        return dict(tool)
    dropped += [name for name in map("tools.{}".format, own) if name not in dropped]
    return {**tool, "function": {name: value for name, value in function.items() if name not in own}}


def _ordered(schema: Any) -> Any:
    """Schemas whose fields are in the order that Google has a word for: others do not know the word."""
    if isinstance(schema, list):
        return [_ordered(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {name: _ordered(value) for name, value in schema.items() if name != _ORDER or not isinstance(value, list)}
    order, fields = schema.get(_ORDER), made.get("properties")
    if isinstance(order, list) and isinstance(fields, Mapping):
        made["properties"] = {**{name: fields[name] for name in order if name in fields}, **fields}
    return made


def _whole(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The conversation with each answer as one message: Google's SDK sends back a streamed one piece by piece."""
    made: list[dict[str, Any]] = []
    for message in messages:
        if made and _is_piece(made[-1]) and _is_piece(message):
            made[-1] = _both(made[-1], message)
        else:
            made.append(message)
    return made


def _is_piece(message: Mapping[str, Any]) -> bool:
    """Whether more may belong to it. What another vendor signed ends an answer, and is of all of it already."""
    native = message.get("native_content")
    return message["role"] == "assistant" and (native is None or native.get("wire") == WIRE)


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Two pieces of an answer; Google's own parts of it are of no use to others."""
    calls = [*(one.get("tool_calls") or ()), *(other.get("tool_calls") or ())]
    thoughts = (one.get("reasoning_content") or "") + (other.get("reasoning_content") or "")
    text = (one["content"] or "") + (other["content"] or "")
    made: dict[str, Any] = {"role": "assistant", "content": text if text or not calls else None}
    return made | ({"tool_calls": calls} if calls else {}) | ({"reasoning_content": thoughts} if thoughts else {})


def _parts(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _message(message: dict[str, Any], dropped: list[str]) -> dict[str, Any]:
    parts = _parts(message)
    return {**message, "content": [_part(part, dropped) for part in parts]} if parts else message


def _part(part: dict[str, Any], dropped: list[str]) -> dict[str, Any]:
    """A document's name and an image's resolution have a place elsewhere, other things have none."""
    own = {name: part[name] for name in sorted(_OF_PARTS & part.keys())}
    if not own:
        return part
    made = {name: value for name, value in part.items() if name not in own}
    detail = _DETAILS.get(str(_object(own.get("mediaResolution")).get("level")).upper())
    if made["type"] == "file" and isinstance(own.get("displayName"), str):
        made["file"] = {**made["file"], "filename": own.pop("displayName")}
    elif made["type"] == "image_url" and detail is not None:
        made["image_url"] = {**made["image_url"], "detail": detail}
        del own["mediaResolution"]
    dropped += [name for name in own if name not in dropped]
    return made


def _choice(calling: Mapping[str, Any]) -> Any:
    """How tools are to be called, where chat has no words for just that: modes in other letters, and `VALIDATED`."""
    mode, names = _CHOICES.get(_mode(calling)), calling.get("allowedFunctionNames")
    if mode in (None, "none") or not isinstance(names, list) or not names:
        return mode
    named = [{"type": "function", "function": {"name": name}} for name in names]
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": named}}


def _mode(calling: Mapping[str, Any]) -> str:
    return str(calling.get("mode") or "mode_unspecified").lower()


def _dropped(extra: Mapping[str, Any], config: Mapping[str, Any], calling: Mapping[str, Any]) -> Iterator[str]:
    yield from sorted(name for name in ("labels", "modelArmorConfig", "safetySettings", "store") if extra.get(name))
    yield from sorted(f"generationConfig.{name}" for name in config.keys() - _SAID)
    if calling and _mode(calling) not in _CHOICES.keys() - {"validated"}:
        yield "toolConfig.functionCallingConfig.mode"  # arguments that are sure to be of their schema
    yield from sorted(
        f"toolConfig.functionCallingConfig.{name}" for name in calling.keys() - {"mode", "allowedFunctionNames"}
    )
    yield from sorted(
        f"toolConfig.{name}" for name in _object(extra.get("toolConfig")).keys() - {"functionCallingConfig"}
    )


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: this model is another vendor's, and {reason}.", param=param)
