"""Workers AI's requests, answers and errors: the cases that no record shows."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeagent import EdgeClient
from edgeagent.errors import (
    APIConnectionError,
    APIError,
    APIStatusError,
    BadRequestError,
    ConfigurationError,
    ContextWindowExceededError,
    InternalServerError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestValidationError,
    ResponseValidationError,
)
from edgeagent.providers.base import Promise
from edgeagent.providers.cloudflare import Cloudflare
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.cloudflare.support import CODEC, asking, completion, encode, events, head, refused, streamed
from tests.support.corpus import body, records
from tests.support.loopback import Loopback, Request, reply

__all__: list[str] = []

SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}
TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}
CHAT = {"role": "assistant", "content": "Hi", "reasoning_content": "Hm."}

# Requests


def test_parameters() -> None:
    """OpenAI's own and Cloudflare's; the model is in the address only."""
    encoded = encode(
        temperature=0.5, max_completion_tokens=9, seed=1, top_k=5, raw=True, reasoning_effort="low", stream=True
    )
    assert encoded.body == {
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 9,
        "temperature": 0.5,
        "seed": 1,
        "reasoning_effort": "low",
        "top_k": 5,
        "raw": True,
        "stream": True,
    }


def test_a_schema_stands_alone() -> None:
    """`json_schema` is the schema itself; Cloudflare does not guarantee it, so strict is checked."""
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA, "strict": True}}
    encoded = encode(response_format=form)
    assert encoded.body["response_format"] == {"type": "json_schema", "json_schema": SCHEMA}
    assert encoded.promises == (Promise(SCHEMA),)


def test_tools() -> None:
    """Description and parameters are demanded; none leaves them out."""
    bare = {"type": "function", "function": {"name": "g", "strict": True}}
    encoded = encode(tools=[TOOL, bare])
    assert encoded.body["tools"] == [
        TOOL,
        {
            "type": "function",
            "function": {"name": "g", "description": "g", "parameters": {"type": "object", "properties": {}}},
        },
    ]
    assert encoded.promises == (Promise({}, "g"),)
    assert "tools" not in encode(tools=[TOOL], tool_choice="none").body


@pytest.mark.parametrize(
    ("param", "value"),
    [
        ("n", 2),
        ("stop", ["x"]),
        ("logprobs", True),
        ("logit_bias", {"1": 1}),
        ("modalities", ["audio"]),
        ("tool_choice", "required"),
        ("tool_choice", {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_refused_parameters(param: str, value: Any) -> None:
    """What would be another answer without it names its field."""
    assert refused(tools=[TOOL], **{param: value}) == param


def test_a_conversation_of_another_vendor() -> None:
    """The assistant's text is demanded; calls and results are OpenAI's; texts are joined, images stay parts."""
    call = {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    texts = [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "b"}]
    encoded = encode(
        messages=[
            {"role": "developer", "content": "S"},
            {"role": "user", "content": texts},
            {"role": "user", "content": [texts[1], image]},
            {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "Hm."},
            {"role": "tool", "tool_call_id": "toolu_1", "content": "1"},
            {"role": "assistant", "refusal": "No."},
        ]
    )
    assert encoded.body["messages"] == [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "a\nb"},
        {"role": "user", "content": [texts[1], image]},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "1", "tool_call_id": "toolu_1"},
        {"role": "assistant", "content": "No."},
    ]
    assert encoded.dropped == ("messages.content.cache_control",)


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ({"role": "user", "content": [{"type": "file"}]}, "messages[0].content[0].type"),
        ({"role": "user", "content": 3}, "messages[0].content"),
        ({"role": "critic"}, "messages[0].role"),
        ({"role": "assistant", "tool_calls": [{}]}, "messages[0].tool_calls[0].function.name"),
    ],
)
def test_refused_messages(message: dict[str, Any], param: str) -> None:
    """The field is named."""
    assert refused(messages=[message]) == param


def test_bodies_of_other_forms() -> None:
    """A prompt is a user's word, a flat tool is a function; what is none is refused."""
    flat = {"name": "f", "description": "d", "parameters": SCHEMA}
    request = CODEC.decode_request({"prompt": "Hi", "tools": [flat]})
    assert request.messages == [{"role": "user", "content": "Hi"}]
    assert request.tools == [TOOL]
    for wrong in ({}, {"messages": 3}, {"messages": [], "extra_headers": {}}):
        with pytest.raises(RequestValidationError):
            CODEC.decode_request(wrong)


# Answers


