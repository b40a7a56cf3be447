"""E-mail addresses, IP and MAC addresses, and URLs of persons: found from the character that each must hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.labels import label_before

__all__ = ["addresses", "emails", "hardware", "ipv4", "obscured", "urls"]

_DOMAIN: Final = re.compile(
    r"(?:[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff-]{0,62}[A-Za-z0-9\u00a1-\uffff])?\.){1,8}"
    r"(?:xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,24}|[\u00c0-\u24ff\u3040-\uffff]{2,24})"
)
_ASCII_DOMAIN: Final = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}[A-Za-z0-9])?\.){1,8}(?:xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,24})"
)
_MESSAGE_ID: Final = re.compile(r"(?:message-id|in-reply-to|references|msgid)\b[^\n]{0,200}\Z", re.IGNORECASE)
_USERINFO: Final = re.compile(r"://[^\s/?#@]*\Z")
"""What stands before the `@` of a URL's authority."""
_SERVICE_USERS: Final = frozenset({"git", "hg", "svn"})


def emails(text: str) -> Iterator[Match]:
    """RFC 5321's mailboxes at a domain name; not the user of a remote (`git@host:path`), not a Message-ID."""
    at = text.find("@")
    while at >= 0:
        found = _email(text, at)
        if found is not None:
            yield found
        at = text.find("@", at + 1)


def obscured(text: str) -> Iterator[Match]:
    """E-mail addresses as people write them for people only: `ann [at] example [dot] com`, `ann(at)example.com`."""
    for found in _AT.finditer(text):
        before = _OBSCURED_LOCAL.search(text, max(0, found.start() - 65), found.start())
        domain = _OBSCURED_DOMAIN.match(text, found.end())
        if before is not None and domain is not None:
            yield Match("EMAIL_ADDRESS", before.start(), domain.end(), 0.9, "email")


_AT: Final = re.compile(r"[\[(](?:at|AT|At)[\])]")
_OBSCURED_LOCAL: Final = re.compile(r"(?<![A-Za-z0-9._+-])[A-Za-z0-9][A-Za-z0-9._+-]{0,62} ?\Z")
_OBSCURED_DOMAIN: Final = re.compile(
    r" ?(?:[A-Za-z0-9-]{1,63}(?:\.| ?[\[(](?:dot|DOT|Dot)[\])] ?)){1,5}[A-Za-z]{2,24}(?![A-Za-z0-9(\[])"
)


def _email(text: str, at: int) -> Match | None:
    domain = _domain(text, at + 1)
    if domain is None:
        return None
    end = domain.end()
    window = text[max(0, at - 66) : at]
    if window.endswith('"'):
        quoted = _QUOTED.search(window)
        return None if quoted is None else Match("EMAIL_ADDRESS", at - len(quoted[0]), end, 1.0, "email")
    local = _local(window, text[end : end + 1], foreign=not domain[0].isascii())
    if not local or _SCALED.fullmatch(domain[0]) is not None:
        return None
    start = at - len(local)
    follows = text[end : end + 1]
    if local in _SERVICE_USERS and follows in (":", "/"):
        return None
    if (
        follows == ":"
        and text[end + 1 : end + 2] not in ("", " ", "\n", "\t")
        and not text[end + 1 : end + 2].isdigit()
    ):
        return None
    if _USERINFO.search(window) is not None:
        return None
    if text[start - 1 : start] == "<" and _MESSAGE_ID.search(text[max(0, start - 200) : start]):
        return None
    return Match("EMAIL_ADDRESS", start, end, 1.0, "email")


def _domain(text: str, start: int) -> re.Match[str] | None:
    """The domain name that starts there, also one that a line's end breaks behind the `@` or at a hyphen."""
    domain = _ASCII_DOMAIN.match(text, start) or _DOMAIN.match(text, start)
    end = start if domain is None else domain.end()
    if domain is None or text[end : end + 1] == "-":
        return _BROKEN_DOMAIN.match(text, start) or domain
    return domain


