"""Values of Kubernetes Secrets, whatever their names: in Base64 under `data`, plain under `stringData`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from edgeagent.shield.base import Match
from edgeagent.shield.detect.secret_values import is_placeholder

__all__ = ["manifests"]

_KIND: Final = re.compile(
    r"^[ \t]{0,40}(?:- )?[\"']?kind[\"']?:[ \t]{0,4}[\"']?Secret[\"']?[ \t]{0,4},?\r?$", re.MULTILINE
)
_DATA: Final = re.compile(r"^([ \t]{0,40})[\"']?(?:data|stringData)[\"']?:[ \t]{0,4}\{?[ \t]{0,4}\r?$", re.MULTILINE)
_PAIR: Final = re.compile(
    r"[ \t]{1,42}(?P<mark>[\"']?)[A-Za-z0-9._-]{1,128}(?P=mark):[ \t]{1,4}"
    r"(?:\"(?P<double>[^\"\n]{4,})\"|'(?P<single>[^'\n]{4,})'|(?P<bare>[^\s\"',|>{}\[\]]{4,})),?[ \t]{0,4}\r?$",
    re.MULTILINE,
)
_END: Final = re.compile(r"^(?:---|\.\.\.)[ \t]{0,4}\r?$", re.MULTILINE)


def manifests(text: str) -> Iterator[Match]:
    """The values of each manifest of a Secret in YAML, or in JSON with a pair to a line."""
    begin = 0
    while begin < len(text):
        end = _END.search(text, begin)
        stop = len(text) if end is None else end.start()
        if _KIND.search(text, begin, stop) is not None:
            for data in _DATA.finditer(text, begin, stop):
                yield from _pairs(text, data, stop)
        begin = stop if end is None else end.end()


def _pairs(text: str, data: re.Match[str], stop: int) -> Iterator[Match]:
    """The pairs that stand deeper than the name of their block; other lines in between are another form's."""
    at = data.end() + 1
    while at < stop:
        line = text.find("\n", at, stop)
        line = stop if line < 0 else line
        written = text[at:line].strip()
        depth = len(text[at:line]) - len(text[at:line].lstrip(" \t"))
        if written and depth <= len(data[1]):
            return
        pair = _PAIR.match(text, at, stop)
        value = "" if pair is None else pair.lastgroup or ""
        if pair is not None and not is_placeholder(pair[value]):
            yield Match("API_KEY", *pair.span(value), 0.8, "manifest")
        at = line + 1
