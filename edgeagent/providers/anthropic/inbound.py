"""A body of `POST /v1/messages` → our request.

The inverse of `request`: encoding the result for the same model gives an equivalent body. What has no OpenAI-shaped
place is kept: parameters as extra ones under their own names, an assistant's blocks in `native_content`, a user's
blocks as parts of their own type. `thinking` and `output_config.effort` are told as `reasoning_effort` too, for others.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.blocks import call_of, native_content, read_blocks
from edgeagent.providers.anthropic.citing import is_cited_here, without_citations
from edgeagent.providers.anthropic.content import BLOCK_FIELDS
from edgeagent.providers.anthropic.messages import RESULT_FIELDS, SYSTEM_FIELDS
from edgeagent.providers.anthropic.response import InvalidMessageError, check_block
from edgeagent.providers.anthropic.thinking import BUDGETS
from edgeagent.providers.anthropic.tools import TOOL_FIELDS
from edgeagent.providers.sealed import Sealed, is_seal, unseal
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault

__all__ = ["decode_request"]

Part = dict[str, Any]
Message = dict[str, Any]

_SAME: Final = ("temperature", "top_p", "stream")
_TIERS: Final[Mapping[str, str]] = {"standard_only": "default"}
_CHOICES: Final[Mapping[str, str]] = {"auto": "auto", "any": "required", "none": "none"}
_READ: Final = frozenset(
    {
        *("model", "messages", "system", "max_tokens", "stop_sequences", "metadata", "service_tier", "tools"),
        *("tool_choice", "output_config", "output_format", *_SAME),
    }
)


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """The vendor's body → our request. Raises `RequestValidationError`, `.param` naming the vendor's field."""
    values: dict[str, Any] = {name: value for name, value in body.items() if name not in _READ and value is not None}
    values.update({name: body[name] for name in _SAME if body.get(name) is not None})
    values["model"] = body.get("model")
    values["messages"] = [*_system(body.get("system")), *_messages(body.get("messages"))]
    values["max_completion_tokens"] = body.get("max_tokens")
    values["stop"] = body.get("stop_sequences") or None
    _metadata(body.get("metadata"), values)
    tier = body.get("service_tier")
    values["service_tier"] = _TIERS.get(tier, tier) if isinstance(tier, str) else tier
    if body.get("tools"):
        values["tools"] = [_tool(tool, f"tools.{i}") for i, tool in enumerate(_list(body["tools"], "tools"))]
    _choice(body.get("tool_choice"), values)
    _output(body, values)
    _effort(body, values)
    try:
        return ChatRequest.model_validate(values)
    except ValidationError as error:
        where, reason = first_fault(error)
        for ours, theirs in (("max_completion_tokens", "max_tokens"), ("stop", "stop_sequences")):
            where = where.replace(ours, theirs, 1) if where.partition("[")[0] == ours else where
        raise RequestValidationError(f"{where}: {reason}.", param=where) from None


# parameters


def _metadata(metadata: Any, values: dict[str, Any]) -> None:
    if metadata is None:
        return
    fields = _object(metadata, "metadata")
    values["user"] = fields.get("user_id")
    rest = {name: value for name, value in fields.items() if name != "user_id"}
    if rest:
        values["metadata"] = rest


def _tool(tool: Any, where: str) -> dict[str, Any]:
    fields = _object(tool, where)
    known = {"type", "name", "description", "input_schema", "strict"} | TOOL_FIELDS
    if "input_schema" not in fields or fields.get("type") not in (None, "custom") or not fields.keys() <= known:
        return dict(fields)  # the vendor's own: passed on as it is
    names = {"name": "name", "description": "description", "input_schema": "parameters", "strict": "strict"}
    function = {ours: fields[theirs] for theirs, ours in names.items() if fields.get(theirs) is not None}
    hints = {name: fields[name] for name in TOOL_FIELDS if fields.get(name) is not None}
    return {"type": "function", "function": function, **hints}


def _choice(choice: Any, values: dict[str, Any]) -> None:
    if choice is None:
        return
    fields = _object(choice, "tool_choice")
    kind = fields.get("type")
    if kind == "tool":
        values["tool_choice"] = {"type": "function", "function": {"name": fields.get("name")}}
    elif isinstance(kind, str) and kind in _CHOICES:
        values["tool_choice"] = _CHOICES[kind]
    else:
        _refuse("is none of the documented values", "tool_choice.type")
    if fields.get("disable_parallel_tool_use") is not None:
        values["parallel_tool_calls"] = not fields["disable_parallel_tool_use"]


def _output(body: Mapping[str, Any], values: dict[str, Any]) -> None:
    """`output_config.format`, or the older `output_format`, is a response_format; the rest of the config is kept."""
    config = dict(_object(body.get("output_config") or {}, "output_config"))
    form = config.pop("format", None) or body.get("output_format")
    if config:
        values["output_config"] = config
    if form is None:
        return
    fields = _object(form, "output_config.format")
    if fields.get("type") != "json_schema" or not isinstance(fields.get("schema"), Mapping):
        _refuse("is no json_schema with a schema", "output_config.format")
    values["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": fields["schema"]}}


def _effort(body: Mapping[str, Any], values: dict[str, Any]) -> None:
    thinking, config = body.get("thinking"), body.get("output_config")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    effort = config.get("effort") if isinstance(config, Mapping) else None
    if kind in ("disabled", "between_tools"):
        values["reasoning_effort"] = "none"
    elif isinstance(effort, str):
        values["reasoning_effort"] = effort
    elif kind == "enabled" and isinstance(thinking, Mapping) and isinstance(thinking.get("budget_tokens"), int):
        budget = thinking["budget_tokens"]
        values["reasoning_effort"] = next((name for name, tokens in BUDGETS.items() if budget <= tokens), "xhigh")
    elif kind == "adaptive":
        values["reasoning_effort"] = "high"


# messages


def _system(system: Any) -> Iterator[Message]:
    if not system:
        return
    if isinstance(system, str):
        yield {"role": "system", "content": system}
        return
    parts = [_part(block, f"system.{i}") for i, block in enumerate(_list(system, "system"))]
    yield {"role": "system", "content": parts}


def _messages(messages: Any) -> Iterator[Message]:
    for index, value in enumerate(_list(messages, "messages")):
        where = f"messages.{index}"
        message = _object(value, where)
        role = message.get("role")
        if role == "user":
            yield from _user(message.get("content"), where)
        elif role == "assistant":
            yield _assistant(message.get("content"), where)
        elif role == "system":
            fields = {name: message[name] for name in SYSTEM_FIELDS if message.get(name) is not None}
            content = message.get("content", [])  # one that only sets the effort has none
            yield {"role": "system", "content": _content(content, where), **fields}
        else:
            _refuse("is none of user, assistant, system", f"{where}.role")


def _content(content: Any, where: str) -> str | list[Part]:
    if isinstance(content, str):
        return content
    blocks = _list(content, f"{where}.content")
    return [_part(block, f"{where}.content.{i}") for i, block in enumerate(blocks)]


def _user(content: Any, where: str) -> Iterator[Message]:
    """A user's message; each tool result in it is a message of its own, in its place."""
    if isinstance(content, str):
        yield {"role": "user", "content": content}
        return
    parts: list[Part] = []
    for i, block in enumerate(_list(content, f"{where}.content")):
        place = f"{where}.content.{i}"
        if _object(block, place).get("type") != "tool_result":
            parts.append(_part(block, place))
            continue
        if parts:
            yield {"role": "user", "content": parts}
            parts = []
        yield _tool_message(block, place)
    if parts:
        yield {"role": "user", "content": parts}


