"""What a provider is.

Three kinds, from most to least common:

- an HTTP vendor: an object of `HTTPProvider`, which has a codec for each model (pure functions between our model and
  the vendor's wire format, in both directions) and knows URL, credential and capabilities. It does no I/O.
- any object with a `name` and at least one of `complete`, `acomplete`, `stream`, `astream` (`DirectProvider`): a fake,
  a local model, a wrapper of the caller's own.

No base class is needed; these are protocols.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Literal, Protocol, TypeAlias, TypeVar, get_args, runtime_checkable

from edgeagent.errors import APIStatusError
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from edgeagent.wire.json import dump_json

__all__ = [
    "ALL_CAPABILITIES",
    "Capabilities",
    "ChatCodec",
    "Credential",
    "DirectProvider",
    "Encoded",
    "FaultEncoder",
    "Feature",
    "ForOthersCodec",
    "HTTPProvider",
    "NativeCodec",
    "NativeStreamCodec",
    "Promise",
    "Provider",
    "Route",
    "StreamDecoder",
    "StreamEncoder",
    "StreamFilter",
]

Feature = Literal[
    "tools",
    "vision",
    "documents",
    "file_urls",
    "audio",
    "video",
    "json_schema",
    "n",
    "logprobs",
    "stop",
    "streaming",
    "reasoning",
]
"""`file_urls`: documents that the vendor fetches itself (`file.file_url`)."""

Credential: TypeAlias = str | Callable[[], Any | Awaitable[Any]] | None
"""A static key, a function (sync or async) that gives the current one, or None where none is needed.

What a function gives is text for most vendors; one that signs its requests says what it takes instead.
"""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a target can do with a request; a target that lacks something the request asks for is not tried."""

    features: frozenset[Feature]
    context_window: int | None = None
    """Input and output together, in tokens; None when not known."""
    max_output: int | None = None
    parts: frozenset[str] = frozenset()
    """Types of content parts beyond OpenAI's that its codec passes on: the vendor's own."""
    efforts: tuple[str, ...] | None = None
    """The only values of `reasoning_effort` that it takes, least first; None: not known, or its codec sees to it."""
    sampled: tuple[str | None, ...] | None = None
    """Beside which efforts (None: none given) it takes temperature, top_p and penalties; None: beside any, or its codec
    sees to it."""
    refused: frozenset[str] = frozenset()
    """Advisory parameters that it refuses; it is not told them in another's place."""
    hottest: float | None = None
    """The highest temperature that it takes; None: OpenAI's, or not known."""


ALL_CAPABILITIES: Final = Capabilities(frozenset(get_args(Feature)))


PLAIN: Final = "edgeagent_plain"
"""A member of `json_schema` beside the schema of a text that is wanted as it is, not as JSON. Nobody is sent it."""


@dataclass(frozen=True, slots=True)
class Promise:
    """A JSON Schema that `strict` promised the caller, where the vendor was asked for something weaker.

    The pipeline checks the answer against it. `tool` names the tool whose arguments it describes; None: the content.
    `plain` content is a text that the schema describes, and not its JSON.
    """

    schema: Mapping[str, Any]
    tool: str | None = None
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request in the vendor's form.

    `dropped` names the advisory parameters that this vendor has no place for; `edits` says in words what was changed
    beyond plain translation (a default the vendor requires, a tool forced to get structured output).
    """

    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    promises: tuple[Promise, ...] = ()
    """What has to be checked on the answer."""
    written: tuple[Mapping[str, Any], bytes] | None = field(default=None, repr=False)
    """A body and its JSON, as a caller wrote it."""

    def content(self) -> bytes:
        """The body as JSON: the caller's own bytes if nothing of it was changed."""
        if self.written is not None and self.written[0] == self.body:
            return self.written[1]
        return dump_json(self.body)


C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Route(Generic[C]):
    """How a vendor is asked something that is no chat."""

    codec: C
    path: str
    """Below the provider's base URL."""


