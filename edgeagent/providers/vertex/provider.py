"""Vertex AI as a provider: hosts, paths and Google Cloud's credentials.

Sources: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference (paths),
/docs/learn/locations (hosts), /docs/start/express-mode/overview (API keys).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.anthropic.content import NATIVE_BLOCKS
from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities, ChatCodec, Encoded, Feature
from edgeagent.providers.claude import model_facts as claude_facts
from edgeagent.providers.gemini.codec import GeminiCodec
from edgeagent.providers.gemini.provider import gemini_capabilities
from edgeagent.providers.openai.quirks import COMPATIBLE
from edgeagent.providers.vendor import Vendor, identity_of
from edgeagent.providers.vertex.codecs import VertexAnthropicCodec, VertexOpenAICodec
from edgeagent.providers.vertex.models import VertexModel, vertex_model
from edgeagent.providers.vertex.token import GoogleToken
from edgeagent.wire.http import HTTPRequest

if TYPE_CHECKING:
    from edgeagent.providers.listing import ModelList

__all__ = ["VertexAI"]

_MULTI_REGIONS: Final = frozenset({"us", "eu"})
_EMBEDDERS: Final = ("text-embedding-", "text-multilingual-embedding-", "textembedding-")
_VERBS: Final[Mapping[str, tuple[str, str]]] = {
    "google": ("generateContent", "streamGenerateContent"),
    "anthropic": ("rawPredict", "streamRawPredict"),
}


class VertexAI(Vendor):
    """Gemini, Claude and open models on Vertex AI. Needs the extra `edgeagent[vertex]`, unless `api_key` is used.

    Args:
        project: the Google Cloud project; default: GOOGLE_CLOUD_PROJECT, else what `credentials` name.
        location: the region, a multi-region (`us`, `eu`) or `global`; default: GOOGLE_CLOUD_LOCATION, else `global`.
        credentials: a `google.auth.credentials.Credentials`; default: the application default credentials, looked up
            at the first request.
        api_key: a key of Vertex AI in express mode, instead of project and credentials; default, where neither of
            these is given and the environment names no project: GOOGLE_API_KEY. Express mode has Gemini only.
        base_url: the address before `/v1…`; default: GOOGLE_VERTEX_BASE_URL, else the location's.
        cache_identity: what stands for the credential in cache keys; default: the service account's e-mail address and
            the project, where they are known.
        name, default_headers, default_query, http_client, models, service_tier: see `Vendor`.

    Raises:
        ConfigurationError: there is neither a project nor a key, or both were given.
    """

    vendor = "gcp.vertex_ai"
    default_name: ClassVar[str] = "vertex"
    key_required = False
    base_url_variables: ClassVar[tuple[str, ...]] = ("GOOGLE_VERTEX_BASE_URL",)
    families = ("gemini-", "claude-", "publishers/", "projects/", "text-embedding-005", "text-multilingual-embedding-")

    def __init__(
        self,
        *,
        project: str | None = None,
        location: str | None = None,
        credentials: Any = None,
        api_key: str | None = None,
        base_url: str | None = None,
        name: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
    ) -> None:
        if api_key is not None and (project is not None or credentials is not None):
            raise ConfigurationError("VertexAI takes api_key, or project and credentials, not both.")
        token = GoogleToken(credentials)
        place = None if api_key is not None else project or os.environ.get("GOOGLE_CLOUD_PROJECT") or token.project
        key = api_key or (None if place or credentials is not None else os.environ.get("GOOGLE_API_KEY"))
        if not place and not key:
            raise ConfigurationError("VertexAI needs a project: pass project=… or set GOOGLE_CLOUD_PROJECT.")
        self.project = place
        self.location = location or os.environ.get("GOOGLE_CLOUD_LOCATION") or "global"
        self.default_base_url = _host(self.location if place else "global")  # type: ignore[misc]  # by location
        super().__init__(
            name=name,
            api_key=key or token,
            base_url=base_url,
            default_headers=default_headers,
            default_query=default_query,
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
            service_tier=service_tier,
        )
        self._explicit_key = credentials is not None or api_key is not None
        self._token = None if key else token
        self._codecs: dict[str, ChatCodec] = {
            "google": GeminiCodec(vertex=True),
            "anthropic": VertexAnthropicCodec(),
            "openai": VertexOpenAICodec(COMPATIBLE),
        }

    @property
    def cache_identity(self) -> str | None:
        """What the caller gave; a hash of a static key; or one of the service account and the project, where known."""
        if self._identity is not None or self._token is None:
            return super().cache_identity
        account = self._token.account
        return None if account is None or self.project is None else identity_of(account, self.project)

    def codec_for(self, model: str) -> ChatCodec:
        """Gemini's, Anthropic's, or OpenAI's."""
        return self._codecs[vertex_model(model).api]

    def capabilities(self, model: str) -> Capabilities:
        """What is documented of the model; of an open model nothing is known."""
        known = vertex_model(model)
        if known.api == "google":
            return gemini_capabilities(known.name)
        return _claude(known.name) if known.api == "anthropic" else ALL_CAPABILITIES

    def path(self, model: str) -> str:
        """Where whole answers are asked for. Raises `ConfigurationError` for what express mode has not."""
        return self._path(vertex_model(model), stream=False)

    def stream_path(self, model: str) -> str:
        """Where streams are asked for."""
        return self._path(vertex_model(model), stream=True)

    def chat_path(self, model: str) -> str:
        """Of Google's embedding models, whose names chat does not know, where Google's models are.

        Empty in express mode for a model that is none of Google's.
        """
        known = vertex_model(model)
        name = known.name.removeprefix("google/")
        if known.api == "openai" and name.startswith(_EMBEDDERS):
            known = VertexModel("google", "google", name)
        if self.project is None and known.api != "google":
            return ""
        return self._path(known, stream=False)

    def model_list(self) -> ModelList | None:
        """Google's models; those of other publishers have lists of their own."""
        from edgeagent.providers.listing import model_list

        return model_list(self.vendor, "")

    def _path(self, model: VertexModel, *, stream: bool) -> str:
        if self.project is None and model.api != "google":
            raise ConfigurationError(f"Vertex AI in express mode has Gemini only; {model.name!r} needs a project.")
        scope = f"projects/{quote(self.project, safe=':')}/locations/{quote(self.location)}/" if self.project else ""
        if model.api == "openai":
            return f"/v1/{scope}endpoints/openapi/chat/completions"
        verb = _VERBS[model.api][stream]
        if model.publisher is None:
            return f"/v1beta1/{quote(model.name, safe='/:')}:{verb}"
        version = "v1beta1" if model.api == "google" else "v1"
        return f"/{version}/{scope}publishers/{model.publisher}/models/{quote(model.name, safe='@')}:{verb}"

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """An access token, or the key of express mode."""
        if not credential:
            raise AuthenticationError(f"Provider {self.name!r} has no credential.")
        if self._token is None:
            return [("x-goog-api-key", credential)]
        billed = self._token.quota_project
        return [("authorization", f"Bearer {credential}"), *([("x-goog-user-project", billed)] if billed else [])]

    def http_request(
        self,
        encoded: Encoded,
        credential: Any,
        *,
        model: str,
        stream: bool,
        extra_headers: Mapping[str, str | None] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> HTTPRequest:
        """The whole HTTP request; Gemini's streams are asked for as server-sent events."""
        if stream and vertex_model(model).api == "google" and "alt" not in self.default_query:
            extra_query = {"alt": "sse", **(extra_query or {})}
        return super().http_request(
            encoded, credential, model=model, stream=stream, extra_headers=extra_headers, extra_query=extra_query
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_token": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Credentials are looked up again, in the environment of the process that the provider came to."""
        super().__setstate__(state)
        self._token = None if self.project is None else GoogleToken()
        self.api_key = os.environ.get("GOOGLE_API_KEY") if self._token is None else self._token


def _host(location: str) -> str:
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{quote(location, safe='')}-aiplatform.googleapis.com"


def _claude(model: str) -> Capabilities:
    facts = claude_facts(model)
    features: set[Feature] = {"tools", "vision", "json_schema", "stop", "streaming"}
    if facts.documents:
        features.add("documents")
    if facts.thinking != "none":
        features.add("reasoning")
    limit = facts.max_output if facts.context_window is not None else None
    return Capabilities(frozenset(features), facts.context_window, limit, NATIVE_BLOCKS, hottest=1)
