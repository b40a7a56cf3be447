"""An HTTP request → which vendor API it asks for.

Recognised by method, path and header fields, since any of these APIs may live at any address. What is not recognised is
not ours to understand, and passes through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from edgeagent.providers.base import ChatCodec

__all__ = ["EMBEDDINGS", "Family", "Route", "recognise", "why_unknown"]

Family = Literal["openai", "azure", "anthropic", "google"]

_HOSTS: Final[Mapping[str, str]] = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
"""The vendors' own addresses, and their ids as in `Provider.vendor`."""

_AZURE: Final = re.compile(r"(?P<base>.*/openai)/deployments/(?P<model>[^/]+)(?P<end>/chat/completions|/embeddings)")
_GOOGLE: Final = re.compile(
    r"(?P<base>.*/v1\w*)/(?P<model>(?:models|tunedModels)/.+)"
    r":(?P<method>generateContent|streamGenerateContent|countTokens)"
)
_MODELS: Final = re.compile(r"(?P<base>.*)/models(?:/(?P<model>[^:]+))?")
"""Of all three APIs: the whole list, or one model."""
EMBEDDINGS: Final = "openai.embeddings"
"""The name of the one format here that is no chat."""

_ENDS: Final[Mapping[str, str]] = {
    "/chat/completions": "openai.chat",
    "/responses": "openai.responses",
    "/embeddings": EMBEDDINGS,
}
_MESSAGES: Final = "/v1/messages"
_COUNT: Final = "/count_tokens"

Asks = Literal["answer", "count", "models"]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a call was sent, and in which format.

    Attributes:
        family: whose API it is.
        wire: the name of the format, as in `ChatCodec.wire`.
        base_url: the address as a provider of ours takes it.
        model: the model in the URL; None: the body names it.
        stream: whether the URL asks for a stream; None: the body says it.
        query: parameters of the URL.
        asks: what for: an answer, the tokens of a question, or which models there are.
    """

    family: Family
    wire: str
    base_url: str
    model: str | None = None
    stream: bool | None = None
    query: tuple[tuple[str, str], ...] = ()
    asks: Asks = "answer"

    @property
    def vendor(self) -> str | None:
        """The vendor whose own address this is; None for any other server."""
        return _HOSTS.get(urlsplit(self.base_url).hostname or "")

    @property
    def codec(self) -> ChatCodec:
        """The format's codec, as the vendor has it; of embeddings, that of errors."""
        return _codec(self.wire)


def recognise(method: str, url: str, headers: Mapping[str, str]) -> Route | None:
    """The route of a call that the pipeline can serve; None for any other request. `headers` has lower-case names."""
    if method == "GET":
        key = headers.get("x-goog-api-key") is not None
        return _listed(url, "anthropic-version" in headers, "api-key" in headers, key)
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if method != "POST" or kind != "application/json" or "content-encoding" in headers:
        return None
    return _recognised(url, "anthropic-version" in headers, "api-key" in headers)


def why_unknown(url: str) -> str:
    """Why a request that was not recognised is the vendor's own affair."""
    if ":streamGenerateContent" in url and "alt=sse" not in url:
        return "a stream in the form of a JSON array is told by the vendor alone"
    return "this path is not one that the pipeline knows"


@lru_cache(maxsize=256)  # an SDK sends all of its calls to a few addresses
def _recognised(url: str, anthropic: bool, azure_key: bool) -> Route | None:
    parts = urlsplit(url)
    origin, path = f"{parts.scheme}://{parts.netloc}", parts.path
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    if azure := _AZURE.fullmatch(path):
        return Route("azure", _ENDS[azure["end"]], origin + azure["base"], unquote(azure["model"]), query=query)
    if google := _GOOGLE.fullmatch(path):
        return _google(origin, google, query)
    if anthropic:
        base, found, rest = path.rpartition(_MESSAGES)
        if not found or rest not in {"", _COUNT}:
            return None
        asks: Asks = "count" if rest else "answer"
        return Route("anthropic", "anthropic.messages", origin + base, query=query, asks=asks)
    for end, wire in _ENDS.items():
        if path.endswith(end):
            return Route(_family(azure_key, query), wire, origin + path[: -len(end)], query=query)
    return None


def _family(azure_key: bool, query: tuple[tuple[str, str], ...]) -> Family:
    """Azure, by its header field for the key or its version in the query, or OpenAI's own form."""
    return "azure" if azure_key or any(name == "api-version" for name, _ in query) else "openai"


def _google(origin: str, match: re.Match[str], query: tuple[tuple[str, str], ...]) -> Route | None:
    """A stream in the form of one JSON array is not ours to tell: only server-sent events are."""
    stream = match["method"] == "streamGenerateContent"
    if stream and ("alt", "sse") not in query:
        return None
    if "/publishers/" in match["base"]:  # Vertex AI's own addresses, by project and place
        return None
    model = unquote(match["model"]).removeprefix("models/")
    rest = tuple(item for item in query if item[0] != "alt")
    asks: Asks = "count" if match["method"] == "countTokens" else "answer"
    return Route("google", "google.generate", origin + match["base"], model, stream, rest, asks)


@lru_cache(maxsize=256)
def _listed(url: str, anthropic: bool, azure_key: bool, google_key: bool) -> Route | None:
    """Azure's own list is of base models, which say nothing of what can be called."""
    parts = urlsplit(url)
    query = tuple(parse_qsl(parts.query, keep_blank_values=True))
    match = _MODELS.fullmatch(parts.path)
    if match is None or "/publishers/" in parts.path or "/operations/" in parts.path:  # what Google is still making
        return None
    base, model = f"{parts.scheme}://{parts.netloc}{match['base']}", match["model"] and unquote(match["model"])
    if anthropic:
        return Route("anthropic", "anthropic.messages", base.removesuffix("/v1"), model, False, query, "models")
    if google_key or any(name == "key" for name, _ in query):
        return Route("google", "google.generate", base, model, False, query, "models")
    if _family(azure_key, query) == "azure":
        return None
    return Route("openai", "openai.chat", base, model, False, query, "models")


@lru_cache(maxsize=8)
def _codec(wire: str) -> ChatCodec:
    """Made, and its module imported, when the first call in the format comes."""
    if wire == "anthropic.messages":
        from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec

        return AnthropicMessagesCodec()
    if wire == "google.generate":
        from edgeagent.providers.gemini.codec import GeminiCodec

        return GeminiCodec()
    if wire == "openai.responses":
        from edgeagent.providers.responses.codec import ResponsesCodec

        return ResponsesCodec()
    from edgeagent.providers.openai.codec import OpenAIChatCodec

    return OpenAIChatCodec()
