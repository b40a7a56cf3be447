"""From samples to figures: pure arithmetic, and the targets.

Times differ between machines and between minutes; a ratio is therefore taken within a round, where both contenders were
measured one after the other, and the median over the rounds is the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median, quantiles
from typing import Any, Final

from benchmarks.workload import CHUNKS

__all__ = ["Measured", "Row", "rows"]

PEERS: Final = ("httpx", "pydantic", "openai", "litellm", "hishel", "gptcache")
_IMPORTED: Final = ("pydantic", "openai", "litellm")


@dataclass
class Measured:
    """The samples of a run.

    Attributes:
        wall: scenario → contender → rounds → nanoseconds of each call.
        cpu: scenario → contender → rounds → nanoseconds of processor time of a call, on average.
        imports: what → seconds, one for each round.
        first: who → seconds until the first answer.
        resident: who → bytes after it.
    """

    wall: dict[str, dict[str, list[list[int]]]] = field(default_factory=dict)
    cpu: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    imports: dict[str, list[float]] = field(default_factory=dict)
    first: dict[str, list[float]] = field(default_factory=dict)
    resident: dict[str, list[int]] = field(default_factory=dict)

    def rounds(self, scenario: str, contender: str) -> list[float]:
        """The median of each round, in microseconds; empty if the contender did not take part."""
        return [median(batch) / 1e3 for batch in self.wall.get(scenario, {}).get(contender, ())]

    def summary(self) -> dict[str, Any]:
        """What the table leaves out: every scenario and contender, in microseconds."""
        return {
            scenario: {
                contender: {
                    "p50": median(self.rounds(scenario, contender)),
                    "p90": self.p90(scenario, contender),
                    "processor": median(self.cpu[scenario][contender]) / 1e3,
                    "rounds": self.rounds(scenario, contender),
                }
                for contender in contenders
            }
            for scenario, contenders in self.wall.items()
        }

    def p90(self, scenario: str, contender: str) -> float:
        """The 90th percentile over all calls, in microseconds."""
        calls = [call for batch in self.wall[scenario][contender] for call in batch]
        return quantiles(calls, n=10)[-1] / 1e3 if len(calls) > 1 else calls[0] / 1e3


@dataclass(frozen=True)
class Row:
    """One line of the table. `reached` is None where there is no target."""

    figure: str
    unit: str
    ours: float
    p90: float | None
    peers: Mapping[str, float]
    ratio: str
    target: str
    reached: bool | None

    def as_dict(self) -> dict[str, Any]:
        """For the JSON file."""
        return {**self.__dict__, "peers": dict(self.peers)}


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median over the rounds of theirs ÷ ours."""
    return median(b / a for a, b in zip(ours, theirs, strict=True))


def rows(measured: Measured) -> list[Row]:
    """Every figure for which there are samples."""
    made = [
        *_hits(measured),
        *_misses(measured),
        *_streams(measured),
        *_starts(measured),
    ]
    return [row for row in made if row is not None]


def _hits(m: Measured) -> list[Row | None]:
    return [
        _time(m, "memory hit", "memory hit, sync", at_most=25),
        _versus(m, "memory hit", "memory hit, sync, against litellm", "litellm", times=30),
        _time(m, "memory hit, async", "memory hit, async", at_most=25),
        _versus(m, "memory hit, async", "memory hit, async, against litellm", "litellm", times=30),
        _versus(m, "memory hit", "memory hit, sync, against hishel", "hishel"),
        _versus(m, "memory hit, async", "memory hit, async, against hishel", "hishel"),
        _versus(m, "memory hit", "memory hit, sync, against GPTCache", "gptcache"),
        _slope(m, "memory hit", "each KB of prompt more, sync", at_most=3),
        _slope(m, "memory hit, async", "each KB of prompt more, async", at_most=3),
        _time(m, "disk hit", "disk hit, sync", at_most=80),
        _time(m, "disk hit, async", "disk hit, async", at_most=250),
        _versus(m, "disk hit", "disk hit, sync, against hishel", "hishel"),
        _versus(m, "disk hit, async", "disk hit, async, against hishel", "hishel"),
        _versus(m, "redis hit", "redis hit, sync, against litellm", "litellm", share=None),
        _versus(m, "redis hit, async", "redis hit, async, against litellm", "litellm", share=None),
    ]


def _misses(m: Measured) -> list[Row | None]:
    return [
        _versus(m, "miss", "miss, sync, against httpx", "httpx", share=1.1),
        _versus(m, "miss", "miss, sync, against openai", "openai", share=1.0),
        _versus(m, "miss, async", "miss, async, against httpx", "httpx", share=None),
        _versus(m, "miss, async", "miss, async, against openai", "openai", share=1.0),
    ]


def _streams(m: Measured) -> list[Row | None]:
    def wall(scenario: str) -> Callable[[str], list[float]]:
        return lambda who: m.rounds(scenario, who)

    def cpu(scenario: str) -> Callable[[str], list[float]]:
        return lambda who: [each / 1e3 for each in m.cpu.get(scenario, {}).get(who, ())]

    return [
        _per_chunk("stream, a chunk above raw lines, sync", wall("stream"), at_most=10),
        _per_chunk("stream, a chunk above raw lines, async", wall("stream, async"), at_most=10),
        _per_chunk("the same, one write a chunk, processor time, sync", cpu("paced stream"), at_most=None),
        _per_chunk("the same, one write a chunk, processor time, async", cpu("paced stream, async"), at_most=None),
        _time(m, "stream", "a whole stream of 200 chunks, sync", unit="ms"),
        _time(m, "stream, async", "a whole stream of 200 chunks, async", unit="ms"),
    ]


