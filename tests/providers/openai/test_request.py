"""OpenAI's requests: what is sent, what is taken away and named, what is refused."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.providers.base import Encoded
from edgeagent.providers.openai import COMPATIBLE, OpenAIChatCodec, Quirks
from edgeagent.types import ChatCompletionMessage, ChatRequest

CODEC = OpenAIChatCodec()
USER = {"role": "user", "content": "Hi"}
HINT = {"type": "ephemeral"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def encode(
    *messages: dict[str, Any],
    codec: OpenAIChatCodec = CODEC,
    model: str = "gpt-4o",
    stream: bool = False,
    **params: Any,
) -> Encoded:
    request = ChatRequest(model="alias", messages=list(messages) or [USER], **params)
    before = copy.deepcopy(request)
    encoded = codec.encode_request(request, model=model, stream=stream)
    assert request == before
    return encoded


def test_plain() -> None:
    """A request that is OpenAI's own goes out as it is, with the target's model."""
    encoded = encode(temperature=0.5, max_tokens=5, tools=[{"type": "function", "function": {"name": "f"}}])
    assert encoded.body == {
        "model": "gpt-4o",
        "messages": [USER],
        "temperature": 0.5,
        "max_tokens": 5,
        "tools": [{"type": "function", "function": {"name": "f"}}],
    }
    assert (encoded.headers, encoded.dropped, encoded.edits) == ({}, (), ())


def test_what_travels_outside_the_body_is_not_in_it() -> None:
    """Extra headers and query go elsewhere; unknown parameters are part of the body."""
    encoded = encode(extra_headers={"x": "y"}, extra_query={"a": 1}, brand_new=True)
    assert encoded.body == {"model": "gpt-4o", "messages": [USER], "brand_new": True}


@pytest.mark.parametrize(
    ("given", "sent", "edited"),
    [
        (None, {"include_usage": True}, True),
        ({}, {"include_usage": True}, True),
        ({"include_usage": True}, {"include_usage": True}, False),
        (
            {"include_usage": False, "include_obfuscation": False},
            {"include_usage": True, "include_obfuscation": False},
            True,
        ),
    ],
)
def test_streams_always_ask_for_usage(given: Any, sent: Any, edited: bool) -> None:
    """Usage is asked for whatever the caller wants to see; the caller's other stream options are kept."""
    encoded = encode(stream=True, stream_options=given)
    assert encoded.body["stream"] is True
    assert encoded.body["stream_options"] == sent
    assert encoded.edits == (("stream_options.include_usage added",) if edited else ())


@pytest.mark.parametrize(("given", "sent"), [({"stream": True}, {}), ({"stream": False}, {"stream": False}), ({}, {})])
def test_unstreamed_requests_have_no_stream_options(given: dict[str, Any], sent: dict[str, Any]) -> None:
    """OpenAI refuses stream options without a stream."""
    encoded = CODEC.encode_request(
        ChatRequest(model="m", messages=[USER], stream_options={"include_usage": True}, **given),
        model="m",
        stream=False,
    )
    assert encoded.body == {"model": "m", "messages": [USER], **sent}


