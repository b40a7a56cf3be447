"""Gemini's words and ours.

Sources: https://ai.google.dev/api/generate-content (finish reasons, usage), https://ai.google.dev/api/caching (parts),
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference for Vertex AI.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["NATIVE_FINISH", "WIRE", "camel", "finish_reason", "native_of"]

WIRE: Final = "google.generate"

_NUMBERS: Final = (
    *("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER", "LANGUAGE", "BLOCKLIST"),
    *("PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL", "IMAGE_SAFETY", "UNEXPECTED_TOOL_CALL"),
)
"""By number, as an answer has them that was asked for with `enum-encoding=int`."""

_FILTERED: Final = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"),
        *("IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"),
    }
)

NATIVE_FINISH: Final[Mapping[str, str]] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "function_call": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
}


def native_of(value: object) -> str | None:
    """A finish reason's name; numbers are names, too."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _NUMBERS[value] if 0 <= value < len(_NUMBERS) else str(value)
    return value if isinstance(value, str) and value else None


def finish_reason(native: str, *, called: bool) -> str:
    """OpenAI's finish reason: a STOP with calls waits for their results."""
    if native == "MAX_TOKENS":
        return "length"
    if native in _FILTERED:
        return "content_filter"
    return "tool_calls" if called else "stop"


_SNAKE: Final = re.compile(r"_([a-z0-9])")


def camel(value: Any, *, keep: frozenset[str] = frozenset()) -> Any:
    """JSON whose field names may be in snake case, as the API accepts them, in its documented camel case.

    What stands under a field of `keep` is the caller's own and stays as it is.
    """
    if isinstance(value, Mapping):
        renamed: dict[str, Any] = {}
        for name, item in value.items():
            told = _SNAKE.sub(lambda letter: letter[1].upper(), name)
            renamed[told] = item if told in keep else camel(item, keep=keep)
        return renamed
    return [camel(item, keep=keep) for item in value] if isinstance(value, list) else value
