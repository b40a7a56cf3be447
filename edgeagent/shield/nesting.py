"""Where one is in JSON text that comes in pieces: a string of it may be JSON text itself, and so on."""

from __future__ import annotations

from typing import Final

__all__ = ["Nesting", "looks_like_json"]

_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def looks_like_json(text: str) -> bool:
    """Whether a text begins as an object or a list does: what is cut off counts, too."""
    return text.lstrip()[:1] in ("{", "[")


class Nesting:
    """Follows JSON text; `depth` says inside of how many strings one is, each the text of the next."""

    __slots__ = ("_code", "_escaped", "_inner", "_inside", "_is_fresh")

    def __init__(self) -> None:
        self._inside = False
        self._escaped = False
        self._code: str | None = None
        self._is_fresh = False
        self._inner: Nesting | None = None

    @property
    def depth(self) -> int:
        """0 outside of strings."""
        return 0 if not self._inside else 1 + (self._inner.depth if self._inner is not None else 0)

    def feed(self, text: str) -> None:
        """The next piece."""
        for character in text:
            self._take(character)

    def _take(self, character: str) -> None:
        if self._code is not None:
            self._code += character
            if len(self._code) == 4:
                code, self._code = self._code, None
                self._say(chr(int(code, 16)) if _HEX.issuperset(code) else "?")
        elif self._escaped:
            self._escaped = False
            if character == "u":
                self._code = ""
            else:
                self._say(_ESCAPES.get(character, character))
        elif not self._inside:
            self._inside = self._is_fresh = character == '"'
        elif character == "\\":
            self._escaped = True
        elif character == '"':
            self._inside, self._inner = False, None
        else:
            self._say(character)

    def _say(self, character: str) -> None:
        """A character of what the string says."""
        if self._is_fresh and not character.isspace():
            self._is_fresh = False
            self._inner = Nesting() if looks_like_json(character) else None
        if self._inner is not None:
            self._inner._take(character)
