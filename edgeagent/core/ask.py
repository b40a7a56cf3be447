"""One attempt at one target: the provider's answer, or the first content of its stream.

HTTP vendors are asked through their codec, providers of the caller's own through the methods they have. What comes back
is in the unified model either way, or a typed error.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeGuard
from uuid import uuid4

from pydantic_core import PydanticSerializationError

from edgeagent.core.call import Call
from edgeagent.core.native import is_native, passes
from edgeagent.core.others import ForTarget, for_target
from edgeagent.core.promises import check_promises, require_checker
from edgeagent.core.quotes import unquote
from edgeagent.effects import Flow, Source, close, invoke, open_iterator, open_stream, read, send
from edgeagent.errors import (
    APIError,
    APIStatusError,
    APITimeoutError,
    DeadlineExceededError,
    RequestValidationError,
    ResponseValidationError,
)
from edgeagent.providers.answers import ItemDecoder, completion_from
from edgeagent.providers.base import ChatCodec, DirectProvider, HTTPProvider, Provider, StreamDecoder
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest, Target
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.types.functions import chunk_with_function_call, modernised, speaks_of_functions, with_function_call
from edgeagent.types.recording import Recorded
from edgeagent.wire.http import Headers, HTTPRequest, HTTPResponse

__all__ = [
    "OpenedStream",
    "advance",
    "ask",
    "ask_stream",
    "chats",
    "credential",
    "invoke_own",
    "is_http",
    "not_json",
    "opened_by",
    "own_method",
    "refused",
    "restored",
    "sent",
    "whole_error",
]

CHAT_METHODS: Final = ("complete", "acomplete", "stream", "astream")
"""What a provider of the caller's own may have, at least one of them, to answer chats."""

MAX_ERROR_BYTES: Final = 1024 * 1024
"""How much of an error's body is read where a stream was asked for."""


@dataclass(slots=True)
class OpenedStream:
    """A stream whose first chunk with content has been decoded (or whose end was reached without one)."""

    source: Source | None
    decoder: StreamDecoder | None
    chunks: list[ChatCompletionChunk] = field(default_factory=list)
    ended: bool = False
    reshape: Callable[[ChatCompletionChunk], object] | None = None
    """Changes each chunk, in place, as it is decoded."""
    restored: bool = False
    """Whether it is the caller's own already: an answer that was there as a whole."""
    raw: list[bytes] | None = None
    """The bytes as they came, where the caller is to get them; whoever takes them empties it."""
    asked: HTTPRequest | None = None
    """By what it was asked for, without the body."""
    paced: deque[Recorded] | None = None
    """In place of a source: chunks that were recorded, and when they are to come."""

    def take(self, decoded: list[ChatCompletionChunk]) -> None:
        """Add what was decoded to the chunks that wait."""
        if self.reshape is not None:
            for chunk in decoded:
                self.reshape(chunk)
        self.chunks += decoded

    def feed(self, data: Any) -> None:
        """Decode the next piece; None is the end of the stream, which gives what was held back."""
        decoder = self.decoder
        assert decoder is not None
        if self.raw is not None and data is not None:
            self.raw.append(data)
        try:
            decoded = decoder.end() if data is None else decoder.feed(data)
        except APIError as error:
            if self.asked is not None:
                unquote(error, self.asked)
            raise
        self.take(decoded)
        self.ended = data is None


def is_http(provider: Provider) -> TypeGuard[HTTPProvider]:
    """Whether the provider is reached through a codec; a look at one attribute, since this is on every call's path."""
    return hasattr(provider, "codec_for")


def chats(provider: Provider) -> bool:
    """Whether the provider answers chats at all; one of the caller's own may only embed."""
    return is_http(provider) or any(hasattr(provider, name) for name in CHAT_METHODS)


def ask(call: Call, provider: Provider, target: Target) -> Flow[ChatCompletion]:
    """One unstreamed attempt."""
    call.begins()
    if is_http(provider):
        codec = provider.codec_for(target.model)
        request, adapted = yield from _http_request(call, provider, target, codec, stream=False)
        response = yield from sent(call, request, provider)
        if not 200 <= response.status_code < 300:
            raise refused(codec, response)
        if call.options.record is not None:
            call.options.record.response = response
        completion = codec.decode_response(response)
        if (concluded := getattr(codec, "concluded", None)) is not None:
            concluded(completion, adapted.request)
        if call.native is not None and passes(call.native.asked, provider, codec):
            call.native.received(response.content, streamed=False)
            call.native.headers = response.headers
        adapted.undo(completion)
        if call.promises:
            check_promises(call.promises, restored(call, completion))
        if _in_older_form(call.request, codec):
            with_function_call(completion)
    else:
        completion = yield from _ask_directly(call, provider, target)
    if not completion.created:  # a vendor that sends no time
        completion.created = int(call.wall())
    return completion


