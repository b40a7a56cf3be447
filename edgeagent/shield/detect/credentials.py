"""Secrets: keys and tokens by their vendors' forms, and what a name, a header or a sentence says to be one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.assignments import assigned
from edgeagent.shield.detect.commands import carried
from edgeagent.shield.detect.formats import Format, formats
from edgeagent.shield.detect.manifests import manifests
from edgeagent.shield.detect.overlaps import resolve
from edgeagent.shield.detect.programs import written
from edgeagent.shield.detect.secret_values import is_placeholder, looks_random
from edgeagent.shield.detect.sentences import told
from edgeagent.shield.detect.views import lowered, plain

__all__ = ["Secrets", "secrets"]


class Secrets:
    """Finds provider keys and tokens, private keys, JWTs, passwords, connection strings, authorization headers.

    Stateless and safe for any number of threads.
    """

    name: Final = "secrets"
    repeatable: Final = True

    def find(self, text: str, /) -> list[Match]:
        """The matches in order, none overlapping another."""
        view = plain(text)
        return resolve(view.back(secrets(view.text, lowered(view.text))))


def secrets(text: str, lower: str) -> Iterator[Match]:
    """What is in a text whose escapes are undone; matches may overlap. `lower` is the text in lower case."""
    words = [word for word in text.split() if len(word) >= _SHORTEST]
    if words:
        yield from _formed(text, words)
    if "-----BEGIN" in text:
        yield from _private_keys(text)
    if "://" in text:
        yield from _credentials(text)
    if "Secret" in text and "kind" in lower:
        yield from manifests(text)
    yield from assigned(text, lower)
    yield from carried(text, lower)
    yield from told(text, lower, long=bool(words))
    yield from written(text, lower)


def _formed(text: str, words: list[str]) -> Iterator[Match]:
    """Keys of the vendors' own forms. None is shorter than 16 characters, so only long words are looked at closely."""
    known = formats()
    joined = " ".join(words)
    for literal, forms in known.starting(joined):
        yield from _starting(text, literal, forms)
    for form in known.inside:
        if form.literal in joined and form.pattern.search(joined) is not None:
            for found in form.pattern.finditer(text):
                if text[found.start() - 1 : found.start()] not in _INNER or not found.start():
                    yield from _key(form, found)


def _starting(text: str, literal: str, forms: tuple[Format, ...]) -> Iterator[Match]:
    """The keys that start with a literal."""
    at = text.find(literal)
    while at >= 0:
        if not at or text[at - 1] not in _INNER:
            for form in forms:
                found = form.pattern.match(text, at)
                if found is not None:
                    yield from _key(form, found)
        at = text.find(literal, at + 1)


def _key(form: Format, found: re.Match[str]) -> Iterator[Match]:
    if not is_placeholder(found[0]):
        yield Match(form.type, found.start(), found.end(), 0.95, "format")


_INNER: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
"""What stands before a character that is in the midst of a word."""
_SHORTEST: Final = 16


# private keys

_BEGIN: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_END: Final = re.compile(r"-----END (?:[A-Z0-9]{1,20} ){0,4}PRIVATE KEY(?: BLOCK)?-----")
_KEY_LINE: Final = re.compile(r"[A-Za-z0-9+/=]{24,}")
_BASE64: Final = re.compile(r"(?:[A-Za-z0-9+/=]|\s|\\n){40,20000}")


def _private_keys(text: str) -> Iterator[Match]:
    """PEM (RFC 7468) and OpenPGP (RFC 9580) blocks; one that is cut off ends with its base64."""
    place = 0
    while (begin := _BEGIN.search(text, place)) is not None:
        end = _END.search(text, begin.end(), begin.end() + 20_000)
        place = end.end() if end is not None else begin.end()
        body = text[begin.end() : end.start() if end is not None else begin.end() + 200]
        if end is None:
            rest = _BASE64.match(text, begin.end())
            if rest is None:
                continue
            place = rest.end()
        elif _KEY_LINE.search(body) is None:
            continue
        yield Match("PRIVATE_KEY", begin.start(), place, 1.0, "pem")


# connection strings

_AUTHORITY: Final = re.compile(r"[^\s\"'`<>|\\]{1,300}")


def _credentials(text: str) -> Iterator[Match]:
    """The password of `scheme://user:password@host` (RFC 3986, userinfo)."""
    at = text.find("://")
    while at >= 0:
        found = _AUTHORITY.match(text, at + 3)
        if found is not None and "@" in found[0] and ":" in found[0]:
            userinfo, _, host = found[0].rpartition("@")
            if "/" in userinfo and "@" in userinfo.partition("/")[0]:
                userinfo = found[0].partition("/")[0].rpartition("@")[0]
            user, colon, password = userinfo.partition(":")
            if colon and password and "/" not in user and host[:1].isalnum() and not _is_stand_in(user, password):
                start = at + 3 + len(user) + 1
                yield Match("URL_PASSWORD", start, start + len(password), 0.9, "url")
        elif found is not None and "@" in found[0]:
            token = _TOKEN.match(found[0])
            if token is not None and looks_random(token[0]) and not is_placeholder(token[0]):
                yield Match("API_KEY", at + 3, at + 3 + token.end(), 0.8, "url")
        at = text.find("://", at + 3)


_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{20,256}(?=@[A-Za-z0-9])")
"""A token in a user's place, as in the address of a project of Sentry's."""


def _is_stand_in(user: str, password: str) -> bool:
    return is_placeholder(password) or password == user or password.lower() in ("pwd", "passwort", "***", "port")
