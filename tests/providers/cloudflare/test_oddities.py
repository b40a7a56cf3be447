"""What Workers AI really sends, by the numbers of the collection's list of oddities."""

from __future__ import annotations

import json

from edgeagent.types import ChatCompletion
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.cloudflare.support import CODEC, asking
from tests.support.corpus import body, record

__all__: list[str] = []


def stream(digits: str) -> ChatCompletion:
    recorded = record("cloudflare.run", digits)
    decoder = CODEC.stream_decoder(asking(), HTTPResponse(200, recorded["response"]["headers"]))
    return assemble(decoder.feed(body(recorded)) + decoder.end())


def test_oddity_52_response_is_a_bool_in_the_stream() -> None:
    """It is the piece of JSON that it stands for."""
    completion = stream("c7c1caae22")
    assert json.loads(completion.choices[0].message.content or "") == {"is_fruit": True}
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 8


def test_oddity_52_response_is_an_object() -> None:
    """It is the JSON text that the caller asked for; there is no usage, and none is made up."""
    completion = CODEC.decode_response(HTTPResponse(200, content=body(record("cloudflare.run", "b97abdf825"))))
    assert completion.choices[0].message.content == '{"is_fruit":true}'
    assert completion.usage is None


def test_oddity_52_empty_events() -> None:
    """They say nothing; the usage after them counts."""
    completion = stream("3f22677fcd")
    assert (completion.choices[0].message.content or "").startswith("<think>\nOkay")
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == 249
