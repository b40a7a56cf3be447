"""A Converse body → our request: the inverse of `request`.

What has no OpenAI-shaped place is kept: fields of the body as extra parameters under their own names, an assistant's
blocks in `native_content`, a user's blocks as parts of their own type. The body does not name the model; it stands in
the URL, and whoever has that sets it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.thinking import BUDGETS
from edgeagent.providers.bedrock.blocks import InvalidBlockError, call_of, check_block, native_content, read_blocks
from edgeagent.providers.bedrock.content import DOCUMENT_TYPES, IMAGE_TYPES, nameable
from edgeagent.providers.bedrock.request import CONVERSE_FIELDS
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.wire.json import dump_json

__all__ = ["decode_request"]

Part = dict[str, Any]
Message = dict[str, Any]

_KEPT: Final = CONVERSE_FIELDS - {"inferenceConfig", "toolConfig", "outputConfig", "serviceTier"}
_INFERENCE: Final[Mapping[str, str]] = {
    "maxTokens": "max_completion_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "stopSequences": "stop",
}
_MEDIA: Final = {"image": {form: kind for kind, form in reversed(tuple(IMAGE_TYPES.items()))}}
_DOCUMENTS: Final = {form: kind for kind, form in DOCUMENT_TYPES.items()}


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """The vendor's body → our request. Raises `RequestValidationError`, `.param` naming the vendor's field."""
    values: dict[str, Any] = {name: body[name] for name in sorted(_KEPT) if body.get(name) is not None}
    values["model"] = body.get("modelId") or ""
    values["messages"] = [*_system(body.get("system")), *_messages(body.get("messages"))]
    _inference(body.get("inferenceConfig"), values)
    _tools(body.get("toolConfig"), values)
    _output(body.get("outputConfig"), values)
    tier = body.get("serviceTier")
    if tier is not None:
        values["service_tier"] = _object(tier, "serviceTier").get("type")
    _effort(body.get("additionalModelRequestFields"), values)
    try:
        return ChatRequest.model_validate(values)
    except ValidationError as error:
        where, reason = first_fault(error)
        raise RequestValidationError(f"{where}: {reason}.", param=where) from None


# parameters


def _inference(config: Any, values: dict[str, Any]) -> None:
    fields = _object(config or {}, "inferenceConfig")
    for theirs, ours in _INFERENCE.items():
        if fields.get(theirs) not in (None, []):
            values[ours] = fields[theirs]
    rest = {name: value for name, value in fields.items() if name not in _INFERENCE}
    if rest:
        values["inferenceConfig"] = rest


def _tools(config: Any, values: dict[str, Any]) -> None:
    if config is None:
        return
    tools: list[dict[str, Any]] = []
    for index, entry in enumerate(_list(_object(config, "toolConfig").get("tools", []), "toolConfig.tools")):
        where = f"toolConfig.tools[{index}]"
        kind, value = _member(entry, where)
        point = kind == "cachePoint" and tools and "function" in tools[-1] and "cache_control" not in tools[-1]
        if point:
            tools[-1]["cache_control"] = _control(value)
        elif kind == "toolSpec":
            tools.append(_tool(value, where))
        else:
            tools.append({"type": kind, kind: value})
    values["tools"] = tools or None
    choice = config.get("toolChoice")
    if choice is None:
        return
    kind, value = _member(choice, "toolConfig.toolChoice")
    if kind == "tool":
        values["tool_choice"] = {"type": "function", "function": {"name": _object(value, kind).get("name")}}
    elif kind in ("auto", "any"):
        values["tool_choice"] = {"auto": "auto", "any": "required"}[kind]
    else:
        _refuse("is none of the documented values", "toolConfig.toolChoice")


def _tool(spec: Any, where: str) -> dict[str, Any]:
    fields = _object(spec, where)
    schema = fields.get("inputSchema")
    if not isinstance(schema, Mapping) or not isinstance(schema.get("json"), Mapping):
        _refuse("is missing", f"{where}.inputSchema.json")
    names = ("name", "description", "strict")
    function = {name: fields[name] for name in names if fields.get(name) is not None}
    return {"type": "function", "function": {**function, "parameters": schema["json"]}}


def _output(config: Any, values: dict[str, Any]) -> None:
    if config is None:
        return
    fields = dict(_object(config, "outputConfig"))
    form = fields.pop("textFormat", None)
    if fields:
        values["outputConfig"] = fields
    if form is None:
        return
    structure = _object(form, "outputConfig.textFormat").get("structure")
    schema = _object(_object(structure, "structure").get("jsonSchema"), "outputConfig.textFormat.structure.jsonSchema")
    try:
        parsed = from_json(schema.get("schema") or "")
    except (ValueError, TypeError):
        _refuse("is not JSON", "outputConfig.textFormat.structure.jsonSchema.schema")
    names = {name: schema[name] for name in ("name", "description") if schema.get(name) is not None}
    values["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", **names, "schema": parsed}}


def _effort(fields: Any, values: dict[str, Any]) -> None:
    """The effort that the model's own fields ask for, for models that have others."""
    if fields is None:
        return
    own = _object(fields, "additionalModelRequestFields")
    thinking, config = own.get("thinking"), own.get("output_config")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    nova = own.get("reasoningConfig")
    level = config.get("effort") if isinstance(config, Mapping) else None
    if isinstance(nova, Mapping):
        level = "none" if nova.get("type") == "disabled" else nova.get("maxReasoningEffort")
    level = level or own.get("reasoning_effort") or own.get("reasoning_config")
    if kind == "disabled":
        level = "none"
    elif level is None and kind == "enabled" and isinstance(thinking, Mapping):
        budget = thinking.get("budget_tokens")
        if isinstance(budget, int):
            level = next((name for name, tokens in BUDGETS.items() if budget <= tokens), "xhigh")
    elif level is None and kind == "adaptive":
        level = "high"
    if isinstance(level, str):
        values["reasoning_effort"] = level


