"""Lists and plain values as the wanted form of an answer, under an SDK whose vendor takes any, answered by others."""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from google import genai
from pydantic import BaseModel

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic, OpenAI
from edgeagent.transports import transport
from tests.support.loopback import Loopback, Request, events, reply
from tests.transports.harness import COMPLETION, chunks


class Recipe(BaseModel):
    name: str
    minutes: int


class Taste(enum.Enum):
    SWEET = "sweet"
    SOUR = "sour"


RECIPES = [Recipe(name="Soup {hot}", minutes=20), Recipe(name='"Bread"', minutes=90)]
FORMS: list[tuple[Any, Any, Any]] = [
    (list[Recipe], [one.model_dump() for one in RECIPES], RECIPES),
    (list[str], ["a", "b"], ["a", "b"]),
    (Taste, "sour", Taste.SOUR),
    (Recipe, {"name": "Tea", "minutes": 3}, Recipe(name="Tea", minutes=3)),
]


def told(body: Any, value: Any) -> str:
    """What a vendor that takes objects alone says: the value in the object that was asked for."""
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema["type"] == "object"
    return json.dumps(value if "answer" not in schema["properties"] else {"answer": value})


@contextmanager
def answered(said: Callable[[Any], str]) -> Iterator[tuple[genai.Client, Loopback]]:
    """Google's client over one of OpenAI's models, which says what `said` makes of its request's body."""

    def vendor(request: Request) -> Any:
        text = said(request.json())
        if request.json().get("stream"):
            return events(chunks(*(text[i : i + 3] for i in range(0, len(text), 3))))
        message = {"role": "assistant", "content": text}
        return reply(200, {**COMPLETION, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    with (
        Loopback(vendor) as server,
        EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url + "/v1")], models={"any": ["gpt-4o"]}) as edge,
    ):
        options = genai.types.HttpOptions(client_args={"transport": transport(edge)})
        yield genai.Client(api_key="k", http_options=options), server


def streamed(client: genai.Client, config: Any) -> str:
    parts = client.models.generate_content_stream(model="any", contents="?", config=config)
    return "".join(part.text or "" for part in parts)


STREAMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@STREAMS
@pytest.mark.parametrize(("form", "value", "parsed"), FORMS, ids=["models", "texts", "word", "model"])
def test_the_sdk_gets_the_form_that_it_asked_for(form: Any, value: Any, parsed: Any, stream: bool) -> None:
    """From OpenAI, which is asked for an object; a second, identical call gets it from the cache."""
    config: Any = {"response_mime_type": "application/json", "response_schema": form}
    with answered(lambda body: told(body, value)) as (client, server):
        for _ in range(2):
            if stream:
                assert json.loads(streamed(client, config)) == value
            else:
                answer = client.models.generate_content(model="any", contents="?", config=config)
                assert answer.parsed == parsed
                assert json.loads(answer.text or "") == value
        assert len(server.requests) == 1


@STREAMS
def test_one_of_some_words(stream: bool) -> None:
    """Google's answers of an enumeration have no quotes; another vendor's come so, too, and from memory."""
    config: Any = {"response_mime_type": "text/x.enum", "response_schema": Taste}
    with answered(lambda body: told(body, "sour")) as (client, server):
        for _ in range(2):
            if stream:
                assert streamed(client, config) == "sour"
            else:
                answer = client.models.generate_content(model="any", contents="?", config=config)
                assert answer.text == "sour"
                assert answer.parsed is Taste.SOUR
        (request,) = server.requests
        asked = request.json()["response_format"]["json_schema"]
        assert asked.keys() == {"name", "schema", "strict"}
        assert asked["schema"]["properties"]["answer"] == {"type": "string", "enum": ["sweet", "sour"]}


def test_claude_is_asked_for_an_object_too() -> None:
    """Whatever the other vendor takes is the same to the caller."""

    def vendor(request: Request) -> Any:
        text = json.dumps({"answer": ["a"]})
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {"id": "m", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn"}
        return reply(200, {**message, "content": [{"type": "text", "text": text}], "usage": usage})

    claude = "claude-opus-4-5"
    with (
        Loopback(vendor) as server,
        EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)], models={"any": [claude]}) as edge,
    ):
        options = genai.types.HttpOptions(client_args={"transport": transport(edge)})
        client = genai.Client(api_key="k", http_options=options)
        config: Any = {"response_mime_type": "application/json", "response_schema": list[str]}
        assert client.models.generate_content(model="any", contents="?", config=config).parsed == ["a"]
        assert '"answer"' in server.requests[0].body.decode()
