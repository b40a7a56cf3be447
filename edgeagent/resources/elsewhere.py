"""What openai's client has and a gateway has not: the error for it says what to use instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

__all__ = ["CLIENT", "Partial", "absent", "of_package"]

CLIENT: Final = frozenset(
    {
        *("admin", "audio", "batches", "completions", "containers", "content_provenance_checks", "conversations"),
        *("decisions", "evals", "files", "fine_tuning", "images", "live", "realtime", "safety", "skills", "uploads"),
        *("vector_stores", "videos", "webhooks"),
        *("delete", "get", "get_api_list", "patch", "post", "put", "request"),  # of any path
        *("auth_headers", "custom_auth", "platform_headers", "qs", "user_agent", "workload_identity"),
    }
)
"""Resources, methods and attributes of openai's clients that are no part of the pipeline."""


_HERE: Final = frozenset({"beta", "chat", "embeddings", "models", "moderations", "responses"})
"""Of the client that the module `openai` is by itself, what the client has here."""

_ARGUMENTS: Final = frozenset(
    {
        *("admin_api_key", "azure_ad_token", "azure_ad_token_provider", "azure_endpoint", "base_url"),
        *("default_headers", "default_query", "http_client", "max_retries", "project", "timeout", "webhook_secret"),
    }
)
"""Of its settings, those that openai<1 has not."""

_PACKAGE: Final = frozenset(
    {
        *("APIResponse", "AssistantEventHandler", "AsyncAPIResponse", "AsyncAssistantEventHandler", "BaseModel"),
        *("AsyncComputerDriver", "AsyncComputerToolset", "ComputerDriver", "ComputerToolset", "DataResidency"),
        *("DefaultAioHttpClient", "DefaultAsyncHttpx2Client", "DefaultHttpx2Client", "HttpxBinaryResponseContent"),
        *("InvalidWebhookSignatureError", "NoneType", "OAuthError", "ProxiesTypes", "ReconnectingEvent"),
        *("ReconnectingOverrides", "RequestOptions", "SubjectTokenProviderError", "Transport"),
        *("WebSocketConnectionClosedError", "WebSocketQueueFullError", "file_from_path"),
    }
)
"""Names of the package that are of use with openai's own client alone."""


def of_package(name: str) -> str | None:
    """What to use in place of a name of the package `openai`; None: it is none of those that are missing."""
    if name in _HERE:
        return f"make a client, edgeagent.OpenAI().{name}."
    if name in _ARGUMENTS:
        return f"it is an argument of a client, edgeagent.OpenAI({name}=…)."
    if name.endswith("BedrockOpenAI"):
        return "use EdgeClient(providers=[edgeagent.providers.Bedrock()])."
    if name in CLIENT or name in _PACKAGE:
        return "it is no part of the gateway; use the openai package for it."
    return None


def absent(owner: object, path: str, name: str) -> AttributeError:
    """The error for a name that is in openai's client alone.

    Args:
        owner: what was asked for it.
        path: where it is in a client, as in `"responses."`; empty: in the client itself.
        name: what was asked for.
    """
    kind = type(owner).__name__
    asynchronous = kind.startswith("Async")
    client = kind if kind.endswith("OpenAI") else "AsyncOpenAI" if asynchronous else "OpenAI"
    http = "DefaultAsyncHttpxClient" if asynchronous else "DefaultHttpxClient"
    told = (
        f"{kind!r} object has no attribute {name!r}: {path}{name} is no part of the gateway. Use openai's own client, "
        "with the gateway under it: "
        f"openai.{client}(http_client=openai.{http}(transport=edgeagent.transports.transport(edge)))"
    )
    return AttributeError(told, name=name, obj=owner)


class Partial:
    """A resource of openai's that is here in part."""

    _path: ClassVar[str]
    """Where it is in a client."""
    _elsewhere: ClassVar[frozenset[str]]
    """What of it is not here."""

    if not TYPE_CHECKING:  # to a type checker what is not there is not there

        def __getattr__(self, name: str) -> Any:
            """Say where the rest of the resource is to be had."""
            if name in type(self)._elsewhere:
                raise absent(self, type(self)._path, name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
