"""The items of a response that is being streamed out: each knows the events of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from edgeagent.providers.responses.items import CALLS, parts_of, status_of_last

__all__ = ["Call", "Entry", "Message", "Reasoning", "Send"]


class Send(Protocol):
    """Sends one event."""

    def __call__(self, kind: str, **fields: Any) -> None:
        """`kind` is its type, without the fields that every event has."""
        ...


_GROWING: Final[Mapping[str, tuple[str, str, str]]] = {
    "output_text": ("text", "response.output_text", "content_index"),
    "refusal": ("refusal", "response.refusal", "content_index"),
    "reasoning_text": ("text", "response.reasoning_text", "content_index"),
    "summary_text": ("text", "response.reasoning_summary_text", "summary_index"),
}
"""By a part's type: the field that grows, the events' name, and the index in them."""
_CALL_EVENTS: Final[Mapping[str, str]] = {
    "function_call": "response.function_call_arguments",
    "custom_tool_call": "response.custom_tool_call_input",
}


class Entry:
    """An item at its place in the output."""

    __slots__ = ("is_open", "item", "place")

    def __init__(self, item: dict[str, Any], place: int) -> None:
        self.item = item
        self.place = place
        self.is_open = True

    @property
    def _at(self) -> dict[str, Any]:
        return {"item_id": self.item.get("id") or "", "output_index": self.place}

    def begin(self, send: Send) -> None:
        """Announce the item."""
        send("response.output_item.added", output_index=self.place, item=dict(self.item))

    def close(self, send: Send) -> None:
        """Say that the item is complete."""
        send("response.output_item.done", output_index=self.place, item=self.item)
        self.is_open = False

    def complete(self, item: Mapping[str, Any], send: Send) -> None:
        """The vendor's own item, told in full."""
        self.item = {**item, "id": self.item.get("id")}
        self.close(send)

    def whole(self, send: Send) -> None:
        """Announce, tell and end an item that is complete from the beginning."""
        item = self.item
        kind = item["type"]
        lists = {"message": ("content",), "reasoning": ("summary", "content")}.get(kind, ())
        empty = {**item, **{name: [] for name in lists if name in item}}
        if kind in CALLS:
            empty[CALLS[kind][1]] = ""
        send("response.output_item.added", output_index=self.place, item=empty)
        for name in lists:
            parts = parts_of(item) if kind == "message" else item.get(name) or ()
            for index, part in enumerate(parts):
                if part.get("type") in _GROWING:
                    part_begin(send, self._at, index, part["type"])
                    part_told(send, self._at, index, part)
        if kind in CALLS:
            given = CALLS[kind][1]
            _call_done(send, self._at, item, told=item[given])
        self.close(send)


def part_begin(send: Send, at: Mapping[str, Any], index: int, kind: str) -> None:
    """Announce a part; open reasoning has none of these events."""
    empty: dict[str, Any] = {"type": kind, _GROWING[kind][0]: ""}
    if kind == "output_text":
        empty.update(annotations=[], logprobs=[])
    if kind == "summary_text":
        send("response.reasoning_summary_part.added", **at, summary_index=index, part=empty)
    elif kind != "reasoning_text":
        send("response.content_part.added", **at, content_index=index, part=empty)


def part_told(send: Send, at: Mapping[str, Any], index: int, part: Mapping[str, Any]) -> None:
    """A whole part: its one delta, its annotations, its end."""
    kind = part["type"]
    field, name, place = _GROWING[kind]
    text = part.get(field) or ""
    if text:
        beside = {"logprobs": part.get("logprobs") or []} if kind == "output_text" else {}
        send(f"{name}.delta", **at, **{place: index}, delta=text, **beside)
    for number, note in enumerate(part.get("annotations") or ()):
        _annotation(send, at, index, number, note)
    part_end(send, at, index, part)


def part_end(send: Send, at: Mapping[str, Any], index: int, part: Mapping[str, Any]) -> None:
    """The end of a part whose deltas were sent."""
    kind = part["type"]
    field, name, place = _GROWING[kind]
    beside = {"logprobs": part.get("logprobs") or []} if kind == "output_text" else {}
    send(f"{name}.done", **at, **{place: index}, **{field: part.get(field) or ""}, **beside)
    if kind == "summary_text":
        send("response.reasoning_summary_part.done", **at, summary_index=index, part=part)
    elif kind != "reasoning_text":
        send("response.content_part.done", **at, content_index=index, part=part)


def _annotation(send: Send, at: Mapping[str, Any], index: int, number: int, note: Any) -> None:
    place = {"content_index": index, "annotation_index": number}
    send("response.output_text.annotation.added", **at, **place, annotation=note)


def _call_done(send: Send, at: Mapping[str, Any], item: Mapping[str, Any], told: str = "") -> None:
    given, name = CALLS[item["type"]][1], _CALL_EVENTS[item["type"]]
    if told:
        send(f"{name}.delta", **at, delta=told)
    named = {"name": item["name"]} if item["type"] == "function_call" else {}
    send(f"{name}.done", **at, **named, **{given: item[given]})


