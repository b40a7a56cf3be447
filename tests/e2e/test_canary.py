"""Marked values through every path: none of them is in a byte that is sent, written, logged, traced or pickled."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from edgeagent import EdgeClient
from edgeagent.cache import Cache
from edgeagent.errors import APIError, StreamInterruptedError
from edgeagent.providers import Anthropic, OpenAI
from edgeagent.shield import Shield
from edgeagent.telemetry import Ledger, OpenTelemetryObserver
from edgeagent.testing import FakeProvider
from tests.shield.finding import Forms
from tests.support.loopback import HANG_UP, Loopback, Request, chunk, events, head, reply

VALUES = ["kanarie@example.com", "4111 1111 1111 1111", "123-45-6789", "key-00c0ffee00c0ffee", "KANARIE@example.com"]
SECRET = f"I am {VALUES[0]}, {VALUES[4]}, card {VALUES[1]}, ssn {VALUES[2]}, {VALUES[3]}, password: kanarie-pass"
TRACES = [*VALUES, "kanarie", "4111 1111", "45-6789", "00c0ffee"]

MESSAGES: list[Any] = [
    {"role": "system", "content": f"Help {VALUES[0]}"},
    {"role": "user", "content": [{"type": "text", "text": SECRET}], "name": VALUES[0]},
    {
        "role": "assistant",
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": json.dumps({"a": [SECRET]})}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": json.dumps({"found": SECRET})},
    {"role": "user", "content": SECRET},
]
REQUEST: dict[str, Any] = {
    "model": "openai/gpt-4o-mini",
    "messages": MESSAGES,
    "user": VALUES[0],
    "metadata": {"who": VALUES[2]},
    "stop": [VALUES[1]],
    "tools": [
        {"type": "function", "function": {"name": "f", "description": SECRET, "parameters": {"default": SECRET}}}
    ],
}


class World:
    """One client, and everything that leaves it."""

    def __init__(
        self, path: Path, handler: Any, caplog: pytest.LogCaptureFixture, server: Loopback | None = None, **options: Any
    ) -> None:
        self.path, self.caplog = path, caplog
        self.exporter = InMemorySpanExporter()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.ledger = Ledger()
        self.seen: list[Any] = []
        self.server = server or Loopback(handler).__enter__()
        observers = [OpenTelemetryObserver(tracers, capture_content=True), self.ledger, self]
        self.client = EdgeClient(
            providers=[OpenAI(api_key="sk-x", base_url=self.server.url)],
            cache=Cache(memory=True, disk=path),
            shield=Shield([Forms()]),
            observers=observers,
            **{"retry": 0, **options},
        )
        caplog.set_level(logging.DEBUG)

    # an observer that keeps everything it is told

    def start(self, event: Any) -> Any:
        self.seen.append(repr((event.operation, event.request, event.stream)))
        self.event = event
        return self

    def end(self, event: Any) -> None:
        self.seen.append(repr((self.event.request, event, vars(event.error) if event.error else None)))

    def attempt(self, attempt: Any, error: Any) -> None:
        self.seen.append(repr((attempt, error)))

    def retry(self, *facts: Any) -> None: ...

    fallback = cache_lookup = cache_fault = activate = lambda *_, **__: None

    def check(self, *errors: BaseException) -> None:
        """Nothing of the values is anywhere."""
        self.client.flush()
        places = {
            "sent": b"".join(r.path.encode() + repr(r.headers).encode() + r.body for r in self.server.requests),
            "disk": b"".join(f.read_bytes() for f in self.path.rglob("*") if f.is_file()),
            "spans": "".join(span.to_json() for span in self.exporter.get_finished_spans()).encode(),
            "observer": "".join(self.seen).encode(),
            "ledger": repr(self.ledger.rows).encode() + str(self.ledger).encode(),
            "logs": self.caplog.text.encode(),
            "repr": repr((self.client, self.client.shield, self.client.options, self.client._engine)).encode(),
            "flights": repr(self.client._engine.pipeline.flights.__dict__).encode(),
            "client": pickle.dumps(self.client.options.shield),
        }
        for number, error in enumerate(errors):
            told = f"{error} {error!r} {''.join(traceback.format_exception(error))}".encode()
            places[f"error {number}"] = (
                told + pickle.dumps(error) + repr(pickle.loads(pickle.dumps(error)).__dict__).encode()
            )
        for place, data in places.items():
            for trace in TRACES:
                assert trace.encode() not in data, (place, trace)


@pytest.fixture
def world(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Any]:
    made: list[World] = []

    def make(handler: Any, **options: Any) -> World:
        made.append(World(tmp_path / "cache", handler, caplog, **options))
        return made[-1]

    yield make
    for one in made:
        one.client.close()
        one.server.__exit__(None, None, None)


def echo(request: Request) -> bytes:
    """An answer that repeats what was sent."""
    said = request.json()["messages"][-1]["content"]
    message = {
        "role": "assistant",
        "content": said,
        "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"echo": said})}}
        ],
    }
    choices = [{"index": 0, "message": message, "finish_reason": "tool_calls"}]
    usage = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    return reply(
        200, {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, "usage": usage}
    )


def delta(text: str, finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def echoed(request: Request) -> Any:
    """The same as a stream of small pieces."""
    said = request.json()["messages"][-1]["content"]
    pieces = [delta(said[at : at + 3]) for at in range(0, len(said), 3)]
    return events([*pieces, delta("", "stop"), "[DONE]"])


def test_answers_and_tiers(world: Any) -> None:
    """An answer, the same from memory, and from disk in another client; what the caller gets is exact."""
    here = world(echo)
    for tier in (None, "memory"):
        answer = here.client.chat.completions.create(**REQUEST)
        assert answer.choices[0].message.content == SECRET.replace(VALUES[4], VALUES[0]), tier
        assert (
            json.loads(answer.choices[0].message.tool_calls[0].function.arguments)["echo"]
            == answer.choices[0].message.content
        )
        assert answer.edge.cache_tier == tier
    assert answer.choices[0].message.content is not None
    here.check()
    there = world(echo, server=here.server)
    answer = there.client.chat.completions.create(**REQUEST)
    assert answer.edge.cache_tier == "disk"
    assert VALUES[0] in (answer.choices[0].message.content or "")
    again = there.client.chat.completions.create(**REQUEST)
    assert again.edge.cache_tier == "memory"
    assert again.choices[0].message.content == answer.choices[0].message.content
    there.check()
    assert '"gen_ai.input.messages"' in "".join(span.to_json() for span in there.exporter.get_finished_spans())


def test_masked_prompts_share_an_entry_and_nothing_else(world: Any) -> None:
    """Who asks the same with other values gets the stored answer with his own."""
    here = world(echo)
    said = [
        here.client.chat.completions.create(model="openai/m", messages=[{"role": "user", "content": f"mail {who}"}])
        for who in ("kanarie@example.com", "kanarie2@example.com")
    ]
    assert [one.choices[0].message.content for one in said] == ["mail kanarie@example.com", "mail kanarie2@example.com"]
    assert said[1].edge.cache_tier == "disk"
    assert len(here.server.requests) == 1
    here.check()


def test_streams(world: Any) -> None:
    """A stream, and its replay."""
    here = world(echoed)
    for tier in (None, "memory"):
        stream = here.client.chat.completions.create(**REQUEST, stream=True)
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        assert text == SECRET.replace(VALUES[4], VALUES[0])
        assert stream.edge.cache_tier == tier
    here.check()


def test_broken_streams(world: Any) -> None:
    """The partial answer is the caller's own; the pickled error holds the masked one."""

    def handler(request: Request) -> Any:
        said = request.json()["messages"][-1]["content"]
        yield head()
        yield chunk(f"data: {json.dumps(delta(said))}\n\n".encode())
        yield HANG_UP

    here = world(handler)
    with pytest.raises(StreamInterruptedError) as caught:
        list(here.client.chat.completions.create(**REQUEST, stream=True))
    assert VALUES[0] in caught.value.partial.choices[0].message.content
    here.check(caught.value)
    assert "<EMAIL_1>" in pickle.loads(pickle.dumps(caught.value)).partial.choices[0].message.content


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500, 529])
def test_errors(world: Any, status: int) -> None:
    """A vendor that repeats the prompt in its error tells nothing but placeholders."""

    def handler(request: Request) -> bytes:
        return reply(status, {"error": {"message": request.body.decode(), "type": "x", "code": None, "param": None}})

    here = world(handler)
    with pytest.raises(APIError) as caught:
        here.client.chat.completions.create(**REQUEST)
    assert here.server.requests
    assert "<EMAIL_1>" in str(caught.value)
    here.check(caught.value)