# messages


def _system(system: Any) -> Iterator[Message]:
    if system:
        yield {"role": "system", "content": _parts(system, "system")}


def _messages(messages: Any) -> Iterator[Message]:
    for index, value in enumerate(_list(messages, "messages")):
        where = f"messages[{index}]"
        message = _object(value, where)
        role = message.get("role")
        if role == "user":
            yield from _user(message.get("content"), f"{where}.content")
        elif role == "assistant":
            yield _assistant(message.get("content"), f"{where}.content")
        elif role == "system":
            yield {"role": "system", "content": _parts(message.get("content"), f"{where}.content")}
        else:
            _refuse("is none of user, assistant, system", f"{where}.role")


def _user(content: Any, where: str) -> Iterator[Message]:
    """A user's message; each tool result in it is a message of its own, in its place."""
    parts: list[Part] = []
    result: Message | None = None
    for index, block in enumerate(_list(content, where)):
        place = f"{where}[{index}]"
        kind, value = _member(block, place)
        if kind == "toolResult":
            if parts:
                yield {"role": "user", "content": parts}
                parts = []
            if result is not None:
                yield result
            result = _tool_message(value, place)
        elif kind == "cachePoint" and result is not None and not parts and "cache_control" not in result:
            result["cache_control"] = _control(value)
        else:
            if result is not None:
                yield result
                result = None
            _add_part(parts, kind, value, place)
    if result is not None:
        yield result
    if parts:
        yield {"role": "user", "content": parts}


def _tool_message(result: Any, where: str) -> Message:
    fields = _object(result, where)
    if not isinstance(fields.get("toolUseId"), str):
        _refuse("is missing", f"{where}.toolUseId")
    message: Message = {"role": "tool", "tool_call_id": fields["toolUseId"]}
    message["content"] = _parts(fields.get("content") or [], f"{where}.content") or ""
    return {**message, "is_error": True} if fields.get("status") == "error" else message


