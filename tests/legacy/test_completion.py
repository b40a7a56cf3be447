"""`openai.Completion`, answered by chat."""

from __future__ import annotations

import asyncio

import pytest

import edgeagent as openai
from tests.legacy.server import MESSAGES

__all__: list[str] = []


@pytest.mark.parametrize(
    ("arguments", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({}, "prompt"),
        ({"prompt": "x", "suffix": "y"}, "suffix"),
        ({"prompt": "x", "echo": True}, "echo"),
        ({"prompt": "x", "logprobs": 2}, "logprobs"),
        ({"prompt": "x", "best_of": 3}, "best_of"),
    ],
)
def test_what_chat_cannot_answer_is_refused(arguments, param, server):
    """Before anything is sent."""
    with pytest.raises(openai.error.InvalidRequestError) as caught:
        openai.Completion.create(model="m", **arguments)
    assert caught.value.param == param
    assert not server.requests


def test_a_prompt_is_the_users_message(server):
    """With the output limit that the API had by default; what means nothing is left out."""
    result = openai.Completion.create(model="m", prompt=["Hello"], echo=False, best_of=1)
    body = server.requests[-1].json()
    assert body == {"model": "m", "messages": MESSAGES, "max_tokens": 16}
    assert (result.object, result.choices[0].text, result.edge.provider) == (
        "text_completion",
        "You said: Hello",
        "openai",
    )


@pytest.mark.parametrize(
    "arguments", [{"model": "text-davinci-003"}, {"engine": "babbage-002"}, {"deployment_id": "gpt-35-turbo-instruct"}]
)
def test_a_model_that_only_completes(arguments, server):
    """Is refused with what to do, and done: its name can stand for a model that chats."""
    with pytest.raises(openai.error.InvalidRequestError, match=r"openai\.edge\['models'\]") as caught:
        openai.Completion.create(**arguments, prompt="Hello")
    assert caught.value.param == "model"
    assert not server.requests
    openai.edge = {"models": dict.fromkeys(arguments.values(), "gpt-4o-mini")}
    assert openai.Completion.create(**arguments, prompt="Hello").choices[0].text == "You said: Hello"
    assert server.requests[-1].json()["model"] == "gpt-4o-mini"


def test_async_completions(server):
    """The same, awaiting, and streamed."""

    async def main() -> list[str]:
        whole = await openai.Completion.acreate(model="m", prompt="Hello")
        stream = await openai.Completion.acreate(model="m", prompt="Hello", stream=True)
        return [whole.choices[0].text, "".join([chunk.choices[0].text async for chunk in stream])]

    assert asyncio.run(main()) == ["You said: Hello", "You said: Hello"]