def test_garbage(world: Any) -> None:
    """The same for an answer that is none."""
    here = world(lambda request: reply(200, request.body[:-7]))
    with pytest.raises(APIError) as caught:
        here.client.chat.completions.create(**REQUEST)
    here.check(caught.value)


def test_retries_and_fallback(world: Any) -> None:
    """Every attempt is masked, those at the next target too."""
    calls: list[int] = []

    def handler(request: Request) -> bytes:
        calls.append(1)
        return reply(500, {"error": {"message": request.body.decode()}}) if len(calls) < 4 else echo(request)

    here = world(handler, retry=1)
    answer = here.client.chat.completions.create(
        **{**REQUEST, "model": "openai/a"}, edge={"fallbacks": ["openai/b", "openai/c"]}
    )
    assert len(answer.edge.attempts) == 4
    assert VALUES[0] in (answer.choices[0].message.content or "")
    here.check()


def test_blocked(world: Any) -> None:
    """A request that is refused is sent to nobody, and the error holds no value."""
    here = world(echo)
    with pytest.raises(APIError) as caught:
        here.client.chat.completions.create(**REQUEST, edge={"shield": {"CREDIT_CARD": "block"}})
    assert not here.server.requests
    here.check(caught.value)


def test_embeddings_and_questions(world: Any) -> None:
    """Texts to be embedded, ranked and judged are masked; token numbers, which cannot be read, are refused."""

    def handler(request: Request) -> bytes:
        if request.path.endswith("embeddings"):
            data = [
                {"object": "embedding", "index": i, "embedding": [0.5]} for i, _ in enumerate(request.json()["input"])
            ]
            return reply(
                200, {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}
            )
        result = {"flagged": False, "categories": {}, "category_scores": {}}
        return reply(200, {"id": "m", "model": "m", "results": [result]})

    here = world(handler)
    here.client.embeddings.create(model="openai/text-embedding-3-small", input=[SECRET, "plain"])
    here.client.moderations.create(model="openai/omni-moderation-latest", input=SECRET)
    assert len(here.server.requests) == 2
    assert b"EMAIL_1" in here.server.requests[0].body
    with pytest.raises(APIError, match="token numbers") as caught:
        here.client.embeddings.create(model="openai/text-embedding-3-small", input=[[1, 2, 3]])
    here.check(caught.value)