def _assistant(content: Any, where: str) -> Message:
    blocks = _list(content, where)
    try:
        for index, block in enumerate(blocks):
            check_block(block, f"{where}[{index}]")
    except InvalidBlockError as error:
        raise RequestValidationError(f"{error}.", param=where) from None
    kinds = [next(iter(block)) for block in blocks]
    texts = sum(kind == "text" for kind in kinds)
    if kinds == ["text"] * texts + ["toolUse"] * (len(kinds) - texts) and read_blocks(blocks[texts:]).plain:
        message: Message = {"role": "assistant", "content": _parts(blocks[:texts], where) or None}
        calls = [call_of(block["toolUse"]) for block in blocks[texts:]]
        return {**message, "tool_calls": calls} if calls else message
    reading = read_blocks(blocks)
    message = {"role": "assistant", "content": reading.content}
    if reading.calls:
        message["tool_calls"] = reading.calls
    if reading.reasoning:
        message["reasoning_content"] = reading.reasoning
    return {**message, "native_content": native_content(blocks)}


# blocks


def _parts(blocks: Any, where: str) -> list[Part]:
    parts: list[Part] = []
    for index, block in enumerate(_list(blocks, where)):
        place = f"{where}[{index}]"
        _add_part(parts, *_member(block, place), place)
    return parts


def _add_part(parts: list[Part], kind: str, value: Any, where: str) -> None:
    """The block as OpenAI's part where it has one that holds all of it, else as a part of its own kind."""
    if kind == "cachePoint" and parts and "cache_control" not in parts[-1] and parts[-1]["type"] != kind:
        parts[-1]["cache_control"] = _control(value)
    elif kind == "text":
        if not isinstance(value, str):
            _refuse("is not text", f"{where}.text")
        parts.append({"type": "text", "text": value})
    elif kind == "json":
        parts.append({"type": "text", "text": dump_json(value).decode(), "json": value})
    else:
        fields = _object(value, f"{where}.{kind}")
        parts.append(_media_part(kind, fields) or {"type": kind, kind: fields})


def _media_part(kind: str, fields: Mapping[str, Any]) -> Part | None:
    source = fields.get("source")
    data = source.get("bytes") if isinstance(source, Mapping) else None
    form = fields.get("format")
    if not isinstance(data, str) or not isinstance(form, str):
        return None
    if kind == "image" and form in _MEDIA["image"] and fields.keys() <= {"format", "source"}:
        return {"type": "image_url", "image_url": {"url": f"data:{_MEDIA['image'][form]};base64,{data}"}}
    if kind == "document" and form in _DOCUMENTS and fields.keys() <= _DOCUMENT_FIELDS and _is_named(fields):
        file = {"file_data": f"data:{_DOCUMENTS[form]};base64,{data}", "filename": f"{fields['name']}.{form}"}
        more = {name: fields[name] for name in ("citations", "context") if fields.get(name) is not None}
        return {"type": "file", "file": file, **more}
    return None


def _is_named(fields: Mapping[str, Any]) -> bool:
    """Whether the document's name survives as a file's name."""
    name = fields.get("name")
    return isinstance(name, str) and nameable(name) == name


_DOCUMENT_FIELDS: Final = frozenset({"format", "name", "source", "citations", "context"})


def _control(point: Any) -> dict[str, Any]:
    ttl = point.get("ttl") if isinstance(point, Mapping) else None
    return {"type": "ephemeral", **({"ttl": ttl} if isinstance(ttl, str) else {})}


# the body's types


def _member(value: Any, where: str) -> tuple[str, Any]:
    """The one member of a union."""
    fields = _object(value, where)
    if len(fields) != 1:
        _refuse("has not exactly one member", where)
    return next(iter(fields.items()))


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse("is not an object", where)
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse("is not a list", where)
    return value


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
