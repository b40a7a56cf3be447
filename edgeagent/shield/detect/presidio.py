"""Names, places and organisations, by Microsoft's Presidio and the language model that it loads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from threading import Lock
from typing import Any, Final

from edgeagent.errors import ConfigurationError
from edgeagent.shield.base import Match

__all__ = ["PresidioDetector"]

_NAMES: Final = ("PERSON", "LOCATION", "ORGANIZATION", "NRP")


class PresidioDetector:
    """Finds what only a model can: persons, places, organisations. Needs the extra `presidio`; loaded at first use.

    Presidio's own patterns are left out unless asked for: those of this package are better and faster.

    Args:
        entities: the types to look for, by Presidio's names.
        language: of the texts, as an ISO 639-1 code.
        threshold: matches with a lower score are dropped.
        engine: an `AnalyzerEngine` of the caller's own, with the models that he wants; default: Presidio's default
            one, whose spaCy model must be installed (`python -m spacy download en_core_web_lg`).

    Raises:
        ConfigurationError: at the first text, if presidio-analyzer is not installed, or the engine knows none of the
            entities in this language.
    """

    name: Final = "presidio"

    def __init__(
        self,
        entities: Sequence[str] = _NAMES,
        *,
        language: str = "en",
        threshold: float = 0.5,
        engine: Any = None,
    ) -> None:
        self._entities = list(entities)
        self._language = language
        self._threshold = threshold
        self._given = engine
        self.repeatable = engine is None
        """Whether it finds the same each time: an engine of the caller's may be given other recognizers."""
        self._engine: Any = None
        self._start()

    def _start(self) -> None:
        self._lock = Lock()
        self._pid = os.getpid()

    def find(self, text: str, /) -> list[Match]:
        """The matches in order of place."""
        if not text.strip():
            return []
        results = self._loaded().analyze(
            text=text, language=self._language, entities=self._entities, score_threshold=self._threshold
        )
        found = [Match(str(r.entity_type), int(r.start), int(r.end), float(r.score), self.name) for r in results]
        return sorted(found, key=lambda match: (match.start, -match.end))

    def _loaded(self) -> Any:
        if self._pid != os.getpid():  # another thread may have been loading the model when the process forked
            self._start()
        with self._lock:
            if self._engine is None:
                engine = self._given if self._given is not None else _default_engine()
                self._check(engine)
                self._engine = engine
            return self._engine

    def _check(self, engine: Any) -> None:
        """Presidio's own error for this is a `ValueError` in the middle of a call."""
        if not hasattr(engine, "get_supported_entities"):
            return
        try:
            known = engine.get_supported_entities(language=self._language)
        except ValueError:
            known = []
        if not set(known) & set(self._entities):
            raise ConfigurationError(
                f"PresidioDetector: the engine finds none of {', '.join(self._entities)} in the language "
                f"{self._language!r}. Give it a recognizer or a model that does, or other entities= or language=."
            )

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_engine": None, "_lock": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._start()


def _default_engine() -> Any:
    try:
        from presidio_analyzer import AnalyzerEngine
    except ImportError as error:
        raise ConfigurationError(
            "PresidioDetector needs presidio-analyzer: pip install 'edgeagent[presidio]', and a spaCy model: "
            "python -m spacy download en_core_web_lg."
        ) from error
    return AnalyzerEngine()
