"""An SDK's HTTP request → a call of the pipeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic_core import from_json

from edgeagent.core.call import CallOptions
from edgeagent.core.embedding import Embeddings
from edgeagent.core.native import Native
from edgeagent.core.pipeline import Pipeline
from edgeagent.errors import EdgeAgentError, RequestValidationError
from edgeagent.transports.addressing import Address, Addresses, credential_of
from edgeagent.transports.fields import is_credential
from edgeagent.transports.heads import Head, Heads
from edgeagent.transports.wires import Route, recognise
from edgeagent.types import ChatRequest, EmbeddingRequest
from edgeagent.types.embedding import embedding_request

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient

__all__ = [
    "Asked",
    "AskedVectors",
    "Incoming",
    "NotUnderstoodError",
    "embedding_understood",
    "incoming",
    "read",
    "understood",
]


class NotUnderstoodError(Exception):
    """The vendor is to see the request as it is; the text says why."""


class Incoming(NamedTuple):
    """What an HTTP library was asked to send, but for the body.

    `timeout` is as the HTTP library has it.
    """

    method: str
    url: str
    head: Head
    timeout: Mapping[str, float | None] | None

    @property
    def headers(self) -> Mapping[str, str]:
        """The header fields by lower-case name, but for the length of the body."""
        return self.head.headers

    @property
    def route(self) -> Route | None:
        """Where it goes, if that is one of the formats."""
        return recognise(self.method, self.url, self.headers)

    @property
    def repeated(self) -> bool:
        """Whether the SDK says that it sends this again."""
        return self.headers.get("x-stainless-retry-count", "0") != "0"


class Asked(NamedTuple):
    """A call of the pipeline, as a request of an SDK means it."""

    pipeline: Pipeline
    request: ChatRequest
    native: Native
    options: CallOptions
    stream: bool
    route: Route


class AskedVectors(NamedTuple):
    """A call for embeddings, as a request of an SDK means it."""

    pipeline: Embeddings
    request: EmbeddingRequest
    options: CallOptions


def incoming(heads: Heads, request: Any) -> Incoming:
    """Read a request of httpx or httpx2."""
    timeout = request.extensions.get("timeout")
    return Incoming(request.method, str(request.url), heads.find(request.headers.raw, timeout), timeout)


def understood(
    client: EdgeClient | AsyncEdgeClient, addresses: Addresses, came: Incoming, route: Route, content: bytes
) -> Asked:
    """The call that a request means.

    Raises:
        NotUnderstoodError: nobody but the vendor can tell what is meant.
        RequestValidationError: it is wrong, and no vendor of the format is asked.
    """
    options, body, model, address = read(client, addresses, came, route, content)
    stream = bool(body.get("stream")) if route.stream is None else route.stream
    vendor = route.vendor if address.provider is None else address.provider.vendor
    query = {name: value for name, value in route.query if not is_credential(name)}
    native = Native(
        route.codec,
        body,
        {**client.default_headers, **came.head.inward},
        {**client.default_query, **query},
        vendor,
        content=content,
    )
    try:
        request = route.codec.decode_request({**body, "model": model} if route.family == "azure" else body)
    except RequestValidationError:
        if _meant_for_the_vendor(address, native, model, options):
            raise NotUnderstoodError("the body has a form that only the vendor may know") from None
        raise
    changes: dict[str, Any] = {}
    if request.model != model or bool(request.stream) != stream:
        changes = {"model": model, "stream": stream or None}
    if request.store and not body.get("store"):  # what the API does unasked is no reason not to cache
        changes["store"] = None
    if changes:
        request = request.model_copy(update=changes)
    return Asked(address.pipeline, request, native, options, stream, route)


def embedding_understood(
    client: EdgeClient | AsyncEdgeClient, addresses: Addresses, came: Incoming, route: Route, content: bytes
) -> AskedVectors:
    """The call for embeddings that a request means. Raises like `understood`."""
    options, body, model, address = read(client, addresses, came, route, content)
    known = {name: value for name, value in body.items() if name in EmbeddingRequest.model_fields}
    extra = {name: value for name, value in body.items() if name not in known}
    try:
        request = embedding_request({**known, "model": model}, extra)
    except RequestValidationError:
        if address.provider is not None and not address.pipeline.targets.explains(model):
            raise NotUnderstoodError("the body has a form that only the vendor may know") from None
        raise
    pipeline = Embeddings.beside(address.pipeline)
    pipeline.flights = client._engine.here().flows(Embeddings).flights  # shared with every other call of the client
    return AskedVectors(pipeline, request, options)


def read(
    client: EdgeClient | AsyncEdgeClient, addresses: Addresses, came: Incoming, route: Route, content: bytes
) -> tuple[CallOptions, dict[str, Any], str, Address]:
    """What every call says: its options, its body, its model, whom it was sent to."""
    options = came.head.options(client.options)
    body = _body(content)
    model = route.model if route.model is not None else body.get("model")
    if not isinstance(model, str):
        raise NotUnderstoodError("the body names no model")
    credential = credential_of(came.headers, route.query)
    address = addresses.find(client._engine.here().pipeline, route, credential, came.head.account)
    if address.provider is None and not address.pipeline.targets.explains(model):
        raise NotUnderstoodError("the client has no provider for this address and model")
    return options, body, model, address


def _body(content: bytes) -> dict[str, Any]:
    try:
        body = from_json(content)
    except ValueError:
        raise NotUnderstoodError("the body is not JSON") from None
    if not isinstance(body, dict):
        raise NotUnderstoodError("the body is no JSON object")
    return body


def _meant_for_the_vendor(address: Address, native: Native, model: str, options: CallOptions) -> bool:
    """Whether the server that the call was sent to is the one that answers it, under the name that it was given."""
    if address.provider is None:
        return False
    targets = address.pipeline.targets
    try:
        candidates = targets.candidates(model, options.fallbacks, options.cache.namespace, native.wire)
    except EdgeAgentError:
        return False
    passing = targets.passing(native, candidates)
    return any(target.provider == address.provider.name and target.model == model for target in passing)
