"""A stored answer as a stream: the chunks that came when it was made, at full speed or with the pauses they had.

What was stored by a call that did not stream has no such chunks; it comes in as few as can say it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from edgeagent.cache.entry import Entry
from edgeagent.core.ask import OpenedStream
from edgeagent.types import ChatCompletion
from edgeagent.types.assembly import to_chunks
from edgeagent.types.options import CachePace
from edgeagent.types.recording import replayed

__all__ = ["stored_stream"]

AT_ONCE: Final = 0.001
"""Seconds after the first within which a chunk is no later than it."""


def stored_stream(entry: Entry, completion: ChatCompletion, pace: CachePace) -> OpenedStream:
    """The stream of an entry, whose completion is `completion`."""
    try:
        recorded = replayed(entry.chunks, completion) if entry.chunks else []
    except ValueError:  # somebody else's, by an import
        recorded = []
    if not recorded:
        return OpenedStream(None, None, to_chunks(completion), ended=True)
    if pace == "full":
        return OpenedStream(None, None, [chunk for _, chunk in recorded], ended=True)
    first = [chunk for after, chunk in recorded if after < AT_ONCE]
    later = deque(recorded[len(first) :])
    return OpenedStream(None, None, first, ended=not later, paced=later or None)