@pytest.mark.parametrize(("value", "text"), [(3, "3"), (True, "true"), (["a"], '["a"]'), ("", ""), (None, "")])
def test_what_response_may_be(value: Any, text: str) -> None:
    """The text, or the JSON that stands for it, whole and streamed."""
    assert completion({"response": value}).choices[0].message.content == text
    assert assemble(streamed(events({"response": value}))).choices[0].message.content == text


def test_flat_calls_get_ids() -> None:
    """Stable ones, each its own; streamed and whole alike."""
    calls = [{"name": "f", "arguments": {"a": 1}}, {"name": "f", "arguments": '{"a":1}'}]
    whole = completion({"response": None, "tool_calls": calls})
    parts = assemble(streamed(events({"tool_calls": calls})))
    assert whole.choices[0].message == parts.choices[0].message
    assert whole == completion({"response": None, "tool_calls": calls})
    found = whole.choices[0].message.tool_calls or []
    assert len({call.id for call in found}) == 2
    assert whole.choices[0].finish_reason == "tool_calls"


def test_calls_that_are_half_of_a_form() -> None:
    """OpenAI's form without an id gets one; arguments that are no JSON stay the text they are."""
    call = {"function": {"name": "f", "arguments": '{"a":'}}
    found = completion({"tool_calls": [call]})
    (made,) = found.choices[0].message.tool_calls or []
    assert made.id
    assert made.function is not None
    assert made.function.arguments == '{"a":'
    assert CODEC.encode_response(found)["result"]["tool_calls"] == [{"name": "f", "arguments": '{"a":'}]


def test_answers_in_openais_shape() -> None:
    """Newer models: everything is kept, whole and streamed, and encoded again in that shape."""
    choice = {"index": 0, "message": CHAT, "finish_reason": "length"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    whole = completion({"id": "x", "created": 1, "model": "m", "choices": [choice], "usage": usage})
    assert (whole.id, whole.choices[0].finish_reason) == ("x", "length")
    assert whole.choices[0].message.reasoning_content == "Hm."
    assert completion(CODEC.encode_response(whole)["result"]) == whole
    chunk = {"id": "x", "created": 1, "model": "m", "object": "chat.completion.chunk"}
    deltas = [
        {"choices": [{"index": 0, "delta": {"content": c}, "finish_reason": f}]}
        for c, f in (("H", None), ("i", "stop"))
    ]
    chunks = streamed(events(*({**chunk, **delta} for delta in deltas)))
    assert assemble(chunks).choices[0].message.content == "Hi"
    assert len(chunks) == 2


def test_the_envelope_says_more() -> None:
    """Notes on the call and unknown fields of the result stay reachable."""
    found = completion({"response": "a", "lora": "x"}, messages=[{"message": "deprecated"}])
    assert found.to_dict()["messages"] == [{"message": "deprecated"}]
    assert found.to_dict()["lora"] == "x"
    assert CODEC.encode_response(found)["messages"] == [{"message": "deprecated"}]


@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        "text",
        {"image": "iVBOR"},
        {"data": [[0.1]], "shape": [1, 1]},
        {"text": "a transcription"},
        {"response": "a", "usage": 3},
        {"response": "a", "usage": {"prompt_tokens": "1"}},
        {"response": "a", "tool_calls": {}, "usage": []},
        {"tool_calls": [3]},
        {"tool_calls": [{"arguments": {}}]},
        {"tool_calls": [{"function": {"name": 3}}]},
        {"choices": []},
    ],
)
def test_results_of_other_tasks_and_none(result: Any) -> None:
    """Images, embeddings, speech are no text generation: a typed error, as is what is broken."""
    with pytest.raises(ResponseValidationError):
        completion(result)


def test_a_stream_without_its_end() -> None:
    """It was cut, wherever."""
    for data in (b"", events({"response": "a"}, done=False), events({"response": "a"}, done=False) + b'data: {"resp'):
        with pytest.raises(APIConnectionError):
            streamed(data)
    with pytest.raises(ResponseValidationError):
        streamed(b"\xff\xd8\xff\xe0 an image")


def test_without_usage_no_chunk_is_empty() -> None:
    """What is told beside the text stands on the chunk that ends it."""
    chunks = streamed(events({"response": "a", "lora": "x"}))
    assert all(chunk.choices for chunk in chunks)
    assert chunks[-1].to_dict()["lora"] == "x"


def test_many_events_and_a_large_one() -> None:
    """Time is linear: 20 000 calls without an index, an event of 5 MB in small pieces."""
    began = time.process_time()
    data = b'data: {"tool_calls":[{"name":"f","arguments":{}}]}\n\n'
    assert len(streamed(data * 20_000 + events())) == 20_001
    decoder = CODEC.stream_decoder(asking(), head())
    large = events({"response": "x" * 5_000_000})
    chunks = [chunk for start in range(0, len(large), 500) for chunk in decoder.feed(large[start : start + 500])]
    assert len(assemble(chunks).choices[0].message.content or "") == 5_000_000
    assert time.process_time() - began < 60


