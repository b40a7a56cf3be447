"""How many output tokens a model's answers have had: what the next one is expected to have."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["DEFAULT_OUTPUT", "OutputLengths"]

DEFAULT_OUTPUT: Final = 300
"""Tokens expected of a model that has not answered yet."""

_RATE: Final = 0.1
_REMEMBERED: Final = 1024


class OutputLengths:
    """Decayed means per model, of logarithms: one very long answer does not make every call look dear."""

    def __init__(self) -> None:
        self._means: dict[str, float] = {}

    def expected(self, model: str, limit: int | None = None) -> int:
        """Output tokens of the next answer of `model` (`"vendor/model"`), `limit` at most."""
        mean = self._means.get(model)
        tokens = DEFAULT_OUTPUT if mean is None else round(math.exp(mean))
        return tokens if limit is None else min(tokens, limit)

    def observe(self, model: str, tokens: int) -> None:
        """Learn from one answer."""
        seen = math.log(max(tokens, 1))
        mean = self._means.get(model)
        if mean is None and len(self._means) >= _REMEMBERED:
            self._means.clear()
        self._means[model] = seen if mean is None else mean + (seen - mean) * _RATE
