"""Secrets that headers and command lines carry: `Authorization`, `curl -u`, `mysql -p`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.secret_values import is_placeholder, looks_random, looks_typed

__all__ = ["carried"]

_AUTHORIZATION: Final = re.compile(
    r"(?:authorization[\"']?\s{0,4}[:=,]\s{0,4}[\"']?)?\b(?P<scheme>basic|bearer|token|apikey|negotiate)\s{1,3}"
    r"(?P<value>[A-Za-z0-9._~+/|:=-]{10,4000})",
    re.IGNORECASE,
)
_USER_OPTION: Final = re.compile(
    r"(?:^|\s)(?:-u|--user|--proxy-user|-U)[ =]?[\"']?(?P<user>[^\s\"':]{1,80}):(?P<value>[^\s\"']{3,120})"
)
_SHORT_OPTION: Final = re.compile(
    r"\b(?P<tool>mysql|mysqldump|mysqladmin|mariadb|mongo|mongosh|mongodump|sshpass|redis-cli|htpasswd|"
    r"docker login|sqlcmd|ldapsearch|7z|zip|unzip)\b"
    r"[^\n|;&]{0,160}?\s(?P<option>-p|-a|-P|-w)(?P<space> ?)(?P<quote>[\"']?)(?P<value>[^\s\"']{4,120})"
)


def carried(text: str, lowered: str) -> Iterator[Match]:
    """`Authorization` headers, and the passwords that command lines carry."""
    if "bearer " in lowered or "basic " in lowered or "authorization" in lowered:
        for found in _AUTHORIZATION.finditer(text):
            value = found["value"]
            plausible = looks_random(value) or (len(value) >= 16 and value.endswith("="))
            if plausible and not is_placeholder(value) and _carries(found, lowered):
                yield Match("AUTH_HEADER", *found.span("value"), 0.85, "header")
    spaced = " -" in text
    if (spaced and (" -u" in lowered or " --user" in lowered)) or "--proxy-user" in lowered:
        for found in _USER_OPTION.finditer(text):
            if looks_typed(found["value"], quoted=True) and found["user"][0] not in "$<{%":
                yield Match("PASSWORD", *found.span("value"), 0.8, "option")
    if spaced and (" -p" in text or " -a" in text or " -w" in text or " -P" in text):
        for found in _SHORT_OPTION.finditer(text):
            if _means_password(found) and looks_typed(found["value"], quoted=bool(found["quote"])):
                yield Match("PASSWORD", *found.span("value"), 0.8, "option")


def _carries(found: re.Match[str], lowered: str) -> bool:
    """Whether the scheme stands in a header, not in a sentence about one."""
    scheme = found["scheme"].lower()
    if scheme in ("bearer", "basic"):
        return True
    return "authorization" in lowered[max(0, found.start("scheme") - 30) : found.start("scheme")]


def _means_password(found: re.Match[str]) -> bool:
    tool, option, space = found["tool"], found["option"], found["space"]
    if found["value"].startswith("-"):
        return False
    if tool in ("mysql", "mysqldump", "mysqladmin", "mariadb"):
        return option == "-p" and not space
    if tool == "redis-cli":
        return option == "-a"
    if tool == "sqlcmd":
        return option == "-P"
    if tool == "ldapsearch":
        return option == "-w"
    if tool in ("zip", "unzip"):
        return option == "-P"
    if tool == "7z":
        return option == "-p" and not space
    return option == "-p"
