"""Reasoning that a server writes into the text, between `<think>` and `</think>`, taken apart from it.

Only where a row says so: the same characters may be what somebody asked for. The tag counts at the beginning of the
answer alone. Whole answers and streams go through the same steps, so that both say the same.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

__all__ = ["ThinkTags"]

OPEN: Final = "<think>"
CLOSE: Final = "</think>"
MAX_LEAD: Final = 256
"""How much white space may stand before the tag."""


class _State(Enum):
    BEFORE = 0  # nothing but white space yet
    OPENED = 1  # the tag came, and nothing but white space after it
    INSIDE = 2
    CLOSED = 3  # the closing tag came, and nothing but white space after it
    AFTER = 4


class ThinkTags:
    """Takes the text of one choice apart, piece by piece; at most a tag's length is held back."""

    __slots__ = ("_held", "_state")

    def __init__(self) -> None:
        self._state = _State.BEFORE
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Reasoning and content that are certain with the next piece."""
        if self._state is _State.AFTER:
            return "", text
        text = self._held + text
        self._held = ""
        if self._state is _State.BEFORE:
            lead = text.lstrip()
            if lead.startswith(OPEN):
                self._state, text = _State.OPENED, lead[len(OPEN) :]
            elif OPEN.startswith(lead) and len(text) <= MAX_LEAD:
                self._held = text
                return "", ""
            else:
                self._state = _State.AFTER
                return "", text
        reasoning = self._reasoning(text)
        content = ""
        if self._state is _State.CLOSED:
            content, self._held = self._held.lstrip(), ""
            self._state = _State.AFTER if content else _State.CLOSED
        return reasoning, content

    def rest(self) -> tuple[str, str]:
        """The text has ended: what was held back."""
        held, self._held = self._held, ""
        return ("", held) if self._state is _State.BEFORE else (held, "")

    def _reasoning(self, text: str) -> str:
        """The reasoning in `text`; what follows it, or may be the beginning of the closing tag, is held."""
        if self._state is _State.CLOSED:
            self._held = text
            return ""
        if self._state is _State.OPENED:
            text = text.lstrip()
            if not text:
                return ""
            self._state = _State.INSIDE
        reasoning, closed, after = text.partition(CLOSE)
        if closed:
            self._state, self._held = _State.CLOSED, after
            return reasoning
        cut = next(size for size in range(min(len(CLOSE) - 1, len(text)), -1, -1) if text.endswith(CLOSE[:size]))
        self._held = text[len(text) - cut :]
        return text[: len(text) - cut]
