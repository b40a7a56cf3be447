"""HTTP responses as `with_raw_response` and `with_streaming_response` give them.

Where a vendor answered over HTTP, status, header fields and body are the vendor's own, in its own format. Where none
did (a cache hit, an answer shared with an identical call, a provider of the caller's own), a response is made up in
OpenAI's format and says so: `x-edgeagent-synthetic: true`. Each has header fields that tell what the gateway did.
`.parse()` gives what the call without the prefix gives, whoever answered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, overload

from pydantic import TypeAdapter

from edgeagent.errors import EdgeAgentError
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.resources.hidden_input import without_input
from edgeagent.types import ChatCompletion, ResponseMetadata
from edgeagent.wire.http import Headers, HTTPRequest, HTTPResponse
from edgeagent.wire.json import dump_json

if TYPE_CHECKING:
    from edgeagent.core.record import WireRecord
    from edgeagent.effects import Flow
    from edgeagent.resources.streams import Session
    from edgeagent.types.responses import ResponseStreamEvent

__all__ = ["LiveBody", "RawResponse", "ResponseHead", "as_response"]

R = TypeVar("R")
H = TypeVar("H", bound="ResponseHead[Any]")
T = TypeVar("T")

_JSON: Final = "application/json"
_EVENTS: Final = "text/event-stream; charset=utf-8"


def as_response(kind: Callable[..., H], made: Any, record: WireRecord, read: Callable[[Any], Any] | None = None) -> H:
    """What one call gave, as a response.

    Args:
        kind: of response.
        made: an answer, None where there is nothing to tell, or a stream.
        record: of the call.
        read: what `.parse()` makes of an answer, if that is not it.
    """
    if _is_stream(made):
        call = made._session.call
        edge, attempts, seconds = call.edge, len(call.attempts), call.clock() - call.started
        read = partial(_iterated, record)
    else:
        edge = getattr(made, "edge", None) or record.edge or ResponseMetadata()  # a page of items has none
        attempts, seconds = len(edge.attempts), edge.latency_ms / 1e3
    response = _http_response(record, edge, attempts, made)
    return kind(response, edge, result=made, read=read or _same, attempts=attempts, seconds=seconds)


def _is_stream(made: Any) -> bool:
    return getattr(made, "_session", None) is not None


def _same(made: Any) -> Any:
    return made


def _iterated(record: WireRecord, stream: Any) -> Any:
    """A stream whose items are what the caller wants: its bytes are not looked at."""
    record.forget_body()
    return stream


def _told(answer: Any) -> Any:
    """An answer in OpenAI's format, as JSON has it."""
    if answer is None or isinstance(answer, ChatCompletion):
        return None if answer is None else OpenAIChatCodec().encode_response(answer)
    return answer.to_dict(mode="json")


def _http_response(record: WireRecord, edge: ResponseMetadata, attempts: int, made: Any) -> HTTPResponse:
    """The vendor's response, or one made up; with the header fields that say what the gateway did.

    `made` is the whole answer, or a stream, whose body is not held.
    """
    found = record.response
    if found is None:
        streams = _is_stream(made)
        content = b"" if streams else dump_json(_told(made))
        fields = [("content-type", _EVENTS if streams else _JSON)]
        if edge.request_id is not None:
            fields.append(("x-request-id", edge.request_id))
        found = HTTPResponse(200, [*fields, ("x-edgeagent-synthetic", "true")], content)
    told = Headers((*found.headers.fields, *_facts(edge, attempts)))
    return HTTPResponse(found.status_code, told, found.content, found.request)


def _facts(edge: ResponseMetadata, attempts: int) -> Iterator[tuple[str, str]]:
    yield "x-edgeagent-cache", edge.cache_tier or ("flight" if edge.coalesced else "miss")
    yield "x-edgeagent-attempts", str(attempts)
    cost = None if edge.cost_usd is None else f"{edge.cost_usd:f}"
    for name, value in (("provider", edge.provider), ("model", edge.model), ("cost-usd", cost)):
        if value is not None:
            yield f"x-edgeagent-{name}", value


