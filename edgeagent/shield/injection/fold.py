# ruff: noqa: RUF001
"""One spelling for what is written in many: case, width, accents, invisible characters, look-alike letters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

__all__ = ["fold", "plain"]

# A pattern that begins with one set of characters is searched for several times as fast as a repetition or a choice.
_INVISIBLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\U000e0100-\U000e01ef]"
)
_SPLIT_WORD: Final = re.compile(
    "[^\\W_][\u00ad\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]+(?=[^\\W_])"
)
_TAG: Final = re.compile("[\U000e0000-\U000e007f]")
_TAGS: Final = re.compile("[\U000e0000-\U000e007f]+")
_ACCENT: Final = re.compile("[\u0300-\u036f]")
_MIXED: Final = re.compile("[\u0370-\u052f](?:(?<=[a-z].)|(?=[a-z]))")
_WORD: Final = re.compile("[a-z\u0370-\u052f]+")

_WIDE: Final = re.compile("[\uff21-\uff5a\U0001d400-\U0001d7ff]")

_LOOKALIKES: Final = str.maketrans(
    "авеѕіјкмнорстухԁԛԝһӏпгьαβεηικνορτυχγωսɡ",
    "abesijkmhopctyxdqwhlnrbabenikvoptuxywug",
)
"""Letters of other scripts that pass for Latin ones, by their look (Unicode's confusables, lower case)."""

_PLAIN: Final = {
    "ı": "i",
    "đ": "d",
    "ł": "l",
    "ø": "o",
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    **dict.fromkeys("‘’‚‛′`´", "'"),
    **dict.fromkeys("“”„‟«»″「」『』", '"'),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("•·‣…", " "),
    **dict.fromkeys("؟", "?"),
    **dict.fromkeys("、，،", ","),
}
"""Letters that are no base letter with an accent, and punctuation, as they are typed on a plain keyboard."""

_OTHERS: Final = re.compile(f"[{''.join(_PLAIN)}]")

_ENOUGH: Final = 3
"""Words cut by invisible characters: fewer are taken for typography (a soft hyphen, an emoji's joiner)."""


def plain(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` without what the eye does not see and the model does, and the names of the tricks that were met.

    Unicode tags are written out as the ASCII that they spell, invisible characters are left out, compatibility forms
    (full width, mathematical, ligatures) become the usual ones. Case is kept: encoded layers need it.
    """
    if text.isascii():
        return text, ()
    met = []
    if _TAG.search(text):
        text = _TAGS.sub(lambda run: f" {''.join(chr(ord(c) - 0xE0000) for c in run[0])} ", text)
        met.append("tags")
    if _INVISIBLE.search(text):
        if len(_SPLIT_WORD.findall(text)) >= _ENOUGH:
            met.append("invisible")
        text = _INVISIBLE.sub("", text)
    usual = unicodedata.normalize("NFKC", text)
    if usual != text and _wide(text):
        met.append("fullwidth")
    return usual, tuple(met)


def fold(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` (of `plain`) in lower case, without accents of Latin, Greek and Cyrillic letters, look-alikes as Latin."""
    text = text.lower()
    if text.isascii():
        return text, ()
    text = unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFKD", text)))
    text = _OTHERS.sub(lambda c: _PLAIN[c[0]], text)
    if _MIXED.search(text):
        return _WORD.sub(_latin, text), ("homoglyphs",)
    return text, ()


def _latin(word: re.Match[str]) -> str:
    letters = word[0]
    return letters.translate(_LOOKALIKES) if _MIXED.search(letters) else letters


def _wide(text: str) -> bool:
    return len(_WIDE.findall(text)) > 2 * _ENOUGH
