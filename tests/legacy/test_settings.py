"""The module's settings of openai<1: where they come from, and what they decide."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import edgeagent as openai
from edgeagent.legacy import calls
from edgeagent.legacy.clients import client_for
from edgeagent.legacy.settings import SETTINGS
from tests.legacy.server import ASK, MESSAGES
from tests.support.loopback import Loopback

__all__: list[str] = []


def sent(server: Loopback, name: str) -> str | None:
    return server.requests[-1].headers.get(name)


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
