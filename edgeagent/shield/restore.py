"""Putting the values back into an answer, whole or as it comes.

One scanner serves both: it decides at each place by what follows, and where what follows has not come yet, it waits.
So a stream gives the same text however it is cut, and holds back no more than what may still become a placeholder.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from copy import copy, deepcopy
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus

from edgeagent.shield.brackets import in_url
from edgeagent.shield.json_text import is_integer, quoted
from edgeagent.shield.literals import Literals, More
from edgeagent.shield.nesting import Nesting, looks_like_json
from edgeagent.shield.placeholders import OURS, STARTS, Names, name_of
from edgeagent.shield.places import GROUNDS, Document, ground, move_citations, move_note, within
from edgeagent.shield.respell import respelled

if TYPE_CHECKING:
    from edgeagent.shield.vault import Entity

__all__ = ["Restorer", "Restoring", "forms_of"]

_CONTEXT: Final = 2
"""How many characters of what is gone are remembered, to see where a word begins; one more of an odd row of
backslashes."""


class Restorer:
    """Knows the values that one request held.

    Args:
        placeholders: placeholder → value.
        standins: stand-in → value.
        bare: names without brackets → value, for places in which a bracket is not allowed.
        documents: gives the documents of the request, which answers may cite.
    """

    __slots__ = (
        "_bare",
        "_documents",
        "_names",
        "_placeholders",
        "_size",
        "_standins",
        "_starts",
        "_values",
        "needs_escapes",
    )

    def __init__(
        self,
        placeholders: Mapping[str, str],
        standins: Mapping[str, str],
        bare: Mapping[str, str] | None = None,
        documents: Callable[[], list[Document]] = list,
    ) -> None:
        self._documents = documents
        self._placeholders = {name_of(text): value for text, value in placeholders.items()}
        self._names = Names(self._placeholders)
        self._values = {
            form: (in_url(value) if times is None else value, times or 0)
            for standin, value in {**respelled(standins.items()), **standins}.items()
            for form, times in forms_of(standin).items()
        }
        self._standins = Literals(self._values)
        self._bare = dict(bare or {})
        self._size = len(placeholders) + len(standins)
        self.needs_escapes = any(_escaped(value, 1) != value for value in (*placeholders.values(), *standins.values()))
        """Whether any value is written otherwise in JSON text."""
        starts = (STARTS if placeholders else "") + self._standins.first
        self._starts = re.compile(f"[{re.escape(starts)}]") if starts else None

    @classmethod
    def of(
        cls, entities: Iterable[Entity], bare: Mapping[str, str], documents: Callable[[], list[Document]] = list
    ) -> Restorer:
        """The same of the values that a vault gave something to stand for."""
        tokens: tuple[dict[str, str], dict[str, str]] = ({}, {})
        for entity in entities:
            tokens[not entity.in_brackets][entity.token] = entity.value
        return cls(*tokens, bare, documents)

    def __bool__(self) -> bool:
        """Whether there is anything to restore."""
        return self._starts is not None or bool(self._bare)

    @property
    def reads(self) -> bool:
        """Whether there may be anything to restore in a text; else there are names of tools alone."""
        return self._starts is not None

    def __repr__(self) -> str:
        return f"<Restorer of {self._size} values>"

    def text(self, text: str, *, json: bool = False) -> str:
        """A whole text; with `json` it is JSON text, and values are written as inside of its strings."""
        if self._starts is None:
            return text
        stream = self.stream(json=json)
        return stream.feed(text) + stream.end()

    def without(self, text: str) -> str:
        """A whole text without what stands for values."""
        if self._starts is None:
            return text
        pieces, _ = self.scan(text, "", final=True)
        return "".join(plain for plain, *_ in pieces)

    def stream(self, *, json: bool = False) -> Restoring:
        """The same for a text that comes in pieces."""
        return Restoring(self, json=json)

    def name(self, name: str) -> str:
        """The name of a tool: one that was masked, or as it is."""
        return self._bare.get(name, name)

    def tree(self, value: Any, *, parent: str = "", structured: bool = False) -> Any:
        """A copy of a JSON value with everything restored in it.

        Args:
            value: an answer in any vendor's format, or a part of it.
            parent: the name under which it stands; text of `_JSON_KEYS` is JSON itself.
            structured: whether the text of the answer is JSON.
        """
        if isinstance(value, str):
            if parent in ("name", "server_label") and value in self._bare:
                return self._bare[value]
            is_json = parent in _JSON_KEYS or (structured and parent in _ANSWERS and looks_like_json(value))
            return self.text(value, json=is_json)
        if isinstance(value, dict):
            if parent in _OBJECTS:
                return self._object(value)
            if isinstance(value.get("annotations"), list):
                return self._cited(value, structured=structured)
            if value.get("type") == "char_location":
                return self._quoting(value)
            if isinstance(value.get("citations"), list) and isinstance(value.get("content"), list):
                return self._quoted(value, structured=structured)
            if any(name in value for name in GROUNDS) and isinstance(value.get("content"), dict):
                return self._grounded(value, structured=structured)
            return {self.text(key): self.tree(part, parent=key, structured=structured) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self.tree(part, parent=parent, structured=structured) for part in value]
        return value

    def _cited(self, value: dict[str, Any], *, structured: bool) -> dict[str, Any]:
        """A text with its citations, whose places are those of the restored text."""
        name = "text" if isinstance(value.get("text"), str) else "content"
        text = value.get(name)
        if not isinstance(text, str):
            return {self.text(key): self.tree(part, parent=key, structured=structured) for key, part in value.items()}
        stream, whole = self._read(text, structured=structured)
        result = {
            self.text(key): whole if key == name else self.tree(part, parent=key, structured=structured)
            for key, part in value.items()
        }
        for note in result["annotations"]:
            move_note(note, stream)
        return result

    def _quoting(self, value: dict[str, Any]) -> dict[str, Any]:
        """Anthropic's citation of a document, whose places are those of the document as the caller sent it."""
        result = {self.text(key): self.tree(part, parent=key) for key, part in value.items()}
        return {**result, **(within(value, self._documents()) or {})}

    def _quoted(self, value: dict[str, Any], *, structured: bool) -> dict[str, Any]:
        """Cohere's message, whose citations count characters of its blocks."""
        result = {self.text(key): self.tree(part, parent=key, structured=structured) for key, part in value.items()}
        texts = [block.get("text") if isinstance(block, dict) else "" for block in value["content"]]
        streams = [self._read(text, structured=structured)[0] for text in texts]
        move_citations(result["citations"], streams)
        return result

    def _grounded(self, value: dict[str, Any], *, structured: bool) -> dict[str, Any]:
        """Google's candidate, whose metadata counts bytes of its text."""
        result = {self.text(key): self.tree(part, parent=key, structured=structured) for key, part in value.items()}
        found = value["content"].get("parts")
        parts = [part if isinstance(part, dict) else {} for part in (found if isinstance(found, list) else ())]
        texts = [part["text"] if isinstance(part.get("text"), str) else "" for part in parts]
        spoken = [text for text, part in zip(texts, parts, strict=True) if not part.get("thought")]
        whole = self.stream(json=structured and looks_like_json("".join(spoken)))
        for text in spoken:
            whole.feed(text)
            whole.end()
        ground(result, whole, [self._read(text, structured=structured) for text in texts])
        return result

    def _read(self, text: Any, *, structured: bool) -> tuple[Restoring, str]:
        """A text that was read to its end, and what was made of it; anything else is no text."""
        text = text if isinstance(text, str) else ""
        stream = self.stream(json=structured and looks_like_json(text))
        return stream, stream.feed(text) + stream.end()

    def _object(self, value: Any) -> Any:
        """What a tool is called with, where it is no text: JSON text in its strings stays JSON, as in `arguments`."""
        if isinstance(value, str):
            stream = Restoring(self, json=looks_like_json(value), least=0)
            return stream.feed(value) + stream.end()
        if isinstance(value, dict):
            return {self.text(key): self._object(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return [self._object(part) for part in value]
        return self._number(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def _number(self, number: int) -> Any:
        """A number that may be a stand-in; a text, if the value is no number."""
        try:
            text = str(number)
        except ValueError:  # more digits than Python writes
            return number
        new = self.text(text)
        return number if new == text else int(new) if is_integer(new) else new

    def misses(self, text: str) -> bool:
        """Whether a placeholder of ours stands in a text whose value this request did not hold."""
        return any(name_of(found) not in self._placeholders for found in OURS.findall(text))

    def scan(self, text: str, before: str, *, final: bool) -> tuple[list[_Piece], int]:
        """The text in pieces, and where the part begins that has to wait for more."""
        pieces: list[_Piece] = []
        done = at = 0
        second = 0 if _backslashes(before) % 2 else -1
        starts = self._starts
        assert starts is not None
        while (place := starts.search(text, at)) is not None:
            at = place.start()
            found = self._at(text, at, before, opens=at != second, final=final)
            if isinstance(found, More):
                break
            if found is None:
                if text[at] == "\\" and at != second:
                    second = at + 1
                at += 1
                continue
            end, value, times = found
            pieces.append((text[done:at], text[at:end], value, times))
            done = at = end
        else:
            at = len(text)
        pieces.append((text[done:at], "", "", 0))
        return pieces, at

    def _at(self, text: str, at: int, before: str, *, opens: bool, final: bool) -> tuple[int, str, int] | More | None:
        """What stands at a place; `opens` says that it is no backslash that another one before it escapes."""
        opens = text[at] in STARTS and (opens or text[at] != "\\")
        seen = self._names.at(text, at, final=final) if self._names and opens else None
        if isinstance(seen, More):
            return seen
        if seen is not None:
            return seen.end, seen.written(self._placeholders[seen.name]), 0
        which = self._standins.at(text, at, before, final=final)
        if isinstance(which, More) or which is None:
            return which
        return at + len(which), *self._values[which]


_Piece = tuple[str, str, str, int]
"""Text as it is, then what is replaced and by what, and how often that was escaped as JSON."""

_JSON_KEYS: Final = frozenset({"arguments", "partial_json"})
_ANSWERS: Final = frozenset({"content", "text"})
_OBJECTS: Final = frozenset({"args", "arguments", "input"})


def _backslashes(text: str) -> int:
    """With how many a text ends."""
    return len(text) - len(text.rstrip("\\"))


def forms_of(standin: str) -> dict[str, int | None]:
    """How a stand-in may be written: in a URL (None), or escaped so many times for JSON text."""
    urls: dict[str, int | None] = {in_url(standin): None, quote_plus(standin, errors="surrogatepass"): None}
    return {**urls, **{_escaped(standin, times): times for times in (2, 1, 0)}}


def _size(text: str) -> int:
    """In bytes of UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _escaped(value: str, times: int) -> str:
    for _ in range(times):
        value = quoted(value)[1:-1]
    return value


class Restoring:
    """One text that comes in pieces.

    Args:
        restorer: knows the values.
        json: whether it is JSON text.
        least: how often a value is escaped outside of its strings: a piece of JSON text may begin inside of one.
    """

    __slots__ = ("_before", "_json", "_least", "_nesting", "_read", "_restorer", "_steps", "_waiting")

    def __init__(self, restorer: Restorer, *, json: bool, least: int = 1) -> None:
        self._restorer = restorer
        self._json = json
        self._least = least
        self._nesting = Nesting() if json and restorer.needs_escapes else None
        self._waiting = ""
        self._before = ""
        self._read = (0, 0)
        self._steps: tuple[list[tuple[int, int]], ...] = ([], [])
        """Behind each value, by characters and by bytes of UTF-8: how much was read, and how much longer it became."""

    @property
    def waiting(self) -> int:
        """How many characters are held back."""
        return len(self._waiting)

    @property
    def begun(self) -> bool:
        """Whether there was any text."""
        return bool(self._before or self._waiting)

    def feed(self, text: str) -> str:
        """The next piece → what can go out."""
        return self._go(self._waiting + text, final=False)

    def end(self) -> str:
        """No more comes → the rest."""
        return self._go(self._waiting, final=True)

    def place(self, offset: int, *, in_bytes: bool = False) -> int:
        """A place in the text as it was written → the same place in what was made of it.

        What is held back counts as if no more came: who speaks of a place has the text before it.
        """
        if self._waiting and offset > self._read[in_bytes]:
            rest = copy(self)
            rest._steps, rest._nesting = tuple([*steps] for steps in self._steps), deepcopy(self._nesting)
            rest.end()
            return rest.place(offset, in_bytes=in_bytes)
        steps = self._steps[in_bytes]
        at = bisect_right(steps, (offset, sys.maxsize))
        return offset + (steps[at - 1][1] if at else 0)

    def _go(self, text: str, *, final: bool) -> str:
        if not self._restorer.reads:
            self._waiting = ""
            return text
        pieces, until = self._restorer.scan(text, self._before, final=final)
        out: list[str] = []
        for plain, old, value, times in pieces:
            new = self._inside_of_json(plain, old, value) if self._json else _escaped(value, times)
            out += (plain, new)
            self._count(plain, old, new)
        gone = self._before + text[:until]
        self._before = gone[-_CONTEXT - (_backslashes(gone) > _CONTEXT and _backslashes(gone) % 2) :]
        self._waiting = text[until:]
        return "".join(out)

    def _count(self, plain: str, old: str, new: str) -> None:
        """Remember how long what was read is, and what was made of it."""
        self._read = self._read[0] + len(plain) + len(old), self._read[1] + _size(plain) + _size(old)
        if old:
            for steps, read, grown in zip(
                self._steps, self._read, (len(new) - len(old), _size(new) - _size(old)), strict=True
            ):
                steps.append((read, (steps[-1][1] if steps else 0) + grown))

    def _inside_of_json(self, plain: str, old: str, value: str) -> str:
        """The value as it is written in JSON text, or in JSON text in a string of it."""
        if self._nesting is None:
            return value
        self._nesting.feed(plain)
        depth = self._nesting.depth
        self._nesting.feed(old)
        return _escaped(value, max(self._least, depth))
