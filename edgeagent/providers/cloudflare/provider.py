"""Cloudflare as a provider: Workers AI's own API, of one account."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final
from urllib.parse import quote

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.base import Capabilities, Credential, Feature
from edgeagent.providers.cloudflare.codec import CloudflareRunCodec
from edgeagent.providers.vendor import Vendor

__all__ = ["Cloudflare"]

_FEATURES: Final[frozenset[Feature]] = frozenset({"tools", "vision", "json_schema", "streaming", "reasoning"})
_TOKEN, _KEY, _EMAIL = "CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL"


class Cloudflare(Vendor):
    """Workers AI, by its own API.

    Args:
        account_id: whose models are run and who is billed; default: CLOUDFLARE_ACCOUNT_ID.
        api_key: an API token, sent as a bearer; default: CLOUDFLARE_API_TOKEN, then CLOUDFLARE_API_KEY.
        email: the user whose older global key `api_key` is, which is then sent as `x-auth-key`; default:
            CLOUDFLARE_EMAIL, where CLOUDFLARE_API_KEY is the key that was found.
        base_url: default: CLOUDFLARE_BASE_URL, else `https://api.cloudflare.com/client/v4`.
        name, default_headers, default_query, http_client, models, cache_identity, service_tier: see `Vendor`.

    Raises:
        ConfigurationError: no account or no key was given and the environment has none.
    """

    vendor = "cloudflare"
    default_name: ClassVar[str] = "cloudflare"
    default_base_url: ClassVar[str | None] = "https://api.cloudflare.com/client/v4"
    key_variables = (_TOKEN, _KEY)
    base_url_variables: ClassVar[tuple[str, ...]] = ("CLOUDFLARE_BASE_URL",)
    families = ("@cf/", "@hf/")
    codec = CloudflareRunCodec()

    def __init__(
        self,
        *,
        name: str | None = None,
        account_id: str | None = None,
        api_key: Credential = None,
        email: str | None = None,
        base_url: str | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
    ) -> None:
        account = account_id or os.environ.get("CLOUDFLARE_ACCOUNT_ID", "").strip()
        if not account:
            raise ConfigurationError("Cloudflare needs an account: pass account_id=… or set CLOUDFLARE_ACCOUNT_ID.")
        self.account_id = account
        super().__init__(
            name=name,
            api_key=api_key,
            base_url=base_url,
            default_headers=default_headers,
            default_query=default_query,
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
            service_tier=service_tier,
        )
        self._email = email or _email(is_given=api_key is not None)

    def capabilities(self, model: str) -> Capabilities:
        """What the API can; not every model can all of it."""
        return Capabilities(_FEATURES)

    def path(self, model: str) -> str:
        """`/accounts/{account}/ai/run/{model}`."""
        return f"/accounts/{quote(self.account_id, safe='')}/ai/run/{quote(model, safe='@/')}"

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """A bearer token, or an older key with the user's address."""
        if not credential:
            raise AuthenticationError(f"Provider {self.name!r} has no API token: its function gave none.")
        if self._email:
            return [("x-auth-email", self._email), ("x-auth-key", credential)]
        return [("authorization", f"Bearer {credential}")]

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._email = self._email or _email(is_given=False)


def _email(*, is_given: bool) -> str | None:
    """The user of the key in the environment, where that is a global key: as their SDK sends them, together."""
    if is_given or os.environ.get(_TOKEN, "").strip() or not os.environ.get(_KEY, "").strip():
        return None
    return os.environ.get(_EMAIL, "").strip() or None
