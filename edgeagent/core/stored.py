"""What a vendor keeps of an answer: asked at the one provider that has it, neither cached nor shared nor moved on.

Retries and deadlines are those of every call; observers are not told, since no model answers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

from edgeagent.core.ask import credential, opened_by, refused, sent, whole_error
from edgeagent.core.attempts import attempt_targets
from edgeagent.core.call import Call, CallOptions
from edgeagent.core.calls import Calls
from edgeagent.effects import Flow, Scope, Source, read
from edgeagent.providers.base import Encoded, HTTPProvider
from edgeagent.types import ChatRequest, Target
from edgeagent.wire.http import Headers, HTTPRequest, HTTPResponse

__all__ = ["Stored", "StoredAnswers", "StoredSession"]

T = TypeVar("T")


@dataclass(frozen=True)
class Stored:
    """One question about what is stored.

    Attributes:
        provider: whom it is asked, as it is asked in the format of what is stored.
        method: of HTTP.
        path: below the address of the answers, in pieces; each is quoted.
        headers, query: the caller's own.
    """

    provider: HTTPProvider
    method: str
    path: tuple[str, ...]
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)

    def request(self, credential: Any, *, stream: bool) -> HTTPRequest:
        """The whole HTTP request."""
        made = self.provider.http_request(
            Encoded({}), credential, model="", stream=stream, extra_headers=self.headers, extra_query=self.query
        )
        url, mark, query = made.url.partition("?")
        path = "".join(f"/{quote(piece, safe='')}" for piece in self.path)
        headers = Headers([pair for pair in made.headers.fields if pair[0].lower() != "content-type"])
        return HTTPRequest(self.method, f"{url}{path}{mark}{query}", headers)


class StoredSession:
    """The bytes of a stored answer's stream; see `edgeagent.resources.streams.Session`."""

    usage = None

    def __init__(self, call: Call[Any], source: Source) -> None:
        self.call = call
        self.pending: deque[bytes] = deque()
        self.flowing = True
        self._source = source

    def advance(self) -> Flow[None]:
        """Read until bytes are pending or the stream has ended."""
        data = yield from read(self._source, self.call.deadline)
        if data is None:
            self.flowing = False
            self.call.ended(None, None)
        else:
            self.pending.append(data)
            record = self.call.options.record
            if record is not None and record.pieces is not None:
                record.pieces.append(data)

    def close_early(self) -> None:
        """The caller wants no more. Idempotent."""
        if self.flowing:
            self.flowing = False
            self.pending.clear()
            self.call.ended(None, None)


class StoredAnswers(Calls):
    """Questions about what vendors keep."""

    def ask(
        self,
        stored: Stored,
        decode: Callable[[HTTPResponse], T],
        options: CallOptions,
        scope: Scope,
        *,
        prefers_async: bool,
    ) -> Flow[tuple[T, Call[Any]]]:
        """What `decode` makes of the vendor's answer, and the call whose `edge` is complete.

        Raises the vendor's error, or that of `decode`: it belongs to the attempt, which is tried again if it may be.
        """
        call = self._call(stored, options, scope, prefers_async=prefers_async)

        def attempt(_: Target) -> Flow[T]:
            request = yield from _request(call, stored, stream=False)
            response = yield from sent(call, request, stored.provider)
            if not 200 <= response.status_code < 300:
                raise refused(stored.provider.codec_for(""), response)
            answer = decode(response)
            call.received(response)
            return answer

        answer = yield from self._attempted(call, stored, attempt)
        call.ended(None, None)
        return answer, call

    def open(self, stored: Stored, options: CallOptions, scope: Scope, *, prefers_async: bool) -> Flow[StoredSession]:
        """The stream of a stored answer. Raises the vendor's error."""
        call = self._call(stored, options, scope, prefers_async=prefers_async)

        def attempt(_: Target) -> Flow[Source]:
            request = yield from _request(call, stored, stream=True)
            source, head = yield from opened_by(call, request, stored.provider)
            if not 200 <= source.status_code < 300:
                content = yield from whole_error(source, call.deadline)
                failed = HTTPResponse(source.status_code, source.headers, content, request)
                raise refused(stored.provider.codec_for(""), failed)
            call.received(head)
            return source

        return StoredSession(call, (yield from self._attempted(call, stored, attempt)))

    def _call(self, stored: Stored, options: CallOptions, scope: Scope, *, prefers_async: bool) -> Call[Any]:
        request = ChatRequest(model="", messages=[])
        call: Call[Any] = Call(request, options, scope, self._clock, self._wall, prefers_async=prefers_async)
        call.edge.provider = stored.provider.name
        return call

    def _attempted(self, call: Call[Any], stored: Stored, attempt: Callable[[Target], Flow[T]]) -> Flow[T]:
        target = Target(stored.provider.name, "")
        try:
            answered = yield from attempt_targets(call, [target], attempt, lambda _: None)
        except Exception as error:
            self._failed(call, error)
            raise
        return answered.answer


def _request(call: Call[Any], stored: Stored, *, stream: bool) -> Flow[HTTPRequest]:
    return stored.request((yield from credential(call, stored.provider)), stream=stream)
