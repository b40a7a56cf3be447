"""Entries as lines of JSON: what `client.cache.export` writes and `import_` reads.

The first line says what the file is and its version. Each other line is one entry: its key, its fields, and a SHA-256
over both. `completion` is the stored JSON as text, to the byte; `native` and `chunks` are in base64. A line that is
damaged, or is not what this version writes, is no entry.
"""

from __future__ import annotations

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from edgeagent.cache.base import Listing
from edgeagent.cache.entry import Entry, decode_entry, encode_entry, is_restored
from edgeagent.wire.json import canonical_json

__all__ = ["HEADER", "entry_of", "is_header", "line_of", "lines_of"]

VERSION: Final = 1
HEADER: Final = canonical_json({"format": "edgeagent cache", "version": VERSION}).decode()

_SEEN: Final = ("created", "expires", "keep", "provider", "model", "asked", "vendor", "request_id", "namespace")
"""Fields that stand in a line as they are."""


def is_header(line: str) -> bool:
    """Whether the file that begins with this line can be read."""
    try:
        return canonical_json(json.loads(line)).decode() == HEADER
    except (ValueError, TypeError, RecursionError):
        return False


def line_of(key: bytes, entry: Entry) -> str:
    """One entry. Raises `ValueError` if it holds what JSON cannot (an entry that was decoded does not)."""
    fields = {
        **{name: getattr(entry, name) for name in _SEEN},
        "cost_usd": None if entry.cost_usd is None else str(entry.cost_usd),
        "tags": list(entry.tags),
        "completion": entry.completion.decode(),
        "native": b64encode(entry.native).decode(),
        "native_streamed": entry.native_streamed,
        "chunks": b64encode(entry.chunks).decode(),
    }
    return canonical_json({"key": key.hex(), "entry": fields, "sum": _sum(key.hex(), fields)}).decode()


def lines_of(tiers: Iterable[Listing], takes: Callable[[bytes, bytes], bool]) -> Iterator[str]:
    """All lines of a file: each entry that the tiers hold, once, if its key and bytes are taken. None of what was
    restored for its caller, which another client may have put into a tier that both use.

    Raises:
        Exception: whatever a tier raises.
    """
    yield HEADER
    seen: set[bytes] = set()
    for tier in tiers:
        for key, data in tier.items():
            entry = decode_entry(data)
            if entry is not None and not is_restored(data) and key not in seen and takes(key, data):
                seen.add(key)
                yield line_of(key, entry)


def entry_of(line: str) -> tuple[bytes, Entry] | None:
    """The key and the entry of one line; None if it is not exactly what `line_of` of this version wrote."""
    try:
        value = json.loads(line)
        key, fields = value["key"], value["entry"]
        if _sum(key, fields) != value["sum"] or fields.keys() != _FIELDS:
            return None
        entry = Entry(
            **{name: fields[name] for name in _SEEN},
            cost_usd=None if fields["cost_usd"] is None else Decimal(fields["cost_usd"]),
            tags=tuple(fields["tags"]),
            completion=fields["completion"].encode(),
            native=b64decode(fields["native"], validate=True),
            native_streamed=fields["native_streamed"],
            chunks=b64decode(fields["chunks"], validate=True),
        )
        return (bytes.fromhex(key), entry) if decode_entry(encode_entry(entry)) == entry else None
    except (struct.error, ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError):
        return None


_FIELDS: Final = set(Entry._fields)


def _sum(key: Any, fields: Any) -> str:
    return sha256(canonical_json([key, fields])).hexdigest()
