"""Chunks → completion → chunks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.types import ChatCompletion, ChatCompletionChunk
from edgeagent.types.assembly import Assembly, assemble, to_chunks

USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def chunk(
    delta: dict[str, Any] | None = None, *, index: int = 0, choice: Any = None, **top: Any
) -> ChatCompletionChunk:
    """One chunk with one choice, or with none where there is no delta."""
    choices = [] if delta is None else [{"index": index, "delta": delta, **(choice or {})}]
    return ChatCompletionChunk.model_validate({"id": "c", "created": 1, "model": "m", "choices": choices, **top})


def message(*deltas: dict[str, Any]) -> dict[str, Any]:
    """The message that deltas make, as what was set."""
    return assemble([chunk(delta) for delta in deltas]).choices[0].message.to_dict()


def fragment(index: int, **fields: Any) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, **fields}]}


PLAIN = {"role": "assistant", "content": None}


@pytest.mark.parametrize(
    ("deltas", "expected"),
    [
        pytest.param([{}], {}, id="nothing"),
        pytest.param(
            [{"role": "assistant", "content": ""}, {"content": "a"}, {"content": "b"}], {"content": "ab"}, id="text"
        ),
        pytest.param([{"content": None}], {}, id="content null"),
        pytest.param([{"content": ""}], {"content": ""}, id="empty text is text"),
        pytest.param([{"role": ""}, {"role": "tool"}, {"role": "user"}], {"role": "tool"}, id="the first role"),
        pytest.param([{"refusal": None}], {"refusal": None}, id="refusal null is a field"),
        pytest.param([{"refusal": ""}, {"refusal": "No"}, {"refusal": None}], {"refusal": "No"}, id="refusal"),
        pytest.param(
            [{"reasoning_content": "a"}, {"reasoning_content": "b"}], {"reasoning_content": "ab"}, id="reasoning"
        ),
        pytest.param(
            [{"annotations": []}, {"annotations": [{"type": "a"}]}, {"annotations": [{"type": "b", "x": 1}]}],
            {"annotations": [{"type": "a"}, {"type": "b", "x": 1}]},
            id="annotations",
        ),
        pytest.param(
            [
                {"audio": {"id": "a", "transcript": "x"}},
                {"audio": {"data": "AA"}},
                {"audio": {"data": "BB", "transcript": "y"}},
                {"audio": {"expires_at": 5, "z": 1}},
                {"audio": {"id": ""}},
            ],
            {"audio": {"id": "a", "data": "AABB", "transcript": "xy", "expires_at": 5, "z": 1}},
            id="audio",
        ),
        pytest.param(
            [{"function_call": {"name": "f", "arguments": ""}}, {"function_call": {"arguments": "{}"}}],
            {"function_call": {"name": "f", "arguments": "{}"}},
            id="function call",
        ),
        pytest.param(
            [
                fragment(0, id="a", type="function", function={"name": "f", "arguments": ""}),
                fragment(0, id="", function={"arguments": "{"}),
                fragment(1, id="b", type="function", function={"name": "g", "arguments": "[]"}),
                fragment(0, type="function", function={"arguments": "}"}),
            ],
            {
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    {"id": "b", "type": "function", "function": {"name": "g", "arguments": "[]"}},
                ]
            },
            id="tool calls by index",
        ),
        pytest.param(
            [
                fragment(2, id="c", function={"name": "h"}),
                {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f"}}]},
            ],
            {
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
                    {"id": "c", "type": "function", "function": {"name": "h", "arguments": ""}},
                ]
            },
            id="in the order of their indices, functions unless they say otherwise",
        ),
        pytest.param(
            [fragment(0, id="a", function={"name": "get_"}), fragment(0, function={"name": "time"})],
            {"tool_calls": [{"id": "a", "type": "function", "function": {"name": "get_time", "arguments": ""}}]},
            id="a name in pieces",
        ),
        pytest.param(
            [fragment(0, id="a", function={"name": "f", "arguments": "1"})] * 2,
            {"tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "11"}}]},
            id="a name in every fragment",
        ),
        pytest.param(
            [fragment(0, id="a", custom={"name": "f", "input": "x"}), fragment(0, custom={"input": "y"})],
            {"tool_calls": [{"id": "a", "type": "custom", "custom": {"name": "f", "input": "xy"}}]},
            id="a custom call",
        ),
        pytest.param(
            [fragment(0, id="a", type="web", extra={"sig": "x"}), fragment(0, extra={"sig": "y"})],
            {"tool_calls": [{"id": "a", "type": "web", "extra": {"sig": "xy"}}]},
            id="a call of an unknown type",
        ),
        pytest.param([{"tool_calls": []}], {"tool_calls": []}, id="no calls is not the same as none"),
        pytest.param(
            [{"native_content": {"wire": "w", "content": [1]}}],
            {"native_content": {"wire": "w", "content": [1]}},
            id="native",
        ),
        pytest.param(
            [
                {"native_content": {"wire": "w", "content": [1]}},
                {"native_content": {"wire": "w", "content": [2], "x": 1}},
                {"native_content": {"wire": "w"}},
            ],
            {"native_content": {"wire": "w", "content": [1, 2], "x": 1}},
            id="native in pieces",
        ),
        pytest.param([{"poem": "a"}, {"poem": "b"}, {"poem": None}], {"poem": "ab"}, id="unknown text"),
        pytest.param([{"poem": None}, {"poem": "b"}], {"poem": "b"}, id="unknown null, then text"),
        pytest.param([{"poem": None}], {"poem": None}, id="unknown null"),
        pytest.param([{"n": 1}, {"n": 2}], {"n": 2}, id="unknown number"),
        pytest.param([{"n": 1}, {"n": "a"}], {"n": "a"}, id="unknown of changing type"),
        pytest.param([{"l": [1]}, {"l": [2]}], {"l": [1, 2]}, id="unknown list"),
        pytest.param(
            [
                {"d": [{"index": 0, "type": "t", "text": "a"}, {"index": 1, "id": "i", "text": "x"}]},
                {"d": [{"index": 1, "id": "i", "text": "y"}, {"index": 0, "type": "", "text": "b"}]},
                {"d": [{"index": 2, "text": "z"}, 7, {"index": 2, "text": "z"}]},
            ],
            {
                "d": [
                    {"index": 0, "type": "t", "text": "ab"},
                    {"index": 1, "id": "i", "text": "xy"},
                    {"index": 2, "text": "zz"},
                    7,
                ]
            },
            id="unknown list whose items have an index",
        ),
    ],
)
def test_deltas(deltas: list[dict[str, Any]], expected: dict[str, Any]) -> None:
    """What deltas hold is added up, each kind of field in its own way."""
    assert message(*deltas) == {**PLAIN, **expected}


def test_merging_changes_no_chunk() -> None:
    """Assembling twice gives the same, since nothing is added to the chunks themselves."""
    chunks = [
        chunk({"d": {"t": "a"}, "l": [{"index": 0, "t": "a"}]}),
        chunk({"d": {"t": "b"}, "l": [{"index": 0, "t": "b"}]}),
    ]
    assert assemble(chunks) == assemble(chunks)
    assert chunks[0].choices[0].delta.model_extra == {"d": {"t": "a"}, "l": [{"index": 0, "t": "a"}]}


def test_choices() -> None:
    """Choices are told apart by their index and stand in its order; beside a delta the last value counts.

    Of an object each field's: Groq's first chunk tells the seed in `x_groq`, its last the usage.
    """
    completion = assemble(
        [
            chunk({"content": "b"}, index=1),
            chunk({"content": "a"}, index=0, choice={"filter": {"x": 1, "z": 1}, "logprobs": None}),
            chunk(
                {}, index=0, choice={"finish_reason": "stop", "native_finish_reason": "eos", "filter": {"y": 2, "z": 2}}
            ),
            chunk({}, index=0, choice={"finish_reason": None, "native_finish_reason": None, "filter": None}),
            chunk({}, index=1, choice={"finish_reason": "length"}),
        ]
    )
    assert [choice.to_dict() for choice in completion.choices] == [
        {
            "index": 0,
            "message": {**PLAIN, "content": "a"},
            "finish_reason": "stop",
            "native_finish_reason": "eos",
            "logprobs": None,
            "filter": {"x": 1, "y": 2, "z": 2},
        },
        {"index": 1, "message": {**PLAIN, "content": "b"}, "finish_reason": "length"},
    ]


def test_a_whole_message_beside_the_delta_is_left_out() -> None:
    """Some vendors repeat the whole message in every chunk: the deltas say it already."""
    completion = assemble([chunk({"content": "a"}, choice={"message": {"content": "a"}})])
    assert completion.choices[0].message.content == "a"


def test_logprobs() -> None:
    """Lists of tokens are extended, the content's and the refusal's apart."""
    token = {"token": "a", "logprob": -1.0, "bytes": None, "top_logprobs": []}
    completion = assemble(
        [
            chunk({}, choice={"logprobs": {"content": [token], "refusal": None, "x": "1"}}),
            chunk({}, choice={"logprobs": None}),
            chunk({}, choice={"logprobs": {"content": [token, token], "refusal": []}}),
        ]
    )
    logprobs = completion.choices[0].logprobs
    assert logprobs is not None
    assert logprobs.to_dict() == {"content": [token] * 3, "refusal": [], "x": "1"}


def test_top_level() -> None:
    """The first id, time and model that say anything; else the last value; padding is no part of the answer."""
    completion = assemble(
        [
            chunk(id="", created=0, model="", prompt_filter_results=[1]),
            chunk({}, id="x", created=5, model="m", service_tier="flex", obfuscation="abc", usage=None),
            chunk({}, id="y", created=6, model="n", service_tier=None, system_fingerprint="f", metadata={"a": "b"}),
            chunk(usage=USAGE, moderation="odd"),
            chunk(usage={**USAGE, "total_tokens": 9}),
            chunk({}, usage=None, shard=None),
        ]
    )
    assert completion.to_dict() == {
        "id": "x",
        "object": "chat.completion",
        "created": 5,
        "model": "m",
        "service_tier": "flex",
        "system_fingerprint": "f",
        "metadata": {"a": "b"},
        "prompt_filter_results": [1],
        "shard": None,
        "usage": {**USAGE, "total_tokens": 9},
        "choices": [{"index": 0, "message": PLAIN, "finish_reason": None}],
    }
    assert completion.object == "chat.completion"


def test_an_assembly_grows() -> None:
    """The completion can be asked for at any time, before the first chunk too."""
    assembly = Assembly()
    assert assembly.completion() == ChatCompletion(id="", choices=[], created=0, model="")
    assembly.add(chunk({"content": "a"}))
    assert assembly.completion().choices[0].message.content == "a"
    assembly.add(chunk({"content": "b"}))
    assert assembly.completion().choices[0].message.content == "ab"


# The inverse


def test_chunks_of_a_completion() -> None:
    """Text, then each call, then the end, then the usage without choices: as OpenAI streams."""
    call = {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    completion = ChatCompletion.model_validate(
        {
            "id": "x",
            "created": 5,
            "model": "m",
            "service_tier": "flex",
            "shard": 1,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "tool_calls",
                    "message": {"role": "assistant", "content": "Hi", "tool_calls": [call]},
                }
            ],
            "usage": USAGE,
        }
    )
    chunks = [chunk.to_dict() for chunk in to_chunks(completion)]
    top = {"id": "x", "object": "chat.completion.chunk", "created": 5, "model": "m", "service_tier": "flex"}
    parts = [
        {"index": 0, "delta": {"role": "assistant", "content": "Hi"}, "finish_reason": None, "logprobs": None},
        {"index": 0, "delta": {"tool_calls": [{"index": 0, **call}]}, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": "tool_calls"},
    ]
    assert chunks == [
        *({**top, "choices": [part]} for part in parts),
        {**top, "choices": [], "usage": USAGE, "shard": 1},
    ]


def test_a_completion_without_choices_is_one_chunk() -> None:
    """There is always a chunk to carry what stands at the top."""
    completion = ChatCompletion(id="x", choices=[], created=5, model="m", metadata={"a": "b"})
    assert assemble(to_chunks(completion)) == completion


TEXT = st.text(max_size=8)
NAMES = st.text("abcdefgh", min_size=1, max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=4,
)
EXTRA = st.dictionaries(st.sampled_from(["new_a", "new_b"]), JSON, max_size=2)


def objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = st.fixed_dictionaries(required, optional={name: st.none() | value for name, value in optional.items()})
    return st.builds(lambda a, b: {**b, **a}, known, EXTRA)


TOKENS = st.lists(
    objects({"token": TEXT, "logprob": st.floats(-9, 0)}, {"bytes": st.lists(st.integers(0, 255), max_size=2)}),
    max_size=2,
)
FUNCTIONS = objects({"name": NAMES, "arguments": TEXT}, {})
CALLS = st.lists(
    objects({"id": NAMES, "type": st.just("function"), "function": FUNCTIONS}, {})
    | objects({"id": NAMES, "type": st.just("custom"), "custom": objects({"name": NAMES, "input": TEXT}, {})}, {})
    | objects({"id": NAMES, "type": NAMES}, {}),
    max_size=3,
)
MESSAGES = objects(
    {"role": st.just("assistant")},
    {
        "content": TEXT,
        "refusal": TEXT,
        "reasoning_content": TEXT,
        "annotations": st.lists(objects({"type": NAMES}, {}), max_size=2),
        "audio": objects({"id": NAMES}, {"data": TEXT, "expires_at": st.integers(), "transcript": TEXT}),
        "function_call": FUNCTIONS,
        "tool_calls": CALLS,
        "native_content": st.fixed_dictionaries({"wire": NAMES, "content": st.lists(JSON, max_size=2)}),
    },
)
CHOICES = st.lists(
    objects(
        {"message": MESSAGES},
        {
            "finish_reason": st.sampled_from(["stop", "length", "tool_calls", "content_filter", "function_call"]),
            "native_finish_reason": NAMES,
            "logprobs": objects({}, {"content": TOKENS, "refusal": TOKENS}),
        },
    ),
    max_size=3,
).map(lambda choices: [{**choice, "index": i} for i, choice in enumerate(choices)])
COMPLETIONS = objects(
    {"id": TEXT, "created": st.integers(0, 10), "model": TEXT, "choices": CHOICES},
    {
        "service_tier": NAMES,
        "system_fingerprint": TEXT,
        "metadata": st.dictionaries(TEXT, TEXT, max_size=2),
        "moderation": st.dictionaries(TEXT, JSON, max_size=2),
        "usage": objects({name: st.integers(0, 9) for name in USAGE}, {}),
    },
).map(ChatCompletion.model_validate)


@given(completion=COMPLETIONS)
def test_there_and_back(completion: ChatCompletion) -> None:
    """Any completion is made again by the chunks that it is replayed as."""
    assert assemble(to_chunks(completion)) == completion


@given(completion=COMPLETIONS)
def test_chunks_are_valid(completion: ChatCompletion) -> None:
    """The chunks of any completion survive JSON, and only the last one has usage."""
    chunks = to_chunks(completion)
    again = [ChatCompletionChunk.model_validate_json(chunk.to_json()) for chunk in chunks]
    assert assemble(again) == completion
    assert all(chunk.usage is None for chunk in chunks[:-1])
