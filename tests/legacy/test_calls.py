"""The old calls in process: attempts and time limits, Azure, the gateway behind them."""

from __future__ import annotations

import pytest

import edgeagent as openai
from edgeagent.legacy import calls
from edgeagent.testing import FakeProvider
from tests.legacy.server import ANSWERS, ASK, MESSAGES, refusal
from tests.support.loopback import Loopback, reply

__all__: list[str] = []


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


@pytest.mark.parametrize("limit", [-1, True, "soon", (1, "x"), (1, -1), float("nan"), [1, 2]])
def test_wrong_time_limits(limit, server):
    """Are told before anything is sent, with the exception of that time."""
    with pytest.raises(ValueError, match="request_timeout"):
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
