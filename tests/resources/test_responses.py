"""`client.responses.create` for vendors that have the API: what is sent, what comes back, and the whole pipeline."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import openai
import pytest
from openai._models import construct_type_unchecked
from pydantic import BaseModel

from edgeagent import (
    AsyncOpenAI,
    AzureOpenAI,
    BadRequestError,
    EdgeClient,
    NoTargetError,
    OpenAI,
    RequestValidationError,
    StreamInterruptedError,
)
from edgeagent.providers import AzureOpenAI as AzureProvider
from edgeagent.providers import OpenAI as Provider
from edgeagent.providers import OpenAICompatible
from edgeagent.telemetry import Ledger
from edgeagent.testing import FakeProvider
from edgeagent.types.responses import Response
from tests.providers.responses.order import check_order
from tests.providers.responses.reading import events_of
from tests.providers.responses.support import APIS
from tests.resources.both import Driven, every_way
from tests.support.corpus import Record, body, records
from tests.support.loopback import HANG_UP, Loopback, events, reply
from tests.support.sdk import openai_client

ASK: dict[str, Any] = {"model": "gpt-4o", "input": "hi"}


def recorded(*, stream: bool) -> list[Record]:
    """Successful answers of every server."""
    found = [r for api in APIS for r in records(f"{api}.responses") if r["status"] == 200 and r["stream"] == stream]
    return [r for r in found if body(r).strip().startswith((b"{", b"event", b"data", b":"))]


def completed(one: Record) -> bool:
    """Whether OpenAI itself answered with a message."""
    document = json.loads(body(one))
    return one["provider"] == "openai" and any(item["type"] == "message" for item in document["output"])


WHOLE = next(one for one in recorded(stream=False) if completed(one))


def answering(one: Record) -> Callable[[Any], bytes]:
    kind = "text/event-stream" if "body_text" in one["response"] else "application/json"
    return lambda request: reply(200, body(one), content_type=kind, x_request_id="req_1")


def provider(server: Loopback, **more: Any) -> Provider:
    return Provider(api_key="k", base_url=f"{server.url}/v1", **more)


# what is sent


CALLS: list[dict[str, Any]] = [
    ASK,
    {**ASK, "temperature": None, "store": False, "metadata": {"a": "b"}},
    {**ASK, "extra_body": {"novel": {"deep": [None, 1]}}, "include": ("reasoning.encrypted_content",)},
    {**ASK, "tools": [{"type": "web_search", "filters": None}, {"type": "novel_tool", "x": 1}], "tool_choice": "auto"},
    {"model": "gpt-4o", "previous_response_id": "resp_1", "input": [{"role": "user", "content": "and?"}]},
    {"model": "gpt-4o", "prompt": {"id": "pmpt_1", "variables": {"a": "b"}}},
    {"model": "gpt-4o", "input": [{"type": "novel_item", "x": {"y": 1}}, {"role": "user", "content": "hi"}]},
    {**ASK, "background": True, "conversation": {"id": "conv_1"}, "user": openai.omit, "top_p": openai.NOT_GIVEN},
    {**ASK, "text": {"format": {"type": "text"}, "novel": True}, "reasoning": {"effort": "novel"}},
]


@pytest.mark.parametrize("params", CALLS)
@pytest.mark.parametrize("stream", [False, True])
def test_the_vendor_is_sent_what_openais_own_client_sends(params: dict[str, Any], stream: bool) -> None:
    """The same JSON on the same path, for parameters, tools and items that nobody here knows too."""
    one = WHOLE if not stream else next(iter(recorded(stream=True)))
    with Loopback(answering(one)) as server, openai_client(server) as theirs:
        ours = EdgeClient(providers=[provider(server)])
        for client in (theirs, ours):
            answer: Any = client.responses.create(**params, stream=stream)
            if stream:
                list(answer)
        first, second = server.requests
        assert json.loads(second.body) == {
            k: v for k, v in json.loads(first.body).items() if (k, v) != ("stream", False)
        }
        assert (second.method, second.path) == (first.method, first.path)
        assert second.headers["authorization"] == "Bearer k"


def test_items_of_an_answer_are_sent_back_as_they_came() -> None:
    """Ours and openai's, whole or as dicts; what `parse` read from them stays at home."""
    document = body(WHOLE)
    theirs = construct_type_unchecked(type_=openai.types.responses.Response, value=json.loads(document))
    ours = Response.from_json(document)
    output = json.loads(document)["output"]
    with Loopback(answering(WHOLE)) as server:
        client = EdgeClient(providers=[provider(server)], cache=False)
        for items in (theirs.output, ours.output, iter(ours.output), [item.to_dict() for item in ours.output]):
            client.responses.create(model="gpt-4o", input=items)
        sent = [request.json()["input"] for request in server.requests]
    assert sent[1] == sent[2] == sent[3] == output
    assert sent[0] == [json.loads(item.to_json(exclude_unset=True)) for item in theirs.output]


