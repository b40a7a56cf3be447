"""Native pass-through: a call that came in a vendor's own wire format, and is answered in it.

Such a call carries what its caller wrote beside the unified request that was decoded from it. A target that speaks the
same format is sent the caller's own body, but for the edits that its codec lists, and what it answers goes back as it
came; so nothing is lost that the unified model does not know. Any other target is asked in its own format, and its
answer is told in the caller's. Cost, telemetry, cache and checks work from the decoded answer either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from edgeagent.cache.entry import Entry
from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import (
    ChatCodec,
    ForOthersCodec,
    HTTPProvider,
    NativeCodec,
    NativeStreamCodec,
    Provider,
)
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.wire.http import Headers
from edgeagent.wire.json import dump_json

__all__ = ["Native", "NativeAnswer", "NativeExchange", "is_native", "passes", "speaking"]


@dataclass(frozen=True, slots=True)
class Native:
    """What the caller wrote.

    Attributes:
        codec: of the format it is written in.
        body: the JSON body, as it was parsed; it is not changed.
        headers: header fields that a target of the same format is sent besides its own; no credentials.
        query: the same for query parameters.
        vendor: whose dialect it is, as in `Provider.vendor`; None: the format's own.
        fault: what of it only a target of the same format may understand; any other is not asked.
        content: the body as JSON, as the caller wrote it; None: it was not JSON yet.
    """

    codec: ChatCodec
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, Any] = field(default_factory=dict, repr=False)
    vendor: str | None = None
    fault: RequestValidationError | None = None
    content: bytes | None = field(default=None, repr=False)

    @property
    def wire(self) -> str:
        """The name of the format, as in `"anthropic.messages"`."""
        return self.codec.wire


@dataclass(frozen=True, slots=True)
class NativeAnswer:
    """A whole answer in the caller's format.

    Attributes:
        completion: what it says, in the unified model, with `edge`.
        body: the JSON: the vendor's own bytes where a target of the same format answered.
        headers: header fields of the vendor's answer, if it came just now from a target of the same format.
    """

    completion: ChatCompletion
    body: bytes
    headers: Headers


class NativeExchange:
    """What was asked in a vendor's format and what came back in it, so far. One for each call.

    Attributes:
        asked: what the caller wrote.
        raw: the answer in the same format, as the vendor sent it; empty if there is none.
        streamed: whether `raw` is the bytes of a stream.
        headers: the header fields of the vendor's answer.
        only: whether only targets of the same format can be asked, since the unified model cannot say it.
    """

    __slots__ = ("asked", "headers", "only", "raw", "streamed")

    def __init__(self, asked: Native) -> None:
        self.asked = asked
        self.only = False
        self.begin()

    def begin(self) -> None:
        """An attempt begins: what the last one got is gone."""
        self.raw = b""
        self.streamed = False
        self.headers = Headers()

    def received(self, raw: bytes, *, streamed: bool) -> None:
        """A target of the same format has answered."""
        self.raw, self.streamed = raw, streamed

    def found(self, entry: Entry) -> None:
        """The answer comes from a cache entry, or from the flight of an identical call."""
        self.begin()
        self.raw, self.streamed = entry.native, entry.native_streamed

    def answer(self, completion: ChatCompletion) -> NativeAnswer:
        """The whole answer in the caller's format."""
        body = self.raw if self.raw and not self.streamed else self._told(completion)
        return NativeAnswer(completion, body, self.headers)

    def for_others(self, request: ChatRequest) -> tuple[ChatRequest, tuple[str, ...]]:
        """The request as a target of another format takes it, and the names of what was left out.

        Raises:
            RequestValidationError: what only a target of this format can do.
        """
        codec = self.asked.codec
        return codec.for_others(request, self.asked.body) if has_others(codec) else (request, ())

    def stream(self) -> bytes | None:
        """The bytes of a stream that tells `raw`; None if there is none, or it cannot be told exactly."""
        codec = self.asked.codec
        if self.streamed or not self.raw:
            return self.raw or None
        return codec.native_stream(self.raw) if has_stream(codec) else None

    def _told(self, completion: ChatCompletion) -> bytes:
        codec = self.asked.codec
        if self.raw and is_native(codec):
            body = codec.native_document(self.raw)
            if body is not None:
                return body
        return dump_json(codec.encode_response(completion))


def is_native(codec: ChatCodec) -> TypeGuard[NativeCodec]:
    """Whether the codec can pass on what came in its own format."""
    return hasattr(codec, "encode_native")


def has_others(codec: ChatCodec) -> TypeGuard[ForOthersCodec]:
    """Whether requests in the format have to be changed for targets of another."""
    return hasattr(codec, "for_others")


def has_stream(codec: ChatCodec) -> TypeGuard[NativeStreamCodec]:
    """Whether a document can be told as a stream exactly."""
    return hasattr(codec, "native_stream")


def speaking(provider: Provider, wire: str | None) -> Provider:
    """The provider as it is asked in a caller's format, where it can be; else as it usually is."""
    in_format = None if wire is None else getattr(provider, "in_format", None)
    return provider if in_format is None else in_format(wire) or provider


def passes(native: Native, provider: HTTPProvider, codec: ChatCodec) -> bool:
    """Whether this target is sent the caller's own body.

    A server that has a dialect of a format is, if the caller wrote in its dialect; otherwise it is asked what it can
    understand.
    """
    if not is_native(codec) or codec.wire != native.wire:
        return False
    return native.vendor == provider.vendor or not codec.is_dialect
