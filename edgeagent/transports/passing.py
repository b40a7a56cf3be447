"""What the pipeline does not know goes where it was sent, as it is, and so does the answer.

But for three things: `x-edgeagent-…` fields stay here, those of one connection are not passed on, and a key of the
SDK's, with what belongs to it, is replaced by the client's own where it has one for that very server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from edgeagent.core.ask import is_http
from edgeagent.core.targets import Targets
from edgeagent.transports.addressing import family_wires
from edgeagent.transports.fields import CREDENTIALS, HOP_BY_HOP, PREFIX, goes_with_key, is_credential
from edgeagent.transports.incoming import Incoming
from edgeagent.transports.kinds import Kind

__all__ = ["Passage"]

_NOT_SENT: Final = (HOP_BY_HOP | {"host"}) - {"te"}


class Passage:
    """Sends requests on, each by a client of its own unless the gateway was given one.

    Args:
        client: the caller's own httpx or httpx2 client, or None.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._context: Any = None

    def send(self, kind: Kind, request: Any, came: Incoming, targets: Targets, reason: str) -> Any:
        """Blocking: the answer, its body still to come."""
        import httpx

        client, own = self._client, False
        if client is None or hasattr(client, "aclose"):
            client, own = httpx.Client(verify=self._tls(), timeout=None), True
        try:
            answer = client.send(_built(client, request, request.stream, came, targets), stream=True)
        except Exception as error:
            if own:
                client.close()
            raise _own(kind, error, request) from error
        return kind.streamed(answer.status_code, _fields(answer, reason), _Raw(kind, answer, client if own else None))

    async def asend(self, kind: Kind, request: Any, came: Incoming, targets: Targets, reason: str) -> Any:
        """Awaiting: the same."""
        import httpx

        client, own = self._client, False
        if client is None or not hasattr(client, "aclose"):
            client, own = httpx.AsyncClient(verify=self._tls(), timeout=None), True
        try:
            answer = await client.send(_built(client, request, _Upload(request.stream), came, targets), stream=True)
        except BaseException as error:
            if own:
                await client.aclose()
            if not isinstance(error, Exception):
                raise
            raise _own(kind, error, request) from error
        body = _AsyncRaw(kind, answer, client if own else None)
        return kind.streamed_async(answer.status_code, _fields(answer, reason), body)

    def _tls(self) -> Any:
        if self._context is None:
            import httpx

            self._context = httpx.create_ssl_context()
        return self._context


class _Upload:
    """A request's body for code that awaits, and for no other: the library asks an iterable first for the other."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)


def _built(client: Any, request: Any, content: Any, came: Incoming, targets: Targets) -> Any:
    fields = [(n, v) for n, v in came.head.fields if n not in _NOT_SENT and not n.startswith(PREFIX)]
    url, key = came.url, _own_key(came, targets)
    if key is not None:
        fields = [(n, v) for n, v in fields if n not in CREDENTIALS and not goes_with_key(n)] + key.fields
        url = _with_query(url, key.query)
    length = request.headers.get("content-length")
    if length is not None:
        fields.append(("content-length", length))
    has_body = (length or "0") != "0" or "transfer-encoding" in came.headers
    built = client.build_request(came.method, url, headers=fields, content=content if has_body else None)
    built.extensions = {**built.extensions, "timeout": dict(came.timeout or {})}
    return built


class _Key(NamedTuple):
    """The client's own credential for a server: header fields, and parameters of the URL."""

    fields: list[tuple[str, str]]
    query: dict[str, str]


def _own_key(came: Incoming, targets: Targets) -> _Key | None:
    """The client's own credential for the very server that is asked; None if it has none that is at hand."""
    wires = family_wires(came.headers)
    parts = urlsplit(came.url)
    for provider in targets.providers():
        if not is_http(provider) or provider.codec_for("").wire not in wires:
            continue
        own = urlsplit(provider.endpoint("x"))
        if (own.scheme, own.netloc) == (parts.scheme, parts.netloc) and isinstance(provider.api_key, str):
            headers = getattr(provider, "auth_headers", None)
            return _with_account(provider, headers(provider.api_key)) if callable(headers) else None
    return None


def _with_account(provider: Any, key: list[tuple[str, str]]) -> _Key:
    """A provider's key with what is sent beside it: whose account it is, the key of a gateway."""
    beside = {name.lower(): value for name, value in (getattr(provider, "default_headers", None) or {}).items()}
    fields = {name.lower(): value for name, value in key}
    fields.update({name: value for name, value in beside.items() if name in fields or goes_with_key(name)})
    defaults = getattr(provider, "default_query", None) or {}
    query = {name: str(value) for name, value in defaults.items() if is_credential(name)}
    return _Key([(name, value) for name, value in fields.items() if value is not None], query)


def _with_query(url: str, own: dict[str, str]) -> str:
    """The URL with these parameters in place of those of their names."""
    if not own:
        return url
    parts = urlsplit(url)
    kept = [item for item in parse_qsl(parts.query, keep_blank_values=True) if item[0] not in own]
    return urlunsplit(parts._replace(query=urlencode([*kept, *own.items()])))


def _fields(answer: Any, reason: str) -> list[tuple[str, str]]:
    kept = [(n, v) for n, v in answer.headers.multi_items() if n.lower() not in HOP_BY_HOP]
    return [*kept, (PREFIX + "pass-through", reason)]


def _own(kind: Kind, error: Exception, request: Any) -> Exception:
    return kind.fault(type(error).__name__, str(error) or type(error).__name__, request)


class _Raw:
    """The bytes of an answer as they come, still in their content encoding."""

    def __init__(self, kind: Kind, answer: Any, client: Any) -> None:
        self._kind, self._answer, self._client = kind, answer, client

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_raw()
        except Exception as error:
            raise _own(self._kind, error, None) from error

    def close(self) -> None:
        self._answer.close()
        if self._client is not None:
            self._client.close()


class _AsyncRaw:
    """The same for code that awaits."""

    def __init__(self, kind: Kind, answer: Any, client: Any) -> None:
        self._kind, self._answer, self._client = kind, answer, client
        self._pieces = answer.aiter_raw()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            data: bytes = await anext(self._pieces)
        except StopAsyncIteration:
            raise
        except Exception as error:
            raise _own(self._kind, error, None) from error
        return data

    async def aclose(self) -> None:
        await self._answer.aclose()
        await self._pieces.aclose()
        if self._client is not None:
            await self._client.aclose()
