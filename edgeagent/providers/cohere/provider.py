"""Cohere as a provider: where its API lives and how it is authenticated."""

from __future__ import annotations

from typing import ClassVar, Final

from edgeagent.providers.base import Capabilities, Feature
from edgeagent.providers.cohere.codec import CohereChatCodec
from edgeagent.providers.cohere.messages import NATIVE_PARTS
from edgeagent.providers.cohere.request import reasons
from edgeagent.providers.vendor import Vendor

__all__ = ["Cohere"]

_BLIND: Final = ("command-a-03", "command-a-reasoning", "command-a-translate", "command-r", "command-light")
"""Models that are known not to see images (https://docs.cohere.com/v2/docs/models, recorded refusals)."""


class Cohere(Vendor):
    """Cohere's API: `Cohere()` takes the key from CO_API_KEY.

    Args:
        api_key: default: CO_API_KEY, then COHERE_API_KEY, as in the vendor's own package.
        base_url: default: CO_API_URL, then `https://api.cohere.com`.
        name, default_headers, default_query, http_client, models, cache_identity: see `Vendor`.

    Raises:
        ConfigurationError: no key, or a base URL that is not absolute.
    """

    vendor = "cohere"
    default_name: ClassVar[str] = "cohere"
    default_base_url: ClassVar[str | None] = "https://api.cohere.com"
    key_variables = ("CO_API_KEY", "COHERE_API_KEY")
    base_url_variables: ClassVar[tuple[str, ...]] = ("CO_API_URL",)
    families = ("command-", "c4ai-", "embed-", "rerank-")
    codec = CohereChatCodec()

    def capabilities(self, model: str) -> Capabilities:
        """What is certain of the model; an unknown one can do what the API can."""
        features: set[Feature] = {"tools", "json_schema", "logprobs", "stop", "streaming"}
        if not model.startswith(_BLIND):
            features.add("vision")
        if reasons(model):
            features.add("reasoning")
        return Capabilities(frozenset(features), parts=NATIVE_PARTS)

    def codec_for(self, model: str) -> CohereChatCodec:
        """The one wire format; it has to know the model, since answers do not name theirs."""
        return CohereChatCodec(model)

    def path(self, model: str) -> str:
        """`/v2/chat`; a base URL that has the version already keeps it."""
        return "/chat" if self.base_url.endswith("/v2") else "/v2/chat"
