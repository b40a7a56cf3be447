"""Embeddings on AWS Bedrock, by InvokeModel: Amazon's Titan, and Cohere's models.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
/bedrock/latest/userguide/model-parameters-embed.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.providers.bedrock.errors import decode_error, encode_error
from edgeagent.providers.embeddings.base import EmbeddingCodec, Limits
from edgeagent.providers.embeddings.cohere import CohereEmbeddingCodec
from edgeagent.providers.embeddings.reading import answer, document, in_form, refuse, request_of, texts, without_nulls
from edgeagent.providers.notes import Notes
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest, EmbeddingUsage
from edgeagent.wire.http import HTTPResponse

__all__ = ["CohereOnBedrockCodec", "TitanEmbeddingCodec", "bedrock_codec"]

INPUT_TOKENS: Final = "x-amzn-bedrock-input-token-count"
"""The header in which InvokeModel tells how many tokens there were, whatever the model's own answer says."""


def bedrock_codec(name: str) -> EmbeddingCodec | None:
    """The codec of a model (`amazon.titan-embed-text-v2:0`); None if it does not embed texts."""
    if name.startswith("amazon.titan-embed-text"):
        return TitanEmbeddingCodec()
    return CohereOnBedrockCodec() if name.startswith("cohere.embed") else None


class TitanEmbeddingCodec:
    """Pure functions between our model and Titan's; see `base.EmbeddingCodec`. It takes one text at a time."""

    __slots__ = ()

    wire = "bedrock.titan.embeddings"

    def limits(self, model: str) -> Limits:
        """One text."""
        return Limits(1)

    def encode_request(self, request: EmbeddingRequest, *, model: str) -> Encoded:  # it is in the URL
        """Our request → the body. Raises `RequestValidationError` for anything but one text."""
        inputs, notes = texts(request, "Titan"), Notes()
        if len(inputs) != 1:
            refuse("Titan takes one text at a time", "input")
        for name in ("user", "input_type"):
            if getattr(request, name) is not None:
                notes.drop(name)
        if request.encoding_format not in (None, "float", "base64"):
            refuse("must be 'float' or 'base64'", "encoding_format")
        body = {"inputText": inputs[0], **without_nulls(request.model_extra or {})}
        if request.dimensions is not None:
            body["dimensions"] = request.dimensions
        return Encoded(body, dropped=notes.dropped, edits=notes.edits)

    def decode_response(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """A 200 answer → our answer. Raises `ResponseValidationError`."""
        data = document(response)
        vector: dict[str, Any] = {"embedding": data.pop("embedding", None), "index": 0}
        kinds = data.pop("embeddingsByType", None)
        if isinstance(kinds, Mapping) and kinds.keys() - {"float"}:
            vector["embeddings_by_type"] = kinds
        count = data.pop("inputTextTokenCount", None)
        usage = None if count is None else {"prompt_tokens": count, "total_tokens": count}
        values = {**data, "model": request.model, "data": [vector], "object": "list", "usage": usage}
        return in_form(answer(CreateEmbeddingResponse, values, response), request, response)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> EmbeddingRequest:
        """A body → our request. Raises `RequestValidationError`."""
        values = without_nulls(body)
        if "inputText" in values:
            values["input"] = values.pop("inputText")
        return request_of(values)

    def encode_response(self, answer: CreateEmbeddingResponse) -> dict[str, Any]:
        """Our answer → the JSON."""
        vector = answer.data[0]
        kinds = (vector.model_extra or {}).get("embeddings_by_type") or {"float": vector.floats}
        count = 0 if answer.usage is None else answer.usage.prompt_tokens
        return {"embedding": vector.floats, "embeddingsByType": kinds, "inputTextTokenCount": count}

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → Bedrock's own with its status."""
        return encode_error(error)


class CohereOnBedrockCodec(CohereEmbeddingCodec):
    """Cohere's `/v1/embed` as Bedrock serves it: the model is in the URL, the tokens are in a header."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(1)

    @property
    def wire(self) -> str:
        """`"bedrock.cohere.embeddings"`."""
        return "bedrock.cohere.embeddings"

    def encode_request(self, request: EmbeddingRequest, *, model: str) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` like Cohere's own."""
        encoded = super().encode_request(request, model=model)
        body = {name: value for name, value in encoded.body.items() if name != "model"}
        edits = encoded.edits
        if "input_type" not in body:
            body["input_type"] = "search_document"
            edits = (*edits, "input_type: 'search_document', since Cohere must be told one")
        if body.get("embedding_types") == ["base64"]:  # Bedrock's Cohere sends numbers
            del body["embedding_types"]
        return Encoded(body, dropped=encoded.dropped, edits=edits)

    def decode_response(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """A 200 answer → our answer, with the usage that the header tells. Raises `ResponseValidationError`."""
        found = super().decode_response(response, request)
        told = response.headers.get(INPUT_TOKENS, "")
        if found.usage is None and told.isdecimal():
            found.usage = EmbeddingUsage(prompt_tokens=int(told), total_tokens=int(told))
        return found

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → Bedrock's own with its status."""
        return encode_error(error)
