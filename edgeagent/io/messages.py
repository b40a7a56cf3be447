"""Our HTTP values ↔ httpcore's and httpx's."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote_to_bytes, urljoin

from edgeagent.effects import Timeout
from edgeagent.errors import RequestValidationError
from edgeagent.io.decoding import ACCEPT_ENCODING
from edgeagent.wire.http import Headers, HTTPRequest

if TYPE_CHECKING:
    import httpcore

__all__ = [
    "MAX_REDIRECTS",
    "Address",
    "Body",
    "OnePiece",
    "address_of",
    "core_request",
    "fields_of",
    "headers_of",
    "redirected",
    "timeouts",
]

MAX_REDIRECTS: Final = 5

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110 §5.5
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


class Address(NamedTuple):
    """Where a URL leads."""

    url: httpcore.URL
    host: bytes
    authorization: bytes | None
    """From the user information in the URL."""


@lru_cache(maxsize=256)
def address_of(url: str) -> Address:
    """Parsed by httpx, which encodes what must be encoded. Raises `RequestValidationError`."""
    import httpcore
    import httpx

    try:
        parsed = httpx.URL(url)
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise httpx.InvalidURL("not an absolute http(s) URL")
        parsed.raw_host.decode("ascii").encode("idna")  # as a look-up will, which would not say what is wrong
    except (httpx.InvalidURL, UnicodeError) as error:
        raise RequestValidationError(f"The request's URL cannot be used: {error}.", param="base_url") from None
    core = httpcore.URL(
        scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path or b"/"
    )
    user = unquote_to_bytes(parsed.userinfo)
    return Address(core, parsed.netloc, b"Basic " + b64encode(user) if user else None)


class Body:
    """A request's content; knows whether its sending has begun, that is, whether the head has left."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.sent = False

    def __iter__(self) -> Iterator[bytes]:
        self.sent = True
        yield self._content

    def __aiter__(self) -> AsyncIterator[bytes]:
        self.sent = True
        return OnePiece(self._content)


class OnePiece:
    """An asynchronous iterator of one piece; a generator would have to be closed, and httpcore does not close it."""

    def __init__(self, piece: bytes) -> None:
        self._pieces = [piece]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._pieces:
            raise StopAsyncIteration
        return self._pieces.pop()


def fields_of(request: HTTPRequest) -> list[tuple[bytes, bytes]]:
    """The header fields but for those of the framing, which are the transport's.

    Raises:
        RequestValidationError: HTTP does not allow a name or a value. The value, maybe a credential, is not told.
    """
    fields = []
    for name, value in request.headers.fields:
        if name.lower() in _FRAMING:
            continue
        plain = value.isascii() and value.isprintable()  # quicker than the expression, and nearly always
        if not _is_name(name) or not (plain or _VALUE.fullmatch(value)):
            raise RequestValidationError(
                f"The header {name!r} holds a character that HTTP does not allow there (a line end, or one that is not "
                "Latin-1).",
                param="extra_headers",
            )
        fields.append((name.encode("ascii"), value.strip(" \t").encode("latin-1")))
    return fields


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def core_request(
    request: HTTPRequest, address: Address, limits: dict[str, float | None], body: Body
) -> httpcore.Request:
    """The request as httpcore takes it, with the fields that HTTP/1.1 requires."""
    import httpcore

    fields = fields_of(request)
    given = request.headers
    if "host" not in given:
        fields.insert(0, (b"host", address.host))
    if "accept-encoding" not in given:
        fields.append((b"accept-encoding", ACCEPT_ENCODING.encode()))
    if address.authorization is not None and "authorization" not in given:
        fields.append((b"authorization", address.authorization))
    fields.append((b"content-length", str(len(request.content)).encode()))
    return httpcore.Request(request.method, address.url, headers=fields, content=body, extensions={"timeout": limits})


def timeouts(timeout: Timeout) -> dict[str, float | None]:
    """The limits in the form of httpcore's and httpx's `timeout` extension."""
    return {"connect": timeout.connect, "read": timeout.read, "write": timeout.write, "pool": timeout.pool}


def headers_of(fields: list[tuple[bytes, bytes]]) -> Headers:
    """Header fields of a response."""
    return Headers([(name.decode("latin-1"), value.decode("latin-1")) for name, value in fields])


def redirected(request: HTTPRequest, status: int, headers: Headers) -> HTTPRequest | None:
    """The request to send instead, if the answer asks to send the same again elsewhere on the same origin.

    Only 307 and 308 keep method and body (RFC 9110 §15.4); another origin would get the credential, and is refused.
    """
    location = headers.get("location")
    if status not in {307, 308} or not location:
        return None
    try:
        url = urljoin(request.url, location)
        same = address_of(url).url.origin == address_of(request.url).url.origin
    except (ValueError, RequestValidationError):  # not a URL
        return None
    return HTTPRequest(request.method, url, request.headers, request.content) if same else None
