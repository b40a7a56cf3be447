"""The conversation in Anthropic's form: positions, turns, tool calls and results, blocks sent back."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.providers.calls import CUSTOM_INPUT, JSON_TOOL, RAW_ARGUMENTS
from tests.providers.anthropic.support import encode, refused

OLD, NEW = "claude-sonnet-4-5", "claude-opus-4-8"
CACHE = {"type": "ephemeral"}


def System(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "system", "content": content, **more}


def User(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


def Assistant(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": content, **more}


def text(value: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": value, **more}


def call(id: str, arguments: str = "{}", name: str = "f", **more: Any) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}, **more}


def use(id: str, value: dict[str, Any] | None = None, name: str = "f") -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": name, "input": value or {}}


def result(id: str, content: Any = "", **more: Any) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": content, **more}


def sent(*messages: dict[str, Any], model: str = NEW) -> tuple[Any, list[dict[str, Any]]]:
    body = encode(model, messages=list(messages)).body
    return body.get("system"), body["messages"]


# System prompts


@pytest.mark.parametrize(
    ("leading", "system"),
    [
        ([System("a")], "a"),
        ([{"role": "developer", "content": "a"}], "a"),
        ([System([text("a")])], [text("a")]),
        ([System("a"), System("b")], [text("a"), text("b")]),
        ([System("a", cache_control=CACHE)], [text("a", cache_control=CACHE)]),
        ([System([text("a"), text("b")], cache_control=CACHE)], [text("a"), text("b", cache_control=CACHE)]),
        ([System([text("a", cache_control=CACHE)]), System("b")], [text("a", cache_control=CACHE), text("b")]),
        ([System("")], None),
        ([System([text(""), text("a")])], [text("a")]),
    ],
)
def test_leading_system(leading: list[dict[str, Any]], system: Any) -> None:
    """System and developer messages at the beginning are the top-level system prompt."""
    assert sent(*leading, User("u")) == (system, [User("u")])


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([User("u"), System("s")], [User("u"), System("s")]),
        ([User("u"), System("s"), Assistant("a"), User("v")], [User("u"), System("s"), Assistant("a"), User("v")]),
        ([User("u"), System("s"), System("t")], [User("u"), System("s"), System("t")]),
        ([User("u"), {"role": "developer", "content": "s"}], [User("u"), System("s")]),
        ([User("u"), System("s"), User("v")], [User([text("u"), text("v")]), System("s")]),
        ([User("u"), Assistant("a"), System("s"), User("v")], [User("u"), Assistant("a"), User("v"), System("s")]),
        (
            [User("u"), Assistant("a"), System("s")],
            [User("u"), Assistant("a"), User([text("<system>\ns\n</system>")])],
        ),
        ([User("u"), System("")], [User("u")]),
        ([User("u"), System("s", clear_at="never")], [User("u"), System("s", clear_at="never")]),
        (
            [System([], output_config={"effort": "low"}), User("u")],
            [System([], output_config={"effort": "low"}), User("u")],
        ),
    ],
)
def test_later_system_where_the_model_has_it(messages: list[Any], expected: list[Any]) -> None:
    """A later system message stays one, behind the user's words of its turn; without any it becomes the user's text."""
    assert sent(*messages) == (None, expected)


def test_system_after_a_paused_turn() -> None:
    """A server tool's result before it is as good as a user turn."""
    paused = Assistant([{"type": "web_search_tool_result", "tool_use_id": "s", "content": []}])
    system, messages = sent(User("u"), paused, System("s"))
    assert system is None
    assert messages == [User("u"), paused, System("s")]


def test_system_between_call_and_result() -> None:
    """A system message must not part a call from its result: it goes behind the result."""
    _, messages = sent(User("u"), Assistant(None, tool_calls=[call("c")]), System("s"), result("c", "r"))
    assert messages[2:] == [User([{"type": "tool_result", "tool_use_id": "c", "content": "r"}]), System("s")]


