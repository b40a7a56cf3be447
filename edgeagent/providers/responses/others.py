"""A request of the Responses API for a vendor that has only chat.

What means another answer and has no place in chat is refused by name; what is advice is dropped and named. A parameter
that is not OpenAI's at all (of `extra_body`) is the vendor's own and stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from edgeagent.errors import RequestValidationError
from edgeagent.providers.responses.items import CLIENT_ITEMS
from edgeagent.types import ChatRequest

__all__ = ["for_others"]

_STORED: Final = "lives in the store of a vendor that has the Responses API, and this model's vendor has only chat"

_REFUSED: Final[Mapping[str, str]] = {
    "previous_response_id": f"the response {_STORED}: send the conversation in input",
    "conversation": f"the conversation {_STORED}: send it in input",
    "background": f"what is fetched later {_STORED}",
    "prompt": f"the prompt {_STORED}: send its text",
    "context_management": "this model's vendor has only chat, which compacts no conversation",
}
"""Parameters that mean another answer, and why no vendor of chat can give it; they count where they are truthy."""

_ADVICE: Final = ("background_options", "include", "max_tool_calls", "truncation")

_BUILT_IN: Final = frozenset(
    {
        *("apply_patch", "code_interpreter", "computer", "computer_use_preview", "file_search", "image_generation"),
        *("local_shell", "mcp", "namespace", "programmatic_tool_calling", "shell", "tool_search", "web_search"),
        *("web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"),
    }
)
"""Tools of OpenAI's own; a type that is none of these may be the vendor's own."""


def for_others(request: ChatRequest, body: Mapping[str, Any]) -> tuple[ChatRequest, tuple[str, ...]]:
    """The decoded request as any codec takes it, and the names of what was dropped; `body` is what was decoded.

    Raises:
        RequestValidationError: what only a vendor with the Responses API can do; `.param` names the body's field.
    """
    extra = request.model_extra or {}
    for name, reason in _REFUSED.items():
        if extra.get(name):
            _refuse(reason, name)
    if extra.get("instructions"):
        _refuse("must be text for this model's vendor, which has only chat", "instructions")
    _tools(request)
    _items(request, body)
    gone = {*_REFUSED, *_ADVICE, "instructions", "reasoning", "text"}
    changes = {name: None for name in ("store", "stream_options") if getattr(request, name) is not None}
    made = request.model_copy(update=changes)
    object.__setattr__(made, "__pydantic_extra__", {k: v for k, v in extra.items() if k not in gone})
    return made, tuple(_dropped(request))


def _dropped(request: ChatRequest) -> Iterator[str]:
    extra = request.model_extra or {}
    for name in _ADVICE:
        if extra.get(name) and not (name == "truncation" and extra[name] == "disabled"):
            yield name
    for name in ("reasoning", "text"):
        for field, value in (extra.get(name) or {}).items():
            # with an effort, the other vendors tell what reasoning they tell at all
            if value is not None and not (field == "summary" and request.reasoning_effort is not None):
                yield f"{name}.{field}"


def _tools(request: ChatRequest) -> None:
    for place, tool in enumerate(request.tools or ()):
        if tool.get("type") in _BUILT_IN:
            _refuse(f"is {tool['type']!r}, a tool that this model's vendor does not run", f"tools[{place}].type")
    choice = request.tool_choice
    if isinstance(choice, Mapping) and choice.get("type") in _BUILT_IN:
        _refuse(f"is {choice['type']!r}, a tool that this model's vendor does not run", "tool_choice.type")


def _items(request: ChatRequest, body: Mapping[str, Any]) -> None:
    """Items that became no message are parts of one, in their own form."""
    for message in request.messages:
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            kind = part.get("type")
            if kind in ("function_call_output", "custom_tool_call_output"):
                _refuse("answers a call that is not in input, as this model's vendor needs it", _where(part, body))
            if kind == "input_image":  # else it was read as an image of chat's
                _refuse("is no image that this model's vendor can read: it was uploaded to another", _where(part, body))
            if kind in CLIENT_ITEMS:
                _refuse(f"is {kind!r}, which this model's vendor does not know", _where(part, body))


def _where(item: Mapping[str, Any], body: Mapping[str, Any]) -> str:
    given = body.get("input")
    for place, one in enumerate(given if isinstance(given, list) else ()):
        if one == item:
            return f"input[{place}]"
        for name in ("content", "output"):
            parts = one.get(name) if isinstance(one, Mapping) else None
            if isinstance(parts, list) and item in parts:
                return f"input[{place}].{name}[{parts.index(item)}]"
    return "input"


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
