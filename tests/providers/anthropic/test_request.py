"""Parameters of a request: translated, dropped and named, or refused with the field's name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.anthropic.support import MODEL, encode, refused

OLD, MID, NEW = "claude-3-5-haiku-latest", "claude-sonnet-4-5", "claude-opus-4-8"


def test_the_smallest_request() -> None:
    """Model, messages and the limit that the vendor needs; the version is a header."""
    encoded = encode(max_tokens=5)
    assert encoded.body == {"model": MODEL, "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
    assert encoded.headers == {"anthropic-version": "2023-06-01"}
    assert (encoded.dropped, encoded.edits) == ((), ())


@pytest.mark.parametrize(
    ("model", "limit"),
    [
        ("claude-3-opus-20240229", 4096),
        (OLD, 8192),
        ("claude-opus-4-1", 8192),
        (MID, 64_000),
        (NEW, 128_000),
        ("claude-sonnet-5-5", 128_000),
        ("some-other-model", 4096),
    ],
)
def test_default_limit(model: str, limit: int) -> None:
    """Without a limit the model's own is asked for, and said so; less where that could exceed the window."""
    encoded = encode(model)
    assert encoded.body["max_tokens"] == limit
    assert [edit for edit in encoded.edits if edit.startswith(f"max_tokens is {limit}")]


@pytest.mark.parametrize(
    ("params", "limit", "dropped"),
    [
        ({"max_tokens": 7}, 7, ()),
        ({"max_completion_tokens": 8}, 8, ()),
        ({"max_tokens": 7, "max_completion_tokens": 8}, 8, ("max_tokens",)),
    ],
)
def test_limits(params: dict[str, Any], limit: int, dropped: tuple[str, ...]) -> None:
    """The newer name of the limit counts before the older."""
    encoded = encode(**params)
    assert (encoded.body["max_tokens"], encoded.dropped) == (limit, dropped)


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"logit_bias": {"5": 1.0}}, "logit_bias"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"moderation": {"model": "m"}}, "moderation"),
        ({"temperature": 1.01}, "temperature"),
        ({"top_p": 1.01}, "top_p"),
        ({"temperature": -0.1}, "temperature"),
        ({"stop": " \n"}, "stop"),
        ({"stop": ["a", ""]}, "stop"),
        ({"reasoning_effort": "huge"}, "reasoning_effort"),
        ({"response_format": {"type": "grammar"}}, "response_format.type"),
    ],
)
def test_refused(params: dict[str, Any], field: str) -> None:
    """What the vendor has not, and what it would refuse, is a typed error that names the field."""
    assert refused(**params) == field


@pytest.mark.parametrize(
    "params",
    [
        {"n": 1},
        {"logprobs": False},
        {"top_logprobs": 0},
        {"logit_bias": {}},
        {"modalities": ["text"]},
        {"frequency_penalty": 0.0},
        {"presence_penalty": 0.0},
        {"stop": []},
        {"response_format": {"type": "text"}},
        {"parallel_tool_calls": True},
        {"tool_choice": "auto"},
        {"reasoning_effort": "none"},
    ],
)
def test_what_asks_for_nothing(params: dict[str, Any]) -> None:
    """A parameter at the value that changes nothing leaves no trace."""
    encoded = encode(max_tokens=5, **params)
    assert encoded == encode(max_tokens=5)


@pytest.mark.parametrize(
    ("params", "dropped"),
    [
        ({"seed": 1}, "seed"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": -1.0}, "presence_penalty"),
        ({"store": False}, "store"),
        ({"metadata": {"a": "b"}}, "metadata"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"prompt_cache_key": "k"}, "prompt_cache_key"),
        ({"prompt_cache_retention": "24h"}, "prompt_cache_retention"),
        ({"prompt_cache_options": {"mode": "x"}}, "prompt_cache_options"),
        ({"verbosity": "low"}, "verbosity"),
        ({"service_tier": "flex"}, "service_tier"),
    ],
)
def test_dropped(params: dict[str, Any], dropped: str) -> None:
    """Advisory parameters are left out of the body and named."""
    encoded = encode(max_tokens=5, **params)
    assert encoded.dropped == (dropped,)
    assert encoded.body == encode(max_tokens=5).body


