"""Every recorded interaction with Hugging Face's per-model endpoint."""

from __future__ import annotations

import pytest

from edgeagent.errors import NotFoundError, RequestValidationError, ResponseValidationError
from edgeagent.providers.huggingface import HuggingFaceInferenceCodec
from tests.support import report
from tests.support.corpus import records
from tests.support.recorded import response_of as response

__all__: list[str] = []

API = "huggingface.inference"
CODEC = HuggingFaceInferenceCodec()
EMBEDDINGS = "huggingface.inference-a0b0534aa5"
"""A list of numbers: an embedding, another task of the same endpoint."""


def test_embeddings_are_no_text() -> None:
    """The one answer of another task is a typed error."""
    others = [r for r in records(API) if r["status"] == 200]
    assert [r["id"] for r in others] == [EMBEDDINGS]
    with pytest.raises(ResponseValidationError):
        CODEC.decode_response(response(others[0]))
    report.add(API, "other task, typed error", len(others), 0, "an embedding, no text generation: out of scope here")


def test_errors() -> None:
    """A model that is not there is 404 in plain text."""
    failed = [r for r in records(API) if r["status"] != 200]
    for record in failed:
        error = CODEC.decode_error(response(record))
        assert (type(error), error.message, error.body) == (NotFoundError, "HTTP 404: Not Found", "Not Found")
        assert error.request_id == record["response"]["headers"]["x-request-id"]
    report.add(API, "error decoded", len(failed), 0)


def test_requests_are_rebuilt() -> None:
    """Each is what was recorded, and asks for details and no repeated prompt, which is what this codec reads."""
    found = records(API)
    for record in found:
        asked = record["request"]["body"]
        encoded = CODEC.encode_request(CODEC.decode_request(asked), model="m", stream=False)
        parameters = {**asked.get("parameters", {}), "details": True, "return_full_text": False}
        assert encoded.body == {**asked, "parameters": parameters}
        assert encoded.dropped == ()
    report.add(API, "request rebuilt", len(found), 0)


@pytest.mark.parametrize("body", [{}, {"inputs": ["a"]}, {"inputs": "a", "parameters": 3}])
def test_requests_that_are_none(body: dict[str, object]) -> None:
    """The field is named."""
    with pytest.raises(RequestValidationError) as caught:
        CODEC.decode_request(body)
    assert caught.value.param in {"inputs", "parameters"}
