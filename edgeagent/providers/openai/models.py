"""What OpenAI's models cannot do, as far as it is certain. Every other model can do everything, until OpenAI says no.

And which of them are served by the Responses API alone.

Sources: the model pages at https://platform.openai.com/docs/models (modalities, structured outputs), the API reference
(`stop` is "not supported with latest reasoning models o3 and o4-mini"), recorded refusals, and what others were refused
(`stop` by gpt-5, 5.1 and 5.2: https://github.com/huggingface/smolagents/issues/1671, /pull/1868 and /issues/1893).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final, TypeAlias, TypeVar

from edgeagent.providers.base import ALL_CAPABILITIES, Capabilities, Feature

__all__ = [
    "CHAT",
    "FAMILIES",
    "Responses",
    "by_responses",
    "capabilities",
    "chosen",
    "in_responses",
    "is_responses_only",
]

F = TypeVar("F")

FAMILIES: Final = (
    *("gpt-", "chatgpt-", "o1", "o3", "o4", "ft:gpt-", "ft:o1", "ft:o3", "ft:o4"),
    *("text-embedding-3-", "text-embedding-ada-", "omni-moderation-", "text-moderation-"),
)
"""How the names of OpenAI's models begin."""

_LACKS: Final[Mapping[str, frozenset[Feature]]] = {
    "gpt-3.5": frozenset({"vision", "documents", "audio", "json_schema", "reasoning"}),
    "gpt-4": frozenset({"vision", "documents", "audio", "json_schema", "reasoning"}),
    "gpt-4-vision": frozenset({"audio", "json_schema", "reasoning"}),
    "gpt-4-turbo": frozenset({"audio", "json_schema", "reasoning"}),
    "gpt-4.1": frozenset({"audio", "reasoning"}),
    "gpt-4o": frozenset({"audio", "reasoning"}),
    "gpt-4o-2024-05-13": frozenset({"audio", "json_schema", "reasoning"}),
    "gpt-4o-audio": frozenset({"vision", "json_schema", "reasoning"}),
    "gpt-4o-mini-audio": frozenset({"vision", "json_schema", "reasoning"}),
    **dict.fromkeys(("gpt-5", "gpt-5.1", "gpt-5.2"), frozenset[Feature]({"stop"})),
    **dict.fromkeys(("gpt-5-chat", "gpt-5.1-chat", "gpt-5.2-chat"), frozenset[Feature]()),
    "gpt-5.6": frozenset({"stop", "logprobs"}),
    "gpt-audio": frozenset({"vision", "json_schema", "logprobs", "reasoning"}),
    "o1": frozenset({"audio", "logprobs"}),
    "o1-mini": frozenset({"vision", "audio", "logprobs", "stop"}),
    "o3": frozenset({"audio", "logprobs", "stop"}),
    "o3-mini": frozenset({"vision", "audio", "logprobs", "stop"}),
    "o4-mini": frozenset({"audio", "logprobs", "stop"}),
}
"""By the beginning of the name, the longest that fits; it ends where the name ends or goes on with "-"."""

_USUAL: Final = ("low", "medium", "high")
_EFFORTS: Final[Mapping[str, tuple[str, ...]]] = {
    "gpt-5": ("minimal", *_USUAL),
    "gpt-5-codex": _USUAL,
    "gpt-5-pro": ("high",),
    "gpt-5.1": ("none", *_USUAL),
    "gpt-5.1-chat": ("medium",),
    "gpt-5.1-codex": _USUAL,
    "gpt-5.1-codex-max": (*_USUAL, "xhigh"),
    "gpt-5.1-codex-mini": ("medium", "high"),
    "gpt-5.2": ("none", *_USUAL, "xhigh"),
    "gpt-5.2-chat": ("medium",),
    "gpt-5.2-codex": (*_USUAL, "xhigh"),
    "gpt-5.2-pro": ("medium", "high", "xhigh"),
    "gpt-5.3-codex": (*_USUAL, "xhigh"),
    "gpt-5.4": ("none", *_USUAL, "xhigh"),
    "gpt-5.4-pro": ("medium", "high", "xhigh"),
    "gpt-5.5": ("none", *_USUAL, "xhigh"),
    "gpt-5.5-pro": ("medium", "high", "xhigh"),
    "gpt-5.6": ("none", *_USUAL, "xhigh", "max"),
    "o1": _USUAL,
    "o3": _USUAL,
    "o4-mini": _USUAL,
}
"""How much each reasons, by the beginning of its name as above; refused: "Unsupported value: 'minimal' is not supported
with the 'gpt-5.1' model", the model pages, and what others were refused
(https://github.com/anomalyco/opencode/pull/26268 and /issues/36141)."""

