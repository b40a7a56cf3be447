"""A caller's own pattern as a detector."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from inspect import iscoroutinefunction
from typing import Final

from edgeagent.errors import ConfigurationError
from edgeagent.shield.base import Match

__all__ = ["Pattern"]

_BEFORE: Final = 60
_AFTER: Final = 36


@dataclass(frozen=True, slots=True)
class Pattern:
    """Finds what a regular expression fits and, where they are given, a validator and context words bear out.

    Args:
        name: the type of the matches (`EMPLOYEE_ID`).
        regex: a pattern of Python's `re`; where it has a group `value`, that is the match.
        validator: is given the value and tells whether it is one (a check digit).
        context: words of which one must stand near: within 60 code points before the value, or 36 behind it; upper and
            lower case are the same.
        score: how sure a match is, above 0 and at most 1.

    Raises:
        ConfigurationError: an empty name, a regex that does not compile or fits the empty text, a validator that is no
            function or is async, context that is no list of words, a score out of range.
    """

    name: str
    regex: str
    validator: Callable[[str], bool] | None = None
    context: Sequence[str] = ()
    score: float = 0.9
    _compiled: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _words: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.name or not isinstance(self.name, str):
            raise ConfigurationError("Pattern: 'name' is empty or no text; give the type that matches are to have.")
        if not isinstance(self.score, int | float) or not 0 < self.score <= 1:
            raise ConfigurationError(
                f"Pattern {self.name!r}: 'score' must be above 0 and at most 1, not {self.score!r}."
            )
        if isinstance(self.context, str):
            raise ConfigurationError(f"Pattern {self.name!r}: 'context' is a list of words, not one text.")
        if not isinstance(self.context, Collection) or not all(isinstance(word, str) and word for word in self.context):
            raise ConfigurationError(f"Pattern {self.name!r}: 'context' is a list of words, none of them empty.")
        if self.validator is not None and not callable(self.validator):
            raise ConfigurationError(f"Pattern {self.name!r}: 'validator' is a function.")
        if iscoroutinefunction(self.validator):  # what it gives is true, whatever it will say
            raise ConfigurationError(f"Pattern {self.name!r}: 'validator' must not be async.")
        object.__setattr__(self, "_compiled", _compiled(self.name, self.regex))
        object.__setattr__(self, "_words", tuple(word.lower() for word in self.context))

    @property
    def repeatable(self) -> bool:
        """Whether it finds the same each time: what a validator says may depend on anything."""
        return self.validator is None

    def find(self, text: str, /) -> list[Match]:
        """The matches in order."""
        group = "value" if "value" in self._compiled.groupindex else 0
        return [
            Match(self.name, *found.span(group), self.score, self.name)
            for found in self._compiled.finditer(text)
            if found[group] and self._holds(text, found[group], *found.span(group))
        ]

    def _holds(self, text: str, value: str, start: int, end: int) -> bool:
        if self._words:
            near = f"{text[max(0, start - _BEFORE) : start]}\n{text[end : end + _AFTER]}".lower()
            if not any(word in near for word in self._words):
                return False
        return self.validator is None or bool(self.validator(value))

    def __reduce__(self) -> tuple[type[Pattern], tuple[object, ...]]:
        return Pattern, (self.name, self.regex, self.validator, self.context, self.score)


def _compiled(name: str, regex: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(regex)
        fits_nothing = compiled.fullmatch("") is not None
    except (re.error, TypeError) as error:
        raise ConfigurationError(f"Pattern {name!r}: 'regex' is not a regular expression: {error}.") from error
    if fits_nothing:
        raise ConfigurationError(f"Pattern {name!r}: 'regex' fits the empty text; it must take at least one character.")
    return compiled
