"""Who answers in these examples: the vendors whose keys are in the environment, else a fake."""

from __future__ import annotations

import os
from typing import Any

from edgeagent.testing import FakeProvider

__all__ = ["have_keys", "model", "providers"]

MODELS = {"OPENAI_API_KEY": "gpt-4o-mini", "ANTHROPIC_API_KEY": "claude-haiku-4-5"}


def have_keys() -> bool:
    """Whether a real vendor can be asked."""
    return any(os.environ.get(variable) for variable in MODELS)


def model() -> str:
    """A small model of the first vendor whose key is set."""
    return next((name for variable, name in MODELS.items() if os.environ.get(variable)), "fake/any")


def providers(*answers: Any, latency: float = 0.0) -> list[Any] | None:
    """For `EdgeClient(providers=…)`: None, which means the environment's vendors, or a fake with these answers."""
    if have_keys():
        return None
    print("(No key in the environment: a fake answers.)")
    return [FakeProvider(*answers, latency=latency)]
