"""Titan's and Cohere's embeddings on Bedrock: both directions, and through the whole flow."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import APIStatusError, RateLimitError, RequestValidationError, ResponseValidationError
from edgeagent.providers import Bedrock
from edgeagent.providers.embeddings.bedrock import CohereOnBedrockCodec, TitanEmbeddingCodec, bedrock_codec
from edgeagent.types.embedding import embedding_request
from edgeagent.wire.http import HTTPRequest, HTTPResponse
from tests.core.test_embedding import Home, vectors
from tests.core.world import World
from tests.support.corpus import body, record

TITAN, COHERE = TitanEmbeddingCodec(), CohereOnBedrockCodec()


def ask(value: Any = "x", **params: Any) -> Any:
    return embedding_request({"model": "m", "input": value, **params})


def response(value: Any, **headers: str) -> HTTPResponse:
    fields = {name.replace("_", "-"): told for name, told in headers.items()}
    return HTTPResponse(200, fields, value if isinstance(value, bytes) else json.dumps(value).encode())


def titan(request: HTTPRequest) -> HTTPResponse:
    text = json.loads(request.content)["inputText"]
    row = [float(len(text)), 0.5]
    return response({"embedding": row, "embeddingsByType": {"float": row}, "inputTextTokenCount": len(text)})


def cohere(request: HTTPRequest) -> HTTPResponse:
    texts = json.loads(request.content)["texts"]
    rows = [[float(len(text)), 0.5] for text in texts]
    told = {"id": "1", "texts": texts, "embeddings": rows, "response_type": "embeddings_floats"}
    return response(told, X_Amzn_Bedrock_Input_Token_Count="7")


def test_titan_through_the_whole_flow() -> None:
    """A text a request, one after the other; usage is the sum; what was known is not asked for."""
    world = World(titan, titan, titan)
    home = Home(Bedrock(api_key="k", region_name="us-east-1"), world=world)
    model = "bedrock/amazon.titan-embed-text-v2:0"
    first = home.embed(["a", "bb"], model=model, dimensions=256)
    second = home.embed(["bb", "ccc"], model=model, dimensions=256)
    assert vectors(first) == [[1, 0.5], [2, 0.5]]
    assert vectors(second) == [[2, 0.5], [3, 0.5]]
    assert first.usage is not None
    assert first.usage.prompt_tokens == 3
    sent = world.sent()
    assert {request.url for request in sent} == {
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.titan-embed-text-v2%3A0/invoke"
    }
    assert json.loads(sent[-1].content) == {"inputText": "ccc", "dimensions": 256}
    assert sent[0].headers["authorization"] == "Bearer k"


def test_cohere_through_the_whole_flow() -> None:
    """All texts together, with a purpose; the tokens are those of the header."""
    world = World(cohere)
    home = Home(Bedrock(api_key="k", region_name="us-east-1"), world=world)
    answer = home.embed(["a", "bb"], model="bedrock/eu.cohere.embed-v4:0", encoding_format="base64")
    assert vectors(answer) == [[1, 0.5], [2, 0.5]]
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == 7
    assert "input_type: 'search_document', since Cohere must be told one" in answer.edge.edits
    assert json.loads(world.sent()[0].content) == {"texts": ["a", "bb"], "input_type": "search_document"}


def test_which_models_embed() -> None:
    """Titan's for texts, Cohere's; no others."""
    provider = Bedrock(api_key="k", region_name="us-east-1")
    for model, wire in (
        ("invoke/amazon.titan-embed-text-v1", "bedrock.titan.embeddings"),
        ("arn:aws:bedrock:us-east-1::foundation-model/cohere.embed-english-v3", "bedrock.cohere.embeddings"),
    ):
        codec = provider.embedding_codec(model)
        assert codec is not None
        assert codec.wire == wire
        assert provider.embedding_path(model).endswith("/invoke")
    assert provider.embedding_codec("amazon.nova-lite-v1:0") is None
    assert bedrock_codec("amazon.titan-embed-image-v1") is None


def test_titans_request() -> None:
    """What it has no place for is dropped or refused, and told."""
    encoded = TITAN.encode_request(ask("x", user="u", input_type="search_query", normalize=False), model="m")
    assert encoded.body == {"inputText": "x", "normalize": False}
    assert encoded.dropped == ("user", "input_type")
    assert TITAN.limits("m").inputs == 1
    for wrong, param in (
        (ask(["a", "b"]), "input"),
        (ask([1, 2]), "input"),
        (ask("a", encoding_format="x"), "encoding_format"),
    ):
        with pytest.raises(RequestValidationError) as caught:
            TITAN.encode_request(wrong, model="m")
        assert caught.value.param == param
    assert TITAN.decode_request({"model": "m", "inputText": "x", "dimensions": None}) == ask("x")


def test_titans_answer() -> None:
    """Other types are kept beside the numbers; the JSON is written again; no answer is an error."""
    whole = {"embedding": [0.5], "embeddingsByType": {"binary": [1], "float": [0.5]}, "inputTextTokenCount": 2}
    answer = TITAN.decode_response(response(whole), ask())
    assert answer.data[0].embeddings_by_type == whole["embeddingsByType"]  # type: ignore[attr-defined]
    assert TITAN.encode_response(answer) == whole
    plain = TITAN.decode_response(response({"embedding": [0.5]}), ask())
    assert plain.usage is None
    assert TITAN.encode_response(plain)["inputTextTokenCount"] == 0
    for wrong in (b"", {}, {"embedding": 3}, {"embedding": ["x"]}):
        with pytest.raises(ResponseValidationError):
            TITAN.decode_response(response(wrong), ask())


def test_coheres_answer() -> None:
    """Usage is there only if the header tells it."""
    whole = {"embeddings": {"float": [[0.5]]}}
    assert COHERE.decode_response(response(whole), ask()).usage is None
    assert COHERE.decode_response(response(whole, X_Amzn_Bedrock_Input_Token_Count="many"), ask()).usage is None
    told = COHERE.encode_request(ask("x", input_type="search_query", dimensions=5), model="m").body
    assert told == {"texts": ["x"], "input_type": "search_query", "output_dimension": 5}


@pytest.mark.parametrize("codec", [TITAN, COHERE], ids=["titan", "cohere"])
def test_errors_are_bedrocks(codec: Any) -> None:
    """By its type in the header, and written again."""
    headers = {"x-amzn-errortype": "ThrottlingException"}
    error = codec.decode_error(HTTPResponse(429, headers, b'{"message": "slow down"}'))
    assert isinstance(error, RateLimitError)
    again = codec.decode_error(codec.encode_error(error))
    assert (type(again), again.message) == (RateLimitError, "slow down")
    assert isinstance(codec.decode_error(HTTPResponse(500, {}, b"<html>")), APIStatusError)


def test_the_recorded_call() -> None:
    """Asked for again: the same address, the same body, the recorded numbers, twice."""
    found = record("bedrock.invoke", "16c78fe349")
    asked = found["request"]["body"]
    world = World(HTTPResponse(200, found["response"]["headers"], body(found)))
    home = Home(Bedrock(api_key="k", region_name="us-east-1"), world=world)
    request = TITAN.decode_request({**asked, "model": "bedrock/amazon.titan-embed-text-v2:0"})
    answers = [home.ask(request) for _ in range(2)]
    assert answers[0].data[0].embedding == answers[1].data[0].embedding == found["response"]["body_json"]["embedding"]
    assert answers[0].usage is not None
    assert answers[0].usage.prompt_tokens == found["response"]["body_json"]["inputTextTokenCount"]
    (sent,) = world.sent()
    assert sent.url == found["request"]["url"]
    assert json.loads(sent.content) == asked
