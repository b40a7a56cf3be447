"""Which kind of value the text around a place speaks of: the nearest word of the vocabulary, before it or behind it."""

from __future__ import annotations

import re
from functools import cache
from typing import Final, NamedTuple

from edgeagent.shield.detect.spellings import variants
from edgeagent.shield.detect.vocabulary import LATIN, OTHER

__all__ = ["Label", "label_after", "label_before", "label_of"]

BEFORE: Final = 60
"""How many code points before a value are read."""
AFTER: Final = 36
"""How many code points behind it."""

_WORD: Final = re.compile(r"[^\W_]+")
_ASCII_WORDS: Final = bytes(code if chr(code) in "abcdefghijklmnopqrstuvwxyz0123456789" else 32 for code in range(256))
_CAMEL: Final = re.compile(r"(?<=[A-Za-z][a-z])(?=[A-Z])")
"""Not in `iPhone`, which is no word for a number."""
_STEM: Final = 4


class Label(NamedTuple):
    """A word that names a kind of value, and how many code points are between it and the value."""

    kind: str
    distance: int


class _Vocabulary(NamedTuple):
    phrases: dict[str, str]
    last_words: dict[str, int]
    """The last word of each phrase: the number of words of the longest one that it ends."""
    first_words: dict[str, int]
    """The same for its first word."""
    stems: dict[str, list[tuple[str, str]]]
    endings: dict[str, list[tuple[str, str]]]
    """By their last characters."""
    signed: dict[str, str]
    """Words that are one only with a sign behind them."""
    beginnings: frozenset[str]
    """How the last words, the first words and the stems begin: one look tells that a word is none of them."""
    other: dict[str, list[tuple[str, str]]]
    """By their first character, the longest first."""
    other_first: re.Pattern[str]
    """Any of these first characters."""


def label_before(text: str, start: int, floor: int = 0) -> Label | None:
    """The label that is nearest before `start`, looking no further back than `floor`."""
    window = text[max(floor, start - BEFORE) : start]
    line = window.rfind("\n")
    if line >= 0 and (any(map(str.isalnum, window[line:])) or not _leads(window[:line])):
        window = window[line:]
    lowered = _lower(window)
    words = _words(window, lowered)
    vocabulary = _vocabulary()
    beginnings, endings = vocabulary.beginnings, vocabulary.endings
    found: Label | None = None
    if words and words[-1][-1].isdigit() and words[-1][0].isalpha():
        words[-1] = _unnumbered(words[-1], vocabulary)
    for i in range(len(words) - 1, -1, -1):
        word = words[i]
        kind = None
        if word[:_STEM] in beginnings:
            kind = _ending_at(words, i, vocabulary)
            if kind is None and i == len(words) - 1 and word in vocabulary.signed:
                kind = vocabulary.signed[word] if _is_signed(text, start - _behind(lowered, word), start) else None
        if kind is None and word[-_STEM:] in endings:
            kind = _compound(word, vocabulary)
        if kind is not None:
            found = Label(kind, _behind(lowered, word))
            break
    if not window.isascii():
        other = _last_other(window, vocabulary)
        if other is not None and (found is None or other.distance <= found.distance):
            return other
    return found


def label_after(text: str, end: int, ceiling: int | None = None) -> Label | None:
    """The label that is nearest behind `end`, within its line and sentence."""
    limit = end + AFTER if ceiling is None else min(ceiling, end + AFTER)
    clause = _CLAUSE.search(text, end, limit)
    window = text[end : limit if clause is None else clause.start()]
    if not window:
        return None
    lowered = _lower(window)
    words = _words(window, lowered)
    vocabulary = _vocabulary()
    for i, word in enumerate(words):
        if word[:_STEM] not in vocabulary.beginnings:
            continue
        longest = vocabulary.first_words.get(word, 0)
        for n in range(min(longest, len(words) - i), 0, -1):
            kind = vocabulary.phrases.get(" ".join(words[i : i + n]))
            if kind is not None:
                return _unless_ahead(kind, lowered, word, words[i + n - 1])
        kind = _stem(word, vocabulary)
        if kind is not None:
            return _unless_ahead(kind, lowered, word, word)
    if not window.isascii():
        return _first_other(window, vocabulary)
    return None