class StreamDecoder(Protocol):
    """Bytes of a streamed answer → chunks. One object per stream.

    `feed` and `end` raise what the stream itself says went wrong (an error event → the typed error of
    `decode_error`), and `ResponseValidationError` for bytes that are not the documented format. `end` is called when
    the connection has ended in an orderly way; it raises `APIConnectionError` if the format says that more had to come.
    """

    def feed(self, data: bytes, /) -> list[ChatCompletionChunk]:
        """Decode what has become complete."""
        ...

    def end(self) -> list[ChatCompletionChunk]:
        """The connection has ended: the chunks that were held back."""
        ...

    @property
    def finished(self) -> bool:
        """Whether the format's own end of stream was seen (`[DONE]`, `message_stop`), or `end` has a fault to raise:
        nothing more is waited for."""
        ...


class StreamEncoder(Protocol):
    """Chunks → the vendor's streamed bytes: the inverse of a `StreamDecoder`. One object per stream."""

    def feed(self, chunk: ChatCompletionChunk, /) -> bytes:
        """Encode one chunk (possibly to nothing yet)."""
        ...

    def end(self) -> bytes:
        """Encode the end of the stream."""
        ...


class FaultEncoder(StreamEncoder, Protocol):
    """A stream's encoder in a format that can say that the stream has broken off."""

    def fault(self, error: APIStatusError, /) -> bytes:
        """The event that ends the stream with an error."""
        ...


class ChatCodec(Protocol):
    """One vendor API's wire format, both directions, without I/O.

    A codec with a true attribute `takes_functions` is given OpenAI's older `functions` as they are; any other is asked
    with tools in their place, and its answers are turned back.

    A codec with a method `continues(model)` that is true of a model takes a conversation that ends with the beginning
    of an answer, and is answered with the rest of it.

    A codec with a method `concluded(completion, request)` is told what was asked once a whole answer is decoded: for a
    vendor whose answers do not say why they ended. It changes the completion in place.
    """

    @property
    def wire(self) -> str:
        """Its name, as in `"openai.chat"` or `"anthropic.messages"`."""
        ...

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the vendor's body for `model`. Raises `RequestValidationError` for what the vendor refuses."""
        ...

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer → our completion. Raises `ResponseValidationError`, or an `APIStatusError` that a 200 hides."""
        ...

    def stream_decoder(self, request: ChatRequest, head: HTTPResponse | None = None) -> StreamDecoder:
        """A decoder for one streamed answer to `request`.

        `head` is the answer as far as it is known: status and header fields, no content. Its content type tells a
        stream from one JSON document, with which some servers answer a streaming request. None: the usual stream.
        """
        ...

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error, by status and vendor code. Never raises."""
        ...

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """The vendor's body → our request. Raises `RequestValidationError`."""
        ...

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the vendor's body."""
        ...

    def stream_encoder(self) -> StreamEncoder:
        """An encoder for one streamed answer."""
        ...

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → the vendor's own error JSON and status."""
        ...


class StreamFilter(Protocol):
    """Bytes of a stream → the bytes that its caller is to see. One object per stream."""

    def feed(self, data: bytes, /) -> bytes:
        """What may be shown."""
        ...

    def end(self) -> bytes:
        """The stream has ended: what was held back."""
        ...


class NativeCodec(ChatCodec, Protocol):
    """A codec that can pass on what a caller wrote in its own format, and what the vendor answered."""

    @property
    def is_dialect(self) -> bool:
        """Whether its servers read the format in a way of their own: they are passed only what was meant for them."""
        ...

    def encode_native(self, body: Mapping[str, Any], *, model: str, stream: bool) -> Encoded:
        """The caller's body for `model`: a copy with no more than the edits that it lists."""
        ...

    def native_filter(self, body: Mapping[str, Any]) -> StreamFilter | None:
        """What takes out of a stream that answers `encode_native` what the caller of `body` did not ask to see."""
        ...

    def native_document(self, stream: bytes) -> bytes | None:
        """The JSON document that a whole stream tells, exactly as the vendor would have sent it; None if unknown."""
        ...


