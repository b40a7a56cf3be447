"""Completions beside openai's own objects: the same dumps, whatever they are asked to leave out."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from openai._models import construct_type
from openai.types.chat import ChatCompletion as Theirs

from edgeagent import ChatCompletion
from edgeagent.types import ChatCompletionMessage, Choice
from edgeagent.types.assembly import assemble, to_chunks
from edgeagent.types.embedding import CreateEmbeddingResponse, Embedding
from edgeagent.types.listing import Model, ModelPage
from tests.support.corpus import body, records

RECORDED = [json.loads(body(r)) for r in records("openai.chat") if r["status"] == 200 and not r["stream"]][:40]
OPTIONS = [{"exclude_unset": a, "exclude_none": b} for a, b in itertools.product([True, False], repeat=2)]


def shared(ours: Any, theirs: Any) -> Any:
    """Ours without the fields that only our objects have, where they say nothing."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return {k: shared(v, theirs.get(k)) for k, v in ours.items() if k in theirs or v is not None}
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        return [shared(a, b) for a, b in zip(ours, theirs, strict=True)]
    return ours


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_dumps(options: dict[str, bool]) -> None:
    """`to_dict`, `to_json`, `model_dump` and `model_dump_json`, for recorded answers."""
    assert len(RECORDED) > 5
    for data in RECORDED:
        ours, theirs = ChatCompletion.model_validate(data), construct_type(type_=Theirs, value=data)
        assert isinstance(theirs, Theirs)
        for mode in ("json", "python"):
            mine, other = ours.to_dict(mode=mode, **options), theirs.to_dict(mode=mode, warnings=False, **options)  # type: ignore[arg-type]
            assert shared(mine, other) == other
            mine = ours.model_dump(mode=mode, **options)
            assert shared(mine, other) == theirs.model_dump(mode=mode, warnings=False, **options)
        for indent in (None, 2):
            text = ours.to_json(indent=indent, **options)
            assert ("\n" in text) == (indent is not None)
            told = json.loads(theirs.to_json(indent=indent, warnings=False, **options))
            assert shared(json.loads(text), told) == told
        told = json.loads(theirs.model_dump_json(warnings=False, **options))
        assert shared(json.loads(ours.model_dump_json(**options)), told) == told


@pytest.mark.parametrize("mode", ["dict", "json"])
def test_what_every_completion_says(mode: str) -> None:
    """`object`, and of a chunk's choice that it has not ended: also where it was made of what another vendor said."""
    message = ChatCompletionMessage(role="assistant", content="Hi")
    whole = ChatCompletion(
        id="x", choices=[Choice(index=0, message=message, finish_reason="stop")], created=1, model="m"
    )
    pieces = to_chunks(whole)
    for one in (whole, *pieces, assemble(pieces)):
        told = one.to_dict() if mode == "dict" else json.loads(one.to_json())
        assert told["object"] == type(one).model_fields["object"].default
        assert all("finish_reason" in choice for choice in told["choices"])


def test_what_every_vector_and_model_says() -> None:
    """`object`, at every depth, also where the vendor has another format."""
    vectors = CreateEmbeddingResponse(data=[Embedding(index=0, embedding=[0.5])], model="e")
    models = ModelPage(data=[Model(id="m", owned_by="me")])
    for told, kind in ((vectors.to_dict(), "embedding"), (json.loads(models.to_json()), "model")):
        assert (told["object"], told["data"][0]["object"]) == ("list", kind)


def test_what_is_printed() -> None:
    """The class's name and its fields, as `repr` has them, whether it is printed or put into a text."""
    for data in RECORDED[:3]:
        ours, theirs = ChatCompletion.model_validate(data), Theirs.model_validate(data)
        assert str(ours) == f"{ours}" == repr(ours)
        assert str(ours).startswith("ChatCompletion(id=")
        assert str(theirs) == repr(theirs)
        assert str(ours.choices[0].message).startswith("ChatCompletionMessage(")
