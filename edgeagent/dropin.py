"""openai's constructors over the same pipeline: a changed import is all it takes.

Each is a client with one provider, named like openai's own class, and starts without a cache and without breakers, so
that the changed import alone changes no answer. `edge={…}` takes any option of `EdgeClient`; providers in it are added
to the one that the constructor makes, so that `edge={"providers": [Anthropic()], "models": {…}}` gives it fallbacks.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from edgeagent.base_client import BaseClient, hinting
from edgeagent.client import AsyncEdgeClient, EdgeClient
from edgeagent.core.requests import given
from edgeagent.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

    from edgeagent.providers.base import Credential

__all__ = ["AsyncAzureOpenAI", "AsyncClient", "AsyncOpenAI", "AzureOpenAI", "Client", "OpenAI"]

DEFAULT_MAX_RETRIES: Final = 2
_OWN: Final = frozenset({"timeout", "retry", "http_client"})
_NO_ARGUMENTS: Final = frozenset({"self", "Provider", "__class__"})
_REBUILDS: Final = frozenset(
    {
        "admin_api_key",
        "api_key",
        "api_version",
        "azure_ad_token",
        "azure_ad_token_provider",
        "azure_deployment",
        "azure_endpoint",
        "base_url",
        "data_residency",
        "edge",
        "http_client",
        "organization",
        "project",
        "webhook_secret",
        "websocket_base_url",
    }
)
"""Arguments of the constructors that no view can change."""

_INSTEAD: Final[Mapping[str, frozenset[str]]] = {
    "azure_endpoint": frozenset({"base_url"}),
    "base_url": frozenset({"azure_endpoint", "data_residency"}),
    "data_residency": frozenset({"base_url"}),
}
"""The arguments that say the same in another way."""

_SETTINGS: Final = frozenset(
    {
        *("admin_api_key", "api_key", "base_url", "max_retries", "organization", "project", "timeout"),
        *("webhook_secret", "websocket_base_url"),
    }
)
"""Attributes of openai's clients that can be assigned there; here they are of all that share the provider."""