_BROKEN_DOMAIN: Final = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9.-]{0,62}-)?\r?\n" + _ASCII_DOMAIN.pattern)
_SCALED: Final = re.compile(r"[1-9]x(?:~[a-z]+)?\.[a-z]{3,4}")
"""What stands behind the `@` of an image's file for finer screens: `icon@2x.png`."""
_QUOTED: Final = re.compile(r'(?<![A-Za-z0-9])"(?=[^\W_])[^"\\\n]{1,62}(?<=\w)"\Z')
"""A local part in quotation marks (RFC 5321, 4.1.2); `"@example.com"` by itself has none."""
_LOCAL_ASCII: Final = re.compile(r"[A-Za-z0-9._+%~!#$^*-]*\Z")
_LOCAL_LETTERS: Final = re.compile(r"[A-Za-z0-9\u00c0-\u052f._+~-]*\Z")
"""With the letters of scripts that put spaces between words (RFC 6531)."""
_LOCAL_WORDS: Final = re.compile(r"[\w.+-]*\Z")
_ESCAPED: Final = re.compile(r"(?i).*%(?!2[bed]|5f)[0-9a-f]{2}", re.DOTALL)
"""As much of a URL as ends before a local part: what it holds itself (`+`, `.`, `-`, `_`) aside."""
_NO_START: Final = "-.*~!#$^%"
"""What no local part starts with: bold text, lists and options do."""
_NAME: Final = re.compile(r"(?<![A-Za-z0-9'])(?![bfru]{1,2}')[A-Za-z][A-Za-z.]{0,30}'\Z", re.IGNORECASE)
"""The beginning of a name with an apostrophe (`o'neill`), not a program's `b'`."""


def _local(window: str, follows: str, *, foreign: bool) -> str:
    """The local part that a text ends with: it holds no character that separates a query or a quotation."""
    form = _LOCAL_WORDS if foreign else _LOCAL_ASCII
    found = form.search(window)
    start = len(window) if found is None else found.start()
    if start and "\u00c0" <= window[start - 1] <= "\u052f":
        found = _LOCAL_LETTERS.search(window)
        start = start if found is None else found.start()
    part = window[start:]
    escaped = _ESCAPED.match(part) if "%" in part else None
    local = (part if escaped is None else part[escaped.end() :]).lstrip(_NO_START)
    if local[:1] == "_" == follows:
        return local[1:]
    before = window[: len(window) - len(local)]
    if before.endswith("'") and follows != "'" and (name := _NAME.search(before)) is not None:
        return name[0] + local
    return local


_V4: Final = re.compile(
    r"(?<![0-9A-Za-z_.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\d|\.\d|[A-Za-z_])"
)


def ipv4(text: str, start: int, end: int) -> Iterator[Match]:
    """Dotted quads in `text[start:end]` that are not named as a version."""
    for found in _V4.finditer(text, start, end):
        if found[0].startswith(("0.", "255.")) and found[0] not in _WHOLE:
            continue
        label = label_before(text, found.start())
        if (
            label is not None
            and label.kind == "NO"
            and label.distance <= 12
            and _VERSION.search(text, max(0, found.start() - 24), found.start())
        ) or _PRODUCT.search(text[max(0, found.start() - 24) : found.start()]) is not None:
            continue
        yield Match("IP_ADDRESS", found.start(), _with_prefix(text, found.end()), 0.95, "ipv4")


_WHOLE: Final = ("0.0.0.0", "255.255.255.255")  # noqa: S104 - nothing is bound
"""Of what starts with 0 or 255 (RFC 6890) these stand for hosts; the others are masks and versions."""
_PRODUCT: Final = re.compile(
    r"(?<![A-Za-z0-9.\-])(?:[A-Z][A-Za-z]*[a-z][A-Za-z]*/|OPR/|rv:)$"
    r"|[\w\]][=<>~!]=$|§ ?$|(?i:\b(?:section|sec\.|chapter|clause|paragraph|appendix|figure|table)) $"
)
"""What stands before a version or a part of a document: a product's name in a `User-Agent` (that of a host, as in
`db/10.1.2.3`, is in small letters), a package's with a comparison, or `section`."""
_PREFIX: Final = re.compile(r"/\d{1,3}(?![\w/.]\w?)")


def _with_prefix(text: str, end: int) -> int:
    """Where an address ends, with the length of its network's prefix (RFC 4632) if it has one."""
    if text[end : end + 1] != "/":
        return end
    found = _PREFIX.match(text, end)
    return end if found is None else found.end()


_VERSION: Final = re.compile(r"(?:vers|release|build|firmware|верси|版本|バージョン|버전|wersj|sürüm)", re.IGNORECASE)
_COLONS: Final = re.compile(r":[0-9A-Fa-f]{0,4}:")
_HEXADECIMAL: Final = "0123456789abcdefABCDEF:."
_RUN: Final = re.compile(r"[0-9A-Fa-f:]*(?:%[A-Za-z0-9]{1,15})?")
_QUAD: Final = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)")
_MAC_COLON: Final = re.compile(r"[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5}\Z")


