"""How vendors list their models, as data: where, page by page, and what becomes of an item."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import APIStatusError, ResponseValidationError
from edgeagent.providers import (
    Anthropic,
    AzureOpenAI,
    Bedrock,
    Cloudflare,
    Cohere,
    Gemini,
    HuggingFaceInference,
    Mistral,
    Ollama,
    OpenAI,
    OpenAICompatible,
    VertexAI,
)
from edgeagent.providers.listing import ModelList, listed, model_list
from edgeagent.wire.http import HTTPResponse

PATHS = [
    (OpenAI(api_key="k"), "https://api.openai.com/v1/models"),
    (OpenAI(api_key="k", responses=True), "https://api.openai.com/v1/models"),
    (AzureOpenAI(api_key="k", azure_endpoint="https://r.test", api_version="v"), "https://r.test/openai/models"),
    (
        AzureOpenAI(api_key="k", azure_endpoint="https://r.test", api_version="v", azure_deployment="d"),
        "https://r.test/openai/models",
    ),
    (AzureOpenAI(api_key="k", base_url="https://r.test/openai/v1"), "https://r.test/openai/v1/models"),
    (Anthropic(api_key="k"), "https://api.anthropic.com/v1/models"),
    (Anthropic(api_key="k", base_url="https://a.test/v1"), "https://a.test/v1/models"),
    (Gemini(api_key="k"), "https://generativelanguage.googleapis.com/v1beta/models"),
    (Gemini(api_key="k", base_url="https://g.test"), "https://g.test/v1beta/models"),
    (VertexAI(project="p", location="l"), "https://l-aiplatform.googleapis.com/v1beta1/publishers/google/models"),
    (Mistral(api_key="k"), "https://api.mistral.ai/v1/models"),
    (Cohere(api_key="k"), "https://api.cohere.com/v1/models"),
    (Cohere(api_key="k", base_url="https://c.test/v2"), None),
    (Ollama(host="h"), "http://h:11434/api/tags"),
    (OpenAICompatible(name="mine", base_url="http://h/v1"), "http://h/v1/models"),
    (OpenAICompatible(name="ollama_openai"), "http://localhost:11434/v1/models"),
    (OpenAICompatible(name="perplexity", api_key="k"), None),
    (Bedrock(api_key="k", region_name="us-east-1"), None),
    (Cloudflare(api_key="k", account_id="a"), None),
    (HuggingFaceInference(api_key="k"), None),
]


@pytest.mark.parametrize(("provider", "url"), PATHS, ids=[f"{type(p).__name__}-{url}" for p, url in PATHS])
def test_where_each_provider_lists(provider: Any, url: str | None) -> None:
    """The whole address, or that there is none."""
    found = provider.model_list()
    assert (None if found is None else provider.base_url + found.path) == url


def response(value: Any) -> HTTPResponse:
    return HTTPResponse(200, {}, value if isinstance(value, bytes) else json.dumps(value).encode())


def test_vertex_pages() -> None:
    """Names without what stands before them, until there is no further page; an empty list may be left out."""
    lists = model_list("gcp.vertex_ai", "")
    assert lists is not None
    row = {"name": "publishers/google/models/gemini-2.5-pro", "launchStage": "GA"}
    models, following = lists.decode(response({"publisherModels": [row], "nextPageToken": "n"}), "gcp.vertex_ai")
    assert [(model.id, model.owned_by) for model in models] == [("gemini-2.5-pro", "gcp.vertex_ai")]
    assert models[0].launchStage == "GA"  # type: ignore[attr-defined]
    assert following == {"pageSize": "300", "pageToken": "n"}
    assert lists.decode(response({}), "x") == ([], None)
    assert lists.path_of("gemini-2.5-pro") == "/v1beta1/publishers/google/models/gemini-2.5-pro"


@pytest.mark.parametrize(
    ("told", "created"),
    [
        ({"created": 7}, 7),
        ({"created": 7.9}, 7),
        ({"created": None, "created_at": 8}, 8),
        ({"created_at": "2025-02-19T00:00:00Z"}, 1739923200),
        ({"created_at": "2025-02-19T00:00:00"}, 1739923200),
        ({"modified_at": "2025-02-19T01:00:00.123456789+01:00"}, 1739923200),
        ({"created": "yesterday"}, 0),
        ({"created": True}, 0),
        ({"created": {}}, 0),
        ({}, 0),
    ],
    ids=str,
)
def test_when_it_was_made(told: dict[str, Any], created: int) -> None:
    """Seconds, in whatever way they are told; nothing is made up."""
    model = ModelList("/models").decode_one(response({"id": "m", **told}), "who")
    assert model.created == created
    assert (model.object, model.owned_by) == ("model", "who")


def test_names_that_hold_slashes_and_colons() -> None:
    """They stay readable in a path; everything else is escaped."""
    assert ModelList("/models").path_of("ft:gpt/x:y z?") == "/models/ft:gpt/x:y%20z%3F"


@pytest.mark.parametrize("content", [b"", b"{", b"3", b'"x"', {"data": 3}, {"data": [3]}, {"data": [{}]}, {}], ids=repr)
def test_damaged_lists(content: Any) -> None:
    """A typed error for each."""
    with pytest.raises(ResponseValidationError):
        ModelList("/models").decode(response(content), "who")


def test_an_error_in_a_200() -> None:
    """It is the vendor's error."""
    for decode in (ModelList("/models").decode, ModelList("/models").decode_one):
        with pytest.raises(APIStatusError, match="no key"):
            decode(response({"error": {"message": "no key", "code": "invalid_api_key"}}), "who")


def test_models_of_which_only_names_are_known() -> None:
    """As the provider object says them."""
    assert [(model.id, model.owned_by, model.created) for model in listed(["a", "b"], "who")] == [
        ("a", "who", 0),
        ("b", "who", 0),
    ]
