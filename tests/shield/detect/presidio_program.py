"""Presidio itself under the shield, in an environment of its own: `.ci/run presidio`.

Its engine is real; so that no language model has to be fetched, it finds one name by a list.
"""

from __future__ import annotations

from typing import Any

import spacy  # type: ignore[import-not-found]  # these two are in this program's environment only
from presidio_analyzer import (  # type: ignore[import-not-found]
    AnalyzerEngine,
    PatternRecognizer,
    RecognizerRegistry,
)
from presidio_analyzer.nlp_engine import SpacyNlpEngine  # type: ignore[import-not-found]

from edgeagent import ConfigurationError, EdgeClient
from edgeagent.shield import PresidioDetector, Shield, Standard
from edgeagent.testing import FakeProvider

__all__: list[str] = []


class Blank(SpacyNlpEngine):  # type: ignore[misc]
    """Splits English into words, and knows nothing of them."""

    def __init__(self) -> None:
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}

    def load(self) -> None:
        """There is nothing to load."""


def engine() -> Any:
    registry = RecognizerRegistry()
    registry.add_recognizer(PatternRecognizer(supported_entity="PERSON", deny_list=["Ann Lee"]))
    return AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])


def main() -> None:
    detector = PresidioDetector(engine=engine())
    shield = Shield([Standard(), detector])
    fake = FakeProvider(lambda request: f"Dear {request.messages[-1]['content'].split()[2]}!", name="fake")
    with EdgeClient(providers=[fake], shield=shield) as client:
        answer = client.chat.completions.create(
            model="fake/any", messages=[{"role": "user", "content": "Write to Ann Lee at ann@example.com"}]
        )
    (sent,) = fake.requests
    assert "Ann" not in str(sent.messages), sent.messages
    assert answer.edge.masked == {"PERSON": 1, "EMAIL_ADDRESS": 1}, answer.edge.masked
    assert answer.choices[0].message.content == "Dear Ann Lee!", answer.choices[0].message.content
    for wrong in ({"entities": ["LOCATION"]}, {"language": "de"}):
        try:
            PresidioDetector(engine=engine(), **wrong).find("Ann Lee")
        except ConfigurationError:
            continue
        raise AssertionError(wrong)
    print("presidio: its names are masked and come back")


if __name__ == "__main__":
    main()