def test_edits_of_the_body_are_listed() -> None:
    """An alias, and another vendor's sealed reasoning: nothing else is changed, and it is said."""
    sealed = {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "edgeagent-native-1:e30="}
    with Loopback(answering(WHOLE)) as server:
        client = EdgeClient(providers=[provider(server)], models={"fast": ["openai/gpt-4o-mini"]})
        asked = [sealed, {"role": "user", "content": "hi"}]
        answer = client.responses.create(model="fast", input=asked, stream_options={"include_obfuscation": False})
        assert server.requests[0].json() == {"model": "gpt-4o-mini", "input": [{"role": "user", "content": "hi"}]}
    assert answer.edge.edits == (
        "model sent as gpt-4o-mini",
        "stream_options left out: nothing is streamed",
        "reasoning of another vendor left out of input",
    )


# what comes back


@pytest.mark.bulk
@every_way
def test_every_recorded_answer_comes_back_whole(way: Any) -> None:
    """Every field of every server's document."""
    answers = recorded(stream=False)
    queue: list[Record] = []
    with Loopback(lambda request: answering(queue[0])(request)) as server:
        client = Driven(way, providers=[provider(server)], cache=False)
        for one in answers[:: 1 if way is None else 5]:
            document = json.loads(body(one))
            if document.get("status") == "failed":
                continue
            queue[:] = [one]
            answer = client.ask(**ASK)
            assert answer.to_dict() == document
            assert (answer.edge.provider, answer._request_id) == ("openai", "req_1")
        client.close()
    assert len(server.requests) > (20 if way is None else 4)


@pytest.mark.bulk
@every_way
def test_every_recorded_stream_comes_back_event_by_event(way: Any) -> None:
    """Each event, those of built-in tools and unknown ones too; the last one carries `edge`."""
    queue: list[Record] = []
    with Loopback(lambda request: answering(queue[0])(request)) as server:
        client = Driven(way, providers=[provider(server)], cache=False)
        count = 0
        for one in recorded(stream=True)[:: 1 if way is None else 6]:
            told = events_of(body(one).decode()) if "body_text" in one["response"] else []
            if not told or told[-1]["type"] not in ("response.completed", "response.incomplete"):
                continue
            queue[:] = [one]
            found = client.events(**ASK)
            assert [event.to_dict() for event in found] == told
            assert found[-1].response.edge.provider == "openai"
            assert found[-1].response.edge.attempts
            count += 1
        client.close()
    assert count > (15 if way is None else 2)


def test_a_document_in_place_of_a_stream_is_told_as_events() -> None:
    """Some servers do not stream."""
    with Loopback(lambda request: reply(200, body(WHOLE))) as server:
        client = EdgeClient(providers=[provider(server)])
        found: list[Any] = list(client.responses.create(**ASK, stream=True))
        assert found[-1].response.to_dict() == json.loads(body(WHOLE))
        check_order([event.to_dict() for event in found])
        assert client.responses.create(**ASK).to_dict() == json.loads(body(WHOLE))
        assert len(server.requests) == 1


# the pipeline


SAID = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
CHAT = {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [SAID]}


