"""The results of openai<1 as objects: dicts that are read by attribute too."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.openai_object import OpenAIObject, convert_to_openai_object

__all__: list[str] = []

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=8), VALUES, max_size=4)


def made() -> OpenAIObject:
    return OpenAIObject.construct_from(
        {"id": "x", "object": "thing", "empty": "", "inner": {"list": [{"deep": 1}, 2]}},
        organization="org",
        engine="e",
        response_ms=7,
        edge="facts",
    )


@given(OBJECTS)
def test_it_is_the_dict_that_it_was_made_of(values: dict[str, Any]) -> None:
    """Equal to it, as JSON too, and back to plain dicts all the way down."""
    result = OpenAIObject.construct_from(values)
    assert result == values
    plain = result.to_dict_recursive()
    assert plain == values
    assert json.loads(json.dumps(result)) == json.loads(str(result)) == json.loads(json.dumps(values))
    assert "OpenAIObject" not in repr(plain)


@given(OBJECTS)
def test_copies_and_pickles_are_equal(values: dict[str, Any]) -> None:
    """Also where a text is empty, which cannot be set."""
    result = OpenAIObject.construct_from(values)
    for again in (copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert (type(again), again) == (OpenAIObject, values)


def test_fields_are_attributes():
    """At every depth; what is not there is an AttributeError, and None for `get`."""
    result = made()
    assert (result.inner.list[0].deep, result["inner"]["list"][0]["deep"], result.inner.list[1]) == (1, 1, 2)
    assert isinstance(result.inner, OpenAIObject)
    assert result.get("nothing") is None
    for name in ("nothing", "_nothing"):
        with pytest.raises(AttributeError, match="nothing"):
            getattr(result, name)


def test_facts_stand_beside_the_fields():
    """They are no fields, survive copies and pickles, and are None for inner objects."""
    result = made()
    for one in (result, copy.copy(result), copy.deepcopy(result), pickle.loads(pickle.dumps(result))):
        assert (one.organization, one.engine, one.response_ms, one.edge) == ("org", "e", 7, "facts")
        assert not {"organization", "engine", "response_ms", "edge"} & one.keys()
    assert result.inner.organization is result.inner.response_ms is None


def test_fields_can_be_set():
    """By attribute and by key, but not to an empty text, and not be deleted: as at that time."""
    result = made()
    result.colour = "red"
    result["size"] = 3
    result.engine = "other"
    result._private = 1
    assert (result["colour"], result.size, result.engine, "engine" in result, "_private" in result) == (
        ("red", 3, "other", False, False)
    )
    with pytest.raises(ValueError, match="colour"):
        result.colour = ""
    with pytest.raises(NotImplementedError):
        del result.colour
    with pytest.raises(NotImplementedError):
        del result["colour"]
    del result._private
    assert not hasattr(result, "_private")


def test_a_deep_copy_is_deep():
    """A change of it does not change the first."""
    result = made()
    again = copy.deepcopy(result)
    again.inner.list[0].deep = 2
    shallow = copy.copy(result)
    assert (result.inner.list[0].deep, shallow.inner is result.inner) == (1, True)


def test_what_it_shows():
    """JSON as text; class, kind and id before it in its `repr`."""
    result = made()
    assert str(result) == json.dumps(result, indent=2)
    assert repr(result).startswith("<OpenAIObject thing id=x at 0x")
    assert repr(OpenAIObject()).startswith("<OpenAIObject at 0x")
    assert OpenAIObject("x") == {"id": "x"}


@pytest.mark.parametrize("value", [1, "x", None, [1, [2]]])
def test_what_is_no_dict_stays_what_it_is(value):
    """Lists are looked through."""
    assert convert_to_openai_object(value) == value
    assert isinstance(convert_to_openai_object([{"a": 1}])[0], OpenAIObject)


def test_fields_can_be_refreshed():
    """Others in the place of all that there are, with the facts of what they come from."""
    result = made()
    result.refresh_from({"id": "y", "empty": "", "inner": {"deep": 1}})
    assert result == {"id": "y", "empty": "", "inner": {"deep": 1}}
    assert (result.openai_id, result.inner.deep) == ("y", 1)
    assert (result.organization, result.engine, result.response_ms, result.edge) == (None, "e", None, None)
    result.refresh_from(made(), api_key="sk", organization="other")
    assert (result.openai_id, result.object) == ("x", "thing")
    assert (result.organization, result.engine, result.response_ms, result.edge) == ("other", "e", 7, "facts")
    with pytest.raises(AttributeError, match="id"):
        OpenAIObject().openai_id  # noqa: B018