@pytest.mark.parametrize("stream", [False, True])
def test_responses(world: Any, stream: bool) -> None:
    """The Responses API is masked in its own format, and restored in it."""

    def handler(request: Request) -> Any:
        said = request.json()["input"]
        part = {"type": "output_text", "text": said, "annotations": []}
        item = {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [part]}
        whole = {
            "id": "resp_1", "object": "response", "created_at": 1, "model": "m", "status": "completed",
            "output": [item], "usage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        }  # fmt: skip
        if not stream:
            return reply(200, whole)
        begun = {**whole, "status": "in_progress", "output": []}
        at = {"output_index": 0, "content_index": 0, "item_id": "msg_1"}
        told = [
            {"type": "response.created", "response": begun},
            {
                "type": "response.output_item.added",
                "output_index": 0,
                "item": {**item, "status": "in_progress", "content": []},
            },
            {"type": "response.content_part.added", **at, "part": {**part, "text": ""}},
            *({"type": "response.output_text.delta", **at, "delta": letter} for letter in said),
            {"type": "response.output_text.done", **at, "text": said},
            {"type": "response.content_part.done", **at, "part": part},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": whole},
        ]
        return events([{**event, "sequence_number": number} for number, event in enumerate(told)])

    here = world(handler)
    wanted = SECRET.replace(VALUES[4], VALUES[0])
    for _ in range(2):
        made = here.client.responses.create(
            model="openai/gpt-4o-mini", input=SECRET, instructions=VALUES[2], stream=stream
        )
        if stream:
            made = list(made)[-1].response
        assert made.output_text == wanted
    here.check()


def test_another_wire(tmp_path: Path) -> None:
    """A request in a vendor's own format, and one that is told in another vendor's, carry no value."""
    with (
        Loopback(lambda request: reply(500, request.body)) as server,
        EdgeClient(
            providers=[Anthropic(api_key="k", base_url=server.url)], shield=Shield([Forms()]), retry=0
        ) as client,
    ):
        with pytest.raises(APIError):
            client.chat.completions.create(**{**REQUEST, "model": "anthropic/claude-haiku-4-5"})
        assert server.requests
        assert not [t for t in TRACES for r in server.requests if t.encode() in r.body]


def test_a_stored_answer_is_not_served_under_a_stricter_shield() -> None:
    """Answers of a call without a shield, or with another policy, are not taken."""
    fake = FakeProvider(lambda request: request.messages[-1]["content"], name="fake")
    with EdgeClient(providers=[fake]) as client:
        ask = {"model": "m", "messages": [{"role": "user", "content": "a@x.com"}]}
        client.chat.completions.create(**ask)
        shield = Shield([Forms()])
        for changed in (
            shield,
            shield.with_actions({"EMAIL_ADDRESS": "redact"}),
            shield.with_actions({"EMAIL_ADDRESS": "hash"}),
        ):
            answer = client.with_options(shield=changed).chat.completions.create(**ask)
            assert not answer.edge.cached
        assert [r.messages[-1]["content"][:6] for r in fake.requests] == ["a@x.co", "<EMAIL", "<EMAIL", "<EMAIL"]