def ask_stream(call: Call, provider: Provider, target: Target) -> Flow[OpenedStream]:
    """One streamed attempt, up to the first content."""
    call.begins()
    if is_http(provider):
        opened = yield from _open_http(call, provider, target)
    else:
        opened = yield from _open_directly(call, provider, target)
    try:
        while not opened.ended and not _tells(opened):
            yield from advance(opened, call.deadline)
        if not any(chunk.choices for chunk in opened.chunks):
            raise ResponseValidationError(HTTPResponse(200), None, message="The stream ended without any answer.")
        if opened.ended and call.promises:
            check_promises(call.promises, restored(call, assemble(opened.chunks)))
    except Exception:
        if opened.source is not None:  # the next attempt begins with this one's connection given back
            yield from close(opened.source)
        raise
    return opened


def restored(call: Call, completion: ChatCompletion) -> ChatCompletion:
    """The answer as its caller gets it."""
    if call.shielding is None:
        return completion
    mine: ChatCompletion = call.shielding.restored(completion)
    return mine


def advance(opened: OpenedStream, deadline: float | None) -> Flow[None]:
    """Read and decode one more piece."""
    assert opened.source is not None
    opened.feed((yield from read(opened.source, deadline)))


def _tells(opened: OpenedStream) -> bool:
    """Whether there is something to show: content, or in the caller's own format what the unified model cannot say."""
    return any(map(_has_content, opened.chunks)) or (opened.raw is not None and getattr(opened.decoder, "tells", False))


def _has_content(chunk: ChatCompletionChunk) -> bool:
    for choice in chunk.choices:
        d = choice.delta
        if d.content or d.tool_calls or d.reasoning_content or d.refusal or d.audio or d.function_call:
            return True
        if d.native_content:
            return True
    return False


# HTTP vendors


def _http_request(
    call: Call, provider: HTTPProvider, target: Target, codec: ChatCodec, *, stream: bool
) -> Flow[tuple[HTTPRequest, ForTarget]]:
    """The request, and what it was made of: its answer may have to be put into the caller's terms."""
    native = None if call.native is None else call.native.asked
    if native is not None and not passes(native, provider, codec):
        native = None
    adapted = ForTarget(call.request) if native is not None else for_target(call, target, provider)
    request, dropped, edits = adapted.request, adapted.dropped, adapted.edits
    if _in_older_form(request, codec):
        request = modernised(request)
    headers, query = request.extra_headers, request.extra_query
    try:
        if native is not None:
            assert is_native(codec)
            encoded = codec.encode_native(native.body, model=target.model, stream=stream)
            if native.content is not None:
                encoded = replace(encoded, written=(native.body, native.content))
            headers, query = {**native.headers, **(headers or {})}, {**native.query, **(query or {})}
        else:
            encoded = codec.encode_request(request, model=target.model, stream=stream)
    except RequestValidationError as error:
        error.target = str(target)
        raise
    except PydanticSerializationError:
        raise not_json() from None
    require_checker(encoded.promises)
    call.edge.dropped_params, call.edge.edits = dropped + encoded.dropped, edits + encoded.edits
    call.promised(adapted.promises(encoded.promises))
    key = yield from credential(call, provider)
    try:
        made = provider.http_request(
            encoded,
            key,
            model=target.model,
            stream=stream,
            extra_headers=headers,
            extra_query=query,
        )
    except PydanticSerializationError:
        raise not_json() from None
    return made, adapted


def credential(call: Call[Any], provider: HTTPProvider) -> Flow[Any]:
    """The provider's key; that of a function is asked for afresh."""
    key = provider.api_key
    return (yield from invoke(key, call.deadline)) if callable(key) else key


def not_json() -> RequestValidationError:
    """The error for a request that cannot be written as JSON."""
    return RequestValidationError("The request holds something that JSON cannot: a lone surrogate, or no JSON value.")


def _in_older_form(request: ChatRequest, codec: ChatCodec) -> bool:
    """Whether functions have to be told as tools, and tool calls as function calls."""
    return not getattr(codec, "takes_functions", False) and speaks_of_functions(request)


def _open_http(call: Call, provider: HTTPProvider, target: Target) -> Flow[OpenedStream]:
    codec = provider.codec_for(target.model)
    request, adapted = yield from _http_request(call, provider, target, codec, stream=True)
    source, head = yield from opened_by(call, request, provider)
    if 200 <= head.status_code < 300:
        reshape = chunk_with_function_call if _in_older_form(call.request, codec) else None
        decoder = codec.stream_decoder(adapted.request, head)  # it knows tools by the names that were sent
        if call.options.record is not None:
            decoder = call.options.record.opened(head, decoder)
        opened = OpenedStream(source, decoder, reshape=adapted.reshape(reshape), asked=call.asked)
        if call.native is not None and passes(call.native.asked, provider, codec):
            opened.raw = []
            call.native.headers = head.headers
        return opened
    content = yield from whole_error(source, call.deadline)
    raise refused(codec, HTTPResponse(source.status_code, source.headers, content, request))


