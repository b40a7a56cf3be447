"""What makes two embeddings the same: a key for each input of a request, by the rules of `key`.

A key is the SHA-256 of an injective encoding of what counts in the request besides its inputs, the candidates, the
policy and the routing, followed by one input. So an input has the same key in whatever batch it stands, alone or not.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from edgeagent.cache.key import counting_headers, unencodable
from edgeagent.types import EmbeddingRequest
from edgeagent.wire.json import canonical_json

__all__ = ["COUNTS", "DOES_NOT_COUNT", "flight_key", "input_keys", "shares_entries"]

VERSION: Final = b"edgeagent embedding key 1\n"
"""Changes whenever the same input would get another key."""

COUNTS: Final[Mapping[str, str]] = {
    "model": "another name may mean another model, also within one candidate set",
    "input": "each input is in its own key",
    "dimensions": "how long the vector is",
    "user": "keeps end users apart",
    "input_type": "queries and documents are embedded differently",
    "extra_headers": "a header can change anything, but those that only trace",
    "extra_query": "a query parameter can change anything",
}
"""Fields of `EmbeddingRequest` that are in the key, each with the reason."""

DOES_NOT_COUNT: Final[Mapping[str, str]] = {
    "encoding_format": "how the vector travels; numbers and base64 are one vector (a vendor's own form does count)",
}
"""Fields of `EmbeddingRequest` that are not in the key, each with the reason."""

_LENGTHS: Final = struct.Struct(">4Q")


def shares_entries(encoding_format: str | None) -> bool:
    """Whether vectors of this form are numbers, which can be told in the others of these forms too."""
    return encoding_format in (None, "float", "base64")


def input_keys(
    request: EmbeddingRequest, candidates: bytes, policy: bytes = b"", routing: Mapping[str, Any] | None = None
) -> list[bytes]:
    """The 32-byte keys of the inputs, in their order.

    `candidates` is a `key.candidate_digest`, `policy` the fingerprint of the policy. Raises `RequestValidationError`
    for a request that JSON cannot hold, `.param` naming the place.
    """
    params = _params(request)
    try:
        body, options = canonical_json(params), canonical_json(routing) if routing else b""
    except (ValueError, TypeError, RecursionError):
        raise unencodable({**params, "edge": routing}, "") from None
    lengths = _LENGTHS.pack(len(body), len(candidates), len(policy), len(options))
    common = sha256(b"".join((VERSION, lengths, body, candidates, policy, options)))
    keys = []
    for index, item in enumerate(request.items):
        one = common.copy()
        try:
            one.update(canonical_json(item))
        except (ValueError, TypeError, RecursionError):
            raise unencodable(item, "input" if request.input is item else f"input[{index}]") from None
        keys.append(one.digest())
    return keys


def flight_key(keys: list[bytes]) -> bytes:
    """What identical requests have in common: the same inputs in the same order."""
    return sha256(b"".join((VERSION, b"flight\n", *keys))).digest()


def _params(request: EmbeddingRequest) -> dict[str, Any]:
    """What of the request counts besides its inputs."""
    params = request.params()
    del params["input"]
    if shares_entries(request.encoding_format):
        params.pop("encoding_format", None)
    headers = counting_headers(request.extra_headers or {})
    if headers:
        params["extra_headers"] = headers
    if request.extra_query:
        params["extra_query"] = request.extra_query
    return params
