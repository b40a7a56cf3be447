"""What encoding one request left out and changed: the parts of `Encoded` that grow while it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.base import Encoded, Promise

__all__ = ["Notes"]

_INDEX: Final = re.compile(r"\[\d+\]")


class Notes:
    """Collects `dropped`, `edits` (each entry once, in order) and `promises`."""

    __slots__ = ("_dropped", "_edits", "_promises")

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._edits: dict[str, None] = {}
        self._promises: list[Promise] = []

    def drop(self, name: str) -> None:
        """A parameter, or a field of a message, was left out; indices are taken out of its name."""
        self._dropped[_INDEX.sub("", name)] = None

    def edit(self, sentence: str) -> None:
        """Something was changed beyond plain translation."""
        self._edits[sentence] = None

    def promise(self, schema: Mapping[str, Any], tool: str | None = None) -> None:
        """The vendor is asked for less than the caller was promised: the answer has to be checked."""
        self._promises.append(Promise(schema, tool))

    def encoded(self, body: dict[str, Any]) -> Encoded:
        """The encoded request with these notes."""
        return Encoded(body, {}, tuple(self._dropped), tuple(self._edits), tuple(self._promises))
