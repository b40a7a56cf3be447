"""A streamed answer of Google's in the form that its caller asked for, whichever form it came in.

The documents are not changed, but for line ends between their words where events cannot hold them; the array's commas
stand where Google puts them. What is wrong with the bytes is found by who decodes them: here such a stream just has no
end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgeagent.providers.gemini.documents import BLANK, OPEN, Documents

__all__ = ["ArrayForm", "EventsForm", "array_of", "events_of"]

_BETWEEN: Final = b"\n,\r\n"
_END: Final = b"\n]"
_LINE_ENDS: Final = b"\r\n"


class ArrayForm:
    """Bytes of a stream → one JSON array: what the vendor sends without `alt=sse`."""

    __slots__ = ("_begun", "_objects")
    media_type: Final = "application/json; charset=UTF-8"

    def __init__(self) -> None:
        self._objects = _Objects()
        self._begun = False

    def feed(self, data: bytes, /) -> bytes:
        """The elements that have become complete."""
        return self._told(self._objects.feed(data))

    def end(self, *, told: bool = False) -> bytes:
        """The last element, and the array's end; `told`: the last element tells what went wrong with the stream."""
        rest = self._told(self._objects.end())
        if self._objects.broken and not told:
            return rest
        return rest + _END if self._begun else b"[]"

    def _told(self, objects: list[bytes]) -> bytes:
        if not objects:
            return b""
        lead, self._begun = _BETWEEN if self._begun else b"[", True
        return lead + _BETWEEN.join(objects)


class EventsForm:
    """Bytes of a stream → server-sent events; what has that form already goes on byte for byte."""

    __slots__ = ("_is_known", "_objects")
    media_type: Final = "text/event-stream"

    def __init__(self) -> None:
        self._is_known = False
        self._objects: _Objects | None = None  # None: these are events

    def feed(self, data: bytes, /) -> bytes:
        """The events that have become complete."""
        if self._is_known:
            return data if self._objects is None else _events(self._objects.feed(data))
        head = data.lstrip(BLANK)
        self._is_known = bool(head)
        if not head.startswith(OPEN):
            return data
        self._objects = _Objects()
        return data[: len(data) - len(head)] + _events(self._objects.feed(head))

    def end(self, *, told: bool = False) -> bytes:
        """The last event."""
        return b"" if self._objects is None else _events(self._objects.end())


def array_of(content: bytes) -> bytes | None:
    """What a whole body says, as one JSON array; None if it says nothing in any form of a stream."""
    objects = _whole(content)
    return b"[" + _BETWEEN.join(objects) + _END if objects else None


def events_of(content: bytes) -> bytes | None:
    """The same as events."""
    objects = _whole(content)
    return _events(objects) if objects else None


class _Objects:
    """Bytes of a stream → its documents that are objects: proxies of OpenAI's manners add a `[DONE]`."""

    __slots__ = ("_documents", "broken")

    def __init__(self) -> None:
        self._documents = Documents()
        self.broken = False
        """Whether something is wrong: nothing more comes."""

    def feed(self, data: bytes) -> list[bytes]:
        """Those that have become complete."""
        if self.broken:
            return []
        try:
            return _objects(self._documents.feed(data))
        except ValueError:
            self.broken = True
            return []

    def end(self) -> list[bytes]:
        """The last one, if nothing else ended it."""
        if self.broken:
            return []
        try:
            rest = _objects(self._documents.end())
        except ValueError:
            self.broken = True
            return []
        array = self._documents.array
        self.broken = array is not None and not array.closed
        return rest


def _whole(content: bytes) -> list[bytes]:
    reader = _Objects()
    found = reader.feed(content) + reader.end()
    return [] if reader.broken else found


def _objects(documents: Iterable[str | bytes]) -> list[bytes]:
    raw = (text.encode() if isinstance(text, str) else text for text in documents)
    return [found for text in raw if (found := text.strip()).startswith(b"{")]


def _events(objects: list[bytes]) -> bytes:
    return b"".join(b"data: " + one.translate(None, _LINE_ENDS) + b"\r\n\r\n" for one in objects)
