"""The recorded APIs of OpenAI's shape, each with the server that it is of."""

from __future__ import annotations

from typing import Any

from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.providers.rows import ROWS
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPResponse
from tests.support.corpus import Record
from tests.support.recorded import response_of as response

__all__ = ["APIS", "codec", "decode", "head", "request_body", "request_of", "response"]

OTHER = {
    "compatible.chat": None,
    "local.chat": "vllm",
    "cloudflare.chat": "cloudflare_openai",
    "gemini.openai_chat": "gemini_openai",
    "ollama.openai_chat": "ollama_openai",
    "snowflake.openai_chat": "snowflake",
    "vercel_gateway.chat": "vercel",
    "anthropic.chat": None,
}
"""APIs whose server goes by another name, or is not known by name at all."""

APIS = sorted(
    [
        *OTHER,
        *(
            f"{name}.chat"
            for name in (
                *(
                    "alibaba",
                    "azure_ai",
                    "baseten",
                    "bedrock_mantle",
                    "cerebras",
                    "crusoe",
                    "databricks",
                    "deepseek",
                ),
                *("doubleword", "github_copilot", "gpustack", "groq", "heroku", "huggingface", "llamacpp"),
                *("mistralrs", "openrouter", "perplexity", "pollinations", "portkey", "together", "venice", "writer"),
                *("xai", "xiaomi", "zai"),
            )
        ),
    ]
)

UNKNOWN = OpenAIChatCodec(ROWS["vllm"].quirks)


def codec(api: str) -> OpenAIChatCodec:
    """The codec as the server's row wants it."""
    name = OTHER.get(api, api.partition(".")[0])
    return UNKNOWN if name is None else OpenAIChatCodec(ROWS[name].quirks)


def head(record: Record) -> HTTPResponse:
    return HTTPResponse(record["status"], record["response"]["headers"])


def request_body(record: Record) -> dict[str, Any]:
    """The recorded body; llama.cpp's server serves one model, and needs no name for it."""
    return {"model": "local", **record["request"]["body"]}


def request_of(api: str, record: Record) -> ChatRequest:
    return codec(api).decode_request(request_body(record))


def decode(api: str, record: Record, parts: list[bytes]) -> list[ChatCompletionChunk]:
    decoder = codec(api).stream_decoder(ChatRequest(model="m", messages=[]), head(record))
    chunks = [chunk for part in parts for chunk in decoder.feed(part)]
    return chunks + decoder.end()
