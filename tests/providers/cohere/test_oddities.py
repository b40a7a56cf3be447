"""What Cohere really sends and naive adapters get wrong; the number is that of the collection."""

from __future__ import annotations

import pytest

from edgeagent.errors import InternalServerError
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.cohere.support import CODEC, asking
from tests.support.corpus import body, record

API = "cohere.chat_v2"


def test_oddity_51_an_error_ends_a_200_stream_and_an_answer_is_only_a_plan() -> None:
    """`finish_reason: ERROR` is a typed error behind what came; a plan without content is reasoning, and no content."""
    decoder = CODEC.stream_decoder(asking())
    chunks = decoder.feed(body(record(API, "1f91c24a31")))
    with pytest.raises(InternalServerError) as caught:
        decoder.end()
    assert caught.value.code == "INVALID_TOOL_GENERATION"
    assert caught.value.message.startswith("your request resulted in an invalid tool generation")
    came = assemble(chunks).choices[0].message.reasoning_content
    assert came is not None
    assert came.startswith("I will first inspect the tables in the database.")

    message = CODEC.decode_response(HTTPResponse(200, content=body(record(API, "65451f8805")))).choices[0].message
    assert message.content is None
    assert message.reasoning_content == "I will use one or more of the available tools to find the answer"
    assert [call.function.arguments for call in message.tool_calls or () if call.function] == ['{"x":9,"y":4}']
    turn = message.model_dump(exclude_unset=True)
    [sent] = CODEC.encode_request(asking(messages=[turn]), model="m", stream=False).body["messages"]
    assert sent["tool_plan"] == message.reasoning_content
    assert "content" not in sent