def test_an_answer_sent_back() -> None:
    """What only answers have is taken out of an assistant's message and named."""
    message = ChatCompletionMessage.model_validate(
        {
            "role": "assistant",
            "content": "Hi",
            "refusal": None,
            "annotations": [{"type": "url_citation"}],
            "audio": {"id": "a", "data": "AAAA", "expires_at": 1, "transcript": "Hi"},
            "function_call": None,
            "tool_calls": [{**CALL, "index": 0, "function": {**CALL["function"], "parsed_arguments": {}}}],  # type: ignore[dict-item]
            "reasoning_content": "Hm.",
            "native_content": {"wire": "x", "content": []},
            "parsed": None,
        }
    )
    encoded = encode(USER, message.to_dict(), {"role": "tool", "tool_call_id": "c", "content": "1"})
    assert encoded.body["messages"][1] == {
        "role": "assistant",
        "content": "Hi",
        "audio": {"id": "a"},
        "tool_calls": [CALL],
    }
    in_calls = "tool_calls.function.parsed_arguments, tool_calls.index"
    assert encoded.edits == (
        f"fields of answers not sent back: annotations, native_content, reasoning_content, {in_calls}",
        "audio of earlier answers sent by its id",
    )
    assert encoded.dropped == ()


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        ({"role": "assistant", "content": None, "tool_calls": [CALL]}, None),
        ({"role": "assistant", "content": "Hi", "tool_calls": []}, {"role": "assistant", "content": "Hi"}),
        ({"role": "assistant", "content": "Hi", "tool_calls": None}, {"role": "assistant", "content": "Hi"}),
        ({"role": "assistant", "content": [], "name": "Bo"}, None),
        ({"role": "assistant", "audio": {"id": "a"}}, None),
        ({"role": "assistant", "audio": {"data": "x"}}, None),
        ({"role": "assistant", "content": None, "tool_calls": ["odd"]}, None),
        ({"role": "user", "content": "Hi", "name": None}, USER),
        ({"role": "user", "content": [{"type": "text", "text": "Hi"}], "name": "Bo"}, None),
        ({"role": "user", "content": "Hi", "annotations": []}, None),
        ({"role": "user", "content": ["odd", {"no": "type"}]}, None),
        ({"role": "function", "name": "f", "content": None}, None),
    ],
)
def test_messages(message: dict[str, Any], sent: dict[str, Any] | None) -> None:
    """Null fields and empty lists of calls are left out; everything else goes out as it came (None: unchanged)."""
    encoded = encode(message)
    assert encoded.body["messages"] == [message if sent is None else sent]
    assert (encoded.dropped, encoded.edits) == ((), ())


@pytest.mark.parametrize(
    ("content", "calls", "sent"),
    [
        (
            [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Hi"}],
            None,
            [{"type": "text", "text": "Hi"}],
        ),
        ([{"type": "thinking", "thinking": "Hm."}], None, ""),
        ([{"type": "thinking", "thinking": "Hm."}], [CALL], None),
    ],
)
def test_parts_of_another_vendors_answer(content: list[Any], calls: Any, sent: Any) -> None:
    """An assistant's message keeps the parts that OpenAI takes; the others are dropped and named."""
    encoded = encode({"role": "assistant", "content": content, "tool_calls": calls})
    assert encoded.body["messages"][0]["content"] == sent
    assert encoded.dropped == ("messages.content.thinking",)


HINTED: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": "Be nice.", "cache_control": HINT},
        {"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": HINT}]},
        {"role": "assistant", "content": None, "tool_calls": [{**CALL, "cache_control": HINT}]},
        {"role": "tool", "tool_call_id": CALL["id"], "content": "x", "cache_control": HINT},
    ],
    "tools": [
        {"type": "function", "function": {"name": "f"}, "cache_control": HINT},
        {"type": "function", "function": {"name": "g", "cache_control": HINT}},
        {"type": "custom", "custom": {"name": "h"}, "cache_control": HINT},
        {"type": "function", "function": {"name": "i"}},
    ],
    "cache_control": HINT,
}


def test_media_of_tools_results() -> None:
    """OpenAI reads text alone in a tool's message: images follow the last result, each after the name of its call."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aWNv"}}
    text = {"type": "text", "text": "a map"}
    calls = {"role": "assistant", "content": None, "tool_calls": [{**CALL, "id": "c1"}, {**CALL, "id": "c2"}]}

    def result(number: int, *parts: Any) -> dict[str, Any]:
        return {"role": "tool", "tool_call_id": f"c{number}", "content": list(parts)}

    def shown(number: int) -> list[Any]:
        return [{"type": "text", "text": f"From the tool call c{number}:"}, image]

    turn = (USER, calls, result(1, text, image), result(2, image))
    sent = [USER, calls, result(1, text), {**result(2), "content": ""}]  # OpenAI refuses an empty list
    first = encode(*turn)
    assert first.body["messages"] == [*sent, {"role": "user", "content": [*shown(1), *shown(2)]}]
    assert any("user message" in edit for edit in first.edits)
    again = encode(*turn, USER, *turn).body["messages"]
    assert again == [*sent, {"role": "user", "content": [*shown(1), *shown(2)]}, USER, *first.body["messages"]]
    assert encode(USER, calls, result(1, text), result(2, text)).edits == ()
    assert encode(*turn, codec=OpenAIChatCodec(COMPATIBLE)).body["messages"] == list(turn)


def test_cache_hints_are_dropped() -> None:
    """Anthropic's cache hints are taken off messages, parts, tools and the request, and named once."""
    encoded = CODEC.encode_request(ChatRequest(model="m", **HINTED), model="m", stream=False)
    assert "cache_control" not in json.dumps(encoded.body)
    assert encoded.dropped == ("cache_control",)
    assert encoded.body["messages"][1]["content"] == [{"type": "text", "text": "Hi"}]
    assert [tool["type"] for tool in encoded.body["tools"]] == ["function", "function", "custom", "function"]


