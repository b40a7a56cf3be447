"""A caller's own body for a model of Anthropic's: as it is, but for what another vendor's answer left in it.

Reasoning of another vendor is told as thinking with an empty signature, since only Anthropic can sign. An SDK sends it
back with the conversation, and Claude refuses the turn. Servers that speak the format and sign nothing want their
thinking back as it was, so it is taken out for Claude alone. What another vendor signed (see `providers.sealed`) is for
that one, and for no other; the pages that it cites (see `citing`) Claude cannot find again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from edgeagent.providers.anthropic.citing import is_cited_here, without_citations
from edgeagent.providers.native import passed_on
from edgeagent.providers.sealed import is_seal

__all__ = ["drop_unsigned", "passed_to"]


def passed_to(model: str, body: Mapping[str, Any], *, stream: bool) -> tuple[dict[str, Any], list[str]]:
    """A copy of the body for `model`, and what was changed, in words."""
    copy, edits = passed_on(body, model=model, stream=stream)
    return copy, [*edits, *drop_unsigned(copy, model)]


def drop_unsigned(copy: dict[str, Any], model: str) -> list[str]:
    """Leave out of a copy of a body what `model` takes only from its own vendor, in place; the edits, in words."""
    messages = copy.get("messages")
    if not isinstance(messages, list) or not any(map(_may_have, messages)):
        return []
    kinds = [kind for kind in _KINDS if kind.everywhere or "claude" in model]
    found = [kind for kind in kinds if any(kind.has(message) for message in messages)]
    for kind in found:
        kept = [kind.without(message) if kind.has(message) else message for message in copy["messages"]]
        copy["messages"] = [message for message in kept if message is not None]
    return [kind.edit for kind in found]


def _may_have(message: Any) -> bool:
    """Whether there is anything to look at more closely: every call's own body comes by here."""
    content = message.get("content") if isinstance(message, Mapping) else None
    if not isinstance(content, list) or message.get("role") != "assistant":
        return False
    return any(
        isinstance(block, Mapping) and (block.get("type") in _THOUGHTS or "citations" in block) for block in content
    )


class _Kind(NamedTuple):
    """What is not sent: whole blocks, or something in them."""

    edit: str
    is_one: Callable[[Any], bool]
    everywhere: bool
    """Whether to no model, or not to Claude."""
    rest: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None
    """What of such a block is sent; None: nothing."""

    def has(self, message: Any) -> bool:
        return _may_have(message) and any(map(self.is_one, message["content"]))

    def without(self, message: Mapping[str, Any]) -> dict[str, Any] | None:
        """The message without it; None if nothing is left, since an empty one is refused."""
        content = [self._left(block) for block in message["content"]]
        kept = [block for block in content if block is not None]
        return {**message, "content": kept} if kept else None

    def _left(self, block: Any) -> Any:
        if not self.is_one(block):
            return block
        return None if self.rest is None else self.rest(block)


def _is_unsigned(block: Any) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "thinking" and block.get("signature") == ""


def _is_sealed(block: Any) -> bool:
    return isinstance(block, Mapping) and block.get("type") == "redacted_thinking" and is_seal(block.get("data"))


_THOUGHTS: Final = ("thinking", "redacted_thinking")
_KINDS: Final = (
    _Kind("thinking without a signature left out of messages", _is_unsigned, everywhere=False),
    _Kind("what another vendor signed left out of messages", _is_sealed, everywhere=True),
    _Kind(
        "pages that another vendor cited left out of messages", is_cited_here, everywhere=True, rest=without_citations
    ),
)
