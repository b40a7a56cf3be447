"""What is measured: each scenario is one kind of call, its prompts, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["CONTENDERS", "GROUPS", "SCENARIOS", "Group", "Scenario"]

Group = Literal["memory", "disk", "redis", "miss", "stream", "start"]
GROUPS: Final[tuple[Group, ...]] = ("memory", "disk", "redis", "miss", "stream", "start")

CONTENDERS: Final = ("edgeagent", "httpx", "openai", "litellm", "hishel", "gptcache")
"""Who is measured; the names are those of the modules in `benchmarks.contenders`, `httpx` is the bare call."""


@dataclass(frozen=True)
class Scenario:
    """One kind of call.

    Attributes:
        group: what it belongs to on the command line.
        method: the contender's method; a contender without it does not take part.
        kilobytes: the prompt's size.
        prompts: how many prompts are asked in turn; None: never the same twice.
        requests: what one call costs the upstream, checked after every batch.
        calls: in one round.
        text: what the answer must read: the whole completion, or the streamed one.
    """

    group: Group
    method: str
    kilobytes: int
    prompts: int | None
    requests: int
    calls: int
    text: Literal["whole", "streamed"] = "whole"


def _both(name: str, scenario: Scenario) -> dict[str, Scenario]:
    """A scenario for code that blocks, and the same for code that awaits (its method's name begins with `a`)."""
    twin = Scenario(**{**scenario.__dict__, "method": f"a{scenario.method}"})
    return {name: scenario, f"{name}, async": twin}


SCENARIOS: Final[Mapping[str, Scenario]] = {
    **_both("memory hit", Scenario("memory", "memory", 1, 8, 0, 1000)),
    **_both("memory hit, 10 KB", Scenario("memory", "memory", 10, 8, 0, 500)),
    **_both("disk hit", Scenario("disk", "disk", 1, 32, 0, 200)),
    **_both("redis hit", Scenario("redis", "redis", 1, 32, 0, 200)),
    **_both("miss", Scenario("miss", "miss", 1, None, 1, 80)),
    **_both("stream", Scenario("stream", "stream", 1, None, 1, 20, "streamed")),
    **_both("paced stream", Scenario("stream", "paced", 1, None, 1, 10, "streamed")),
}
