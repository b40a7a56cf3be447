"""Secrets that a name announces: variables, fields, options and parameters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.secret_values import (
    is_attribute,
    is_name,
    is_placeholder,
    is_snake,
    is_type,
    looks_random,
    looks_typed,
)
from edgeagent.shield.detect.tables import cells, may_be_head

__all__ = ["OTHER_WORDS", "assigned", "is_path"]

_KEYWORDS: Final = (
    "key",
    "token",
    "secret",
    "passw",
    "passphrase",
    "pw",
    "auth",
    "credential",
    "creds",
    "api_",
    "apikey",
    "_pass",
)
_NAME_SIGNS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.$@-"
_LONGEST_NAME: Final = 48
_ASSIGNMENT: Final = re.compile(
    r"(?P<rest>[A-Za-z0-9_.-]{0,32})(?![A-Za-z0-9_.-])[\"'`\])]{0,2}[ \t]{0,8}"
    r"(?:(?P<sign>=>|:=|\?=|={1,2}|: ?&?(?:'static )?[A-Za-z]{2,15}\?? ?=(?= ?[\"'`])"  # `apiKey: String = "…"`
    r"|:|,|\||>|\((?=[\"'`]))[ \t\n]{0,8}"
    r"|(?P<block>\{\s{0,8}(?:default|value|secret)\s{0,4}[=:]\s{0,4})|(?P<flag>[ \t]{1,4}(?=[\"'A-Za-z0-9/+$])))"
    r"(?:[bru]?(?P<quote>\\?(?:\"{3}|'{3}|[\"'`]))(?P<quoted>[^\"'`\n\\]{4,400})"
    r"|(?P<bare>[^\s\"'`<>(){}\[\],;]{4,400}))"
)
_PASSWORDS: Final = """
password passwd passphrase pwd pw pass passwort pgpassword userpassword dbpassword rootpassword auth creds credentials
"""
_SECRETS: Final = f"""
key apikey token secret credential keys tokens secrets authtoken accesskey secretkey privatekey accesstoken
clientsecret {_PASSWORDS}
"""
_OTHERS: Final = """
public pub primary foreign partition sort cache id ids hash hashed csrf xsrf page next prev continuation type name
length size max min count limit bucket object idempotency sha md5 fingerprint checksum accessor url uri path file dir
field column index usage expires expiry ttl created selector pressed code event board map store ring word words author
authors authority format algorithm version policy kid lookup row meta prompt completion total used input output cached
cursor registry reset hint label placeholder title param arg ref santa mesh meshing str string char alphabet charset
chars enum symbol uuid guid prefix suffix translation i18n nonce etag integrity commit digest tokenizer validator
time flow scheme method mode level encoding scope realm diagnostics callback handler
"""
_NEXT_NAME: Final = re.compile(r"[a-z_-]{0,24}(?:key|token|secret|passw|pwd|auth)[a-z_-]{0,24}=", re.IGNORECASE)
"""Another assignment, where a value would start."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS: Final = frozenset(_SECRETS.split())
_PASSWORD_WORDS: Final = frozenset(_PASSWORDS.split())
OTHER_WORDS: Final = frozenset(_OTHERS.split())
"""Words beside `key` or `token` that say that it is no secret: a public key, a page token, a cache key."""


def assigned(text: str, lowered: str) -> Iterator[Match]:
    """Values of variables, fields, options, parameters and columns that are named as secrets."""
    judged: set[tuple[str, int, int, bool]] = set()
    columns = False
    for keyword in _KEYWORDS:
        at = lowered.find(keyword)
        heads = at >= 0 and not columns and keyword in _HEADS
        while at >= 0:
            if heads and (head := _HEAD.match(lowered, at + len(keyword))) is not None:
                columns = head[0] == "</th" or may_be_head(text, text.rfind("\n", 0, at) + 1)
                heads = not columns
            named = _assignment(text, at, at + len(keyword))
            if named is not None and named not in judged:  # `api_key` has two keywords
                judged.add(named)
                found = _judged(text, *named)
                if found is not None:
                    yield found
            at = lowered.find(keyword, at + 1)
    if columns:
        yield from _celled(text)


def _celled(text: str) -> Iterator[Match]:
    """Values in columns of tables that are named as secrets."""
    for start, end, name in cells(text):
        if _SECRET_COLUMN.fullmatch(name):
            value = _CELL_VALUE.match(text, start, end)
            if value is not None:
                found = _judged(text, name, *value.span(1), quoted=False)
                if found is not None and (found.type == "PASSWORD" or found.end - found.start >= 16):
                    yield found


_HEADS: Final = frozenset({"passw", "pw", "secret", "token", "api_", "apikey"})
_HEAD: Final = re.compile(r"(?:or[dt]|d|key)?(?:[\"'`* ]{0,3}[,;|\t)]|[\"']?\r?\n|</th)")
"""How the name of a column ends, behind such a word."""
_SECRET_COLUMN: Final = re.compile(
    r"[\w .-]{0,30}(?:passw(?:or)?[dt]|pwd?|secret|token|api[_ -]?key)(?: \([\w ]{1,20}\))?", re.IGNORECASE
)
_CELL_VALUE: Final = re.compile(r"[ \"'`]{0,3}([^\s\"'`(){}\[\]=]{4,400})[ \"'`]{0,3}\r?\n?\Z")


