"""A caller's own body for a model of Anthropic's: as it is, but for what another vendor's answer left in it.

Reasoning of another vendor is told as thinking with an empty signature, since only Anthropic can sign. An SDK sends it
back with the conversation, and Claude refuses the turn. Servers that speak the format and sign nothing want their
thinking back as it was, so it is taken out for Claude alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.providers.native import passed_on

__all__ = ["drop_unsigned", "passed_to"]


def passed_to(model: str, body: Mapping[str, Any], *, stream: bool) -> tuple[dict[str, Any], list[str]]:
    """A copy of the body for `model`, and what was changed, in words."""
    copy, edits = passed_on(body, model=model, stream=stream)
    return copy, [*edits, *drop_unsigned(copy, model)]


def drop_unsigned(copy: dict[str, Any], model: str) -> list[str]:
    """Leave out of a copy of a body what `model` takes only signed, in place; what was changed, in words."""
    messages = copy.get("messages")
    if "claude" not in model or not isinstance(messages, list) or not any(map(_has_unsigned, messages)):
        return []
    signed = [_signed(message) if _has_unsigned(message) else message for message in messages]
    copy["messages"] = [message for message in signed if message is not None]
    return ["thinking without a signature left out of messages"]


def _has_unsigned(message: Any) -> bool:
    if not isinstance(message, Mapping) or message.get("role") != "assistant":
        return False
    content = message.get("content")
    return isinstance(content, list) and any(map(_is_unsigned, content))


def _is_unsigned(block: Any) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "thinking" and block.get("signature") == ""


def _signed(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """The message without such blocks; None if it has no others, since an empty one is refused."""
    content = [block for block in message["content"] if not _is_unsigned(block)]
    return {**message, "content": content} if content else None
