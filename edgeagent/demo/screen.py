"""What the demo writes, and how: plain text, wrapped; colours only on a terminal that wants them (https://no-color.org).

Text from a model is shown without control characters, so that it cannot steer the terminal.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Mapping
from typing import Final, TextIO

__all__ = ["Screen", "wants_colour"]

MARGIN: Final = "   "
WIDEST: Final = 96
_STYLES: Final = {"bold": "1", "dim": "2", "good": "32", "bad": "31;1"}


def wants_colour(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to write colours: to a terminal, unless `NO_COLOR` is set or the terminal is a dumb one."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


class Screen:
    """Writes to `out`, which may be of any encoding."""

    def __init__(self, out: TextIO, environment: Mapping[str, str] | None = None) -> None:
        self._out = out
        self._colour = wants_colour(out, os.environ if environment is None else environment)
        self._width = min(shutil.get_terminal_size((80, 24)).columns, WIDEST)

    def write(self, text: str) -> None:
        """Write and show at once; what the encoding does not have is replaced."""
        encoding = self._out.encoding or "utf-8"
        self._out.write(text.encode(encoding, "replace").decode(encoding))
        self._out.flush()

    def title(self, text: str) -> None:
        """The first line."""
        self.write(f"{self._styled(text, 'bold')}\n")

    def step(self, number: int, text: str) -> None:
        """The heading of a step."""
        self.write(f"\n{self._styled(f'{number}. {text}', 'bold')}\n")

    def say(self, text: str, style: str = "") -> None:
        """A paragraph, wrapped; its own line breaks are kept."""
        for line in text.splitlines() or [""]:
            self.write(self._styled(self._wrapped(line, MARGIN, MARGIN), style) + "\n")

    def note(self, name: str, text: str) -> None:
        """A fact with a name."""
        first = f"{MARGIN}{name:<10} "
        self.write(self._styled(self._wrapped(text, first, " " * len(first)), "dim") + "\n")

    def code(self, text: str) -> None:
        """Lines that are not wrapped."""
        self.write("".join(f"{MARGIN}{line}".rstrip() + "\n" for line in text.splitlines()))

    def checked(self, claim: str, *, held: bool) -> None:
        """A claim, and whether it held."""
        mark = self._styled("ok", "good") if held else self._styled("FAILED", "bad")
        self.write(f"{MARGIN}[{mark}] {claim}\n")

    def stream(self) -> StreamedText:
        """A paragraph that comes piece by piece."""
        return StreamedText(self, self._width)

    def _wrapped(self, text: str, first: str, rest: str) -> str:
        lines = textwrap.wrap(
            shown(text), self._width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
        )
        return "\n".join(lines) or first.rstrip()

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self._colour and style else text


class StreamedText:
    """Shows pieces at once, and begins a new line where a word would not fit.

    A word that is still coming is moved as far as it has come; then the line before it ends in what was shown already.
    """

    def __init__(self, screen: Screen, width: int) -> None:
        self._screen = screen
        self._width = width
        self._column = 0

    def add(self, piece: str) -> None:
        """Show the next piece."""
        for part in _words(shown(piece)):
            if part == "\n":
                self._screen.write("\n")
                self._column = 0
                continue
            if self._column and self._column + len(part.rstrip()) > self._width and part[:1] == " ":
                self._screen.write("\n")
                self._column = 0
                part = part.lstrip(" ")
            if not self._column:
                self._screen.write(MARGIN)
                self._column = len(MARGIN)
            self._screen.write(part)
            self._column += len(part)

    def end(self) -> None:
        """End the paragraph."""
        if self._column:
            self._screen.write("\n")
            self._column = 0


def _words(text: str) -> list[str]:
    """Words, each with the space before it, and line breaks."""
    words: list[str] = []
    for number, line in enumerate(text.split("\n")):
        if number:
            words.append("\n")
        words += [f" {word}" if place else word for place, word in enumerate(line.split(" ")) if place or word]
    return words


def shown(text: str) -> str:
    """The text without control characters, but for line breaks."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)
