"""The vendors, one module or package each; loaded when first named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from edgeagent.providers.anthropic import Anthropic
    from edgeagent.providers.bedrock import Bedrock
    from edgeagent.providers.cloudflare import Cloudflare
    from edgeagent.providers.cohere import Cohere
    from edgeagent.providers.compatible import OpenAICompatible
    from edgeagent.providers.gemini import Gemini
    from edgeagent.providers.huggingface import HuggingFaceInference
    from edgeagent.providers.local import Local
    from edgeagent.providers.mistral import Mistral
    from edgeagent.providers.ollama import Ollama
    from edgeagent.providers.openai import AzureOpenAI, OpenAI
    from edgeagent.providers.vertex import VertexAI
    from edgeagent.providers.watsonx import Watsonx

__all__ = [
    "Anthropic",
    "AzureOpenAI",
    "Bedrock",
    "Cloudflare",
    "Cohere",
    "Gemini",
    "HuggingFaceInference",
    "Local",
    "Mistral",
    "Ollama",
    "OpenAI",
    "OpenAICompatible",
    "VertexAI",
    "Watsonx",
]

_HOMES: Final = {
    "Anthropic": "edgeagent.providers.anthropic",
    "AzureOpenAI": "edgeagent.providers.openai",
    "Bedrock": "edgeagent.providers.bedrock",
    "Cloudflare": "edgeagent.providers.cloudflare",
    "Cohere": "edgeagent.providers.cohere",
    "Gemini": "edgeagent.providers.gemini",
    "HuggingFaceInference": "edgeagent.providers.huggingface",
    "Local": "edgeagent.providers.local",
    "Mistral": "edgeagent.providers.mistral",
    "Ollama": "edgeagent.providers.ollama",
    "OpenAI": "edgeagent.providers.openai",
    "OpenAICompatible": "edgeagent.providers.compatible",
    "VertexAI": "edgeagent.providers.vertex",
    "Watsonx": "edgeagent.providers.watsonx",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
