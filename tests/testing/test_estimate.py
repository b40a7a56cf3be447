"""The made-up usage of fakes: what is counted, and that streamed and unstreamed answers count alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.providers.answers import completion_from
from edgeagent.testing.estimate import chunk_characters, completion_characters, usage_of
from edgeagent.types import ChatRequest
from edgeagent.types.assembly import to_chunks


def request(*contents: Any) -> ChatRequest:
    return ChatRequest(model="m", messages=[{"role": "user", "content": content} for content in contents])


@pytest.mark.parametrize(
    ("contents", "tokens"),
    [
        ([""], 0),
        (["a"], 1),
        (["abcd"], 1),
        (["abcde"], 2),
        (["ab", "cde"], 2),
        ([[{"type": "text", "text": "abcd"}, {"type": "text", "text": "e"}]], 2),
        ([[{"type": "image_url", "image_url": {"url": "https://example.org"}}]], 0),
        ([["not a part"]], 0),
        ([None], 0),
    ],
)
def test_prompt(contents: list[Any], tokens: int) -> None:
    """One token for every four characters of text begun, over all messages."""
    assert usage_of(request(*contents), 0).prompt_tokens == tokens


@pytest.mark.parametrize(("characters", "tokens"), [(0, 0), (1, 1), (4, 1), (5, 2), (400, 100)])
def test_completion(characters: int, tokens: int) -> None:
    """The answer likewise; the total is the sum."""
    usage = usage_of(request("abcd"), characters)
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (1, tokens, tokens + 1)


@pytest.mark.parametrize(
    ("answer", "characters"),
    [
        ({"content": "abc"}, 3),
        ({"content": None, "refusal": "no"}, 2),
        ({"content": "a", "reasoning_content": "hmm"}, 4),
        ({"tool_calls": [{"function": {"name": "look", "arguments": "{}"}}] * 2}, 12),
        ({"tool_calls": [{"custom": {"name": "sql", "input": "select"}}]}, 9),
        ({"tool_calls": [{"type": "other"}]}, 0),
        ({"function_call": {"name": "look", "arguments": "{}"}}, 6),
        ({"choices": [{"message": {"content": "ab"}}, {"message": {"content": "c"}}]}, 3),
    ],
)
def test_characters(answer: Any, characters: int) -> None:
    """Text, refusal, reasoning and tool calls of all choices count, in a completion as in its chunks."""
    completion = completion_from(answer, request=request("x"))
    assert completion_characters(completion) == characters
    assert sum(map(chunk_characters, to_chunks(completion))) == characters


@given(st.text())
def test_streamed_or_not(text: str) -> None:
    """Any text counts the same whole and in chunks."""
    completion = completion_from(text, request=request("x"))
    assert completion_characters(completion) == sum(map(chunk_characters, to_chunks(completion))) == len(text)
