"""Our Responses objects against the `openai` package's, on everything that was recorded."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any, get_args

import pytest
from openai._models import construct_type_unchecked
from openai.types import responses as theirs
from pydantic import BaseModel

from edgeagent.types import responses as ours
from edgeagent.types.responses.events import _KINDS, event_from
from tests.providers.responses.reading import events_of
from tests.providers.responses.support import APIS
from tests.support.corpus import records

LEFT = object()


def documents() -> list[dict[str, Any]]:
    """Every response that came as one document."""
    found = (r["response"].get("body_json") for api in APIS for r in records(f"{api}.responses"))
    return [body for body in found if isinstance(body, dict) and body.get("object") == "response"]


def streamed() -> list[dict[str, Any]]:
    """Every event of every stream."""
    texts = [r["response"].get("body_text") or "" for api in APIS for r in records(f"{api}.responses") if r["stream"]]
    return [event for text in texts if "data:" in text for event in events_of(text) if "type" in event]


def said(value: Any, name: str, default: Any) -> Any:
    """A field; one that has the name of a method of pydantic's is in the dump."""
    found = getattr(value, name, default)
    return value.to_dict().get(name) if callable(found) else found


def differences(one: Any, other: Any, where: str) -> list[str]:
    """Where an object of openai's says something that ours does not say; what theirs has none of may be absent."""
    if isinstance(one, BaseModel):
        fields = {**one.__dict__, **(one.model_extra or {})}
        fields.pop("output_text", None)  # a property, which some servers send as a field
        return [
            fault
            for name, value in fields.items()
            for fault in differences(value, said(other, name, None if value is None else LEFT), f"{where}.{name}")
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        places = enumerate(zip(one, other, strict=True))
        return [fault for place, (a, b) in places for fault in differences(a, b, f"{where}[{place}]")]
    if isinstance(one, dict) and isinstance(other, BaseModel):
        pairs = ((name, value, getattr(other, name, LEFT)) for name, value in one.items())
        return [fault for name, a, b in pairs for fault in differences(a, b, f"{where}.{name}")]
    return [] if one == other else [f"{where}: {one!r} is not {other!r}"]


def test_every_recorded_response_reads_as_openai_reads_it() -> None:
    """Each field of openai's own parsing of the same JSON is there under its name, with its value."""
    bodies = documents()
    assert len(bodies) > 20
    for body in bodies:
        mine, hers = ours.Response.read(body), construct_type_unchecked(type_=theirs.Response, value=body)
        assert differences(hers, mine, "response") == []
        assert mine.output_text == hers.output_text
        assert mine.to_dict() == body == ours.Response.from_json(json.dumps(body)).to_dict()


@pytest.mark.bulk
def test_every_recorded_event_reads_as_openai_reads_it() -> None:
    """The class has openai's name, every field its value, and nothing that was sent is lost."""
    events = streamed()
    assert len(events) > 500
    union = get_args(theirs.ResponseStreamEvent)[0]
    known = {kind.model_fields["type"].annotation.__args__[0]: kind for kind in get_args(union)}
    for body in events:
        mine: Any = event_from(body)
        kind = known.get(body["type"])
        assert type(mine).__name__ == ("ResponseEvent" if kind is None else kind.__name__)
        assert mine.to_dict() == body
        if kind is not None:
            hers: Any = construct_type_unchecked(type_=kind, value=body)
            assert differences(hers, mine, body["type"]) == []


def test_every_event_and_item_of_openai_has_a_class_with_its_fields() -> None:
    """None is missing, of a new version of the package either, and each has the fields that openai documents."""
    for union, read in (
        (theirs.ResponseStreamEvent, event_from),
        (theirs.ResponseOutputItem, lambda body: ours.Response.read({"output": [body]}).output[0]),
    ):
        for kind in get_args(get_args(union)[0]):
            body = {"type": kind.model_fields["type"].annotation.__args__[0]}
            mine: Any = read(body)
            assert type(mine).__name__ == kind.__name__
            assert kind.model_fields.keys() <= type(mine).model_fields.keys(), kind.__name__
    assert theirs.Response.model_fields.keys() <= ours.Response.model_fields.keys()
    assert len(_KINDS) >= 59


ODD = {
    "id": 5,
    "created_at": "yesterday",
    "output": [
        {"type": "message", "id": None, "content": [{"type": "output_text", "text": "a", "annotations": "none"}]},
        {"type": "message", "content": None},
        {"type": "dance", "steps": [{"name": "left"}]},
        {"no": "type"},
        "no object",
    ],
    "usage": {"input_tokens": "many", "output_tokens_details": {"reasoning_tokens": 3}},
    "invented": {"deep": [1]},
}


@pytest.mark.filterwarnings("error")
def test_what_is_not_as_documented_is_kept() -> None:
    """A field of another type, a kind that is unknown, what is missing: nothing is refused, nothing is lost."""
    response: Any = ours.Response.read(ODD)
    assert response.to_dict() == ODD
    assert json.loads(response.to_json()) == ODD
    assert response.model_dump(exclude_unset=True) == ODD
    assert response.output_text == "a"
    assert (response.id, response.created_at, response.model) == (5, "yesterday", None)
    assert response.usage.input_tokens == "many"
    assert response.usage.total_tokens is None
    assert response.usage.output_tokens_details.reasoning_tokens == 3
    assert response.output[2].steps[0].name == "left"
    assert response.invented == {"deep": [1]}


def test_a_response_can_be_copied_pickled_and_compared() -> None:
    """A copy is equal whatever the gateway did; another answer is not."""
    response = ours.Response.read(ODD)
    response.edge.provider = "mine"
    for twin in (copy.deepcopy(response), pickle.loads(pickle.dumps(response)), ours.Response.read(ODD)):
        assert twin == response
    assert response != ours.Response.read({**ODD, "id": 6})
    assert response != ODD
    assert copy.deepcopy(response).edge.provider == "mine"


def test_no_object_is_no_response() -> None:
    """A list and a damaged text raise."""
    for text in ("[]", "{"):
        with pytest.raises(ValueError, match=r"Response|EOF"):
            ours.Response.from_json(text)


def test_the_fields_of_an_alias_are_read_and_written_by_their_name_in_json() -> None:
    """`async` is a word of Python's."""
    body = {"type": "function_call", "async": True, "call_id": "c", "name": "f", "arguments": "{}"}
    for value in (True, "odd"):
        item: Any = ours.Response.read({"output": [{**body, "async": value}]}).output[0]
        assert item.to_dict() == {**body, "async": value}
    assert ours.Response.read({"output": [body]}).output[0].async_ is True  # type: ignore[union-attr]
