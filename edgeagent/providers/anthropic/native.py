"""A caller's own body for a model of Anthropic's: as it is, but for what another vendor's answer left in it.

Reasoning of another vendor is told as thinking with an empty signature, since only Anthropic can sign. An SDK sends it
back with the conversation, and Claude refuses the turn. Servers that speak the format and sign nothing want their
thinking back as it was, so it is taken out for Claude alone. What another vendor signed (see `providers.sealed`) is for
that one, and for no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from edgeagent.providers.native import passed_on
from edgeagent.providers.sealed import is_seal

__all__ = ["drop_unsigned", "passed_to"]


def passed_to(model: str, body: Mapping[str, Any], *, stream: bool) -> tuple[dict[str, Any], list[str]]:
    """A copy of the body for `model`, and what was changed, in words."""
    copy, edits = passed_on(body, model=model, stream=stream)
    return copy, [*edits, *drop_unsigned(copy, model)]


def drop_unsigned(copy: dict[str, Any], model: str) -> list[str]:
    """Leave out of a copy of a body what `model` takes only signed by its own vendor, in place; the edits, in words."""
    messages = copy.get("messages")
    if not isinstance(messages, list):
        return []
    kinds = [kind for kind in (_UNSIGNED, _SEALED) if kind.everywhere or "claude" in model]
    found = [kind for kind in kinds if any(kind.has(message) for message in messages)]
    for kind in found:
        kept = [kind.without(message) if kind.has(message) else message for message in copy["messages"]]
        copy["messages"] = [message for message in kept if message is not None]
    return [kind.edit for kind in found]


class _Kind(NamedTuple):
    """Blocks that are not sent."""

    edit: str
    is_one: Callable[[Any], bool]
    everywhere: bool
    """Whether to no model, or not to Claude."""

    def has(self, message: Any) -> bool:
        content = message.get("content") if isinstance(message, Mapping) else None
        return isinstance(content, list) and message.get("role") == "assistant" and any(map(self.is_one, content))

    def without(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """The message without such blocks; None if it has no others, since an empty one is refused."""
        content = [block for block in message["content"] if not self.is_one(block)]
        return {**message, "content": content} if content else None


def _is_unsigned(block: Any) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "thinking" and block.get("signature") == ""


def _is_sealed(block: Any) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "redacted_thinking" and is_seal(block.get("data"))


_UNSIGNED: Final = _Kind("thinking without a signature left out of messages", _is_unsigned, everywhere=False)
_SEALED: Final = _Kind("what another vendor signed left out of messages", _is_sealed, everywhere=True)