def addresses(text: str) -> Iterator[Match]:
    """IPv6 addresses (RFC 4291) and MAC addresses with colons."""
    done = 0
    for hint in _COLONS.finditer(text):
        if hint.start() < done:
            continue
        start = hint.start()
        limit = max(done, start - 40)
        while start > limit and text[start - 1] in _HEXADECIMAL[:-1]:
            start -= 1
        if text[start - 1 : start].isalnum() and text[start - 1 : start].isascii():
            continue
        run = _RUN.match(text, start, start + 80)
        if run is None:
            continue
        done = run.end()
        if text[done : done + 1] == "." and (quad := _QUAD.match(text, run[0].rfind(":") + start + 1)) is not None:
            done = quad.end()
        value = text[start:done]
        if not value.endswith("::"):
            value = value.rstrip(":")
        if text[done : done + 1] == "." and text[done + 1 : done + 2].isdigit():
            continue
        if (text[done : done + 1].isalnum() and text[done : done + 1].isascii()) or len(value) < 3:
            continue
        if _MAC_COLON.match(value):
            yield Match("MAC_ADDRESS", start, start + len(value), 0.95, "mac")
        elif value != "::" and _is_ipv6(value):
            yield Match("IP_ADDRESS", start, _with_prefix(text, start + len(value)), 0.95, "ipv6")


_SLICE: Final = re.compile(r"\d{0,3}::\d{0,3}")
"""A part of a sequence in Python, `[1::2]`; no host has such an address but `::1`."""


def _is_ipv6(value: str) -> bool:
    address = value.partition("%")[0]
    if address != "::1" and _SLICE.fullmatch(address) is not None:
        return False
    if len(address) < 5 and not any(c.isdigit() for c in address):
        return False
    try:
        IPv6Address(address)
    except AddressValueError:
        return False
    return True


_DASHES: Final = re.compile(r"-[0-9A-Fa-f]{2}-")
_DOTS: Final = re.compile(r"\.[0-9A-Fa-f]{4}\.")
_MAC_DASH: Final = re.compile(r"[0-9A-Fa-f]{2}(?:-[0-9A-Fa-f]{2}){5}(?![0-9A-Za-z-])")
_MAC_DOT: Final = re.compile(r"[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?!\.?[0-9A-Za-z])")


def hardware(text: str) -> Iterator[Match]:
    """MAC addresses (IEEE 802) with dashes, or in three groups with dots."""
    for hints, form, before in ((_DASHES, _MAC_DASH, 2), (_DOTS, _MAC_DOT, 4)):
        done = 0
        for hint in hints.finditer(text):
            start = hint.start() - before
            if start < done or start < 0:
                continue
            found = form.match(text, start)
            if found is None or (
                start and (text[start - 1] in "-." or (text[start - 1].isalnum() and text[start - 1].isascii()))
            ):
                continue
            if form is not _MAC_DOT or not found[0].replace(".", "").isdigit() or _is_named(text, start, "MAC"):
                yield Match("MAC_ADDRESS", start, found.end(), 0.95, "mac")
                done = found.end()


_URL: Final = re.compile(r"https?://[^\s<>\"'`|\\^{}\[\]（），。、」』]{3,2000}")
_PERSONAL: Final = re.compile(
    r"/(?:u|user|users|profile|profiles|people|member|members|in|~[\w.-]+)(?:/|\?[\w.-]+=|\Z)|[?&](?:user|uid|user_id|profile|id)="
)
_TRAILING: Final = ".,;:!?)"


def urls(text: str) -> Iterator[Match]:
    """URLs that a word or their path says to be a person's: a website, a profile."""
    at = text.find("://")
    while at >= 0:
        start = at - (5 if text.startswith("https", at - 5) else 4)
        found = _URL.match(text, start) if start >= 0 else None
        if found is not None:
            value = found[0].rstrip(_TRAILING)
            path = value[value.find("/", 8) :] if "/" in value[8:] else ""
            if _PERSONAL.search(path) or _is_named(text, start, "URL"):
                yield Match("URL", start, start + len(value), 0.7, "url")
        at = text.find("://", at + 3)


def _is_named(text: str, start: int, kind: str) -> bool:
    label = label_before(text, start)
    return label is not None and label.kind == kind and label.distance <= 12
