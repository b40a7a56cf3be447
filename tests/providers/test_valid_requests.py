"""Requests, judged by the vendors' own packages and documents: what a model serves of OpenAI's is sent validly."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.providers.rows import ROWS
from edgeagent.types import ChatRequest
from tests.providers.anthropic.vendor_types import unknown_fields as of_anthropic
from tests.providers.bedrock.reading import invalid
from tests.providers.cohere.vendor_types import unknown_fields as of_cohere
from tests.providers.every import CODECS
from tests.providers.gemini.vendor_types import unknown_fields as of_google
from tests.providers.mistral.vendor_types import unknown_fields as of_mistral
from tests.providers.responses.vendor_types import faults_of_request as of_responses
from tests.support import report
from tests.support.corpus import SPECS, records

__all__: list[str] = []

Body = Mapping[str, Any]
DOCUMENT = SPECS / "openai-openapi.json.gz"


def of_bedrock(body: Body) -> Iterable[str]:
    try:
        fault = invalid("Converse", dict(body))
    except AssertionError as error:
        return [str(error)]
    return [fault] if fault else []


@cache
def adapter(path: str) -> TypeAdapter[Any]:
    from importlib import import_module

    module, _, name = path.rpartition(".")
    return TypeAdapter(getattr(import_module(module), name))


def typed(path: str) -> Callable[[Body], Iterable[str]]:
    """A judge by a typed dict or model: it raises for what is wrong, and names the fields that it does not have."""

    def judge(body: Body) -> Iterable[str]:
        read = adapter(path).validate_python(dict(body))
        known = read if isinstance(read, dict) else read.model_dump()
        return [name for name in body if name not in known]

    return judge


def of_document(body: Body) -> Iterable[str]:
    return [error.message[:200] for error in validator("CreateChatCompletionRequest").iter_errors(dict(body))]


@cache
def validator(name: str) -> Any:
    from jsonschema import Draft202012Validator

    document = json.loads(gzip.decompress(DOCUMENT.read_bytes()))
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": document["components"]})


@dataclass(frozen=True)
class Case:
    """A codec, one of its models, a judge of bodies, and the most of the requests that may be unfit for the model."""

    codec: Any
    model: str
    judge: Callable[[Body], Iterable[str]]
    unfit: float = 0.5

    def __str__(self) -> str:
        return self.model


def codec(name: str) -> Any:
    return next(wire.codec for wire in CODECS if wire.name == name)


CASES = (
    Case(
        codec("openai"),
        "gpt-4.1",
        typed("openai.types.chat.completion_create_params.CompletionCreateParamsNonStreaming"),
    ),
    Case(
        OpenAIChatCodec(ROWS["groq"].quirks),
        "qwen/qwen3-32b",
        typed("groq.types.chat.completion_create_params.CompletionCreateParams"),
    ),
    *(
        Case(codec("anthropic"), model, of_anthropic)
        for model in ("claude-3-5-haiku-latest", "claude-sonnet-4-5", "claude-opus-4-8", "claude-opus-5-5")
    ),
    Case(codec("responses"), "gpt-5", of_responses),
    *(
        Case(codec("gemini"), model, of_google)
        for model in ("gemini-2.0-flash", "gemini-2.5-flash", "gemini-3-pro-preview")
    ),
    Case(codec("vertex"), "gemini-2.5-pro", of_google),
    Case(codec("mistral"), "mistral-small-latest", of_mistral),
    Case(codec("cohere"), "command-a-reasoning-08-2025", of_cohere),
    Case(codec("ollama"), "qwen3", typed("ollama._types.ChatRequest")),
    *(
        Case(codec("bedrock"), model, of_bedrock, 0.6)
        for model in (
            "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            "anthropic.claude-3-haiku-20240307-v1:0",
            "us.amazon.nova-2-lite-v1:0",
            "us.meta.llama4-maverick-17b-instruct-v1:0",
            "mistral.mistral-large-3-675b-instruct",
        )
    ),
)


@cache
def requests() -> tuple[tuple[str, ChatRequest], ...]:
    """Every recorded request to OpenAI's chat completions that can be read."""
    found = []
    for record in records("openai.chat"):
        try:
            found.append((record["id"], OpenAIChatCodec().decode_request(record["request"]["body"])))
        except (RequestValidationError, TypeError):
            continue
    return tuple(found)


def judged(case: Case) -> tuple[list[str], int]:
    """What is wrong with the requests that the model can be asked, and how many it cannot."""
    faults, unfit = [], 0
    for name, request in requests():
        try:
            body = case.codec.encode_request(request, model=case.model, stream=False).body
        except RequestValidationError as error:
            unfit += 1
            faults += [] if error.param else [f"{name}: {error} names no field"]
            continue
        extra = set(request.model_extra or ())  # parameters of other vendors, which a caller may add
        try:
            faults += [f"{name}: {fault}" for fault in case.judge({k: v for k, v in body.items() if k not in extra})]
        except ValidationError as error:
            faults.append(f"{name}: {error}")
    return faults, unfit


@pytest.mark.bulk
@pytest.mark.parametrize("case", CASES, ids=str)
def test_openais_requests_for_every_vendor(case: Case) -> None:
    """Each recorded OpenAI request that this model can serve is valid by the vendor's types; others name a field."""
    faults, unfit = judged(case)
    total = len(requests())
    report.add("openai.chat", f"request valid for {case.model}", total - len(faults), len(faults), f"{unfit} unfit")
    assert faults == []
    assert unfit < total * case.unfit


@pytest.mark.bulk
@pytest.mark.skipif(not DOCUMENT.exists(), reason="OpenAI's OpenAPI document is not at hand")
def test_openais_requests_by_its_document() -> None:
    """The same by OpenAI's OpenAPI document, but for what it calls wrong of the requests that OpenAI answered."""
    strict = {r["id"] for r in records("openai.chat") if r["status"] == 200 and list(of_document(r["request"]["body"]))}
    faults, _ = judged(Case(codec("openai"), "gpt-4.1", of_document))
    faults = [fault for fault in faults if fault.partition(":")[0] not in strict]
    total = len(requests()) - len(strict)
    report.add("openai.chat", "request valid by the document", total - len(faults), len(faults), f"{len(strict)} odd")
    assert faults == []
    assert len(strict) < total / 50
