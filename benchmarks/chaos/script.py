"""What each call of a run does: drawn from the seed and the call's number, so that a run can be had again."""

from __future__ import annotations

import random
from dataclasses import dataclass

from edgeagent.testing import faults
from edgeagent.testing.faults import Fault, Mix
from edgeagent.types import ChatRequest

__all__ = ["FAULTS", "MODELS", "TARGETS", "Step", "answer_to", "plan", "step"]

FAULTS: dict[Fault, float] = {
    faults.Hang(): 1,
    faults.Reset(): 4,
    faults.Status(429): 2,
    faults.Status(429, retry_after=0.02): 2,
    faults.Status(429, retry_after=0.3): 1,
    faults.Status(500): 3,
    faults.Status(503): 1,
    faults.Status(529): 2,
    faults.Status(529, retry_after=0.02): 1,
    faults.Status(404): 1,
    faults.Truncated(): 2,
    faults.Html(): 1,
    faults.Empty(): 2,
    faults.WrongLength(10): 2,
    faults.WrongLength(-10): 2,
    faults.HalfStream(): 2,
    faults.HalfStream(how="reset"): 2,
    faults.HalfStream(how="end"): 2,
    faults.HalfStream(events=0): 1,
    faults.ErrorEvent(): 2,
    faults.ErrorEvent(events=0): 1,
    faults.Garbage(): 2,
    faults.Garbage(b"data: {no JSON\n\n"): 1,
    faults.Slow(first=0.1, between=0.01): 3,
    faults.Drip(seconds=1.0): 0.5,
    faults.Drip(seconds=0.0002, size=7): 1,
    faults.Endless(): 0.5,
    faults.Stale(): 3,
}
"""Everything that a server can do, with its weight: what takes long is rarer."""

TARGETS = ("one", "two", "three")
MODELS = {f"{name} first": [*TARGETS[place:], *TARGETS[:place]] for place, name in enumerate(TARGETS)}
"""Model groups: each target is the first choice of a third of the calls."""
WAYS = {"whole": 36, "shared": 15, "stream": 24, "closed": 6, "dropped": 6, "cancelled": 13}
"""How calls are made, with their weights: `closed` and `dropped` are streams that are left after their first chunk."""
TAGS = ("even", "odd")
WINDOW = 40
"""So many calls in a row share a prompt, of those that share one."""


def plan(rate: float, seed: int) -> Mix:
    """One target's faults."""
    return Mix(FAULTS, rate, seed=seed)


@dataclass(frozen=True)
class Step:
    """One call: how it is made, when it must have ended (seconds), after how long it is given up, if it is."""

    way: str
    tag: str
    model: str
    prompt: str
    deadline: float
    patience: float


def step(number: int, seed: int) -> Step:
    """What the call of this number does."""
    chance = random.Random(f"{seed}/{number}")
    way = chance.choices(list(WAYS), list(WAYS.values()))[0]
    which = number // WINDOW if way == "shared" else number
    prompt = f"shared {which}" if way == "shared" else f"own {which}"
    return Step(
        way,
        TAGS[number % 2],
        list(MODELS)[which % len(MODELS)],
        prompt,
        chance.uniform(0.4, 3.0),
        chance.uniform(0.0, 0.1),
    )


def answer_to(request: ChatRequest | str) -> str:
    """What a good answer says: every caller can tell its own."""
    prompt = request if isinstance(request, str) else request.messages[-1]["content"]
    return f"You said: {prompt}. That is all there is to say about {prompt}."
