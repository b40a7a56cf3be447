"""Presidio: every pattern recognizer that it ships, at a threshold of 0.4, without a language model.

A model for names is downloaded, and names are not measured here. Its words of context are compared by lemma; a blank
pipeline has none, so that the words themselves in lower case take their place.
"""

from __future__ import annotations

import inspect
from typing import Any

import presidio_analyzer.predefined_recognizers as shipped
import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, PatternRecognizer, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from spacy.language import Language

from benchmarks.peers.worker import Find

__all__ = ["detector"]

THRESHOLD = 0.4


@Language.component("words_as_lemmas")
def _words_as_lemmas(document: Any) -> Any:
    for token in document:
        token.lemma_ = token.lower_
    return document


def detector() -> Find:
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # its own list of domains, without the network
    pipeline = spacy.blank("en")
    pipeline.add_pipe("words_as_lemmas")
    engine = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    engine.nlp = {"en": pipeline}
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.recognizers = []
    for name, kind in inspect.getmembers(shipped, inspect.isclass):
        if name == "PhoneRecognizer" or (issubclass(kind, PatternRecognizer) and kind is not PatternRecognizer):
            registry.add_recognizer(kind(supported_language="en"))
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])

    def find(text: str) -> list[tuple[int, int, str]]:
        found = analyzer.analyze(text, "en", score_threshold=THRESHOLD)
        return [(match.start, match.end, match.entity_type) for match in found]

    return find