def _tool_message(block: Mapping[str, Any], where: str) -> Message:
    if not isinstance(block.get("tool_use_id"), str):
        _refuse("is missing", f"{where}.tool_use_id")
    content = block.get("content")
    message: Message = {"role": "tool", "tool_call_id": block["tool_use_id"]}
    message["content"] = "" if content is None or content == [] else _content(content, where)
    return {**message, **{name: block[name] for name in sorted(RESULT_FIELDS) if block.get(name) is not None}}


def _assistant(content: Any, where: str) -> Message:
    if isinstance(content, str):
        return {"role": "assistant", "content": content}
    blocks = _list(content, f"{where}.content")
    for i, block in enumerate(blocks):
        try:
            check_block(block, f"{where}.content.{i}")
        except InvalidMessageError as error:
            raise RequestValidationError(f"{error}.", param=f"{where}.content.{i}") from None
    blocks = [without_citations(block) if is_cited_here(block) else block for block in blocks]
    seal = next((block["data"] for block in blocks if _is_sealed(block)), None)
    if seal is not None:
        return _told_by_another(unseal(seal), [block for block in blocks if not _is_sealed(block)], where)
    if _has_our_shape(blocks):
        return _plain_assistant(blocks, where)
    reading = read_blocks(blocks)
    message: Message = {"role": "assistant", "content": reading.content}
    if reading.calls:
        message["tool_calls"] = reading.calls
    if reading.reasoning:
        message["reasoning_content"] = reading.reasoning
    return {**message, "native_content": native_content(blocks)}


