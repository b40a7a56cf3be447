"""Keys that are known are the keys that would be made."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache import known_keys
from edgeagent.cache.key import make_key
from edgeagent.cache.known_keys import LARGEST, KnownKeys, is_short
from edgeagent.errors import RequestValidationError

CANDIDATES = bytes(32)


class Colour(str, Enum):
    """A text that is none of JSON's own type."""

    RED = "red"


class Number(float):
    """A number that is none of JSON's own type."""


ATOMS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, -0.0, 1.0, 2.0]) | st.text("ab1", max_size=2)
)
VALUES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text("ab1", max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)
PARTS = st.tuples(
    st.dictionaries(st.text("ab", max_size=2), VALUES, max_size=3),
    st.sampled_from([bytes(32), bytes(31) + b"1"]),
    st.sampled_from([b"", b"p", b"pp"]),
    st.sampled_from([b"", b"p"]),
)


@given(st.lists(PARTS, min_size=2, max_size=20))
def test_any_calls_one_after_the_other(calls: list[Any]) -> None:
    """Whatever came before, and however near it is, each call has the key that is made of it."""
    known = KnownKeys()
    for parts in [*calls, *calls]:
        assert known(*parts) == make_key(*parts)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The parameters of which keys were made."""
    calls: list[Any] = []

    def make(params: Any, *others: bytes) -> bytes:
        calls.append(params)
        return make_key(params, *others)

    monkeypatch.setattr(known_keys, "make_key", make)
    return calls


def test_the_same_request_again(made: list[Any]) -> None:
    """Another object that says the same is found; one that says it in another order has its key made."""
    known = KnownKeys()
    keys = {
        known({"model": "m", "messages": [{"role": "user", "content": "a" * size}]}, CANDIDATES, b"", b"")
        for size in (1, 1, 1)
    }
    assert len(keys) == len(made) == 1
    turned = {"messages": [{"content": "a", "role": "user"}], "model": "m"}
    assert {known(turned, CANDIDATES, b"", b"")} == keys
    assert len(made) == 2


def test_strings_that_somebody_else_holds_too(made: list[Any]) -> None:
    """Who else holds a string, and whether it is interned, makes no difference."""
    known, (text, *others) = KnownKeys(), [f"ab{end}" for end in ("cd", "cd", "cd")]
    for pair in ([text, text], others, ["abcd", sys.intern(others[0])]):
        known({"a": pair}, CANDIDATES, b"", b"")
    assert len(made) == 1


@pytest.mark.parametrize(
    "value", [Colour.RED, Number(1.0), [Colour.RED], {"a": (1, Number(2.0))}, True, 1, 1.0, {"b": 1, "a": 2}, [(1,)]]
)
def test_what_is_not_json_s_own_is_made_each_time(made: list[Any], value: Any) -> None:
    """Enumerations and the like have their keys, and nothing is kept of them."""
    known = KnownKeys()
    keys = {known({"x": value}, CANDIDATES, b"", b"") for _ in range(3)}
    assert keys == {make_key({"x": value}, CANDIDATES, b"", b"")}
    plain = not any(kind in repr(value) for kind in ("Colour", "2.0")) and type(value) is not Number
    assert len(made) == (1 if plain else 3)


def test_memory_is_no_number() -> None:
    """An object whose memory is that of a number which came before has no part in its key: it has none."""
    numpy = pytest.importorskip("numpy")
    known = KnownKeys()
    half = numpy.float64(0.5)
    bits = numpy.int64(half.view(numpy.int64))
    assert known({"x": half}, CANDIDATES, b"", b"") == make_key({"x": 0.5}, CANDIDATES, b"", b"")
    for other in (bits, half.tobytes(), bytearray(half.tobytes())):
        with pytest.raises(RequestValidationError):
            known({"x": other}, CANDIDATES, b"", b"")


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, "\ud800", {1: object()}, {"a", "b"}, ..., compile("1", "", "eval")]
)
def test_what_has_no_key(value: Any) -> None:
    """It has none the second time either."""
    known = KnownKeys()
    for _ in range(2):
        with pytest.raises(RequestValidationError):
            known({"x": [value]}, CANDIDATES, b"", b"")


def _nested(depth: int) -> Any:
    value: Any = "end"
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("depth", [10, 500, 5000])
def test_nested_deeply(depth: int) -> None:
    """What one writer takes and the other does not: the key decides."""
    params, known = {"x": _nested(depth)}, KnownKeys()
    told: list[Callable[[], bytes]] = [
        lambda: make_key(params, CANDIDATES, b"", b""),
        lambda: known(params, CANDIDATES, b"", b""),
    ]
    results = []
    for key in (*told, told[1]):
        try:
            results.append(key())
        except RequestValidationError:
            results.append(b"none")
    assert len(set(results)) == 1


def test_no_more_than_the_bound(made: list[Any]) -> None:
    """When there are too many bytes it begins anew; what is too large by itself is not kept."""
    known = KnownKeys(max_bytes=5000)
    asked = [{"x": letter * 1000} for letter in "abcdefgh"]
    for params in [*asked, asked[-1]]:
        known(params, CANDIDATES, b"", b"")
    assert len(made) == 8
    assert sum(map(len, known._keys)) <= 5000
    large = {"x": "a" * LARGEST}
    for _ in range(2):
        known(large, CANDIDATES, b"", b"")
    assert made[8:] == [large, large]


def test_forgetting(made: list[Any]) -> None:
    """After it nothing is left of any request."""
    known = KnownKeys()
    for _ in range(2):
        known({"x": "private"}, CANDIDATES, b"", b"")
        known.forget()
    assert len(made) == 2
    assert not known._keys


LONG = "a" * LARGEST
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.mark.parametrize(
    ("contents", "short"),
    [
        (["hi"], True),
        (["hi", None, "there"], True),
        ([[{"type": "text", "text": "hi"}, {"type": "text", "text": "there"}]], True),
        ([[{"type": "text", "text": "hi"}, IMAGE]], False),
        ([[IMAGE]], False),
        ([["no part"]], False),
        ([LONG], True),
        ([LONG + "a"], False),
        ([LONG, "a"], False),
        ([[{"type": "text", "text": LONG}], "a"], False),
    ],
    ids=["text", "none", "texts", "text and image", "image", "no object", "at most", "long", "together", "part"],
)
def test_what_is_short(contents: list[Any], *, short: bool) -> None:
    """Only texts are counted; anything else takes longer to be found than to be made."""
    assert is_short([{"role": "user", "content": content} for content in contents]) is short


@pytest.mark.parametrize("messages", [None, "hi", ("hi",), [object()], [["hi"]]])
def test_what_are_no_messages(messages: Any) -> None:
    """Who checks them says so."""
    assert is_short(messages) is False
