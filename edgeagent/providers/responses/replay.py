"""A whole response → the stream that tells it: for a streamed call whose answer was stored unstreamed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.responses.entries import Entry
from edgeagent.providers.responses.writer import EventWriter

__all__ = ["LAST", "stream_of"]

LAST: Final[Mapping[str, str]] = {
    "completed": "response.completed",
    "failed": "response.failed",
}
"""By its status: the event that ends a response's stream; for any other, `response.incomplete`."""

_LATER: Final = ("completed_at", "usage", "incomplete_details", "error")


def stream_of(response: Mapping[str, Any]) -> bytes:
    """The events of a response (checked as `decode_response` checks it), each text in one piece."""
    send = EventWriter()
    begun = {**response, "status": "in_progress", "output": []}
    begun.update({name: None for name in _LATER if name in response})
    send("response.created", response=begun)
    send("response.in_progress", response=begun)
    for place, item in enumerate(response["output"]):
        Entry(dict(item), place).whole(send)
    send(LAST.get(str(response.get("status")), "response.incomplete"), response=response)
    return send.taken()