def refused(codec: ChatCodec, response: HTTPResponse) -> APIStatusError:
    """The error that an answer of another status tells."""
    error = codec.decode_error(response)
    error.wire = codec.wire
    return error


def whole_error(source: Source, deadline: float | None) -> Flow[bytes]:
    """The body of an error where a stream was asked for."""
    pieces: list[bytes] = []
    size = 0
    while size <= MAX_ERROR_BYTES:
        data = yield from read(source, deadline)
        if data is None:
            return b"".join(pieces)
        pieces.append(data)
        size += len(data)
    yield from close(source)
    return b"".join(pieces)


def sent(call: Call[Any], request: HTTPRequest, provider: Any) -> Flow[HTTPResponse]:
    """The whole response to a request."""
    call.asked = HTTPRequest(request.method, request.url, request.headers)
    response = yield from send(request, call.options.timeout, call.deadline, provider.http_client)
    _note_headers(call, response.headers)
    return response


def opened_by(call: Call[Any], request: HTTPRequest, provider: Any) -> Flow[tuple[Source, HTTPResponse]]:
    """The body of a response, still to be read, and what came before it."""
    call.asked = HTTPRequest(request.method, request.url, request.headers)
    source = yield from open_stream(request, call.options.timeout, call.deadline, provider.http_client)
    _note_headers(call, source.headers)
    return source, HTTPResponse(source.status_code, source.headers, b"", request)


def _note_headers(call: Call[Any], headers: Headers) -> None:
    call.answer_headers = headers
    call.edge.request_id = headers.get("x-request-id") or headers.get("request-id") or headers.get("x-amzn-requestid")


# providers of the caller's own


def _ask_directly(call: Call, provider: DirectProvider, target: Target) -> Flow[ChatCompletion]:
    method = own_method(provider, call, ("complete", "acomplete"))
    stream = own_method(provider, call, ("stream", "astream"))
    if method is None or (stream is not None and getattr(provider, "prefers_stream", False)):
        return (yield from _ask_by_streaming(call, provider, target))
    request = _addressed(call, target, stream=False)
    answer = yield from invoke_own(call, partial(method, request))
    return completion_from(answer, request=request, id=f"chatcmpl-{uuid4().hex}")


def _ask_by_streaming(call: Call, provider: DirectProvider, target: Target) -> Flow[ChatCompletion]:
    """The whole answer of a provider that only streams, or would rather: a stream can be stopped."""
    opened = yield from _open_directly(call, provider, target)
    while not opened.ended:
        yield from advance(opened, call.deadline)
    return assemble(opened.chunks)


def _open_directly(call: Call, provider: DirectProvider, target: Target) -> Flow[OpenedStream]:
    request = _addressed(call, target, stream=True)
    method = own_method(provider, call, ("stream", "astream"))
    if method is not None:
        source = yield from open_iterator(partial(method, request), call.options.timeout, call.deadline)
        return OpenedStream(source, ItemDecoder(request, id=f"chatcmpl-{uuid4().hex}"))
    completion = yield from _ask_directly(call, provider, target)
    return OpenedStream(None, None, to_chunks(completion), ended=True)


def own_method(provider: DirectProvider, call: Call[Any], names: tuple[str, str]) -> Callable[[Any], Any] | None:
    """The first of a provider's own methods (sync, async) that it has, the caller's kind first."""
    order: Iterable[str] = reversed(names) if call.prefers_async else names
    return next((method for name in order if callable(method := getattr(provider, name, None))), None)


def _addressed(call: Call, target: Target, *, stream: bool) -> ChatRequest:
    """The request as the target is to see it: with its own model name."""
    request, call.edge.dropped_params, call.edge.edits, *_ = for_target(call, target)
    if request.model == target.model and bool(request.stream) == stream:
        return request
    return request.model_copy(update={"model": target.model, "stream": stream or None})


def invoke_own(call: Call[Any], function: Callable[[], Any]) -> Flow[Any]:
    """Call a provider's own function, within the time limit of an attempt."""
    limit = call.options.timeout.read
    until = None if limit is None else call.clock() + limit
    deadline = until if call.deadline is None else call.deadline if until is None else min(until, call.deadline)
    try:
        return (yield from invoke(function, deadline))
    except DeadlineExceededError as error:
        if deadline != call.deadline:
            raise APITimeoutError from error
        raise
