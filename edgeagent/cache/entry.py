"""One cached answer as bytes: what every tier holds.

The format, big-endian: magic with version (4 bytes), CRC-32 of all that follows (4), flags (1), creation and expiry
time and how long it is kept after (three doubles), eleven lengths, then the eleven parts, the short ones first. Nothing
in it is executable; a reader checks the sum before it believes a length. An entry that is damaged, truncated, longer
than it says or of another version is no entry.

What an entry is forgotten by (model, namespace, tags, age) stands in it, and nowhere else: to find those entries, all
are looked at. An index would be kept up to date at every write, in every process that shares the tier, for something
that is done by hand; so a hit and a write cost what they cost without it.
"""

from __future__ import annotations

import struct
from decimal import Decimal
from typing import Final, NamedTuple
from zlib import crc32

__all__ = ["Entry", "decode_entry", "encode_entry", "is_restored"]

MAGIC: Final = b"EAe\x02"
_HEAD: Final = struct.Struct(">4sI")
_BODY: Final = struct.Struct(">B3d8I3Q")
_BOTH: Final = struct.Struct(_HEAD.format + _BODY.format[1:])
_START: Final = _BOTH.size

_HAS_VENDOR: Final = 1
_HAS_COST: Final = 2
_HAS_REQUEST_ID: Final = 4
_EXPIRES: Final = 8
_NATIVE_STREAMED: Final = 16
_HAS_NAMESPACE: Final = 32
_RESTORED: Final = 64


class Entry(NamedTuple):
    """An answer and where it came from. (A tuple: made on every hit, in a third of a frozen dataclass's time.)

    `created` is in epoch seconds; `provider` and `model` name the target that answered, `vendor` its id in telemetry;
    `cost_usd` is what it cost then; `request_id` is the provider's. `completion` is the JSON of the `ChatCompletion`.
    `native` is the answer as the vendor sent it, if the call was made in the vendor's own format, else empty: a JSON
    document, or (`native_streamed`) the bytes of a stream. From `expires` (epoch seconds) on it is stale; None: never.
    For `keep` seconds after that it is kept all the same, to be given where a stale answer is better than none.
    That of an embedding has in `completion` what is said of the vector, and in `native` the vector (`cache.vector`).

    `asked` is the model as the caller named it, `namespace` and `tags` are those of the call; they are what an entry
    can be forgotten by. `chunks` is how the answer came, if it was streamed (see `edgeagent.types.recording`).
    """

    created: float
    provider: str
    model: str
    vendor: str | None
    cost_usd: Decimal | None
    request_id: str | None
    completion: bytes
    native: bytes = b""
    expires: float | None = None
    native_streamed: bool = False
    keep: float = 0.0
    asked: str = ""
    namespace: str | None = None
    tags: tuple[str, ...] = ()
    chunks: bytes = b""


def encode_entry(entry: Entry, *, restored: bool = False) -> bytes:
    """The bytes of an entry; `restored` if it holds what a shield masks. Raises `UnicodeEncodeError` for names with
    lone surrogates.
    """
    provider, model = entry.provider.encode(), entry.model.encode()
    flags, vendor, cost, request_id, namespace = 0, b"", b"", b"", b""
    if entry.vendor is not None:
        flags, vendor = flags | _HAS_VENDOR, entry.vendor.encode()
    if entry.cost_usd is not None:
        flags, cost = flags | _HAS_COST, str(entry.cost_usd).encode()
    if entry.request_id is not None:
        flags, request_id = flags | _HAS_REQUEST_ID, entry.request_id.encode()
    if entry.namespace is not None:
        flags, namespace = flags | _HAS_NAMESPACE, entry.namespace.encode()
    tags = _packed(entry.tags) if entry.tags else b""
    expires = 0.0
    if entry.expires is not None:
        flags, expires = flags | _EXPIRES, entry.expires
    if entry.native_streamed:
        flags |= _NATIVE_STREAMED
    if restored:
        flags |= _RESTORED
    short = (provider, model, vendor, cost, request_id, entry.asked.encode(), namespace, tags)
    parts = (*short, entry.completion, entry.native, entry.chunks)
    body = b"".join((_BODY.pack(flags, entry.created, expires, entry.keep, *map(len, parts)), *parts))
    return _HEAD.pack(MAGIC, crc32(body)) + body


def is_restored(data: bytes) -> bool:
    """Whether these bytes of an entry hold what a shield masks: nothing but the memory of a client may have them."""
    return len(data) >= _START and bool(data[_HEAD.size] & _RESTORED)


def decode_entry(data: object) -> Entry | None:
    """The entry in `data`, or None if the bytes are not exactly what `encode_entry` of this version wrote."""
    if not isinstance(data, bytes):  # from a tier of somebody else's
        if not isinstance(data, bytearray | memoryview):
            return None
        data = bytes(data)
    if len(data) < _START:
        return None
    (
        magic,
        checksum,
        flags,
        created,
        expires,
        keep,
        provider_n,
        model_n,
        vendor_n,
        cost_n,
        request_id_n,
        asked_n,
        namespace_n,
        tags_n,
        completion_n,
        native_n,
        chunks_n,
    ) = _BOTH.unpack_from(data)
    if magic != MAGIC or crc32(memoryview(data)[_HEAD.size :]) != checksum:
        return None
    model_at = _START + provider_n
    vendor_at = model_at + model_n
    cost_at = vendor_at + vendor_n
    request_id_at = cost_at + cost_n
    asked_at = request_id_at + request_id_n
    namespace_at = asked_at + asked_n
    tags_at = namespace_at + namespace_n
    completion_at = tags_at + tags_n
    native_at = completion_at + completion_n
    chunks_at = native_at + native_n
    if chunks_at + chunks_n != len(data):
        return None
    try:
        return Entry(
            created,
            data[_START:model_at].decode(),
            data[model_at:vendor_at].decode(),
            data[vendor_at:cost_at].decode() if flags & _HAS_VENDOR else None,
            Decimal(data[cost_at:request_id_at].decode()) if flags & _HAS_COST else None,
            data[request_id_at:asked_at].decode() if flags & _HAS_REQUEST_ID else None,
            data[completion_at:native_at],
            data[native_at:chunks_at],
            expires if flags & _EXPIRES else None,
            bool(flags & _NATIVE_STREAMED),
            keep,
            data[asked_at:namespace_at].decode(),
            data[namespace_at:tags_at].decode() if flags & _HAS_NAMESPACE else None,
            _unpacked(data[tags_at:completion_at]) if tags_n else (),
            data[chunks_at:],
        )
    except (ValueError, ArithmeticError):  # a right sum over text that this version never writes
        return None


def _packed(texts: tuple[str, ...]) -> bytes:
    """Each after its length."""
    return b"".join(len(data).to_bytes(4, "big") + data for data in map(str.encode, texts))


def _unpacked(data: bytes) -> tuple[str, ...]:
    """The texts of `_packed`. Raises `ValueError` for anything else."""
    texts: list[str] = []
    at = 0
    while at < len(data):
        end = at + 4 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            raise ValueError("a length beyond the end")
        texts.append(data[at + 4 : end].decode())
        at = end
    return tuple(texts)
