"""Names by Presidio: how it is asked, and what happens without it."""

from __future__ import annotations

import os
import pickle
import sys
from threading import Event, Thread
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from edgeagent.errors import ConfigurationError
from edgeagent.shield import Detector, Match, PresidioDetector
from tests.support.children import forked


class Engine:
    """Answers as Presidio's `AnalyzerEngine` does, and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def analyze(self, **asked: Any) -> list[SimpleNamespace]:
        self.asked.append(asked)
        return [
            SimpleNamespace(entity_type="LOCATION", start=12, end=17, score=0.6),
            SimpleNamespace(entity_type="PERSON", start=0, end=3, score=0.85),
        ]


def test_results_are_matches_in_order() -> None:
    """Presidio's results become matches, in order of place."""
    engine = Engine()
    detector = PresidioDetector(["PERSON", "LOCATION"], language="de", threshold=0.4, engine=engine)
    assert isinstance(detector, Detector)
    assert detector.find("Ann lives in Paris") == [
        Match("PERSON", 0, 3, 0.85, "presidio"),
        Match("LOCATION", 12, 17, 0.6, "presidio"),
    ]
    assert engine.asked == [
        {"text": "Ann lives in Paris", "language": "de", "entities": ["PERSON", "LOCATION"], "score_threshold": 0.4}
    ]


def test_an_empty_text_loads_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model is not loaded for a text without words."""
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    assert PresidioDetector().find(" \n") == []


def test_a_missing_extra_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without presidio-analyzer, the error says which extra to install."""
    monkeypatch.setitem(sys.modules, "presidio_analyzer", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'edgeagent\[presidio\]'"):
        PresidioDetector().find("Ann")


def test_the_engine_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presidio's own engine is made at the first text and kept; a pickled detector makes its own."""
    made: list[Engine] = []

    def make() -> Engine:
        made.append(Engine())
        return made[-1]

    module = ModuleType("presidio_analyzer")
    module.AnalyzerEngine = make  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "presidio_analyzer", module)
    detector = PresidioDetector()
    detector.find("Ann")
    detector.find("Bob")
    assert len(made) == 1
    pickle.loads(pickle.dumps(detector)).find("Eve")
    assert len(made) == 2


@pytest.mark.parametrize(("known", "language"), [(["DATE_TIME"], "en"), (None, "de")])
def test_an_engine_that_finds_nothing_of_it(known: list[str] | None, language: str) -> None:
    """A typed error that says what to do, in place of Presidio's `ValueError` in a call; no text is in it."""

    class Other(Engine):
        def get_supported_entities(self, language: str) -> list[str]:
            if known is None:
                raise ValueError("No matching recognizers were found to serve the request.")
            return known

    engine = Other()
    detector = PresidioDetector(["PERSON", "NRP"], language=language, engine=engine)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match=f"none of PERSON, NRP in the language '{language}'"):
            detector.find("Ann lives in Paris")
    assert engine.asked == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_while_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child does not wait for a lock that a thread of the parent's holds."""
    inside, go_on = Event(), Event()
    parent = os.getpid()

    def make() -> Engine:
        if os.getpid() == parent:
            inside.set()
            go_on.wait()
        return Engine()

    module = ModuleType("presidio_analyzer")
    module.AnalyzerEngine = make  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "presidio_analyzer", module)
    detector = PresidioDetector()
    other = Thread(target=detector.find, args=("Ann",))
    other.start()
    inside.wait()
    child = forked(lambda: len(detector.find("Ann lives in Paris")) == 2)
    go_on.set()
    other.join()
    assert os.waitpid(child, 0)[1] == 0
