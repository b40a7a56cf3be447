"""`responses.parse` and `responses.stream`, beside openai's own client on the same server."""

from __future__ import annotations

import json
from typing import Any

import openai
import pydantic.dataclasses
import pytest
from pydantic import BaseModel

from edgeagent import ContentFilterFinishReasonError, EdgeClient, LengthFinishReasonError, RequestValidationError
from edgeagent.errors import InternalServerError
from edgeagent.providers import OpenAI as Provider
from edgeagent.resources.structured import pydantic_function_tool, pydantic_responses_function_tool
from edgeagent.testing import FakeProvider
from edgeagent.types.responses import ParsedResponse
from tests.resources.both import Driven, every_way
from tests.support.loopback import Loopback, events, reply
from tests.support.sdk import openai_client


class City(BaseModel):
    """A city."""

    name: str
    people: int


@pydantic.dataclasses.dataclass
class Point:
    x: int


TEXT = '{"name": "Paris", "people": 2}'


def document(text: str = TEXT, *more: dict[str, Any], **fields: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    message = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    head = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    rest = {"parallel_tool_calls": True, "tool_choice": "auto", "tools": []}
    return {**head, **rest, "output": [message, *more], **fields}


def streamed(text: str = TEXT, **fields: Any) -> list[dict[str, Any]]:
    last = document(text, **fields)
    begun = {**last, "status": "in_progress", "output": []}
    message = last["output"][0]
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": {**message, "content": []}},
        {"type": "response.content_part.added", **at, "part": empty},
        {"type": "response.output_text.delta", **at, "delta": text[:5], "logprobs": []},
        {"type": "response.output_text.delta", **at, "delta": text[5:], "logprobs": []},
        {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": message["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": f"response.{last['status']}", "response": last},
    ]
    return [{**event, "sequence_number": number} for number, event in enumerate(told)]


CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "City", "arguments": TEXT}
PARIS = City(name="Paris", people=2)
STRICT = {"type": "function", "name": "City", "parameters": {"type": "object", "properties": {}}, "strict": True}
FLAT: Any = getattr(openai, "pydantic_responses_function_tool", openai.pydantic_function_tool)(City)
"""A tool of the openai package's own, in the form of the Responses API where the installed release makes such."""
ASK: dict[str, Any] = {"model": "gpt-4o", "input": "hi"}


def served(request: Any) -> Any:
    return list(events(streamed())) if request.json().get("stream") else reply(200, document(TEXT, CALL))


@every_way
@pytest.mark.parametrize("kind", [City, Point])
def test_parse_asks_and_reads_as_openai_does(way: Any, kind: Any) -> None:
    """The same request, and the same object out of the same text."""
    text = TEXT if kind is City else '{"x": 1}'
    with Loopback(lambda request: reply(200, document(text))) as server, openai_client(server) as hers:
        theirs = hers.responses.parse(**ASK, text_format=kind)
        client = Driven(way, providers=[Provider(api_key="k", base_url=f"{server.url}/v1")])
        ours = client.do(lambda responses: responses.parse(**ASK, text_format=kind))
        assert server.requests[0].json() == server.requests[1].json()
        assert ours.output_parsed == theirs.output_parsed == (PARIS if kind is City else Point(1))
        assert ours.edge.provider == "openai"
        assert ours.output[0].content[0].parsed == ours.output_parsed
        client.close()


def test_the_arguments_of_tools_are_read() -> None:
    """A model's own tool (ours or openai's) gives the model, a strict one JSON, another nothing; as openai has it."""
    with Loopback(served) as server, openai_client(server) as theirs:
        ours: Any = EdgeClient(providers=[Provider(api_key="k", base_url=f"{server.url}/v1")], cache=False)
        for hers, mine, parsed in (
            (openai.pydantic_function_tool(City), pydantic_function_tool(City), PARIS),
            (openai.pydantic_function_tool(City), openai.pydantic_function_tool(City), PARIS),
            (FLAT, FLAT, PARIS),
            (STRICT, STRICT, json.loads(TEXT)),
            ({**STRICT, "strict": False}, {**STRICT, "strict": False}, None),
        ):
            first = theirs.responses.parse(**ASK, tools=[hers])
            second = ours.responses.parse(**ASK, tools=iter([mine]))
            assert server.requests[-1].json() == server.requests[-2].json()
            assert second.output[1].parsed_arguments == first.output[1].parsed_arguments == parsed
        assert second.output_parsed is None


