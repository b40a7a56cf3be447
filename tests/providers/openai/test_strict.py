"""Schemas that OpenAI compiles: an answer that elsewhere is sure to be of its schema is asked for with `strict`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.providers import Anthropic, AzureOpenAI, Gemini, OpenAI, OpenAICompatible
from edgeagent.providers.openai.strict import closed
from edgeagent.wire.http import HTTPResponse
from tests.core.test_native import COMPLETION, sent_body
from tests.core.test_others import answered
from tests.core.test_pipeline import House

WORD = {"type": "string"}
CITY: dict[str, Any] = {"type": "object", "properties": {"name": WORD, "kind": WORD}, "required": ["kind", "name"]}
CLOSED = {**CITY, "additionalProperties": False}


def of(field: Any, **more: Any) -> dict[str, Any]:
    """An object with this field."""
    return {"type": "object", "properties": {"a": field}, "required": ["a"], **more}


@pytest.mark.parametrize(
    ("schema", "field"),
    [
        (of(CITY), CLOSED),
        (of(CLOSED, title="T", description="d"), CLOSED),
        (of({"type": "array", "items": CITY}), {"type": "array", "items": CLOSED}),
        (of({"anyOf": [CITY, {"type": "null"}]}), {"anyOf": [CLOSED, {"type": "null"}]}),
        (of({"type": ["string", "null"]}), {"type": ["string", "null"]}),
        (
            of({"type": "object", "properties": {}}),
            {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
        ),
        (of({"enum": ["x", "y"], "title": "K"}), {"enum": ["x", "y"], "title": "K", "type": "string"}),
        (of({"const": "x"}), {"const": "x", "type": "string"}),
        (of({"type": "integer", "enum": [1]}), {"type": "integer", "enum": [1]}),
        (of({"$ref": "#/$defs/C", "title": "t"}, **{"$defs": {"C": CITY}}), {"$ref": "#/$defs/C"}),
        (of({"anyOf": [{"$ref": "#"}, {"type": "null"}]}), {"anyOf": [{"$ref": "#"}, {"type": "null"}]}),
    ],
)
def test_what_is_compiled(schema: Any, field: Any) -> None:
    """Objects that have all of their fields are closed, everywhere in it."""
    made = closed(schema)
    assert made is not None
    assert made["properties"]["a"] == field
    assert made["additionalProperties"] is False
    if "$defs" in schema:
        assert made["$defs"] == {"C": CLOSED}
    assert closed(made) == made


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"type": "array", "items": WORD},
        {"anyOf": [CITY]},
        {"type": "object"},
        {**CITY, "required": ["name"]},
        {**CITY, "required": [["name"]]},
        {**CITY, "additionalProperties": True},
        {**CITY, "additionalProperties": WORD},
        of({**WORD, "format": "email"}),
        of({**WORD, "minLength": 1}),
        of({"oneOf": [WORD]}),
        of({"type": "array"}),
        of({"type": "file"}),
        of({**WORD, "properties": {}}),
        of({**WORD, "items": WORD}),
        of({"enum": [1, "x"]}),
        of({"enum": []}),
        of({"$ref": "#/properties/a"}),
        of({"$ref": "https://x.test"}),
        of({"$ref": "#/$defs/C", "type": "string"}),
        of({}),
        of(True),
        {**of(WORD), "properties": {f"f{n}": WORD for n in range(101)}, "required": [f"f{n}" for n in range(101)]},
        of(of(of(of(of(of(WORD)))))),
    ],
)
def test_what_may_be_refused(schema: Any) -> None:
    """Optional and open fields, keywords that not every model takes, too much of it: asked for as it was."""
    assert closed(schema) is None


GOOGLES = {"contents": [{"role": "user", "parts": [{"text": "?"}]}]}
CLAUDES = {"max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}
EDIT = "The answer's schema is asked for with strict, so that the answer is sure to be of it."


def wanted(caller: Any, schema: Any) -> dict[str, Any]:
    """A body that wants an answer of the schema."""
    if isinstance(caller, Gemini):
        config = {"responseMimeType": "application/json", "responseSchema": schema}
        return {"model": "openai/gpt-4o", **GOOGLES, "generationConfig": config}
    return {"model": "openai/gpt-4o", **CLAUDES, "output_config": {"format": {"type": "json_schema", "schema": schema}}}


AZURE = AzureOpenAI(api_key="k", azure_endpoint="https://r.test", api_version="2025-01-01", name="openai")
ROUTED = OpenAICompatible(name="openai", base_url="https://r.test/v1", api_key="k")


@pytest.mark.parametrize("caller", [Gemini(api_key="k"), Anthropic(api_key="k")])
@pytest.mark.parametrize("provider", [OpenAI(api_key="k"), AZURE, ROUTED])
@pytest.mark.parametrize("schema", [CITY, {**CITY, "required": ["name"]}])
def test_an_answer_is_as_sure_as_it_would_have_been(caller: Any, provider: Any, schema: Any) -> None:
    """Under Google's and Anthropic's SDKs; of OpenAI alone, and where it compiles the schema."""
    sent, told = answered(provider, COMPLETION, wanted(caller, schema), caller)
    form = sent["response_format"]["json_schema"]
    strict = schema is CITY and provider is not ROUTED
    assert (form.get("strict"), form["schema"]) == ((True, CLOSED) if strict else (None, schema))
    assert (EDIT in told.completion.edge.edits) is strict


def test_openais_own_callers_say_it_themselves() -> None:
    """In calls of `create`, of which OpenAI answers as one of a group, what is not said is not wanted."""
    house = House(OpenAI(api_key="k"), groups={"any": ["openai/gpt-4o"]})
    house.world.answers.append(HTTPResponse(200, content=json.dumps(COMPLETION).encode()))
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": CITY}}
    house.complete(model="any", response_format=form)
    assert sent_body(house)["response_format"] == form
