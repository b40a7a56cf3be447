"""Every recorded embedding and rerank, judged by plain dict code that does not use the codecs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import cohere
import ollama
import pytest
from google.genai import types as google
from mistralai.client.models import EmbeddingRequest as MistralRequest
from openai.types import CreateEmbeddingResponse as OpenAIAnswer
from openai.types import EmbeddingCreateParams
from pydantic import TypeAdapter, ValidationError

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    NotFoundError,
    PermissionDeniedError,
    RequestValidationError,
)
from edgeagent.providers.embeddings.rerank import RerankCodec
from edgeagent.wire.http import HTTPResponse
from tests.providers.embeddings.reading import body_of, codec_of, inputs, normal, tokens, vectors
from tests.support import report
from tests.support.corpus import Record, records
from tests.support.judge import same
from tests.support.recorded import response_of

APIS = [
    f"{name}.embeddings"
    for name in (
        *("azure", "cohere", "doubleword", "gemini", "mistral", "ollama", "openai"),
        *("openrouter", "perplexity", "venice", "vertex", "voyageai"),
    )
]
NEGATIVE = "openai.embeddings-bf7b73b076"
CLASSES = {400: BadRequestError, 401: AuthenticationError, 403: PermissionDeniedError, 404: NotFoundError}

every_api = pytest.mark.parametrize("api", APIS)


def check_all(
    api: str, check: str, items: Iterable[Record], judge: Callable[[Record], Iterator[str]], note: str = ""
) -> None:
    """Run one check over all items; every fault names its record."""
    items = list(items)
    if not items:
        pytest.skip("no such record")
    faults = {record["id"]: list(judge(record)) for record in items}
    wrong = {name: found for name, found in faults.items() if found}
    report.add(api, check, len(items) - len(wrong), len(wrong), note)
    assert not wrong, "\n".join(f"{name}: {found[:3]}" for name, found in list(wrong.items())[:20])


def good(api: str) -> list[Record]:
    return [record for record in records(api) if record["status"] == 200]


@every_api
def test_answers_are_read(api: str) -> None:
    """Every vector, number by number, in the order of the inputs; usage; the model; what we have no name for."""

    def judge(record: Record) -> Iterator[str]:
        codec = codec_of(record)
        request = codec.decode_request(body_of(record))
        answer = codec.decode_response(response_of(record), request)
        if [vector.floats for vector in answer.data] != vectors(record):
            yield "vectors"
        if [vector.index for vector in answer.data] != list(range(len(inputs(record)))):
            yield "indices"
        if (answer.usage.prompt_tokens if answer.usage else None) != tokens(record):
            yield "usage"
        recorded = record["response"]["body_json"]
        if answer.model != recorded.get("model", request.model) or answer.object != "list":
            yield "model"
        for name in recorded.keys() - {"data", "usage", "embedding", "embeddings", "prompt_eval_count"}:
            yield from same(recorded[name], getattr(answer, name, "nothing"), f"$.{name}")
        if request.encoding_format != "base64" and answer.usage is not None:
            OpenAIAnswer.model_validate(answer.model_dump())

    check_all(api, "answers", good(api), judge)


@every_api
def test_asked_for_as_text_or_as_numbers(api: str) -> None:
    """The caller gets the form that was asked for, whichever the vendor sent."""

    def judge(record: Record) -> Iterator[str]:
        codec = codec_of(record)
        request = codec.decode_request(body_of(record))
        wanted = vectors(record)
        for form, kind in ((None, list), ("float", list), ("base64", str)):
            asked = request.model_copy(update={"encoding_format": form})
            answer = codec.decode_response(response_of(record), asked)
            if not all(isinstance(vector.embedding, kind) for vector in answer.data):
                yield f"{form}: another form"
            for vector, row in zip(answer.data, wanted, strict=True):
                if form != "base64" and vector.embedding != row:
                    yield f"{form}: other numbers"
                if form == "base64" and vector.floats != pytest.approx(row, rel=1e-7, abs=1e-38):
                    yield "base64: other numbers"

    check_all(api, "forms", good(api)[:12], judge)


@every_api
def test_answers_are_written_again(api: str) -> None:
    """Encoding an answer gives the recorded JSON."""

    def judge(record: Record) -> Iterator[str]:
        codec = codec_of(record)
        answer = codec.decode_response(response_of(record), codec.decode_request(body_of(record)))
        written, recorded = codec.encode_response(answer), record["response"]["body_json"]
        if written != recorded:
            yield f"{written.keys() ^ recorded.keys() or 'other values'}"

    check_all(api, "answers written", good(api), judge)


@every_api
def test_requests_are_built_again(api: str) -> None:
    """A recorded request, decoded and encoded, asks the same (`reading.normal`), and says who lost what."""

    def judge(record: Record) -> Iterator[str]:
        codec = codec_of(record)
        if record["id"] == NEGATIVE:
            with pytest.raises(RequestValidationError) as caught:
                codec.decode_request(body_of(record))
            if caught.value.param != "dimensions":
                yield "another parameter"
            return
        request = codec.decode_request(body_of(record))
        told = [
            [part["text"] for part in item["content"]]
            if isinstance(item, dict) and "text" in item["content"][0]
            else item
            for item in request.items
        ]
        if "gemini" in api or "vertex" in api:
            told = [item if isinstance(item, list) else [item] for item in told]
        if told != inputs(record) and "images" not in body_of(record):
            yield "inputs"
        encoded = codec.encode_request(request, model=request.model)
        if normal(encoded.body) != normal(record["request"]["body"]):
            yield f"{normal(encoded.body)} is not {normal(record['request']['body'])}"[:300]
        if encoded.dropped:
            yield f"dropped {encoded.dropped}"
        again = codec.decode_request({"model": request.model, **encoded.body})
        if again.input != request.input and again.input != list(request.items):
            yield "inputs, the second time"

    note = f"{NEGATIVE} asks for -42 dimensions: refused here, as by OpenAI" if api == "openai.embeddings" else ""
    check_all(api, "requests", records(api), judge, note)


@every_api
def test_built_requests_are_what_vendors_packages_take(api: str) -> None:
    """The vendors' own types accept what is built; `openai`'s for every API of its shape."""

    def judge(record: Record) -> Iterator[str]:
        codec = codec_of(record)
        request = codec.decode_request(body_of(record))
        try:
            validate(codec.wire, codec.encode_request(request, model=request.model).body)
        except (ValidationError, TypeError) as error:
            yield str(error)[:300]

    check_all(api, "vendor's types", [record for record in records(api) if record["id"] != NEGATIVE], judge)


def validate(wire: str, built: dict[str, Any]) -> None:
    if wire.startswith("gemini"):
        for one in built.get("requests", [built]):
            google.Content.model_validate(one["content"])
            rest = {k: v for k, v in one.items() if k not in ("content", "model")}
            google.EmbedContentConfig.model_validate(rest)
    elif wire.startswith("vertex"):
        google.Content.model_validate(built["content"])
        google.EmbedContentConfig.model_validate(built.get("embedContentConfig", {}))
    elif wire == "mistral.embeddings":
        MistralRequest.model_validate(built)
        assert not built.keys() - {"model", "input", "metadata", "output_dimension", "output_dtype", "encoding_format"}
    elif wire.startswith("cohere"):
        import inspect

        client = cohere.ClientV2 if wire.endswith("v2") else cohere.Client
        known = set(inspect.signature(client.embed).parameters)
        assert not built.keys() - known, built.keys() - known
        TypeAdapter(cohere.EmbedInputType).validate_python(built["input_type"])
    elif wire.startswith("ollama"):
        kind = ollama._types.EmbeddingsRequest if wire.endswith("older") else ollama._types.EmbedRequest
        kind.model_validate(built)
        assert not built.keys() - kind.model_fields.keys()
    elif wire == "openai.embeddings":
        TypeAdapter(EmbeddingCreateParams).validate_python(built)
        assert not built.keys() - EmbeddingCreateParams.__annotations__.keys()


@every_api
def test_errors_are_typed(api: str) -> None:
    """The class by the status, the message and code of the body, and written again with its status."""

    def judge(record: Record) -> Iterator[str]:
        codec = codec_of(record)
        error = codec.decode_error(response_of(record))
        told = record["response"]["body_json"]
        message = told["error"]["message"] if "error" in told else told.get("message", told.get("detail"))
        if type(error) is not CLASSES[record["status"]]:
            yield type(error).__name__
        if error.message != message or error.status_code != record["status"]:
            yield error.message
        again = codec.decode_error(codec.encode_error(error))
        if type(again) is not type(error) or again.message != error.message:
            yield "another error, the second time"

    check_all(api, "errors", [record for record in records(api) if record["status"] >= 400], judge)


def test_reranks_are_read_and_written_and_rebuilt() -> None:
    """Cohere's rerank: results in order of relevance, the JSON again, the request again."""
    codec = RerankCodec()

    def judge(record: Record) -> Iterator[str]:
        recorded, asked = record["response"]["body_json"], record["request"]["body"]
        request = codec.decode_request(asked)
        answer = codec.decode_response(response_of(record), request)
        found = [(result.index, result.relevance_score) for result in answer.results]
        if found != [(result["index"], result["relevance_score"]) for result in recorded["results"]]:
            yield "results"
        if codec.encode_response(answer) != recorded:
            yield "written"
        wanted = {name: value for name, value in asked.items() if value is not None}
        if codec.encode_request(request, model=request.model).body != wanted:
            yield "rebuilt"
        cohere.V2RerankResponse.model_validate(codec.encode_response(answer))

    check_all("cohere.rerank", "all", records("cohere.rerank"), judge)


def test_errors_of_any_bytes() -> None:
    """No body makes a decoder of errors raise."""
    for api in APIS:
        codec = codec_of(records(api)[0])
        for content in (b"", b"<html><title>502</title>", b'"x"', b"[]", b"{", b"\xff", b'{"error":[]}', b"null"):
            for status in (400, 404, 429, 500, 503):
                error = codec.decode_error(HTTPResponse(status, [], content))
                assert isinstance(error, APIStatusError)
                assert error.status_code == status
