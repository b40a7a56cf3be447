"""Vertex AI: hosts, paths, wire formats and credentials."""

from __future__ import annotations

import pickle
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from edgeagent.errors import AuthenticationError, ConfigurationError, RateLimitError
from edgeagent.providers.base import HTTPProvider
from edgeagent.providers.vertex import VertexAI
from edgeagent.types import ChatRequest
from edgeagent.wire.http import HTTPRequest, HTTPResponse

VARIABLES = ("GOOGLE_API_KEY", "GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION", "GOOGLE_VERTEX_BASE_URL")
LLAMA = "meta/llama-4-maverick-17b-128e-instruct-maas"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


class FakeCredentials:
    """A credentials object of google-auth, as far as it is used."""

    def __init__(self, **fields: Any) -> None:
        self.token: str | None = None
        self.valid = False
        self.refreshed = 0
        self.__dict__.update(fields)

    def refresh(self, request: Any) -> None:
        assert callable(request)
        self.refreshed += 1
        self.token, self.valid = f"token-{self.refreshed}", True


def request_of(provider: VertexAI, model: str, *, stream: bool = False, credential: str = "t") -> HTTPRequest:
    request = ChatRequest(model=model, messages=[{"role": "user", "content": "hi"}], max_tokens=5)
    encoded = provider.codec_for(model).encode_request(request, model=model, stream=stream)
    return provider.http_request(encoded, credential, model=model, stream=stream)


@pytest.mark.parametrize(
    ("model", "whole", "streamed"),
    [
        (
            "gemini-2.5-flash",
            "v1beta1/projects/p/locations/us-east5/publishers/google/models/gemini-2.5-flash:generateContent",
            "v1beta1/projects/p/locations/us-east5/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        ),
        (
            "google/gemini-2.5-flash",
            "v1beta1/projects/p/locations/us-east5/publishers/google/models/gemini-2.5-flash:generateContent",
            "v1beta1/projects/p/locations/us-east5/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        ),
        (
            "claude-sonnet-4@20250514",
            "v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4@20250514:rawPredict",
            "v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-sonnet-4@20250514:streamRawPredict",
        ),
        (
            LLAMA,
            "v1/projects/p/locations/us-east5/endpoints/openapi/chat/completions",
            "v1/projects/p/locations/us-east5/endpoints/openapi/chat/completions",
        ),
        (
            "projects/p/locations/us-east5/endpoints/12",
            "v1beta1/projects/p/locations/us-east5/endpoints/12:generateContent",
            "v1beta1/projects/p/locations/us-east5/endpoints/12:streamGenerateContent?alt=sse",
        ),
    ],
)
def test_paths(model: str, whole: str, streamed: str) -> None:
    """Each publisher's models have their own path and verb."""
    provider = VertexAI(project="p", location="us-east5")
    assert isinstance(provider, HTTPProvider)
    host = "https://us-east5-aiplatform.googleapis.com/"
    assert request_of(provider, model).url == host + whole
    assert request_of(provider, model, stream=True).url == host + streamed
    assert request_of(provider, model).headers["authorization"] == "Bearer t"


def test_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host is the location's; project and location come from the environment too."""
    assert VertexAI(project="p").base_url == "https://aiplatform.googleapis.com"
    assert VertexAI(project="p", location="eu").base_url == "https://aiplatform.eu.rep.googleapis.com"
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "q")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "europe-west4")
    provider = VertexAI()
    assert (provider.project, provider.base_url) == ("q", "https://europe-west4-aiplatform.googleapis.com")
    assert provider.endpoint(LLAMA).startswith("https://europe-west4-aiplatform.googleapis.com/v1/projects/q/")