@pytest.mark.parametrize("where", ["messages", "tools", "cache_control"])
def test_a_cache_hint_anywhere_is_named(where: str) -> None:
    """Each place alone is enough to be named."""
    base: dict[str, Any] = {"messages": [USER]}
    encoded = CODEC.encode_request(ChatRequest(model="m", **{**base, where: HINTED[where]}), model="m", stream=False)
    assert encoded.dropped == ("cache_control",)
    assert "ephemeral" not in json.dumps(encoded.body)


@pytest.mark.parametrize(
    ("part", "sent", "dropped"),
    [
        (
            {
                "type": "file",
                "file": {"file_data": "data:application/pdf;base64,eA==", "format": "application/pdf"},
                "citations": {"enabled": True},
                "context": "c",
            },
            {"type": "file", "file": {"file_data": "data:application/pdf;base64,eA==", "filename": "file.pdf"}},
            ("citations", "context", "file.format"),
        ),
        (
            {
                "type": "image_url",
                "image_url": {"url": "https://x.org/a", "format": "image/png"},
                "transformations": [],
                "cache_control": HINT,
            },
            {"type": "image_url", "image_url": {"url": "https://x.org/a"}},
            ("cache_control", "image_url.format", "transformations"),
        ),
        (
            {"type": "input_audio", "input_audio": {"data": "eA==", "format": "wav"}, "novelty": 1},
            {"type": "input_audio", "input_audio": {"data": "eA==", "format": "wav"}, "novelty": 1},
            (),
        ),
    ],
)
def test_what_other_vendors_parts_say_besides_is_dropped(
    part: dict[str, Any], sent: dict[str, Any], dropped: tuple[str, ...]
) -> None:
    """OpenAI refuses a part with Anthropic's or Google's fields; another server is sent them as they are."""
    encoded = encode({"role": "user", "content": [part]})
    assert encoded.body["messages"][0]["content"] == [sent]
    assert encoded.dropped == dropped
    other = encode({"role": "user", "content": [part]}, codec=OpenAIChatCodec(COMPATIBLE))
    assert other.body["messages"][0]["content"] == [part]


def test_a_compatible_server_is_sent_what_the_caller_said() -> None:
    """Hints stay and numbers are not judged where nothing is known of the server."""
    codec = OpenAIChatCodec(COMPATIBLE)
    request = ChatRequest(model="m", temperature=5, max_tokens=9, **HINTED)
    encoded = codec.encode_request(request, model="o3-like", stream=False)
    assert encoded.body == {**HINTED, "model": "o3-like", "temperature": 5, "max_tokens": 9}
    assert encoded.dropped == ()


@pytest.mark.parametrize(
    ("model", "renamed"),
    [
        ("o1", True),
        ("o3-mini", True),
        ("ft:o4-mini:x", True),
        ("gpt-5-nano", True),
        ("gpt-4o", False),
        ("chatgpt-4o", False),
    ],
)
def test_reasoning_models_take_the_newer_limit(model: str, renamed: bool) -> None:
    """`max_tokens` is not known to reasoning models: it goes out under its newer name, and that is said."""
    encoded = encode(model=model, max_tokens=9)
    assert encoded.body.get("max_completion_tokens" if renamed else "max_tokens") == 9
    assert ("max_tokens" in encoded.body) is not renamed
    assert encoded.edits == (("max_tokens sent as max_completion_tokens",) if renamed else ())
    both = encode(model=model, max_tokens=9, max_completion_tokens=7)
    assert both.body["max_completion_tokens"] == 7


