"""Any server that speaks OpenAI's chat completions: vLLM, llama.cpp, LM Studio, a gateway, a vendor of no name here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from typing_extensions import Self

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.base import Capabilities, ChatCodec, Credential
from edgeagent.providers.family import Row, address
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.providers.openai.models import by_responses, chosen
from edgeagent.providers.openai.provider import RESPONSES, responses_codec
from edgeagent.providers.openai.quirks import Quirks
from edgeagent.providers.rows import ROWS, row
from edgeagent.providers.vendor import Vendor

__all__ = ["OpenAICompatible"]

_UNKNOWN: Final = Row(name="", base_url=None, keys=(), docs="", responses="/responses")


class OpenAICompatible(Vendor):
    """A server of OpenAI's shape: one that is known by its name, or any other by its address.

    Args:
        name: how model names and `edge.provider` call it, and the vendor's id in telemetry and prices. A name of
            `edgeagent.providers.rows.ROWS` brings address, key variables and quirks with it, unless an address is
            given: that is another server then, which happens to have the name.
        base_url: the address before `/chat/completions`, as in `http://localhost:8080/v1`.
        api_key: sent as a bearer token; None where the server wants none.
        api_key_variable: the environment variable that holds the key, where none is given.
        row: what is known of the server, instead of the row of that name; a row of the caller's own.
        vendor: the vendor's id, if it is not the row's or `name`.
        quirks: how the server differs from OpenAI, as data; default: the row's, else what the caller says is sent.
        responses: which models are asked through the Responses API instead of chat completions: a name or names, True
            for all; `()`: none, but the server has that API for `client.responses`; None: none, and it has it if its
            row says so; False: it has not. The caller's requests and answers are the same either way.
        default_headers, default_query, http_client, models, cache_identity, service_tier: see `Vendor`.

    Raises:
        ConfigurationError: no address, one that is not absolute, no key for a known server that needs one, or
            `responses` for a known server that has no such API.
    """

    default_name: ClassVar[str] = "compatible"
    query_lists: ClassVar[str] = "[]"

    def __init__(
        self,
        *,
        name: str,
        base_url: str | None = None,
        api_key: Credential = None,
        api_key_variable: str | None = None,
        row: Row | None = None,
        vendor: str | None = None,
        quirks: Quirks | None = None,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
        service_tier: str | None = None,
        responses: bool | Iterable[str] | None = None,
    ) -> None:
        known = row if row is not None else _known(name, base_url)
        self._responses = chosen(responses)
        if self._responses and known.responses is None:
            raise ConfigurationError(f"{name!r} is not known to have a Responses API: leave responses=… out.")
        self.row = known
        self.vendor = vendor or known.vendor or name
        self.key_variables = (api_key_variable,) if api_key_variable else known.keys
        self.key_required = bool(known.keys)
        self.families = known.families
        self.reseller = known.reseller
        self.codec: ChatCodec = OpenAIChatCodec(quirks if quirks is not None else known.quirks)
        super().__init__(
            name=name,
            api_key=api_key,
            base_url=base_url or address(known, os.environ),
            default_headers=default_headers,
            default_query={**dict(known.query), **(default_query or {})},
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
            service_tier=service_tier,
        )

    def _by_responses(self, model: str) -> bool:
        asked = self._responses
        return asked is True or (isinstance(asked, frozenset) and model in asked)

    def codec_for(self, model: str) -> ChatCodec:
        """Chat completions, or the Responses API for the models that were named."""
        return responses_codec(own=False) if self._by_responses(model) else self.codec

    def capabilities(self, model: str) -> Capabilities:
        """What the server can do for some of its models; single models are its own to refuse."""
        features = self.row.features
        return by_responses(features) if self._by_responses(model) else Capabilities(features)

    def path(self, model: str) -> str:
        """Of chat completions, or of the Responses API."""
        return self.row.responses or "" if self._by_responses(model) else self.row.path

    def chat_path(self, model: str) -> str:
        """Of chat completions, also for a model that is asked through the Responses API."""
        return self.row.path

    def in_format(self, wire: str) -> Self | None:
        """The Responses API, where the server has it; of a server that is not known, the caller has to say so."""
        asked = self._responses
        if wire != RESPONSES or asked is False or self.row.responses is None:
            return None
        return self._twin(_responses=True) if asked is not None or self.row != _UNKNOWN else None

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """A bearer token, or the field that the server wants, where there is a key."""
        if credential is None:
            return []
        if self.row.key_header is None:
            return super().auth_headers(credential)
        if not credential:
            raise AuthenticationError(f"Provider {self.name!r} has no API key: its function gave none.")
        return [(self.row.key_header, f"{self.row.key_scheme}{credential}")]


def _known(name: str, base_url: str | None) -> Row:
    found = row(name) if base_url is None else None
    if found is None and base_url is None:
        from difflib import get_close_matches

        near = get_close_matches(name, ROWS, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise ConfigurationError(f"{name!r} is no server that is known by its name{hint}: pass base_url=….")
    return found or _UNKNOWN
