"""Settings, per-call options and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from edgeagent import EdgeClient, RetryPolicy
from edgeagent.config import ENVIRONMENT, edge_options, environment_providers, timeout_of
from edgeagent.config_file import load_file
from edgeagent.core.call import CallOptions
from edgeagent.effects import Timeout
from edgeagent.errors import ConfigurationError, RequestValidationError
from edgeagent.testing import FakeProvider


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (600.0, Timeout(5.0, 600.0, 600.0, 600.0)),
        (2, Timeout(2.0, 2.0, 2.0, 2.0)),
        (None, Timeout(None, None, None, None)),
        (httpx.Timeout(3.0, connect=1.0), Timeout(1.0, 3.0, 3.0, 3.0)),
        (Timeout(1, 2, 3, 4), Timeout(1, 2, 3, 4)),
    ],
)
def test_timeouts(value: Any, expected: Timeout) -> None:
    """A number, None, httpx's object or ours."""
    assert timeout_of(value) == expected


@pytest.mark.parametrize("value", ["5", 0, -1, True, float("nan")])
def test_wrong_timeouts(value: Any) -> None:
    """They are refused when they are given."""
    with pytest.raises(ConfigurationError, match="timeout"):
        timeout_of(value)


@pytest.mark.parametrize(
    ("edge", "param"),
    [
        ({"cashe": "on"}, "edge.cashe"),
        ({"cache": "sometimes"}, "edge.cache"),
        ({"fallbacks": "gpt-4o"}, "edge.fallbacks"),
        ({"fallbacks": [1]}, "edge.fallbacks"),
        ({"tags": "a"}, "edge.tags"),
        ({"router": "dice"}, "edge.router"),
        ({"router": object()}, "edge.router"),
        ({"shield": "defualt"}, "edge.shield"),
        ({"shield": {"EMAIL_ADDRESS": "mask"}}, "edge.shield"),
        ({"deadline": -1}, "edge.deadline"),
        ({"deadline": "soon"}, "edge.deadline"),
        ("cache=off", "edge"),
    ],
)
def test_wrong_edge_options(edge: Any, param: str) -> None:
    """Unknown keys and ill-typed values are errors that name them."""
    with pytest.raises(RequestValidationError) as caught:
        edge_options(CallOptions(), edge)
    assert (caught.value.param or "").startswith(param)


def test_edge_options() -> None:
    """What is said for the call counts, the rest stays the client's."""
    base = CallOptions(deadline=9.0, tags=("a",))
    options = edge_options(base, {"cache": "off", "fallbacks": ["b/x"], "deadline": 2, "router": "failover"})
    assert (options.cache.mode, options.fallbacks, options.deadline, options.tags) == ("off", ("b/x",), 2.0, ("a",))
    assert options.router is not None
    assert edge_options(base, {}) == base


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"providers": [FakeProvider("x"), FakeProvider("y")]}, "Two providers are called 'fake'"),
        ({"providers": [object()]}, r"needs a \.name"),
        ({"providers": [type("P", (), {"name": "p"})()]}, "none of complete"),
        ({"providers": "openai"}, "list of provider objects; got str"),
        ({"providers": {"openai": FakeProvider("x")}}, "list of provider objects; got dict"),
        ({"providers": FakeProvider("x")}, "list of provider objects; got FakeProvider"),
        ({"providers": ["openai"]}, r"such as OpenAI\(\); got str"),
        ({"providers": [FakeProvider]}, r"such as FakeProvider\(…\); got the class FakeProvider"),
        ({"providers": [], "models": ["gpt-4o"]}, "mapping such as"),
        ({"providers": [], "models": {"a": 5}}, "must be one or more model names; got 5"),
        ({"providers": [FakeProvider("x", name="a/b")]}, "slash"),
        ({"providers": [], "pricing": {"gpt-4o": 1}}, r"pricing= is a Pricing\(…\)"),
        ({"providers": [], "observers": print}, "observers= is a list"),
        ({"providers": [], "models": {"a": []}}, "models"),
        ({"providers": [], "models": {"a": ["b"], "b": ["a"]}}, "circle"),
        ({"providers": [], "router": "dice"}, "dice"),
        ({"providers": [], "router": 3}, "plan"),
        ({"providers": [], "retry": -1}, "retry"),
        ({"providers": [], "timeout": "long"}, "timeout"),
        ({"providers": [], "deadline": 0}, "deadline"),
        ({"providers": [], "shield": "defualt"}, "shield"),
        ({"providers": [], "errors": "anthropic"}, "errors"),
        ({"providers": [], "cache": 3.5}, "cache"),
    ],
)
def test_wrong_settings(arguments: dict[str, Any], message: str) -> None:
    """A client that cannot work is not built."""
    with pytest.raises(ConfigurationError, match=message):
        EdgeClient(**arguments)


