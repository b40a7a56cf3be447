"""One table of calls, made with openai<1 or with edgeagent: `python cases.py LIBRARY URL` prints what came of each.

It runs in an environment that has nothing of this repository, so it imports nothing of it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys

openai = importlib.import_module(sys.argv[1])
URL = sys.argv[2]

openai.api_key = "sk-of-the-test"
openai.api_base = URL + "/v1"

MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]
ATTRIBUTES = ("user_message", "http_body", "http_status", "json_body", "code", "param", "request_id", "organization")

WHOLE = json.loads(sys.argv[3])
STREAMS = json.loads(sys.argv[4])

AZURE = {"api_type": "azure", "api_base": URL, "api_version": "2023-07-01-preview"}
FUNCTIONS = [{"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}]

CALLS = {
    **{name: {"model": name} for name in WHOLE if name != "409"},  # openai<1 asks again for ever
    **{f"stream of {name}": {"model": name, "stream": True} for name in (*STREAMS, "breaks-off", "hang-up")},
    **{f"stream refused by {n}": {"model": n, "stream": True} for n in ("400", "401", "429", "500", "502-html", "503")},
    "hang-up": {"model": "hang-up"},
    "silent": {"model": "silent", "request_timeout": 0.2},
    "silent, pair of limits": {"model": "silent", "request_timeout": (2, 0.2)},
    "409, for a while": {"model": "409", "timeout": 0},
    "azure": {"engine": "plain", **AZURE},
    "azure by deployment_id": {"deployment_id": "plain", **AZURE},
    "azure stream": {"engine": "azure-stream", "stream": True, **AZURE},
    "azure filter": {"engine": "400-azure-filter", **AZURE},
    "azure by token": {"engine": "plain", **AZURE, "api_type": "azuread"},
    "azure, nothing named": {"model": "plain", **AZURE},
    "own key": {"model": "plain", "api_key": "sk-other", "organization": "org-7"},
    "own version": {"model": "plain", "api_version": "2020-11-07"},
    "own headers": {"model": "plain", "headers": {"X-Mine": "1"}, "request_id": "r-1"},
    "all parameters": {
        "model": "plain",
        "temperature": 0.5,
        "top_p": 1,
        "n": 1,
        "stop": ["\n"],
        "max_tokens": 5,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.1,
        "logit_bias": {"50256": -100},
        "user": "u",
        "functions": FUNCTIONS,
        "function_call": {"name": "get_weather"},
        "unheard_of": {"a": [1, None]},
    },
    "nothing named": {},
    "no such type": {"model": "plain", "api_type": "watson"},
}


OTHERS = {
    "embedding": ("Embedding", "create", {"input": "What is near?", "model": "text-embedding-ada-002"}),
    "embeddings": ("Embedding", "create", {"input": ["one", "two"], "engine": "text-embedding-ada-002", "user": "u"}),
    "embeddings as numbers": ("Embedding", "create", {"input": "x", "model": "m", "encoding_format": "float"}),
    "embeddings as text": ("Embedding", "create", {"input": "seen", "model": "m", "encoding_format": "base64"}),
    "embeddings refused": ("Embedding", "create", {"input": "x", "model": "429"}),
    "embeddings of Azure": ("Embedding", "create", {"input": "x", "engine": "ada", **AZURE}),
    "embeddings, nothing named": ("Embedding", "create", {"input": "x"}),
    "moderation": ("Moderation", "create", {"input": "a fight", "model": "text-moderation-latest"}),
    "moderations": ("Moderation", "create", {"input": ["a fight", "a tea"], "model": "text-moderation-stable"}),
    "models": ("Model", "list", {}),
    "model": ("Model", "retrieve", {"id": "gpt-4"}),
    "model that is not there": ("Model", "retrieve", {"id": "gpt-7"}),
}


def told(error):
    known = [cls.__name__ for cls in type(error).__mro__ if vars(openai.error).get(cls.__name__) is cls]
    if not isinstance(error, openai.error.OpenAIError):
        return {"name": f"{type(error).__module__}.{type(error).__name__}", "known": known}
    attributes = {name: getattr(error, name, None) for name in ATTRIBUTES}
    attributes["http_body"] = error.http_body and error.http_body.rstrip("\n")  # of an event: there with its line end
    attributes["error"] = None if error.error is None else error.error.to_dict_recursive()
    attributes["content-type"] = error.headers.get("Content-Type")
    attributes["should_retry"] = getattr(error, "should_retry", None)
    return {"name": type(error).__name__, "known": known, "text": str(error), "attributes": attributes}


def shown(result):
    """A result by every way of reading it."""
    choice = result.choices[0] if result["choices"] else None
    return {
        "fields": result.to_dict_recursive(),
        "text": json.loads(str(result)),
        "kind": type(result).__name__,
        "a dict": isinstance(result, dict),
        "attribute": choice and (choice.get("message") or choice.get("delta")),
        "nested": choice and type(choice).__name__,
        "absent": [result.get("nothing"), hasattr(result, "nothing")],
        "engine": result.engine,
    }


def sync_call(arguments):
    outcome = {"chunks": []}
    try:
        result = openai.ChatCompletion.create(messages=MESSAGES, **arguments)
        if arguments.get("stream"):
            outcome["generator"] = type(result).__name__
            for chunk in result:
                outcome["chunks"].append(shown(chunk))
        else:
            outcome["result"] = shown(result)
    except Exception as error:
        outcome["error"] = told(error)
    return outcome


async def async_call(arguments):
    outcome = {"chunks": []}
    try:
        result = await openai.ChatCompletion.acreate(messages=MESSAGES, **arguments)
        if arguments.get("stream"):
            outcome["generator"] = type(result).__name__
            async for chunk in result:
                outcome["chunks"].append(shown(chunk))
        else:
            outcome["result"] = shown(result)
    except Exception as error:
        outcome["error"] = told(error)
    return outcome


def sync_other(resource, method, arguments):
    try:
        return {"result": getattr(getattr(openai, resource), method)(**arguments).to_dict_recursive()}
    except Exception as error:
        return {"error": told(error)}


async def async_other(resource, method, arguments):
    try:
        return {"result": (await getattr(getattr(openai, resource), "a" + method)(**arguments)).to_dict_recursive()}
    except Exception as error:
        return {"error": told(error)}


async def async_calls():
    # openai<1's own `Model.aretrieve` raises a TypeError: it is not compared
    chat = {name: await async_call(dict(arguments)) for name, arguments in CALLS.items()}
    return {**chat, **{name: await async_other(*call) for name, call in OTHERS.items() if call[1] != "retrieve"}}


outcomes = {
    "sync": {
        **{name: sync_call(dict(arguments)) for name, arguments in CALLS.items()},
        **{name: sync_other(*call) for name, call in OTHERS.items()},
    },
    "async": asyncio.run(async_calls()),
}
print(json.dumps(outcomes))