@pytest.mark.skipif(not hasattr(openai, "pydantic_responses_function_tool"), reason="this release knows no namespaces")
@pytest.mark.parametrize("namespace", [None, "shop", "map", "look", "nobody's"])
def test_the_arguments_of_a_namespaces_tools_are_read(namespace: str | None) -> None:
    """Two namespaces may have a tool of one name: it is the model of the one that was called, as openai has it."""

    class Place(BaseModel):
        name: str

    class Nothing(BaseModel):
        pass

    def tools(make: Any) -> Any:
        for name, kind in (("shop", City), ("map", Place)):
            yield {"type": "namespace", "name": name, "description": "d", "tools": iter([make(kind, name="look")])}
        yield make(Nothing, name="look")

    called = {**CALL, "name": "look", **({"namespace": namespace} if namespace else {})}
    flat: Any = getattr(openai, "pydantic_responses_function_tool", None)
    with Loopback(lambda request: reply(200, document(TEXT, called))) as server, openai_client(server) as theirs:
        ours: Any = EdgeClient(providers=[Provider(api_key="k", base_url=f"{server.url}/v1")], cache=False)
        expected = theirs.responses.parse(**ASK, tools=tools(flat)).output[1].parsed_arguments  # type: ignore[union-attr]
        for make in (flat, pydantic_function_tool):
            read = ours.responses.parse(**ASK, tools=tools(make)).output[1].parsed_arguments
            assert (type(read), read) == (type(expected), expected)
            assert server.requests[-1].json() == server.requests[0].json()


@every_way
def test_the_events_of_stream_are_openais(way: Any) -> None:
    """Event by event: the text so far, what was read, the final response."""
    with Loopback(served) as server, openai_client(server) as hers_client:
        with hers_client.responses.stream(**ASK, text_format=City) as stream:
            theirs = list(stream)
            hers = stream.get_final_response()
        client = Driven(way, providers=[Provider(api_key="k", base_url=f"{server.url}/v1")])
        ours, mine = client.managed(lambda responses: responses.stream(**ASK, text_format=City))
        assert server.requests[0].json() == server.requests[1].json()
        assert [event.type for event in ours] == [event.type for event in theirs]
        for one, other in zip(ours, theirs, strict=True):
            for name in ("delta", "snapshot", "text", "parsed", "sequence_number"):
                assert getattr(one, name, None) == getattr(other, name, None)
        assert ours[-1].response.output_parsed == hers.output_parsed == mine.output_parsed == PARIS
        assert isinstance(mine, ParsedResponse)
        assert mine.edge.provider == "openai"
        client.close()


@every_way
@pytest.mark.parametrize(
    ("reason", "error"),
    [("max_output_tokens", LengthFinishReasonError), ("content_filter", ContentFilterFinishReasonError)],
)
def test_what_was_cut_off_cannot_be_read(way: Any, reason: str, error: Any) -> None:
    """An error of its own, not one about JSON; without anything to read the response is given as it is."""
    cut = {"status": "incomplete", "incomplete_details": {"reason": reason}}
    with Loopback(
        lambda r: (
            list(events(streamed('{"na', **cut))) if r.json().get("stream") else reply(200, document('{"na', **cut))
        )
    ) as s:
        client = Driven(way, providers=[Provider(api_key="k", base_url=s.url)], cache=False)
        with pytest.raises(error):
            client.do(lambda responses: responses.parse(**ASK, text_format=City))
        with pytest.raises(error):
            client.managed(lambda responses: responses.stream(**ASK, text_format=City))
        found, final = client.managed(lambda responses: responses.stream(**ASK))
        assert (found[-1].type, final.status, final.output_text) == ("response.incomplete", "incomplete", '{"na')
        client.close()