@pytest.mark.parametrize(
    ("params", "body"),
    [
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["a", "\nb"]}, {"stop_sequences": ["a", "\nb"]}),
        ({"temperature": 0.5}, {"temperature": 0.5}),
        ({"top_p": 0.5}, {"top_p": 0.5}),
        ({"user": "u1"}, {"metadata": {"user_id": "u1"}}),
        ({"safety_identifier": "s1"}, {"metadata": {"user_id": "s1"}}),
        ({"service_tier": "auto"}, {"service_tier": "auto"}),
        ({"service_tier": "priority"}, {"service_tier": "auto"}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"service_tier": "standard_only"}, {"service_tier": "standard_only"}),
        ({"top_k": 40}, {"top_k": 40}),
        ({"container": "c1"}, {"container": "c1"}),
        ({"cache_control": {"type": "ephemeral"}}, {"cache_control": {"type": "ephemeral"}}),
        ({"max_tokens": 3}, {"max_tokens": 3}),
        ({"anything_new": {"a": None}}, {"anything_new": {"a": None}}),
    ],
)
def test_translated(params: dict[str, Any], body: dict[str, Any]) -> None:
    """Parameters with a place stand in it, extra ones go into the body as they are."""
    encoded = encode(**{"max_tokens": 5, **params})
    assert {**encoded.body, "max_tokens": params.get("max_tokens", 5)} == {**encode(max_tokens=5).body, **body}
    assert encoded.dropped == ()


def test_user_and_safety_identifier() -> None:
    """The vendor has one place for both; the identifier made for it counts."""
    encoded = encode(user="u", safety_identifier="s")
    assert encoded.body["metadata"] == {"user_id": "s"}
    assert encoded.dropped == ("user",)


