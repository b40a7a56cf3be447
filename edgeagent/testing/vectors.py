"""Made-up but repeatable vectors: equal inputs have equal ones, others point elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import shake_128
from math import sqrt
from typing import Any, Final

from edgeagent.testing.estimate import CHARACTERS_PER_TOKEN
from edgeagent.testing.performing import raise_exception
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest
from edgeagent.wire.json import canonical_json

__all__ = ["DIMENSIONS", "vectors"]

DIMENSIONS: Final = 8
"""How long a made-up vector is, unless the request says."""


def vectors(told: Callable[[EmbeddingRequest], Any] | BaseException | None, request: EmbeddingRequest) -> Any:
    """What a fake was told to answer; by default a vector for each input, and one token for four characters begun."""
    raise_exception(told)
    if callable(told):
        return told(request)
    size = request.dimensions or DIMENSIONS
    data = [{"index": i, "embedding": _vector(item, size)} for i, item in enumerate(request.items)]
    tokens = sum(_tokens(item) for item in request.items)
    return CreateEmbeddingResponse.model_validate(
        {"data": data, "model": request.model, "usage": {"prompt_tokens": tokens, "total_tokens": tokens}}
    )


def _vector(item: Any, size: int) -> list[float]:
    raw = shake_128(canonical_json(item)).digest(size)
    numbers = [byte - 127.5 for byte in raw]
    length = sqrt(sum(number * number for number in numbers))
    return [number / length for number in numbers]


def _tokens(item: Any) -> int:
    return len(item) if isinstance(item, list) else -(-len(str(item)) // CHARACTERS_PER_TOKEN)
