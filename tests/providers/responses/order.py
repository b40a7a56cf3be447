"""The documented order of a stream's events as a state machine, of its own: none of the encoder's code."""

from __future__ import annotations

from typing import Any

__all__ = ["check_order"]

Event = dict[str, Any]
ENDS = {"response.completed", "response.incomplete", "response.failed"}
PARTS = {
    "response.content_part": ("content_index", {"output_text": "text", "refusal": "refusal"}),
    "response.reasoning_summary_part": ("summary_index", {"summary_text": "text"}),
}
GROWING = {
    "response.output_text": ("content_index", "text"),
    "response.refusal": ("content_index", "refusal"),
    "response.reasoning_summary_text": ("summary_index", "text"),
    "response.reasoning_text": ("content_index", "text"),
    "response.function_call_arguments": (None, "arguments"),
    "response.custom_tool_call_input": (None, "input"),
}


def check_order(events: list[Event], *, recorded: bool = False) -> None:
    """Raise AssertionError for the first event that may not stand where it stands, or says what no delta said.

    Of what was `recorded`, the items of the last event are not looked into: some servers leave them out there, and
    recorders replace what is encrypted by another text each time.
    """
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] in ENDS
    assert not ENDS & {event["type"] for event in events[:-1]}
    order = _Order()
    for event in events[2:-1]:
        order.take(event)
    output = events[-1]["response"]["output"]
    assert not order.open
    assert recorded or output == order.items


class _Order:
    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []  # open ones too
        self.open: dict[int, str] = {}  # by place, the id
        self.parts: dict[tuple[int, str, int], bool] = {}  # whether it is open
        self.texts: dict[tuple[int, str, int], str] = {}
        self.done: set[tuple[int, str, int]] = set()

    def take(self, event: Event) -> None:
        kind, _, what = event["type"].rpartition(".")
        if kind == "response.output_item":
            (self.begin if what == "added" else self.close)(event)
            return
        place = event["output_index"]
        assert self.open.get(place) == event["item_id"], event
        if kind in PARTS:
            self.part(event, kind, what)
        elif kind == "response.output_text.annotation":
            assert self.parts[place, "response.content_part", event["content_index"]]
        else:
            self.grow(event, kind, what)

    def begin(self, event: Event) -> None:
        assert event["output_index"] == len(self.items), "items are announced in their order"
        self.items.append(event["item"])
        self.open[event["output_index"]] = event["item"]["id"]
        if event["item"]["type"] in ("message", "reasoning", "function_call", "custom_tool_call"):
            filled = [event["item"].get(name) for name in ("content", "summary", "arguments", "input")]
            assert not any(filled), "an item begins empty"

    def close(self, event: Event) -> None:
        place = event["output_index"]
        assert self.open.pop(place) == event["item"]["id"]
        assert not any(is_open for (at, _, _), is_open in self.parts.items() if at == place), "a part is still open"
        assert all(key in self.done for key in self.texts if key[0] == place), "a text has no end"
        self.items[place] = event["item"]

    def part(self, event: Event, kind: str, what: str) -> None:
        index, fields = PARTS[kind]
        key = (event["output_index"], kind, event[index])
        if what == "added":
            assert key not in self.parts
            assert not event["part"][fields[event["part"]["type"]]], "a part begins empty"
        else:
            assert self.parts[key], "it never began"
        self.parts[key] = what == "added"

    def grow(self, event: Event, kind: str, what: str) -> None:
        index, field = GROWING[kind]
        key = (event["output_index"], kind, event[index] if index else 0)
        assert key not in self.done, "it has ended"
        part = {"content_index": "response.content_part", "summary_index": "response.reasoning_summary_part"}.get(
            index or ""
        )
        if part is not None and kind != "response.reasoning_text":
            assert self.parts[key[0], part, key[2]], "its part is not open"
        if what == "delta":
            self.texts[key] = self.texts.get(key, "") + event["delta"]
        else:
            assert event[field] == self.texts.get(key, ""), "the end says what no delta said"
            self.done.add(key)