@pytest.mark.parametrize(
    ("message", "block"),
    [
        (System("s"), text("<system>\ns\n</system>")),
        (System([text("s", cache_control=CACHE), text("t")]), text("<system>\nst\n</system>", cache_control=CACHE)),
    ],
)
def test_later_system_elsewhere(message: dict[str, Any], block: dict[str, Any]) -> None:
    """On models without them, a later system message is text in the user's turn, in place, and an edit."""
    encoded = encode(OLD, messages=[User("u"), message, User("v")])
    assert encoded.body["messages"] == [User([text("u"), block, text("v")])]
    assert any("<system>" in edit for edit in encoded.edits)


def test_system_fields_on_models_without_them() -> None:
    """What only an inner system message can say is dropped and named where there is none."""
    encoded = encode(OLD, messages=[User("u"), System("s", clear_at="never"), System([], output_config={})])
    assert encoded.dropped == ("messages.clear_at", "messages.output_config")
    change = System([{"type": "tool_removal", "tool": {"type": "tool_reference", "name": "t"}}])
    assert refused(OLD, messages=[User("u"), change]) == "messages[1].content"
    assert encode(NEW, messages=[User("u"), change]).body["messages"][1] == change
    assert refused(NEW, messages=[change, User("u")]) == "messages[0].content"


def test_nothing_but_a_system_prompt() -> None:
    """The vendor needs a user's turn: the system prompt is it, and an edit says so."""
    encoded = encode(messages=[System("Tell a joke.")])
    assert encoded.body["messages"] == [User("Tell a joke.")]
    assert "system" not in encoded.body
    assert any("system prompt" in edit for edit in encoded.edits)
    assert refused(messages=[User(""), Assistant("")]) == "messages"


# Turns


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([User("a"), User("b")], [User([text("a"), text("b")])]),
        (
            [User("a"), Assistant("b"), Assistant("c"), User("d")],
            [User("a"), Assistant([text("b"), text("c")]), User("d")],
        ),
        ([User(""), User("b")], [User("b")]),
        ([User("a"), Assistant(""), User("b")], [User([text("a"), text("b")])]),
        ([User("a"), Assistant(None), User("b")], [User([text("a"), text("b")])]),
        ([User([text("a"), text("")])], [User([text("a")])]),
        ([User("a", cache_control=CACHE)], [User([text("a", cache_control=CACHE)])]),
        ([Assistant("a"), User("b")], [Assistant("a"), User("b")]),
        (
            [User("a"), Assistant([text("b"), {"type": "refusal", "refusal": "no"}]), User("c")],
            [User("a"), Assistant([text("b"), text("no")]), User("c")],
        ),
        ([User("a"), Assistant(None, refusal="no"), User("c")], [User("a"), Assistant([text("no")]), User("c")]),
    ],
)
def test_turns(messages: list[Any], expected: list[Any]) -> None:
    """Messages of one role in a row are one, empty ones are left out, a single text stays a text."""
    assert sent(*messages) == (None, expected)


def test_names_are_dropped() -> None:
    """The vendor has no names of participants."""
    encoded = encode(messages=[User("a", name="Ann"), Assistant("b", name="Bob"), User("c", name=None)], max_tokens=1)
    assert encoded.dropped == ("messages.name",)


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"role": "oracle", "content": "x"}, "messages[1].role"),
        ({"content": "x"}, "messages[1].role"),
        (User(5), "messages[1].content"),
        (User(["x"]), "messages[1].content[0]"),
        ({"role": "tool", "content": "x"}, "messages[1].tool_call_id"),
        (Assistant("x", audio={"id": "a"}), "messages[1].audio"),
        (Assistant("x", tool_calls={"id": "a"}), "messages[1].tool_calls"),
        (Assistant("x", tool_calls=[{"type": "function"}]), "messages[1].tool_calls[0].id"),
        (Assistant("x", tool_calls=[{"id": "a"}]), "messages[1].tool_calls[0].function"),
        (Assistant("x", tool_calls=[{"id": "a", "function": {}}]), "messages[1].tool_calls[0].function.name"),
        (Assistant("x", function_call={}), "messages[1].function_call.name"),
    ],
)
def test_malformed(message: dict[str, Any], field: str) -> None:
    """A message that cannot be translated is refused with the field's name."""
    assert refused(messages=[User("a"), message]) == field


# Tools


