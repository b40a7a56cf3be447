"""Azure OpenAI: OpenAI's chat completions and Responses API behind Azure's addresses and credentials.

URL and credential rules are those of the `openai` package's `AzureOpenAI`: a deployment, named by the client or by the
request's model, is part of the path; an API key goes into `api-key`, an Entra token into `Authorization`. Azure's newer
v1 path has no deployments and needs no version (https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle).
The Responses API never has the deployment in its path: the body's model names it
(https://learn.microsoft.com/azure/ai-foundry/openai/how-to/responses).
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote, unquote, urlsplit

from typing_extensions import Self

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.base import Capabilities, ChatCodec, Credential, Encoded
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.providers.openai.models import CHAT, capabilities, chosen, in_responses
from edgeagent.providers.openai.native import encode_native
from edgeagent.providers.openai.provider import RESPONSES, account_headers, responses_codec
from edgeagent.providers.openai.quirks import OWN
from edgeagent.providers.vendor import Vendor, identity_of
from edgeagent.wire.http import HTTPRequest

if TYPE_CHECKING:
    from edgeagent.providers.listing import ModelList

__all__ = ["AzureOpenAI"]

STREAM_OPTIONS_SINCE: Final = "2024-09-01"
"""Older versions refuse `stream_options` ("unknown_parameter")."""
TOKEN_VARIABLE: Final = "AZURE_OPENAI_AD_TOKEN"  # noqa: S105  # a variable's name


class DeploymentCodec(OpenAIChatCodec):
    """OpenAI's chat where the URL names the deployment, and the model in the body is not read."""

    __slots__ = ()

    def encode_native(self, body: Mapping[str, Any], *, model: str, stream: bool) -> Encoded:
        """A caller's own body, whatever model it names."""
        return encode_native(body, model=None, stream=stream, stream_options=self._quirks.stream_options)