def _starts(m: Measured) -> list[Row | None]:
    made: list[Row | None] = []
    for figure, names, share in (
        ("import edgeagent, against import pydantic", [f"import {name}" for name in ("edgeagent", *_IMPORTED)], 1.5),
        ("import EdgeClient, against BaseModel", ["EdgeClient", "BaseModel", "openai.OpenAI", "litellm.completion"], 0),
    ):
        if names[0] in m.imports:
            ours, *theirs = (m.imports[name] for name in names)
            share_of_pydantic = 1 / ratio(ours, theirs[0])
            made.append(
                Row(
                    figure,
                    "ms",
                    median(ours) * 1e3,
                    None,
                    {peer: median(times) * 1e3 for peer, times in zip(_IMPORTED, theirs, strict=True)},
                    f"{share_of_pydantic:.2f} x",
                    f"≤ {share} x" if share else "",
                    share_of_pydantic <= share if share else None,
                )
            )
    if m.first:
        first = {who: median(times) * 1e3 for who, times in m.first.items() if who != "bare"}
        held = {who: (median(sizes) - median(m.resident["bare"])) / 2**20 for who, sizes in m.resident.items()}
        made.append(_plain("first answer of a fresh process", "ms", first, None))
        made.append(_plain("memory after it, above a bare interpreter", "MB", held, 45))
    return made


def _plain(figure: str, unit: str, values: Mapping[str, float], at_most: float | None) -> Row:
    ours = values["edgeagent"]
    return Row(
        figure,
        unit,
        ours,
        None,
        {peer: values[peer] for peer in PEERS if peer in values},
        "",
        "" if at_most is None else f"≤ {at_most} {unit}",
        None if at_most is None else ours <= at_most,
    )


def _time(m: Measured, scenario: str, figure: str, at_most: float | None = None, unit: str = "µs") -> Row | None:
    """The time of a call, and of the peers that can do the same."""
    if not m.rounds(scenario, "edgeagent"):
        return None
    scale = 1.0 if unit == "µs" else 1e3
    ours = median(m.rounds(scenario, "edgeagent")) / scale
    peers = {peer: median(m.rounds(scenario, peer)) / scale for peer in PEERS if m.rounds(scenario, peer)}
    return Row(
        figure,
        unit,
        ours,
        m.p90(scenario, "edgeagent") / scale,
        peers,
        "",
        "" if at_most is None else f"≤ {at_most:g} {unit}",
        None if at_most is None else ours <= at_most,
    )


def _versus(
    m: Measured, scenario: str, figure: str, peer: str, *, times: float | None = None, share: float | None = None
) -> Row | None:
    """A call against one peer's: at least so many `times` faster, or at most this `share` of its time."""
    row = _time(m, scenario, figure)
    if row is None or peer not in row.peers:
        return None
    faster = ratio(m.rounds(scenario, "edgeagent"), m.rounds(scenario, peer))
    if times is not None:
        told, target, reached = f"{faster:.1f} x faster", f"≥ {times:g} x", faster >= times
    elif share is not None:
        told, target, reached = f"{1 / faster:.2f} x", f"≤ {share:g} x", 1 / faster <= share
    else:
        return replace(row, ratio=f"{1 / faster:.2f} x")
    return replace(row, ratio=told, target=target, reached=reached)


def _slope(m: Measured, scenario: str, figure: str, at_most: float) -> Row | None:
    """What each further KB of the prompt costs: the difference between 10 KB and 1 KB, a ninth of it."""
    larger = scenario.replace("memory hit", "memory hit, 10 KB")

    def slope(who: str) -> list[float]:
        if not m.rounds(larger, who):
            return []
        pairs = zip(m.rounds(scenario, who), m.rounds(larger, who), strict=True)
        return [(large - small) / 9 for small, large in pairs]

    if not slope("edgeagent"):
        return None
    ours = median(slope("edgeagent"))
    peers = {peer: median(slope(peer)) for peer in PEERS if slope(peer)}
    return Row(figure, "µs", ours, None, peers, "", f"≤ {at_most:g} µs", ours <= at_most)


def _per_chunk(figure: str, times: Callable[[str], Sequence[float]], at_most: float | None) -> Row | None:
    """What a chunk costs above reading the raw lines."""
    raw = times("httpx")

    def above(who: str) -> list[float]:
        return [(theirs - bare) / CHUNKS for theirs, bare in zip(times(who), raw, strict=True)] if times(who) else []

    if not raw or not times("edgeagent"):
        return None
    ours = median(above("edgeagent"))
    peers = {"httpx": 0.0, **{peer: median(above(peer)) for peer in ("openai", "litellm") if above(peer)}}
    target, reached = ("", None) if at_most is None else (f"≤ {at_most:g} µs", ours <= at_most)
    return Row(figure, "µs", ours, None, peers, "", target, reached)
