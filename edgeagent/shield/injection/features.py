"""What the statistical model sees of a text: hashed words, and pairs of neighbours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from operator import xor
from typing import Final
from zlib import crc32

__all__ = ["BUCKETS", "hashed", "tokens"]

BUCKETS: Final = 1 << 17
"""Size of the table of weights: a power of two."""

_KEPT: Final = b"abcdefghijklmnopqrstuvwxyz?" + bytes(range(0x80, 0x100))
_STANDS_FOR: Final = {**dict.fromkeys(b"0123456789", b"0"), **dict.fromkeys(b".!;:", b"."), 10: b"|"}
_TABLE: Final = b"".join(_STANDS_FOR.get(c, bytes([c]) if c in _KEPT else b" ") for c in range(256))
"""Of a number its length is seen; sentences end with a full stop or a question mark, lines with a bar."""

_UNSPACED: Final = re.compile("([\u0e00-\u0e7f\u3000-\u30ff\u3400-\u9fff])")
"""Letters of scripts that set no spaces between words: each is a word of its own here."""

_MASK: Final = BUCKETS - 1
_START: Final = crc32(b"|") & _MASK
"""A text begins as a line does."""


def tokens(text: str) -> list[bytes]:
    """The words of folded `text` in UTF-8, and the ends of its sentences and lines."""
    if not text.isascii():
        text = " ".join(_UNSPACED.split(text))
    known = text.encode("utf-8", "replace").translate(_TABLE)
    return known.replace(b".", b" . ").replace(b"?", b" ? ").replace(b"|", b" | ").split()


def hashed(words: Sequence[bytes]) -> set[int]:
    """The buckets of `tokens`, each once."""
    hashes = [one & _MASK for one in map(crc32, words)]
    before = [_START, *hashes]
    found = set(before)
    found.update(map(xor, hashes, [one * 31 & _MASK for one in before]))
    return found
