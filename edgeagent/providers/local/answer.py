"""llama.cpp's events → chunks of the unified model. Pure.

An event is a chunk of OpenAI's stream or an error object, so OpenAI's decoder reads it. Put right here: notes on the
progress of the prompt are left out, and with `n` above 1 llama.cpp tells the usage of each choice by itself.
"""

from __future__ import annotations

from edgeagent.errors import APIStatusError
from edgeagent.providers.openai import COMPATIBLE, OpenAIChatCodec
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["Answer", "payload", "refusal"]

_CODEC = OpenAIChatCodec(COMPATIBLE)
_PROGRESS = "prompt_progress"


def payload(request: ChatRequest, model: str) -> str:
    """The request as llama.cpp takes it: always streamed, with usage.

    A `seed` promises the same answer again, which a prompt cache would break (other batches round differently), so a
    seeded request does without, unless it says otherwise itself.
    """
    body = _CODEC.encode_request(request, model=model, stream=True).body
    body["return_progress"] = True
    if request.seed is not None:
        body.setdefault("cache_prompt", False)
    return dump_json(body).decode()


def refusal(reason: str, *, begun: bool) -> APIStatusError:
    """llama.cpp's refusal → an error with the status that its HTTP server sends: 400, or 500 once it has begun."""
    status, kind = (500, "server_error") if begun else (400, "invalid_request_error")
    body = {"error": {"code": status, "message": reason, "type": kind}}
    return _CODEC.decode_error(HTTPResponse(status, content=dump_json(body)))


class Answer:
    """Decodes the events of one answer."""

    def __init__(self, request: ChatRequest) -> None:
        self._decoder = _CODEC.stream_decoder(request)
        self._usage: ChatCompletionChunk | None = None

    def feed(self, event: str) -> list[ChatCompletionChunk]:
        """The chunks that one event says.

        Raises:
            APIStatusError: the event is an error.
            ResponseValidationError: it is nothing that is known.
        """
        chunks = self._decoder.feed(b"data: " + event.encode() + b"\n\n")
        return [chunk for chunk in chunks if not self._held(chunk)]

    def end(self) -> list[ChatCompletionChunk]:
        """The last chunk: the usage. Raises `APIConnectionError` if more had to come."""
        chunks = self._decoder.end()
        return [*chunks, self._usage] if self._usage is not None else chunks

    def _held(self, chunk: ChatCompletionChunk) -> bool:
        if chunk.model_extra and _PROGRESS in chunk.model_extra:
            return True
        if chunk.choices or chunk.usage is None:
            return False
        if self._usage is not None and self._usage.usage is not None:  # a choice after the first
            chunk.usage.completion_tokens += self._usage.usage.completion_tokens
            chunk.usage.total_tokens = chunk.usage.prompt_tokens + chunk.usage.completion_tokens
        self._usage = chunk
        return True