@pytest.mark.parametrize(
    ("result", "limit", "reason"),
    [
        ({"response": "a", "usage": {"prompt_tokens": 1, "completion_tokens": 16}}, 16, "length"),
        ({"response": "a", "usage": {"prompt_tokens": 1, "completion_tokens": 16}}, 17, "stop"),
        ({"response": "a", "usage": {"prompt_tokens": 1, "completion_tokens": 16}}, None, "stop"),
        ({"response": "a", "usage": {"prompt_tokens": 1, "completion_tokens": 256}}, None, "length"),
        ({"response": "a", "usage": {"prompt_tokens": 1, "completion_tokens": 300}}, None, "stop"),
        ({"response": {"a": 1}}, 16, "stop"),
        (
            {"tool_calls": [{"name": "f", "arguments": {}}], "usage": {"prompt_tokens": 1, "completion_tokens": 9}},
            9,
            "length",
        ),
        ({"tool_calls": [{"name": "f", "arguments": {}}]}, 9, "tool_calls"),
        (
            {
                "id": "x",
                "object": "chat.completion",
                "created": 1,
                "model": "m",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 1, "completion_tokens": 16, "total_tokens": 17},
            },
            16,
            "stop",
        ),
    ],
)
def test_how_a_whole_answer_ended(result: dict[str, Any], limit: int | None, reason: str) -> None:
    """Cloudflare does not say so, the tokens do; also where one document came in place of a stream."""
    content = json.dumps({"result": result, "success": True}).encode()
    whole = CODEC.decode_response(HTTPResponse(200, {}, content))
    CODEC.concluded(whole, asking(max_tokens=limit))
    assert whole.choices[0].finish_reason == reason
    document = CODEC.stream_decoder(asking(max_tokens=limit), HTTPResponse(200, {"content-type": "application/json"}))
    assert assemble([*document.feed(content), *document.end()]).choices[0].finish_reason == reason
    labelled = CODEC.stream_decoder(asking(max_tokens=limit))
    assert assemble([*labelled.feed(content), *labelled.end()]).choices[0].finish_reason == reason


def test_what_was_cut_off_is_not_kept() -> None:
    """A truncated answer is asked for again, a whole one is not."""
    counts = iter([16, 15])

    def served(_: Request) -> bytes:
        used = {"prompt_tokens": 1, "completion_tokens": next(counts)}
        return reply(200, {"result": {"response": "a", "usage": used}, "success": True})

    with Loopback(served) as server:
        provider = Cloudflare(account_id="a", api_key="k", base_url=server.url)
        with EdgeClient(providers=[provider]) as client:
            answers = [
                client.chat.completions.create(
                    model="@cf/m", messages=[{"role": "user", "content": "?"}], max_tokens=16
                )
                for _ in range(3)
            ]
    assert [answer.choices[0].finish_reason for answer in answers] == ["length", "stop", "stop"]
    assert [answer.edge.cached for answer in answers] == [False, False, True]


def test_a_stream_that_ended_at_its_length() -> None:
    """Cloudflare does not say so: the tokens do."""
    data = events({"response": "a"}, {"response": "", "usage": {"prompt_tokens": 1, "completion_tokens": 16}})
    assert assemble(streamed(data, max_tokens=16)).choices[0].finish_reason == "length"
    assert assemble(streamed(data, max_tokens=17)).choices[0].finish_reason == "stop"
    assert assemble(streamed(data)).choices[0].finish_reason == "stop"


# Errors


@pytest.mark.parametrize(
    ("status", "code", "cls"),
    [
        (400, 5007, NotFoundError),
        (400, 5004, BadRequestError),
        (403, 5016, PermissionDeniedError),
        (404, 3042, NotFoundError),
        (429, 3036, RateLimitError),
        (429, 3040, RateLimitError),
        (500, 5007, InternalServerError),
        (418, None, APIStatusError),
    ],
)
def test_errors(status: int, code: int | None, cls: type[APIStatusError]) -> None:
    """By status and code; the day's allocation used up is a quota."""
    told = {"errors": [{"code": code, "message": "m"}], "success": False}
    error = CODEC.decode_error(head(json.dumps(told).encode(), status, **{"retry-after": "2"}))
    assert type(error) is cls
    assert error.request_id == "9ae803f5-YUL"
    assert error.code == ("insufficient_quota" if code == 3036 else None if code is None else str(code))


