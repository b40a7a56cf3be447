"""Hugging Face's per-model endpoint as a provider: the Inference API, or an endpoint of one's own."""

from __future__ import annotations

from typing import ClassVar, Final
from urllib.parse import quote

from edgeagent.errors import AuthenticationError
from edgeagent.providers.base import Capabilities, Feature
from edgeagent.providers.huggingface.codec import HuggingFaceInferenceCodec
from edgeagent.providers.vendor import Vendor

__all__ = ["HuggingFaceInference"]

_FEATURES: Final[frozenset[Feature]] = frozenset({"json_schema", "logprobs", "stop", "streaming"})
_SHARED: Final = "/hf-inference"


class HuggingFaceInference(Vendor):
    """Text generation from a prompt. (Hugging Face's chat is OpenAI-shaped, and a row of the compatible family.)

    Args:
        api_key: default: HF_TOKEN, then HUGGING_FACE_HUB_TOKEN; endpoints of one's own may need none.
        base_url: default: `https://router.huggingface.co/hf-inference`, where models have paths of their own; any other
            address is that of one model (an Inference Endpoint, a TGI server).
        name, default_headers, default_query, http_client, models, cache_identity: see `Vendor`.
    """

    vendor = "huggingface"
    default_name: ClassVar[str] = "huggingface-inference"
    default_base_url: ClassVar[str | None] = "https://router.huggingface.co" + _SHARED
    key_variables = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
    key_required = False
    codec = HuggingFaceInferenceCodec()

    def capabilities(self, model: str) -> Capabilities:
        """What a text generation can."""
        return Capabilities(_FEATURES)

    def path(self, model: str) -> str:
        """`/models/{model}` at the shared API, else nothing: the address is the model's."""
        return f"/models/{quote(model, safe='/')}" if self.base_url.endswith(_SHARED) else ""

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """A bearer token, where there is one."""
        if credential == "":
            raise AuthenticationError(f"Provider {self.name!r} has no token: its function gave none.")
        return [] if credential is None else [("authorization", f"Bearer {credential}")]
