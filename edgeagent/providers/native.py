"""Calls in a vendor's own format: the caller's body for a target of the same one, what is left for any other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatRequest
from edgeagent.wire.json import dump_json
from edgeagent.wire.sse import SSEDecoder, SSEError, SSEEvent

__all__ = ["TOOL_FIELDS", "document_in", "events_of", "passed_on", "refuse_uploads", "without"]

TOOL_FIELDS: Final = frozenset({"type", "function", "custom", "cache_control"})
"""What a tool of the caller's has in the unified model."""


def passed_on(body: Mapping[str, Any], *, model: str | None, stream: bool) -> tuple[dict[str, Any], list[str]]:
    """A copy of the top level with the target's model name and the way in which the answer travels; the edits.

    `model` is None where the URL names it and the body's word is not read.
    """
    copy, edits = dict(body), []
    if model is not None and copy.get("model") != model:
        copy["model"] = model
        edits.append(f"model sent as {model}")
    if bool(copy.get("stream")) != stream:
        copy["stream"] = stream
    return copy, edits


def events_of(stream: bytes) -> list[SSEEvent]:
    """The events of a whole stream; none if it is no event stream."""
    decoder = SSEDecoder()
    try:
        return decoder.feed(stream) + decoder.end()
    except SSEError:
        return []


def document_in(value: Any) -> bytes | None:
    """A JSON object as a document; None for anything else."""
    return dump_json(value) if isinstance(value, dict) else None


def without(request: ChatRequest, extra: Collection[str], changes: Mapping[str, Any]) -> ChatRequest:
    """A copy with other fields, and without these that the unified model does not know."""
    made = request.model_copy(update=dict(changes))
    left = {name: value for name, value in (request.model_extra or {}).items() if name not in extra}
    object.__setattr__(made, "__pydantic_extra__", left)  # the model is frozen
    return made


def refuse_uploads(request: ChatRequest, keeper: str) -> None:
    """Refuse files that were uploaded to a vendor, for targets of other vendors.

    Raises:
        RequestValidationError: there is one; `.param` names its message.
    """
    for place, message in enumerate(request.messages):
        content = message.get("content")
        for part in content if isinstance(content, list) else ():
            file = part.get("file")
            if isinstance(file, Mapping) and file.get("file_id") is not None:
                reason = f"this model is another vendor's, and a file is kept at {keeper}: send its bytes or its URL"
                raise RequestValidationError(f"messages[{place}]: {reason}.", param=f"messages[{place}]")
