"""`edgeagent.types.chat` and the markers: openai's names, with openai's fields."""

from __future__ import annotations

from typing import Any, get_origin

import openai.types.chat as theirs
import pytest
from openai.types.shared_params import FunctionDefinition
from typing_extensions import Required, get_type_hints, is_typeddict

import edgeagent
import edgeagent.types.chat as ours

PARAMS = [
    name
    for name in ours.__all__
    if is_typeddict(getattr(ours, name)) and is_typeddict(getattr(theirs, name)) and name.endswith("Param")
]


def test_every_name_is_openais() -> None:
    """Each is a name of `openai.types.chat`, or of one of its modules."""
    assert [name for name in ours.__all__ if not hasattr(theirs, name)] == []


def required(kind: Any) -> set[str]:
    """Names of the fields that must be there; read from the annotations, which are texts in both."""
    hints = get_type_hints(kind, include_extras=True)
    return {name for name, hint in hints.items() if kind.__total__ or get_origin(hint) is Required}


@pytest.mark.parametrize("name", PARAMS)
def test_the_same_fields(name: str) -> None:
    """What goes into a call has openai's required fields, and no field that openai's has not."""
    mine, other = getattr(ours, name), getattr(theirs, name)
    assert required(mine) == required(other)
    assert mine.__annotations__.keys() <= other.__annotations__.keys()
    assert mine.__doc__


def test_the_same_function() -> None:
    """The definition of a function, which openai has elsewhere."""
    assert ours.FunctionDefinition.__annotations__.keys() == FunctionDefinition.__annotations__.keys()
    assert len(PARAMS) > 12


def test_markers() -> None:
    """They are false, tell their names, and are left out of a request, alone and in a message."""
    assert [bool(marker) for marker in (edgeagent.omit, edgeagent.NOT_GIVEN)] == [False, False]
    assert repr([edgeagent.omit, edgeagent.not_given]) == "[omit, NOT_GIVEN]"
    from edgeagent.core.requests import chat_request

    message = {"role": "user", "content": "x", "name": edgeagent.omit}
    request = chat_request({"model": "m", "messages": [message], "seed": edgeagent.NOT_GIVEN})
    assert request.params() == {"model": "m", "messages": [{"role": "user", "content": "x"}]}
