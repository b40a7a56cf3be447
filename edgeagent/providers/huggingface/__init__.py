"""Hugging Face's per-model endpoint: text generation from a prompt, as TGI and the Inference API have it."""

from __future__ import annotations

from edgeagent.providers.huggingface.codec import HuggingFaceInferenceCodec
from edgeagent.providers.huggingface.provider import HuggingFaceInference

__all__ = ["HuggingFaceInference", "HuggingFaceInferenceCodec"]