def _unnumbered(word: str, vocabulary: _Vocabulary) -> str:
    """The name of a field without its number: `phone2` is a telephone, `md5` is a word of its own."""
    return word if word in vocabulary.phrases else word.rstrip("0123456789")


def _unless_ahead(kind: str, lowered: str, first: str, last: str) -> Label | None:
    """The label, unless a sign behind it says that it names what comes then: `12345678 phone=0612345678`."""
    start = lowered.find(first)
    return None if _ASSIGNS.match(lowered, lowered.find(last, start) + len(last)) else Label(kind, start)


_ASSIGNS: Final = re.compile(r"[\"']?(?:=|: ?)[\"']?\w")


def _lower(window: str) -> str:
    """In lower case, without the dot that a capital `İ` leaves there: it is between two parts of one word."""
    lowered = window.lower()
    return lowered if lowered.isascii() else lowered.replace("\u0307", "")


def _behind(lowered: str, word: str) -> int:
    """How many characters are behind the last such word."""
    return len(lowered) - lowered.rfind(word) - len(word)


def _is_signed(text: str, word_end: int, start: int) -> bool:
    """Whether a sign says that a word names the value at `start`, or the value is grouped as such numbers are."""
    return _SIGN.fullmatch(text, word_end, start) is not None or (
        text[word_end:start] in (" ", ". ") and _GROUPED.match(text, start) is not None
    )


_SIGN: Final = re.compile(r"[\"'`*\])]{0,2}\.?(?: ?n[º°.o]{0,2})? ?[:=>] ?[\"'`*]{0,2}")
_GROUPED: Final = re.compile(r"\d{1,2}\.\d{3}\.\d{3}-[\dXx](?![0-9A-Za-z])|\d{3}[ -]\d{3}[ -]\d{3}(?![ -]?\d)")


def _leads(lines: str) -> bool:
    """Whether the last of these lines says what stands in the next: it ends so, or is a label and nothing else."""
    last = lines.rstrip()
    if last[-1:] in _OPEN:
        return True
    last = last[last.rfind("\n") + 1 :].lstrip(_BULLETS)
    words = _words(last, _lower(last)) if 3 <= len(last) <= _LONGEST_LABEL else []
    return 0 < len(words) <= 4 and not any(map(str.isdigit, last)) and _names(words)


def _names(words: list[str]) -> bool:
    """Whether the words, all of them, are a label that names a person's value."""
    vocabulary = _vocabulary()
    kind = vocabulary.phrases.get(" ".join(words)) or (_stem(words[0], vocabulary) if len(words) == 1 else None)
    return kind is not None and kind != "NO"


_BULLETS: Final = " \t-*#>"
_LONGEST_LABEL: Final = 32
_OPEN: Final = (":", "=", "?", "(", "：")
"""What a line ends with whose subject is in the next one."""
_CLAUSE: Final = re.compile(r"[\n;.!?|<>,](?:(?<!,)|(?= ))")
"""The end of a sentence or a cell, or a comma before a space; a set comes first, as those are searched for fastest."""


def label_of(name: str) -> str | None:
    """The kind that a column's or field's name speaks of."""
    found = label_before(f"{name}:", len(name) + 1)
    return None if found is None else found.kind


def _words(window: str, lowered: str) -> list[str]:
    """The words in lower case; `camelCase` is two."""
    if lowered != window and _CAMEL.search(window) is not None:
        lowered = _lower(_CAMEL.sub(" ", window))
    if lowered.isascii():
        return lowered.encode().translate(_ASCII_WORDS).decode().split()
    return _WORD.findall(lowered)


