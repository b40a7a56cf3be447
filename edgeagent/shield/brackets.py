"""How an angle bracket is written in text that is escaped: for HTML, for a URL, as JSON, and each of these in another.

All its spellings in up to three layers (of JSON: four) are made from the layers themselves, so that what is escaped in
some order is recognised in that order, and a value can be escaped likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from html import escape as html_escape
from typing import Final, TypeAlias
from urllib.parse import quote

from edgeagent.shield.json_text import quoted
from edgeagent.shield.literals import MORE, More

__all__ = ["PAIRS", "Brackets", "brackets", "in_url", "layered"]

_Layers: TypeAlias = tuple[str, ...]
_DEEPEST: Final = 3
_MARKDOWN: Final = tuple("\\" * size for size in (1, 2, 4, 8))
PAIRS: Final = {f"{before}<": f"{before}>" for before in _MARKDOWN}
"""A backslash belongs to the bracket behind it only where both have one: else it is the path's (`C:\\<NAME_1>`)."""


def in_url(value: str) -> str:
    """A value as a URL has it; half a surrogate pair, which UTF-8 cannot say, is written all the same."""
    return quote(value, safe="", errors="surrogatepass")


def _json(value: str) -> str:
    return quoted(value)[1:-1]


_VALUES: Final[Mapping[str, Callable[[str], str]]] = {
    "html": lambda value: html_escape(value, quote=False),
    "url": in_url,
    "json": _json,
}


def layered(value: str, layers: _Layers) -> str:
    """A value as it is written in these layers; JSON text around all of it is followed by `Nesting`."""
    while layers and layers[-1] == "json":
        layers = layers[:-1]
    for layer in layers:
        value = _VALUES[layer](value)
    return value


def _spelt(bracket: str) -> list[tuple[str, Callable[[str], str]]]:
    """What each layer makes of a text: entities by name and number, `%3c`, and the escapes of JSON and JavaScript."""
    code = ord(bracket)
    named = "&lt;" if bracket == "<" else "&gt;"
    entities = [("&amp;", named)]
    entities += [("&#38;", f"&#{code};"), ("&#038;", f"&#0{code};")]
    entities += [("&#x26;", f"&#x{code:x};"), ("&#x0026;", f"&#x00{code:x};")]
    escapes = [f"\\u{code:04x}", f"\\x{code:x}", f"\\u{{{code:x}}}"]
    return [
        *(("html", _replacing({"&": ampersand, bracket: written})) for ampersand, written in entities),
        ("url", lambda text: quote(text, safe="").lower()),
        *(("json", _replacing({"\\": "\\\\", "&": "\\u0026", bracket: written})) for written in escapes),
    ]


def _replacing(written: Mapping[str, str]) -> Callable[[str], str]:
    table = str.maketrans(dict(written))
    return lambda text: text.translate(table)


class Brackets:
    """The spellings of one bracket, in lower case, each with its layers from the inside out."""

    __slots__ = ("_beginnings", "_layers", "_longest", "_sizes", "_twos")

    def __init__(self, bracket: str, others: Iterable[str]) -> None:
        self._layers: dict[str, _Layers] = {bracket: ()}
        spelt = _spelt(bracket)
        new = [bracket]
        for depth in range(1, _DEEPEST + 2):
            before, new = new, []
            for text in before:
                for layer, write in spelt:
                    layers = (*self._layers[text], layer)
                    if depth <= _DEEPEST or set(layers) == {"json"}:
                        written = write(text)
                        if written not in self._layers:
                            self._layers[written] = layers
                            new.append(written)
        self._layers |= dict.fromkeys((*others, *(f"{before}{bracket}" for before in _MARKDOWN)), ())
        self._sizes = sorted({len(text) for text in self._layers}, reverse=True)
        self._longest = self._sizes[0]
        self._twos = {text[:2] for text in self._layers}
        self._beginnings = {text[:size] for text in self._layers for size in range(1, len(text))}

    def at(self, text: str, at: int, *, final: bool) -> str | More | None:
        """The one at a place, as it is written there; `MORE` if that depends on what comes next."""
        if text[at] in self._layers:
            return text[at]
        if text[at : at + 2].lower() not in self._twos and at + 1 < len(text):
            return None
        piece = text[at : at + self._longest].lower()
        for size in self._sizes:
            if piece[:size] in self._layers:
                return text[at : at + min(size, len(piece))]
        return MORE if not final and at + len(piece) == len(text) and piece in self._beginnings else None

    def layers(self, written: str) -> _Layers:
        """Those that a spelling has."""
        return self._layers[written.lower()]


@cache
def brackets() -> tuple[Brackets, Brackets]:
    """The opening ones and the closing ones, made when first asked for."""
    return Brackets("<", "\uff1c\u2039\u3008"), Brackets(">", "\uff1e\u203a\u3009")