@pytest.mark.parametrize(
    ("params", "param"),
    [
        ({"temperature": -0.1}, "temperature"),
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"top_p": -1}, "top_p"),
        ({"frequency_penalty": 2.5}, "frequency_penalty"),
        ({"presence_penalty": -3}, "presence_penalty"),
        ({"n": 129}, "n"),
        ({"n": 0}, "n"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"top_logprobs": -1}, "top_logprobs"),
        ({"stop": list("abcde")}, "stop"),
        ({"logit_bias": {"50256": -100.5}}, "logit_bias.50256"),
        ({"logit_bias": {"7": 101}}, "logit_bias.7"),
        ({"metadata": {str(i): "x" for i in range(17)}}, "metadata"),
        ({"metadata": {"k" * 65: "x"}}, "metadata"),
        ({"metadata": {"k": "x" * 513}}, "metadata.k"),
        ({"metadata": {"k": 1}}, "metadata.k"),
    ],
)
def test_numbers_out_of_range(params: dict[str, Any], param: str) -> None:
    """Outside OpenAI's documented ranges the request is refused before it is sent, naming the parameter."""
    with pytest.raises(RequestValidationError) as caught:
        encode(**params)
    assert caught.value.param == param
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    "params",
    [
        {"temperature": 0, "top_p": 0, "frequency_penalty": -2, "presence_penalty": -2, "n": 1, "top_logprobs": 0},
        {"temperature": 2, "top_p": 1, "frequency_penalty": 2, "presence_penalty": 2, "n": 128, "top_logprobs": 20},
        {"stop": list("abcd"), "logit_bias": {"1": -100, "2": 100}},
        {"stop": "a long text that is one sequence", "logit_bias": {}, "metadata": {}},
        {"metadata": {"k" * 64: "x" * 512, **{str(i): "" for i in range(15)}}},
    ],
)
def test_numbers_at_the_edge_of_their_range(params: dict[str, Any]) -> None:
    """The bounds themselves are allowed."""
    assert encode(**params).body == {"model": "gpt-4o", "messages": [USER], **params}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "model"),
        ({"model": "m"}, "messages"),
        ({"model": 3, "messages": [USER]}, "model"),
        ({"model": "m", "messages": "secret"}, "messages"),
        ({"model": "m", "messages": ["secret"]}, "messages[0]"),
        ({"model": "m", "messages": [USER], "temperature": "secret"}, "temperature"),
        ({"model": "m", "messages": [USER], "stop": 3}, "stop"),
        ({"model": "m", "messages": [USER], "stop": ["a", 3]}, "stop[1]"),
        ({"model": "m", "messages": [USER], "extra_headers": {"authorization": "secret"}}, "extra_headers"),
        ({"model": "m", "messages": [USER], "extra_query": None}, "extra_query"),
    ],
)
def test_bodies_that_are_no_request(body: dict[str, Any], param: str) -> None:
    """A body that OpenAI would not understand is refused with the field's name, and quotes nothing."""
    with pytest.raises(RequestValidationError) as caught:
        CODEC.decode_request(body)
    assert caught.value.param == param
    assert "secret" not in str(caught.value)


def test_codecs_with_equal_quirks_are_equal() -> None:
    """A codec is a value: what it knows of the API makes it what it is."""
    assert OpenAIChatCodec() == OpenAIChatCodec(Quirks())
    assert hash(OpenAIChatCodec()) == hash(OpenAIChatCodec(Quirks()))
    assert OpenAIChatCodec() != OpenAIChatCodec(COMPATIBLE)
    assert OpenAIChatCodec() != "openai.chat"
    assert CODEC.wire == "openai.chat"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ("data:application/pdf;base64,eA==", "file.pdf"),
        ("data:text/plain;base64,eA==", "file.txt"),
        ("data:text/x-novel;base64,eA==", "file.pdf"),
        ("JVBERi0=", "file.pdf"),
    ],
)
def test_a_file_without_a_name_gets_one(data: str, name: str) -> None:
    """OpenAI refuses it without; documents of other vendors' requests often have none. Other servers need none."""
    nameless: dict[str, Any] = {"type": "file", "file": {"file_data": data}}
    encoded = encode({"role": "user", "content": [nameless]})
    assert encoded.body["messages"][0]["content"] == [{"type": "file", "file": {"file_data": data, "filename": name}}]
    assert encoded.edits == ("files without a name sent with one",)
    assert encoded.dropped == ()
    named = {"type": "file", "file": {"file_data": data, "filename": "a"}}
    uploaded = {"type": "file", "file": {"file_id": "file-1"}}
    assert encode({"role": "user", "content": [named, uploaded]}).body["messages"][0]["content"] == [named, uploaded]
    other = encode({"role": "user", "content": [nameless]}, codec=OpenAIChatCodec(COMPATIBLE))
    assert other.body["messages"][0]["content"] == [nameless]
