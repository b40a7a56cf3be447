"""What Ollama really sends, by the numbers of the collection's list of oddities."""

from __future__ import annotations

import json

from edgeagent.wire.http import HTTPResponse
from tests.providers.ollama.support import CODEC
from tests.support.corpus import body, record

__all__: list[str] = []


def test_oddity_53_dict_arguments_and_done_reason_stop() -> None:
    """The arguments are text of JSON, the end is tool_calls, Ollama's own word is kept, the thinking is reasoning."""
    recorded = record("ollama.chat", "04d86b3b1a")
    (choice,) = CODEC.decode_response(HTTPResponse(200, content=body(recorded))).choices
    (call,) = choice.message.tool_calls or []
    assert call.function is not None
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert json.loads(call.function.arguments) == {"city": "Tokyo"}
    assert (choice.finish_reason, choice.native_finish_reason) == ("tool_calls", "stop")
    assert choice.message.content is None
    assert (choice.message.reasoning_content or "").startswith("Okay, the user is asking")


def test_oddity_53_no_prompt_eval_count() -> None:
    """The prompt was cached: 0 tokens were evaluated, which Go leaves out; the output is counted all the same."""
    recorded = record("ollama.chat", "f30abea63f")
    completion = CODEC.decode_response(HTTPResponse(200, content=body(recorded)))
    assert completion.usage is not None
    assert completion.usage.to_dict() == {"prompt_tokens": 0, "completion_tokens": 79, "total_tokens": 79}
    assert "prompt_eval_count" not in CODEC.encode_response(completion)
