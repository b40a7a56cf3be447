"""Ollama's own API: `POST /api/chat`, and a reader of the older `/api/generate`."""

from __future__ import annotations

from edgeagent.providers.ollama.codec import OllamaChatCodec, OllamaGenerateCodec
from edgeagent.providers.ollama.provider import Ollama, parse_host

__all__ = ["Ollama", "OllamaChatCodec", "OllamaGenerateCodec", "parse_host"]
