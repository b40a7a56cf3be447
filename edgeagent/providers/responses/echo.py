"""What a response repeats of the request that it answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

__all__ = ["echo_of"]

_REPEATED: Final = frozenset(
    {
        *("background", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls"),
        *("previous_response_id", "prompt_cache_key", "reasoning", "safety_identifier", "temperature", "text"),
        *("tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user"),
    }
)


def echo_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a request's body that a response has too, as they were asked."""
    return {name: value for name, value in body.items() if value is not None and name in _REPEATED}
