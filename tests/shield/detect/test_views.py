"""Texts that hide values: what patterns see, and the way back to the original's offsets."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.shield import Match, Standard
from edgeagent.shield.detect.views import lowered, plain

PIECES = st.sampled_from(
    ["a", "7", " ", "@", "\u200b", "\u00ad", "\ufeff", "&#64;", "&amp;", "&#x41;", "\\n", "\\u0040", "\\x41",
     "%40", "%2540", "４", "\u00a0", "–", "é", "\\", "&"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=30))
def test_every_character_has_a_place_in_the_original(pieces: list[str]) -> None:
    """Each character of the view goes back to the piece that it came from; spans keep their order."""
    text = "".join(pieces)
    view = plain(text)
    spans = [next(iter(view.back([Match("X", i, i + 1)]))) for i in range(len(view.text))]
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))
    for char, span in zip(view.text, spans, strict=True):
        assert plain(text[span.start : span.end]).text == char


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ("a\u200bb\u00adc", "abc"),
        ("x&#64;y&commat;z", "x@y@z"),
        ("a\\nb\\tc\\/d", "a\nb\tc/d"),
        ("\\u0041\\x42", "AB"),
        ("４１\u00a0२३–", "41 23-"),
        ("a=\nb", "ab"),
        ("&unknown; 50% \\q", "&unknown; 50% \\q"),
        ("&#0;", "\ufffd"),
        ("&shy;x", "x"),
        ("\\u00b2 \\ud83d", "² \ud83d"),
    ],
)
def test_what_patterns_see(text: str, seen: str) -> None:
    """Invisible characters go, escapes are undone, other digits and dashes are ASCII's."""
    assert plain(text).text == seen


VALUES = ["ann.lee@example.com", "4111-1111-1111-1111", "DE89370400440532013000", "+49 151 12345678", "10.1.2.3"]


@given(st.sampled_from(VALUES), st.integers(1, 8), st.sampled_from(["\u200b", "\u2060", "\ufeff", "\u00ad"]))
def test_invisible_characters_hide_nothing(value: str, place: int, hidden: str) -> None:
    """A value with an invisible character in it is found, with that character."""
    place = min(place, len(value) - 1)
    broken = value[:place] + hidden + value[place:]
    text = f"say {broken} now"
    assert [text[m.start : m.end] for m in Standard().find(text)] == [broken]


@given(st.text("aZİıßΣ "))
def test_lower_case_keeps_places(text: str) -> None:
    """Lower case has as many characters as the text, and ASCII's capitals are lower."""
    lower = lowered(text)
    assert len(lower) == len(text)
    assert "Z" not in lower
