"""What the tests of this folder share."""

from __future__ import annotations

from typing import Any

from edgeagent.providers.base import Encoded
from edgeagent.providers.gemini import GeminiCodec
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.support.corpus import Record, body, record

GEMINI = "gemini.generate"
VERTEX = "vertex.generate"
APIS = (GEMINI, VERTEX)
MODEL = "gemini-2.5-flash"
USER = [{"role": "user", "content": "hi"}]


def codec(api: str = GEMINI) -> GeminiCodec:
    return GeminiCodec(vertex=api == VERTEX)


def model_of(found: Record) -> str:
    return str(found["request"]["url"]).rpartition("models/")[2].partition(":")[0]


def response_of(found: Record) -> HTTPResponse:
    return HTTPResponse(found["status"], found["response"].get("headers") or {}, body(found))


def is_stream(found: Record) -> bool:
    return found["status"] == 200 and "body_text" in found["response"]


def chunks_of(pieces: list[bytes], api: str = GEMINI) -> list[ChatCompletionChunk]:
    decoder = codec(api).stream_decoder(ChatRequest(model=MODEL, messages=[]))
    return [chunk for piece in [*pieces, None] for chunk in (decoder.end() if piece is None else decoder.feed(piece))]


def answer_to(api: str, digits: str) -> ChatCompletion:
    found = record(api, digits)
    if is_stream(found):
        return assemble(chunks_of([body(found)], api))
    return codec(api).decode_response(response_of(found))


def encode(model: str = MODEL, *, vertex: bool = False, **params: Any) -> Encoded:
    request = ChatRequest(model=model, **{"messages": USER, **params})
    return GeminiCodec(vertex=vertex).encode_request(request, model=model, stream=False)
