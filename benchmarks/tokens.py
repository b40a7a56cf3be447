"""How far the estimate of input tokens is off, on recorded traffic: `python -m benchmarks.tokens`.

Each recorded request is estimated before its answer's usage is shown to the estimator, in the order of the recordings.
"before" is what is known of a model's family alone, "after" the calibrated estimate; `at_most` is how many of the true
counts lie within the bound that budgets reserve. The whole collection is read where it is at hand
(`$EDGEAGENT_CORPUS`), else the selection in `tests/corpus`.
"""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, Final
from urllib.parse import unquote

from edgeagent.errors import EdgeAgentError
from edgeagent.providers.anthropic.codec import AnthropicMessagesCodec
from edgeagent.providers.bedrock.codec import BedrockConverseCodec
from edgeagent.providers.cohere import CohereChatCodec
from edgeagent.providers.gemini import GeminiCodec
from edgeagent.providers.mistral import MistralChatCodec
from edgeagent.providers.ollama import OllamaChatCodec
from edgeagent.providers.openai import COMPATIBLE, OpenAIChatCodec
from edgeagent.providers.responses import ResponsesCodec
from edgeagent.tokens import TokenEstimator
from edgeagent.types import ChatCompletion, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.support.corpus import Record, body, records

_IN_PATH: Final = re.compile(r"/models?/([^/:]+)")
_COMPATIBLE: Final = OpenAIChatCodec(COMPATIBLE)
CODECS: Final[dict[str, Any]] = {
    "openai.chat": OpenAIChatCodec(),
    "openai.responses": ResponsesCodec(),
    "azure.chat": OpenAIChatCodec(),
    "anthropic.messages": AnthropicMessagesCodec(),
    "gemini.generate": GeminiCodec(),
    "vertex.generate": GeminiCodec(vertex=True),
    "bedrock.converse": BedrockConverseCodec(),
    "mistral.chat": MistralChatCodec(),
    "cohere.chat_v2": CohereChatCodec(),
    "ollama.chat": OllamaChatCodec(),
    **{f"{name}.chat": _COMPATIBLE for name in ("openrouter", "deepseek", "groq", "together", "perplexity", "xai")},
}


@dataclass(frozen=True)
class Seen:
    """One request: what was estimated, what the provider counted."""

    before: int
    after: int
    at_most: int
    true: int

    @property
    def missed(self) -> float:
        return abs(self.after - self.true) / self.true

    @property
    def missed_before(self) -> float:
        return abs(self.before - self.true) / self.true


def asked(api: str) -> Iterator[tuple[ChatRequest, str, int]]:
    """Recorded requests of one API, with their model and the input tokens that were counted."""
    for record in records(api):
        try:
            told = _read(CODECS[api], record)
        except (EdgeAgentError, ValueError, KeyError, TypeError):
            continue  # a record that was kept because it is odd
        if told is not None:
            yield told


def _read(codec: Any, record: Record) -> tuple[ChatRequest, str, int] | None:
    sent = record["request"].get("body")
    if record["status"] != 200 or not isinstance(sent, dict):
        return None
    request: ChatRequest = codec.decode_request(sent)
    answer = _answer(codec, request, record)
    usage = answer.usage
    hidden = "search" in json.dumps(sent.get("tools", ""))  # a vendor's own tools bring text of their own
    if usage is None or usage.prompt_tokens < 1 or hidden:
        return None
    named = _IN_PATH.search(record["request"]["url"])
    model = unquote(named[1]) if named else answer.model or request.model
    return request, model, usage.prompt_tokens


def _answer(codec: Any, request: ChatRequest, record: Record) -> ChatCompletion:
    response = record["response"]
    head = HTTPResponse(200, response.get("headers", {}), _content(record))
    if not record["stream"] or "body_json" in response:
        whole: ChatCompletion = codec.decode_response(head)
        return whole
    decoder = codec.stream_decoder(request, head)
    return assemble([*decoder.feed(head.content), *decoder.end()])


def _content(record: Record) -> bytes:
    encoded = record["response"].get("body_b64")
    return body(record) if encoded is None else base64.b64decode(encoded)


def measure(api: str) -> dict[str, list[Seen]]:
    """Every request of an API by kind: `text`, `tools`, `media`."""
    plain, learning = TokenEstimator(), TokenEstimator()
    found: dict[str, list[Seen]] = defaultdict(list)
    for request, model, true in asked(api):
        name = f"{api.partition('.')[0]}/{model}"
        size = learning.size(request, name)
        guess = learning.estimate(size, name)
        kind = "media" if size.media else "tools" if size.tool_count else "text"
        found[kind].append(Seen(plain.estimate(size, name).tokens, guess.tokens, guess.at_most, true))
        learning.observe(size, name, true)
    return found


def row(name: str, kind: str, seen: list[Seen]) -> str:
    """One line of the table."""
    errors = sorted(one.missed for one in seen)
    ninth = quantiles(errors, n=10)[-1] if len(errors) > 1 else errors[0]
    total = sum(one.after for one in seen) / sum(one.true for one in seen) - 1
    within = sum(one.true <= one.at_most for one in seen) / len(seen)
    return (
        f"{name:<20} {kind:<6} {len(seen):>5} {median(one.missed_before for one in seen):>8.1%} {median(errors):>8.1%}"
        f" {ninth:>8.1%} {total:>+8.1%} {within:>8.1%}"
    )


def main() -> None:
    """Print the table."""
    print(f"{'API':<20} {'of':<6} {'n':>5} {'before':>8} {'after':>8} {'p90':>8} {'sum':>8} {'at_most':>8}")
    for api in CODECS:
        for kind, seen in sorted(measure(api).items()):
            if len(seen) >= 5:
                print(row(api, kind, seen))


if __name__ == "__main__":
    main()
