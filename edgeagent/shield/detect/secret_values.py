"""Whether a value may be a secret: no placeholder, no reference, no word, no hash."""

from __future__ import annotations

import re
from itertools import islice
from math import log2
from typing import Final

__all__ = ["entropy", "is_attribute", "is_name", "is_placeholder", "is_snake", "is_type", "looks_random", "looks_typed"]

_REFERENCE: Final = re.compile(
    r"\$\{|\$\(|\{\{|<[^>]{0,60}>|\A\$[A-Za-z_({]|\A%[A-Z_]+%|\A![A-Za-z]+\Z|\A@|\A&|process\.env|os\.environ|getenv|secrets?\.[A-Za-z_]|vault[.:/]|env\(|ENV\[|"
    r"\A(?:config|settings|self|this|request|req|args|options|params|ctx|props|var|local|data|input|form|user|event)\.|"
    r"\A[\w./-]*/(?:secrets|keys)/|\.(?:pem|key|crt|txt|json|ya?ml|env|py|js|go|rb|sh|gif|png|jpg|html?)\Z|\(\)?\Z|\A[A-Za-z_.]+\("
)
_PLACEHOLDER: Final = re.compile(
    r"(?:x{4,}|X{4,}|\*{3,}|\.{3,}|…|_{4,}|-{5,}|~{4,}|#{4,}|•{2,}|(\d{4})-\1)"
    r"|(?<![A-Za-z0-9])(?i:your|my[-_]?(?:api|secret|token|key|pass)|example|sample|changeme|change[-_]me|change[-_]this|placeholder|"
    r"dummy|redacted|masked|insert|replace|foobar|todo|fixme|not[-_]?a[-_]?(?:real|secret)|fake|mock|lorem|goes[-_]here|put[-_]|enter[-_]|xxx(?![A-Za-z0-9])|none\b|"
    r"test[-_]?(?:key|token))"
)
_COMMON: Final = """
null none nil undefined true false yes no on off string text required optional default password passwd secret
token key admin root user username test testing debug production staging development localhost bearer basic auth
login apikey api_key empty n/a tbd pass hidden value unknown invalid missing expired wrong correct incorrect
postgres guest reset forgotten same new old manager field generator generators policy hash strength
"""
_WORDS: Final = frozenset(_COMMON.split())
_RANDOM: Final = re.compile(r"[A-Za-z0-9+/=_.-]+")
_SEQUENCES: Final = ("0123456789", "abcdefghij", "ABCDEFGHIJ", "1234567890", "9876543210", "qwertyuiop")
_HASH: Final = re.compile(
    r"\$(?:2[abxy]|argon2\w*|5|6|1|y|pbkdf2[\w-]*|scrypt|apr1)\$|\{SSHA\}|pbkdf2_|sha(?:1|256|384|512)[:$-]|md5[:$]",
    re.IGNORECASE,
)
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z_]*(?:[.:/-][A-Za-z_]+)*")


def is_placeholder(value: str) -> bool:
    """Whether a value only stands for a secret: a variable, a template, `xxxx`, `YOUR_KEY`, or the hash of a secret."""
    if len(value) >= 32 and value.isascii() and _RANDOM.fullmatch(value) and entropy(value) > 4.3:
        return value.endswith("EXAMPLEKEY") or any(sequence in value for sequence in _SEQUENCES)
    return (
        value.endswith(("EXAMPLE", "EXAMPLEKEY"))
        or value.lower().strip(" .,;:!?'\"") in _WORDS
        or len(set(value)) <= 3
        or _REFERENCE.search(value) is not None
        or _PLACEHOLDER.search(value) is not None
        or _HASH.match(value) is not None
        or any(sequence in value for sequence in _SEQUENCES)
    )


def entropy(value: str) -> float:
    """Shannon's entropy of the characters, in bits for each."""
    size = len(value)
    return -sum(n / size * log2(n / size) for n in map(value.count, set(value)))


_SLUG: Final = re.compile(r"[A-Za-z][A-Za-z-]*-v?\d+(?:\.\d+)+[\w.-]*|[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?:\(.*)?")


def is_name(value: str) -> bool:
    """Whether a value without quotation marks is a package with its version, or an attribute of an object."""
    changes = sum(a.isdigit() != b.isdigit() for a, b in zip(value, islice(value, 1, None), strict=False))
    return _SLUG.fullmatch(value) is not None and (changes <= 3 or entropy(value) < 4.2)


_PART: Final = r"(?:[a-z_]+(?:\d{1,2}[a-z_]*)?|(?:[A-Z][a-z]+\d{0,5}){1,6}|[A-Z_]+)"
_ATTRIBUTE: Final = re.compile(rf"{_PART}(?:\.{_PART}){{1,9}}")
_SNAKE: Final = re.compile(r"_?(?:[a-z]{2,}\d{0,3}_){1,5}[a-z]{2,}\d{0,2}")


def is_attribute(value: str) -> bool:
    """Whether it is an object and what it has, in words: `settings.db2.password`, `httpx.Auth`."""
    return _ATTRIBUTE.fullmatch(value) is not None


def is_snake(value: str) -> bool:
    """Whether it is put together from words with underscores: `aws4_request`."""
    return len(value) <= 40 and _SNAKE.fullmatch(value) is not None


_CAPITALISED: Final = re.compile(r"[A-Z][a-z]{3,}")


def is_type(value: str) -> bool:
    """Whether it is put together from words, as the name of a class is: `S3AccessPointAttachments`."""
    words = _CAPITALISED.findall(value)
    return len(words) >= 2 and sum(map(len, words)) >= 0.75 * len(value)


def looks_random(value: str) -> bool:
    """Whether a key may look so: long enough, of letters and digits without order, no word and no number."""
    size = len(value)
    if (
        size < 10
        or " " in value
        or not any(c.isdigit() for c in value)
        or value.isdigit()
        or not any(c.isalpha() for c in value)
    ):
        return size >= 24 and value.isalnum() and not value.isdigit() and _mixed(value) and entropy(value) > 3.8
    return entropy(value) >= (2.7 if size < 16 else 3.0)


def _mixed(value: str) -> bool:
    """Capitals in the midst of a word, more often than names have them."""
    changes = sum(a.islower() and b.isupper() for a, b in zip(value, islice(value, 1, None), strict=False))
    return changes * 5 >= len(value)


def looks_typed(value: str, quoted: bool) -> bool:
    """Whether a person may have chosen it as a password: not an identifier, not a word of a sentence."""
    if len(value) < 4 or is_placeholder(value) or (value[0] == "." and value[1:].isalpha()):
        return False
    if any(c.isdigit() for c in value) or any(not c.isalnum() and c not in "_-.'’/" for c in value):
        return not value.lstrip("-").replace(".", "").isdigit() or (len(value) >= 6 and value.isdigit())
    return (quoted and len(value) >= 6) or (
        len(value) >= 8 and _mixed(value) and _IDENTIFIER.fullmatch(value) is not None
    )
