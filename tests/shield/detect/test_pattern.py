"""A caller's own patterns."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from edgeagent.errors import ConfigurationError
from edgeagent.shield import Detector, Match, Pattern


def is_even(value: str) -> bool:
    """The last digit is even."""
    return value[-1] in "02468"


async def awaited(value: str) -> bool:
    """Gives what is true, whatever it will say."""
    return False


def test_a_pattern_finds_what_it_fits() -> None:
    """Each place that the regex fits is a match of the given type and score."""
    pattern = Pattern("EMPLOYEE_ID", r"\bE\d{5}\b", score=0.7)
    assert isinstance(pattern, Detector)
    assert pattern.find("E12345 and E54321, not E1") == [
        Match("EMPLOYEE_ID", 0, 6, 0.7, "EMPLOYEE_ID"),
        Match("EMPLOYEE_ID", 11, 17, 0.7, "EMPLOYEE_ID"),
    ]


def test_the_group_value_is_the_match() -> None:
    """With a group `value`, what stands around it is not part of the match."""
    assert Pattern("ID", r"id=(?P<value>\d+)").find("id=77;")[0] == Match("ID", 3, 5, 0.9, "ID")
    assert Pattern("ID", r"id=(?P<value>\d*)").find("id=;") == []


def test_a_validator_decides() -> None:
    """What the validator refuses is no match."""
    assert [m.start for m in Pattern("N", r"\d+", is_even).find("12 13 14")] == [0, 6]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("badge 4711", 1),
        ("4711 is my Badge", 1),
        ("4711", 0),
        ("badge" + " " * 70 + "4711", 0),
        ("4711" + " " * 40 + "badge", 0),
    ],
)
def test_context_words_must_be_near(text: str, count: int) -> None:
    """One of the words must stand before or behind the value, in any case of letters."""
    assert len(Pattern("BADGE", r"\d{4}", context=["badge", "pass"]).find(text)) == count


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "", "regex": "x"}, "'name' is empty"),
        ({"name": "A", "regex": "("}, "'regex' is not a regular expression"),
        ({"name": "A", "regex": "x*"}, "fits the empty text"),
        ({"name": "A", "regex": "x", "score": 0}, "'score' must be above 0"),
        ({"name": "A", "regex": "x", "score": 2}, "'score' must be above 0"),
        ({"name": "A", "regex": "x", "context": "word"}, "'context' is a list"),
        ({"name": "A", "regex": "x", "context": None}, "'context' is a list"),
        ({"name": "A", "regex": "x", "context": [1]}, "'context' is a list"),
        ({"name": "A", "regex": "x", "context": ["word", ""]}, "none of them empty"),
        ({"name": "A", "regex": "x", "score": "1"}, "'score' must be above 0"),
        ({"name": "A", "regex": "x", "validator": "luhn"}, "'validator' is a function"),
        ({"name": "A", "regex": "x", "validator": awaited}, "'validator' must not be async"),
        ({"name": 1, "regex": "x"}, "'name' is empty"),
        ({"name": "A", "regex": None}, "'regex' is not a regular expression"),
        ({"name": "A", "regex": b"x"}, "'regex' is not a regular expression"),
    ],
)
def test_bad_patterns_are_named(arguments: dict[str, Any], message: str) -> None:
    """What is wrong with a pattern is said when it is made."""
    with pytest.raises(ConfigurationError, match=message):
        Pattern(**arguments)


def test_a_pattern_can_be_compared_and_pickled() -> None:
    """Patterns are values: equal by what they were made of, also after a pickle."""
    pattern = Pattern("N", r"\d+", is_even, ("no",))
    copy = pickle.loads(pickle.dumps(pattern))
    assert copy == pattern
    assert copy.find("no 12") == pattern.find("no 12") != []