def _assignment(text: str, start: int, end: int) -> tuple[str, int, int, bool] | None:
    """The name that the keyword at `start` is in, from where to where its value goes, and whether that is all of it."""
    value = _ASSIGNMENT.match(text, end)
    if value is None:
        return None
    before = text[max(0, start - _LONGEST_NAME) : start]
    prefix = before[len(before.rstrip(_NAME_SIGNS)) :]
    if value["flag"] and not prefix.startswith("-"):
        return None
    name = prefix + text[start:end] + value["rest"]
    if value["sign"] == ">" and text[start - len(prefix) - 1 : start - len(prefix)] != "<":
        return None
    if value["sign"] in (",", "|") and value["quote"] is None and value["sign"] == ",":
        return None
    if value["sign"] == ":" and (value["quote"] or "") in ('"""', "'''"):  # what a function is documented by
        return None
    if value["sign"] == "(" and _SETTER.match(name) is None:
        return None
    group = "quoted" if value["quote"] else "bare"
    first, last = value.span(group)
    if group == "bare":
        bare = value[group]
        if "=" in bare and _NEXT_NAME.match(text, first) is not None:
            return None
        last = first + len(_trimmed(bare))
    if value["sign"] in (",", "|") and not any(map(str.isdigit, text[first:last])):
        return None
    whole = group == "quoted" or (value["sign"] in (":", "=") and _is_line(text, value, last))
    return name, first, last, whole


_SETTER: Final = re.compile(
    r"(?:\w{0,24}\.)?(?:set|with|change|update)_?(?:\w{0,12}_)?(?:db|user|root|admin)?pass(?:word|wd|phrase)\Z",
    re.IGNORECASE,
)
"""A function that is given a password, rather than what asks for one or checks it."""
_OWN_NAME: Final = re.compile(r"pass|secret|token|key|user|input|value|param|config|env|get|_", re.IGNORECASE)


def _is_line(text: str, found: re.Match[str], end: int) -> bool:
    """Whether a bare word is all that follows `password:` or `password=` on its line, without a space between."""
    bare = found["bare"] or ""
    attached = found.start("bare") == found.end("sign")
    return attached and text[end : end + 1] in ("", "\n", "\r") and not _OWN_NAME.search(bare) and "(" not in bare


def _trimmed(value: str) -> str:
    """Without what ends an unquoted value: `&` of a form, a full stop of a sentence."""
    cut = value.find("&")
    if cut >= 4 and re.match(r"&[\w.-]{1,40}=", value[cut:]):
        value = value[:cut]
    return value.rstrip(".:|") if value[-1:] in ".:|" else value


def _judged(text: str, name: str, start: int, end: int, quoted: bool) -> Match | None:
    """The value at `start`, if its name and its looks are those of a secret; `quoted` says that it is whole."""
    value = text[start:end]
    words = [word.lower() for word in _WORD.findall(name)]
    named = [
        word
        for word in words
        if (word in _SECRET_WORDS and (word != "pw" or words[-1] == word))
        or word.endswith(("password", "passwd", "token", "secret", "apikey"))
    ]
    if value[0] in _CODE_BEHIND or value.startswith(_NO_VALUE):
        return None
    if not named or (OTHER_WORDS.intersection(words) and not _is_access_key(words)):
        return None
    if any(word in _PASSWORD_WORDS or word.endswith(("password", "passwd")) for word in named):
        if (quoted and " " in value.strip() and len(value.split()) > 6) or (
            not quoted and (value[:1] in "({[" or is_attribute(value))
        ):
            return None
        return Match("PASSWORD", start, end, 0.85, "name") if looks_typed(value, quoted) else None
    if (
        not looks_random(value)
        or is_placeholder(value)
        or is_path(value)
        or ((not quoted or named == ["key"]) and is_name(value))
    ):
        return None
    if value == name or is_type(value) or is_snake(value):
        return None
    if _UUID.fullmatch(value) and not _UUID_NAMES.intersection(named):
        return None
    if len(words) == 1 and (_UUID.fullmatch(value) or (named == ["key"] and len(value) < 20)):
        return None
    return Match(_type_of(words, value), start, end, 0.85, "name")


_NO_VALUE: Final = ("http://", "https://", "./", "../", "([", "(?")
_CODE_BEHIND: Final = frozenset(" \t,;)")
"""What comes behind a text that ends with `Password: `, and starts no value."""
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


_UUID_NAMES: Final = frozenset({"key", "apikey", "token", "secret"})
"""Names of secrets that vendors make of UUIDs; credentials, in a CI's files, are referred to by them."""


def _is_access_key(words: list[str]) -> bool:
    return "access" in words and "key" in words and "id" in words


def is_path(value: str) -> bool:
    """Whether a value is a URL, a path or a resource's name."""
    if value.startswith(("http://", "https://", "/", "./", "arn:", "urn:", "tag:")):
        return True
    return (value.count("/") > 3 and "." in value) or _FILE.fullmatch(value) is not None


_FILE: Final = re.compile(r"[\w-]{1,40}/(?:[\w-]{1,60}/){0,9}[\w.-]{1,60}\.[a-z]{2,4}")


def _type_of(words: list[str], value: str) -> str:
    if "azure" in words and len(value) == 88:
        return "AZURE_STORAGE_KEY"
    if "aws" in words and "secret" in words and len(value) == 40:
        return "AWS_SECRET_ACCESS_KEY"
    if "cohere" in words:
        return "COHERE_API_KEY"
    return "API_KEY"
