"""Texts → tokens by script."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.tokens import text_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("The quick brown fox jumps over the lazy dog.", 10), ("def add(a, b):\n    return a + b\n", 12)],
)
def test_known_texts(text: str, tokens: int) -> None:
    """English and code are within a fifth and two tokens of what OpenAI's vocabularies make of them."""
    assert abs(text_tokens(text) - tokens) <= 0.2 * tokens + 2


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("привет", 0.25, 0.45),
        ("你好世界", 0.6, 1.2),
        ("こんにちは", 0.5, 1.0),
        ("안녕하세요", 0.5, 1.0),
        ("नमस्ते", 0.3, 0.8),
        ("مرحبا", 0.3, 0.7),
        ("γειά", 0.3, 0.7),
        ("🎉🎉", 1.5, 3.0),
        ("việt ", 0.3, 0.7),
        ("ﬀ", 0.5, 1.5),
    ],
)
def test_tokens_of_a_character(text: str, least: float, most: float) -> None:
    """Each script has its own density."""
    assert least <= text_tokens(text * 20) / len(text * 20) <= most


@given(st.text(), st.text())
def test_more_text_has_more_tokens(one: str, two: str) -> None:
    """Nothing is negative, and a text apart from another adds its own count."""
    assert text_tokens(one) >= 0
    assert text_tokens(one + "\n" + two) >= max(text_tokens(one), text_tokens(two)) - 1e-6


@given(st.text())
def test_no_more_tokens_than_bytes(text: str) -> None:
    """An estimate never exceeds two tokens for each byte."""
    assert text_tokens(text) <= 2 * len(text.encode("utf-8", "surrogatepass"))


def test_lone_surrogates_are_counted() -> None:
    """What cannot be sent can still be measured."""
    assert text_tokens("\ud800") > 0
