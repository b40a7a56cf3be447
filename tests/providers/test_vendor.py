"""What every HTTP vendor has, by the smallest subclass."""

from __future__ import annotations

import json
import pickle
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent._version import __version__
from edgeagent.errors import AuthenticationError, ConfigurationError, RequestValidationError
from edgeagent.providers.base import ALL_CAPABILITIES, Encoded
from edgeagent.providers.vendor import Vendor, identity_of
from edgeagent.wire.http import HTTPRequest

SECRET = "sk-very-secret"


class Tiny(Vendor):
    """A vendor without a codec."""

    vendor = "tiny"
    default_name: ClassVar[str] = "tiny"
    default_base_url: ClassVar[str | None] = "https://api.tiny.example/v1"
    key_variables = ("TINY_API_KEY", "TINY_KEY")
    base_url_variables: ClassVar[tuple[str, ...]] = ("TINY_BASE_URL",)
    families: ClassVar[tuple[str, ...]] = ("tiny-", "small-")

    def path(self, model: str) -> str:
        return f"/models/{model}/chat"

    def auth_headers(self, credential: str | None) -> list[tuple[str, str]]:
        return [("Authorization", f"Bearer {credential}")] if credential else []


class Keyless(Tiny):
    """A vendor that works without a key, and has no address of its own."""

    key_required: ClassVar[bool] = False
    default_base_url: ClassVar[str | None] = None


class Bare(Vendor):
    """A vendor that says nothing."""

    default_name: ClassVar[str] = "bare"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TINY_API_KEY", "TINY_KEY", "TINY_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def http_request(provider: Vendor, encoded: Encoded | None = None, **options: Any) -> HTTPRequest:
    settings = {"model": "m", "stream": False, **options}
    return provider.http_request(encoded or Encoded({"a": 1}), "k", **settings)


def test_defaults() -> None:
    """Name, address, models and headers have plain defaults."""
    provider = Tiny(api_key="k")
    assert (provider.name, provider.vendor, provider.base_url) == ("tiny", "tiny", "https://api.tiny.example/v1")
    assert (provider.models, provider.default_headers, provider.default_query) == (frozenset(), {}, {})
    assert provider.http_client is None
    assert Tiny(api_key="k", name="other").name == "other"


