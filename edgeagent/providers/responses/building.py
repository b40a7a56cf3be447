"""One output item of a stream, while its deltas come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from edgeagent.providers.responses.items import CALLS, parts_of

__all__ = ["Building"]

_EMPTY: Final[dict[str, dict[str, Any]]] = {
    "output_text": {"type": "output_text", "text": "", "annotations": []},
    "refusal": {"type": "refusal", "refusal": ""},
    "summary": {"type": "summary_text", "text": ""},
    "content": {"type": "reasoning_text", "text": ""},
}


class Building:
    """The item as it was announced, and the pieces of what grows in it: `output_text`, `arguments`, `summary`, …."""

    __slots__ = ("_pieces", "call", "item", "logprobs", "starts")

    def __init__(self, item: dict[str, Any]) -> None:
        self.item = item
        self.call: int | None = None
        """Its place among the calls of the client's tools, once it is told."""
        self.starts: dict[int, int] = {}
        """By the index of a text part: the characters of text before it."""
        self.logprobs: set[int] = set()
        """Text parts whose log probabilities came with the deltas."""
        self._pieces: dict[tuple[str, int], list[str]] = {}

    def add(self, name: str, part: int, piece: str, length: int) -> None:
        """The next piece; `length` counts the characters of text so far."""
        if name == "output_text":
            self.starts.setdefault(part, length)
        self._pieces.setdefault((name, part), []).append(piece)

    def finish(self, item: dict[str, Any] | None) -> None:
        """The item is complete: `item` if it was sent whole; what that leaves out is filled from the deltas."""
        if item is not None:
            self.item = item
        kind = str(self.item.get("type"))
        if kind in CALLS:
            given = CALLS[kind][1]
            if not self.item.get(given):
                self.item[given] = self._told(given, 0)
        elif kind == "message" and not self.item.get("content"):
            self.item.setdefault("role", "assistant")
            self.item["content"] = self._parts("output_text", "refusal")
        elif kind == "reasoning":
            for name in ("summary", "content"):
                if not self.item.get(name) and (parts := self._parts(name)):
                    self.item[name] = parts
            self.item.setdefault("summary", [])

    def rest(self) -> Iterator[tuple[str, int, str, Any]]:
        """What the complete item says beyond its deltas: name, part, text, log probabilities."""
        kind = self.item["type"]
        if kind in CALLS:
            given = CALLS[kind][1]
            yield given, 0, self._beyond(given, 0, self.item[given]), None
        elif kind == "message":
            for index, part in enumerate(parts_of(self.item)):
                if part["type"] == "output_text":
                    logprobs = None if index in self.logprobs else part.get("logprobs")
                    yield "output_text", index, self._beyond("output_text", index, part["text"]), logprobs
                elif part["type"] == "refusal":
                    yield "refusal", index, self._beyond("refusal", index, part["refusal"]), None
        elif kind == "reasoning":
            for name in ("summary", "content"):
                for index, part in enumerate(self.item.get(name) or ()):
                    yield name, index, self._beyond(name, index, part.get("text") or ""), None

    def _told(self, name: str, part: int) -> str:
        return "".join(self._pieces.get((name, part), ()))

    def _beyond(self, name: str, part: int, text: str) -> str:
        """The end of `text` that no delta told; nothing where the deltas told something else."""
        told = self._told(name, part)
        return text[len(told) :] if text.startswith(told) else ""

    def _parts(self, *names: str) -> list[dict[str, Any]]:
        found = sorted((part, name) for name, part in self._pieces if name in names)
        grown = {"output_text": "text", "refusal": "refusal", "summary": "text", "content": "text"}
        return [{**_EMPTY[name], grown[name]: self._told(name, part)} for part, name in found]
