"""AWS Bedrock as a provider: where it lives, how its models are named in a URL, how requests are signed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final
from urllib.parse import quote

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.base import Capabilities, ChatCodec, Credential, Encoded, Feature, Route
from edgeagent.providers.bedrock.aws import (
    SessionCredentials,
    StaticKeys,
    endpoint_url,
    is_key_pair,
    region_of,
    sign,
)
from edgeagent.providers.bedrock.codec import BedrockConverseCodec
from edgeagent.providers.bedrock.content import NATIVE_PARTS
from edgeagent.providers.bedrock.invoke import BedrockInvokeCodec, family_of
from edgeagent.providers.bedrock.models import bedrock_facts, is_bedrock_name
from edgeagent.providers.vendor import Vendor, identity_of
from edgeagent.wire.http import HTTPRequest

if TYPE_CHECKING:
    from edgeagent.providers.embeddings.base import EmbeddingCodec

__all__ = ["Bedrock"]

_BEARER: Final = "AWS_BEARER_TOKEN_BEDROCK"
_INVOKE: Final = "invoke/"


class Bedrock(Vendor):
    """AWS Bedrock: Converse for every model, InvokeModel where it is asked for.

    Credentials are, first found: `api_key`; the AWS keys or the profile or session given here; the environment's
    `AWS_BEARER_TOKEN_BEDROCK`; what botocore finds (environment, profile, role, container, instance).

    Args:
        name: how model names and `edge.provider` call it; unique within a client.
        api_key: a Bedrock API key, sent as a bearer token; or a function (sync or async) that gives one, or an object
            with `access_key`, `secret_key` and `token`, as botocore's frozen credentials.
        region_name: default: `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's region.
        profile_name: a profile of AWS's configuration files; default: `AWS_PROFILE`.
        aws_access_key_id: with `aws_secret_access_key` (and `aws_session_token`): a key pair.
        aws_secret_access_key: see `aws_access_key_id`.
        aws_session_token: see `aws_access_key_id`.
        session: a botocore or boto3 session of the caller's own.
        use_fips: the FIPS endpoint; default: `AWS_USE_FIPS_ENDPOINT`.
        use_dualstack: the IPv6 endpoint; default: `AWS_USE_DUALSTACK_ENDPOINT`.
        invoke: models that are asked by InvokeModel instead of Converse; so is one named `invoke/…`.
        base_url: default: `AWS_ENDPOINT_URL_BEDROCK_RUNTIME`, `AWS_ENDPOINT_URL`, the region's endpoint.
        default_headers: header fields sent with every request.
        default_query: query parameters sent with every request.
        http_client: an httpx or httpx2 client of the caller's own.
        models: model names this provider is known to serve.
        cache_identity: what stands for the credential in cache keys; needed for the disk and shared tiers when the
            credential rotates.
        service_tier: see `Vendor`.

    Raises:
        ConfigurationError: no region is named, botocore is needed and not installed, or the arguments contradict.
    """

    vendor = "aws.bedrock"
    reseller = True
    default_name: ClassVar[str] = "bedrock"
    key_variables = (_BEARER,)
    key_required = False
    base_url_variables: ClassVar[tuple[str, ...]] = ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_ENDPOINT_URL")

    def __init__(
        self,
        *,
        name: str | None = None,
        api_key: Credential = None,
        region_name: str | None = None,
        profile_name: str | None = None,
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        session: Any = None,
        use_fips: bool | None = None,
        use_dualstack: bool | None = None,
        invoke: Iterable[str] = (),
        base_url: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
    ) -> None:
        keys = _keys(aws_access_key_id, aws_secret_access_key, aws_session_token)
        if sum(source is not None for source in (api_key, keys, session)) > 1 or ((api_key or keys) and profile_name):
            raise ConfigurationError("Bedrock takes one of api_key, AWS keys, a session, a profile.")
        self._profile = profile_name
        self._session_given = session is not None
        found = self._session(session) if api_key is None and keys is None else None
        self.region = region_of(region_name, found)
        if base_url is None and not any(os.environ.get(variable) for variable in self.base_url_variables):
            fips = _flag("AWS_USE_FIPS_ENDPOINT") if use_fips is None else use_fips
            dualstack = _flag("AWS_USE_DUALSTACK_ENDPOINT") if use_dualstack is None else use_dualstack
            base_url = endpoint_url(self.region, fips=fips, dualstack=dualstack)
        super().__init__(
            name=name,
            api_key=api_key if api_key is not None else keys,
            base_url=base_url,
            default_headers=default_headers,
            default_query=default_query,
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
            service_tier=service_tier,
        )
        if found is not None:
            self.api_key = found
        self.invoke = frozenset(invoke)
        self.codec = BedrockConverseCodec()

    def _session(self, session: Any = None) -> SessionCredentials | None:
        """The credentials that botocore finds; None where the environment's bearer token comes first."""
        if session is None and self._profile is None and os.environ.get(_BEARER, "").strip():
            return None
        return SessionCredentials(session, self._profile)

    @property
    def cache_identity(self) -> str | None:
        """A keyed hash of the bearer token, the access key's id or the role's ARN; None for what rotates unnamed."""
        key = self.api_key
        if self._identity is None and isinstance(key, StaticKeys | SessionCredentials):
            identity = key.access_key if isinstance(key, StaticKeys) else key.identity
            return None if identity is None else identity_of("aws", identity, self.region)
        return super().cache_identity

    def codec_for(self, model: str) -> ChatCodec:
        """Converse, unless InvokeModel was asked for."""
        return BedrockInvokeCodec(family_of(model)) if self._is_invoked(model) else self.codec

    def family(self, model: str) -> bool:
        """Whether the name is a Bedrock model's or profile's."""
        return is_bedrock_name(model.removeprefix(_INVOKE))

    def capabilities(self, model: str) -> Capabilities:
        """What Converse can do with the model; an unknown one can do what the API can."""
        facts = bedrock_facts(model)
        features: set[Feature] = {"tools", "vision", "documents", "json_schema", "stop", "streaming", "reasoning"}
        claude = facts.claude
        if claude is None:
            return Capabilities(frozenset(features | {"audio", "video"}), None, None, NATIVE_PARTS, hottest=1)
        if not claude.documents:
            features.discard("documents")
        if claude.thinking == "none":
            features.discard("reasoning")
        limit = claude.max_output if claude.context_window is not None else None
        return Capabilities(frozenset(features), claude.context_window, limit, NATIVE_PARTS, hottest=1)

    def path(self, model: str) -> str:
        """`/model/{id}/converse` or `/invoke`, with the id percent-encoded as a whole (`:` and an ARN's `/` too)."""
        return f"{self._model_path(model)}/{'invoke' if self._is_invoked(model) else 'converse'}"

    def stream_path(self, model: str) -> str:
        """The same with the name of the streaming operation."""
        operation = "invoke-with-response-stream" if self._is_invoked(model) else "converse-stream"
        return f"{self._model_path(model)}/{operation}"

    def embedding_route(self, model: str) -> Route[EmbeddingCodec] | None:
        """InvokeModel, for Titan's and Cohere's models that embed texts."""
        from edgeagent.providers.embeddings.bedrock import bedrock_codec

        codec = bedrock_codec(bedrock_facts(model.removeprefix(_INVOKE)).name)
        return None if codec is None else Route(codec, f"{self._model_path(model)}/invoke")

    def auth_headers(self, credential: Any) -> list[tuple[str, str]]:
        """`authorization` for a bearer token; a key pair signs the whole request instead."""
        if isinstance(credential, str) and credential:
            return [("authorization", f"Bearer {credential}")]
        if not is_key_pair(credential):
            raise AuthenticationError(f"Provider {self.name!r} has no credential.")
        return []

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
        """The whole HTTP request, signed where the credential is a key pair."""
        request = super().http_request(
            encoded, credential, model=model, stream=stream, extra_headers=extra_headers, extra_query=extra_query
        )
        return self._signed(request, credential)

    def request_to(
        self,
        path: str,
        credential: Any,
        *,
        encoded: Encoded | None = None,
        extra_headers: Mapping[str, str | None] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> HTTPRequest:
        """The same for what is no chat."""
        request = super().request_to(
            path, credential, encoded=encoded, extra_headers=extra_headers, extra_query=extra_query
        )
        return self._signed(request, credential)

    def _signed(self, request: HTTPRequest, credential: Any) -> HTTPRequest:
        if isinstance(credential, str):
            return request
        url, mark, query = request.url.partition("?")
        url = f"{url}{mark}{query.replace('+', '%20')}"  # AWS's rules of signing know no other space
        return sign(HTTPRequest(request.method, url, request.headers, request.content), credential, self.region)

    def _is_invoked(self, model: str) -> bool:
        return model.startswith(_INVOKE) or model in self.invoke

    def _model_path(self, model: str) -> str:
        return f"/model/{quote(model.removeprefix(_INVOKE), safe='')}"

    def __getstate__(self) -> dict[str, Any]:
        if self._session_given:
            raise ConfigurationError(f"Provider {self.name!r} holds an AWS session, which cannot be pickled.")
        return super().__getstate__()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        found = self._session()
        if found is not None:
            self.api_key = found


def _keys(access: str | None, secret: str | None, token: str | None) -> StaticKeys | None:
    if access is None and secret is None and token is None:
        return None
    if not access or not secret:
        raise ConfigurationError("An AWS key pair is aws_access_key_id and aws_secret_access_key.")
    return StaticKeys(access, secret, token)


def _flag(name: str) -> bool:
    return os.environ.get(name, "").strip().lower() == "true"
