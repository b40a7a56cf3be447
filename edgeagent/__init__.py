"""edgeagent: an LLM gateway that is a library.

Every public name is listed here and loaded when it is first used: importing the package does nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edgeagent._version import __version__

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.core.retry import RetryPolicy
    from edgeagent.dropin import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
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
        UnprocessableEntityError,
    )
    from edgeagent.resources.streams import AsyncStream, Stream
    from edgeagent.types import (
        ChatCompletion,
        ChatCompletionChunk,
        ChatRequest,
        ResponseMetadata,
        Target,
    )

__all__ = [
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncAzureOpenAI",
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
    "ConfigurationError",
    "ConflictError",
    "ContentFilterError",
    "ContentFilterFinishReasonError",
    "ContextWindowExceededError",
    "DeadlineExceededError",
    "EdgeAgentError",
    "EdgeClient",
    "InternalServerError",
    "LengthFinishReasonError",
    "LimitExceededError",
    "NoTargetError",
    "NotFoundError",
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
    "UnprocessableEntityError",
    "__version__",
]

_HOMES: Final[dict[str, tuple[str, ...]]] = {
    "edgeagent.client": ("AsyncEdgeClient", "EdgeClient"),
    "edgeagent.core.retry": ("RetryPolicy",),
    "edgeagent.dropin": ("AsyncAzureOpenAI", "AsyncOpenAI", "AzureOpenAI", "OpenAI"),
    "edgeagent.resources.streams": ("AsyncStream", "Stream"),
    "edgeagent.types": ("ChatCompletion", "ChatCompletionChunk", "ChatRequest", "ResponseMetadata", "Target"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = next((home for home, names in _HOMES.items() if name in names), "edgeagent.errors")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
