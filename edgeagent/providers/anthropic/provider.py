"""Anthropic as a provider: where the messages API lives and how it is authenticated."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.anthropic.betas import BETA_HEADER, merged_betas
from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.anthropic.content import NATIVE_BLOCKS
from edgeagent.providers.anthropic.request import API_VERSION
from edgeagent.providers.base import Capabilities, Credential, Encoded, Feature
from edgeagent.providers.claude import model_facts
from edgeagent.providers.vendor import Vendor
from edgeagent.wire.http import HTTPRequest

if TYPE_CHECKING:
    from edgeagent.providers.listing import ModelList

__all__ = ["Anthropic"]

_KEY, _TOKEN = "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"


class Anthropic(Vendor):
    """Anthropic's API, or another server that speaks it.

    Args:
        name: how model names and `edge.provider` call it; unique within a client.
        api_key: the key, sent as `x-api-key`, or a function that gives it; default: `ANTHROPIC_API_KEY`.
        auth_token: a bearer token instead of a key, or a function that gives it; default: `ANTHROPIC_AUTH_TOKEN`, where
            there is no key.
        base_url: default: `ANTHROPIC_BASE_URL`, else `https://api.anthropic.com`.
        default_headers: header fields sent with every request; an `anthropic-beta` is joined with those that a
            request's features need.
        default_query: query parameters sent with every request.
        http_client: an httpx or httpx2 client of the caller's own.
        models: model names this provider is known to serve besides those in the built-in table.
        cache_identity: what stands for the credential in cache keys; needed for the disk and shared tiers when the
            credential is a function.
        service_tier: see `Vendor`.

    Raises:
        ConfigurationError: neither key nor token was given and the environment has none, or both were given.
    """

    vendor = "anthropic"
    default_name: ClassVar[str] = "anthropic"
    default_base_url: ClassVar[str | None] = "https://api.anthropic.com"
    key_variables = (_KEY, _TOKEN)
    base_url_variables: ClassVar[tuple[str, ...]] = ("ANTHROPIC_BASE_URL",)
    families = ("claude-",)

    def __init__(
        self,
        *,
        name: str | None = None,
        api_key: Credential = None,
        auth_token: Credential = None,
        base_url: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
    ) -> None:
        if api_key is not None and auth_token is not None:
            raise ConfigurationError("Anthropic takes api_key or auth_token, not both.")
        super().__init__(
            name=name,
            api_key=api_key if api_key is not None else auth_token,
            base_url=base_url,
            default_headers=default_headers,
            default_query=default_query,
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
            service_tier=service_tier,
        )
        self._is_token = auth_token is not None or (api_key is None and not os.environ.get(_KEY))
        self.codec = AnthropicMessagesCodec()

    def capabilities(self, model: str) -> Capabilities:
        """What Anthropic documents of the model; an unknown one can do what the API can."""
        facts = model_facts(model)
        features: set[Feature] = {"tools", "vision", "json_schema", "stop", "streaming"}
        if facts.documents:
            features |= {"documents", "file_urls"}
        if facts.thinking != "none":
            features.add("reasoning")
        known = facts.context_window is not None
        limit = facts.max_output if known else None
        return Capabilities(frozenset(features), facts.context_window, limit, NATIVE_BLOCKS, hottest=1)

    def path(self, model: str) -> str:
        """`/v1/messages`; a base URL that has the version already keeps it."""
        return "/messages" if self.base_url.endswith("/v1") else "/v1/messages"

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """`x-api-key`, or `authorization` for a bearer token."""
        if not credential:
            raise AuthenticationError(f"Provider {self.name!r} has no credential.")
        return [("authorization", f"Bearer {credential}")] if self._is_token else [("x-api-key", credential)]

    def model_list(self) -> ModelList | None:
        """Anthropic's own list, which wants the version too."""
        found = super().model_list()
        headers = {"anthropic-version": API_VERSION, **self.default_headers}
        return None if found is None else replace(found, headers=headers)

    def http_request(
        self,
        encoded: Encoded,
        credential: str | None,
        *,
        model: str,
        stream: bool,
        extra_headers: Mapping[str, str | None] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> HTTPRequest:
        """The whole HTTP request; the beta features of all three sources are joined."""
        sources = (encoded.headers, self.default_headers, extra_headers or {})
        betas = merged_betas(*(v for headers in sources for k, v in headers.items() if v and k.lower() == BETA_HEADER))
        if betas:
            extra_headers = {**(extra_headers or {}), BETA_HEADER: betas}
        return super().http_request(
            encoded, credential, model=model, stream=stream, extra_headers=extra_headers, extra_query=extra_query
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._is_token = not os.environ.get(_KEY)
