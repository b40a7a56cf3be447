"""What every chat request must be, whoever is to answer it.

Types are checked by the request model; here stands what types cannot say: roles and part types, tool messages that
answer an existing call, sensible numbers, the size of the body. Ranges that differ between vendors are checked by the
target's codec. The rules are those of OpenAI's reference (https://platform.openai.com/docs/api-reference/chat/create).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NoReturn

from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatRequest
from edgeagent.wire.json import dump_json

__all__ = ["MAX_BODY_BYTES", "PARTS", "validate", "validate_model", "validate_size"]

MAX_BODY_BYTES: Final = 10 * 1024 * 1024
"""Default limit of a request's body."""

ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
PARTS: Final[Mapping[str, str]] = {
    "text": "text",
    "image_url": "image_url",
    "input_audio": "input_audio",
    "file": "file",
    "refusal": "refusal",
    "video_url": "video_url",
}
"""Part types, and the field that each must carry."""
_WORD: Final = re.compile(r"(?=[\w.-]*[A-Za-z])[\w.-]{1,64}")
"""What roles, types, ids and names of tools may be."""


def validate(request: ChatRequest, *, max_body_bytes: int | None = MAX_BODY_BYTES, parts: Collection[str] = ()) -> None:
    """Check everything that does not depend on the target. `parts` are part types that a target knows besides OpenAI's.

    Without `max_body_bytes` the size is not looked at.

    Raises:
        RequestValidationError: `.param` names the field.
    """
    validate_model(request.model)
    if not request.messages:
        _refuse("must hold at least one message", "messages")
    _messages(request.messages, parts)
    if request.n is not None and request.n < 1:
        _refuse("must be at least 1", "n")
    for name in ("max_tokens", "max_completion_tokens"):
        value = getattr(request, name)
        if value is not None and value < 1:
            _refuse("must be at least 1", name)
    _tools(request)
    if max_body_bytes is not None:
        validate_size(request.params(), max_body_bytes)


def validate_model(model: str) -> None:
    """Check that a model is named at all. Raises `RequestValidationError`."""
    if not model.strip():
        _refuse("must name a model", "model")


def _messages(messages: Sequence[Mapping[str, Any]], parts: Collection[str]) -> None:
    calls: set[str] = set()
    for i, message in enumerate(messages):
        where = f"messages[{i}]"
        role = message.get("role")
        if not isinstance(role, str) or role not in ROLES:
            known = ", ".join(sorted(ROLES))
            _refuse("is missing" if role is None else f"is {_shown(role)}; known roles: {known}", f"{where}.role")
        _content(message, role, where, parts)
        if role == "assistant":
            calls.update(_calls(message, where))
        elif role == "tool":
            call = message.get("tool_call_id")
            if not isinstance(call, str) or not call:
                _refuse("must name the call that this message answers", f"{where}.tool_call_id")
            elif call not in calls:
                _refuse(
                    f"answers {_shown(call)}, but no assistant message before it has such a call",
                    f"{where}.tool_call_id",
                )
        elif role == "function" and not message.get("name"):
            _refuse("must name the function", f"{where}.name")


def _content(message: Mapping[str, Any], role: Any, where: str, parts: Collection[str]) -> None:
    content = message.get("content")
    if isinstance(content, str):
        return
    if content is None:
        if role == "assistant" or role == "function":
            return
        _refuse("is missing", f"{where}.content")
    if not isinstance(content, list):
        _refuse("must be text or a list of parts", f"{where}.content")
    if not content and role != "assistant":
        _refuse("must hold at least one part", f"{where}.content")
    for k, part in enumerate(content):
        _part(part, f"{where}.content[{k}]", parts)


def _part(part: Any, where: str, parts: Collection[str]) -> None:
    if not isinstance(part, Mapping):
        _refuse("must be an object with a type", where)
    kind = part.get("type")
    if isinstance(kind, str) and kind in parts:
        return
    if not isinstance(kind, str) or kind not in PARTS:
        known = ", ".join(sorted({*PARTS, *parts}))
        _refuse("is missing" if kind is None else f"is {_shown(kind)}; known part types: {known}", f"{where}.type")
    field = PARTS[kind]
    value = part.get(field)
    if kind in {"text", "refusal"}:
        if not isinstance(value, str):
            _refuse("must be text", f"{where}.{field}")
    elif not isinstance(value, Mapping):
        _refuse("must be an object", f"{where}.{field}")
    elif kind == "image_url" and not isinstance(value.get("url"), str):
        _refuse("must be a URL or a data URL", f"{where}.image_url.url")
    elif kind == "input_audio" and not isinstance(value.get("data"), str):
        _refuse("must be base64 text", f"{where}.input_audio.data")


def _calls(message: Mapping[str, Any], where: str) -> list[str]:
    calls = message.get("tool_calls")
    if calls is None:
        return []
    if not isinstance(calls, list):
        _refuse("must be a list", f"{where}.tool_calls")
    ids = []
    for k, call in enumerate(calls):
        at = f"{where}.tool_calls[{k}]"
        if not isinstance(call, Mapping) or not isinstance(call.get("id"), str):
            _refuse("must be text", f"{at}.id")
        body = call.get("custom" if call.get("type") == "custom" else "function")
        if not isinstance(body, Mapping) or not isinstance(body.get("name"), str):
            _refuse("must name the tool", f"{at}.function.name")
        ids.append(call["id"])
    return ids


def _tools(request: ChatRequest) -> None:
    names = set()
    for k, tool in enumerate(request.tools or ()):
        if tool.get("type", "function") == "function":
            function = tool.get("function")
            name = function.get("name") if isinstance(function, Mapping) else None
            if not isinstance(name, str) or not name:
                _refuse("must name the function", f"tools[{k}].function.name")
            if name in names:
                _refuse(f"{_shown(name)} is defined twice", f"tools[{k}].function.name")
            names.add(name)
    choice = request.tool_choice
    if isinstance(choice, Mapping) and choice.get("type") == "function":
        function = choice.get("function")
        wanted = function.get("name") if isinstance(function, Mapping) else None
        if wanted not in names:
            _refuse(f"names {_shown(wanted)}, which is not among the tools", "tool_choice.function.name")
    elif choice == "required" and not request.tools:
        _refuse("is 'required', but there are no tools", "tool_choice")


def validate_size(body: Mapping[str, Any], limit: int, written: bytes | None = None) -> None:
    """Check a JSON body's size, in bytes; `written` is its JSON, if it has been. Raises `RequestValidationError`."""
    try:
        size = len(dump_json(body) if written is None else written)
    except ValueError as error:
        raise RequestValidationError(f"The request cannot be written as JSON: {error}", param=None) from None
    if size > limit:
        _refuse(f"the request's body has {size} bytes, more than the limit of {limit}", "messages")


def _shown(value: object) -> str:
    """A word of the format as it was written; anything else, which may be somebody's text, by its type."""
    if isinstance(value, str):
        return repr(value) if _WORD.fullmatch(value) else f"a text of {len(value)} characters"
    return f"of type {type(value).__name__}"


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
