"""How many input tokens a request has, at a model: estimated, corrected by what providers report, with its error."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial
from typing import Any, Final, Protocol, TypeAlias

from edgeagent.errors import ConfigurationError
from edgeagent.tokens.calibration import Calibration
from edgeagent.tokens.families import family_of
from edgeagent.tokens.script import text_tokens
from edgeagent.tokens.size import Size, size_of
from edgeagent.types import AnyRequest

__all__ = ["Counter", "Encoder", "Estimate", "TokenEstimator"]


class Encoder(Protocol):
    """A tokenizer of the caller's: tiktoken's `Encoding`, or `Tokenizer` of `tokenizers`."""

    def encode(self, text: str, /) -> Any:
        """A sequence as long as there are tokens."""
        ...


Counter: TypeAlias = Callable[[str], int] | Encoder
"""A function from a text to its number of tokens, or a tokenizer."""

REMEMBERED: Final = 1024
"""How many models are calibrated; names come from callers and must not grow memory without end."""
SETTLED: Final = 16
"""After so many answers of a model only every `EVERY`th request is measured for calibration alone."""
EVERY: Final = 8

_UNSURE: Final = 0.25
_UNSURE_WITH_MORE: Final = 0.6  # tools and media
_COUNTED: Final = 0.1  # by a tokenizer of the caller's


@dataclass(frozen=True, slots=True)
class Estimate:
    """Input tokens: what is expected, and the relative error that has been seen (0.1: a tenth)."""

    tokens: int
    error: float
    at_most: int
    """What the true number will hardly exceed: the error three times, and never more than the bytes allow."""

    @property
    def at_least(self) -> int:
        """What the true number will hardly be below."""
        return int(self.tokens / (1 + 3 * self.error))


class TokenEstimator:
    """Estimates for every model, each corrected by that model's own answers. Thread-safe.

    Args:
        counters: what counts a text instead of the estimate by script: one for all models, or by pattern of
            `"vendor/model"` (`"openai/gpt-4o*"`), the first that matches.

    Raises:
        ConfigurationError: a counter is neither callable nor has an `encode`.
    """

    def __init__(self, counters: Counter | Mapping[str, Counter] | None = None) -> None:
        by_pattern = counters if isinstance(counters, Mapping) else {} if counters is None else {"*": counters}
        self._counters = [(pattern, _counting(counter)) for pattern, counter in by_pattern.items()]
        self._models: dict[tuple[str, bool, bool], Calibration] = {}
        self._answers: dict[str, int] = {}
        self._lock = threading.Lock()

    def size(self, request: AnyRequest, model: str) -> Size:
        """Measure a request for `model` (`"vendor/model"`). Without counters the same for every model."""
        return size_of(request, self._counter(model))

    @property
    def alike(self) -> bool:
        """Whether one measure of a request is good for every model: no counter was given."""
        return not self._counters

    def estimate(self, size: Size, model: str) -> Estimate:
        """The input tokens of a request of that size at `model` (`"vendor/model"`)."""
        raw = family_of(model).tokens(size)
        found = self._models.get(_key(size, model))
        tokens, error = (raw, self._unsure(size, model)) if found is None else (found(raw), found.error)
        bound = int(4 * size.characters + 2 * (raw - size.text)) + 64
        at_most = min(int(tokens * (1 + 3 * error)) + 16, max(bound, int(tokens)))
        return Estimate(round(tokens), error, at_most)

    def observe(self, size: Size, model: str, prompt_tokens: int) -> None:
        """Learn what the provider counted. Numbers below 1 say nothing."""
        if prompt_tokens < 1:
            return
        raw = family_of(model).tokens(size)
        key = _key(size, model)
        with self._lock:
            found = self._models.get(key)
            if found is None:
                if len(self._models) >= REMEMBERED:
                    del self._models[next(iter(self._models))]
                found = self._models[key] = Calibration(self._unsure(size, model))
            found.observe(raw, prompt_tokens)

    def wants(self, model: str) -> bool:
        """Whether the answer that has come from a model is worth measuring its request, if nobody has yet."""
        if len(self._answers) >= REMEMBERED:
            self._answers.clear()
        number = self._answers[model] = self._answers.get(model, 0) + 1
        return number <= SETTLED or number % EVERY == 0

    def after_fork(self) -> None:
        """In the child: no lock is held by a thread that does not exist here."""
        self._lock = threading.Lock()

    def _unsure(self, size: Size, model: str) -> float:
        if size.tool_count or size.media:
            return _UNSURE_WITH_MORE
        return _UNSURE if self._counter(model) is text_tokens else _COUNTED

    def _counter(self, model: str) -> Callable[[str], float]:
        for pattern, counter in self._counters:
            if fnmatchcase(model, pattern):
                return counter
        return text_tokens


def _key(size: Size, model: str) -> tuple[str, bool, bool]:
    return model, size.tool_count > 0, size.media > 0


def _counting(counter: Any) -> Callable[[str], float]:
    encode = getattr(counter, "encode", None)
    if callable(encode):
        return partial(_encoded, encode)
    if callable(counter):
        counted: Callable[[str], float] = counter
        return counted
    raise ConfigurationError(
        f"tokens: a counter is a function from text to a number, or has encode(); got {type(counter).__name__}."
    )


def _encoded(encode: Callable[[str], Any], text: str) -> float:
    return len(encode(text))
