"""Amazon's event streams (`application/vnd.amazon.eventstream`): bytes in, messages out, and back.

A message is a prelude (total length, length of the headers, both unsigned 32-bit big-endian, and the CRC-32 of these
two), the headers, the payload, and the CRC-32 of everything before it. Both checksums are checked.

The work is linear in the bytes fed, whatever the cuts, and the memory held is bounded by one message.

Source: https://smithy.io/2.0/aws/amazon-eventstream.html
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID
from zlib import crc32

__all__ = [
    "MAX_HEADERS_SIZE",
    "MAX_PAYLOAD_SIZE",
    "Byte",
    "EventStreamDecoder",
    "EventStreamError",
    "HeaderValue",
    "Long",
    "Message",
    "Short",
    "Timestamp",
    "encode_message",
]

MAX_HEADERS_SIZE: Final = 128 * 1024
"""The most bytes of headers that a message may have."""
MAX_PAYLOAD_SIZE: Final = 24 * 1024 * 1024
"""The most bytes of payload that a message may have."""

_PRELUDE: Final = struct.Struct("!II")
_CRC: Final = struct.Struct("!I")
_LENGTH: Final = struct.Struct("!H")
_LEAST: Final = _PRELUDE.size + 2 * _CRC.size  # a message without headers and payload


class EventStreamError(ValueError):
    """The bytes are no event stream: a checksum, a length or a header is wrong. The text quotes nothing of them."""


class Byte(int):
    """An 8-bit integer."""


class Short(int):
    """A 16-bit integer."""


class Long(int):
    """A 64-bit integer."""


class Timestamp(int):
    """A point in time: milliseconds since the epoch."""


HeaderValue: TypeAlias = bool | int | bytes | str | UUID
"""A header's value. A plain `int` has 32 bits; the other widths and times are the subclasses of `int` above."""

_TRUE, _FALSE, _BYTES, _STRING, _UUID = 0, 1, 6, 7, 9
_NUMBERS: Final[Mapping[int, tuple[type[int], struct.Struct]]] = {
    2: (Byte, struct.Struct("!b")),
    3: (Short, struct.Struct("!h")),
    4: (int, struct.Struct("!i")),
    5: (Long, struct.Struct("!q")),
    8: (Timestamp, struct.Struct("!q")),
}
_KINDS: Final[Mapping[type, int]] = {cls: kind for kind, (cls, _) in _NUMBERS.items()}


class Message(NamedTuple):
    """One message: its headers by name, and its payload."""

    headers: Mapping[str, HeaderValue]
    payload: bytes

    def text(self, name: str) -> str:
        """A header that is text; empty where there is none."""
        value = self.headers.get(name)
        return value if isinstance(value, str) else ""


