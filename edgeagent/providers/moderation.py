"""Moderation: OpenAI's `POST /moderations` and Mistral's, which is of the same shape with categories of its own.

https://platform.openai.com/docs/api-reference/moderations, https://docs.mistral.ai/api/endpoint/classifiers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded, Route
from edgeagent.providers.embeddings.reading import answer, document, invalid, objects, refuse, without_nulls
from edgeagent.providers.openai.errors import decode_error, encode_error, hidden_error
from edgeagent.types import ModerationCreateResponse, ModerationRequest
from edgeagent.types.moderation import moderation_request
from edgeagent.types.request import NOT_IN_BODY
from edgeagent.wire.http import HTTPResponse

__all__ = ["DEFAULT_MODELS", "ModerationCodec", "moderation_answer", "moderation_route"]

DEFAULT_MODELS: Final[Mapping[str, str]] = {
    "openai": "omni-moderation-latest",
    "mistral_ai": "mistral-moderation-latest",
}
"""The model of each vendor that a request without one is for; the first is OpenAI's own default."""

_NONE: Final = frozenset(
    {
        *("azure.ai.openai", "cerebras", "deepseek", "gcp.gemini", "groq", "moonshotai", "ollama", "perplexity"),
        *("voyageai", "x_ai"),
    }
)
"""Vendors of OpenAI's shape whose API has no moderation; a server of another name may have it, as a gateway."""
_CHAT: Final = "/chat/completions"


class ModerationCodec:
    """Pure functions between our model and the API.

    Args:
        wire: its name.
        texts_only: whether it takes no pictures.
        error: decodes an answer of 4xx or 5xx.
    """

    __slots__ = ("_error", "_texts_only", "wire")

    def __init__(
        self,
        wire: str = "openai.moderations",
        *,
        texts_only: bool = False,
        error: Callable[[HTTPResponse], APIStatusError] = decode_error,
    ) -> None:
        self.wire = wire
        self._texts_only = texts_only
        self._error = error

    def encode_request(self, request: ModerationRequest, *, model: str) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for pictures that it does not take."""
        body = {**request.params(), "model": model}
        if self._texts_only and not isinstance(request.input, str):
            body["input"] = [_text(item, i) for i, item in enumerate(request.input)]
        return Encoded(body)

    def decode_response(self, response: HTTPResponse, request: ModerationRequest) -> ModerationCreateResponse:
        """A 200 answer → our answer: one verdict for each text, or one for all parts together.

        Raises:
            ResponseValidationError: it is none.
            APIStatusError: it is an error all the same.
        """
        data = document(response)
        if data.get("error"):
            raise hidden_error(data, response)
        objects(data.get("results"), "results", response)
        found = answer(ModerationCreateResponse, _whole(data, request), response)
        texts = request.input if isinstance(request.input, list) and isinstance(request.input[0], str) else [""]
        if len(found.results) != len(texts):
            invalid(f"{len(found.results)} verdicts for {len(texts)} inputs", response)
        return found

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return self._error(response)

    def decode_request(self, body: Mapping[str, Any]) -> ModerationRequest:
        """A body → our request; OpenAI's default model where it names none. Raises `RequestValidationError`."""
        for name in NOT_IN_BODY & body.keys():
            refuse("is no field of the body", name)
        return moderation_request({"model": DEFAULT_MODELS["openai"], **without_nulls(body)})

    def encode_response(self, answer: ModerationCreateResponse) -> dict[str, Any]:
        """Our answer → the JSON."""
        return answer.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → `{"error": {…}}` with its status."""
        return encode_error(error)


def moderation_route(vendor: str, chat_path: str) -> Route[ModerationCodec] | None:
    """How `vendor` moderates; None if it does not. Moderation is beside chat, in the same version of the API."""
    if vendor in _NONE or not chat_path.endswith(_CHAT):
        return None
    path = f"{chat_path.removesuffix(_CHAT)}/moderations"
    if vendor == "mistral_ai":
        from edgeagent.providers.mistral.errors import decode_error as mistral_error

        return Route(ModerationCodec("mistral.moderations", texts_only=True, error=mistral_error), path)
    return Route(ModerationCodec(), path)


def moderation_answer(value: Any, request: ModerationRequest) -> ModerationCreateResponse:
    """What a provider of the caller's own returned → our answer. Raises `ResponseValidationError`."""
    if isinstance(value, ModerationCreateResponse):
        return value.model_copy(deep=True)
    response = HTTPResponse(200)
    if not isinstance(value, Mapping):
        invalid(f"{type(value).__name__} is no answer to a moderation", response)
    return answer(ModerationCreateResponse, _whole(value, request), response)


def _whole(data: Mapping[str, Any], request: ModerationRequest) -> dict[str, Any]:
    """With what vendors leave out: the id, the model, and whether anything was found."""
    results = data.get("results")
    if isinstance(results, list):
        results = [_flagged(result) if isinstance(result, Mapping) else result for result in results]
    return {"id": "", "model": request.model, **data, "results": results}


def _flagged(result: Mapping[str, Any]) -> Mapping[str, Any]:
    found = result.get("categories")
    if "flagged" in result or not isinstance(found, Mapping):
        return result
    return {"flagged": any(value is True for value in found.values()), **result}


def _text(item: Any, index: int) -> str:
    if isinstance(item, str):
        return item
    text = item.get("text")
    if item.get("type") != "text" or not isinstance(text, str):
        refuse("this vendor moderates nothing but text", f"input[{index}]")
    return text