class Reasoning(Entry):
    """Reasoning, told as one summary."""

    __slots__ = ("_pieces",)

    def __init__(self, id: str, place: int) -> None:
        super().__init__({"id": id, "type": "reasoning", "summary": []}, place)
        self._pieces: list[str] = []

    def begin(self, send: Send) -> None:
        """Announce the item and its one part."""
        super().begin(send)
        part_begin(send, self._at, 0, "summary_text")

    def add(self, piece: str, send: Send) -> None:
        """The next piece of its text."""
        self._pieces.append(piece)
        send("response.reasoning_summary_text.delta", **self._at, summary_index=0, delta=piece)

    def _end_part(self, send: Send) -> list[dict[str, Any]]:
        part = {"type": "summary_text", "text": "".join(self._pieces)}
        part_end(send, self._at, 0, part)
        return [part]

    def end(self, send: Send, status: str) -> None:
        """No more will come."""
        self.item["summary"] = self._end_part(send)
        self.close(send)

    def complete(self, item: Mapping[str, Any], send: Send) -> None:
        """The vendor's own item; its text stays the one part that was told."""
        told = {name: value for name, value in item.items() if name != "content"}
        super().complete({**told, "summary": self._end_part(send)}, send)


class Message(Entry):
    """A message of at most one text and one refusal; `start`: the characters of the answer's text before it."""

    __slots__ = ("_grown", "start")

    def __init__(self, id: str, place: int, start: int) -> None:
        item = {"id": id, "type": "message", "status": "in_progress", "role": "assistant", "content": []}
        super().__init__(item, place)
        self.start = start
        self._grown: dict[str, _Part] = {}  # by type, in order

    def _part(self, kind: str, send: Send) -> _Part:
        part = self._grown.get(kind)
        if part is None:
            part = self._grown[kind] = _Part(kind, len(self._grown))
            part_begin(send, self._at, part.index, kind)
        return part

    def add(self, piece: str, send: Send, logprobs: list[dict[str, Any]]) -> None:
        """The next piece of text."""
        part = self._part("output_text", send)
        part.pieces.append(piece)
        part.logprobs += logprobs
        at = {**self._at, "content_index": part.index}
        send("response.output_text.delta", **at, delta=piece, logprobs=logprobs)

    def refuse(self, piece: str, send: Send) -> None:
        """The next piece of a refusal."""
        part = self._part("refusal", send)
        part.pieces.append(piece)
        send("response.refusal.delta", **self._at, content_index=part.index, delta=piece)

    def annotate(self, notes: list[dict[str, Any]], send: Send) -> None:
        """Annotations of the text."""
        part = self._part("output_text", send)
        for note in notes:
            _annotation(send, self._at, part.index, len(part.notes), note)
            part.notes.append(note)

    def _end_parts(self, send: Send) -> list[dict[str, Any]]:
        parts = [part.whole() for part in self._grown.values()]
        for index, part in enumerate(parts):
            part_end(send, self._at, index, part)
        return parts

    def end(self, send: Send, status: str) -> None:
        """No more will come."""
        self.item.update(status=status, content=self._end_parts(send))
        self.close(send)

    def complete(self, item: Mapping[str, Any], send: Send) -> None:
        """The vendor's own item. Its parts count where they are as many as were told."""
        theirs = parts_of(item)
        if len(theirs) == 1 and "output_text" in self._grown and not self._grown["output_text"].notes:
            self.annotate(list(theirs[0].get("annotations") or ()), send)
        ours = self._end_parts(send)
        same = [part["type"] for part in theirs] == [part["type"] for part in ours]
        super().complete({**item, "content": theirs if same else ours}, send)


class _Part:
    __slots__ = ("index", "kind", "logprobs", "notes", "pieces")

    def __init__(self, kind: str, index: int) -> None:
        self.kind = kind
        self.index = index
        self.pieces: list[str] = []
        self.logprobs: list[dict[str, Any]] = []
        self.notes: list[dict[str, Any]] = []

    def whole(self) -> dict[str, Any]:
        text = "".join(self.pieces)
        if self.kind == "refusal":
            return {"type": "refusal", "refusal": text}
        return {"type": "output_text", "text": text, "annotations": self.notes, "logprobs": self.logprobs}


class Call(Entry):
    """A call of one of the client's tools."""

    __slots__ = ("_pieces",)

    def __init__(self, id: str, place: int, kind: str, call_id: str, name: str) -> None:
        given = {"call_id": call_id, "name": name, CALLS[kind][1]: ""}
        super().__init__({"id": id, "type": kind, "status": "in_progress", **given}, place)
        self._pieces: list[str] = []

    def add(self, piece: str, send: Send) -> None:
        """The next piece of its arguments, or of its input."""
        self._pieces.append(piece)
        send(f"{_CALL_EVENTS[self.item['type']]}.delta", **self._at, delta=piece)

    def _end_call(self, send: Send) -> None:
        self.item[CALLS[self.item["type"]][1]] = "".join(self._pieces)
        _call_done(send, self._at, self.item)

    def end(self, send: Send, *, cut: bool) -> None:
        """No more will come; `cut`: and the answer had been cut off before it was whole."""
        self._end_call(send)
        self.item["status"] = status_of_last(self.item) if cut else "completed"
        self.close(send)

    def complete(self, item: Mapping[str, Any], send: Send) -> None:
        """The vendor's own item."""
        self._end_call(send)
        super().complete(item, send)
