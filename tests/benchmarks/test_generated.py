"""The sentences of `benchmarks.generated`."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.generated import SEEN, UNSEEN, maker, sentences
from edgeagent.shield import Standard


class Fake:
    """Says which of Faker's functions was asked for."""

    def __getattr__(self, name: str) -> Any:
        return lambda: name


@pytest.mark.parametrize("table", [SEEN, UNSEEN])
def test_every_sentence_has_one_place_for_a_value(table: str) -> None:
    """And is of a kind that values are made for, and is found without one in none of them."""
    functions = {"phone_number", "license_plate", "postcode", "ssn", "nif", "cpf", "pesel"}
    said = list(sentences(table))
    assert len(said) > 75
    for kind, locale, sentence in said:
        assert sentence.count("{}") == 1, sentence
        assert len(locale) == 5
        assert kind == "birth" or maker(kind, locale, Fake())() in functions
        assert not Standard().find(sentence.replace("{}", "…"))
    assert len({sentence for *_, sentence in said}) > len(said) - 12


def test_what_was_seen_is_not_unseen() -> None:
    """No sentence of a country is in both."""
    assert not set(sentences(SEEN)) & set(sentences(UNSEEN))