def test_extra_parameters_win() -> None:
    """An extra parameter replaces what was translated; within output_config one by one."""
    schema = {"type": "object", "properties": {}, "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    encoded = encode(stop="a", stop_sequences=["b"], response_format=form, output_config={"effort": "low"})
    assert encoded.body["stop_sequences"] == ["b"]
    assert encoded.body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": schema}}


def test_stream() -> None:
    """Streaming is asked for in the body; usage comes in any case."""
    assert encode(stream=True).body["stream"] is True
    assert "stream" not in encode(stream=False).body


@pytest.mark.parametrize(
    ("model", "params", "sent", "dropped"),
    [
        (OLD, {"temperature": 0.3, "top_p": 0.9}, {"temperature": 0.3, "top_p": 0.9}, ()),
        (MID, {"temperature": 0.3, "top_p": 0.9}, {"temperature": 0.3}, ("top_p",)),
        (MID, {"temperature": 0.3, "top_p": 1.0}, {"temperature": 0.3}, ()),
        (MID, {"top_p": 0.9}, {"top_p": 0.9}, ()),
        (NEW, {"temperature": 0.3, "top_p": 0.9}, {}, ("temperature", "top_p")),
        (NEW, {"temperature": 1.0, "top_p": 1.0}, {}, ()),
        (MID, {"temperature": 0.3, "reasoning_effort": "high"}, {}, ("temperature",)),
        (MID, {"temperature": 1.0, "reasoning_effort": "high"}, {"temperature": 1.0}, ()),
        (MID, {"top_p": 0.5, "reasoning_effort": "high"}, {}, ("top_p",)),
        (MID, {"top_p": 0.96, "reasoning_effort": "high"}, {"top_p": 0.96}, ()),
        (MID, {"temperature": 0.3, "thinking": {"type": "enabled", "budget_tokens": 1024}}, {}, ("temperature",)),
        (MID, {"temperature": 0.3, "thinking": {"type": "disabled"}}, {"temperature": 0.3}, ()),
    ],
)
def test_sampling(model: str, params: dict[str, Any], sent: dict[str, Any], dropped: tuple[str, ...]) -> None:
    """temperature and top_p go as far as the model, and thinking, let them; what is left out is named."""
    encoded = encode(model, **params)
    assert {name: encoded.body[name] for name in ("temperature", "top_p") if name in encoded.body} == sent
    assert encoded.dropped == dropped


@pytest.mark.parametrize(
    ("params", "betas"),
    [
        ({"mcp_servers": [{"type": "url", "url": "https://x", "name": "x"}]}, "mcp-client-2025-04-04"),
        (
            {"mcp_servers": [{"name": "x"}], "tools": [{"type": "mcp_toolset", "mcp_server_name": "x"}]},
            "mcp-client-2025-11-20",
        ),
        ({"context_management": {"edits": [{"type": "clear_tool_uses"}]}}, "context-management-2025-06-27"),
        (
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
            "context-management-2025-06-27,compact-2026-01-12",
        ),
        ({"context_management": "odd"}, "context-management-2025-06-27"),
        ({"context_management": {"edits": "odd"}}, "context-management-2025-06-27"),
        ({"output_format": {"type": "json_schema", "schema": {}}}, "structured-outputs-2025-11-13"),
        ({"output_config": {"task_budget": {"type": "tokens", "total": 1}}}, "task-budgets-2026-03-13"),
        ({"output_config": "odd"}, None),
        ({"speed": "fast"}, "fast-mode-2026-02-01"),
        ({"tools": [{"type": "computer_20250124", "name": "computer"}]}, "computer-use-2025-01-24"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, None),
        ({"betas": ["my-beta", "fast-mode-2026-02-01"], "speed": "fast"}, "fast-mode-2026-02-01,my-beta"),
        ({"betas": "a, , b,"}, "a,b"),
        ({"betas": 5}, None),
    ],
)
def test_betas(params: dict[str, Any], betas: str | None) -> None:
    """Features in beta have their header, joined with the caller's own; `betas` is no part of the body."""
    encoded = encode(**params)
    assert encoded.headers.get("anthropic-beta") == betas
    assert "betas" not in encoded.body


def test_beta_of_system_messages() -> None:
    """Fields and tool changes of inner system messages have their betas."""
    messages = [
        {"role": "user", "content": "a"},
        {"role": "system", "content": [{"type": "tool_removal", "tool": {"type": "tool_reference", "name": "t"}}]},
        {"role": "assistant", "content": "b"},
        {"role": "user", "content": "c"},
        {"role": "system", "content": "d", "clear_at": "next_user_message"},
    ]
    betas = encode(NEW, messages=messages).headers["anthropic-beta"].split(",")
    assert betas == ["inline-tools-2026-09-15", "mid-conversation-system-clear-at-2026-08-21"]


def test_web_search() -> None:
    """OpenAI's built-in web search is Anthropic's server tool."""
    where = {"type": "approximate", "approximate": {"city": "Paris", "country": "FR"}}
    encoded = encode(web_search_options={"user_location": where, "search_context_size": "low"})
    place = {"type": "approximate", "city": "Paris", "country": "FR"}
    assert encoded.body["tools"] == [{"type": "web_search_20250305", "name": "web_search", "user_location": place}]
    assert encoded.dropped == ("web_search_options.search_context_size",)
    assert encode(web_search_options={}).body["tools"] == [{"type": "web_search_20250305", "name": "web_search"}]


def ending(*contents: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": "a"}, *({"role": "assistant", **content} for content in contents)]


@pytest.mark.parametrize(
    ("messages", "params"),
    [
        (ending({"content": "["}), {"fallback_credit_token": "t"}),
        (ending({"content": [{"type": "web_search_tool_result", "tool_use_id": "s", "content": []}]}), {}),
        (ending({"content": [{"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}]}), {}),
    ],
)
def test_prefill_that_is_a_continuation(messages: list[dict[str, Any]], params: dict[str, Any]) -> None:
    """Newer models take a paused turn, and a continuation that was paid for."""
    assert encode(NEW, messages=messages, **params).body["messages"][-1]["role"] == "assistant"


def test_prefill() -> None:
    """The beginning of an answer goes to older models without white space at its end, and is refused for newer ones."""
    encoded = encode(MID, messages=ending({"content": '{"a": \n'}))
    assert encoded.body["messages"][-1]["content"] == '{"a":'
    assert any("White space" in edit for edit in encoded.edits)
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": " "}]
    kept = encode(MID, messages=ending({"content": parts})).body["messages"][-1]["content"]
    assert kept == [{"type": "text", "text": "a"}]
    assert encode(MID, messages=ending({"content": " "})).body["messages"] == [{"role": "user", "content": "a"}]
    assert refused(NEW, messages=ending({"content": "["})) == "messages"