def _is_sealed(block: Mapping[str, Any]) -> bool:
    """Whether this is what another vendor signed."""
    return block["type"] == "redacted_thinking" and is_seal(block.get("data"))


def _told_by_another(sealed: Sealed | None, blocks: list[Mapping[str, Any]], where: str) -> Message:
    """An answer of another vendor's, with what that one has to be sent back."""
    message = _assistant(blocks, where)
    return message if sealed is None else {**message, "native_content": sealed.native}


def _plain_assistant(blocks: list[Mapping[str, Any]], where: str) -> Message:
    parts = [_part(block, where) for block in blocks if block["type"] == "text"]
    calls = []
    for block in blocks:
        if block["type"] == "tool_use":
            hint = block.get("cache_control")
            calls.append({**call_of(block), **({"cache_control": hint} if hint is not None else {})})
    message: Message = {"role": "assistant", "content": parts or None}
    return {**message, "tool_calls": calls} if calls else message


def _has_our_shape(blocks: list[Mapping[str, Any]]) -> bool:
    """Whether texts and then tool calls, each perhaps with a cache hint, say it all."""
    kinds = [block["type"] for block in blocks]
    texts = kinds.count("text")
    if kinds != ["text"] * texts + ["tool_use"] * (len(kinds) - texts):
        return False
    return all(
        {name for name, value in block.items() if value is not None}
        <= ({"type", "text", "cache_control"} if block["type"] == "text" else _CALL_FIELDS)
        for block in blocks
    )


_CALL_FIELDS: Final = frozenset({"type", "id", "name", "input", "cache_control"})


# blocks of a user's or system message, and of a tool result


def _part(block: Any, where: str) -> Part:
    """The block as OpenAI's part where it has one that holds all of it, else as it is."""
    fields = _object(block, where)
    if not isinstance(fields.get("type"), str):
        _refuse("is missing", f"{where}.type")
    translated: Part | None = None
    if fields["type"] == "text":
        if not isinstance(fields.get("text"), str):
            _refuse("is missing", f"{where}.text")
        translated = {"type": "text", "text": fields["text"]}
    elif fields["type"] in ("image", "document") and isinstance(fields.get("source"), Mapping):
        translated = (_image if fields["type"] == "image" else _document)(fields, fields["source"])
    if translated is None:
        return dict(fields)
    hints = {name: value for name, value in fields.items() if name not in _MAIN_FIELDS and value is not None}
    return {**translated, **hints} if hints.keys() <= BLOCK_FIELDS[fields["type"]] else dict(fields)


_MAIN_FIELDS: Final = frozenset({"type", "text", "source", "title"})


def _image(block: Mapping[str, Any], source: Mapping[str, Any]) -> Part | None:
    if block.get("title") is not None:
        return None
    if source.get("type") == "url" and str(source.get("url")).startswith("https://"):
        return {"type": "image_url", "image_url": {"url": source["url"]}}
    if source.get("type") == "base64" and isinstance(source.get("data"), str):
        url = f"data:{source.get('media_type')};base64,{source['data']}"
        return {"type": "image_url", "image_url": {"url": url}}
    return None


def _document(block: Mapping[str, Any], source: Mapping[str, Any]) -> Part | None:
    file: dict[str, Any] = {}
    if source.get("type") == "base64" and source.get("media_type") == "application/pdf":
        file["file_data"] = f"data:application/pdf;base64,{source.get('data')}"
    elif source.get("type") == "text" and isinstance(source.get("data"), str):
        data = b64encode(source["data"].encode("utf-8", "surrogatepass")).decode()
        file["file_data"] = f"data:text/plain;base64,{data}"
    elif source.get("type") == "file" and isinstance(source.get("file_id"), str):
        file["file_id"] = source["file_id"]
    elif source.get("type") == "url" and str(source.get("url")).startswith("https://"):
        file |= {"file_url": source["url"], "format": "application/pdf"}  # the vendor reads no other kind by its URL
    else:
        return None
    if block.get("title") is not None:
        file["filename"] = block["title"]
    return {"type": "file", "file": file}


# the body's types


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
