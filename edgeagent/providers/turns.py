"""Who has the last word of a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeagent.errors import RequestValidationError

__all__ = ["refuse_silence"]


def refuse_silence(messages: Sequence[Mapping[str, Any]], last: str) -> None:
    """Refuse a request whose last message says nothing and is left out: an answer would go on with the one before it.

    Args:
        messages: as they were given.
        last: the role that the vendor's form of them ends with.

    Raises:
        RequestValidationError: it is the assistant's, and the caller's last message was not.
    """
    if last == "assistant" and messages[-1].get("role") != "assistant":
        raise RequestValidationError(
            "The last message has no content, which the vendor does not take; without it the assistant's own words "
            "would be continued.",
            param=f"messages[{len(messages) - 1}].content",
        )
