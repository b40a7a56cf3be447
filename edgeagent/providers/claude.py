"""What Anthropic documents of each of its models, as far as a request's form depends on it.

The facts are rules over family and version instead of a list of names, so that a model released tomorrow is treated
like the newest known one. Sources, all at https://platform.claude.com/docs/en: models/overview (windows, output
limits), build-with-claude/thinking and /thinking-troubleshooting (thinking, sampling, prefill, forced tools, output
limits), /effort, /structured-outputs, /mid-conversation-system-messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

__all__ = ["UNKNOWN", "ModelFacts", "model_facts"]

Version = tuple[int, int]

_NEW: Final = re.compile(r"claude-([a-z]+)-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_OLD: Final = re.compile(r"claude-(\d{1,2})(?:[-.](\d{1,2}))?-([a-z]+)")
_NEWEST: Final[Version] = (99, 0)

_EFFORTS: Final = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What one model accepts.

    Attributes:
        context_window: input and output together, in tokens; None when not known.
        max_output: the largest `max_tokens`.
        default_max_tokens: what is asked for when the caller sets no limit: the largest, where the model stops at the
            end of its window by itself; less on the older models, which refuse a request whose prompt and
            `max_tokens` together exceed the window.
        thinking: "none"; "manual" (a budget); "either"; "adaptive" (effort only).
        thinking_off: how a caller turns thinking off: it is off when omitted, by a `thinking.type`, or "never".
        efforts: levels of `output_config.effort`, lowest first.
        native_schema: whether `output_config.format` and strict tools exist.
        forced_tools: whether `tool_choice` may demand a tool.
        sampling: whether `temperature` and `top_p` are accepted together, one at a time, or not at all.
        inline_system: whether `messages` may hold system messages.
        prefill: whether the conversation may end with the beginning of the answer.
        documents: whether PDF and text documents are accepted.
    """

    context_window: int | None
    max_output: int
    default_max_tokens: int
    thinking: Literal["none", "manual", "either", "adaptive"]
    thinking_off: Literal["omitted", "disabled", "between_tools", "never"]
    efforts: tuple[str, ...]
    native_schema: bool
    forced_tools: bool
    sampling: Literal["both", "one", "none"]
    inline_system: bool
    prefill: bool
    documents: bool


UNKNOWN: Final = ModelFacts(
    context_window=None,
    max_output=4096,
    default_max_tokens=4096,
    thinking="manual",
    thinking_off="omitted",
    efforts=(),
    native_schema=False,
    forced_tools=True,
    sampling="both",
    inline_system=False,
    prefill=True,
    documents=True,
)
"""For a name that is none of Anthropic's, as another server of the same API has it: the oldest forms."""


@lru_cache(maxsize=256)
def model_facts(model: str) -> ModelFacts:
    """The facts of a model by its name on any platform (`claude-opus-4-8`, `anthropic.claude-sonnet-4-5-…-v1:0`)."""
    named = _named(model.lower())
    return UNKNOWN if named is None else _facts(*named)


def _named(model: str) -> tuple[str, Version] | None:
    """Family and version; a name without a version counts as the newest."""
    if found := _NEW.search(model):
        return found[1], (int(found[2]), int(found[3] or 0))
    if found := _OLD.search(model):
        return found[3], (int(found[1]), int(found[2] or 0))
    if "claude-mythos-preview" in model:
        return "mythos", (4, 7)
    return ("", _NEWEST) if "claude-" in model and not re.search(r"claude-(instant|v|2)", model) else None


def _facts(family: str, version: Version) -> ModelFacts:
    limit = _max_output(family, version)
    return ModelFacts(
        context_window=200_000 if version < (4, 6) else 1_000_000,
        max_output=limit,
        default_max_tokens=limit if version >= (4, 5) else min(limit, 8192),
        thinking=_thinking(family, version),
        thinking_off=_thinking_off(family, version),
        efforts=_efforts(family, version),
        native_schema=version >= (4, 5),
        forced_tools=version < ((5, 1) if family in {"fable", "mythos"} else (5, 5)) or family == "haiku",
        sampling="none" if version >= (4, 7) else "one" if version >= (4, 1) else "both",
        inline_system=version >= (4, 8) and (family, version) != ("sonnet", (5, 0)),
        prefill=version < (4, 6),
        documents=version >= (3, 5),
    )


def _max_output(family: str, version: Version) -> int:
    if version >= (4, 6):
        return 128_000
    if version < (3, 7):
        return 8192 if version >= (3, 5) else 4096
    return 32_000 if family == "opus" and version < (4, 5) else 64_000


def _thinking(family: str, version: Version) -> Literal["none", "manual", "either", "adaptive"]:
    if version < (3, 7):
        return "none"
    if version < (4, 6):
        return "manual"
    return "either" if version < (4, 7) or (family, version) == ("mythos", (4, 7)) else "adaptive"


def _thinking_off(family: str, version: Version) -> Literal["omitted", "disabled", "between_tools", "never"]:
    if family in {"fable", "mythos"}:
        return "never"
    if version < (5, 0):
        return "omitted"
    if family == "haiku" or (family in {"opus", "sonnet"} and version < (5, 5)):
        return "disabled"
    return "between_tools" if family == "sonnet" else "never"


def _efforts(family: str, version: Version) -> tuple[str, ...]:
    if version < (4, 6):
        return _EFFORTS[:3] if (family, version) == ("opus", (4, 5)) else ()
    if version < (4, 7) or (family, version) == ("mythos", (4, 7)):
        return (*_EFFORTS[:3], "max")
    return _EFFORTS