class EventStreamDecoder:
    """Bytes → messages. One object per stream.

    Messages that came before one that is wrong are delivered first; the `EventStreamError` is raised by the next call.
    """

    __slots__ = ("_buffer", "_fault", "_needed")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._needed = 0  # length of the message under way, once its prelude is known
        self._fault: EventStreamError | None = None

    @property
    def pending(self) -> bool:
        """Whether a message has begun that is not complete."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Message]:
        """The messages that have become complete. Raises `EventStreamError`."""
        if self._fault is not None:
            raise self._fault
        buffer = self._buffer
        buffer += data
        messages: list[Message] = []
        start = 0
        try:
            while self._has_message(start):
                end = start + self._needed
                messages.append(_decode(bytes(buffer[start:end])))
                start, self._needed = end, 0
        except EventStreamError as error:
            self._fault = error
            start = len(buffer)
            if not messages:
                buffer.clear()
                raise
        if start:
            del buffer[:start]
        return messages

    def _has_message(self, start: int) -> bool:
        """Whether a whole message begins at `start`; its length is checked as soon as it is known."""
        held = len(self._buffer) - start
        if not self._needed:
            if held < _PRELUDE.size + _CRC.size:
                return False
            self._needed = _checked_length(bytes(self._buffer[start : start + _PRELUDE.size + _CRC.size]))
        return held >= self._needed


def encode_message(message: Message) -> bytes:
    """The bytes of one message. Raises `EventStreamError` for what the format cannot hold."""
    headers = b"".join(_encoded_header(name, value) for name, value in message.headers.items())
    if len(headers) > MAX_HEADERS_SIZE or len(message.payload) > MAX_PAYLOAD_SIZE:
        raise EventStreamError("The message is too large.")
    prelude = _PRELUDE.pack(_LEAST + len(headers) + len(message.payload), len(headers))
    head = prelude + _CRC.pack(crc32(prelude))
    body = head + headers + message.payload
    return body + _CRC.pack(crc32(body))


def _checked_length(prelude: bytes) -> int:
    total, headers = _PRELUDE.unpack_from(prelude)
    if _CRC.unpack_from(prelude, _PRELUDE.size)[0] != crc32(prelude[: _PRELUDE.size]):
        raise EventStreamError("The checksum of a message's beginning is wrong.")
    payload = total - headers - _LEAST
    if headers > MAX_HEADERS_SIZE or not 0 <= payload <= MAX_PAYLOAD_SIZE:
        raise EventStreamError("The lengths of a message are impossible.")
    return int(total)


def _decode(data: bytes) -> Message:
    """One whole message whose prelude has been checked."""
    end = len(data) - _CRC.size
    if _CRC.unpack_from(data, end)[0] != crc32(memoryview(data)[:end]):
        raise EventStreamError("The checksum of a message is wrong.")
    start = _PRELUDE.size + _CRC.size
    middle = start + _PRELUDE.unpack_from(data)[1]
    return Message(_decode_headers(data[start:middle]), data[middle:end])


def _decode_headers(data: bytes) -> dict[str, HeaderValue]:
    headers: dict[str, HeaderValue] = {}
    at = 0
    try:
        while at < len(data):
            length = data[at]
            name = _piece(data, at + 1, length).decode()
            at += 1 + length
            value, at = _decode_value(data, data[at], at + 1)
            if not name or name in headers:
                raise EventStreamError("A header has no name, or one that another has.")
            headers[name] = value
    except (IndexError, struct.error, UnicodeDecodeError):
        raise EventStreamError("The headers of a message are cut off or not text.") from None
    return headers


def _decode_value(data: bytes, kind: int, at: int) -> tuple[HeaderValue, int]:
    """The value that begins at `at`, and where it ends."""
    if kind in (_TRUE, _FALSE):
        return kind == _TRUE, at
    if kind in _NUMBERS:
        cls, form = _NUMBERS[kind]
        return cls(form.unpack_from(data, at)[0]), at + form.size
    if kind in (_BYTES, _STRING):
        length = _LENGTH.unpack_from(data, at)[0]
        at += _LENGTH.size
        value = _piece(data, at, length)
        return (value if kind == _BYTES else value.decode()), at + length
    if kind == _UUID:
        return UUID(bytes=_piece(data, at, 16)), at + 16
    raise EventStreamError("A header is of an unknown type.")


def _piece(data: bytes, at: int, length: int) -> bytes:
    piece = data[at : at + length]
    if len(piece) < length:
        raise IndexError
    return piece


def _encoded_header(name: str, value: HeaderValue) -> bytes:
    raw = name.encode()
    if not 0 < len(raw) < 256:
        raise EventStreamError("A header's name has from 1 to 255 bytes.")
    try:
        return bytes([len(raw)]) + raw + _encoded_value(value)
    except struct.error:
        raise EventStreamError("A header's value is too large for its type.") from None


def _encoded_value(value: HeaderValue) -> bytes:
    if isinstance(value, bool):
        return bytes([_TRUE if value else _FALSE])
    if isinstance(value, int):
        kind = _KINDS[type(value)]
        return bytes([kind]) + _NUMBERS[kind][1].pack(value)
    if isinstance(value, UUID):
        return bytes([_UUID]) + value.bytes
    raw = value.encode() if isinstance(value, str) else value
    return bytes([_STRING if isinstance(value, str) else _BYTES]) + _LENGTH.pack(len(raw)) + raw
