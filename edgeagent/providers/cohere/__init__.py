"""Cohere's chat API, version 2: the codec, and the provider."""

from __future__ import annotations

from edgeagent.providers.cohere.codec import CohereChatCodec
from edgeagent.providers.cohere.generate import decode_generation
from edgeagent.providers.cohere.provider import Cohere

__all__ = ["Cohere", "CohereChatCodec", "decode_generation"]
