"""What every chat request must be."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.core.requests import chat_request
from edgeagent.core.validate import validate
from edgeagent.errors import RequestValidationError

USER = {"role": "user", "content": "hello"}
CALL = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}],
}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


def user(part: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [part]}]}


REFUSED = [
    ({"model": "  "}, "model"),
    ({"messages": []}, "messages"),
    ({"messages": [{"content": "x"}]}, "messages[0].role"),
    ({"messages": [USER, {"role": "robot", "content": "x"}]}, "messages[1].role"),
    ({"messages": [{"role": "user"}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
    (user("text"), "messages[0].content[0]"),
    (user({}), "messages[0].content[0].type"),
    (user({"type": "smell"}), "messages[0].content[0].type"),
    (user({"type": "text"}), "messages[0].content[0].text"),
    (user({"type": "image_url", "image_url": "http://x"}), "messages[0].content[0].image_url"),
    (user({"type": "image_url", "image_url": {}}), "messages[0].content[0].image_url.url"),
    (user({"type": "input_audio", "input_audio": {}}), "messages[0].content[0].input_audio.data"),
    (user({"type": "file"}), "messages[0].content[0].file"),
    ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages[1].tool_call_id"),
    ({"messages": [USER, {"role": "tool", "content": "x", "tool_call_id": "c1"}]}, "messages[1].tool_call_id"),
    ({"messages": [USER, CALL, {"role": "tool", "content": "x", "tool_call_id": "c2"}]}, "messages[2].tool_call_id"),
    ({"messages": [USER, {"role": "function", "content": "x"}]}, "messages[1].name"),
    ({"messages": [{"role": "assistant", "tool_calls": {}}]}, "messages[0].tool_calls"),
    ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages[0].tool_calls[0].id"),
    ({"messages": [{"role": "assistant", "tool_calls": [{"id": "a"}]}]}, "messages[0].tool_calls[0].function.name"),
    ({"n": 0}, "n"),
    ({"max_tokens": 0}, "max_tokens"),
    ({"max_completion_tokens": -1}, "max_completion_tokens"),
    ({"tools": [{"type": "function"}]}, "tools[0].function.name"),
    ({"tools": [TOOL, TOOL]}, "tools[1].function.name"),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}}, "tool_choice.function.name"),
    ({"tool_choice": "required"}, "tool_choice"),
    ({"messages": [{"role": "user", "content": "x" * 2000}]}, "messages"),
]


@pytest.mark.parametrize(("changes", "param"), REFUSED, ids=[param for _, param in REFUSED])
def test_refused(changes: dict[str, Any], param: str) -> None:
    """Each failure names the field and is a 400."""
    request = chat_request({"model": "m", "messages": [USER], **changes})
    with pytest.raises(RequestValidationError) as caught:
        validate(request, max_body_bytes=1000)
    assert caught.value.param == param
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    "messages",
    [
        [USER],
        [{"role": "system", "content": "s"}, {"role": "developer", "content": [{"type": "text", "text": "d"}]}, USER],
        [USER, CALL, {"role": "tool", "content": "x", "tool_call_id": "c1"}],
        [USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
        [USER, {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
         {"role": "function", "name": "f", "content": None}],
        [USER, {"role": "assistant", "content": []}, USER],
        [{"role": "user", "content": [
            {"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
            {"type": "file", "file": {"file_id": "f"}},
        ]}],
        [USER, {"role": "assistant", "tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "f"}}]}],
    ],
)  # fmt: skip
def test_accepted(messages: list[dict[str, Any]]) -> None:
    """What OpenAI's reference allows passes."""
    validate(chat_request({"model": "m", "messages": messages, "n": 1, "max_tokens": 1, "tools": [TOOL]}))


def test_what_json_cannot_hold() -> None:
    """A value that has no JSON is refused before anything is sent, without its value in the message."""
    request = chat_request(
        {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "\ud800"}]}]}
    )
    with pytest.raises(RequestValidationError, match="JSON"):
        validate(request)


@pytest.mark.parametrize("word", ["I am ann@x.com", "ann@x.com", "4111111111111111", ["ann@x.com"], {"ann@x.com": 1}])
@pytest.mark.parametrize(
    "make",
    [
        lambda word: {"messages": [{"role": word, "content": "user"}]},
        lambda word: user({"type": word}),
        lambda word: {"messages": [CALL, {"role": "tool", "tool_call_id": str(word), "content": "x"}]},
        lambda word: {"tools": [{"type": "function", "function": {"name": str(word)}}] * 2},
        lambda word: {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": str(word)}}},
    ],
)
def test_a_text_in_the_place_of_a_word_is_not_quoted(make: Any, word: Any) -> None:
    """An error names the place, and says only words of the format: a text there may be anybody's."""
    with pytest.raises(RequestValidationError) as caught:
        validate(chat_request({"model": "m", "messages": [USER], **make(word)}))
    assert "ann@x.com" not in str(caught.value)
    assert "4111" not in str(caught.value)


def test_a_word_is_quoted() -> None:
    """What may be a slip of the pen is shown."""
    with pytest.raises(RequestValidationError, match="'robot'"):
        validate(chat_request({"model": "m", "messages": [{"role": "robot", "content": "x"}]}))
