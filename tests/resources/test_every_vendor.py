"""What `parse` asks for, in every vendor's format; and its answer, read back from that format."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel, Field

from edgeagent import ChatCompletion, pydantic_function_tool
from edgeagent.core.requests import chat_request
from edgeagent.resources.structured import Structure
from edgeagent.wire.http import HTTPResponse
from edgeagent.wire.json import dump_json
from tests.providers.every import CODECS, Wire


class Part(BaseModel):
    """A part of a city."""

    text: str | None = None


class City(BaseModel):
    name: str = Field(description="its name")
    part: Part = Field(description="a reference with a companion")
    tags: list[Part] = []


CITY = City(name="Paris", part=Part(text="x"), tags=[])
MESSAGES = [{"role": "user", "content": "Which?"}]


@pytest.mark.parametrize("wire", CODECS, ids=str)
def test_the_content(wire: Wire) -> None:
    """The schema reaches the vendor, or is promised and so checked afterwards; the answer is an instance."""
    structure = Structure(City, None, strict_tools=True)
    request = chat_request(structure.arguments({"model": wire.model, "messages": MESSAGES}))
    encoded = wire.codec.encode_request(request, model=wire.model, stream=False)
    body = json.dumps(encoded.body)
    assert '"name"' in body or encoded.promises
    assert "its name" in body or encoded.promises
    answer = {"role": "assistant", "content": CITY.model_dump_json()}
    read = _through(wire, answer, "stop")
    assert structure.parsed(read).choices[0].message.parsed == CITY


@pytest.mark.parametrize("wire", CODECS, ids=str)
def test_the_arguments(wire: Wire) -> None:
    """The tool reaches the vendor; what it calls it with is an instance of the tool's model."""
    structure = Structure(None, [pydantic_function_tool(Part)], strict_tools=True)
    request = chat_request(structure.arguments({"model": wire.model, "messages": MESSAGES}))
    assert "A part of a city." in json.dumps(wire.codec.encode_request(request, model=wire.model, stream=False).body)
    call = {"id": "call_1", "type": "function", "function": {"name": "Part", "arguments": '{"text":"x"}'}}
    read = _through(wire, {"role": "assistant", "content": None, "tool_calls": [call]}, "tool_calls")
    calls = structure.parsed(read).choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].function.parsed_arguments == Part(text="x")


def _through(wire: Wire, message: object, finish: str) -> ChatCompletion:
    """The answer as the vendor would send it."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    told = {"id": "c", "created": 1, "model": wire.model, "choices": [choice], "usage": usage}
    body = wire.codec.encode_response(ChatCompletion.model_validate(told))
    response = HTTPResponse(200, {"content-type": "application/json"}, dump_json(body))
    completion: ChatCompletion = wire.codec.decode_response(response)
    return completion
