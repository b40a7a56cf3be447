"""A caller's own body for a target of the same wire format: what every vendor with the model in the body has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeagent.wire.json import dump_json
from edgeagent.wire.sse import SSEDecoder, SSEError, SSEEvent

__all__ = ["document_in", "events_of", "passed_on"]


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
