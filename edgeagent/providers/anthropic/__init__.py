"""Anthropic: the messages API, both directions."""

from __future__ import annotations

from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.anthropic.provider import Anthropic

__all__ = ["Anthropic", "AnthropicMessagesCodec"]
