"""What makes two requests the same: the two cache keys.

A key is the SHA-256 of an injective encoding of everything that can change the answer. Four parts, each preceded by its
length and all by the encoding's version: the parameters that count, the candidates, the fingerprint of the policy, the
routing options. `raw_key` stands for the request as the caller wrote it (the memory tier), `shared_key` for what may
leave the process (the flight, disk, Redis); without a shield and routing options the two are equal.

The rules of equality:

- `COUNTS` and `DOES_NOT_COUNT` classify every field of `ChatRequest`, with the reason. An unknown parameter counts.
- A known parameter that is None is the same as an absent one, since neither is sent. None anywhere else is a value: in
  an unknown parameter or inside a message it is sent as `null`. Empty `extra_headers` and `extra_query` are as absent.
- The order of keys in an object never matters; the order of list items (messages, parts, tools, stop) always does.
- A known numeric parameter has its field's type, so `temperature=1` and `1.0` are equal. Inside free JSON (messages,
  tools, unknown parameters) `1` and `1.0` differ, and so do `True` and `1`, `0.0` and `-0.0`: some vendor may tell them
  apart.
- A string and a one-part list of the same text differ; tuples are lists; texts are compared by code point, not
  normalised.
- Header names are compared without case, their values exactly; of two names that differ in case only, the last counts,
  as it does on the wire. The headers of `DOES_NOT_COUNT_HEADERS` are left out.
- Images, sounds and files within a message count by content, however their bytes are spelled: a data URL and another
  one of equal media type and bytes are one, base64 with line breaks and without are one. `edgeagent.cache.media` says
  where and how. An address on the web counts as it is written.
- What JSON cannot hold (NaN, infinities, lone surrogates, objects) has no key: `RequestValidationError`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeAlias

from edgeagent.cache.media import canonical_content, has_parts
from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatRequest
from edgeagent.types.places import place_in
from edgeagent.wire.http import ACCOUNT, names_secret
from edgeagent.wire.json import canonical_json

__all__ = [
    "COUNTS",
    "DOES_NOT_COUNT",
    "DOES_NOT_COUNT_HEADERS",
    "CandidateIdentity",
    "MakeKey",
    "candidate_digest",
    "counting_headers",
    "key_params",
    "make_key",
    "native_key",
    "raw_key",
    "shared_key",
    "unencodable",
]

VERSION: Final = b"edgeagent key 1\n"
"""Changes whenever the same request would get another key, so that old shared entries are never misread."""

COUNTS: Final[Mapping[str, str]] = {
    "model": "another name may mean another model, also within one candidate set",
    "messages": "the prompt",
    "audio": "voice and format of the answer",
    "frequency_penalty": "sampling",
    "function_call": "tools",
    "functions": "tools",
    "logit_bias": "sampling",
    "logprobs": "the answer has them or not",
    "max_completion_tokens": "where the answer is cut",
    "max_tokens": "where the answer is cut",
    "modalities": "text or audio",
    "moderation": "the answer carries its result",
    "n": "how many choices",
    "parallel_tool_calls": "tools",
    "prediction": "changes the usage, and so the cost",
    "presence_penalty": "sampling",
    "reasoning_effort": "how the model thinks",
    "response_format": "the form of the answer",
    "safety_identifier": "the vendor may block by it",
    "seed": "sampling; different seeds are a way to ask for different answers",
    "service_tier": "the answer names it, and it sets the price",
    "stop": "where the answer is cut",
    "store": "a stored answer has an id that can be fetched",
    "temperature": "sampling",
    "tool_choice": "tools",
    "tools": "tools",
    "top_logprobs": "the answer has them",
    "top_p": "sampling",
    "user": "keeps end users apart",
    "verbosity": "how long the answer is",
    "web_search_options": "what the model reads",
    "extra_headers": "a header can change anything, but those that only trace",
    "extra_query": "a query parameter can change anything",
}
"""Fields of `ChatRequest` that are in the key, each with the reason."""

DOES_NOT_COUNT: Final[Mapping[str, str]] = {
    "metadata": "labels for the vendor's dashboard; the model never sees them",
    "prompt_cache_key": "where the vendor looks for a cached prefix, not what it answers",
    "prompt_cache_options": "how the vendor caches the prefix, not what it answers",
    "prompt_cache_retention": "how long the vendor keeps the prefix",
    "stream": "how the answer travels; a streamed and an unstreamed call share",
    "stream_options": "which chunks are shown",
}
"""Fields of `ChatRequest` that are not in the key, each with the reason."""

DOES_NOT_COUNT_HEADERS: Final = frozenset(
    {
        "baggage",
        "correlation-id",
        "idempotency-key",
        "request-id",
        "traceparent",
        "tracestate",
        "user-agent",
        "x-client-request-id",
        "x-correlation-id",
        "x-request-id",
    }
)
"""Headers that say who asks or follow the call, in lower case; besides them every `x-stainless-…`."""

_LENGTHS: Final = struct.Struct(">4Q")

MakeKey: TypeAlias = Callable[[Mapping[str, Any], bytes, bytes, bytes], bytes]
"""What makes a key of its four parts."""


@dataclass(frozen=True, slots=True)
class CandidateIdentity:
    """One target that may answer, as far as it is known before routing.

    `wire` is the codec's name, `endpoint` the URL without query, `model` the name on the wire, `identity` the
    provider's `cache_identity`. `headers` and `query` are those that the provider sends with every request: what of
    them counts beside the credential is found out here.
    """

    wire: str
    endpoint: str
    model: str
    identity: str | None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    query: Mapping[str, object] = field(default_factory=dict)

    def row(self, *, identified: bool) -> list[Any]:
        """What stands for it in the digest; without its credential unless it is `identified`."""
        headers = {k: v for k, v in counting_headers(self.headers).items() if not _tells_who(k)}
        query = {k: str(v) for k, v in self.query.items() if not _tells_who(k.lower())}
        row = [self.wire, self.endpoint, self.model, self.identity if identified else None]
        return [*row, headers, query] if headers or query else row


def _tells_who(name: str) -> bool:
    """Whether a header or a query parameter says who asks."""
    return name in ACCOUNT or names_secret(name)


def candidate_digest(candidates: Sequence[CandidateIdentity], namespace: str | None) -> bytes:
    """The 32 bytes that stand for a model name's candidates, in their order (it sets which is asked first).

    A `namespace` stands in place of the credential identities: callers with different keys share entries within it.
    """
    rows = [candidate.row(identified=namespace is None) for candidate in candidates]
    return sha256(canonical_json([namespace, rows])).digest()


def make_key(params: Mapping[str, Any], candidates: bytes, policy: bytes, routing: bytes) -> bytes:
    """The key of the four parts; of the routing options their canonical JSON. Raises like `raw_key`."""
    try:
        body = canonical_json(params)
    except (ValueError, TypeError, RecursionError):
        raise unencodable(params, "") from None
    lengths = _LENGTHS.pack(len(body), len(candidates), len(policy), len(routing))
    return sha256(b"".join((VERSION, lengths, body, candidates, policy, routing))).digest()


def raw_key(request: ChatRequest, candidates: bytes, policy: bytes = b"", make: MakeKey = make_key) -> bytes:
    """The 32-byte key of the request as the caller wrote it.

    `candidates` is a `candidate_digest`, `policy` the fingerprint of the shield and guard policy; `make` is `make_key`,
    or one that does the same and knows keys from before. Raises `RequestValidationError` for a request that JSON cannot
    hold, `.param` naming the place.
    """
    return make(key_params(request), candidates, policy, b"")


def native_key(
    params: Mapping[str, Any],
    candidates: bytes,
    policy: bytes = b"",
    routing: Mapping[str, Any] | None = None,
    make: MakeKey = make_key,
) -> bytes:
    """The 32-byte key of a call that was made in a vendor's own format: `raw_key` and `shared_key` of such a call.

    `params` is everything that counts, the vendor's body included: `extra_headers` in it are looked at as those of a
    request. Another format is another key, since the entry holds the answer in it. Raises like `raw_key`.
    """
    counting = {**params, "extra_headers": counting_headers(params.get("extra_headers") or {})}
    return make({"native": counting}, candidates, policy, _routing(routing))


def shared_key(
    request: ChatRequest, candidates: bytes, policy: bytes = b"", routing: Mapping[str, Any] | None = None
) -> bytes:
    """The 32-byte key of the (masked) request as the flight and the shared tiers know it. Raises like `raw_key`."""
    return make_key(key_params(request), candidates, policy, _routing(routing))


def _routing(routing: Mapping[str, Any] | None) -> bytes:
    if not routing:
        return b""
    try:
        return canonical_json(routing)
    except (ValueError, TypeError, RecursionError):
        raise unencodable(routing, "edge") from None


def key_params(request: ChatRequest) -> dict[str, Any]:
    """What of the request counts, as JSON values; requests that are equal in this are one request."""
    values = request.__dict__
    given = request.__pydantic_fields_set__  # as `model_fields_set`, without a call
    params = {k: values[k] for k in given if values.get(k) is not None and k not in DOES_NOT_COUNT}
    if has_parts(request.messages):
        params["messages"] = canonical_content(request.messages)
    if request.__pydantic_extra__:
        params.update(request.__pydantic_extra__)
    if "extra_headers" in params:
        headers = counting_headers(params.pop("extra_headers"))
        if headers:
            params["extra_headers"] = headers
    if params.get("extra_query", True) == {}:
        del params["extra_query"]
    return params


def counting_headers(headers: Mapping[str, str | None]) -> dict[str, str | None]:
    """Those of the caller's headers that are part of a key, by lower-case name."""
    lowered = {name.lower(): value for name, value in headers.items()}
    return {
        name: value
        for name, value in lowered.items()
        if name not in DOES_NOT_COUNT_HEADERS and not name.startswith("x-stainless-")
    }


def unencodable(value: Any, path: str) -> RequestValidationError:
    """The error for the first place in `value` that JSON cannot hold."""
    place = path
    while (inner := next(_unencodable_parts(value, place), None)) is not None:
        place, value = inner
        if place.count(".") + place.count("[") > 64:  # circular, or nested beyond sense
            break
    return RequestValidationError(
        f"{place or 'The request'} cannot be sent as JSON: NaN, infinities, lone surrogates, circular values, "
        f"Python objects and what is nested deeper than 200 levels have no JSON form (found {type(value).__name__}).",
        param=place or None,
    )


def _unencodable_parts(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The direct parts of `value` that cannot be encoded, with their places."""
    parts: Iterator[tuple[str, Any]] = iter(())
    if isinstance(value, Mapping):
        parts = ((place_in(path, str(name)), part) for name, part in value.items())
    elif isinstance(value, list | tuple):
        parts = ((place_in(path, index), part) for index, part in enumerate(value))
    return ((place, part) for place, part in parts if not _encodable(part))


def _encodable(value: Any) -> bool:
    try:
        canonical_json(value)
    except (ValueError, TypeError, RecursionError):
        return False
    return True