class ResponseHead(Generic[R]):
    """What is known of a response before its body.

    Attributes:
        http_response: status, header fields, the content as far as it is held, and the request without its secrets.
        retries_taken: how many attempts failed before the one that answered.
        elapsed: from the call to the answer; of a stream, to its first content.
        edge: what the gateway did.

    Args:
        response: see above.
        edge: see above.
        result: the answer, or the stream.
        read: what `.parse()` makes of it.
        attempts: how many there were, the one that answered included.
        seconds: see `elapsed`.
    """

    http_response: HTTPResponse
    retries_taken: int
    elapsed: timedelta
    edge: ResponseMetadata

    def __init__(
        self,
        response: HTTPResponse,
        edge: ResponseMetadata,
        *,
        result: Any,
        read: Callable[[Any], R],
        attempts: int,
        seconds: float,
    ) -> None:
        self.http_response = response
        self.edge = edge
        self.retries_taken = max(attempts - 1, 0)
        self.elapsed = timedelta(seconds=seconds)
        self._result = result
        self._read_result = read
        self._parsed: list[R] = []

    @property
    def headers(self) -> Headers:
        """Header fields, looked up without regard to case."""
        return self.http_response.headers

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        return self.http_response.status_code

    @property
    def request_id(self) -> str | None:
        """The provider's id of the request, under whichever header it sends it."""
        return self.edge.request_id or self.headers.get("x-request-id")

    @property
    def http_request(self) -> HTTPRequest:
        """What was sent, without its body and secrets; `local:` where nothing was."""
        return self.http_response.request

    @property
    def url(self) -> str:
        """Where it was sent."""
        return self.http_request.url

    @property
    def method(self) -> str:
        """How it was sent."""
        return self.http_request.method

    @property
    def http_version(self) -> str:
        """The protocol that the connections speak."""
        return "HTTP/1.1"

    def _parse(self, to: Any, body: Callable[[], bytes]) -> Any:
        """What the call gives; or, with a type, the body as one (a completion in OpenAI's shape, whoever answered)."""
        if to is str or to is bytes:
            return body() if to is bytes else body().decode("utf-8", "replace")
        if to is not None and not _is_stream(self._result):
            adapter, said = TypeAdapter(to), _told(self._result)
            if not self.edge.masked:
                return adapter.validate_python(said)
            return without_input(adapter, said)
        if not self._parsed:
            self._parsed.append(self._read_result(self._result))
        return self._parsed[0]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status_code}]>"


class RawResponse(ResponseHead[R]):
    """What `with_raw_response` gives: the response, its body read (unless it is a stream), and `.parse()`."""

    @overload
    def parse(self) -> R: ...

    @overload
    def parse(self, *, to: type[T]) -> T: ...

    def parse(self, *, to: Any = None) -> Any:
        """What the call gives without `with_raw_response`: a completion, a parsed one, or a stream.

        Args:
            to: a type to read an answer as: a pydantic model, `dict`, `str`, `bytes`.
        """
        return self._parse(to, lambda: self.content)

    @property
    def content(self) -> bytes:
        """The body. Raises `EdgeAgentError` for a stream, whose body has not been read."""
        if _is_stream(self._result):
            raise EdgeAgentError("The body of a stream is not held: iterate over .parse(), or use streaming responses.")
        return self.http_response.content

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON."""
        self.content  # noqa: B018  # refuses a stream
        return self.http_response.json()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more is to come."""
        session = getattr(self._result, "_session", None)
        return session is None or not session.flowing


# a body, piece by piece


class LiveBody:
    """The body of a stream under way: the vendor's bytes, or, where there are none, the chunks in OpenAI's format.

    Reading it carries the call on: usage is counted and the answer stored, as when its chunks are iterated over.
    """

    def __init__(self, session: Session[Any], record: WireRecord) -> None:
        self._session = session
        self._pieces: deque[bytes] = deque() if record.response is None or record.pieces is None else record.pieces
        self._encoder = _encoder_of(session) if record.response is None else None

    def next(self) -> Flow[bytes | None]:
        """The next piece; None at the end."""
        session = self._session
        while True:
            self._encode()
            if self._pieces:
                return self._pieces.popleft()
            if not session.flowing:
                return self._end()
            yield from session.advance()

    def _encode(self) -> None:
        """The chunks that have come: encoded, or left aside, since their bytes are there."""
        if self._encoder is not None:
            self._pieces += map(self._encoder.feed, self._session.pending)
        self._session.pending.clear()

    def _end(self) -> bytes | None:
        encoder, self._encoder = self._encoder, None
        return None if encoder is None else encoder.end()


def _encoder_of(session: Session[Any]) -> Any:
    """What writes the items of a stream in OpenAI's format."""
    from edgeagent.resources.response_events import EventSession

    return _Events() if isinstance(session, EventSession) else OpenAIChatCodec().stream_encoder()


class _Events:
    """Events of a response → bytes, as the Responses API sends them."""

    def feed(self, event: ResponseStreamEvent) -> bytes:
        return b"event: %s\ndata: %s\n\n" % (event.type.encode(), dump_json(event.to_dict(mode="json")))

    def end(self) -> None:
        """Nothing comes behind the last one."""
