"""An HTTP request → which vendor API it asks for.

Recognised by method, path and header fields, since any of these APIs may live at any address. What is not recognised is
not ours to understand, and passes through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from edgeagent.providers.base import ChatCodec

__all__ = ["EMBEDDINGS", "Family", "Framing", "Route", "recognise", "why_unknown"]

Family = Literal["openai", "azure", "anthropic", "google"]

_HOSTS: Final[Mapping[str, str]] = {
    "api.openai.com": "openai",
    "api.anthropic.com": "anthropic",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
"""The vendors' own addresses, and their ids as in `Provider.vendor`."""

_OPENAIS_REGIONS: Final = ".api.openai.com"
"""How the hosts of OpenAI's regions end (https://platform.openai.com/docs/guides/your-data#data-residency)."""

_AZURE: Final = re.compile(r"(?P<base>.*/openai)/deployments/(?P<model>[^/]+)(?P<end>/chat/completions|/embeddings)")
_GOOGLE: Final = re.compile(
    r"(?P<base>.*/v1\w*)/(?P<model>(?:models|tunedModels)/.+)"
    r":(?P<method>generateContent|streamGenerateContent|countTokens)"
)
_MODELS: Final = re.compile(r"(?P<base>.*)/models(?:/(?P<model>[^:]+))?")
"""Of all three APIs: the whole list, or one model."""
_FORMS: Final = frozenset({"json", "sse"})
"""Google's forms of an answer that are understood."""
_GENERATE: Final = "google.generate"
EMBEDDINGS: Final = "openai.embeddings"
"""The name of the one format here that is no chat."""

_ENDS: Final[Mapping[str, str]] = {
    "/chat/completions": "openai.chat",
    "/responses": "openai.responses",
    "/embeddings": EMBEDDINGS,
}
_MESSAGES: Final = "/v1/messages"
_COUNT: Final = "/count_tokens"

_ALT: Final = frozenset({"alt", "$alt"})
"""Google's parameter for the form of an answer (https://cloud.google.com/apis/docs/system-parameters)."""

Asks = Literal["answer", "count", "models"]


class Framing(Protocol):
    """Brings the bytes of a stream into another form of the same format."""

    @property
    def media_type(self) -> str:
        """What the form is called."""
        ...

    def feed(self, data: bytes, /) -> bytes:
        """What has become complete."""
        ...

    def end(self, *, told: bool = False) -> bytes:
        """The stream has ended: what is left of it, and the form's own end; `told`: by a fault that it tells itself."""
        ...


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
        array: whether a stream is asked for as one JSON array, not as events.
    """

    family: Family
    wire: str
    base_url: str
    model: str | None = None
    stream: bool | None = None
    query: tuple[tuple[str, str], ...] = ()
    asks: Asks = "answer"
    array: bool = False

    @property
    def vendor(self) -> str | None:
        """The vendor whose own address this is; None for any other server."""
        host = urlsplit(self.base_url).hostname or ""
        return _HOSTS.get(host) or ("openai" if host.endswith(_OPENAIS_REGIONS) else None)

    @property
    def regional(self) -> bool:
        """Whether it is an address of a region: who sent it there wants it nowhere else."""
        return (urlsplit(self.base_url).hostname or "").endswith(_OPENAIS_REGIONS)

    @property
    def codec(self) -> ChatCodec:
        """The format's codec, as the vendor has it; of embeddings, that of errors."""
        return _codec(self.wire)

    @property
    def edits(self) -> tuple[str, ...]:
        """What is changed in the URL for a vendor of the same format."""
        own_form = any(name == "alt" for name, _ in self.query)
        return ("alt sent as sse",) if self.array and not own_form else ()

    def framing(self) -> Framing | None:
        """What gives one streamed answer the form that was asked for; None: the format has only one."""
        if self.wire != _GENERATE:
            return None
        from edgeagent.providers.gemini.framing import ArrayForm, EventsForm

        return ArrayForm() if self.array else EventsForm()


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
    parts = urlsplit(url)
    if _GOOGLE.fullmatch(parts.path) and _alt(tuple(parse_qsl(parts.query)))[0] not in _FORMS:
        return "an answer in this form is told by the vendor alone"
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
    """A call of Google's.

    Vendors are asked for events, whichever form of a stream the caller wants. But how an answer's enumerations are told
    (`json;enum-encoding=int`) is theirs to say, so a form with such an addition is asked for as it is.
    """
    if "/publishers/" in match["base"]:  # Vertex AI's own addresses, by project and place
        return None
    form, given = _alt(query)
    if form not in _FORMS:
        return None
    stream = match["method"] == "streamGenerateContent"
    model = unquote(match["model"]).removeprefix("models/")
    rest = tuple(item for item in query if item[0] not in _ALT)
    if ";" in given:
        rest += (("alt", given),)
    asks: Asks = "count" if match["method"] == "countTokens" else "answer"
    array = stream and form == "json"
    return Route("google", _GENERATE, origin + match["base"], model, stream, rest, asks, array)


def _alt(query: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    """The form in which Google's answer is wanted, without and with additions."""
    given = next((value for name, value in reversed(query) if name in _ALT), "json")
    return given.partition(";")[0].strip().lower(), given


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
        return Route("google", _GENERATE, base, model, False, query, "models")
    if _family(azure_key, query) == "azure":
        return None
    return Route("openai", "openai.chat", base, model, False, query, "models")


@lru_cache(maxsize=8)
def _codec(wire: str) -> ChatCodec:
    """Made, and its module imported, when the first call in the format comes."""
    if wire == "anthropic.messages":
        from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec

        return AnthropicMessagesCodec()
    if wire == _GENERATE:
        from edgeagent.providers.gemini.codec import GeminiCodec

        return GeminiCodec()
    if wire == "openai.responses":
        from edgeagent.providers.responses.codec import ResponsesCodec

        return ResponsesCodec()
    from edgeagent.providers.openai.codec import OpenAIChatCodec

    return OpenAIChatCodec()
