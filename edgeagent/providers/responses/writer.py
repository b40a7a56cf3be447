"""Events → the bytes of a stream, numbered."""

from __future__ import annotations

from typing import Any

from edgeagent.wire.json import dump_json

__all__ = ["EventWriter"]


class EventWriter:
    """Collects events; see `edgeagent.providers.responses.entries.Send`."""

    __slots__ = ("_number", "_out")

    def __init__(self) -> None:
        self._number = 0  # of the next event
        self._out: list[bytes] = []

    def __call__(self, kind: str, **fields: Any) -> None:
        """The next event."""
        body = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        self._out.append(f"event: {kind}\ndata: ".encode() + dump_json(body) + b"\n\n")

    def taken(self) -> bytes:
        """What was written since this was asked last."""
        data = b"".join(self._out)
        self._out.clear()
        return data