@pytest.mark.parametrize(
    ("given_key", "environment", "key"),
    [
        ("k", {}, "k"),
        ("k", {"TINY_API_KEY": "e"}, "k"),
        (None, {"TINY_API_KEY": "e"}, "e"),
        (None, {"TINY_KEY": "second"}, "second"),
        (None, {"TINY_API_KEY": "e", "TINY_KEY": "second"}, "e"),
        (None, {"TINY_API_KEY": "", "TINY_KEY": "second"}, "second"),
        (None, {"TINY_API_KEY": " \n", "TINY_KEY": "second"}, "second"),
        (None, {"TINY_API_KEY": "e\n"}, "e"),
        (" k\r\n", {}, "k"),
    ],
)
def test_key(given_key: str | None, environment: dict[str, str], key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is the given one, else the first of the variables that holds one, without white space around it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Tiny(api_key=given_key).api_key == key


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_no_key(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a key the error says what to do; a vendor that needs none is content."""
    with pytest.raises(
        ConfigurationError, match=r"Tiny needs an API key: pass api_key=… or set TINY_API_KEY or TINY_KEY"
    ):
        Tiny(api_key=key)
    assert not Keyless(base_url="http://localhost:8080", api_key=key).api_key
    if key is not None:  # one that was given is not replaced in silence
        monkeypatch.setenv("TINY_KEY", "e")
        with pytest.raises(ConfigurationError):
            Tiny(api_key=key)


@pytest.mark.parametrize("key", [5, b"k", ["k"]])
def test_a_key_of_another_type(key: Any) -> None:
    """It is refused when it is given, and not shown."""
    with pytest.raises(ConfigurationError, match=rf"api_key= is a text, .*; got {type(key).__name__}"):
        Tiny(api_key=key)


@pytest.mark.parametrize("key", [f"{SECRET}\nx-other: 1", f"{SECRET}…", f"{SECRET}\x00", f"“{SECRET}”"])
def test_a_key_that_no_header_can_hold(key: str) -> None:
    """A key with a line break or a typographic quote is refused at once, without showing it."""
    with pytest.raises(ConfigurationError, match="header") as caught:
        Tiny(api_key=key)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_function_for_a_key() -> None:
    """A function is kept as it is, to be asked for each call."""

    def rotating() -> str:
        return "k"

    assert Tiny(api_key=rotating).api_key is rotating


@pytest.mark.parametrize(
    ("given_url", "variable", "url"),
    [
        ("https://h/v1", None, "https://h/v1"),
        ("https://h/v1/", None, "https://h/v1"),
        ("https://h/v1", "https://e", "https://h/v1"),
        (None, "https://e/", "https://e"),
        (None, "", "https://api.tiny.example/v1"),
    ],
)
def test_base_url(given_url: str | None, variable: str | None, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is the given one, else the variable's, else the vendor's; without a slash at its end."""
    if variable is not None:
        monkeypatch.setenv("TINY_BASE_URL", variable)
    assert Tiny(api_key="k", base_url=given_url).base_url == url


@pytest.mark.parametrize(
    "url", ["api.example.org/v1", "ftp://h", "https://", "https:/h", "file:///etc", "https://[h", f"ftp://u:{SECRET}@h"]
)
def test_base_url_that_is_none(url: str) -> None:
    """An address that is not absolute http(s) is refused, and shown without secrets."""
    with pytest.raises(ConfigurationError, match=r"absolute http\(s\) base_url") as caught:
        Tiny(api_key="k", base_url=url)
    assert SECRET not in str(caught.value)


def test_no_base_url() -> None:
    """A vendor without an address of its own needs one."""
    with pytest.raises(ConfigurationError, match="base_url"):
        Keyless()


def test_models() -> None:
    """The provider knows the models that it was told of, and the family of names that are its vendor's."""
    provider = Tiny(api_key="k", models=iter(["a", "b"]))
    assert [provider.knows(name) for name in ("a", "b", "c")] == [True, True, False]
    assert [provider.family(name) for name in ("tiny-1", "small-2", "a", "xtiny-")] == [True, True, False, False]
    assert not Bare(api_key="k", base_url="https://h").family("a")
    assert provider.capabilities("m") is ALL_CAPABILITIES


def test_what_a_subclass_must_say() -> None:
    """The path is the subclass's to say; the key is a bearer token unless it says otherwise."""
    bare = Bare(api_key="k", base_url="https://h")
    with pytest.raises(NotImplementedError):
        bare.endpoint("m")
    assert bare.auth_headers("k") == [("authorization", "Bearer k")]
    with pytest.raises(AuthenticationError):
        bare.auth_headers("")


# the request


def test_request() -> None:
    """A request is a POST of compact JSON to the model's endpoint, with the vendor's authentication."""
    request = http_request(Tiny(api_key="k"), Encoded({"model": "m", "text": "é"}))
    assert (request.method, request.url) == ("POST", "https://api.tiny.example/v1/models/m/chat")
    assert request.content == '{"model":"m","text":"é"}'.encode()
    assert request.headers == {
        "accept": "application/json",
        "content-type": "application/json",
        "user-agent": f"edgeagent/{__version__}",
        "authorization": "Bearer k",
    }
    assert http_request(Tiny(api_key="k"), stream=True).headers["accept"] == "text/event-stream"


@pytest.mark.parametrize("level", range(4))
@pytest.mark.parametrize("name", ["user-agent", "User-Agent", "authorization", "AUTHORIZATION", "x-new"])
def test_later_headers_replace_earlier_ones(name: str, level: int) -> None:
    """Of one name, in any case of letters, one field is sent: ours, the codec's, the provider's, the caller's."""
    layers = [{}, *({name: str(n)} if n <= level else {} for n in (1, 2, 3))]
    provider = Tiny(api_key="k", default_headers=layers[2])
    request = http_request(provider, Encoded({}, headers=layers[1]), extra_headers=layers[3])
    sent = [value for field, value in request.headers.fields if field.lower() == name.lower()]
    ours = {"user-agent": f"edgeagent/{__version__}", "authorization": "Bearer k"}
    assert sent == ([str(level)] if level else [ours[name.lower()]] if name.lower() in ours else [])


@pytest.mark.parametrize(
    ("default", "extra", "query"),
    [
        (None, None, ""),
        ({"a": "1"}, None, "?a=1"),
        ({"a": "1"}, {"b": 2}, "?a=1&b=2"),
        ({"a": "1"}, {"a": "2"}, "?a=2"),
        (None, {"a": ["x", "y"]}, "?a=x&a=y"),
        (None, {"a": "x y&z=é"}, "?a=x+y%26z%3D%C3%A9"),
        (None, {"a": True, "b": False, "c": None, "d": [True, 1]}, "?a=true&b=false&d=true&d=1"),
        (None, {"a": {"b": {"c": 1}, "d": ["x", None]}, "e": {}}, "?a%5Bb%5D%5Bc%5D=1&a%5Bd%5D=x"),
        ({"a": None}, {}, ""),
    ],
)
def test_query(default: dict[str, Any] | None, extra: dict[str, Any] | None, query: str) -> None:
    """The provider's and the call's query are joined, the call's first; values are written as openai writes them."""
    request = http_request(Tiny(api_key="k", default_query=default), extra_query=extra)
    assert request.url == f"https://api.tiny.example/v1/models/m/chat{query}"


@pytest.mark.parametrize("model", ["..", ".", "../../files", "a/../../files", "a/.", "./a"])
def test_a_model_is_no_way_to_another_path(model: str) -> None:
    """Every HTTP library would walk the steps, and so take the key to wherever a user's model name leads."""
    provider = Tiny(api_key="k", base_url="http://host/a/../v1")
    for ask in (
        lambda: provider.http_request(Encoded({}), "k", model=model, stream=False),
        lambda: provider.http_request(Encoded({}), "k", model=model, stream=True),
        lambda: provider.request_to(f"/models/{model}", "k"),
    ):
        with pytest.raises(RequestValidationError, match="model: must not have") as caught:
            ask()
        assert caught.value.param == "model"
    assert provider.request_to("/models/a..b/.c", "k").url == "http://host/a/../v1/models/a..b/.c"


# identity


def test_identity_of_a_key() -> None:
    """One key has one identity, another key another, and it gives nothing away."""
    assert Tiny(api_key=SECRET).cache_identity == Tiny(api_key=SECRET, name="other").cache_identity
    assert SECRET not in str(Tiny(api_key=SECRET).cache_identity)


def test_identities_differ() -> None:
    """Whatever decides whose answers these are is in the identity: key, headers, query."""
    settings: list[dict[str, Any]] = [
        {},
        {"api_key": "k2"},
        {"default_headers": {"org": "a"}},
        {"default_headers": {"org": "b"}},
        {"default_query": {"org": "a"}},
        {"default_query": {"org": "b"}},
        {"default_query": {"org": 1}},
        {"default_headers": {"org": "a"}, "default_query": {"org": "a"}},
    ]
    identities = {Tiny(**{"api_key": "k1", **one}).cache_identity for one in settings}
    assert len(identities) == len(settings)


def test_identity_of_a_rotating_key() -> None:
    """A function for a key has no identity, unless one is given; a given one is taken as it is."""
    assert Tiny(api_key=lambda: "k").cache_identity is None
    assert Tiny(api_key=lambda: "k", cache_identity="team").cache_identity == "team"
    assert Tiny(api_key="k", cache_identity="team").cache_identity == "team"
    assert Keyless(base_url="https://h").cache_identity == identity_of("")


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_identity_is_injective(one: list[str], other: list[str]) -> None:
    """Different lists of parts have different identities, however they are cut."""
    assert (identity_of(*one) == identity_of(*other)) == (one == other)


# pickles


def test_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider with its key in the environment is pickled without it, and reads it anew."""
    monkeypatch.setenv("TINY_API_KEY", SECRET)
    data = pickle.dumps(Tiny(name="other", base_url="https://h", default_headers={"org": "a"}, models=["m"]))
    assert SECRET.encode() not in data
    monkeypatch.setenv("TINY_API_KEY", "new")
    made = pickle.loads(data)
    assert (made.name, made.base_url, made.api_key, made.default_headers) == ("other", "https://h", "new", {"org": "a"})
    assert made.knows("m")


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"api_key": SECRET}, "TINY_API_KEY or TINY_KEY"),
        ({"api_key": lambda: SECRET}, "TINY_API_KEY or TINY_KEY"),
        ({"http_client": object()}, "HTTP client"),
        ({"default_headers": {"Authorization": SECRET}}, "'Authorization'"),
        ({"default_headers": {"X-Api-Key": SECRET}}, "'X-Api-Key'"),
        ({"default_headers": {"Cookie": SECRET}}, "'Cookie'"),
        ({"default_query": {"access_token": SECRET}}, "'access_token'"),
        ({"base_url": f"https://user:{SECRET}@h"}, "base_url"),
    ],
)
def test_no_pickle_of_secrets(settings: dict[str, Any], reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that holds a secret, a function or a client is not pickled; the error says why."""
    monkeypatch.setenv("TINY_API_KEY", "k")
    with pytest.raises(ConfigurationError, match=reason) as caught:
        pickle.dumps(Tiny(**settings))
    assert SECRET not in str(caught.value)


def test_no_pickle_of_a_key_without_variables() -> None:
    """Where a vendor has no variable for its key, the error speaks of one all the same."""
    with pytest.raises(ConfigurationError, match="set an environment variable instead"):
        pickle.dumps(Bare(api_key="k", base_url="https://h"))


def test_repr() -> None:
    """The repr shows name and address, no secret."""
    provider = Tiny(api_key=SECRET, base_url=f"https://user:{SECRET}@h/v1", default_headers={"x": SECRET})
    assert repr(provider) == "Tiny(name='tiny', base_url='https://h/v1')"


def test_body_is_json() -> None:
    """What JSON cannot hold is refused."""
    with pytest.raises(ValueError, match="serialize"):
        http_request(Tiny(api_key="k"), Encoded({"a": object()}))
    assert json.loads(http_request(Tiny(api_key="k")).content) == {"a": 1}
