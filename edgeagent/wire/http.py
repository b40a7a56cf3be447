"""HTTP messages as plain values.

Everything above `edgeagent.io` speaks of HTTP with these two classes, so neither a provider's codec nor an exception
ever holds an httpx object, an open socket or, in what it shows, a credential.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

__all__ = ["ACCOUNT", "HTTPRequest", "HTTPResponse", "Headers", "credentials_of", "names_secret", "redact_url"]

ACCOUNT: Final = frozenset({"openai-organization", "openai-project", "x-goog-user-project"})
"""Header fields that belong to the account of the key beside them, in lower case."""

SAFE_REQUEST_HEADERS: Final = frozenset(
    {
        "accept",
        "anthropic-beta",
        "anthropic-version",
        "content-length",
        "content-type",
        "host",
        "openai-beta",
        "user-agent",
    }
)
"""Request headers whose values are shown; every other value is replaced, since any of them may be a credential."""

REDACTED: Final = "[redacted]"

_SHORTEST: Final = 6
"""Characters of the shortest credential that is looked for in an answer: what is shorter is part of any word."""


class Headers(Mapping[str, str]):
    """Header fields in their order, looked up without regard to case (RFC 9110 §5.1).

    Several fields of one name are joined with ", " on look-up (RFC 9110 §5.2).
    """

    __slots__ = ("_fields", "_index")

    def __init__(self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        pairs = fields.items() if isinstance(fields, Mapping) else fields
        self._fields: tuple[tuple[str, str], ...] = tuple([(name, value) for name, value in pairs])
        self._index: dict[str, str] | None = None

    def _by_name(self) -> dict[str, str]:
        """The values by lower-case name; made on first use, since many headers are never looked at."""
        index = self._index
        if index is None:
            index = {}
            for name, value in self._fields:
                key = name.lower()
                index[key] = f"{index[key]}, {value}" if key in index else value
            self._index = index
        return index

    def __getitem__(self, name: str) -> str:
        return self._by_name()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name())

    def __len__(self) -> int:
        return len(self._by_name())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name()

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The fields as they were given, repeated names included."""
        return self._fields

    def __repr__(self) -> str:
        return f"Headers({self._by_name()!r})"

    def __reduce__(self) -> tuple[type[Headers], tuple[tuple[tuple[str, str], ...]]]:
        return (Headers, (self._fields,))


class HTTPRequest:
    """One HTTP request: method, absolute URL, header fields and the whole body.

    `repr` and `redacted()` show no credential: of the headers only a written list keeps its values, of the URL neither
    user information nor query values remain.
    """

    __slots__ = ("content", "headers", "method", "url")

    def __init__(
        self,
        method: str,
        url: str,
        headers: Headers | Mapping[str, str] | Iterable[tuple[str, str]] = (),
        content: bytes = b"",
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.content = content

    def redacted(self) -> HTTPRequest:
        """The same request without its body and without anything that may be a secret."""
        fields = self.headers.fields
        safe = [
            (n, v if n in SAFE_REQUEST_HEADERS or n.lower() in SAFE_REQUEST_HEADERS else REDACTED) for n, v in fields
        ]
        return HTTPRequest(self.method, redact_url(self.url), Headers(safe))

    def __repr__(self) -> str:
        return f"<HTTPRequest {self.method} {redact_url(self.url)}>"

    def __reduce__(self) -> tuple[type[HTTPRequest], tuple[str, str, Headers, bytes]]:
        safe = self.redacted()  # a pickle is a place where secrets leak
        return (HTTPRequest, (safe.method, safe.url, safe.headers, b""))


class HTTPResponse:
    """One complete HTTP response, its body decoded from transfer and content encodings.

    `request` is what was asked, without secrets; where the status tells an error, `content` quotes none of them either.
    """

    __slots__ = ("content", "headers", "request", "status_code")

    def __init__(
        self,
        status_code: int,
        headers: Headers | Mapping[str, str] | Iterable[tuple[str, str]] = (),
        content: bytes = b"",
        request: HTTPRequest | None = None,
    ) -> None:
        self.status_code = status_code
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.content = content if request is None or status_code < 400 else _unquoted(content, request)
        self.request = request.redacted() if request is not None else HTTPRequest("POST", "local:")

    @property
    def text(self) -> str:
        """The body as UTF-8 text, undecodable bytes replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body parsed as JSON; `ValueError` if it is not JSON, or nested too deeply to be read."""
        try:
            return json.loads(self.content)
        except RecursionError:
            raise ValueError("The body is nested too deeply.") from None

    def __repr__(self) -> str:
        return f"<HTTPResponse [{self.status_code}]>"

    def __reduce__(self) -> tuple[type[HTTPResponse], tuple[int, Headers, bytes, HTTPRequest]]:
        safe = ((n, REDACTED if n.lower() == "set-cookie" else v) for n, v in self.headers.fields)
        return (HTTPResponse, (self.status_code, Headers(safe), self.content, self.request))


def names_secret(name: str) -> bool:
    """Whether a header field or a query parameter of this name may hold a credential."""
    return any(word in name.lower() for word in ("auth", "cookie", "key", "password", "secret", "token"))


def _unquoted(content: bytes, request: HTTPRequest) -> bytes:
    """The body of an error without the credentials of its request: some servers quote the key that they refuse."""
    for secret in credentials_of(request):
        for written in {secret, secret.replace("/", "\\/")}:  # as some JSON has it
            content = content.replace(written.encode(), REDACTED.encode())
    return content


def credentials_of(request: HTTPRequest) -> list[str]:
    """What a request proves its caller's identity with, by the names of its header fields and its query."""
    fields = (*request.headers.fields, *parse_qsl(request.url.partition("?")[2]))
    secrets = ((name, value.rpartition(" ")[2]) for name, value in fields)  # without its scheme
    return [one for name, one in secrets if len(one) >= _SHORTEST and one != REDACTED and names_secret(name)]


@lru_cache(maxsize=256)  # asked for every answer
def redact_url(url: str) -> str:
    """The URL without user information and fragment, with the values of its query replaced; never raises."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return REDACTED
    netloc = parts.netloc.rpartition("@")[2]
    query = "&".join(map(_redact_item, parts.query.split("&"))) if parts.query else ""
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


def _redact_item(item: str) -> str:
    name, equals, _ = item.partition("=")
    return f"{name}={REDACTED}" if equals else REDACTED  # without a name, all of it is value
