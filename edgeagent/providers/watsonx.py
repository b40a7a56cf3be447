"""IBM's watsonx.ai: OpenAI's messages and answers, requests with names of its own, paid for by a project or a space.

https://cloud.ibm.com/apidocs/watsonx-ai#text-chat and https://ibm.github.io/watsonx-ai-python-sdk/fm_schema.html
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final

from typing_extensions import Unpack

from edgeagent.errors import APIStatusError, AuthenticationError, ConfigurationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.openai.codec import OpenAIChatCodec
from edgeagent.providers.openai.quirks import ADVISORY, COMPATIBLE
from edgeagent.providers.vendor import Options, Vendor, identity_of
from edgeagent.types import ChatRequest
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = ["IAMToken", "Watsonx", "WatsonxChatCodec"]

_QUIRKS: Final = replace(
    COMPATIBLE,
    renamed=(("model", "model_id"),),
    dropped=ADVISORY,
    refused=("audio", "modalities", "web_search_options"),
    stream_options=False,
    developer_role=False,
    cache_hints=False,
    replayed=("reasoning_content",),
)
_OURS: Final = {"model_id": "model", "tool_choice_option": "tool_choice"}


class WatsonxChatCodec(OpenAIChatCodec):
    """`POST /ml/v1/text/chat`, but for who pays: that is the provider's to say."""

    takes_functions = False

    @property
    def wire(self) -> str:
        """`"watsonx.chat"`."""
        return "watsonx.chat"

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the body for `model`; whether it is streamed is said by the path."""
        encoded = super().encode_request(request, model=model, stream=stream)
        body = {name: value for name, value in encoded.body.items() if name != "stream"}
        if isinstance(body.get("stop"), str):
            body["stop"] = [body["stop"]]
        if isinstance(body.get("tool_choice"), str):
            body["tool_choice_option"] = body.pop("tool_choice")
        return replace(encoded, body=body)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body → our request, without who pays. Raises `RequestValidationError`."""
        rest = {_OURS.get(name, name): value for name, value in body.items()}
        return super().decode_request({k: v for k, v in rest.items() if k not in ("project_id", "space_id")})

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"errors": [{…}], "status_code": …}`."""
        told = {"code": error.code or error.type or "error", "message": error.message}
        content = dump_json({"errors": [told], "status_code": error.status_code})
        return HTTPResponse(error.status_code, super().encode_error(error).headers, content)


class IAMToken:
    """Called, it gives the current access token for a key of IBM Cloud; `ibm-cloud-sdk-core` does the work."""

    def __init__(self, key: str, url: str | None = None) -> None:
        self._key, self._url = key, url
        self._manager: Any = None

    def __call__(self) -> str:
        """The token. Raises `ConfigurationError` (the package is missing) or `AuthenticationError`."""
        try:
            from ibm_cloud_sdk_core import ApiException, IAMTokenManager
        except ImportError:
            raise ConfigurationError("Watsonx needs ibm-cloud-sdk-core: pip install 'edgeagent[watsonx]'.") from None
        self._manager = self._manager or IAMTokenManager(self._key, url=self._url)
        try:
            return str(self._manager.get_token())
        except (ApiException, OSError) as error:  # its text may quote the answer of the token server
            raise AuthenticationError(f"IBM Cloud gave no token for this key ({type(error).__name__}).") from None


class Watsonx(Vendor):
    """Models on watsonx.ai. A key of IBM Cloud needs the extra `edgeagent[watsonx]`, which changes it for tokens.

    Args:
        project_id, space_id: who pays; default: WATSONX_PROJECT_ID, then WATSONX_SPACE_ID.
        options: see `Vendor`, which raises; `api_key` may be a function that gives tokens (of Cloud Pak for Data, say).
    """

    vendor = "ibm.watsonx.ai"
    default_name: ClassVar[str] = "watsonx"
    default_base_url: ClassVar[str | None] = "https://us-south.ml.cloud.ibm.com"
    key_variables = ("WATSONX_API_KEY", "WATSONX_APIKEY")
    base_url_variables: ClassVar[tuple[str, ...]] = ("WATSONX_URL",)
    families = ("ibm/", "granite-")
    codec = WatsonxChatCodec(_QUIRKS)

    def __init__(
        self, *, project_id: str | None = None, space_id: str | None = None, **options: Unpack[Options]
    ) -> None:
        options["default_query"] = {"version": "2024-05-31", **(options.get("default_query") or {})}
        super().__init__(**options)
        project = project_id or (None if space_id else os.environ.get("WATSONX_PROJECT_ID"))
        space = space_id or os.environ.get("WATSONX_SPACE_ID")
        if not project and not space:
            raise ConfigurationError("Watsonx needs who pays: pass project_id=… or set WATSONX_PROJECT_ID.")
        self._payer = {"project_id": project} if project else {"space_id": space}
        self._exchange()

    def http_request(self, encoded: Encoded, credential: Any, **how: Any) -> HTTPRequest:
        """The whole HTTP request, with who pays, unless the caller said it."""
        return super().http_request(replace(encoded, body={**self._payer, **encoded.body}), credential, **how)

    def path(self, model: str) -> str:
        """`/ml/v1/text/chat`."""
        return "/ml/v1/text/chat"

    def stream_path(self, model: str) -> str:
        """Streams have a path of their own."""
        return f"{self.path(model)}_stream"

    def _exchange(self) -> None:
        if isinstance(self.api_key, str):
            self._identity = self._identity or identity_of(self.api_key, *map(str, self.default_headers.items()))
            self.api_key = IAMToken(self.api_key)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._exchange()
