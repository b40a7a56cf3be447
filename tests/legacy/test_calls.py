"""The old calls in process: settings, clients, options, kinds of loops."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trio

import edgeagent as openai
from edgeagent.legacy import calls
from edgeagent.legacy.clients import CLIENTS, client_for
from edgeagent.legacy.settings import SETTINGS
from edgeagent.testing import FakeProvider
from tests.legacy.server import ANSWERS, END, TEXT, Assistant, refusal
from tests.support.loopback import Loopback, Request, events, reply

__all__: list[str] = []

MESSAGES = [{"role": "user", "content": "Hello"}]
ASK: dict[str, Any] = {"model": "plain", "messages": MESSAGES}


@pytest.fixture
def server() -> Iterator[Loopback]:
    """The server that the module's settings name."""
    with Loopback(Assistant()) as server:
        openai.api_key = "sk-test"
        openai.api_base = f"{server.url}/v1"
        yield server


def sent(server: Loopback, name: str) -> str | None:
    return server.requests[-1].headers.get(name)


# Settings

DEFAULTS = {
    "api_key": None,
    "api_key_path": None,
    "api_base": "https://api.openai.com/v1",
    "api_type": "open_ai",
    "api_version": None,
    "organization": None,
    "proxy": None,
    "edge": None,
    "requestssession": None,
    "app_info": None,
    "debug": False,
    "log": None,
    "verify_ssl_certs": True,
    "ca_bundle_path": None,
    "enable_telemetry": False,
}


@pytest.mark.parametrize(("name", "value"), DEFAULTS.items())
def test_a_setting_has_the_default_of_that_time(name, value):
    """Without an assignment and without a variable."""
    assert getattr(openai, name) == value


def test_every_setting_is_known_to_the_module():
    """The package lists what the settings' module knows, without loading it."""
    assert SETTINGS.keys() == openai._SETTINGS


@pytest.mark.parametrize("name", ["Image", "Audio", "FineTune"])
def test_what_is_not_here_says_so(name):
    """A class of that time that has no place here, by its name."""
    with pytest.raises(AttributeError, match=f"{name} of openai<1"):
        getattr(openai, name)


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("OPENAI_API_KEY", "api_key"),
        ("OPENAI_API_KEY_PATH", "api_key_path"),
        ("OPENAI_API_BASE", "api_base"),
        ("OPENAI_API_TYPE", "api_type"),
        ("OPENAI_API_VERSION", "api_version"),
        ("OPENAI_ORGANIZATION", "organization"),
    ],
)
def test_a_setting_is_read_from_its_variable_until_it_is_assigned(variable, name, monkeypatch):
    """At each look, so that a `.env` file may be loaded after the import; an assignment wins, None included."""
    monkeypatch.setenv(variable, "first")
    assert getattr(openai, name) == "first"
    monkeypatch.setenv(variable, "second")
    assert getattr(openai, name) == "second"
    setattr(openai, name, None)
    assert getattr(openai, name) is None


@pytest.mark.parametrize(("kind", "version"), [("azure", "2023-05-15"), ("azure_ad", "2023-05-15"), ("open_ai", None)])
def test_azure_has_a_version_by_default(kind, version, monkeypatch):
    """Where the environment says that it is Azure."""
    monkeypatch.setenv("OPENAI_API_TYPE", kind)
    assert openai.api_version == version


def test_a_session_of_aiohttp_is_taken_and_not_used(server):
    """`openai.aiosession.set(…)` is what programs called to share connections; here they are shared anyway."""
    openai.aiosession.set(object())
    assert openai.ChatCompletion.create(**ASK).choices


def test_settings_are_read_at_call_time(server):
    """A change between two calls counts for the second, and a call's own arguments before both."""
    openai.ChatCompletion.create(**ASK)
    openai.api_key, openai.organization = "sk-next", "org-next"
    openai.ChatCompletion.create(**ASK)
    assert (sent(server, "authorization"), sent(server, "openai-organization")) == ("Bearer sk-next", "org-next")
    openai.ChatCompletion.create(**ASK, api_key="sk-own", organization="org-own")
    assert (sent(server, "authorization"), sent(server, "openai-organization")) == ("Bearer sk-own", "org-own")


