"""Ollama as a provider: a server of one's own, or ollama.com."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from edgeagent.errors import ConfigurationError
from edgeagent.providers.base import Capabilities, Credential, Feature
from edgeagent.providers.ollama.codec import OllamaChatCodec
from edgeagent.providers.vendor import Vendor

__all__ = ["Ollama", "parse_host"]

_FEATURES: Final[frozenset[Feature]] = frozenset(
    {"tools", "vision", "json_schema", "logprobs", "stop", "streaming", "reasoning"}
)
_PORT: Final = 11434


class Ollama(Vendor):
    """An Ollama server, by its own API.

    Args:
        name: how model names and `edge.provider` call it; unique within a client.
        host: where the server is, in any form that Ollama's own client takes (`gpu-box`, `:8080`, `10.0.0.2:11434`,
            `https://ollama.com`); default: OLLAMA_HOST, else `http://127.0.0.1:11434`.
        api_key: for ollama.com and servers behind a proxy; default: OLLAMA_API_KEY, none needed.
        base_url: the same as `host`, as a whole URL.
        default_headers, default_query, http_client, models, cache_identity, service_tier: see `Vendor`.

    Raises:
        ConfigurationError: both host and base URL were given, or the address is none.
    """

    vendor = "ollama"
    default_name: ClassVar[str] = "ollama"
    key_variables = ("OLLAMA_API_KEY",)
    key_required = False
    codec = OllamaChatCodec()

    def __init__(
        self,
        *,
        name: str | None = None,
        host: str | None = None,
        api_key: Credential = None,
        base_url: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
    ) -> None:
        if host is not None and base_url is not None:
            raise ConfigurationError("Ollama takes host or base_url, not both.")
        super().__init__(
            name=name,
            api_key=api_key,
            base_url=base_url or parse_host(host or os.environ.get("OLLAMA_HOST", "").strip()),
            default_headers=default_headers,
            default_query=default_query,
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
            service_tier=service_tier,
        )

    def capabilities(self, model: str) -> Capabilities:
        """What the API can; what a model of it can is known to the server alone."""
        return Capabilities(_FEATURES)

    def path(self, model: str) -> str:
        """`/api/chat`; a base URL that has the `/api` already keeps it."""
        return "/chat" if self.base_url.endswith("/api") else "/api/chat"

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """A bearer token, where there is one."""
        return [] if not credential else [("authorization", f"Bearer {credential}")]


def parse_host(host: str) -> str:
    """OLLAMA_HOST as an absolute URL, read like Ollama's own client reads it.

    Scheme, host, port and path may each be left out; the port is 11434 where no scheme is named, else the scheme's own.

    Raises:
        ConfigurationError: it is no address.
    """
    scheme, named, rest = host.partition("://")
    if not named:
        scheme, rest = "http", host
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        name, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        raise ConfigurationError("OLLAMA_HOST is no address.") from None
    if port is None:
        port = {"http": 80, "https": 443}.get(scheme, _PORT) if named else _PORT
    path = parts.path.strip("/")
    return f"{scheme}://{_bracketed(name)}:{port}" + (f"/{path}" if path else "")


def _bracketed(name: str) -> str:
    try:
        return f"[{name}]" if ip_address(name).version == 6 else name
    except ValueError:
        return name