def test_providers_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every provider whose key is set, in the documented order, and none without a key."""
    for _, variables in ENVIRONMENT:
        for variable in variables:
            monkeypatch.delenv(variable, raising=False)
    with EdgeClient() as client:
        assert "providers=[]" in repr(client)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-secret")
    monkeypatch.setenv("OPENAI_API_KEY", "o-secret")
    with EdgeClient() as client:
        assert "providers=['openai', 'anthropic']" in repr(client)
        assert "secret" not in repr(client)


def test_every_key_of_the_environment_at_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All keys give all providers; one that needs more than its key is left out, and the log says what is missing."""
    more = {
        "AZURE_OPENAI_ENDPOINT": "https://mine.openai.azure.com",
        "AWS_REGION": "us-east-1",
        "WATSONX_PROJECT_ID": "p",
    }
    monkeypatch.setenv("OPENAI_API_VERSION", "2024-10-21")
    for name in (*more, "AWS_DEFAULT_REGION", "AWS_PROFILE", "WATSONX_SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    for name, variables in ENVIRONMENT:
        monkeypatch.setenv(variables[-1], "http://127.0.0.1:9" if name == "Ollama" else "a-secret")
    left_out = {"AzureOpenAI", "Bedrock", "Watsonx"}
    assert [type(p).__name__ for p in environment_providers()][: len(ENVIRONMENT) - len(left_out)] == [
        name for name, _ in ENVIRONMENT if name not in left_out
    ]
    assert all(name in caplog.text for name in more)
    assert "secret" not in caplog.text
    for name, value in more.items():
        monkeypatch.setenv(name, value)
    assert [type(p).__name__ for p in environment_providers()][: len(ENVIRONMENT)] == [name for name, _ in ENVIRONMENT]


def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TOML says what the arguments say; keys stay in the environment."""
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    path = tmp_path / "edgeagent.toml"
    path.write_text(
        'retry = 1\ntimeout = 20.0\nnamespace = "team"\n'
        '[models]\nfast = ["openai/gpt-4o-mini", "other/m"]\n'
        '[[providers]]\ntype = "OpenAI"\nbase_url = "http://127.0.0.1:9/v1"\n'
        '[[providers]]\ntype = "OpenAICompatible"\nname = "other"\nbase_url = "http://127.0.0.1:9/v1"\n'
        f"[cache]\nmemory = true\ndisk = '{tmp_path / 'cache'}'\n"
    )
    with EdgeClient.from_file(path) as client:
        assert client.options.retry == RetryPolicy(1)
        assert client.options.timeout.read == 20.0
        assert client.options.cache.namespace == "team"
        assert "['openai', 'other']" in repr(client)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("retry = ", "Invalid"),
        ("retries = 3", "unknown setting 'retries'"),
        ('[[providers]]\ntype = "OpenAI"\napi_key = "sk-secret"', "environment"),
        ('[[providers]]\ntype = "Nobody"', "type"),
        ('[[providers]]\ntype = "OpenAICompatible"\ncolour = "red"', "colour"),
    ],
)
def test_a_wrong_file(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file and what is wrong, and shows no key."""
    path = tmp_path / "edgeagent.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_file(path)
    assert "sk-secret" not in str(caught.value)
    with pytest.raises(ConfigurationError, match="absent"):
        load_file(tmp_path / "absent.toml")


def test_a_file_has_rules_of_the_cache(tmp_path: Path) -> None:
    """As tables; a wrong control is told with its place."""
    file = tmp_path / "edgeagent.toml"
    file.write_text(
        '[cache]\nttl = 60\n[cache.policy.controls]\nstale_if_error = 5\n[cache.policy.models."gpt-*"]\nttl = 1\n'
    )
    cache = load_file(file)["cache"]
    assert cache.defaults(None).stale_if_error == 5
    assert cache.rules.models == {"gpt-*": {"ttl": 1}}
    file.write_text("[cache.policy.tags]\nt = 7\n")
    with pytest.raises(ConfigurationError, match=r"tags\['t'\] must be"):
        load_file(file)
