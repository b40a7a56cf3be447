"""What the header fields of a request say, and its time limits.

An SDK sends the same fields with every call but for the length of the body, so the last heads are remembered as they
were read: reading them anew took a third of the transport's own time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from edgeagent.config import edge_options
from edgeagent.core.call import CallOptions
from edgeagent.core.retry import RetryPolicy
from edgeagent.effects import Timeout
from edgeagent.transports.fields import PREFIX, account_of, edge_of, inward, retries_of

__all__ = ["Head", "Heads"]

REMEMBERED: Final = 256

Fields = tuple[tuple[bytes, bytes], ...]
Limits = tuple[float | None, ...] | None

_LENGTH: Final = b"content-length"


class Head:
    """The header fields of requests, but for the length of their bodies, and the time limits beside them.

    Args:
        raw: the fields as they go onto the wire.
        limits: seconds to connect, for each read and write, and for the pool; None: the request says none.
    """

    __slots__ = ("_given", "_limits", "_options", "account", "fields", "headers", "inward")

    def __init__(self, raw: Fields, limits: Limits) -> None:
        self.fields: tuple[tuple[str, str], ...] = tuple((n.decode("latin-1").lower(), _text(v)) for n, v in raw)
        """In their order, names in lower case."""
        self.headers: Mapping[str, str] = _joined(self.fields)
        """The same by name, several of one name joined."""
        self.inward: Mapping[str, str] = inward(self.headers.items())
        """Those that any target of the same format is sent besides its own."""
        self.account = account_of(self.headers.items())
        """Those that go with the SDK's credential."""
        self._limits = limits
        self._given: CallOptions | None = None
        self._options: CallOptions | None = None

    def options(self, base: CallOptions) -> CallOptions:
        """The client's own, with what the fields and the time limits say. Raises `RequestValidationError`."""
        if self._given is not base or self._options is None:
            self._options, self._given = self._read(base), base
        return self._options

    def _read(self, base: CallOptions) -> CallOptions:
        options = base if self._limits is None else replace(base, timeout=Timeout(*self._limits))
        if any(name.startswith(PREFIX) for name in self.headers):
            edge, retries = edge_of(self.headers), retries_of(self.headers)
            options = edge_options(options, edge) if edge else options
            options = options if retries is None else replace(options, retry=RetryPolicy.of(retries))
        return options


class Heads:
    """The heads of one transport's requests."""

    def __init__(self) -> None:
        self._known: dict[tuple[Fields, Limits], Head] = {}

    def find(self, raw: list[tuple[bytes, bytes]], timeout: Mapping[str, Any] | None) -> Head:
        """The head with these fields and the `timeout` of httpx's extension."""
        fields = tuple([item for item in raw if len(item[0]) != len(_LENGTH) or item[0].lower() != _LENGTH])
        limits = None if timeout is None else tuple([timeout.get(name) for name in _LIMITS])
        known = self._known.get((fields, limits))
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[fields, limits] = Head(fields, limits)
        return known


_LIMITS: Final = ("connect", "read", "write", "pool")


def _text(value: bytes) -> str:
    """A value as its sender meant it: UTF-8 if it is that, else as RFC 9110 §5.5 has it."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _joined(fields: tuple[tuple[str, str], ...]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in fields:
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
