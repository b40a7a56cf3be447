"""Moderation's wire format, both directions, and who has it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai.types import ModerationCreateResponse as Theirs

from edgeagent.errors import APIStatusError, RateLimitError, RequestValidationError, ResponseValidationError
from edgeagent.providers import Anthropic, AzureOpenAI, Cohere, Gemini, Mistral, Ollama, OpenAI, OpenAICompatible
from edgeagent.providers.moderation import ModerationCodec, moderation_answer
from edgeagent.types import ModerationCreateResponse
from edgeagent.types.moderation import moderation_request
from edgeagent.wire.http import HTTPResponse

CODEC = ModerationCodec()
ANSWER = {
    "id": "modr-1",
    "model": "omni-moderation-latest",
    "results": [
        {
            "flagged": True,
            "categories": {"hate": True, "self-harm/intent": False, "a new one": True},
            "category_scores": {"hate": 0.9, "self-harm/intent": 1e-5, "a new one": 0.7},
            "category_applied_input_types": {"hate": ["text"]},
        }
    ],
}


def response(value: Any, status: int = 200) -> HTTPResponse:
    return HTTPResponse(status, {}, value if isinstance(value, bytes) else json.dumps(value).encode())


def ask(value: Any = "x") -> Any:
    return moderation_request({"model": "m", "input": value})


def test_it_is_openais_answer() -> None:
    """Each part is read by attribute and dumped under the API's names, as openai's own; unknown categories are kept."""
    ours, theirs = ModerationCreateResponse.model_validate(ANSWER), Theirs.model_construct(**ANSWER)  # type: ignore[arg-type]
    assert ours.to_dict() == ANSWER
    assert ours.to_dict() == theirs.to_dict(warnings=False)
    kinds = ours.results[0].category_applied_input_types
    assert kinds is not None
    assert kinds.hate == theirs.results[0].category_applied_input_types.hate == ["text"]
    assert kinds.self_harm is None


@pytest.mark.parametrize(
    ("provider", "path"),
    [
        (OpenAI(api_key="k"), "/moderations"),
        (OpenAI(api_key="k", responses=True), "/moderations"),
        (Mistral(api_key="k"), "/moderations"),
        (Mistral(api_key="k", base_url="https://m.test"), "/v1/moderations"),
        (OpenAICompatible(name="mine", base_url="http://h/v1"), "/moderations"),
        (OpenAICompatible(name="groq", api_key="k"), None),
        (AzureOpenAI(api_key="k", azure_endpoint="https://r.test", api_version="v"), None),
        (Anthropic(api_key="k"), None),
        (Gemini(api_key="k"), None),
        (Cohere(api_key="k"), None),
        (Ollama(host="h"), None),
    ],
    ids=lambda value: type(value).__name__,
)
def test_who_moderates(provider: Any, path: str | None) -> None:
    """Where, or that there is none."""
    route = provider.moderation_route("m")
    assert (None if route is None else route.path) == path


def test_answers_come_and_go_as_they_are() -> None:
    """OpenAI's names are attributes, unknown categories are kept, and the JSON is written again."""
    answer = CODEC.decode_response(response(ANSWER), ask())
    verdict = answer.results[0]
    assert (verdict.categories.hate, verdict.categories.self_harm_intent) == (True, False)
    assert verdict.categories.model_extra == {"a new one": True}
    assert verdict.category_scores.self_harm_intent == 1e-5
    assert CODEC.encode_response(answer) == ANSWER
    assert json.loads(answer.to_json()) == ANSWER


@pytest.mark.parametrize("value", ["x", ["x", "y"], [{"type": "text", "text": "x"}]], ids=str)
def test_requests_come_and_go_as_they_are(value: Any) -> None:
    """With the target's model; without one, OpenAI's default is meant."""
    body = CODEC.encode_request(ask(value), model="target").body
    assert body == {"model": "target", "input": value}
    assert CODEC.decode_request(body).input == value
    assert CODEC.decode_request({"input": value, "model": None}).model == "omni-moderation-latest"


def test_requests_that_are_refused() -> None:
    """Nothing to judge, no model, a header in the body, a picture for a vendor of texts."""
    for params, param in (({"input": ""}, "input"), ({"input": 3}, "input"), ({"input": "x", "model": " "}, "model")):
        with pytest.raises(RequestValidationError) as caught:
            moderation_request({"model": "m", **params})
        assert str(caught.value.param).startswith(param)
    with pytest.raises(RequestValidationError):
        CODEC.decode_request({"input": "x", "extra_headers": {}})
    with pytest.raises(RequestValidationError):
        ModerationCodec(texts_only=True).encode_request(ask([{"type": "image_url"}]), model="m")
    texts = ModerationCodec(texts_only=True).encode_request(ask([{"type": "text", "text": "x"}]), model="m")
    assert texts.body["input"] == ["x"]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"[]",
        {},
        {"results": 3},
        {"results": [3]},
        {"results": []},
        {"results": [{}]},
        {"results": [{"categories": 3, "category_scores": {}}]},
        {"results": [*ANSWER["results"], *ANSWER["results"]]},
    ],
    ids=repr,
)
def test_damaged_answers(value: Any) -> None:
    """A typed error for each: also for verdicts that are not one for each input."""
    with pytest.raises(ResponseValidationError):
        CODEC.decode_response(response(value), ask())


def test_errors() -> None:
    """By status and body, also inside a 200, and written again."""
    error = CODEC.decode_error(response({"error": {"message": "slow"}}, 429))
    assert isinstance(error, RateLimitError)
    assert CODEC.encode_error(error).status_code == 429
    with pytest.raises(APIStatusError, match="bad"):
        CODEC.decode_response(response({"error": {"message": "bad"}}), ask())


def test_providers_of_the_callers_own() -> None:
    """Our object or a dict; what it leaves out is filled in."""
    own = {"results": [{"categories": {"spam": True}, "category_scores": {"spam": 0.8}}]}
    answer = moderation_answer(own, ask())
    assert (answer.results[0].flagged, answer.model) == (True, "m")
    ours = ModerationCreateResponse.model_validate(ANSWER)
    copied = moderation_answer(ours, ask())
    assert copied == ours
    assert copied is not ours
    with pytest.raises(ResponseValidationError):
        moderation_answer("fine", ask())
