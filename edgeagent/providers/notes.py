"""What encoding one request left out and changed: the parts of `Encoded` that grow while it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from edgeagent.providers.base import Encoded, Promise

__all__ = ["Notes"]


_INDEX: Final = re.compile(r"\[\d+\]")


class Notes:
    """Collects `dropped` and `edits`, each entry once and in order, and `promises`."""

    __slots__ = ("_dropped", "_edits", "_promises")

    def __init__(self) -> None:
        self._dropped: dict[str, None] = {}
        self._edits: dict[str, None] = {}
        self._promises: list[Promise] = []

    def drop(self, name: str) -> None:
        """A parameter, or a field of a message, was left out, since the vendor has no place for it.

        Indices are taken out of the name: `messages[3].name` and `messages[4].name` are one entry.
        """
        self._dropped[_INDEX.sub("", name)] = None

    def edit(self, sentence: str) -> None:
        """Something was changed beyond plain translation."""
        self._edits[sentence] = None

    def promise(self, schema: Mapping[str, Any], tool: str | None = None) -> None:
        """The vendor is asked for less than the caller was promised: the answer has to be checked."""
        self._promises.append(Promise(schema, tool))

    @property
    def promises(self) -> tuple[Promise, ...]:
        """What has to be checked on the answer."""
        return tuple(self._promises)

    def encoded(self, body: dict[str, Any]) -> Encoded:
        """The encoded request with these notes."""
        return Encoded(body, {}, self.dropped, self.edits, self.promises)

    @property
    def dropped(self) -> tuple[str, ...]:
        """The names of what was left out."""
        return tuple(self._dropped)

    @property
    def edits(self) -> tuple[str, ...]:
        """What was changed, in words."""
        return tuple(self._edits)