def test_what_is_not_the_type_is_an_error() -> None:
    """pydantic's own."""
    client: Any = EdgeClient(providers=[FakeProvider('{"name": 1}')])
    with pytest.raises(pydantic.ValidationError):
        client.responses.parse(model="m", input="x", text_format=City)
    manager = client.responses.stream(model="m", input="x", text_format=City)
    with pytest.raises(pydantic.ValidationError), manager as stream:
        stream.until_done()


def test_a_refusal_and_commentary_are_not_read() -> None:
    """There is nothing to read in a refusal; only a final answer is one."""
    refusal = {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    aside = {**document("not JSON")["output"][0], "phase": "commentary"}
    with Loopback(lambda request: reply(200, document(TEXT, output=[refusal, aside]))) as server:
        client: Any = EdgeClient(providers=[Provider(api_key="k", base_url=server.url)])
        assert client.responses.parse(**ASK, text_format=City).output_parsed is None


def test_a_failure_is_raised_from_the_final_response() -> None:
    """The event is shown; asking for the response raises what it says."""
    failed = {"status": "failed", "error": {"code": "server_error", "message": "Sorry."}}
    with Loopback(lambda request: list(events(streamed(**failed)))) as server:
        client: Any = EdgeClient(providers=[Provider(api_key="k", base_url=server.url)])
        with client.responses.stream(**ASK) as stream:
            assert [event.type for event in stream][-1] == "response.failed"
            with pytest.raises(InternalServerError, match=r"Sorry\."):
                stream.get_final_response()


def test_a_translated_answer_is_read_too() -> None:
    """For a vendor of chat the type is a response_format; parsed items can be sent back."""
    fake = FakeProvider(TEXT)
    client: Any = EdgeClient(providers=[fake])
    answer = client.responses.parse(model="m", input="x", text_format=City)
    assert answer.output_parsed == City(name="Paris", people=2)
    assert fake.requests[0].response_format["json_schema"]["strict"] is True
    client.responses.create(model="m", input=[*answer.output, {"role": "user", "content": "again"}])
    assert fake.requests[1].messages[0]["content"] == TEXT


def test_arguments_that_contradict() -> None:
    """A format given twice, a stream where there is one anyway, a type that is none."""
    client: Any = EdgeClient(providers=[FakeProvider("x")])
    with pytest.raises(TypeError, match=r"text\.format"):
        client.responses.parse(**ASK, text_format=City, text={"format": {"type": "text"}})
    with pytest.raises(TypeError, match="stream"):
        client.responses.parse(**ASK, stream=True)
    with pytest.raises(RequestValidationError):
        client.responses.parse(**ASK, text_format=3)


def test_a_manager_that_never_began_ends_quietly() -> None:
    """The request failed on entering: nothing is open."""
    client: Any = EdgeClient(providers=[FakeProvider("x")])
    manager = client.responses.stream(input="x")
    with pytest.raises(RequestValidationError), manager:
        pass
    manager.__exit__(None, None, None)


@every_way
def test_a_call_as_it_grows(way: Any) -> None:
    """The arguments so far, then the call with what was read from them, as openai has it."""
    last = document("x", output=[CALL])
    at = {"item_id": "fc_1", "output_index": 0}
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**last, "status": "in_progress", "output": []}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**CALL, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", **at, "delta": TEXT[:7]},
        {"type": "response.function_call_arguments.delta", **at, "delta": TEXT[7:]},
        {"type": "response.function_call_arguments.done", **at, "arguments": TEXT, "name": "City"},
        {"type": "response.output_item.done", "output_index": 0, "item": CALL},
        {"type": "response.completed", "response": last},
    ]
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(told)]
    with Loopback(lambda request: list(events(numbered))) as server, openai_client(server) as hers_client:
        with hers_client.responses.stream(**ASK, tools=[openai.pydantic_function_tool(City)]) as stream:
            theirs = list(stream)
        client = Driven(way, providers=[Provider(api_key="k", base_url=f"{server.url}/v1")])
        tools = [pydantic_function_tool(City)]
        ours, final = client.managed(lambda responses: responses.stream(**ASK, tools=tools))
        for one, other in zip(ours, theirs, strict=True):
            assert getattr(one, "snapshot", None) == getattr(other, "snapshot", None)
        assert ours[3].snapshot == TEXT
        assert final.output[0].parsed_arguments == theirs[-1].response.output[0].parsed_arguments == PARIS
        client.close()