def test_variables_of_newer_clients_do_not_count(server, monkeypatch):
    """OPENAI_BASE_URL, OPENAI_ORG_ID and OPENAI_PROJECT_ID are of another time."""
    for name in ("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    openai.ChatCompletion.create(**ASK)
    assert not {"openai-organization", "openai-project"} & server.requests[-1].headers.keys()


@pytest.mark.parametrize("key", [None, ""])
def test_no_key_is_told(key, monkeypatch):
    """The message says where a key is looked for."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-there")
    openai.api_key = key
    with pytest.raises(openai.error.AuthenticationError, match="OPENAI_API_KEY"):
        openai.ChatCompletion.create(**ASK)


@pytest.mark.parametrize("content", [None, b"nothing like a key", b"\xff\xfe"])
def test_a_file_without_a_key_is_told(content, tmp_path: Path):
    """Without quoting what is in it."""
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    openai.api_key_path = str(path)
    with pytest.raises(openai.error.AuthenticationError, match="api_key_path") as caught:
        openai.ChatCompletion.create(**ASK)
    assert "nothing like" not in str(caught.value)


@pytest.mark.parametrize("kind", ["watson", "", 7])
def test_a_type_that_does_not_exist(kind):
    """Is an error of its own class, which is one of configuration here."""
    openai.api_type = kind
    openai.api_key = "sk"
    with pytest.raises(openai.error.InvalidAPIType) as caught:
        openai.ChatCompletion.create(**ASK)
    assert isinstance(caught.value, openai.ConfigurationError)


@pytest.mark.parametrize("proxy", ["url", "dict"])
def test_a_proxy_is_used(proxy, server, monkeypatch):
    """`openai.proxy` is a URL, or URLs by scheme; the environment's is not asked, nor its exceptions."""
    monkeypatch.setenv("NO_PROXY", "*")
    openai.api_base = "http://vendor.test/v1"
    openai.proxy = server.url if proxy == "url" else {"http": server.url, "https": "http://127.0.0.1:9"}
    assert openai.ChatCompletion.create(**ASK).choices
    assert server.requests[-1].path == "http://vendor.test/v1/chat/completions"
    assert asyncio.run(openai.ChatCompletion.acreate(**ASK)).choices
    client_for.cache_clear()


@pytest.mark.parametrize(("name", "value"), [("proxy", 7), ("requestssession", object())])
def test_what_cannot_be_honoured_is_refused(name, value, server):
    """Before anything is sent, with the setting's name."""
    setattr(openai, name, value)
    with pytest.raises(openai.InvalidRequestError, match=name) as caught:
        openai.ChatCompletion.create(**ASK)
    assert caught.value.param == name
    assert not server.requests


def test_keys_are_not_shown(server):
    """The settings that clients are kept by, and results, hold no key in what they show."""
    result = openai.ChatCompletion.create(**ASK)
    shown = repr(calls.settings_of({})) + repr(result) + repr(vars(result))
    assert "sk-test" not in shown


def test_a_version_is_a_header_or_what_azure_needs(server):
    """OpenAI has it in a header; Azure in its addresses, and does not go without."""
    openai.api_version = "2020-11-07"
    openai.ChatCompletion.create(**ASK)
    assert sent(server, "openai-version") == "2020-11-07"
    openai.api_type, openai.api_version = "azure", None
    with pytest.raises(openai.error.InvalidRequestError) as caught:
        openai.ChatCompletion.create(engine="d", messages=MESSAGES)
    assert caught.value.param == "api_version"


# Clients


def test_one_client_for_the_same_settings(server):
    """Calls share a connection; other settings have another client; only so many are kept."""
    for _ in range(3):
        openai.ChatCompletion.create(**ASK)
    assert server.connections == 1
    for n in range(CLIENTS + 5):
        openai.ChatCompletion.create(**ASK, api_key=f"sk-{n}")
    info = client_for.cache_info()
    assert (info.currsize, info.maxsize) == (CLIENTS, CLIENTS)


def test_forgotten_clients_give_their_connections_back(server):
    """A client that is no longer kept has no connection open once it is collected."""
    openai.ChatCompletion.create(**ASK)
    assert server.open == 1
    server.closed.clear()
    client_for.cache_clear()
    gc.collect()
    assert server.closed.wait(10)


def test_equal_calls_at_once_are_all_made():
    """Without a cache, none waits for another's answer."""
    together = threading.Barrier(3)

    def handler(request: Request) -> bytes:
        together.wait(10)
        return ANSWERS["plain"]

    with Loopback(handler) as server:
        openai.api_key, openai.api_base = "sk", server.url
        openai.ChatCompletion  # noqa: B018  # loaded before the threads begin
        threads = [threading.Thread(target=openai.ChatCompletion.create, kwargs=ASK) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.requests) == 3


def test_threads(server):
    """First calls from several threads at once, with several keys."""
    answers: list[str] = []

    def ask(n: int) -> None:
        result = openai.ChatCompletion.create(model="whose-key", messages=MESSAGES, api_key=f"sk-{n % 3}")
        answers.append(result.choices[0].message.content)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(f"Bearer sk-{n % 3} of no organization" for n in range(12))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_after_a_fork(server):
    """The child makes calls with connections of its own, and so does the parent afterwards."""
    openai.ChatCompletion.create(**ASK)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if openai.ChatCompletion.create(**ASK).choices else 1)
        except BaseException:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    openai.ChatCompletion.create(**ASK)
    assert server.connections == 2


