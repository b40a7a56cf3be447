"""Every recorded embedding asked for again by the built-in providers: the same address, the same vectors."""

from __future__ import annotations

import json
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest

from edgeagent.cache.policy import CacheOptions
from edgeagent.core.call import CallOptions
from edgeagent.core.retry import RetryPolicy
from edgeagent.errors import APIStatusError, ConfigurationError
from edgeagent.providers import (
    Anthropic,
    AzureOpenAI,
    Bedrock,
    Cohere,
    Gemini,
    Mistral,
    Ollama,
    OpenAI,
    OpenAICompatible,
    VertexAI,
)
from edgeagent.providers.embeddings.base import EmbeddingProvider
from edgeagent.types import EmbeddingRequest
from edgeagent.wire.http import HTTPResponse
from tests.core.test_embedding import Home
from tests.core.world import World
from tests.providers.embeddings.reading import body_of, codec_of, tokens, vectors
from tests.support.corpus import Record, body, records

OLDER = ("/v1/embed", "/api/embeddings", "gemini-embedding-2:embedContent", "text-embedding-004:embedContent")
"""Addresses of APIs that came before the one that is used, and Gemini's for one input."""


def provider_of(record: Record) -> Any:
    url = urlsplit(record["request"]["url"])
    match record["provider"]:
        case "openai":
            return OpenAI(api_key="k")
        case "azure":
            version = url.query.removeprefix("api-version=")
            return AzureOpenAI(api_key="k", azure_endpoint=f"https://{url.netloc}", api_version=version)
        case "gemini":
            return Gemini(api_key="k")
        case "vertex":
            return VertexAI(project="pydantic-ai", location="global", credentials=Token())
        case "mistral":
            return Mistral(api_key="k")
        case "cohere":
            return Cohere(api_key="k")
        case "ollama" if url.path.startswith("/api"):
            return Ollama(host="localhost:11434")
        case "ollama":
            return OpenAICompatible(name="ollama_openai", base_url="http://127.0.0.1:11434/v1")
        case "voyageai":
            base = "https://api.voyageai.com/v1"
            return OpenAICompatible(name="voyageai", base_url=base, api_key="k")
        case name:
            return OpenAICompatible(name=name, api_key="k")


class Token:
    """Google's credentials, without Google."""

    token = "t"
    valid = True
    expired = False
    quota_project_id = None
    service_account_email = "a@b"


RECORDS = [
    pytest.param(record, id=record["id"])
    for api in (
        *("azure", "cohere", "doubleword", "gemini", "mistral", "ollama", "openai"),
        *("openrouter", "perplexity", "venice", "vertex", "voyageai"),
    )
    for record in records(f"{api}.embeddings")
    if not urlsplit(record["request"]["url"]).path.endswith(OLDER) or api == "vertex"
]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL", "OLLAMA_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("record", RECORDS)
def test_recorded_calls(record: Record) -> None:
    """Through the whole flow: what is sent, and where; what comes back, twice, the second time from memory."""
    codec = codec_of(record)
    try:
        request: EmbeddingRequest = codec.decode_request(body_of(record))
    except APIStatusError:
        pytest.skip("a request that is refused here")
    provider = provider_of(record)
    answer = HTTPResponse(record["status"], record["response"]["headers"], body(record))
    world = World(answer)
    home = Home(provider, world=world)
    model = "test-deployment" if record["provider"] == "azure" else request.model
    asked = request.model_copy(update={"model": f"{provider.name}/{model}"})
    repeated = not isinstance(request.input, str) and len(set(map(repr, request.input))) < len(request.input)
    mode: Literal["on", "off"] = (
        "off" if repeated else "on"
    )  # equal inputs are asked for once, and the recorded answer has them all
    options = CallOptions(retry=RetryPolicy.of(0), cache=CacheOptions(mode))
    if record["status"] >= 400:
        with pytest.raises(APIStatusError) as caught:
            home.ask(asked, options)
        assert caught.value.status_code == record["status"]
    else:
        found = home.ask(asked, options)
        assert [vector.floats for vector in found.data] == vectors(record)
        assert (found.usage.prompt_tokens if found.usage else None) == tokens(record)
        if not repeated:
            again = home.ask(asked, options)
            assert again.edge.cached
            assert again.data == found.data
    (sent,) = world.sent()
    assert sent.url.partition("?")[0] == record["request"]["url"].partition("?")[0]
    assert sent.method == "POST"
    if "model" in record["request"]["body"]:
        told = json.loads(sent.content)
        named = {part["model"] for part in told.get("requests", [told])}  # Gemini's batches name it in each part
        assert named == {record["request"]["body"]["model"] if record["provider"] != "azure" else "test-deployment"}