class AzureOpenAI(Vendor):
    """Azure OpenAI. At most one of `api_key`, `azure_ad_token` and `azure_ad_token_provider` is given.

    Args:
        azure_endpoint: the resource, as in `https://example.openai.azure.com`; default: AZURE_OPENAI_ENDPOINT.
        api_version: the `api-version` of every request; default: OPENAI_API_VERSION.
        api_key: default, where no credential is given: AZURE_OPENAI_API_KEY, if AZURE_OPENAI_AD_TOKEN is not set.
        azure_ad_token: an Entra token; default, where no credential is given: AZURE_OPENAI_AD_TOKEN.
        azure_ad_token_provider: a function (sync or async) that gives the current Entra token.
        azure_deployment: the deployment that every request goes to; default: the request's model.
        base_url: the whole address before `/deployments` or `/chat/completions`, instead of `azure_endpoint`.
        organization, project: see `OpenAI`.
        responses: which models (deployments) are asked through the Responses API; see `OpenAI`. Azure's deployments
            have names of the caller's own: name those here whose model only exists there.
        name, default_headers, default_query, http_client, models, cache_identity, service_tier: see `Vendor`.

    Raises:
        ConfigurationError: no credential or more than one, no endpoint or both, no version.
    """

    vendor = "azure.ai.openai"
    reseller = True
    default_name: ClassVar[str] = "azure"
    key_variables = (TOKEN_VARIABLE, "AZURE_OPENAI_API_KEY")
    query_lists: ClassVar[str] = "[]"
    codec = OpenAIChatCodec()

    def __init__(
        self,
        *,
        azure_endpoint: str | None = None,
        api_version: str | None = None,
        api_key: Credential = None,
        azure_ad_token: str | None = None,
        azure_ad_token_provider: Callable[[], str | Awaitable[str]] | None = None,
        azure_deployment: str | None = None,
        base_url: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        name: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
        responses: bool | Iterable[str] | None = None,
    ) -> None:
        self._responses = chosen(responses)
        given = [one for one in (api_key, azure_ad_token, azure_ad_token_provider) if one is not None]
        if len(given) > 1:
            raise ConfigurationError("Pass only one of api_key, azure_ad_token and azure_ad_token_provider.")
        self._token_given = azure_ad_token is not None or azure_ad_token_provider is not None
        url = _base_url(base_url, azure_endpoint, azure_deployment)
        version = api_version or os.environ.get("OPENAI_API_VERSION")
        if version is None and not _is_v1(url):
            raise ConfigurationError("AzureOpenAI needs a version: pass api_version=… or set OPENAI_API_VERSION.")
        super().__init__(
            name=name,
            api_key=given[0] if given else None,
            base_url=url,
            default_headers=account_headers(organization, project, default_headers),
            default_query={**(default_query or {}), **({"api-version": version} if version else {})},
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
            service_tier=service_tier,
        )
        if not _is_v1(url):
            older = version is not None and version < STREAM_OPTIONS_SINCE
            self.codec = DeploymentCodec(replace(OWN, stream_options=not older))
        # kept apart from the address: not every path has it
        self.base_url, _, self._deployment = self.base_url.partition("/deployments/")
        self._bearer = self._is_token()

    def _is_token(self) -> bool:
        return self._token_given or (not self._explicit_key and bool(os.environ.get(TOKEN_VARIABLE)))

    @property
    def cache_identity(self) -> str | None:
        """The credential, as for every vendor, and the API version: it decides what the answer is like."""
        identity = super().cache_identity
        version = self.default_query.get("api-version")
        return identity if identity is None or version is None else identity_of(identity, str(version))

    def codec_for(self, model: str) -> ChatCodec:
        """Chat completions, or the Responses API."""
        return responses_codec() if in_responses(model, self._responses) else self.codec

    def in_format(self, wire: str) -> Self | None:
        """Every model can be asked through the Responses API, unless `responses` is False."""
        return self._twin(_responses=True) if wire == RESPONSES and self._responses is not False else None

    def capabilities(self, model: str) -> Capabilities:
        """Everything that the API has: a deployment's name does not tell its model."""
        return capabilities("", responses=True) if in_responses(model, self._responses) else CHAT

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
        """The whole HTTP request. Raises `ConfigurationError` for a credential that no header can hold."""
        if self._deployment and in_responses(model, self._responses):
            encoded = replace(encoded, body={**encoded.body, "model": unquote(self._deployment.partition("/")[0])})
        return super().http_request(
            encoded, credential, model=model, stream=stream, extra_headers=extra_headers, extra_query=extra_query
        )

    def path(self, model: str) -> str:
        """Chat has the deployment in its path, but on the v1 path."""
        return "/responses" if in_responses(model, self._responses) else self.chat_path(model)

    def chat_path(self, model: str) -> str:
        """The deployment and `/chat/completions`, also for a model that is asked through the Responses API."""
        if _is_v1(self.base_url):
            return "/chat/completions"
        return f"/deployments/{self._deployment or quote(model, safe='')}/chat/completions"

    def model_list(self) -> ModelList | None:
        """The models that the resource may deploy; its deployments are listed elsewhere, with another credential."""
        from edgeagent.providers.listing import model_list

        return model_list(self.vendor, "/chat/completions")

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """`api-key`, or `Authorization` for an Entra token."""
        if self._bearer:
            return super().auth_headers(credential)
        if not credential:
            raise AuthenticationError(f"Provider {self.name!r} has no API key: its function gave none.")
        return [("api-key", credential)]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._bearer = self._is_token()


def _base_url(base_url: str | None, endpoint: str | None, deployment: str | None) -> str:
    if base_url is not None:
        if endpoint is not None:
            raise ConfigurationError("Pass base_url or azure_endpoint, not both.")
        return base_url
    endpoint = endpoint or os.environ.get("AZURE_OPENAI_ENDPOINT")
    if not endpoint:
        raise ConfigurationError(
            "AzureOpenAI needs the resource's address: pass azure_endpoint=… or set AZURE_OPENAI_ENDPOINT."
        )
    url = f"{endpoint.rstrip('/')}/openai"
    return f"{url}/deployments/{quote(deployment, safe='')}" if deployment else url


def _is_v1(url: str) -> bool:
    return urlsplit(url).path.rstrip("/").endswith("/openai/v1")
