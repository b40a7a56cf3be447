"""A provider for machines without a model: a few rules, no language model, and it says so."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from edgeagent.providers.base import Capabilities
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.json import dump_json

__all__ = ["Offline", "instance"]

PACE: Final = 0.015
"""Seconds before each word: something to see and to measure. It computes nothing that would take time."""

_RULES: Final = (
    (r"capital of (\w+)", "An atlas would tell you the capital of {0}; I have none."),
    (r"poem .*about (?:the )?(\w+)", "A poem about {0} takes a poet, or at least a language model."),
    (r"hello", "Hello! I am glad that you asked, whoever you are."),
)


class Offline:
    """Answers by rules, word by word, at a fixed pace; counts words as tokens.

    Asked for JSON by a schema it gives the simplest value that the schema describes.

    Args:
        name: the provider's name.
        sleep: how it waits.
    """

    vendor: Final = "edgeagent"
    cache_identity: Final = "offline"

    def __init__(self, name: str = "offline", sleep: Callable[[float], object] = time.sleep) -> None:
        self.name = name
        self._sleep = sleep

    def capabilities(self, model: str) -> Capabilities:
        """Text and structured output."""
        return Capabilities(frozenset({"json_schema", "streaming"}))

    def complete(self, request: ChatRequest) -> ChatCompletion:
        """Answer."""
        return assemble(self.stream(request))

    def stream(self, request: ChatRequest) -> Iterator[ChatCompletionChunk]:
        """Answer word by word."""
        text = _answer(request)
        words = re.findall(r"\s*\S+", text)
        for word in words:
            self._sleep(PACE)
            yield _chunk(request, [{"index": 0, "delta": {"role": "assistant", "content": word}}])
        yield _chunk(request, [{"index": 0, "delta": {}, "finish_reason": "stop"}])
        asked = len(_question(request).split())
        usage = {"prompt_tokens": asked, "completion_tokens": len(words), "total_tokens": asked + len(words)}
        yield _chunk(request, [], usage=usage)


def _chunk(request: ChatRequest, choices: list[dict[str, Any]], **fields: Any) -> ChatCompletionChunk:
    values = {"id": "chatcmpl-offline", "created": 0, "model": request.model, "choices": choices, **fields}
    return ChatCompletionChunk.model_validate(values)


def _question(request: ChatRequest) -> str:
    content = next((m.get("content") for m in reversed(request.messages) if m.get("role") == "user"), "")
    return content if isinstance(content, str) else " ".join(str(part.get("text", "")) for part in content or ())


def _answer(request: ChatRequest) -> str:
    form = request.response_format or {}
    if form.get("type") == "json_schema":
        return dump_json(instance(form["json_schema"].get("schema", {}))).decode()
    question = _question(request)
    found = ((re.search(pattern, question, re.IGNORECASE), answer) for pattern, answer in _RULES)
    reply = next((answer.format(*match.groups()) for match, answer in found if match), "I have no rule for that.")
    return f"{reply} (No language model answers here: I am the demo's offline responder, a few rules.)"


def instance(schema: Mapping[str, Any]) -> Any:
    """The simplest value of a JSON schema: of an enumeration the first, of a range the lowest."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for several in ("anyOf", "oneOf"):
        if schema.get(several):
            return instance(schema[several][0])
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object" or "properties" in schema:
        return {name: instance(part) for name, part in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema.get("items", {}))] * int(schema.get("minItems", 0))
    if kind in {"integer", "number"}:
        return schema.get("minimum", 0)
    return {"string": "offline", "boolean": False}.get(str(kind))