def test_parallel_calls_and_results() -> None:
    """Several results are one user message, before what the user says, whatever the order."""
    calls = Assistant("both", tool_calls=[call("a", '{"x": 1}'), call("b", "")])
    after = [User("and?"), result("a", "1"), result("b", [text("2"), text("")], is_error=True, cache_control=CACHE)]
    encoded = encode(messages=[User("u"), calls, *after])
    assert encoded.body["messages"][1:] == [
        Assistant([text("both"), use("a", {"x": 1}), use("b")]),
        User(
            [
                {"type": "tool_result", "tool_use_id": "a", "content": "1"},
                {
                    "type": "tool_result",
                    "tool_use_id": "b",
                    "content": [text("2")],
                    "cache_control": CACHE,
                    "is_error": True,
                },
                text("and?"),
            ]
        ),
    ]
    assert any("Tool results are put before" in edit for edit in encoded.edits)


def test_result_without_content() -> None:
    """A result may be nothing."""
    _, messages = sent(User("u"), Assistant(None, tool_calls=[call("a")]), result("a"), result("b", []))
    assert messages[2]["content"] == [{"type": "tool_result", "tool_use_id": name} for name in "ab"]


def test_images_in_results() -> None:
    """A tool's result may be an image, a document, or one of the vendor's own blocks."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    own = {"type": "tool_reference", "tool_name": "t"}
    _, messages = sent(User("u"), Assistant(None, tool_calls=[call("a")]), result("a", [text("see"), image, own]))
    [block] = messages[2]["content"]
    source = {"type": "base64", "media_type": "image/png", "data": "AA=="}
    assert block["content"] == [text("see"), {"type": "image", "source": source}, own]


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        ("{}", {}),
        ("", {}),
        (" ", {}),
        (None, {}),
        ({"x": 1}, {"x": 1}),
        ('{"x": ', {RAW_ARGUMENTS: '{"x": '}),
        ("[1]", {RAW_ARGUMENTS: "[1]"}),
        ("null", {RAW_ARGUMENTS: "null"}),
        ('{"x": NaN}', {RAW_ARGUMENTS: '{"x": NaN}'}),
        (5, {RAW_ARGUMENTS: "5"}),
    ],
)
def test_arguments(arguments: Any, value: dict[str, Any]) -> None:
    """Arguments are an object; what is none is wrapped in one, and an edit says so."""
    function = {"name": "f", "arguments": arguments}
    encoded = encode(messages=[User("u"), Assistant(None, tool_calls=[{"id": "a", "function": function}]), result("a")])
    assert encoded.body["messages"][1]["content"] == [use("a", value)]
    assert any("no JSON object" in edit for edit in encoded.edits) == (RAW_ARGUMENTS in value)


def test_call_ids() -> None:
    """Ids of other vendors that this one refuses are replaced, the same in call and result."""
    _, messages = sent(User("u"), Assistant(None, tool_calls=[call("f:0 ü")]), result("f:0 ü", "r"))
    [block] = messages[1]["content"]
    assert block["id"] == messages[2]["content"][0]["tool_use_id"]
    assert block["id"].replace("_", "").isalnum()
    assert block["id"].isascii()


def test_custom_calls() -> None:
    """A free-form tool's call has its text as the one property of the input."""
    custom = {"id": "a", "type": "custom", "custom": {"name": "run", "input": "ls"}}
    _, messages = sent(User("u"), Assistant(None, tool_calls=[custom]), result("a"))
    assert messages[1]["content"] == [use("a", {CUSTOM_INPUT: "ls"}, "run")]


def test_cache_hints_on_calls() -> None:
    """A hint stands on the block of its call, or on the last block of its message."""
    hinted = Assistant(None, tool_calls=[call("a", cache_control=CACHE)])
    _, messages = sent(User("u"), hinted, result("a"))
    assert messages[1]["content"] == [{**use("a"), "cache_control": CACHE}]
    _, messages = sent(User("u"), Assistant("x", tool_calls=[call("a")], cache_control=CACHE), result("a"))
    assert messages[1]["content"] == [text("x"), {**use("a"), "cache_control": CACHE}]