@pytest.mark.parametrize("way", ["asyncio", "trio"])
def test_a_stream_that_is_left(way: str) -> None:
    """Sync and async: closed early, its facts stay."""
    import anyio

    async def run() -> None:
        client = EdgeClient(providers=[FakeProvider("a b c")]).to_async()
        async with client.responses.stream(model="m", input="x") as stream:
            async with stream as same:
                assert (await anext(same)).type == "response.created"
            assert stream.edge.provider == "fake"
        await client.close()

    anyio.run(run, backend=way)
    with (
        EdgeClient(providers=[FakeProvider("a b c")]) as client,
        client.responses.stream(model="m", input="x") as stream,
    ):
        with stream as same:
            assert next(same).type == "response.created"
        assert stream.edge.provider == "fake"


class Named(BaseModel):
    name: str


OTHERS: list[tuple[dict[str, Any], type[BaseModel] | None]] = [
    ({"parse_as": Named}, Named),
    ({"parse_as": Named, "text": {"format": {"type": "json_object"}}}, Named),
    ({"text_format": City, "parse_as": Named}, Named),
    ({"text_format": City, "parse_as": None}, None),
    ({"text_format": City, "parse_as": openai.omit}, City),
    ({"parse_as": None}, None),
]


@every_way
@pytest.mark.parametrize(("asked", "kind"), OTHERS)
def test_what_is_read_may_be_another_type_than_what_is_asked_for(way: Any, asked: Any, kind: Any) -> None:
    """`parse_as` changes nothing in the request, as with openai's client; None reads nothing."""
    with Loopback(lambda request: reply(200, document())) as server, openai_client(server) as hers:
        theirs = hers.responses.parse(**ASK, **asked)
        client = Driven(way, providers=[Provider(api_key="k", base_url=f"{server.url}/v1")])
        ours = client.do(lambda responses: responses.parse(**ASK, **asked))
        raw = client.do(lambda responses: responses.with_raw_response.parse(**ASK, **asked)).parse()
        assert server.requests[0].json() == server.requests[1].json()
        assert raw.output_parsed == ours.output_parsed == theirs.output_parsed
        assert type(ours.output_parsed) is (kind or type(None))
        client.close()


def test_a_tool_in_the_form_of_responses() -> None:
    """The same tool as openai's, whose arguments are read; it goes with both kinds of client."""
    call = {"type": "function_call", "id": "fc", "call_id": "c", "name": "City", "arguments": TEXT}
    ours = pydantic_responses_function_tool(City, description="d", defer_loading=True)
    assert ours == openai.pydantic_responses_function_tool(City, description="d", defer_loading=True)
    assert pydantic_responses_function_tool(City) == openai.pydantic_responses_function_tool(City)
    with Loopback(lambda request: reply(200, document("ok", call))) as server:
        client = EdgeClient(providers=[Provider(api_key="k", base_url=f"{server.url}/v1")])
        response: Any = client.responses.parse(**ASK, tools=[ours])
        assert server.requests[0].json()["tools"] == [dict(ours)]
    assert response.output[1].parsed_arguments == PARIS
