"""Arguments that are wrong before any driver runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import openai
import pytest

from edgeagent import EdgeClient, RequestValidationError
from edgeagent.testing import FakeProvider

WRONG: dict[str, Callable[[EdgeClient], Any]] = {
    "chat.completions": lambda client: client.chat.completions.create(model="m", messages=[], edge={"nothing": 1}),  # type: ignore[typeddict-unknown-key]
    "embeddings": lambda client: client.embeddings.create(model="m", input=""),
    "rerank": lambda client: client.rerank.create(model="m", query="q", documents=[]),
    "moderations": lambda client: client.moderations.create(model="m", input="a", timeout=-1),
    "models.list": lambda client: client.models.list(timeout="soon"),
    "models.retrieve": lambda client: client.models.retrieve(""),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_wrong_arguments_are_told_as_the_client_tells_errors(call: Callable[[EdgeClient], Any]) -> None:
    """With `errors="openai"` every resource raises openai's class, and ours is its cause; without it, ours."""
    fake = FakeProvider("never asked")
    with pytest.raises(RequestValidationError) as ours:
        call(EdgeClient(providers=[fake]))
    with pytest.raises(openai.BadRequestError) as theirs:
        call(EdgeClient(providers=[fake], errors="openai"))
    assert isinstance(theirs.value.__cause__, RequestValidationError)
    assert theirs.value.param == ours.value.param
    assert fake.requests == []
