"""Vertex AI's model names: whose model it is, and in which API it is asked.

`gemini-2.5-flash`, `google/gemini-2.5-flash` and `publishers/google/models/gemini-2.5-flash` are one model, and so are
the three forms of Claude's. A tuned model is its endpoint: `projects/…/locations/…/endpoints/…`. Any other model
(`meta/llama-4-maverick-17b-128e-instruct-maas`) is asked at the OpenAI-shaped endpoint.

Sources: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference,
/docs/partner-models/claude/use-claude, /docs/maas/call-open-model-apis.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

__all__ = ["VertexModel", "vertex_model"]

_PUBLISHED: Final = re.compile(r"(?:publishers/)?([a-z0-9-]+)/(?:models/)?([^/]+)$")


class VertexModel(NamedTuple):
    """A model: its API, its publisher (None for an endpoint), and its name or its endpoint's."""

    api: Literal["google", "anthropic", "openai"]
    publisher: str | None
    name: str


def vertex_model(model: str) -> VertexModel:
    """Read a model's name."""
    if model.startswith("projects/") and "/endpoints/" in model:
        return VertexModel("google", None, model)
    name = model.rpartition("/models/")[2] if "/models/" in model else model.removeprefix("models/")
    if name.startswith("gemini-"):
        return VertexModel("google", "google", name)
    if name.startswith("claude-"):
        return VertexModel("anthropic", "anthropic", name)
    found = _PUBLISHED.search(model)
    if found is not None and found[1] == "google" and found[2].startswith("gemini-"):
        return VertexModel("google", "google", found[2])
    if found is not None and found[1] == "anthropic":
        return VertexModel("anthropic", "anthropic", found[2])
    if found is not None:
        return VertexModel("openai", found[1], f"{found[1]}/{found[2]}")
    return VertexModel("openai", None, model)
