"""One client for each distinct set of settings, so that calls share connections, health and (where asked for) a cache.

They are few and kept; a program with more sets of settings than `CLIENTS` loses the ones used longest ago, whose
connections end with the last call that uses them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from edgeagent.base_client import default_options
from edgeagent.client import EdgeClient
from edgeagent.engine import Engine
from edgeagent.legacy.settings import Settings

if TYPE_CHECKING:
    from edgeagent.providers.base import Provider

__all__ = ["CLIENTS", "client_for"]

CLIENTS: Final = 32


@lru_cache(maxsize=CLIENTS)
def client_for(settings: Settings) -> EdgeClient:
    """The client of these settings: one provider, no cache, no retries of its own, but for what `edge` says.

    Safe in threads (two that come first at once may get one each) and after a fork (every engine looks to that itself).

    Raises:
        ConfigurationError: a setting, or an option of `edge`, is not what it can be.
    """
    provider = _provider(settings)
    options = {"cache": False, "breaker": False, "retry": 0, **(settings.edge.options or {})}
    client = EdgeClient(providers=(provider, *options.pop("providers", ())), **options)
    if settings.proxy:
        engine = Engine(client._engine.arguments, proxies=dict(settings.proxy))
        client._adopt(engine, default_options(engine))
    return client


def _provider(settings: Settings) -> Provider:
    # An empty organization and project: the variables that newer clients take them from are not for this surface.
    shared: dict[str, Any] = {"organization": settings.organization or "", "project": ""}
    if settings.kind == "open_ai":
        from edgeagent.providers.openai import OpenAI

        if settings.api_version is not None:
            shared["default_headers"] = {"OpenAI-Version": settings.api_version}
        provider: Any = OpenAI(api_key=settings.api_key, base_url=settings.api_base, **shared)
    else:
        from edgeagent.providers.openai import AzureOpenAI

        credential = "api_key" if settings.kind == "azure" else "azure_ad_token"
        shared[credential] = settings.api_key
        provider = AzureOpenAI(azure_endpoint=settings.api_base, api_version=settings.api_version, **shared)
    provider.literal_names = True  # "openai/gpt-…" is a name of OpenRouter's: sent as it is
    made: Provider = provider
    return made