def test_legacy_functions() -> None:
    """A function call without an id and its answer by name are paired."""
    first = Assistant(None, function_call={"name": "f", "arguments": '{"x": 1}'})
    second = Assistant(None, function_call={"name": "f", "arguments": "{}"})
    answer = {"role": "function", "name": "f", "content": "1"}
    stray = {"role": "function", "name": "g", "content": None}
    _, messages = sent(User("u"), first, answer, second, answer, stray)
    uses = [message["content"][0] for message in messages if message["role"] == "assistant"]
    results = [block for message in messages[1:] if message["role"] == "user" for block in message["content"]]
    assert [block["id"] for block in uses] == [block["tool_use_id"] for block in results[:2]]
    assert uses[0]["id"] != uses[1]["id"]
    assert results[2] == {"type": "tool_result", "tool_use_id": "g"}


# The vendor's own blocks

THINKING = {"type": "thinking", "thinking": "hm", "signature": "sig"}
NATIVE = [THINKING, text("Hello"), use("a", {"x": 1})]


def answer(blocks: Any = NATIVE, wire: str = "anthropic.messages", **more: Any) -> dict[str, Any]:
    own = {"wire": wire, "content": blocks}
    calls = [call("a", '{ "x":1 }')]
    return {**Assistant("Hello", tool_calls=calls, reasoning_content="hm", native_content=own), **more}


def sent_back(message: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    encoded = encode(messages=[User("u"), message, result("a", "r")], max_tokens=5)
    assert encoded.dropped == ()
    return encoded.body["messages"][1]["content"], encoded.edits


def test_blocks_go_back_exactly() -> None:
    """An answer's own blocks are sent back as they came, also beside arguments that are spelled differently."""
    assert sent_back(answer()) == (NATIVE, ())


@pytest.mark.parametrize(
    "message",
    [
        answer(content="Hello!"),
        answer(tool_calls=[call("a", '{"x": 2}')]),
        answer(tool_calls=[call("b", '{"x": 1}')]),
        answer(tool_calls=[call("a", '{"x": 1}', "g")]),
        answer(tool_calls=[call("a", '{"x": 1')]),
        answer(wire="google.generate"),
        answer(blocks="odd"),
        answer(blocks=[{"type": "text"}]),
        answer(blocks=["odd"]),
        answer(native_content="odd"),
    ],
)
def test_changed_answers_are_built_anew(message: dict[str, Any]) -> None:
    """Who changes an answer's text or calls means the change: its blocks are left out, and an edit says so."""
    blocks, edits = sent_back(message)
    assert THINKING not in blocks
    assert blocks[0] == text(message["content"])
    assert any("native_content" in edit for edit in edits)


def test_blocks_that_the_vendor_refuses_back() -> None:
    """Empty texts and thinking that nobody signed are left out of the blocks."""
    blocks = [{**THINKING, "signature": ""}, text(""), *NATIVE[1:]]
    assert sent_back(answer(blocks)) == (NATIVE[1:], ())


def test_blocks_with_a_cache_hint() -> None:
    """A hint on the message stands on its last block, but not on thinking."""
    blocks, _ = sent_back(answer(cache_control=CACHE))
    assert blocks == [*NATIVE[:-1], {**NATIVE[-1], "cache_control": CACHE}]
    assert "cache_control" not in NATIVE[-1]
    only_thinking = Assistant("", native_content={"wire": "anthropic.messages", "content": [THINKING]})
    _, messages = sent(User("u"), {**only_thinking, "cache_control": CACHE}, User("v"))
    assert messages[1] == Assistant([THINKING])


def test_calls_of_the_json_tool_do_not_go_back() -> None:
    """A structured answer goes back as the text it was: nothing would answer the call."""
    forced = [THINKING, use("j", {"a": 1}, JSON_TOOL)]
    message = Assistant('{"a":1}', native_content={"wire": "anthropic.messages", "content": forced})
    _, messages = sent(User("u"), message, User("v"))
    assert messages[1] == Assistant('{"a":1}')


def test_arguments_that_were_wrapped_go_back() -> None:
    """A call whose arguments are no object agrees with its block."""
    blocks = [THINKING, text("Hello"), use("a", {RAW_ARGUMENTS: '{"x'})]
    assert sent_back(answer(blocks, tool_calls=[call("a", '{"x')]))[0] == blocks
