"""A detector that fails: its error is typed, stops the call, and says nothing of the text."""

from __future__ import annotations

import pickle
import traceback
from typing import Any

import pytest

from edgeagent.errors import APIConnectionError, ConfigurationError
from edgeagent.shield import Match, Shield
from edgeagent.shield.looking import looked
from edgeagent.testing import FakeProvider
from tests.e2e.harness import KINDS, Gate, run
from tests.shield.finding import Forms

SECRET = "kanarie@example.com"


class Told:
    """Gives what it was made with; a function is asked for it."""

    def __init__(self, found: Any, *, repeatable: bool = False) -> None:
        self.found = found
        self.repeatable = repeatable

    def find(self, text: str, /) -> Any:
        return self.found(text) if callable(self.found) else self.found


def quotes(text: str) -> Any:
    raise ValueError(f"cannot read {text}")


def asks(text: str) -> Any:
    raise APIConnectionError(message=f"no connection for {text}")


def one(*place: Any, kind: Any = "X", score: Any = 1.0) -> list[Match]:
    return [Match(kind, *place, score)]


FAULTS = {
    "ValueError": quotes,
    "APIConnectionError": asks,
    "TypeError": None,
    "AttributeError": [("X", 0, 2)],
    "a match that is not in the text": one(-5, 3),
}


@pytest.mark.parametrize("repeatable", [False, True])
@pytest.mark.parametrize(("fault", "found"), FAULTS.items())
def test_what_is_told(fault: str, found: Any, repeatable: bool) -> None:
    """Its kind, and not a word of what it said, wherever errors are told: nothing of it hangs on the error either."""
    shield = Shield([Told(found, repeatable=repeatable)])
    for ask in (shield.find, shield.preview, lambda text: shield.masking().run({"text": text})):
        with pytest.raises(ConfigurationError, match=rf"Told: {fault}") as caught:
            ask(SECRET)
        error = caught.value
        assert (error.__cause__, error.__context__) == (None, None)
        assert "kanarie" not in "".join(traceback.format_exception_only(error)) + str(pickle.dumps(error))


@pytest.mark.parametrize(
    "found", [one(0, 99), one(90, 99), one(0.0, 2.0), one(None, 2), one(0, 2, kind=None), one(0, 2, score="high")]
)
def test_what_is_no_match(found: Any) -> None:
    """A match in no place of the text, or of another form, would leave values where they stand: it is refused."""
    with pytest.raises(ConfigurationError, match="a detector failed"):
        looked(Told(found), SECRET)


def test_what_is_one() -> None:
    """In any order, overlapping or empty, from any iterable."""
    matches = [*one(5, 9), *one(0, 7), *one(3, 3), *one(7, 2)]
    assert looked(Told(iter(matches)), SECRET) == matches
    assert looked(Forms(), SECRET)[0].end == len(SECRET)


def test_what_a_detector_says_is_missing() -> None:
    """An error that says what to do is the detector's own."""

    def lacks(_: str) -> Any:
        raise ConfigurationError("pip install it")

    with pytest.raises(ConfigurationError, match=r"^pip install it$"):
        looked(Told(lacks), SECRET)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stream", [False, True])
def test_in_a_call(kind: str, stream: bool) -> None:
    """Nothing is sent if it fails in the request; if it does in an answer, no provider is blamed and no other asked."""

    def on(word: str) -> Any:
        return lambda text: quotes(text) if word in text else []

    async def scenario() -> None:
        for word, asked in (("question", 0), ("reply", 1)):
            first, second = FakeProvider("my reply", name="one"), FakeProvider("fine", name="two")
            shield = Shield([Told(on(word))], outbound="mask")
            made = Gate(kind, [first, second], shield=shield, cache=False)
            create = made.chunks if stream else made.create
            with pytest.raises(ConfigurationError, match="Told: ValueError"):
                await create("my question", model="one/m", edge={"fallbacks": ["two/m"]})
            assert (len(first.requests), len(second.requests)) == (asked, 0)
            assert not asked or made.client.health()["one/m"].failures == 0

    run(kind, scenario)
