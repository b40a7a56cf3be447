"""Google's embeddings: Gemini's `:batchEmbedContents` and `:embedContent`, Vertex AI's `:predict` and `:embedContent`.

https://ai.google.dev/api/embeddings,
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from edgeagent.errors import APIStatusError
from edgeagent.providers.base import Encoded
from edgeagent.providers.embeddings.base import Limits
from edgeagent.providers.embeddings.google_parts import content_of, input_of
from edgeagent.providers.embeddings.purposes import GOOGLE, word
from edgeagent.providers.embeddings.reading import (
    answer,
    document,
    in_form,
    numbers_in,
    objects,
    refuse,
    request_of,
    texts,
)
from edgeagent.providers.gemini.errors import decode_error, encode_error, error_in_answer
from edgeagent.providers.notes import Notes
from edgeagent.types import CreateEmbeddingResponse, Embedding, EmbeddingRequest
from edgeagent.types.embedding import floats_of
from edgeagent.wire.http import HTTPResponse

__all__ = ["Form", "GoogleEmbeddingCodec", "vertex_form"]

Form: TypeAlias = Literal["batch", "single", "predict", "vertex"]
"""Gemini's two, then Vertex AI's two."""

_NAMES: Final[Mapping[str, str]] = {
    "output_dimensionality": "outputDimensionality",
    "outputDimensionality": "outputDimensionality",
    "task_type": "taskType",
    "taskType": "taskType",
    "title": "title",
    "auto_truncate": "autoTruncate",
    "autoTruncate": "autoTruncate",
    "document_ocr": "documentOcr",
    "documentOcr": "documentOcr",
    "audio_track_extraction": "audioTrackExtraction",
    "audioTrackExtraction": "audioTrackExtraction",
}
"""Settings of an input, in either of the spellings that Google's servers read."""

_LIMITS: Final[Mapping[Form, Limits]] = {
    "batch": Limits(100),
    "single": Limits(1),
    "predict": Limits(250, 20_000),
    "vertex": Limits(1),
}


def vertex_form(model: str) -> Form:
    """Which of its two APIs Vertex AI serves a model by; the rule is that of Google's own package."""
    return "vertex" if "gemini" in model and model.rpartition("/")[2] != "gemini-embedding-001" else "predict"


