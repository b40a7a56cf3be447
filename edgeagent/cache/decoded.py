"""Entries of the memory tier that were taken apart: the last ones are kept, which saves a tenth of a hit's time."""

from __future__ import annotations

from typing import Final

from edgeagent.cache.entry import Entry, decode_entry

__all__ = ["DecodedEntries"]

MOST: Final = 512
LARGEST: Final = 16 * 1024
"""How many entries are kept, and how large each may be: 8 MB at most."""


class DecodedEntries:
    """What the bytes under a key say. Threads may share it."""

    def __init__(self) -> None:
        self._entries: dict[bytes, tuple[bytes, Entry]] = {}

    def of(self, key: bytes, data: bytes) -> Entry | None:
        """The entry that `data` is; None if it is none. Other bytes under the same key are another entry."""
        known = self._entries.get(key)
        if known is not None and known[0] is data:
            return known[1]
        entry = decode_entry(data)
        if entry is not None and type(data) is bytes and len(data) <= LARGEST:  # other kinds can change
            if len(self._entries) >= MOST:
                self._entries.clear()
            self._entries[key] = (data, entry)
        return entry

    def forget(self) -> None:
        """Let go of all of them."""
        self._entries.clear()
