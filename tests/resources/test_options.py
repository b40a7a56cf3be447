"""Arguments that are wrong before any driver runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import openai
import pytest

from edgeagent import BadRequestError, EdgeClient, RequestValidationError
from edgeagent.providers import OpenAI
from edgeagent.testing import FakeProvider
from tests.support.loopback import Loopback, Request, reply

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


QUESTION = {"model": "m", "messages": [{"role": "user", "content": "x"}]}


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("temprature", "did you mean 'temperature'? A vendor's own parameters go into extra_body."),
        ("max_token", "did you mean 'max_tokens'? A vendor's own parameters go into extra_body."),
        ("fallbacks", "it is an option of edge={'fallbacks': …}."),
        ("api_key", "it belongs to a provider: EdgeClient(providers=[OpenAI(api_key=…, base_url=…)])."),
        ("num_retries", "retries belong to the client: EdgeClient(retry=2), or client.with_options(retry=2)."),
        ("top_k", "did you mean 'top_p'? A vendor's own parameters go into extra_body."),
        ("guided_json", "a vendor's own parameters go into extra_body."),
    ],
)
def test_an_unknown_argument_is_told_where_it_belongs(argument: str, told: str) -> None:
    """What was misspelt, what is an option elsewhere, and what a vendor alone may know; in every kind of call."""
    client = EdgeClient(providers=[FakeProvider("never asked")])
    expected = f"create() got an unexpected keyword argument {argument!r}; {told}"
    with pytest.raises(TypeError) as caught:
        client.chat.completions.create(**QUESTION, **{argument: 1})
    assert str(caught.value) == expected


def test_unknown_arguments_of_other_calls() -> None:
    """They know their own parameters."""
    client: Any = EdgeClient(providers=[FakeProvider("never asked")])
    with pytest.raises(TypeError, match="did you mean 'input'"):
        client.responses.create(model="m", inptu="x")
    with pytest.raises(TypeError, match=r"'response_id'; .* responses\.stream\(response_id="):
        client.responses.create(response_id="resp_1")
    with pytest.raises(TypeError, match="did you mean 'dimensions'"):
        client.embeddings.create(model="m", input="x", dimension=3)


def test_what_is_left_out_of_an_extra_body() -> None:
    """openai's `omit`, in every kind of call; a None is a value there."""
    seen: list[Any] = []

    def vendor(request: Request) -> bytes:
        seen.append(request.json())
        return reply(400, {"error": {"message": "Enough."}})

    more = {"model": "m", "extra_body": {"a": openai.omit, "b": openai.NOT_GIVEN, "c": None}}
    with Loopback(vendor) as server, EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)]) as client:
        for ask in (client.embeddings.create, client.responses.create, client.moderations.create):
            with pytest.raises(BadRequestError):
                ask(input="x", **more)
        with pytest.raises(BadRequestError):
            client.chat.completions.create(messages=QUESTION["messages"], **more)
    assert [body.keys() & {"a", "b", "c"} for body in seen] == [{"c"}] * 4


@pytest.mark.parametrize("stream", ["false", "yes", 1, 0.0, [True]])
def test_a_stream_that_is_no_truth_value(stream: Any) -> None:
    """The text "false" is as true as any other, so it is refused, and nothing is asked."""
    fake = FakeProvider("never asked")
    client: Any = EdgeClient(providers=[fake])
    calls = [
        partial(client.chat.completions.create, **QUESTION),
        partial(client.responses.create, model="m", input="x"),
        partial(client.explain, **QUESTION),
        partial(client.cache.peek, **QUESTION),
    ]
    for call in calls:
        with pytest.raises(RequestValidationError, match="stream: must be True or False") as caught:
            call(stream=stream)
        assert caught.value.param == "stream"
    with pytest.raises(openai.BadRequestError):
        EdgeClient(providers=[fake], errors="openai").chat.completions.create(**QUESTION, stream=stream)
    assert fake.requests == []


@pytest.mark.parametrize("stream", [None, False, openai.omit, openai.NOT_GIVEN])
def test_a_stream_that_was_left_out(stream: Any) -> None:
    """openai's markers mean nothing, as None does."""
    client = EdgeClient(providers=[FakeProvider("Paris.")])
    assert client.chat.completions.create(**QUESTION, stream=stream).choices[0].message.content == "Paris."
