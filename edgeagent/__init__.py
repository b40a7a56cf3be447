"""edgeagent: an LLM gateway that is a library.

Every public name is listed here and loaded when it is first used: importing the package does nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from edgeagent._version import __version__

VERSION: Final = __version__
"""The same, under the other name that openai has for it."""

if TYPE_CHECKING:
    from edgeagent import error, openai_object
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.retry import RetryPolicy
    from edgeagent.dropin import AsyncAzureOpenAI, AsyncClient, AsyncOpenAI, AzureOpenAI, Client, OpenAI
    from edgeagent.dropin_http import (
        DEFAULT_CONNECTION_LIMITS,
        DEFAULT_MAX_RETRIES,
        DEFAULT_TIMEOUT,
        DefaultAsyncHttpxClient,
        DefaultHttpxClient,
        Timeout,
    )
    from edgeagent.error import InvalidRequestError
    from edgeagent.errors import (
        APIConnectionError,
        APIError,
        APIResponseValidationError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        BudgetExceededError,
        ConfigurationError,
        ConflictError,
        ContentFilterError,
        ContentFilterFinishReasonError,
        ContextWindowExceededError,
        DeadlineExceededError,
        EdgeAgentError,
        InternalServerError,
        LengthFinishReasonError,
        LimitExceededError,
        NoTargetError,
        NotFoundError,
        OpenAIError,
        OverloadedError,
        PermissionDeniedError,
        RateLimitError,
        RequestValidationError,
        ResponseValidationError,
        ShieldBlockedError,
        StreamInterruptedError,
        TargetsUnavailableError,
        UnprocessableEntityError,
    )
    from edgeagent.legacy.completion import Completion
    from edgeagent.legacy.operations import Embedding, Model, Moderation
    from edgeagent.resources.streams import AsyncStream, Stream
    from edgeagent.resources.structured import pydantic_function_tool, pydantic_responses_function_tool
    from edgeagent.types import (
        ChatCompletion,
        ChatCompletionChunk,
        ChatRequest,
        ResponseMetadata,
        Target,
    )
    from edgeagent.types.left_out import NOT_GIVEN, NotGiven, Omit, not_given, omit

__all__ = [
    "DEFAULT_CONNECTION_LIMITS",
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_TIMEOUT",
    "NOT_GIVEN",
    "VERSION",
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncAzureOpenAI",
    "AsyncClient",
    "AsyncEdgeClient",
    "AsyncOpenAI",
    "AsyncStream",
    "AuthenticationError",
    "AzureOpenAI",
    "BadRequestError",
    "BudgetExceededError",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChatRequest",
    "Client",
    "Completion",
    "ConfigurationError",
    "ConflictError",
    "ContentFilterError",
    "ContentFilterFinishReasonError",
    "ContextWindowExceededError",
    "DeadlineExceededError",
    "DefaultAsyncHttpxClient",
    "DefaultHttpxClient",
    "EdgeAgentError",
    "EdgeClient",
    "Embedding",
    "InternalServerError",
    "InvalidRequestError",
    "LengthFinishReasonError",
    "LimitExceededError",
    "Model",
    "Moderation",
    "NoTargetError",
    "NotFoundError",
    "NotGiven",
    "Omit",
    "OpenAI",
    "OpenAIError",
    "OverloadedError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestValidationError",
    "ResponseMetadata",
    "ResponseValidationError",
    "RetryPolicy",
    "ShieldBlockedError",
    "Stream",
    "StreamInterruptedError",
    "Target",
    "TargetsUnavailableError",
    "Timeout",
    "UnprocessableEntityError",
    "__version__",
    "error",
    "not_given",
    "omit",
    "openai_object",
    "pydantic_function_tool",
    "pydantic_responses_function_tool",
]

# The settings of openai<1, read at each call by `edgeagent.legacy.settings`, which knows what they are by default.
api_key: str | None
api_key_path: str | None
api_base: str
api_type: str
api_version: str | None
organization: str | None
proxy: str | Mapping[str, str] | None
edge: Mapping[str, Any] | None
requestssession: Any
aiosession: Any
app_info: Any
ca_bundle_path: Any
debug: bool
enable_telemetry: bool
log: str | None
verify_ssl_certs: bool

_HOMES: Final[dict[str, tuple[str, ...]]] = {
    "edgeagent.client": ("AsyncEdgeClient", "EdgeClient"),
    "edgeagent.core.retry": ("RetryPolicy",),
    "edgeagent.dropin": ("AsyncAzureOpenAI", "AsyncClient", "AsyncOpenAI", "AzureOpenAI", "Client", "OpenAI"),
    "edgeagent.dropin_http": (
        *("DEFAULT_CONNECTION_LIMITS", "DEFAULT_MAX_RETRIES", "DEFAULT_TIMEOUT"),
        *("DefaultAsyncHttpxClient", "DefaultHttpxClient", "Timeout"),
    ),
    "edgeagent.error": ("InvalidRequestError",),
    "edgeagent.legacy.completion": ("Completion",),
    "edgeagent.legacy.operations": ("Embedding", "Model", "Moderation"),
    "edgeagent.resources.streams": ("AsyncStream", "Stream"),
    "edgeagent.resources.structured": ("pydantic_function_tool", "pydantic_responses_function_tool"),
    "edgeagent.types": ("ChatCompletion", "ChatCompletionChunk", "ChatRequest", "ResponseMetadata", "Target"),
    "edgeagent.types.left_out": ("NOT_GIVEN", "NotGiven", "Omit", "not_given", "omit"),
}


_MODULES: Final = frozenset({"error", "openai_object", "types"})
_SETTINGS: Final = frozenset(
    {"aiosession", "api_base", "api_key", "api_key_path", "api_type", "api_version", "app_info", "ca_bundle_path"}
    | {"debug", "edge", "enable_telemetry", "log", "organization", "proxy", "requestssession", "verify_ssl_certs"}
)
_ABSENT: Final = frozenset(
    {"Audio", "Customer", "Deployment", "Edit", "Engine", "File", "FineTune", "FineTuningJob", "Image"}
)


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _SETTINGS:  # one that was not assigned
        return import_module("edgeagent.legacy.settings").default(name)
    if name in _MODULES:
        return import_module(f"edgeagent.{name}")
    if name in _ABSENT:
        raise AttributeError(f"{name} of openai<1 is not part of {__name__}: use the openai package for it.")
    if name not in __all__:
        if name[:1] != "_" and (where := import_module("edgeagent.resources.elsewhere").of_package(name)):
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}: {where}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), "edgeagent.errors")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