@every_way
@pytest.mark.parametrize("first", [False, True])
def test_a_streamed_and_an_unstreamed_call_share_the_cache(way: Any, first: bool) -> None:
    """Whichever came first: nothing is asked twice, every field is there, and a hit costs nothing."""
    one = next(r for r in recorded(stream=True) if r["provider"] == "openai")
    document = next(e["response"] for e in events_of(body(one).decode()) if e["type"] == "response.completed")

    def handler(request: Any) -> bytes:
        if request.json().get("stream"):
            return answering(one)(request)
        return reply(200, document)

    with Loopback(handler) as server:
        client = Driven(way, providers=[provider(server)])
        for stream in (first, not first, first):
            answer = client.events(**ASK)[-1].response if stream else client.ask(**ASK)
            assert answer.to_dict() == document
        assert len(server.requests) == 1
        assert (answer.edge.cached, answer.edge.cache_tier) == (True, "memory")
        assert answer.edge.cost_usd == 0
        assert answer.edge.saved_usd is None or answer.edge.saved_usd > 0
        client.ask(**{**ASK, "input": "another"})
        client.ask(**ASK, extra_body={"novel": 1})
        client.ask(**ASK, edge={"cache": "off"})
        client.ask(**ASK, store=True)
        client.ask(**ASK, store=True)
        assert len(server.requests) == 6
        client.close()


def test_chat_and_responses_do_not_share() -> None:
    """The same words asked in another format are another request."""
    with Loopback(lambda r: reply(200, body(WHOLE) if r.path.endswith("/responses") else CHAT)) as server:
        client = EdgeClient(providers=[provider(server)])
        client.responses.create(**ASK)
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
        assert [request.path for request in server.requests] == ["/v1/responses", "/v1/chat/completions"]


def test_costs_attempts_and_retries() -> None:
    """The usage is priced, a 500 is tried again, and the story is told."""
    answers = iter([reply(500, {"error": {"message": "x"}}), reply(200, body(WHOLE))])
    with Loopback(lambda request: next(answers)) as server:
        client = EdgeClient(providers=[provider(server)])
        answer = client.responses.create(**ASK)
        assert [attempt.outcome for attempt in answer.edge.attempts] == ["InternalServerError", "ok"]
        assert isinstance(answer.edge.cost_usd, Decimal)
        assert len(server.requests) == 2


def test_the_vendors_error_is_typed() -> None:
    """As everywhere; and so is a response that failed."""
    failed = {**json.loads(body(WHOLE)), "status": "failed", "error": {"code": "invalid_prompt", "message": "No."}}
    for answer, kind in (
        (reply(400, {"error": {"message": "No.", "param": "input", "code": "bad"}}), BadRequestError),
        (reply(200, failed), Exception),
    ):
        with Loopback(lambda request, answer=answer: answer) as server:
            client = EdgeClient(providers=[provider(server)], retry=0)
            with pytest.raises(kind, match=r"No\."):
                client.responses.create(**ASK)
            with pytest.raises(kind, match=r"No\."):
                client.responses.create(**ASK, stream=True)


HEAD = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "in_progress", "output": []}
BEGUN = [
    {"type": "response.created", "response": HEAD},
    {"type": "response.output_text.delta", "item_id": "msg", "output_index": 0, "content_index": 0, "delta": "He"},
]


@every_way
def test_a_stream_that_breaks_off(way: Any) -> None:
    """What came is shown, then the error with the response as far as it had come."""
    with Loopback(lambda request: [*events(BEGUN, end=False), HANG_UP]) as server:
        client = Driven(way, providers=[provider(server)], retry=0)
        with pytest.raises(StreamInterruptedError) as caught:
            client.events(**ASK)
        assert isinstance(caught.value.partial, Response)
        assert caught.value.partial.output_text == "He"
        client.close()


@every_way
def test_a_response_that_fails_in_the_middle(way: Any) -> None:
    """`response.failed` is the vendor's own end of the stream: the last event, and nothing is stored."""
    failed = {**HEAD, "status": "failed", "error": {"code": "server_error", "message": "Sorry."}}
    told = [*BEGUN, {"type": "response.failed", "response": failed}]
    with Loopback(lambda request: list(events(told))) as server:
        client = Driven(way, providers=[provider(server)], retry=0)
        for _ in range(2):
            found = client.events(**ASK)
            assert [event.to_dict() for event in found] == told
            assert found[-1].response.error.message == "Sorry."
        assert len(server.requests) == 2
        client.close()


def test_an_error_event_is_shown_and_raised() -> None:
    """Its own event, then the error."""
    told = [*BEGUN, {"type": "error", "code": "server_error", "message": "Sorry.", "param": None}]
    with Loopback(lambda request: list(events(told))) as server:
        client = EdgeClient(providers=[provider(server)], retry=0)
        stream = client.responses.create(**ASK, stream=True)
        found: list[Any] = []
        with pytest.raises(StreamInterruptedError, match=r"Sorry\."):
            found.extend(iter(stream.__next__, None))
        assert stream.edge.attempts[-1].outcome == "InternalServerError"