def test_context_overflow_by_its_words() -> None:
    """It has no code of its own."""
    words = "AiError: This model's maximum context length is 131072 tokens. However, you requested 16000 output tokens"
    told = json.dumps({"success": False, "errors": [{"code": 5006, "message": words}]}).encode()
    assert type(CODEC.decode_error(head(told, 400))) is ContextWindowExceededError
    with pytest.raises(ContextWindowExceededError):
        CODEC.decode_response(head(told))


def test_an_error_inside_a_200() -> None:
    """Whole and in a stream, after what came before it; the code tells the status."""
    told = {"success": False, "errors": [{"code": 3040, "message": "Out of capacity"}]}
    with pytest.raises(RateLimitError):
        completion(None, **told)
    decoder = CODEC.stream_decoder(asking(), head())
    assert len(decoder.feed(events({"response": "a"}, told))) == 1
    with pytest.raises(RateLimitError, match="Out of capacity") as caught:
        decoder.end()
    assert caught.value.status_code == 429


@pytest.mark.parametrize(
    "content", [b"", b"<html><title>Just a moment</title>", b'"text"', b"[]", b'{"errors": 3}', b"\xff"]
)
def test_errors_with_any_body(content: bytes) -> None:
    """Never another exception."""
    error = CODEC.decode_error(head(content, 502))
    assert type(error) is InternalServerError
    assert error.message


# The provider


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("ACCOUNT_ID", "API_TOKEN", "API_KEY", "EMAIL", "BASE_URL"):
        monkeypatch.delenv(f"CLOUDFLARE_{name}", raising=False)
    return monkeypatch


def test_the_provider(bare: pytest.MonkeyPatch) -> None:
    """Account and model are in the address, the token is a bearer."""
    bare.setenv("CLOUDFLARE_ACCOUNT_ID", "acc")
    bare.setenv("CLOUDFLARE_API_TOKEN", "secret")
    bare.setenv("CLOUDFLARE_EMAIL", "a@example.com")
    provider = Cloudflare()
    model = "@cf/meta/llama-3.2-1b-instruct"
    request = provider.http_request(encode(), "secret", model=model, stream=False)
    assert request.url == f"https://api.cloudflare.com/client/v4/accounts/acc/ai/run/{model}"
    assert request.headers["authorization"] == "Bearer secret"
    assert provider.path("bad model?") == "/accounts/acc/ai/run/bad%20model%3F"
    assert provider.family(model)
    assert {"stop", "n", "logprobs"}.isdisjoint(provider.capabilities(model).features)


def test_an_older_key(bare: pytest.MonkeyPatch) -> None:
    """A global key is sent with its user's address, as their SDK does; without one it is a token."""
    bare.setenv("CLOUDFLARE_API_KEY", "secret")
    assert Cloudflare(account_id="acc").auth_headers("secret") == [("authorization", "Bearer secret")]
    bare.setenv("CLOUDFLARE_EMAIL", "a@example.com")
    headers = dict(Cloudflare(account_id="acc").auth_headers("secret"))
    assert headers == {"x-auth-email": "a@example.com", "x-auth-key": "secret"}


def test_what_a_provider_needs(bare: pytest.MonkeyPatch) -> None:
    """An account and a key."""
    with pytest.raises(ConfigurationError, match="CLOUDFLARE_ACCOUNT_ID"):
        Cloudflare(api_key="k")
    with pytest.raises(ConfigurationError, match="CLOUDFLARE_API_TOKEN"):
        Cloudflare(account_id="acc")


# Mutations

RECORDED = [body(record)[:3000] for record in records("cloudflare.run") if record["status"] == 200]
VALUE = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({}) | st.just([1])


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(RECORDED), st.integers(0, 3000), st.integers(0, 30), VALUE, st.integers(1, 100))
def test_mutated_answers(data: bytes, place: int, length: int, value: Any, size: int) -> None:
    """Bytes dropped, doubled, cut off, a value of another type: decoded, or a typed error."""
    colon = data.find(b":", place % len(data))
    comma = data.find(b",", colon)
    swapped = data if min(colon, comma) < 0 else data[: colon + 1] + json.dumps(value).encode() + data[comma:]
    dropped = data[: place % len(data)] + data[place % len(data) + length :]
    for content in (dropped, data[:place], data[:place] + data[place // 2 :], swapped):
        with contextlib.suppress(APIError):
            CODEC.encode_response(CODEC.decode_response(head(content)))
        decoder = CODEC.stream_decoder(asking(), head())
        with contextlib.suppress(APIError):
            for start in range(0, len(content), size):
                decoder.feed(content[start : start + size])
            decoder.end()
        assert isinstance(CODEC.decode_error(head(content, 400)), APIStatusError)
