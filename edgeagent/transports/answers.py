"""The header fields of an answer: the vendor's own, those that its SDK reads, and what the gateway did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from edgeagent.core.native import Native, NativeAnswer
from edgeagent.core.native_session import NativeSession
from edgeagent.transports.fields import facts, outward
from edgeagent.types import CreateEmbeddingResponse
from edgeagent.wire.http import Headers

__all__ = ["answer_fields", "stream_fields", "vector_fields"]

_REQUEST_ID: Final[Mapping[str, str]] = {
    "openai.chat": "x-request-id",
    "openai.responses": "x-request-id",
    "anthropic.messages": "request-id",
}
"""Where the SDK of a format looks for the request's id."""


def answer_fields(native: Native, answer: NativeAnswer) -> list[tuple[str, str]]:
    """Of a whole answer."""
    edge = answer.completion.edge
    return [*_common(native, answer.headers, edge.request_id, "application/json"), *facts(edge, ended=True)]


def vector_fields(answer: CreateEmbeddingResponse) -> list[tuple[str, str]]:
    """Of an answer with vectors."""
    edge = answer.edge
    ids = [("x-request-id", edge.request_id)] if edge.request_id is not None else []
    return [("content-type", "application/json"), *ids, *facts(edge, ended=True)]


def stream_fields(native: Native, session: NativeSession) -> list[tuple[str, str]]:
    """Of a streamed answer that has begun."""
    call = session.call
    assert call.native is not None
    told = facts(call.edge, ended=False, attempts=len(call.attempts))
    kind = "text/event-stream; charset=utf-8"
    return [*_common(native, call.native.headers, call.edge.request_id, kind), *told]


def _common(native: Native, headers: Headers, request_id: str | None, kind: str) -> list[tuple[str, str]]:
    fields = [*outward(headers.fields), ("content-type", headers.get("content-type", kind))]
    name = _REQUEST_ID.get(native.wire)
    if name is not None and request_id is not None and name not in headers:
        fields.append((name, request_id))
    return fields
