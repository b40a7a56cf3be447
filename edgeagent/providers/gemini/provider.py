"""Google's Gemini API as a provider: where it lives and how it is authenticated."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import quote

from edgeagent.errors import AuthenticationError
from edgeagent.providers.base import Capabilities, Feature
from edgeagent.providers.gemini.codec import GeminiCodec
from edgeagent.providers.gemini.content import NATIVE_PART
from edgeagent.providers.gemini.models import bare_model, model_facts
from edgeagent.providers.vendor import Vendor

__all__ = ["Gemini", "gemini_capabilities"]

FEATURES: Final[frozenset[Feature]] = frozenset(
    {"tools", "vision", "documents", "file_urls", "audio", "video", "json_schema", "n", "logprobs", "stop", "streaming"}
)


def gemini_capabilities(model: str) -> Capabilities:
    """What Google documents of the model; an unknown one can do what the API can."""
    facts = model_facts(model)
    features: frozenset[Feature] = FEATURES
    if facts.thinking != "none":
        features |= {"reasoning"}
    return Capabilities(features, facts.context_window, facts.max_output, frozenset({NATIVE_PART}))


class Gemini(Vendor):
    """The Gemini API (https://ai.google.dev/api), by an API key.

    Args:
        name: how model names and `edge.provider` call it; unique within a client.
        api_key: the key, sent as `x-goog-api-key`, or a function that gives it; default: `GOOGLE_API_KEY`, else
            `GEMINI_API_KEY`, in the order of Google's own SDK.
        base_url: the address, with the version or without; default: `GOOGLE_GEMINI_BASE_URL`, else
            `https://generativelanguage.googleapis.com/v1beta`.
        default_headers, default_query, http_client, models, cache_identity: see `Vendor`.

    Models are named with or without `models/`; `tunedModels/…` are taken as they are.

    Raises:
        ConfigurationError: no key was given and the environment has none.
    """

    vendor = "gcp.gemini"
    default_name: ClassVar[str] = "gemini"
    default_base_url: ClassVar[str | None] = "https://generativelanguage.googleapis.com/v1beta"
    key_variables = ("GOOGLE_API_KEY", "GEMINI_API_KEY")
    base_url_variables: ClassVar[tuple[str, ...]] = ("GOOGLE_GEMINI_BASE_URL",)
    families = ("gemini-", "models/gemini-", "gemma-", "models/gemma-", "text-embedding-004", "embedding-001")
    stream_query: ClassVar[Mapping[str, str]] = {"alt": "sse"}
    codec = GeminiCodec()

    def capabilities(self, model: str) -> Capabilities:
        """What Google documents of the model."""
        return gemini_capabilities(model)

    def path(self, model: str) -> str:
        """`/models/{model}:generateContent`."""
        return f"{self._version()}/{_resource(model)}:generateContent"

    def stream_path(self, model: str) -> str:
        """`/models/{model}:streamGenerateContent`."""
        return f"{self._version()}/{_resource(model)}:streamGenerateContent"

    def _version(self) -> str:
        """Google's SDK is given the address without the version; here both forms are taken."""
        return "" if _VERSION.search(self.base_url) else "/v1beta"

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """`x-goog-api-key`."""
        if not credential:
            raise AuthenticationError(f"Provider {self.name!r} has no API key.")
        return [("x-goog-api-key", credential)]


_VERSION: Final = re.compile(r"/v\d+\w*$")


def _resource(model: str) -> str:
    if model.startswith("tunedModels/"):
        return quote(model, safe="/")
    return f"models/{quote(bare_model(model), safe='')}"
