"""Mistral as a provider: where its API lives and how it is authenticated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities, Feature
from edgeagent.providers.mistral.codec import MistralChatCodec
from edgeagent.providers.mistral.content import NATIVE_PARTS
from edgeagent.providers.vendor import Vendor

__all__ = ["Mistral"]

_LACKS: Final[Mapping[str, frozenset[Feature]]] = {
    "codestral-": frozenset({"vision", "audio", "reasoning"}),
    "devstral-": frozenset({"audio", "reasoning"}),
    "ministral-": frozenset({"audio", "reasoning"}),
    "mistral-large-": frozenset({"audio"}),
    "mistral-tiny": frozenset({"vision", "audio", "documents", "file_urls", "reasoning"}),
    "open-mistral-": frozenset({"vision", "audio", "reasoning"}),
    "open-mixtral-": frozenset({"vision", "audio", "reasoning"}),
    "voxtral-": frozenset({"vision", "reasoning"}),
}
"""By the beginning of the name, as far as it is certain (https://docs.mistral.ai/getting-started/models/ and recorded
refusals: `Audio input is not enabled for this model`, `Image input is not enabled for this model`)."""


class Mistral(Vendor):
    """Mistral's API: `Mistral()` takes the key from MISTRAL_API_KEY.

    Args:
        api_key: default: MISTRAL_API_KEY.
        base_url: default: `https://api.mistral.ai/v1`; keys of Codestral's own plan are used with
            `https://codestral.mistral.ai/v1`.
        name, default_headers, default_query, http_client, models, cache_identity: see `Vendor`.

    Raises:
        ConfigurationError: no key, or a base URL that is not absolute.
    """

    vendor = "mistral_ai"
    default_name: ClassVar[str] = "mistral"
    default_base_url: ClassVar[str | None] = "https://api.mistral.ai/v1"
    key_variables = ("MISTRAL_API_KEY",)
    families = (
        *("mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "voxtral-", "pixtral-"),
        *("open-mistral-", "open-mixtral-", "labs-"),
    )
    codec = MistralChatCodec()

    def capabilities(self, model: str) -> Capabilities:
        """What is certain of the model; an unknown one can do what the API can."""
        lacks = next((lacks for start, lacks in _LACKS.items() if model.startswith(start)), frozenset())
        return Capabilities(ALL_CAPABILITIES.features - lacks - {"video"}, parts=NATIVE_PARTS, hottest=1.5)

    def path(self, model: str) -> str:
        """The same for every model; a base URL without the version gets it."""
        return "/chat/completions" if self.base_url.endswith("/v1") else "/v1/chat/completions"
