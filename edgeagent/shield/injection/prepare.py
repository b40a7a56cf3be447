"""From a text as it came to what is looked at: bounded, unwrapped, folded, in windows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from edgeagent.shield.injection.features import hashed, tokens
from edgeagent.shield.injection.fold import fold, plain
from edgeagent.shield.injection.layers import respell, unwrap
from edgeagent.shield.injection.signs import signs

__all__ = ["LIMIT", "WINDOW", "Seen", "bounded", "keys", "look"]

LIMIT: Final = 65_536
"""Characters of a text that are looked at; of a longer one its head, its tail and parts of its middle."""

WINDOW: Final = 4096
"""Characters that are scored together: an attack in a long text is not thinned by the rest of it."""

_OVERLAP: Final = 256
_PARTS: Final = 6
_LONG_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_TYPOS_WITHIN: Final = 200
"""Misspelt words are put right in texts up to this length: in a longer one they are what people type."""


class Seen(NamedTuple):
    """What there is to say of one window of a text.

    `buckets` are its hashed words, `signs` and `layers` the names of what was found.
    """

    buckets: set[int]
    signs: tuple[str, ...]
    layers: tuple[str, ...]


def look(text: str, known: Mapping[str, str], limit: int = LIMIT) -> Iterator[Seen]:
    """The windows of `text`. `known` are the model's words under their `keys`, by which hidden ones are recognised."""
    text, invisible = plain(bounded(text, limit))
    text, encoded = unwrap(text)
    text = _in_lines(text) if "\n" in text else text
    text, lookalikes = fold(text)
    text, spelt = respell(text, known)
    met = invisible + encoded + lookalikes + spelt
    if len(text) <= _TYPOS_WITHIN:
        text, typos = _put_right(text, known)
        met += typos
    for start in range(0, max(1, len(text) - _OVERLAP), WINDOW - _OVERLAP):
        window = text[start : start + WINDOW]
        words = tokens(window)
        yield Seen(hashed(words), tuple(signs(window, words)), met)


_ROLE: Final = r"(?i:system|assistant|user|human|developer|admin|todo|note|important)\b"
_WRAPPED: Final = re.compile(
    rf"\n(?<=[^\W\d_]\n|[ ,'\"]\n)[ \t]{{0,16}}(?:(?:>|#|//)[ \t]{{1,3}})?(?!{_ROLE}[\])*]{{0,3}} ?:)(?=[^\W\d_])"
)
"""The end of a line in the midst of a sentence, with what a quotation or a remark has before the next one."""


def _in_lines(text: str) -> str:
    """Text that was broken at some column, as mails and remarks are, as it was written: phrases are within a line."""
    return _WRAPPED.sub(" ", text.replace("\r\n", "\n"))


def bounded(text: str, limit: int) -> str:
    """`text`, or `limit` characters of it: a third from the head, a third from the tail, the rest from between."""
    if len(text) <= limit:
        return text
    third = limit // 3
    size = third // _PARTS
    step = (len(text) - 2 * third) // _PARTS
    middle = [text[at : at + size] for at in range(third, third + step * _PARTS, step)]
    return "\n".join([text[:third], *middle, text[-third:]])


def keys(words: Iterator[str] | list[str]) -> dict[str, str]:
    """`words` under themselves, and longer ones under their sorted letters too."""
    found = {word: word for word in words}
    for word in list(found):
        if len(word) >= 4:
            found.setdefault(_key(word), word)
    return found


def _key(word: str) -> str:
    return "".join(sorted(word)) + "*"


def _put_right(text: str, known: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    unknown = [word for word in set(_LONG_WORD.findall(text)) if word not in known]
    meant = {word: right for word in unknown if (right := known.get(_key(word))) and right[0] in word[:2]}
    if meant:
        text = _LONG_WORD.sub(lambda word: meant.get(word[0], word[0]), text)
    return text, ("typos",) if len(meant) > 1 else ()
