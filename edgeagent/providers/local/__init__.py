"""A model that runs in this process: llama.cpp through `xllamacpp` (extra `local`)."""

from __future__ import annotations

from edgeagent.providers.local.provider import Local

__all__ = ["Local"]