class NativeStreamCodec(NativeCodec, Protocol):
    """A native codec whose streams can be told from its documents."""

    def native_stream(self, document: bytes) -> bytes | None:
        """The stream that tells a whole answer, its end exactly; None if it cannot be told."""
        ...


class ForOthersCodec(ChatCodec, Protocol):
    """A codec whose decoded requests hold what only its own format knows."""

    def for_others(self, request: ChatRequest, body: Mapping[str, Any]) -> tuple[ChatRequest, tuple[str, ...]]:
        """The request that `body` was decoded to as any codec takes it, and the names of what was dropped.

        Raises `RequestValidationError` for what only a vendor of this format can do.
        """
        ...


@runtime_checkable
class HTTPProvider(Protocol):
    """A vendor reached over HTTP. Pure: it says what to send and reads what came, the pipeline does the sending.

    One whose models can be asked in another format than their usual one, too, has `in_format(wire)`: the provider as it
    is asked in that format, or None.
    """

    name: str
    vendor: str
    """The vendor's id in telemetry (`gen_ai.provider.name`) and in the price table: `openai`, `anthropic`."""
    api_key: Credential
    http_client: Any
    """The caller's own httpx or httpx2 client for this provider, or None."""

    @property
    def cache_identity(self) -> str | None:
        """What stands for the credential in cache keys; None turns the shared tiers off (rotating credentials)."""
        ...

    def codec_for(self, model: str) -> ChatCodec:
        """The wire format in which `model` is asked: most vendors have one, some several."""
        ...

    def knows(self, model: str) -> bool:
        """Whether this is an exact model name that the provider is known to serve."""
        ...

    def family(self, model: str) -> bool:
        """Whether the name looks like one of this vendor's (`gpt-…`, `claude-…`)."""
        ...

    def capabilities(self, model: str) -> Capabilities:
        """What the model can do, as far as it is known; unknown models can do everything."""
        ...

    def endpoint(self, model: str) -> str:
        """The URL without query that chat requests for `model` go to (part of the cache identity)."""
        ...

    def http_request(
        self,
        encoded: Encoded,
        credential: Any,
        *,
        model: str,
        stream: bool,
        extra_headers: Mapping[str, str | None] | None = None,
        extra_query: Mapping[str, Any] | None = None,
    ) -> HTTPRequest:
        """The whole HTTP request. Raises `AuthenticationError` when a needed credential is missing."""
        ...


@runtime_checkable
class DirectProvider(Protocol):
    """Anything that answers by itself: a `name`, and one or more of the methods below.

    - `complete(request)`, `async acomplete(request)`: return a `ChatCompletion`, a dict of one, or the answer's text.
    - `stream(request)`, `astream(request)`: yield `ChatCompletionChunk`s, dicts of them, or pieces of text.

    - `embed(request)`, `async aembed(request)`: return a `CreateEmbeddingResponse`, a dict of one, or the vectors.
    - `rerank(request)`, `arerank(request)`: return a `RerankResponse` or a dict of one.
    - `moderate(request)`, `amoderate(request)`: return a `ModerationCreateResponse` or a dict of one.

    The first that fits the call is used, its own kind first: a sync streaming call takes `stream`, then `astream`, then
    `complete`, then `acomplete`. What only streams is joined for a call that does not. Optional attributes are read
    where present: `models` (names it serves), `cache_identity`, `capabilities(model)`, `vendor`, `service_tier` (what
    all of it is billed in, as `batch`), `continues` (a
    conversation that ends with the beginning of an answer is answered with the rest of it), and `prefers_stream`: whole
    answers are joined from the stream too, since a stream that is given up is closed, a call only forgotten.
    """

    name: str


Provider: TypeAlias = HTTPProvider | DirectProvider