def test_a_stream_closed_early_stores_nothing() -> None:
    """And gives its connection back."""
    one = next(r for r in recorded(stream=True) if r["provider"] == "openai")
    with Loopback(answering(one)) as server:
        client = EdgeClient(providers=[provider(server)])
        with client.responses.create(**ASK, stream=True) as stream:
            assert next(stream).type == "response.created"
        assert list(stream) == []
        list(client.responses.create(**ASK, stream=True))
        assert len(server.requests) == 2


# who is asked how


def test_who_has_the_api_is_asked_through_it() -> None:
    """OpenAI, Azure with its deployment, servers whose row or caller says so; others through chat."""
    with Loopback(lambda r: reply(200, body(WHOLE) if r.path.partition("?")[0].endswith("/responses") else CHAT)) as s:
        asked: dict[str, Any] = {
            "/v1/responses": provider(s),
            "/openai/responses?api-version=v": AzureProvider(
                azure_endpoint=s.url, api_key="k", api_version="v", azure_deployment="d"
            ),
            "/x/responses": OpenAICompatible(name="mine", base_url=f"{s.url}/x", responses=True),
            "/chat/completions": OpenAICompatible(name="mine", base_url=s.url),
            "/v1/chat/completions": provider(s, responses=False),
        }
        for path, one in asked.items():
            answer = EdgeClient(providers=[one]).responses.create(**ASK)
            assert s.requests[-1].path == path
            assert isinstance(answer, Response)
            assert answer.output_text
        assert s.requests[1].json()["model"] == "d"


def test_the_drop_in_constructors_have_it_too() -> None:
    """Without a cache, as they are."""
    with Loopback(answering(WHOLE)) as server:
        for client in (
            OpenAI(api_key="k", base_url=server.url),
            AzureOpenAI(api_key="k", azure_endpoint=server.url, api_version="v"),
        ):
            for _ in range(2):
                assert client.responses.create(**ASK).to_dict() == json.loads(body(WHOLE))
        assert AsyncOpenAI(api_key="k").responses is not None
        assert len(server.requests) == 4


def test_failing_over_between_formats() -> None:
    """From OpenAI's own API to a model that has only chat, and the reverse; each is asked in its form."""
    with Loopback(lambda request: reply(429, {"error": {"code": "insufficient_quota", "message": "x"}})) as server:
        fake = FakeProvider("Paris", name="other")
        client = EdgeClient(providers=[provider(server), fake], models={"m": ["openai/gpt-4o", "other/x"]})
        answer = client.responses.create(model="m", input="hi", instructions="Be kind.")
        assert answer.output_text == "Paris"
        assert answer.instructions == "Be kind."
        assert answer.edge.provider == "other"
        assert [message["role"] for message in fake.requests[0].messages] == ["system", "user"]
        with pytest.raises(Exception, match="x"):
            client.responses.create(model="m", input="hi", previous_response_id="resp_1")
        assert len(fake.requests) == 1


def test_what_only_the_api_can_do_goes_to_who_has_it() -> None:
    """A target that has only chat is passed over; where there is no other, the error names the field."""
    with Loopback(answering(WHOLE)) as server:
        fake = FakeProvider("Paris", name="other")
        client = EdgeClient(providers=[provider(server), fake], models={"m": ["other/x", "openai/gpt-4o"]})
        answer = client.responses.create(model="m", input="hi", previous_response_id="resp_1")
        assert answer.edge.provider == "openai"
        assert [attempt.outcome for attempt in answer.edge.attempts] == ["RequestValidationError", "ok"]
        assert fake.requests == []
        for stream in (False, True):
            with pytest.raises(RequestValidationError) as caught:
                client.responses.create(model="other/x", input="hi", tools=[{"type": "web_search"}], stream=stream)
            assert caught.value.param == "tools[0].type"


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"input": "hi"}, "model"),
        ({**ASK, "input": 3}, "input"),
        ({**ASK, "input": [{"role": "user", "content": 3}]}, "input[0]"),
        ({**ASK, "extra_body": [1]}, "extra_body"),
        ({**ASK, "edge": {"novel": 1}}, "edge.novel"),
        ({**ASK, "temperature": "warm"}, "temperature"),
    ],
)
def test_wrong_arguments_are_named(params: dict[str, Any], param: str) -> None:
    """Before anything is sent."""
    client = EdgeClient(providers=[FakeProvider("x")])
    with pytest.raises(RequestValidationError) as caught:
        client.responses.create(**params)
    assert caught.value.param == param


