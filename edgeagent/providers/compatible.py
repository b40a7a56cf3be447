"""Any server that speaks OpenAI's chat completions: vLLM, llama.cpp, LM Studio, a gateway, a vendor of no name here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from edgeagent.providers.base import Credential
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.providers.openai.provider import bearer
from edgeagent.providers.openai.quirks import COMPATIBLE, Quirks
from edgeagent.providers.vendor import Vendor

__all__ = ["OpenAICompatible"]


class OpenAICompatible(Vendor):
    """A server of OpenAI's shape.

    Args:
        name: how model names and `edge.provider` call it, and the vendor's id in telemetry and prices.
        base_url: the address before `/chat/completions`, as in `http://localhost:8080/v1`.
        api_key: sent as a bearer token; None where the server wants none.
        api_key_variable: the environment variable that holds the key, where none is given.
        vendor: the vendor's id, if it is not `name`.
        quirks: how the server differs from OpenAI, as data; by default it is sent what the caller said.
        default_headers, default_query, http_client, models, cache_identity: see `Vendor`.

    Raises:
        ConfigurationError: the base URL is not absolute.
    """

    default_name: ClassVar[str] = "compatible"
    key_required: ClassVar[bool] = False

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        api_key: Credential = None,
        api_key_variable: str | None = None,
        vendor: str | None = None,
        quirks: Quirks = COMPATIBLE,
        default_headers: Mapping[str, str] | None = None,
        default_query: Mapping[str, Any] | None = None,
        http_client: Any = None,
        models: Iterable[str] = (),
        cache_identity: str | None = None,
    ) -> None:
        self.vendor = vendor or name
        self.key_variables = (api_key_variable,) if api_key_variable else ()
        self.codec = OpenAIChatCodec(quirks)
        super().__init__(
            name=name,
            api_key=api_key,
            base_url=base_url,
            default_headers=default_headers,
            default_query=default_query,
            http_client=http_client,
            models=models,
            cache_identity=cache_identity,
        )

    def path(self, model: str) -> str:  # noqa: ARG002  # the base's parameter
        """The same for every model."""
        return "/chat/completions"

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        """A bearer token, where there is one."""
        return [] if credential is None else [bearer(credential, self.name)]
