"""What the tests of this folder share."""

from __future__ import annotations

from typing import Any

from edgeagent.providers.responses import ResponsesCodec
from edgeagent.types import ChatCompletionChunk, ChatRequest
from tests.support.corpus import Record

__all__ = ["APIS", "CODEC", "asking", "codec_of", "encoded", "read"]

APIS = (
    *("openai", "xai", "chatgpt", "azure", "azure_ai", "bedrock_mantle", "deepseek", "github_copilot"),
    *("llamacpp", "local", "mistralrs", "openrouter", "pydantic_gateway", "vllm"),
)
CODEC = ResponsesCodec()
OTHERS = ResponsesCodec(own=False)


def codec_of(record: Record) -> ResponsesCodec:
    """The codec for the server that answered."""
    return CODEC if record["provider"] in ("openai", "azure", "azure_ai", "chatgpt") else OTHERS


def asking(*messages: dict[str, Any], **params: Any) -> ChatRequest:
    """A request of ours."""
    return ChatRequest(model="gpt-5", messages=list(messages or [{"role": "user", "content": "hi"}]), **params)


def encoded(*messages: dict[str, Any], model: str = "gpt-5", stream: bool = False, **params: Any) -> dict[str, Any]:
    """The body of such a request."""
    return CODEC.encode_request(asking(*messages, **params), model=model, stream=stream).body


def read(pieces: list[bytes]) -> list[ChatCompletionChunk]:
    """The chunks of a stream that comes in these pieces, to its end."""
    decoder = CODEC.stream_decoder(asking())
    chunks = [chunk for piece in pieces for chunk in decoder.feed(piece)]
    chunks += decoder.end()
    assert decoder.finished
    return chunks
