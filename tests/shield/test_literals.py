"""Finding any of a set of texts: the same as looking at every place, and as quick for a hundred texts as for one."""

from __future__ import annotations

import sys

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edgeagent.shield.literals import Literals, More

WORDS = st.text(st.sampled_from("abkK\u212aiI\u0130\u03c3\u03c2\u03a3ß19+<é中\\n "), min_size=1, max_size=12)


def at_every_place(literals: Literals, text: str) -> list[tuple[int, int, str]]:
    """What `find` is to find."""
    found, place = [], 0
    while place < len(text):
        which = literals.at(text, place, "", final=True)
        if isinstance(which, str):
            found.append((place, place + len(which), which))
            place += len(which)
        else:
            place += 1
    return found


@given(st.lists(WORDS, max_size=6), st.lists(WORDS, max_size=12))
@example(["kim"], ["\u212aim and KIM"])
@example(["aa", "aab"], ["aaab aab"])
@example(["\u0130zmir"], ["in \u0130zmir"])
def test_all_are_found(texts: list[str], pieces: list[str]) -> None:
    """A search of the whole text finds what a look at every place finds, in order, none over another."""
    literals = Literals(texts)
    for joint in ("", " ", texts[0] if texts else "x"):
        text = joint.join(pieces)
        assert literals.find(text) == at_every_place(literals, text)


@pytest.mark.parametrize("size", [3, 63, 64, 65, 500])
def test_many_are_found(size: int) -> None:
    """However many there are, each is."""
    texts = [f"value{number:04}x" for number in range(size)]
    literals = Literals(texts)
    text = ", ".join((*texts, "value0001", "avalue0001x", texts[-1].upper()))
    found = literals.find(text)
    assert [which for *_, which in found] == [*texts, texts[-1]]
    assert found == at_every_place(literals, text)


def calls(literals: Literals, text: str) -> int:
    """How many functions of Python are called by a search."""
    literals.find(text)  # compiles
    count = 0

    def counted(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        literals.find(text)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("size", [2, 100])
def test_only_places_where_one_may_begin_are_looked_at(size: int) -> None:
    """A letter that many words begin with costs nothing by itself."""
    literals = Literals([f"kim{number}@example.net" for number in range(size)])
    text = "the king of kings kept knocking at the kitchen; kim " * 100
    assert calls(literals, text) < 10
    assert calls(literals, f"{text}kim1@example.net") < 20


def test_many_that_begin_alike() -> None:
    """Telephone numbers of one town: a place is looked at once for each length, and not for each number."""
    for size in (100, 1000):
        texts = [f"+44 121 298 {number:04}" for number in range(size)]
        assert calls(Literals(texts), " ".join(texts)) < 12 * size


@given(st.lists(WORDS, min_size=1, max_size=6), st.lists(WORDS, min_size=1, max_size=4), st.integers(0, 40), WORDS)
@example(["abab", "ababab"], ["abab"], 0, "ab")
@example(["abab", "ababba"], ["abab"], 0, "+")
def test_what_may_still_become_one(texts: list[str], pieces: list[str], at: int, more: str) -> None:
    """Of a text of which more may come: what is decided stays so, and nothing waits for more than the longest needs."""
    literals = Literals(texts)
    text = "".join(pieces)
    at %= len(text)
    early = literals.at(text, at, "", final=False)
    if isinstance(early, More):
        assert len(text) - at <= max(map(len, texts))
    else:
        assert {early} == {literals.at(text + end, at, "", final=True) for end in ("", more, *texts)}
