# ruff: noqa: RUF001
"""Layers around a text: encodings and spellings that hide it from a filter and not from a model.

Each is undone where it stands, within bounds: at most `DEPTH` layers in each other, `BLOBS` encoded runs of a kind.
What does not decode to readable text stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Collection, Container, Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

__all__ = ["BLOBS", "DEPTH", "respell", "unwrap"]

DEPTH: Final = 3
BLOBS: Final = 8

_LONG: Final = 16
"""Letters in a row that may be an encoded run."""

_BASE64: Final = re.compile(r"(?<![\w+/=-])[A-Za-z0-9+/_-]{16,4096}={0,2}(?![\w+/=-])")
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[ ,:]?){8,4096}(?![0-9A-Za-z])")
_HEX_MARKS: Final = re.compile(r"0x|\\x|[ ,:]")
_HEX_ONLY: Final = bytes(48 if c in b"0123456789abcdefABCDEF" else max(c, 49) for c in range(256))
_BINARY: Final = re.compile(r"(?<![01])(?:[01]{8}[ ,]?){4,2048}(?![01])")
_ESCAPED: Final = re.compile(r"\\u([0-9A-Fa-f]{4})")
_MORSE: Final = re.compile(r"(?<![\w.-])[.-]{1,6}(?: {1,3}/? {0,2}[.-]{1,6}){7,1024}(?![\w.-])")
_BASE32: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z2-7]{16,4096}={0,6}(?![A-Za-z0-9=])")
_OCTAL: Final = re.compile(r"(?:\\[01]?[0-7]{2}){8,2048}")
_QUOTED: Final = re.compile(r"(?:=(?:[2-7][0-9A-Fa-f]|\r?\n)){8,2048}")
_CODE: Final = r"(?:3[2-9]|[4-9]\d|1[01]\d|12[0-6])"
_CODES: Final = re.compile(rf"(?<!\d){_CODE}(?:[ ,]{{1,2}}{_CODE}(?!\d)){{11,2048}}")
_PERCENT: Final = re.compile(r"%[0-9A-Fa-f]{2}")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ROT13: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_ROTATED: Final = _words(
    "the and you your all not is are this that with for what tell do of to prompt system ignore instructions "
    "les toutes tout et tu que une est und der die das alle nicht ist mit den ein anweisungen "
    "las los todas el en por una instrucciones le tutte istruzioni il che per di "
    "wszystkie nie een alle het att och".translate(_ROT13)
) - _words("ab el ra na er in on he her irl or green var qr")
"""Frequent words of several languages, rotated; those that are words themselves are left out."""

_BACKWARDS: Final = _words(
    "snoitcurtsni noitcurtsni suoiverp tpmorp metsys erongi dragersid drowssap ruoy eht dna lla selur"
)
_ODD: Final = _ROTATED | _BACKWARDS
_STOPS: Final = frozenset(".。!?؟।！？")
_STOP_LEADS: Final = re.compile(f"[{''.join(sorted(_STOPS))}](?=[^\\W\\d_])(?<!\\S.)")
_STOP_FIRST: Final = re.compile(f"[{''.join(sorted(_STOPS))}][^\\W\\d_][^\n]{{12}}")
_SEGMENT: Final = re.compile(r"(?<=[:\n])[ \n]+")
_LETTERS: Final = re.compile(r"[^\W\d_]+")

_LEET: Final = str.maketrans("0134578@$!|", "oieastbasil")
_LEET_SIGN: Final = re.compile(r"[013457@$](?:(?<=[a-z].)|(?=[a-z]))")
_LEET_WORD: Final = re.compile(
    r"(?<![\w@$])(?=[a-z013457@$!|]{0,30}[a-z])(?=[a-z]{0,30}[013457@$])[a-z013457@$!|]{2,30}(?![\w@$])"
)
_SPACED: Final = re.compile(r"(?<![^\W_])(?:[^\W_] {1,3}){5,}[^\W_](?![^\W_])")
_CUT: Final = re.compile(r"(?<=[^\W\d_])[._\-*~|·]{1,2}(?=[^\W\d_])")

_CUT_SPACE: Final = re.compile(r"(?<=[^\W\d_])([._\-*~|·]) \1(?=[^\W\d_])")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MORSE_SIGNS: Final = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- --.. "
    "----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----."
)
_MORSE_LETTERS: Final = dict(zip(_MORSE_SIGNS.split(), "abcdefghijklmnopqrstuvwxyz0123456789", strict=True))


def unwrap(text: str) -> tuple[str, tuple[str, ...]]:
    """`text` with its encoded layers undone, and their names in the order in which they were met."""
    met: list[str] = []
    for _ in range(DEPTH):
        before = text
        for name, needs, undo in _LAYERS:
            if needs(text):
                undone = undo(text)
                if undone != text:
                    text = undone
                    met.append(name)
        if text == before:
            break
    if any(map(_is_camel, text.split())):
        text = " ".join(_CAMEL.sub(" ", word) if _is_camel(word) else word for word in text.split(" "))
    return text, tuple(dict.fromkeys(met))


def respell(text: str, known: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """Folded `text` with its letters where they belong, and the names of the tricks.

    Undone are ROT13, reversal, leetspeak, letters set apart, words cut by punctuation. `known` are words by which
    letters without word boundaries are divided.
    """
    met = []
    words = text.split()
    sizes = list(map(len, words))
    alone = sizes.count(1) >= 6 and b"\1" * 6 in bytes([1 if size == 1 else 2 for size in sizes])
    odd = _ODD.intersection(words)
    backwards = not _BACKWARDS.isdisjoint(odd) or _STOP_LEADS.search(text) is not None
    tricks: tuple[tuple[str, bool, Callable[[str], str]], ...] = (
        ("rot13", not _ROTATED.isdisjoint(odd), lambda text: _segments(text, _unrotated)),
        ("reversed", backwards, lambda text: _segments(text, _turned)),
        ("leet", len(_LEET_SIGN.findall(text)) >= 4, lambda text: _from_leet(text, len(words))),
        ("spaced", alone, lambda text: _closed_up(text, known)),
        ("cut", sum(map(text.count, ".-_*~|")) >= max(5, len(words)), lambda text: _uncut(text, len(words))),
    )
    for name, needed, undo in tricks:
        if needed and (undone := undo(text)) != text:
            text = undone
            met.append(name)
    return text, tuple(met)


def _from_leet(text: str, words: int) -> str:
    leet = len(_LEET_WORD.findall(text))
    return text.translate(_LEET) if leet >= 3 and 4 * leet > words else text


def _closed_up(text: str, known: Collection[str]) -> str:
    longest = _longest(tuple(known))
    return _SPACED.sub(lambda run: _joined(run[0], known, longest), text)


@lru_cache(maxsize=4)
def _longest(known: tuple[str, ...]) -> Mapping[str, int]:
    """How long the longest word is that begins with two letters: most pairs of letters begin none."""
    found: dict[str, int] = {}
    for word in known:
        if len(word) > found.get(word[:2], 1) and word.isalnum():
            found[word[:2]] = len(word)
    return found


def _uncut(text: str, words: int) -> str:
    text = _CUT_SPACE.sub(" ", text)
    pieces = _CUT.split(text)
    cuts = len(pieces) - 1
    if cuts < 5 or cuts < words:
        return text
    return _CUT.sub(
        " " if len(text) > 4 * len(pieces) and cuts >= 2 * words else "", text
    )  # whole words in between, or pieces of them


def _segments(text: str, undo: Callable[[str], str]) -> str:
    return "\n".join(map(undo, _SEGMENT.split(text)))


def _unrotated(part: str) -> str:
    words = _LETTERS.findall(part)
    hits = sum(word in _ROTATED for word in words)
    return part.translate(_ROT13) if hits >= 2 and 8 * hits >= len(words) else part


def _turned(part: str) -> str:
    start = _STOP_FIRST.match(part.lstrip("\"' "))
    return part[::-1] if start or len(_BACKWARDS.intersection(part.split())) >= 2 else part


def _joined(run: str, known: Container[str], longest: Mapping[str, int]) -> str:
    if "  " in run:
        return re.sub(r" {2,}", "\n", run).replace(" ", "").replace("\n", " ")
    return " ".join(_divided(run.replace(" ", ""), known, longest))


def _divided(letters: str, known: Container[str], longest: Mapping[str, int]) -> list[str]:
    words: list[str] = []
    done = 0
    for at in range(len(letters) - 1):
        most = longest.get(letters[at : at + 2], 0)
        if most and at >= done:
            end = next((end for end in range(at + most, at + 1, -1) if letters[at:end] in known), 0)
            if end:
                words += (*letters[done:at], letters[at:end])
                done = at + len(words[-1])
    return [*words, *letters[done:]]


def _readable(data: bytes) -> str | None:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    letters = sum(c.isalpha() or c == " " for c in text)
    return text if text.isprintable() and letters >= 0.75 * len(text) and letters > 5 else None


def _end(run: str) -> str:
    """What parts an encoded run from the text behind it."""
    return "" if run[-1].isalnum() else run[-1]


def _base64(text: str) -> str:
    def undone(run: re.Match[str]) -> str:
        blob = run[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            data = base64.b64decode(blob + "=" * (-len(blob) % 4))
        except binascii.Error:
            return run[0]
        return _readable(data) or run[0]

    return _BASE64.sub(undone, text, count=BLOBS)


def _hex(text: str) -> str:
    def undone(run: re.Match[str]) -> str:
        found = _readable(bytes.fromhex(_HEX_MARKS.sub("", run[0])))
        return run[0] if found is None else found + _end(run[0])

    return _HEX.sub(undone, text, count=BLOBS)


def _binary(text: str) -> str:
    def undone(run: re.Match[str]) -> str:
        bits = re.sub("[ ,]", "", run[0])
        found = _readable(int(bits, 2).to_bytes(len(bits) // 8, "big"))
        return run[0] if found is None else found + _end(run[0])

    return _BINARY.sub(undone, text, count=BLOBS)


def _base32(text: str) -> str:
    def undone(run: re.Match[str]) -> str:
        blob = run[0].rstrip("=")
        try:
            data = base64.b32decode(blob + "=" * (-len(blob) % 8))
        except binascii.Error:
            return run[0]
        return _readable(data) or run[0]

    return _BASE32.sub(undone, text, count=BLOBS)


def _codes(pattern: re.Pattern[str], number: re.Pattern[str], base: int) -> Callable[[str], str]:
    """What undoes characters that are written as numbers."""

    def undone(run: re.Match[str]) -> str:
        return _readable(bytes(int(code, base) for code in number.findall(run[0]))) or run[0]

    return lambda text: pattern.sub(undone, text, count=BLOBS)


_NUMBER: Final = re.compile(r"\d{2,3}")
_HEX_NUMBER: Final = re.compile(r"[2-7][0-9A-Fa-f]")


def _morse(text: str) -> str:
    def undone(run: re.Match[str]) -> str:
        words = re.split(r" */ *| {2,}", run[0])
        return " ".join("".join(_MORSE_LETTERS.get(c, "") for c in word.split()) for word in words)

    return _MORSE.sub(undone, text, count=BLOBS)


def _may_be_hex(text: str) -> bool:
    """Whether eight pairs of hexadecimal digits follow each other, whatever parts them: a look that costs little."""
    return b"0" * 16 in text.encode(errors="replace").translate(_HEX_ONLY, b" ,:\\x")


def _escapes(text: str) -> str:
    return _ESCAPED.sub(lambda c: chr(int(c[1], 16)), text).encode(errors="replace").decode()


def _is_camel(word: str) -> bool:
    """Whether it is a sentence without spaces: longer than names of classes are."""
    return len(word) >= 24 and word.strip(".,;:!?\"'()").isalpha() and len(_CAMEL.findall(word)) >= 4


_LAYERS: Final[tuple[tuple[str, Callable[[str], object], Callable[[str], str]], ...]] = (
    ("entities", lambda text: "&" in text and ";" in text, html.unescape),
    ("percent", lambda text: "%" in text and len(_PERCENT.findall(text)) >= 4, unquote),
    ("escapes", lambda text: "\\u" in text, _escapes),
    ("base64", lambda text: any(map(_BASE64.search, [w for w in text.split() if len(w) >= _LONG])), _base64),
    ("base64", lambda text: any(len(w) >= _LONG and w.isupper() for w in text.split()), _base32),
    ("hex", lambda text: "\\1" in text and _OCTAL.search(text), _codes(_OCTAL, _NUMBER, 8)),
    ("percent", lambda text: "=6" in text and _QUOTED.search(text), _codes(_QUOTED, _HEX_NUMBER, 16)),
    ("hex", lambda text: "32" in text and _CODES.search(text), _codes(_CODES, _NUMBER, 10)),
    ("binary", lambda text: "01" in text and _BINARY.search(text), _binary),
    ("hex", lambda text: _may_be_hex(text) and sum(map(text.count, "0123456789")) >= 8 and _HEX.search(text), _hex),
    ("morse", lambda text: ". -" in text or "- ." in text, _morse),
)
