"""What the codecs share: a document out of bytes, vectors out of a document, each fault as a typed error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from edgeagent.errors import RequestValidationError, ResponseValidationError
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest
from edgeagent.types.embedding import embedding_request, floats_of, text_of
from edgeagent.types.faults import first_fault
from edgeagent.types.request import NOT_IN_BODY
from edgeagent.wire.http import HTTPResponse

__all__ = [
    "answer",
    "document",
    "in_form",
    "invalid",
    "numbers_in",
    "objects",
    "plain_text",
    "refuse",
    "request_of",
    "texts",
    "without_nulls",
]

_M = TypeVar("_M", bound=BaseModel)


def document(response: HTTPResponse) -> dict[str, Any]:
    """The JSON object of an answer. Raises `ResponseValidationError`."""
    try:
        data = from_json(response.content)
    except ValueError as error:
        invalid("it is not JSON, or only the beginning of it", response, cause=error)
    if not isinstance(data, dict):
        invalid("it is not a JSON object", response)
    return data


def numbers_in(counts: Iterable[Any]) -> list[int]:
    """Those of them that are numbers of tokens: what else stands in their place (an infinity, too) tells nothing."""
    numbers = (count for count in counts if isinstance(count, int | float) and not isinstance(count, bool))
    return [int(number) for number in numbers if isinstance(number, int) or isfinite(number)]


def answer(kind: type[_M], values: Mapping[str, Any], response: HTTPResponse) -> _M:
    """A model out of a document. Raises `ResponseValidationError`."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        invalid(" ".join(first_fault(error)), response, cause=error)


def in_form(
    found: CreateEmbeddingResponse, request: EmbeddingRequest, response: HTTPResponse
) -> CreateEmbeddingResponse:
    """The vectors in the order of the inputs, and as numbers or base64 text, as the request asks.

    Any other `encoding_format` is the vendor's own: its vectors are left as they came.

    Raises:
        ResponseValidationError: not one vector for each input, or text that is not base64 of floats.
    """
    data, wanted = found.data, len(request.items)
    if len(data) != wanted:
        invalid(f"{len(data)} vectors for {wanted} inputs", response)
    if any(vector.index != i for i, vector in enumerate(data)):
        data.sort(key=lambda vector: vector.index)
        if [vector.index for vector in data] != list(range(wanted)):
            invalid("the indices are not those of the inputs", response)
    form = request.encoding_format or "float"
    for vector in data:
        try:
            if form == "float" and isinstance(vector.embedding, str):
                vector.embedding = floats_of(vector.embedding)
            elif form == "base64" and not isinstance(vector.embedding, str):
                vector.embedding = text_of(vector.embedding)
        except ValueError as error:
            invalid(f"data[{vector.index}].embedding is {error}", response, cause=error)
    return found


def invalid(reason: str, response: HTTPResponse, *, cause: BaseException | None = None) -> NoReturn:
    """Raise the error for an answer that is not what is documented; `reason` quotes nothing of it."""
    raise ResponseValidationError(response, None, message=f"The answer is not what is documented: {reason}.") from cause


def refuse(reason: str, param: str) -> NoReturn:
    """Raise the error for what a vendor cannot be asked."""
    raise RequestValidationError(f"{param}: {reason}.", param=param)


def texts(request: EmbeddingRequest, vendor: str) -> list[str]:
    """The inputs of a vendor that embeds nothing but texts. Raises `RequestValidationError`."""
    found: list[str] = []
    for i, item in enumerate(request.items):
        if isinstance(item, list):
            refuse(f"{vendor} takes no token ids", "input")
        found.append(plain_text(item, f"input[{i}]", vendor))
    return found


def plain_text(item: str | dict[str, Any], where: str, vendor: str) -> str:
    """A text, or the texts of an input in parts, joined."""
    if isinstance(item, str):
        return item
    parts = item.get("content") or ()
    for k, part in enumerate(parts):
        if not isinstance(part, Mapping) or part.get("type") != "text" or not isinstance(part.get("text"), str):
            refuse(f"{vendor} embeds nothing but text", f"{where}.content[{k}]")
    return "".join(part["text"] for part in parts)


def request_of(values: Mapping[str, Any]) -> EmbeddingRequest:
    """A request out of what stood in a body. Raises `RequestValidationError`."""
    for name in NOT_IN_BODY & values.keys():  # would become header fields or a query: not for a body to say
        refuse("is no field of the body", name)
    return embedding_request(values)


def without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    """A field that is null is the same as an absent one."""
    return {name: value for name, value in values.items() if value is not None}


def objects(value: object, name: str, response: HTTPResponse) -> Sequence[Mapping[str, Any]]:
    """A list of objects. Raises `ResponseValidationError`."""
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        invalid(f"{name} is not a list of objects", response)
    return value
