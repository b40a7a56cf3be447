"""OpenAI itself: chat completions, and the Responses API for the models that are asked through it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final

from typing_extensions import Self

from edgeagent.errors import ConfigurationError
from edgeagent.providers.base import Capabilities, ChatCodec, Credential
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.providers.openai.models import FAMILIES, capabilities, chosen, in_responses
from edgeagent.providers.vendor import Vendor

__all__ = ["REGIONS", "RESPONSES", "OpenAI", "account_headers", "regional", "responses_codec"]

RESPONSES: Final = "openai.responses"
"""The name of the Responses API's format."""


REGIONS: Final = ("global", "us", "eu", "ae", "au", "in", "jp")
"""The regions that OpenAI has an address for (https://platform.openai.com/docs/guides/your-data#data-residency)."""


class OpenAI(Vendor):
    """OpenAI: `OpenAI()` takes the key from OPENAI_API_KEY.

    Args:
        organization: whose account is billed, where a key belongs to several; default: OPENAI_ORG_ID.
        project: the project that is billed; default: OPENAI_PROJECT_ID.
        api_key: default: OPENAI_API_KEY.
        base_url: default: OPENAI_BASE_URL, then `https://api.openai.com/v1`.
        data_residency: the region in which requests are processed, in place of `base_url`: one of `REGIONS`.
        responses: which models are asked through the Responses API instead of chat completions. None: those that only
            exist there (`o1-pro`, `gpt-5-codex`, `o3-deep-research`, …); a name or names: these too; True: all; False:
            none, for a server that has no `/responses`. The caller's requests and answers are the same either way.
            (`client.responses` asks through it whatever stands here, but for False.)
        name, default_headers, default_query, http_client, models, cache_identity, service_tier: see `Vendor`.

    Raises:
        ConfigurationError: no key, a base URL that is not absolute, or a region that OpenAI does not have.
    """

    vendor = "openai"
    default_name: ClassVar[str] = "openai"
    default_base_url: ClassVar[str | None] = "https://api.openai.com/v1"
    key_variables = ("OPENAI_API_KEY",)
    base_url_variables: ClassVar[tuple[str, ...]] = ("OPENAI_BASE_URL",)
    families = FAMILIES
    query_lists: ClassVar[str] = "[]"
    codec = OpenAIChatCodec()

    def __init__(
        self,
        *,
        name: str | None = None,
        api_key: Credential = None,
        base_url: str | None = None,
        data_residency: str | None = None,
        organization: str | None = None,
        project: str | None = None,
        default_headers: Mapping[str, str | None] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
        responses: bool | Iterable[str] | None = None,
    ) -> None:
        self._responses = chosen(responses)
        super().__init__(
            name=name,
            api_key=api_key,
            base_url=base_url if data_residency is None else regional(data_residency, base_url),
            default_headers=account_headers(organization, project, default_headers),
            default_query=default_query,
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
            service_tier=service_tier,
        )

    def codec_for(self, model: str) -> ChatCodec:
        """Chat completions, or the Responses API."""
        return responses_codec() if in_responses(model, self._responses) else self.codec

    def in_format(self, wire: str) -> Self | None:
        """Every model can be asked through the Responses API, unless `responses` is False."""
        return self._twin(_responses=True) if wire == RESPONSES and self._responses is not False else None

    def capabilities(self, model: str) -> Capabilities:
        """What the model can do, as far as it is certain."""
        return capabilities(model, responses=in_responses(model, self._responses))

    def path(self, model: str) -> str:
        """`/chat/completions` or `/responses`."""
        return "/responses" if in_responses(model, self._responses) else "/chat/completions"

    def chat_path(self, model: str) -> str:
        """`/chat/completions`, also for a model that is asked through the Responses API."""
        return "/chat/completions"


def regional(region: str, base_url: str | None = None) -> str:
    """The address of a region of OpenAI's. Raises `ConfigurationError`: there is none, or another address was given."""
    if base_url is not None:
        raise ConfigurationError("data_residency= and base_url= are two addresses: give one of them.")
    if region not in REGIONS:
        raise ConfigurationError(f"data_residency= is one of {', '.join(REGIONS)}; got {region!r}.")
    return f"https://{'' if region == 'global' else region + '.'}api.openai.com/v1"


@lru_cache(maxsize=2)
def responses_codec(*, own: bool = True) -> ChatCodec:
    """The codec of the Responses API; imported when the first model needs it. `own`: of OpenAI's own server."""
    from edgeagent.providers.responses.codec import ResponsesCodec

    return ResponsesCodec(own=own)


def account_headers(
    organization: str | None, project: str | None, default_headers: Mapping[str, str | None] | None
) -> dict[str, str | None]:
    """Organization and project as header fields, before those of the caller's own.

    As default headers they are part of the cache identity: another account's answers are not ours.
    """
    fields: dict[str, str | None] = {}
    for header, value, variable in (
        ("OpenAI-Organization", organization, "OPENAI_ORG_ID"),
        ("OpenAI-Project", project, "OPENAI_PROJECT_ID"),
    ):
        value = value if value is not None else os.environ.get(variable)
        if value:
            fields[header] = value
    return {**fields, **(default_headers or {})}