def test_an_unknown_argument_is_a_type_error() -> None:
    """As with openai."""
    client: Any = EdgeClient(providers=[FakeProvider("x")])
    with pytest.raises(TypeError, match="'novel'"):
        client.responses.create(**ASK, novel=1)


def test_advice_that_was_dropped_is_told() -> None:
    """On the answer, whoever answered."""
    client = EdgeClient(providers=[FakeProvider("x")])
    answer = client.responses.create(**ASK, truncation="auto", max_tool_calls=1)
    assert answer.edge.dropped_params == ("max_tool_calls", "truncation")


def test_observers_see_the_call() -> None:
    """Telemetry is that of a chat call: how much, at what price."""
    ledger = Ledger()
    with Loopback(answering(WHOLE)) as server:
        answer = EdgeClient(providers=[provider(server)], observers=[ledger]).responses.create(**ASK)
    assert ledger.total.calls == 1
    assert ledger.total.input_tokens == json.loads(body(WHOLE))["usage"]["input_tokens"]
    assert ledger.total.cost_usd == answer.edge.cost_usd


def test_no_provider_no_answer() -> None:
    """The name is resolved as for chat."""
    with pytest.raises(NoTargetError):
        EdgeClient(providers=[]).responses.create(**ASK)


@every_way
def test_an_item_that_only_the_vendor_knows(way: Any) -> None:
    """A role that was invented yesterday is sent to who may know it; for a vendor of chat it is named."""
    asked = [{"role": "critic", "content": "hm"}, {"role": "user", "content": "hi"}]
    with Loopback(answering(WHOLE)) as server:
        client = Driven(way, providers=[provider(server), FakeProvider("x", name="other")])
        client.ask(model="gpt-4o", input=asked)
        assert server.requests[0].json() == {"model": "gpt-4o", "input": asked}
        with pytest.raises(RequestValidationError) as caught:
            client.ask(model="other/x", input=asked)
        assert caught.value.param == "input[0]"
        client.close()


@every_way
def test_an_error_before_the_first_event(way: Any) -> None:
    """Is raised by `create`, and nothing is left open."""
    with Loopback(lambda request: reply(400, {"error": {"message": "No."}})) as server:
        client = Driven(way, providers=[provider(server)])
        with pytest.raises(BadRequestError):
            client.events(**ASK)
        client.close()


def test_a_server_that_leaves_the_items_out_of_its_last_event() -> None:
    """They are those that came before: for the next unstreamed call, and for the final response of `stream`."""
    item = {"type": "message", "id": "msg", "role": "assistant", "status": "completed"}
    whole = {**item, "content": [{"type": "output_text", "text": "He", "annotations": []}]}
    told = [
        *BEGUN,
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
        {"type": "response.completed", "response": {**HEAD, "status": "completed"}},
    ]
    with Loopback(lambda request: list(events(told))) as server:
        client = EdgeClient(providers=[provider(server)])
        with client.responses.stream(**ASK) as stream:
            final = stream.get_final_response()
        assert final.output_text == client.responses.create(**ASK).output_text == "He"
        assert final.edge.provider == "openai"
        assert len(server.requests) == 1


def test_the_progress_of_a_vendors_tool_is_seen_as_it_happens() -> None:
    """`create` returns when the search has begun, not when there is text."""
    gate = threading.Event()
    search = {"type": "web_search_call", "id": "ws_1", "status": "in_progress"}
    added = {"type": "response.output_item.added", "output_index": 0, "item": search}

    def handler(request: Any) -> Any:
        yield from events([BEGUN[0], added], end=False)
        assert gate.wait(10)
        done = {"type": "response.output_item.done", "output_index": 0, "item": {**search, "status": "completed"}}
        last = {"type": "response.completed", "response": {**HEAD, "status": "completed"}}
        yield from list(events([done, last]))[1:]

    with Loopback(handler) as server:
        stream = EdgeClient(providers=[provider(server)]).responses.create(**ASK, stream=True)
        assert [next(stream).type, next(stream).type] == ["response.created", "response.output_item.added"]
        gate.set()
        assert [event.type for event in stream] == ["response.output_item.done", "response.completed"]


