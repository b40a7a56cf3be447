"""What an error tells of the call that it ended."""

from __future__ import annotations

import copy
import pickle
import traceback
from typing import Any

import pytest

from edgeagent import EdgeClient, errors
from edgeagent.core.story import tell_attempts
from edgeagent.testing import FakeProvider
from edgeagent.types import Attempt, Target

REFUSED = Attempt(Target("one", "m"), "AuthenticationError", 401, 1.0)
LOST = Attempt(Target("two", "m"), "Lost", None, 1.0)


def test_a_note_says_who_was_asked() -> None:
    """The message is the provider's own. A note is told anew when more is known; notes of others stay."""
    error: Any = errors.APIError("No.")
    tell_attempts(error, [])
    assert not hasattr(error, "__notes__")
    error.__notes__ = ["mine"]
    tell_attempts(error, [REFUSED])
    tell_attempts(error, [REFUSED, LOST])
    assert (str(error), error.message, error.attempts) == ("No.", "No.", (REFUSED, LOST))
    assert error.__notes__ == ["mine", "Asked: one/m (AuthenticationError 401); two/m (Lost)"]


@pytest.mark.parametrize("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
def test_a_copy_has_notes_of_its_own(again: Any) -> None:
    """What one of many callers of a flight adds to his error is in nobody else's."""
    error: Any = errors.APIError("No.")
    tell_attempts(error, [REFUSED])
    other = again(error)
    other.__notes__.append("mine")
    assert error.__notes__ == ["Asked: one/m (AuthenticationError 401)"]


@pytest.mark.parametrize("stream", [False, True])
def test_which_key_was_refused(stream: bool) -> None:
    """As a program with several providers sees it: the note is there, the message stays as it was."""
    fakes = [FakeProvider(errors.AuthenticationError("Incorrect API key."), name=name) for name in ("one", "two")]
    with (
        EdgeClient(providers=fakes, models={"chat": ["one/m", "two/m"]}) as client,
        pytest.raises(errors.AuthenticationError) as caught,
    ):
        client.chat.completions.create(model="chat", messages=[{"role": "user", "content": "x"}], stream=stream)
    told: Any = caught.value
    assert str(told) == "Incorrect API key."
    assert told.__notes__ == ["Asked: one/m (AuthenticationError 401); two/m (AuthenticationError 401)"]
    assert told.__notes__[0] in "".join(traceback.format_exception(told)) or not hasattr(told, "add_note")
