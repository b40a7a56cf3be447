"""The header fields of an answer: the vendor's own, those that its SDK reads, and what the gateway did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edgeagent.core.native import Native, NativeAnswer
from edgeagent.core.native_session import NativeSession
from edgeagent.transports.fields import facts, outward
from edgeagent.transports.incoming import Asked
from edgeagent.transports.wires import Framing
from edgeagent.types import CreateEmbeddingResponse
from edgeagent.wire.http import Headers
from edgeagent.wire.json import dump_json

__all__ = ["answer_body", "answer_fields", "stream_fields", "vector_fields"]

_REQUEST_ID: Final[Mapping[str, str]] = {
    "openai.chat": "x-request-id",
    "openai.responses": "x-request-id",
    "anthropic.messages": "request-id",
}
"""Where the SDK of a format looks for the request's id."""

_EVENTS: Final = "text/event-stream; charset=utf-8"


def answer_body(native: Native, answer: NativeAnswer) -> bytes:
    """Of a whole answer; an array, which a server sent to who asked for a stream, is none and is told anew."""
    if answer.body.startswith(b"["):
        return dump_json(native.codec.encode_response(answer.completion))
    return answer.body


def answer_fields(native: Native, answer: NativeAnswer) -> list[tuple[str, str]]:
    """Of a whole answer."""
    edge = answer.completion.edge
    kind = answer.headers.get("content-type", "application/json")
    return [*_common(native, answer.headers, edge.request_id, kind), *facts(edge, ended=True)]


def vector_fields(answer: CreateEmbeddingResponse) -> list[tuple[str, str]]:
    """Of an answer with vectors."""
    edge = answer.edge
    ids = [("x-request-id", edge.request_id)] if edge.request_id is not None else []
    return [("content-type", "application/json"), *ids, *facts(edge, ended=True)]


def stream_fields(asked: Asked, session: NativeSession, framing: Framing | None) -> list[tuple[str, str]]:
    """Of a streamed answer that has begun."""
    call = session.call
    assert call.native is not None
    edge, headers = call.edge, call.native.headers
    came_just_now = not (session.retold or edge.cached or edge.coalesced)
    told = facts(edge, ended=False, attempts=len(call.attempts), edits=asked.route.edits if came_just_now else ())
    kind = headers.get("content-type", _EVENTS)
    if framing is not None and _bare(kind) != _bare(framing.media_type):
        kind = framing.media_type
    return [*_common(asked.native, headers, edge.request_id, kind), *told]


def _bare(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _common(native: Native, headers: Headers, request_id: str | None, kind: str) -> list[tuple[str, str]]:
    fields = [*outward(headers.fields), ("content-type", kind)]
    name = _REQUEST_ID.get(native.wire)
    if name is not None and request_id is not None and name not in headers:
        fields.append((name, request_id))
    return fields