@pytest.mark.parametrize("run", [asyncio.run, trio.run], ids=["asyncio", "trio"])
def test_every_event_loop(run, server):
    """`acreate` works on asyncio and on trio, in one loop after another, streams too."""

    async def main() -> list[str]:
        whole = await openai.ChatCompletion.acreate(model="m", messages=MESSAGES)
        stream = await openai.ChatCompletion.acreate(model="m", messages=MESSAGES, stream=True)
        return [
            whole.choices[0].message.content,
            "".join([c.choices[0].delta.get("content", "") async for c in stream]),
        ]

    def again() -> list[str]:
        return run(lambda: main()) if run is trio.run else run(main())

    assert again() == again() == ["You said: Hello", "You said: Hello"]


def test_a_stream_that_is_not_read_to_its_end_is_closed(server):
    """By `close`, as the generators of that time."""
    stream = openai.ChatCompletion.create(model="m", messages=MESSAGES, stream=True)
    next(stream)
    stream.close()
    with pytest.raises(StopIteration):
        next(stream)


@pytest.mark.parametrize("asked", [False, True])
def test_a_streams_usage_is_told_to_those_who_asked(asked):
    """The pipeline asks for it anyway, and takes what that adds out of the chunks."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    told = [{**one, "usage": None} for one in (*TEXT, END)] + [{**END, "choices": [], "usage": usage}]
    with Loopback(lambda request: events([*told, "[DONE]"])) as server:
        openai.api_key, openai.api_base = "sk", server.url
        more = {"stream_options": {"include_usage": True}} if asked else {}
        chunks = list(openai.ChatCompletion.create(**ASK, stream=True, **more))
        assert server.requests[-1].json()["stream_options"] == {"include_usage": True}
    assert chunks == told if asked else chunks == [*TEXT, END]


# Attempts


def test_nothing_is_tried_again_but_a_409(server):
    """Neither 429 nor 5xx; a 409 until it is over."""
    for name in ("429", "500", "503"):
        with pytest.raises(openai.error.OpenAIError):
            openai.ChatCompletion.create(model=name, messages=MESSAGES)
    assert len(server.requests) == 3


def test_a_model_that_warms_up_is_waited_for():
    """A 409 is asked again, however often, as long as `timeout` has not passed."""
    answers = [reply(409, refusal("warming up"), retry_after="0")] * 4 + [ANSWERS["plain"]]
    with Loopback(lambda request: answers.pop(0)) as server:
        openai.api_key, openai.api_base = "sk", server.url
        assert openai.ChatCompletion.create(**ASK, timeout=30).choices
        assert len(server.requests) == 5


def test_connecting_is_tried_again_twice():
    """And nothing else that fails on the way."""
    openai.api_key, openai.api_base = "sk", "http://127.0.0.1:9/v1"
    with pytest.raises(openai.error.APIConnectionError) as caught:
        openai.ChatCompletion.create(**ASK)
    assert len(caught.value.attempts) == 3
    assert caught.value.should_retry is False


@pytest.mark.parametrize("limit", [-1, True, "soon", (1, "x"), (1, -1)])
def test_wrong_time_limits(limit, server):
    """Are told before anything is sent."""
    with pytest.raises(openai.error.InvalidRequestError, match="request_timeout"):
        openai.ChatCompletion.create(**ASK, request_timeout=limit)
    assert not server.requests


@pytest.mark.parametrize(
    ("given", "connect", "read"),
    [(None, 600, 600), (0, 600, 600), (2.5, 2.5, 2.5), ((1, 9), 1, 9), ((None, 9), None, 9)],
)
def test_time_limits(given, connect, read):
    """Seconds for both, or a pair for connecting and for each wait; ten minutes by default."""
    limits = calls._limits(given)
    assert (limits.connect, limits.read) == (connect, read)


@pytest.mark.parametrize(("times", "seconds"), [(1, 0.5), (2, 1.0), (20, 8.0), (10_000, 8.0)])
def test_waits_before_a_409_is_asked_again(times, seconds):
    """Half a second, then ever more, up to eight; before connecting again, none."""
    from edgeagent import errors
    from edgeagent.core.retry import _state

    assert calls._wait(_state(errors.ConflictError("x"), times)) == seconds
    assert calls._wait(_state(errors.APIConnectionError(), times)) == 0.0


@pytest.mark.parametrize("headers", [7, {"x": 1}, {1: "x"}])
def test_wrong_headers(headers, server):
    """Raise what they raised."""
    with pytest.raises(TypeError, match="headers"):
        openai.ChatCompletion.create(**ASK, headers=headers)


# The gateway


def test_calls_take_the_gateways_options(server):
    """`edge=` of a call, and `openai.edge` for the options of the client."""
    openai.edge = {"cache": True}
    assert not openai.ChatCompletion.create(**ASK).edge.cached
    assert openai.ChatCompletion.create(**ASK).edge.cached
    assert not openai.ChatCompletion.create(**ASK, edge={"cache": "off"}).edge.cached
    openai.edge = None
    assert not openai.ChatCompletion.create(**ASK).edge.cached


def test_other_vendors_answer_old_calls(server):
    """Providers are added by `openai.edge`, named by prefix, by group, or as what follows a failure."""
    openai.edge = {"providers": [FakeProvider("from elsewhere")], "models": {"any": ["gpt-4", "fake/m"]}}
    server.handler = lambda request: ANSWERS["500"]
    for arguments in ({"model": "fake/m"}, {"model": "any"}, {"model": "gpt-4", "edge": {"fallbacks": ["fake/m"]}}):
        result = openai.ChatCompletion.create(messages=MESSAGES, **arguments)
        assert (result.choices[0].message.content, result.edge.provider) == ("from elsewhere", "fake")
    chunks = list(openai.ChatCompletion.create(model="fake/m", messages=MESSAGES, stream=True))
    assert "".join(chunk.choices[0].delta.get("content") or "" for chunk in chunks) == "from elsewhere"
    assert chunks[-1].edge.provider == "fake"


def test_an_own_retry_policy(server):
    """`retry` in `openai.edge` replaces the behaviour of that time."""
    openai.edge = {"retry": 1}
    server.handler = lambda request: reply(500, refusal("x"), retry_after="0")
    with pytest.raises(openai.error.APIError) as caught:
        openai.ChatCompletion.create(**ASK)
    assert len(caught.value.attempts) == 2


def test_a_wrong_option_of_the_gateway_is_told(server):
    """As an exception of both times."""
    openai.edge = {"router": "by-the-moon"}
    with pytest.raises(openai.error.OpenAIError, match="router") as caught:
        openai.ChatCompletion.create(**ASK)
    assert isinstance(caught.value, openai.ConfigurationError)
    openai.edge = None
    with pytest.raises(openai.error.InvalidRequestError, match="colour"):
        openai.ChatCompletion.create(**ASK, edge={"colour": 1})


# Azure


@pytest.mark.parametrize(
    ("version", "asked"), [("2023-05-15", False), ("2024-08-01-preview", False), ("2024-10-21", True)]
)
def test_azure_is_asked_for_a_streams_usage_where_it_knows_that(version, asked, server):
    """Versions before 2024-09-01-preview refuse `stream_options`."""
    openai.api_type, openai.api_base, openai.api_version = "azure", f"{server.url}/", version
    list(openai.ChatCompletion.create(engine="d", messages=MESSAGES, stream=True))
    request = server.requests[-1]
    assert request.path == f"/openai/deployments/d/chat/completions?api-version={version}"
    assert ("stream_options" in request.json()) is asked


def test_an_engine_is_a_model(server):
    """Where it is not Azure: the path of engines is no more."""
    result = openai.ChatCompletion.create(engine="gpt-4", messages=MESSAGES)
    assert (server.requests[-1].path, server.requests[-1].json()["model"]) == ("/v1/chat/completions", "gpt-4")
    assert result.engine == "gpt-4"


# Completion


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


# Other vendors' errors


REFUSALS = {
    400: "InvalidRequestError",
    401: "AuthenticationError",
    403: "PermissionError",
    404: "InvalidRequestError",
    429: "RateLimitError",
    500: "APIError",
    503: "ServiceUnavailableError",
}


@pytest.mark.parametrize("status", REFUSALS)
def test_another_vendors_errors_are_read_by_their_status(status, server):
    """They need not have OpenAI's form to be what their status says."""
    from edgeagent.providers import Anthropic

    with Loopback(lambda request: reply(status, b"<html>", content_type="text/html")) as other:
        openai.edge = {"providers": [Anthropic(api_key="k", base_url=other.url)]}
        with pytest.raises(openai.error.OpenAIError) as caught:
            openai.ChatCompletion.create(model="anthropic/claude-haiku-4-5", messages=MESSAGES)
    assert type(caught.value).__name__ == REFUSALS[status]
