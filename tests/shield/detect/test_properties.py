"""What holds for any text: order, bounds, linear time; and what holds for values in any surroundings."""

from __future__ import annotations

import pickle
import re
import sys
import time
import tracemalloc
from functools import partial
from importlib import import_module
from itertools import islice, pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edgeagent.shield.detect as room
from edgeagent.shield import Detector, Match, PersonalData, Secrets, Standard
from edgeagent.shield.detect import programs
from edgeagent.shield.detect.candidate import Candidates
from edgeagent.shield.detect.formats import formats
from edgeagent.shield.detect.overlaps import resolve
from edgeagent.shield.detect.personal import CHAIN
from tests.support.timing import is_linear

PIECES = [
    "a", "Z", "1", "12", "2024", "1999", "-", ".", " ", "\n", "\t", ",", ":", ";", "/", "@", "+", "(", ")",
    "|", '"', "'", "=", "<", ">", "&#64;", "key", "token = ", "password is ", "tel ", "born ", "IBAN ",
    "DE89", "sk-", "eyJ", "://", "-----BEGIN PRIVATE KEY-----", "0x", "bc1", "order ", "x.y",
    "insert into t (a, b) values (", "<td>", "<th>", "'x', ", "plate ", "login: a / ", "Bearer ",
    "mysql -p", "身份证", "電話", "İ", "\u200b", "\\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@settings(max_examples=300)
def test_matches_are_in_order_and_apart(pieces: list[str]) -> None:
    """Matches lie in the text, in order, none in another; the same text has the same ones."""
    text = "".join(pieces)
    found = Standard().find(text)
    assert all(0 <= m.start < m.end <= len(text) and 0 < m.score <= 1 and m.type for m in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert found == Standard().find(text)


@given(st.text(max_size=80))
def test_any_text_is_taken(text: str) -> None:
    """No text raises, whatever its characters."""
    Standard().find(text)


VALUES = [
    "ann.lee@example.com",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "+49 151 12345678",
    "203.0.113.77",
    "00:1a:2b:3c:4d:5e",
    "11010519491231002X",
    "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
]


@given(
    st.sampled_from(VALUES),
    st.sampled_from(["", "x ", "(", "\"", "卡", "：", "=", "\n", "a, ", "<b>", "para ", "> "]),
    st.sampled_from(["", " x", ")", "\"", "号", "。", ";", "\n", ", b", "</b>", " y", "."]),
)  # fmt: skip
def test_surroundings_do_not_matter(value: str, before: str, behind: str) -> None:
    """A value whose form is evidence is found, exactly, whatever it is glued to."""
    text = before + value + behind
    assert value in [text[m.start : m.end] for m in Standard().find(text)]


@pytest.mark.parametrize(
    "piece",
    [*PIECES, "1 ", "1-", "aA1", "a@b.", "password ", "key=", "::", "1.1.1.1", "10.1.2.3 ", "a:b@", "A1 ", "\\\\"],
)
def test_time_is_linear(piece: str) -> None:
    """A text of four times the length takes about four times as long, whatever it repeats."""
    find = Standard().find
    short, long = (piece * (2_000 // len(piece)))[:2_000], (piece * (8_000 // len(piece)))[:8_000]
    assert is_linear(lambda: find(short), lambda: find(long), at_most=9)


@pytest.mark.bulk
@pytest.mark.parametrize("unit", ["12345678 ", "order 12345678, born 1999-12-31\n", "a1,44051401359\n"])
def test_what_is_remembered_near_digits_does_not_grow_with_the_text(unit: str) -> None:
    """The words near a place are kept for the runs that start or end there, not for the whole text."""
    text = (unit * 50_000)[:100_000]
    candidates = Candidates(text)
    candidates.matches(0, text.find(unit, 1))
    tracemalloc.start()
    try:
        for found in re.finditer(r"\d[0-9 -]*", text):
            candidates.matches(*found.span())
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2 * len(text)


@given(st.text("1aB2 .-_\n", max_size=30))
def test_chains_are_those_of_a_search_that_may_go_back(text: str) -> None:
    """The possessive form of the search finds the same as the plain one: in some releases of Python it does not."""
    plain = re.compile(CHAIN.pattern.replace("*+", "*"))
    chains = [found.span() for found in islice(CHAIN.finditer(text), len(text) + 1)]
    assert chains == [found.span() for found in plain.finditer(text)]


@pytest.mark.bulk
@pytest.mark.skipif(sys.version_info < (3, 11, 5), reason="patterns remember each step of a repetition")
@pytest.mark.parametrize(("unit", "times"), [("12345678 ", 32), ("1 ", 120), ("1234-", 48)])
def test_one_long_chain_takes_memory_in_proportion(unit: str, times: int) -> None:
    """A text that is nothing but short numbers is one chain: no way back through it is kept."""
    text = (unit * 50_000)[:50_000]
    Standard().find(text[:100])
    tracemalloc.start()
    try:
        Standard().find(text)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < times * len(text)


def patterns() -> dict[str, re.Pattern[str]]:
    """Every pattern of the room by name: those of the modules, and those of the vendors' forms."""
    found: dict[str, re.Pattern[str]] = {}
    for path in sorted(Path(room.__file__).parent.glob("[a-z]*.py")):
        module = import_module(f"{room.__name__}.{path.stem}")
        found |= {f"{path.stem}.{k}": v for k, v in vars(module).items() if isinstance(v, re.Pattern)}
    closed, open_, inside = formats()
    literals = [*closed.values(), *open_.values()]
    every = [*inside, *(form for leading in literals for forms in leading.values() for form in forms)]
    found |= {f"programs {pattern.pattern}": pattern for pattern in programs.patterns()}
    return found | {f"{form.literal} {form.pattern.pattern}": form.pattern for form in every}


def test_no_pattern_grows_faster_than_its_text() -> None:
    """A match at one place takes bounded or linear time, over repetitions of what the pattern itself is made of."""
    random = Random(5)
    for name, pattern in patterns().items():
        alphabet = [*PIECES, *re.findall(r"[A-Za-z0-9+/=_.:-]{1,12}", pattern.pattern)]
        for _ in range(8):
            seed = "".join(random.choice(alphabet) for _ in range(random.randint(1, 4)))
            text = (seed * (8_000 // len(seed) + 1))[:8_000] + "\x00"
            few, many = partial(pattern.match, text[-2_001:]), partial(pattern.match, text)
            started = time.thread_time()
            many()
            if time.thread_time() - started > 0.001:  # else there is nothing to compare
                assert is_linear(few, many, at_most=8), (name, seed)


def test_the_better_of_two_overlapping_matches_stays() -> None:
    """The longer one stays; of equal ones the surer; apart ones both."""
    long, short = Match("A", 0, 9, 0.5), Match("B", 2, 5, 1.0)
    sure, unsure = Match("C", 10, 12, 0.9), Match("D", 10, 12, 0.4)
    assert resolve([unsure, short, sure, long]) == [long, sure]
    assert resolve([]) == []


def test_detectors_are_detectors_and_can_be_pickled() -> None:
    """The built-in detectors fit the protocol, and come back from a pickle as they were."""
    for detector in (PersonalData(), Secrets(), Standard()):
        assert isinstance(detector, Detector)
        assert pickle.loads(pickle.dumps(detector)).find("a@example.com x") == detector.find("a@example.com x")


def test_a_match_does_not_hold_the_value() -> None:
    """The representation of a match shows places, never what stands there."""
    match = PersonalData().find("mail ann@example.com")[0]
    assert "ann" not in repr(match)
    assert match == Match("EMAIL_ADDRESS", 5, 20, 1.0, "email")