def _ending_at(words: list[str], i: int, vocabulary: _Vocabulary) -> str | None:
    """The kind of the longest phrase whose last word is the `i`-th."""
    last = words[i]
    longest = vocabulary.last_words.get(last)
    if longest is not None:
        for n in range(min(longest, i + 1), 0, -1):
            kind = vocabulary.phrases.get(last if n == 1 else " ".join(words[i - n + 1 : i + 1]))
            if kind is not None:
                return kind
    return _stem(last, vocabulary)


def _stem(word: str, vocabulary: _Vocabulary) -> str | None:
    for stem, kind in vocabulary.stems.get(word[:_STEM], ()):
        if word.startswith(stem):
            return kind
    return None


def _compound(word: str, vocabulary: _Vocabulary) -> str | None:
    """The kind of the word that a longer one ends with: `hjemmetelefon`, `kotipuhelin`."""
    for ending, kind in vocabulary.endings[word[-_STEM:]]:
        if len(word) >= len(ending) + 2 and word.endswith(ending):
            return kind
    return None


def _last_other(window: str, vocabulary: _Vocabulary) -> Label | None:
    """The last word of a script without spaces."""
    places = [found.start() for found in vocabulary.other_first.finditer(window)]
    for i in reversed(places):
        for word, kind in vocabulary.other[window[i]]:
            if window.startswith(word, i):
                return Label(kind, len(window) - i - len(word))
    return None


def _first_other(window: str, vocabulary: _Vocabulary) -> Label | None:
    for found in vocabulary.other_first.finditer(window):
        i = found.start()
        for word, kind in vocabulary.other[window[i]]:
            if window.startswith(word, i):
                return Label(kind, i)
    return None


@cache
def _vocabulary() -> _Vocabulary:
    phrases: dict[str, str] = {}
    last_words: dict[str, int] = {}
    first_words: dict[str, int] = {}
    stems: dict[str, list[tuple[str, str]]] = {}
    endings: dict[str, list[tuple[str, str]]] = {}
    signed: dict[str, str] = {}
    for kind, entries in _lines(LATIN):
        for entry in entries:
            words = _WORD.findall(entry.lower())
            if entry[0] == "*":
                endings.setdefault(words[0][-_STEM:], []).append((words[0], kind))
                continue
            if entry[-1] == ":":
                signed[words[0]] = kind
                continue
            if entry.endswith("*") and len(words) == 1:
                stems.setdefault(words[0][:_STEM], []).append((words[0], kind))
            phrases[" ".join(words)] = kind
    for phrase, kind in [*phrases.items()]:
        for other_form in variants(phrase):
            phrases.setdefault(other_form, kind)
    for stem, kind in [pair for pairs in stems.values() for pair in pairs]:
        for other_form in variants(stem):
            stems.setdefault(other_form[:_STEM], []).append((other_form, kind))
    for phrase in phrases:
        words = phrase.split()
        last_words[words[-1]] = max(len(words), last_words.get(words[-1], 0))
        first_words[words[0]] = max(len(words), first_words.get(words[0], 0))
    other: dict[str, list[tuple[str, str]]] = {}
    for kind, entries in _lines(OTHER):
        for entry in entries:
            other.setdefault(entry[0], []).append((entry, kind))
    for words in other.values():
        words.sort(key=lambda pair: -len(pair[0]))
    beginnings = frozenset(word[:_STEM] for word in (*last_words, *first_words, *stems, *signed))
    other_first = re.compile("[" + re.escape("".join(other)) + "]")
    return _Vocabulary(phrases, last_words, first_words, stems, endings, signed, beginnings, other, other_first)


def _lines(text: str) -> list[tuple[str, list[str]]]:
    lines = [line.partition(": ") for line in text.strip().splitlines()]
    return [(kind, [entry.strip() for entry in entries.split(",") if entry.strip()]) for kind, _, entries in lines]
