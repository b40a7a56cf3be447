"""Google's Vertex AI: Gemini, Claude and open models by one Google Cloud project."""

from __future__ import annotations

from edgeagent.providers.vertex.provider import VertexAI

__all__ = ["VertexAI"]
