"""A request of the messages API for a vendor of another format.

What means another answer and has no place elsewhere is refused by name; what is advice is dropped and named. What the
unified model says in its own words (thinking as an effort, system prompts, tools) has been said in them already.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.messages import RESULT_FIELDS, SYSTEM_FIELDS
from edgeagent.providers.native import TOOL_FIELDS, refuse_uploads, without
from edgeagent.types import ChatRequest

__all__ = ["for_others"]

_REFUSED: Final = {
    "mcp_servers": "the servers would be called by Anthropic",
    "container": "the container is kept at Anthropic",
    "thread": "the thread is kept at Anthropic: send the whole conversation",
}
_ADVICE: Final = frozenset(
    {
        "cache_control",
        "context_management",
        "inference_geo",
        "output_config",
        "output_format",
        "speed",
        "thinking",
        "top_k",
    }
)
_SAID: Final = frozenset({"output_config", "output_format", "thinking"})
"""What the unified model has in its own words: not worth a note."""
_OF_MESSAGES: Final = (RESULT_FIELDS | SYSTEM_FIELDS) - {"cache_control", "is_error"}
"""Fields of a message that only Anthropic's have; some others can be told that a tool has failed."""


def for_others(request: ChatRequest) -> tuple[ChatRequest, tuple[str, ...]]:
    """The decoded request as any codec takes it, and the names of what was dropped.

    Raises:
        RequestValidationError: what only Anthropic can do; `.param` names the body's field.
    """
    extra = request.model_extra or {}
    for name, reason in _REFUSED.items():
        if extra.get(name):
            raise RequestValidationError(f"{name}: this model is another vendor's, and {reason}.", param=name)
    for place, tool in enumerate(request.tools or ()):
        if tool.get("type", "function") not in ("function", "custom"):
            where = f"tools[{place}].type"
            raise RequestValidationError(
                f"{where}: {tool['type']!r} is Anthropic's own, and this model is another vendor's.", param=where
            )
    refuse_uploads(request, "Anthropic")
    dropped = {name for name in _ADVICE - _SAID if extra.get(name) is not None}
    changes: dict[str, Any] = {"messages": list(_messages(request, dropped))}
    if request.tools:
        changes["tools"] = [_tool(tool, dropped) for tool in request.tools]
    thinking = extra.get("thinking")
    if isinstance(thinking, Mapping) and thinking.get("type") == "disabled":
        changes["reasoning_effort"] = None  # not asked for: other vendors' models may have nothing to switch off
    return without(request, _ADVICE | _REFUSED.keys(), changes), tuple(sorted(dropped))


def _messages(request: ChatRequest, dropped: set[str]) -> Iterator[dict[str, Any]]:
    for message in request.messages:
        own = _OF_MESSAGES & message.keys()
        dropped |= own
        if own and message["role"] == "system" and not message["content"]:
            continue  # it says nothing else
        yield {name: value for name, value in message.items() if name not in own}


def _tool(tool: Mapping[str, Any], dropped: set[str]) -> dict[str, Any]:
    own = tool.keys() - TOOL_FIELDS
    dropped |= {f"tools.{name}" for name in own}
    return {name: value for name, value in tool.items() if name not in own}
