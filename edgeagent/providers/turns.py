"""The order of a conversation: who has its last word, and where the results of calls stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatRequest

__all__ = ["RESULTS_FIRST", "refuse_silence", "results_first"]

RESULTS_FIRST: Final = "Results of tool calls are put right behind the calls, where other formats have them."


def results_first(request: ChatRequest) -> ChatRequest | None:
    """The request with each result of a call before whatever else was said since; None where it stands there.

    Some formats let the user speak between a call and its result. Chat does not.
    """
    messages: list[dict[str, Any]] = []
    asked: set[Any] = set()  # by the last message that called
    place, moved = 0, False
    for message in request.messages:
        if message.get("role") == "tool" and message.get("tool_call_id") in asked:
            moved = moved or place < len(messages)
            messages.insert(place, message)
            place += 1
            continue
        messages.append(message)
        if message.get("tool_calls"):
            asked = {call.get("id") for call in message["tool_calls"]}
            place = len(messages)
    return request.model_copy(update={"messages": messages}) if moved else None


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
