"""Whom a call was sent to: a provider of the client's, or one made on the fly from the SDK's own key and address.

The SDK's key is used only for the server that it was sent to, and only if the client has no provider for it. Then it is
the provider's key like any other, and so the identity in cache keys.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from edgeagent.core.ask import is_http
from edgeagent.core.pipeline import Pipeline
from edgeagent.errors import ConfigurationError
from edgeagent.providers.base import HTTPProvider
from edgeagent.transports.fields import is_credential
from edgeagent.transports.wires import Route

__all__ = ["Address", "Addresses", "credential_of", "family_wires"]

REMEMBERED: Final = 256
"""How many servers and keys are remembered: a service may pass on a key of each of its users."""

_WIRES: Final[Mapping[str, frozenset[str]]] = {
    "openai": frozenset({"openai.chat", "openai.responses"}),
    "azure": frozenset({"openai.chat", "openai.responses"}),
    "anthropic": frozenset({"anthropic.messages"}),
    "google": frozenset({"google.generate"}),
}


@dataclass(frozen=True, slots=True)
class Address:
    """Whom a call was sent to.

    Attributes:
        pipeline: with that provider among its targets.
        provider: None if there is none, since neither the client nor the SDK has a key for it.
        borrowed: whether the provider has the SDK's own key.
        literal: whether model names are that server's own, whatever they look like.
    """

    pipeline: Pipeline
    provider: HTTPProvider | None
    borrowed: bool
    literal: bool = False


def credential_of(headers: Mapping[str, str], query: tuple[tuple[str, str], ...]) -> tuple[str, str] | None:
    """The SDK's credential: where it stood, and what it is."""
    for name in ("x-api-key", "api-key", "x-goog-api-key"):
        if headers.get(name):
            return name, headers[name]
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return "authorization", token.strip()
    return next((("key", value) for name, value in query if name == "key" and value), None)


class Addresses:
    """The addresses of one client's calls, remembered: each stands for a provider and a view of the pipeline."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Any, ...], Address] = OrderedDict()

    def find(
        self,
        pipeline: Pipeline,
        route: Route,
        credential: tuple[str, str] | None,
        account: tuple[tuple[str, str], ...] = (),
    ) -> Address:
        """Whom a call with this route and this credential was sent to; `account` are the fields that go with it."""
        query = tuple([item for item in route.query if item[0] == "api-version" or is_credential(item[0])])
        key = (route.family, route.wire, route.base_url, query, credential, account)
        known = self._known.get(key)
        if known is None or known.pipeline.flights is not pipeline.flights:  # after a fork they are new
            known = self._known[key] = _address(pipeline, route, credential, dict(account))
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known


def _address(
    pipeline: Pipeline, route: Route, credential: tuple[str, str] | None, account: Mapping[str, str]
) -> Address:
    targets = pipeline.targets
    provider = next((p for p in targets.providers() if is_http(p) and _is_addressed(p, route)), None)
    borrowed = provider is None
    if provider is None:
        provider = _on_the_fly(route, credential, account, targets.provider_names())
        if provider is None:
            return Address(pipeline, None, borrowed=False)
    literal = route.vendor is None and (borrowed or _has_names_of_its_own(provider, route))
    view = pipeline.addressed(targets.addressed(provider, literal=literal, first=route.regional))
    return Address(view, provider, borrowed, literal)


def _is_addressed(provider: HTTPProvider, route: Route) -> bool:
    """Whether a configured provider is the server that the call was sent to, wherever its own address leads."""
    if provider.codec_for(route.model or "").wire not in _WIRES[route.family]:
        return False
    if route.vendor is not None and provider.vendor == route.vendor and not route.regional:
        return True
    return provider.endpoint(route.model or "x").startswith(route.base_url + "/")


def _has_names_of_its_own(provider: HTTPProvider, route: Route) -> bool:
    """Whether it is another server than the format's vendor: its models may be called like other providers'."""
    return bool(getattr(provider.codec_for(route.model or ""), "is_dialect", False))


def _on_the_fly(
    route: Route, credential: tuple[str, str] | None, account: Mapping[str, str], taken: tuple[str, ...]
) -> Any:
    try:
        provider = _made(route, credential)
    except ConfigurationError:
        return None
    secrets = {name: value for name, value in route.query if name != "key" and is_credential(name)}
    provider.default_headers = {**provider.default_headers, **account}  # they go with the key, to nobody else
    provider.default_query = {**provider.default_query, **secrets}
    if provider.name in taken:
        provider.name = f"{provider.name}@{urlsplit(route.base_url).netloc.rpartition('@')[2]}"
    return provider


def _made(route: Route, credential: tuple[str, str] | None) -> Any:
    """A provider for the server that was addressed. Raises `ConfigurationError` if it cannot be."""
    where, key = credential or ("", "")
    if route.family == "anthropic":
        from edgeagent.providers.anthropic import Anthropic

        if where == "authorization":
            return Anthropic(auth_token=_needed(key), base_url=route.base_url)
        return Anthropic(api_key=_needed(key), base_url=route.base_url)
    if route.family == "google":
        from edgeagent.providers.gemini import Gemini

        if where == "authorization":
            raise ConfigurationError("The Gemini API is asked with a key, not with a token.")
        return Gemini(api_key=_needed(key), base_url=route.base_url)
    if route.family == "azure":
        from edgeagent.providers.openai import AzureOpenAI

        bearer = where == "authorization"
        return AzureOpenAI(
            api_key=None if bearer else _needed(key),
            azure_ad_token=key if bearer else None,
            base_url=route.base_url,
            api_version=dict(route.query).get("api-version"),
            organization="",
            project="",
        )
    return _of_openai_s_shape(route, key)


def _of_openai_s_shape(route: Route, key: str) -> Any:
    """OpenAI itself, a server that is known by its address, or any other."""
    from edgeagent.providers import OpenAI, OpenAICompatible
    from edgeagent.providers.rows import ROWS

    if route.vendor == "openai":
        return OpenAI(api_key=_needed(key), base_url=route.base_url, organization="", project="")
    host = urlsplit(route.base_url).netloc.rpartition("@")[2]
    row = next((row for row in ROWS.values() if f"{row.base_url}/".startswith(f"https://{host}/")), None)
    name = row.name if row is not None else host
    responses = route.wire == "openai.responses" or None
    return OpenAICompatible(name=name, base_url=route.base_url, api_key=key or None, row=row, responses=responses)


def _needed(key: str) -> str:
    if not key:
        raise ConfigurationError("The SDK sent no key.")
    return key


def family_wires(headers: Mapping[str, str]) -> frozenset[str]:
    """The formats of the vendor that a request of any kind is meant for, as far as its header fields tell."""
    if "anthropic-version" in headers or "x-api-key" in headers:
        return _WIRES["anthropic"]
    return _WIRES["google" if "x-goog-api-key" in headers else "openai"]
