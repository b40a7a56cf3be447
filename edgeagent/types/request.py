"""The chat request: openai's parameters, typed, unknown ones kept.

A `ChatRequest` is what every step after validation works on: codecs, routers, providers, fakes. Its fields are the
parameters of OpenAI's `POST /chat/completions` (https://platform.openai.com/docs/api-reference/chat/create); what is
not among them (a vendor's own parameter, `extra_body`) is kept in `model_extra`.

A field that is None is the same as an absent one. `params()` gives what is set, as plain JSON values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["NOT_IN_BODY", "ChatRequest"]

NOT_IN_BODY: Final = frozenset({"extra_headers", "extra_query"})
"""Fields that travel outside the JSON body."""


def _as_key(token: Any) -> Any:
    return str(token) if type(token) is int else token


_Token = Annotated[str, BeforeValidator(_as_key)]
"""A token's number as the key of a JSON object: openai's package sends numbers so, too."""


class ChatRequest(BaseModel):
    """One chat-completion request.

    `messages` and `tools` are plain dicts in OpenAI's form, since that is what codecs rewrite; they belong to the
    request and are not shared with the caller.
    """

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, protected_namespaces=())

    model: str
    messages: list[dict[str, Any]]
    audio: dict[str, Any] | None = None
    frequency_penalty: float | None = None
    function_call: str | dict[str, Any] | None = None
    functions: list[dict[str, Any]] | None = None
    logit_bias: dict[_Token, float] | None = None
    logprobs: bool | None = None
    max_completion_tokens: int | None = None
    max_tokens: int | None = None
    metadata: dict[str, Any] | None = None
    modalities: list[str] | None = None
    moderation: dict[str, Any] | None = None
    n: int | None = None
    parallel_tool_calls: bool | None = None
    prediction: dict[str, Any] | None = None
    presence_penalty: float | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: dict[str, Any] | None = None
    prompt_cache_retention: str | None = None
    reasoning_effort: str | None = None
    response_format: dict[str, Any] | None = None
    safety_identifier: str | None = None
    seed: int | None = None
    service_tier: str | None = None
    stop: str | list[str] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    temperature: float | None = None
    tool_choice: str | dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None
    top_logprobs: int | None = None
    top_p: float | None = None
    user: str | None = None
    verbosity: str | None = None
    web_search_options: dict[str, Any] | None = None

    extra_headers: dict[str, str | None] | None = Field(default=None, repr=False)
    extra_query: dict[str, Any] | None = Field(default=None, repr=False)

    def params(self) -> dict[str, Any]:
        """The JSON body: every parameter that is set, unknown ones included, in a fresh top-level dict."""
        values = self.__dict__
        given = [k for k in self.__pydantic_fields_set__ if values.get(k) is not None and k not in NOT_IN_BODY]
        given.sort(key=_PLACES.__getitem__)
        body = {k: values[k] for k in given}
        if self.__pydantic_extra__:
            body.update(self.__pydantic_extra__)
        return body

    @property
    def output_limit(self) -> int | None:
        """The most output tokens that were asked for: `max_completion_tokens`, else the older `max_tokens`."""
        return self.max_completion_tokens if self.max_completion_tokens is not None else self.max_tokens

    @property
    def include_usage(self) -> bool:
        """Whether the caller of a stream asked to see the usage chunk."""
        options: Mapping[str, Any] = self.stream_options or {}
        return bool(options.get("include_usage"))


_PLACES: Final = {name: place for place, name in enumerate(ChatRequest.model_fields)}
"""The order of the parameters in a body."""