class GoogleEmbeddingCodec:
    """Pure functions between our model and one of Google's four forms; see `base.EmbeddingCodec`."""

    __slots__ = ("_form",)

    def __init__(self, form: Form = "batch") -> None:
        self._form = form

    @property
    def wire(self) -> str:
        """As in `"gemini.embeddings.batch"`."""
        return f"{'vertex' if self._form in ('predict', 'vertex') else 'gemini'}.embeddings.{self._form}"

    def limits(self, model: str) -> Limits:
        """By form; one text for each request of `gemini-embedding-001` on Vertex AI."""
        if self._form == "predict" and model.rpartition("/")[2] == "gemini-embedding-001":
            return Limits(1)
        return _LIMITS[self._form]

    def encode_request(self, request: EmbeddingRequest, *, model: str) -> Encoded:
        """Our request → the body. Raises `RequestValidationError` for token ids and what has no Google form."""
        notes = Notes()
        if request.user is not None:
            notes.drop("user")
        if request.encoding_format == "base64":
            notes.edit("the vendor sends numbers; they were turned into base64")
        elif request.encoding_format not in (None, "float"):
            refuse("must be 'float' or 'base64'", "encoding_format")
        settings, rest = self._settings(request, notes)
        if self._form == "predict":
            body = _predict(texts(request, "Vertex AI"), settings)
        else:
            contents = [content_of(item, f"input[{i}]") for i, item in enumerate(request.items)]
            body = self._embed_content(contents, settings, model)
        return Encoded({**rest, **body}, dropped=notes.dropped, edits=notes.edits)

    def _embed_content(
        self, contents: Sequence[Mapping[str, Any]], settings: Mapping[str, Any], model: str
    ) -> dict[str, Any]:
        if self._form == "batch":
            name = model if "/" in model else f"models/{model}"
            return {"requests": [{"model": name, "content": content, **settings} for content in contents]}
        if len(contents) != 1:
            refuse("this API takes one input at a time", "input")
        if self._form == "vertex":
            return {"content": contents[0], **({"embedContentConfig": dict(settings)} if settings else {})}
        return {"content": contents[0], **settings}

    def _settings(self, request: EmbeddingRequest, notes: Notes) -> tuple[dict[str, Any], dict[str, Any]]:
        settings, rest = {}, {}
        for name, value in (request.model_extra or {}).items():
            if name in _NAMES:
                settings[_NAMES[name]] = value
            elif value is not None:
                rest[name] = value
        if request.dimensions is not None:
            settings["outputDimensionality"] = request.dimensions
        if request.input_type is not None:
            meant = word(request.input_type, GOOGLE)
            if meant is None:
                notes.drop("input_type")
            else:
                settings["taskType"] = meant
        return settings, rest

    def decode_response(self, response: HTTPResponse, request: EmbeddingRequest) -> CreateEmbeddingResponse:
        """A 200 answer → our answer. Raises `ResponseValidationError`, or the error that a 200 hides."""
        data = document(response)
        if data.get("error"):
            raise error_in_answer(data)
        vectors = _vectors(data, response)
        found = [
            {
                **{k: v for k, v in vector.items() if k not in ("values", "index")},
                "index": i,
                "embedding": vector.get("values"),
            }
            for i, vector in enumerate(vectors)
        ]
        rest = {k: v for k, v in data.items() if k not in ("embedding", "embeddings", "predictions")}
        tokens = _tokens(data, vectors)
        usage = None if tokens is None else {"prompt_tokens": tokens, "total_tokens": tokens}
        values = {"model": request.model, **rest, "data": found, "object": "list", "usage": usage}
        return in_form(answer(CreateEmbeddingResponse, values, response), request, response)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> EmbeddingRequest:
        """A body of any of the four forms → our request. Raises `RequestValidationError`."""
        batch = body.get("requests", body.get("instances", [body]))
        if not isinstance(batch, list) or not all(isinstance(one, Mapping) for one in batch):
            refuse("must be a list of objects", "requests")
        rest = {k: v for k, v in body.items() if k not in ("requests", "instances", "parameters", "content", *_NAMES)}
        for k in ("embedContentConfig", "model"):
            rest.pop(k, None)
        common = [body.get("parameters"), body.get("embedContentConfig")]
        told = [_told(one, *common) for one in batch]
        if any(one != told[0] for one in told):
            refuse("must be the same for all inputs", "requests")
        values: dict[str, Any] = {**rest, **(told[0] if told else {})}
        for name, ours in (("outputDimensionality", "dimensions"), ("taskType", "input_type")):
            if name in values:
                values[ours] = values.pop(name)
        values["input"] = [input_of(one.get("content"), f"requests[{i}].content") for i, one in enumerate(batch)]
        model = next((m for m in (body.get("model"), *(one.get("model") for one in batch)) if m is not None), "")
        values["model"] = model.removeprefix("models/") if isinstance(model, str) else model
        return request_of(values)

    def encode_response(self, answer: CreateEmbeddingResponse) -> dict[str, Any]:
        """Our answer → the JSON; usage is told in the form's own place where it is known."""
        rest = {k: v for k, v in (answer.model_extra or {}).items() if v is not None}
        vectors: list[dict[str, Any]] = [_vector(vector) for vector in answer.data]
        if self._form == "predict":
            return {"predictions": [{"embeddings": vector} for vector in vectors], **rest}
        if answer.usage is not None:
            rest.setdefault("usageMetadata", {"promptTokenCount": answer.usage.prompt_tokens})
        return {**({"embeddings": vectors} if self._form == "batch" else {"embedding": vectors[0]}), **rest}

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → Google's error object with its status."""
        return encode_error(error)


def _predict(inputs: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    each = {name: settings[ours] for ours, name in (("taskType", "task_type"), ("title", "title")) if ours in settings}
    parameters = {name: value for name, value in settings.items() if name not in ("taskType", "title")}
    body: dict[str, Any] = {"instances": [{"content": text, **each} for text in inputs]}
    return {**body, "parameters": parameters} if parameters else body


def _told(one: Mapping[str, Any], *common: object) -> dict[str, Any]:
    """The settings of one input, under the names that we send."""
    told: dict[str, Any] = {}
    for values in (*common, one):
        if isinstance(values, Mapping):
            told.update({_NAMES[k]: v for k, v in values.items() if k in _NAMES and v is not None})
    return told


def _vectors(data: Mapping[str, Any], response: HTTPResponse) -> Sequence[Mapping[str, Any]]:
    if "predictions" in data:
        predictions = objects(data["predictions"], "predictions", response)
        return objects([prediction.get("embeddings") for prediction in predictions], "predictions", response)
    if "embedding" in data:
        return objects([data["embedding"]], "embedding", response)
    return objects(data.get("embeddings"), "embeddings", response)


def _tokens(data: Mapping[str, Any], vectors: Sequence[Mapping[str, Any]]) -> int | None:
    """Tokens of all inputs; None where Google does not tell them."""
    usage = data.get("usageMetadata")
    counts = [usage.get("promptTokenCount")] if isinstance(usage, Mapping) else []
    if not counts:
        statistics = [vector.get("statistics") for vector in vectors]
        counts = [
            told.get("token_count", told.get("tokenCount")) if isinstance(told, Mapping) else None
            for told in statistics
        ]
    whole = numbers_in(counts)
    return sum(whole) if whole and len(whole) == len(counts) else None


def _vector(vector: Embedding) -> dict[str, Any]:
    values = vector.embedding
    return {"values": floats_of(values) if isinstance(values, str) else values, **(vector.model_extra or {})}