def test_a_prompt_that_the_vendor_keeps_is_not_cached() -> None:
    """It may be another tomorrow."""
    with Loopback(answering(WHOLE)) as server:
        client = EdgeClient(providers=[provider(server)])
        for _ in range(2):
            client.responses.create(model="gpt-4o", prompt={"id": "pmpt_1"})
        assert len(server.requests) == 2


PROMPT: dict[str, Any] = {"prompt": {"id": "pmpt_1", "variables": {"a": "b"}}}


@pytest.mark.parametrize("stream", [False, True])
def test_a_stored_prompt_names_its_model(stream: bool) -> None:
    """openai's own client leaves it out; so does what is sent to the only provider that has the API. It is paid for."""
    one = next(r for r in recorded(stream=stream) if stream or r is WHOLE)
    with Loopback(answering(one)) as server:
        with EdgeClient(providers=[FakeProvider("no"), provider(server)]) as client:
            asked = client.responses.create(stream=stream, **PROMPT)
            answer = list(asked)[-1].response if stream else asked
            edge = asked.edge
            assert (edge.provider, edge.model) == ("openai", answer.model)
            assert edge.cost_usd is not None
            assert edge.cost_usd > 0
        with openai_client(server) as own:
            own.responses.create(**PROMPT)
        ours, theirs = (request.json() for request in server.requests)
        assert {k: v for k, v in ours.items() if k != "stream"} == theirs
        with OpenAI(api_key="k", base_url=server.url + "/v1") as drop_in:
            drop_in.responses.create(stream=stream, **PROMPT)
        assert server.requests[-1].json() == ours


@pytest.mark.parametrize("providers", [[FakeProvider("x")], [Provider(api_key="k"), Provider(name="b", api_key="k")]])
def test_nobody_guesses_whose_prompt_it_is(providers: list[Any]) -> None:
    """Without a model a prompt goes to the one who has the API, if there is one; input never goes without."""
    with EdgeClient(providers=providers) as client:
        for params in (PROMPT, {"input": "hi"}):
            with pytest.raises(RequestValidationError) as caught:
                client.responses.create(**params)
            assert caught.value.param == "model"


@every_way
def test_openais_own_exceptions(way: Any) -> None:
    """`errors="openai"` holds for whatever a call of responses raises, before, in and after it."""
    cut = {**json.loads(body(WHOLE)), "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    answers = [reply(404, {"error": {"message": "x"}}), reply(200, cut), reply(404, {"error": {"message": "x"}})]
    with Loopback(lambda request: answers.pop(0)) as server:
        client = Driven(way, providers=[provider(server)], errors="openai", retry=0)
        with pytest.raises(openai.NotFoundError):
            client.ask(**ASK)
        with pytest.raises(openai.LengthFinishReasonError):
            client.do(lambda responses: responses.parse(**ASK, text_format=Named))
        with pytest.raises(openai.NotFoundError):
            client.do(lambda responses: responses.retrieve("resp_1"))
        with pytest.raises(openai.BadRequestError):
            client.ask(model="gpt-4o", input=3)
        with pytest.raises(openai.BadRequestError):
            client.do(lambda responses: responses.retrieve(""))
        client.close()


class Named(BaseModel):
    name: str


@every_way
def test_what_holds_itself_is_refused_by_name(way: Any) -> None:
    """An argument that cannot be written is an error of ours, whole and streamed; nobody is asked."""
    circular: dict[str, Any] = {"role": "user", "content": "q"}
    circular["it"] = [circular]
    fake = FakeProvider("x")
    client = Driven(way, providers=[fake])

    def create(responses: Any, **params: Any) -> Any:
        return responses.create(model="fake/x", **params)

    asked: dict[str, dict[str, Any]] = {
        "input": {"input": [circular]},
        "extra_body": {"input": "q", "extra_body": circular},
    }
    for name, params in asked.items():
        for stream in (False, True):
            with pytest.raises(RequestValidationError) as caught:
                client.do(partial(create, stream=stream, **params))
            assert caught.value.param == name
    client.close()
    assert fake.calls == 0