_BY_DEFAULT: Final = (None, "none")
_SAMPLED: Final[Mapping[str, tuple[str | None, ...] | None]] = {
    **dict.fromkeys(("o1", "o3", "o4-mini", "gpt-5", "gpt-5.1-chat", "gpt-5.1-codex", "gpt-5.2-chat"), ()),
    **dict.fromkeys(("gpt-5.2-codex", "gpt-5.2-pro", "gpt-5.3-codex", "gpt-5.4-pro", "gpt-5.5-pro"), ()),
    **dict.fromkeys(("gpt-5.1", "gpt-5.2", "gpt-5.4"), _BY_DEFAULT),  # they do not reason unless they are told to
    **dict.fromkeys(("gpt-5.5", "gpt-5.6"), ("none",)),
    "gpt-5-chat": None,
}
"""Beside which efforts each takes temperature, top_p and penalties, by the beginning of its name as above; refused:
"Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported."

Sources: https://platform.openai.com/docs/guides/reasoning#limitations and /docs/guides/latest-model (only at effort
`none`), and what others were refused (https://github.com/vercel/ai/issues/10932, /BerriAI/litellm/issues/13781,
/itzcrazykns/vane/issues/1173)."""

_REFUSED: Final[Mapping[str, frozenset[str]]] = {
    **dict.fromkeys(("gpt-3.5", "gpt-4", "gpt-4.1", "gpt-4o"), frozenset({"verbosity"})),
    **dict.fromkeys(("o1", "o3", "o4-mini"), frozenset({"parallel_tool_calls", "verbosity"})),
}
"""Advisory parameters that others have, by the beginning of the name as above; refused: "Unsupported parameter:
'parallel_tool_calls' is not supported with this model" (https://github.com/run-llama/llama_index/issues/20865), and of
verbosity all but its default (https://github.com/enricoros/big-AGI/issues/947)."""

RESPONSES_ONLY: Final = (
    "codex-mini-latest",
    "computer-use-preview",
    "gpt-5-codex",
    "gpt-5-pro",
    "gpt-5.1-codex",
    "gpt-5.2-codex",
    "gpt-5.2-pro",
    "gpt-5.3-codex",
    "gpt-5.4-pro",
    "gpt-5.5-pro",
    "gpt-5.6-cyber",
    "gpt-6-cyber",
    "gpt-6-rosalind",
    "gpt-6.2-astra-law",
    "gpt-daybreak-blue-latest",
    "gpt-daybreak-red-latest",
    "gpt-rosalind-research",
    "o1-pro",
    "o3-deep-research",
    "o3-pro",
    "o4-mini-deep-research",
)
"""Beginnings of the names of models that chat completions do not serve; a name ends there or goes on with "-".

Sources: the schema `ModelIdsResponses` (`ResponsesOnlyModel`) of OpenAI's OpenAPI document
(https://github.com/openai/openai-openapi), `ResponsesModel` of its Python package, which is made from a newer one, and
for the codex and pro models that these do not list there the endpoints on their pages below
https://platform.openai.com/docs/models.
"""

_NOT_IN_RESPONSES: Final[frozenset[Feature]] = frozenset({"audio", "n", "stop", "video"})

CHAT: Final = Capabilities(ALL_CAPABILITIES.features - {"file_urls", "video"})
"""What chat completions can do: of files they read bytes and what was uploaded."""


@lru_cache(maxsize=256)  # asked three times for each call
def is_responses_only(model: str) -> bool:
    """Whether `model` is served by the Responses API and not by chat completions."""
    return any(model == name or model.startswith(f"{name}-") for name in RESPONSES_ONLY)


Responses: TypeAlias = bool | frozenset[str] | None
"""Which models are asked through the Responses API: all, none, or (with the names, or None) those that need it too."""


def chosen(responses: bool | Iterable[str] | None) -> Responses:
    """A caller's choice, its names as a set."""
    if responses is None or isinstance(responses, bool):
        return responses
    return frozenset([responses] if isinstance(responses, str) else responses)


def in_responses(model: str, responses: Responses) -> bool:
    """Whether `model` is asked through the Responses API."""
    if isinstance(responses, bool):
        return responses
    return is_responses_only(model) or (responses is not None and model in responses)


def capabilities(model: str, *, responses: bool = False) -> Capabilities:
    """What `model` can do when it is asked through chat completions, or through the Responses API."""
    return _in_responses(model) if responses else _in_chat(model)


@lru_cache(maxsize=256)  # asked twice for each call
def _in_responses(model: str) -> Capabilities:
    able = _in_chat(model)
    return replace(by_responses(able.features), efforts=able.efforts, sampled=able.sampled, refused=able.refused)


@lru_cache(maxsize=64)
def by_responses(features: frozenset[Feature]) -> Capabilities:
    """What can be done through the Responses API where chat completions can do this."""
    from edgeagent.providers.responses.parts import OWN_PARTS

    reads_urls: frozenset[Feature] = frozenset({"file_urls"}) if "documents" in features else frozenset()
    return Capabilities(features - _NOT_IN_RESPONSES | reads_urls, parts=OWN_PARTS)


@lru_cache(maxsize=256)
def _in_chat(model: str) -> Capabilities:
    return Capabilities(
        CHAT.features - (_by_name(_LACKS, model) or frozenset()),
        efforts=_by_name(_EFFORTS, model),
        sampled=_by_name(_SAMPLED, model),
        refused=_by_name(_REFUSED, model) or frozenset(),
    )


def _by_name(facts: Mapping[str, F], model: str) -> F | None:
    """What is known by the longest beginning of the model's name."""
    name = model.removeprefix("ft:").partition(":")[0]
    while name and name not in facts:
        name = name.rpartition("-")[0]
    return facts.get(name)