class _Copied(BaseClient):
    """What openai's `copy` can do besides, another account, address or HTTP client; and its settings, to be read."""

    @property
    def base_url(self) -> httpx.URL:
        """Where the API lives, as openai's clients give it: with a slash at the end."""
        import httpx

        return httpx.URL(self._own_provider.base_url + "/")

    @property
    def api_key(self) -> str:
        """The key; of a function that gives it, the empty string, as with openai's clients."""
        key = self._own_provider.api_key
        return key if isinstance(key, str) else ""

    @property
    def organization(self) -> str | None:
        """Whose account is billed, where a key belongs to several."""
        return self._header("OpenAI-Organization")

    @property
    def project(self) -> str | None:
        """The project that is billed."""
        return self._header("OpenAI-Project")

    @property
    def timeout(self) -> httpx.Timeout:
        """The limits of one attempt, in seconds."""
        import httpx

        limits = self.options.timeout
        return httpx.Timeout(connect=limits.connect, read=limits.read, write=limits.write, pool=limits.pool)

    @property
    def max_retries(self) -> int:
        """How often a failed attempt is repeated."""
        return self.options.retry.attempts

    @property
    def admin_api_key(self) -> str | None:
        """A key for OpenAI's administration, which the gateway has no part of: it is only kept here."""
        key: str | None = self._argument("admin_api_key", "OPENAI_ADMIN_KEY")
        return key

    @property
    def webhook_secret(self) -> str | None:
        """What the vendor signs its own calls with. As above."""
        secret: str | None = self._argument("webhook_secret", "OPENAI_WEBHOOK_SECRET")
        return secret

    @property
    def websocket_base_url(self) -> Any:
        """Where OpenAI's realtime API lives. As above."""
        return self._argument("websocket_base_url")

    def _argument(self, name: str, variable: str = "") -> Any:
        """What the constructor was given, or the environment has; a client that was pickled knows the latter alone."""
        value = (self._engine.arguments_of_dropin or {}).get(name)
        return os.environ.get(variable) if value is None else value

    @property
    def _own_provider(self) -> Any:
        """The one that the constructor made; those of `edge` come behind it."""
        return (self._engine.settings.providers or ())[0]

    def _header(self, name: str) -> str | None:
        value: str | None = self._own_provider.default_headers.get(name)
        return value

    def with_options(self, **options: Any) -> Self:
        """A view with other defaults, as `EdgeClient.with_options`; or, of another account, a client of its own.

        Args:
            **options: those of `EdgeClient.with_options`; and those of the constructor, with which the result shares
                nothing: it has caches, pools and health of its own. None and openai's markers change nothing there.

        Raises:
            ConfigurationError: a constructor's option of a client that was pickled.
        """
        options = {name: value for name, value in options.items() if given(value)}
        own = {name: value for name in _REBUILDS & options.keys() if (value := options.pop(name)) is not None}
        defaults = {"headers": self.default_headers, "query": self.default_query}
        for name in defaults:  # the constructor's own are the provider's, and not the view's
            if options.get(f"set_default_{name}") is not None and f"default_{name}" not in options:
                own[f"default_{name}"] = options.pop(f"set_default_{name}")
                defaults[name] = {}
        if not own:
            return super().with_options(**options)
        arguments = self._engine.arguments_of_dropin
        if arguments is None:
            raise ConfigurationError(
                "A client that was pickled knows its constructor's arguments no more: make another."
            )
        arguments = {name: value for name, value in arguments.items() if own.keys().isdisjoint(_INSTEAD.get(name, ()))}
        made = type(self)(**{**arguments, **own})
        made._adopt(made._engine, self.options, defaults["headers"], defaults["query"])
        return made.with_options(**options) if options else made

    copy = with_options

    if not TYPE_CHECKING:  # to a type checker what is not there is not there

        def __setattr__(self, name: str, value: Any) -> None:
            """Refuse what would change nothing: a key that was meant to be another must not go on being used."""
            if name in _SETTINGS:
                kind = type(self).__name__
                told = f"{kind!r} object does not change its {name}: client.with_options({name}=…) gives another client"
                raise AttributeError(told, name=name, obj=self)
            super().__setattr__(name, value)

        def __getattr__(self, name: str) -> Any:
            """Say where openai's other resources are to be had."""
            from edgeagent.resources.elsewhere import CLIENT, absent

            if name in CLIENT:
                raise absent(self, "", name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)


class _OpenAIShape(_Copied):
    """openai.OpenAI's own parameters.

    Args:
        api_key: the key, or a function that gives the current one; default: OPENAI_API_KEY.
        organization: default: OPENAI_ORG_ID.
        project: default: OPENAI_PROJECT_ID.
        base_url: default: OPENAI_BASE_URL, then OpenAI's.
        data_residency: a region of OpenAI's in place of `base_url`, as in `"eu"`.
        admin_api_key, webhook_secret, websocket_base_url: kept, to be read; what uses them is no part of this.
        timeout: seconds or an httpx.Timeout for one attempt; default 600, connecting 5.
        max_retries: extra attempts.
        default_headers: header fields sent with every request, and before those of OPENAI_CUSTOM_HEADERS.
        default_query: query parameters sent with every request.
        http_client: an httpx or httpx2 client of the caller's own.
        edge: any option of `EdgeClient`.

    Raises:
        ConfigurationError: no key, or an option that is an argument here.
        TypeError: an argument or an option that does not exist; the message says where it belongs, if that is known.
    """

    @hinting
    def __init__(
        self,
        *,
        api_key: Credential = None,
        organization: str | None = None,
        project: str | None = None,
        base_url: Any = None,
        data_residency: str | None = None,
        timeout: Any = 600.0,
        max_retries: int = DEFAULT_MAX_RETRIES,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        admin_api_key: str | None = None,
        webhook_secret: str | None = None,
        websocket_base_url: Any = None,
        edge: Mapping[str, Any] | None = None,
    ) -> None:
        from edgeagent.providers.openai import OpenAI as Provider

        arguments = {name: value for name, value in locals().items() if name not in _NO_ARGUMENTS}
        provider = Provider(
            api_key=api_key,
            organization=organization,
            project=project,
            base_url=None if base_url is None else str(base_url),
            data_residency=data_residency,
            default_headers=_kept({**_custom_headers(), **(default_headers or {})}),
            default_query=_kept(default_query),
            http_client=http_client,
        )
        super().__init__(**_arguments(provider, timeout, max_retries, edge))
        self._engine.arguments_of_dropin = arguments


