"""Servers of OpenAI's shape that people run themselves: one row each, at the address where they listen by default."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from edgeagent.providers.base import ALL_CAPABILITIES
from edgeagent.providers.family import Row
from edgeagent.providers.openai.quirks import COMPATIBLE

__all__ = ["SELF_HOSTED"]

_OPEN: Final = replace(COMPATIBLE, replayed=("reasoning", "reasoning_content", "reasoning_details"))
"""Servers that pass messages through to a model's template, or to another server."""

_SEEING: Final = ALL_CAPABILITIES.features - {"documents", "file_urls", "audio", "n", "logprobs"}

SELF_HOSTED: Final[tuple[Row, ...]] = (
    Row(
        "vllm",
        "http://localhost:8000/v1",
        (),
        "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html",
        quirks=_OPEN,
        responses="/responses",
    ),
    Row(
        "sglang",
        "http://localhost:30000/v1",
        (),
        "https://docs.sglang.ai/basic_usage/openai_api.html",
        quirks=_OPEN,
    ),
    Row("tgi", "http://localhost:8080/v1", (), "https://huggingface.co/docs/text-generation-inference/messages_api"),
    Row(
        "llamacpp",
        "http://localhost:8080/v1",
        (),
        "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        quirks=replace(
            _OPEN, continues=True
        ),  # no `responses`: its /responses ignores text.format, which its chat obeys
    ),
    Row(
        "lmstudio",
        "http://localhost:1234/v1",
        (),
        "https://lmstudio.ai/docs/app/api/endpoints/openai",
        quirks=_OPEN,
        responses="/responses",
    ),
    Row(
        "mistralrs",
        "http://localhost:1234/v1",
        (),
        "https://github.com/EricLBuehler/mistral.rs/blob/master/docs/HTTP.md",
        responses="/responses",
    ),
    Row(
        "ollama_openai",
        "http://localhost:11434/v1",
        (),
        "https://docs.ollama.com/openai",
        vendor="ollama",
        features=_SEEING,
        quirks=_OPEN,
        responses="/responses",
    ),
    Row("litellm", "http://localhost:4000", (), "https://docs.litellm.ai/docs/proxy/user_keys", quirks=_OPEN),
    Row("gpustack", None, (), "https://docs.gpustack.ai/latest/user-guide/openai-compatible-apis/", quirks=_OPEN),
)
