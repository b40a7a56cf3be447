"""Mistral's chat completions: the codec, and the provider."""

from __future__ import annotations

from edgeagent.providers.mistral.codec import MistralChatCodec
from edgeagent.providers.mistral.provider import Mistral

__all__ = ["Mistral", "MistralChatCodec"]