class _AzureShape(_Copied):
    """openai.AzureOpenAI's own parameters.

    Args:
        azure_endpoint: default: AZURE_OPENAI_ENDPOINT.
        azure_deployment: the deployment that every request goes to; default: the request's model.
        api_version: default: OPENAI_API_VERSION.
        api_key: default: AZURE_OPENAI_API_KEY.
        azure_ad_token: an Entra token; default: AZURE_OPENAI_AD_TOKEN.
        azure_ad_token_provider: a function (sync or async) that gives the current Entra token.
        base_url: instead of `azure_endpoint`.
        organization, project, timeout, max_retries, default_headers, default_query, http_client, edge, admin_api_key,
        webhook_secret, websocket_base_url: as for `OpenAI`.

    Raises:
        ConfigurationError: no credential, endpoint or version, or an option that is an argument here.
        TypeError: an argument or an option that does not exist; the message says where it belongs, if that is known.
    """

    @hinting
    def __init__(
        self,
        *,
        azure_endpoint: str | None = None,
        azure_deployment: str | None = None,
        api_version: str | None = None,
        api_key: Credential = None,
        azure_ad_token: str | None = None,
        azure_ad_token_provider: Any = None,
        base_url: Any = None,
        organization: str | None = None,
        project: str | None = None,
        timeout: Any = 600.0,
        max_retries: int = DEFAULT_MAX_RETRIES,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        admin_api_key: str | None = None,
        webhook_secret: str | None = None,
        websocket_base_url: Any = None,
        edge: Mapping[str, Any] | None = None,
    ) -> None:
        from edgeagent.providers.openai import AzureOpenAI as Provider

        arguments = {name: value for name, value in locals().items() if name not in _NO_ARGUMENTS}
        provider = Provider(
            azure_endpoint=azure_endpoint,
            azure_deployment=azure_deployment,
            api_version=api_version,
            api_key=api_key,
            azure_ad_token=azure_ad_token,
            azure_ad_token_provider=azure_ad_token_provider,
            base_url=None if base_url is None else str(base_url),
            organization=organization,
            project=project,
            default_headers=_kept({**_custom_headers(), **(default_headers or {})}),
            default_query=_kept(default_query),
            http_client=http_client,
        )
        super().__init__(**_arguments(provider, timeout, max_retries, edge))
        self._engine.arguments_of_dropin = arguments


def _custom_headers() -> dict[str, str]:
    """The header fields of the environment: a line for each, as `Name: value`; other lines are nothing."""
    lines = os.environ.get("OPENAI_CUSTOM_HEADERS", "").split("\n")
    told = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, colon, value in told if colon and name.strip()}


def _kept(defaults: Mapping[str, Any] | None) -> dict[str, Any]:
    """None for what openai's `omit` takes away."""
    return {name: value if given(value) else None for name, value in dict(defaults or {}).items()}


def _arguments(provider: Any, timeout: Any, max_retries: int, edge: Mapping[str, Any] | None) -> dict[str, Any]:
    """The client's arguments: openai's few, and those in `edge`."""
    provider.literal_names = True  # "openai/gpt-…" is a name of OpenRouter's: sent as it is
    options = {"cache": False, "breaker": False, **(edge or {})}
    for name in sorted(_OWN & options.keys()):
        other = "max_retries" if name == "retry" else name
        raise ConfigurationError(f"edge={{{name!r}: …}}: use the constructor's own {other}= instead.")
    more = tuple(options.pop("providers", ()))
    return {"providers": (provider, *more), "timeout": timeout, "retry": max_retries, **options}


class OpenAI(_OpenAIShape, EdgeClient):
    """`openai.OpenAI` over the pipeline."""


class AsyncOpenAI(_OpenAIShape, AsyncEdgeClient):
    """`openai.AsyncOpenAI` over the pipeline."""


class AzureOpenAI(_AzureShape, EdgeClient):
    """`openai.AzureOpenAI` over the pipeline."""


class AsyncAzureOpenAI(_AzureShape, AsyncEdgeClient):
    """`openai.AsyncAzureOpenAI` over the pipeline."""


Client = OpenAI
AsyncClient = AsyncOpenAI