def test_express_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key takes the place of project and credentials, for Gemini only."""
    provider = VertexAI(api_key="k")
    request = request_of(provider, "gemini-2.5-flash", credential="k")
    assert (
        request.url
        == "https://aiplatform.googleapis.com/v1beta1/publishers/google/models/gemini-2.5-flash:generateContent"
    )
    assert request.headers["x-goog-api-key"] == "k"
    assert provider.cache_identity
    with pytest.raises(ConfigurationError, match="express"):
        provider.path("claude-sonnet-4-5")
    with pytest.raises(ConfigurationError, match="not both"):
        VertexAI(api_key="k", project="p")
    with pytest.raises(ConfigurationError, match="GOOGLE_CLOUD_PROJECT"):
        VertexAI()
    monkeypatch.setenv("GOOGLE_API_KEY", "e")
    assert VertexAI().api_key == "e"
    assert VertexAI(project="p").api_key != "e"


def test_tokens_are_refreshed_only_when_needed() -> None:
    """Not at construction, once for many threads, and again when the token has expired."""
    credentials = FakeCredentials(
        service_account_email="a@p.iam.gserviceaccount.com", project_id="p", quota_project_id="b"
    )
    provider = VertexAI(credentials=credentials)
    assert credentials.refreshed == 0
    assert provider.project == "p"
    with ThreadPoolExecutor(8) as pool:
        tokens = {future.result() for future in [pool.submit(provider.api_key) for _ in range(40)]}
    assert tokens == {"token-1"}
    credentials.valid = False
    assert provider.api_key() == "token-2"
    assert request_of(provider, "gemini-2.5-flash").headers["x-goog-user-project"] == "b"


def test_identity() -> None:
    """Of the account and the project, where they are known; the token is no part of it."""
    account = {"service_account_email": "a@p.iam.gserviceaccount.com"}
    one = VertexAI(project="p", credentials=FakeCredentials(**account)).cache_identity
    assert one == VertexAI(project="p", credentials=FakeCredentials(**account)).cache_identity
    assert one != VertexAI(project="q", credentials=FakeCredentials(**account)).cache_identity
    assert VertexAI(project="p", credentials=FakeCredentials(service_account_email="default")).cache_identity is None
    assert VertexAI(project="p").cache_identity is None
    assert VertexAI(project="p", cache_identity="mine").cache_identity == "mine"


def test_credentials_that_fail() -> None:
    """The error says so and quotes nothing of Google's answer."""
    from google.auth.exceptions import RefreshError

    class Refused(FakeCredentials):
        def refresh(self, request: Any) -> None:
            raise RefreshError("the secret answer")

    with pytest.raises(AuthenticationError) as caught:
        VertexAI(project="p", credentials=Refused()).api_key()
    assert "secret" not in str(caught.value)
    with pytest.raises(AuthenticationError):
        VertexAI(project="p", credentials=FakeCredentials(valid=True)).api_key()


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "google.auth", None)
    provider = VertexAI(project="p")
    with pytest.raises(ConfigurationError, match=r"pip install 'edgeagent\[vertex\]'"):
        provider.api_key()


def test_pickling(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes from the environment is looked up again; given credentials cannot be pickled."""
    again = pickle.loads(pickle.dumps(VertexAI(project="p", location="us-east5")))
    assert again.endpoint("gemini-2.5-flash") == VertexAI(project="p", location="us-east5").endpoint("gemini-2.5-flash")
    assert callable(again.api_key)
    with pytest.raises(ConfigurationError):
        pickle.dumps(VertexAI(project="p", credentials=FakeCredentials()))
    monkeypatch.setenv("GOOGLE_API_KEY", "e")
    assert pickle.loads(pickle.dumps(VertexAI())).api_key == "e"


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "claude-sonnet-4-5", LLAMA])
def test_googles_errors(model: str) -> None:
    """Google answers for every model with its own errors, sometimes in an array."""
    codec = VertexAI(project="p").codec_for(model)
    body = b'[{"error":{"code":429,"message":"Quota exceeded","status":"RESOURCE_EXHAUSTED"}}]'
    error = codec.decode_error(HTTPResponse(429, {}, body))
    assert isinstance(error, RateLimitError)
    assert (error.code, error.message) == ("RESOURCE_EXHAUSTED", "Quota exceeded")


def test_capabilities() -> None:
    """What is documented of a model is told, and an unknown one is not limited."""
    provider = VertexAI(project="p")
    assert "audio" in provider.capabilities("gemini-2.5-pro").features
    assert "logprobs" not in provider.capabilities("claude-sonnet-4-5").features
    assert provider.capabilities(LLAMA).context_window is None
    assert request_of(provider, LLAMA).content.startswith(b"{")