PATHS = [
    (OpenAI(api_key="k"), "text-embedding-3-small", "https://api.openai.com/v1/embeddings"),
    (OpenAI(api_key="k", responses=True), "text-embedding-3-small", "https://api.openai.com/v1/embeddings"),
    (
        AzureOpenAI(api_key="k", azure_endpoint="https://r.test", api_version="v", azure_deployment="my/d"),
        "any",
        "https://r.test/openai/deployments/my%2Fd/embeddings",
    ),
    (
        AzureOpenAI(api_key="k", base_url="https://r.test/openai/v1", responses=["any"]),
        "any",
        "https://r.test/openai/v1/embeddings",
    ),
    (Gemini(api_key="k"), "gemini-embedding-001", "/v1beta/models/gemini-embedding-001:batchEmbedContents"),
    (VertexAI(project="p", location="l"), "gemini-embedding-001", "/models/gemini-embedding-001:predict"),
    (VertexAI(project="p", location="l"), "text-embedding-005", "/publishers/google/models/text-embedding-005:predict"),
    (
        VertexAI(project="p", location="l"),
        "publishers/google/models/text-multilingual-embedding-002",
        "/publishers/google/models/text-multilingual-embedding-002:predict",
    ),
    (VertexAI(project="p", location="l"), "gemini-embedding-2", "/models/gemini-embedding-2:embedContent"),
    (VertexAI(project="p", location="l"), "google/gemini-embedding-001", "/gemini-embedding-001:predict"),
    (VertexAI(project="p", location="l"), "claude-sonnet-4-5", None),
    (VertexAI(project="p", location="l"), "meta/llama", "/endpoints/openapi/embeddings"),
    (VertexAI(api_key="k"), "text-embedding-005", "/v1beta1/publishers/google/models/text-embedding-005:predict"),
    (VertexAI(api_key="k"), "meta/llama", None),
    (Mistral(api_key="k"), "mistral-embed", "https://api.mistral.ai/v1/embeddings"),
    (Cohere(api_key="k"), "embed-v4.0", "https://api.cohere.com/v2/embed"),
    (Cohere(api_key="k", base_url="https://c.test/v2"), "embed-v4.0", "https://c.test/v2/embed"),
    (Ollama(host="h"), "nomic-embed-text", "http://h:11434/api/embed"),
    (Ollama(base_url="http://h/api"), "nomic-embed-text", "http://h/api/embed"),
    (OpenAICompatible(name="mine", base_url="http://h/v1"), "any", "http://h/v1/embeddings"),
    (OpenAICompatible(name="ollama_openai"), "any", "http://localhost:11434/v1/embeddings"),
    (OpenAICompatible(name="groq", api_key="k"), "any", None),
    (OpenAICompatible(name="moonshot", api_key="k"), "any", None),
    (Anthropic(api_key="k"), "claude-sonnet-4-5", None),
]


@pytest.mark.parametrize(("provider", "model", "url"), PATHS, ids=[f"{type(p).__name__}-{m}" for p, m, _ in PATHS])
def test_where_each_provider_embeds(provider: Any, model: str, url: str | None) -> None:
    """The whole address, or that there is none."""
    assert isinstance(provider, EmbeddingProvider)
    codec = provider.embedding_codec(model)
    if url is None:
        assert codec is None
        with pytest.raises(ConfigurationError, match="has no embeddings"):
            provider.embedding_path(model)
    else:
        assert codec is not None
        assert (provider.base_url + provider.embedding_path(model)).endswith(url)


def test_bedrock_signs_whatever_it_is_asked() -> None:
    """A path that is none of chat's is signed like one of chat's; a bearer token is sent as it is."""
    pytest.importorskip("botocore")
    keys = Bedrock(region_name="us-east-1", aws_access_key_id="AKIA", aws_secret_access_key="secret")
    request = keys.request_to("/model/x/invoke", keys.api_key, extra_query={"a": "b c"})
    assert request.headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIA/")
    assert request.url.endswith("/model/x/invoke?a=b%20c")
    token = Bedrock(region_name="us-east-1", api_key="t").request_to("/x", "t")
    assert token.headers["authorization"] == "Bearer t"
