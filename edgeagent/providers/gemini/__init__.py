"""Google Gemini: generateContent, both directions."""

from __future__ import annotations

from edgeagent.providers.gemini.codec import GeminiCodec
from edgeagent.providers.gemini.provider import Gemini

__all__ = ["Gemini", "GeminiCodec"]
