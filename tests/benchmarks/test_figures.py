"""The benchmark's arithmetic, on samples whose figures are known."""

from __future__ import annotations

import pytest

from benchmarks.figures import Measured, Row, rows
from benchmarks.report import markdown
from benchmarks.workload import CHUNKS, STREAMED, messages, stream_events

US = 1000  # nanoseconds


def measured(**scenarios: dict[str, list[float]]) -> Measured:
    """Three calls in each round; `{"memory hit": {"edgeagent": [20, 30]}}` gives rounds with these medians in µs."""
    made = Measured()
    for name, contenders in scenarios.items():
        for contender, medians in contenders.items():
            batches = [[int((m - 1) * US), int(m * US), int((m + 100) * US)] for m in medians]
            made.wall.setdefault(name, {})[contender] = batches
            made.cpu.setdefault(name, {})[contender] = [m * US for m in medians]
    return made


def row(made: Measured, figure: str) -> Row:
    """The row of one figure."""
    return next(row for row in rows(made) if row.figure == figure)


def test_nothing_measured_is_an_empty_table() -> None:
    """Groups that were not asked for have no rows."""
    assert rows(Measured()) == []


@pytest.mark.parametrize(("ours", "reached"), [([24.0, 25.0, 26.0], True), ([26.0, 26.0, 20.0], False)])
def test_a_time_is_the_median_of_the_rounds_medians(ours: list[float], reached: bool) -> None:
    """A slow call or a slow round moves nothing."""
    made = measured(**{"memory hit": {"edgeagent": ours, "litellm": [700.0] * 3}})
    figure = row(made, "memory hit, sync")
    assert (figure.ours, figure.reached) == (sorted(ours)[1], reached)
    assert figure.p90 is not None
    assert figure.p90 > 100


@pytest.mark.parametrize(
    ("ours", "theirs", "told", "reached"),
    [
        ([10.0, 20.0, 40.0], [310.0, 620.0, 1240.0], "31.0 x faster", True),
        ([10.0, 20.0, 40.0], [290.0, 580.0, 9999.0], "29.0 x faster", False),
    ],
)
def test_a_ratio_is_taken_within_a_round(ours: list[float], theirs: list[float], told: str, reached: bool) -> None:
    """Drift that slows both contenders of a round cancels."""
    figure = row(
        measured(**{"memory hit": {"edgeagent": ours, "litellm": theirs}}), "memory hit, sync, against litellm"
    )
    assert (figure.ratio, figure.reached) == (told, reached)


@pytest.mark.parametrize(("ours", "told", "reached"), [(330.0, "1.10 x", True), (336.0, "1.12 x", False)])
def test_a_share_of_a_peers_time(ours: float, told: str, reached: bool) -> None:
    """A miss is held against the bare call."""
    made = measured(miss={"edgeagent": [ours], "httpx": [300.0], "openai": [900.0]})
    figure = row(made, "miss, sync, against httpx")
    assert (figure.ratio, figure.reached) == (told, reached)
    assert figure.peers == {"httpx": 300.0, "openai": 900.0}


def test_what_a_kb_costs() -> None:
    """A ninth of what a prompt of 10 KB takes longer than one of 1 KB."""
    made = measured(**{"memory hit": {"edgeagent": [20.0]}, "memory hit, 10 KB": {"edgeagent": [38.0]}})
    assert row(made, "each KB of prompt more, sync").ours == pytest.approx(2.0)


def test_what_a_chunk_costs() -> None:
    """The time above the raw lines, for each chunk with content."""
    made = measured(stream={"edgeagent": [1000.0 + 9 * CHUNKS], "httpx": [1000.0], "openai": [1000.0 + 70 * CHUNKS]})
    figure = row(made, "stream, a chunk above raw lines, sync")
    assert (figure.ours, figure.peers["openai"], figure.reached) == (pytest.approx(9), pytest.approx(70), True)


def test_a_fresh_process() -> None:
    """Imports are held against pydantic's, memory against a bare interpreter's."""
    made = Measured(
        imports={
            f"import {name}": [seconds]
            for name, seconds in {"edgeagent": 0.03, "pydantic": 0.02, "openai": 1, "litellm": 5}.items()
        },
        first={key: [0.1] for key in ("bare", "edgeagent", "httpx", "openai", "litellm")},
        resident={"bare": [10 * 2**20], "edgeagent": [56 * 2**20], "openai": [70 * 2**20]},
    )
    made.imports |= {key: [0.05] for key in ("EdgeClient", "BaseModel", "openai.OpenAI", "litellm.completion")}
    assert row(made, "import edgeagent, against import pydantic").reached is True
    memory = row(made, "memory after it, above a bare interpreter")
    assert (memory.ours, memory.peers, memory.reached) == (46.0, {"openai": 60.0}, False)


def test_the_table_says_what_was_not_reached() -> None:
    """A missed target stands out; a figure without one says nothing."""
    made = measured(**{"memory hit": {"edgeagent": [26.0], "litellm": [500.0]}, "stream": {"edgeagent": [1.0]}})
    facts = {"date": "today", "commit": "abc", "changed": False, "python": "3", "system": "x", "processor": "y"}
    facts |= {"cores": 2, "load": [0.1], "load_after": 0.2, "rounds": 1, "packages": {"httpx": "1"}, "configured": ""}
    lines = markdown(rows(made), facts).splitlines()
    assert sum("**no**" in line for line in lines) == 2
    assert len({len(line) for line in lines if line.startswith("|")}) == 1


def test_prompts_have_their_size_and_are_all_different() -> None:
    """Whole kilobytes, and never the same prompt by accident."""
    made = [messages(size, number)[0]["content"] for size in (1, 10) for number in (0, 1, 12_345_678)]
    assert [len(text) for text in made] == [1024] * 3 + [10240] * 3
    assert len(set(made)) == 6


def test_the_streamed_answer_is_what_its_events_say() -> None:
    """As many chunks with content as the figures divide by, which make the text that is checked."""
    from edgeagent.providers.openai.stream import ChatStreamDecoder

    decoder = ChatStreamDecoder()
    chunks = [chunk for event in stream_events() for chunk in decoder.feed(event)]
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(piece or "" for piece in pieces) == STREAMED
    assert len([piece for piece in pieces if piece]) == CHUNKS
