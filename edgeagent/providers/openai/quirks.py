"""How an API of OpenAI's shape differs from OpenAI's own, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["ADVISORY", "CALL_ID_MAX", "COMPATIBLE", "OWN", "Quirks"]

CALL_ID_MAX: Final = 40
"""How many characters of a tool call's id OpenAI takes."""


@dataclass(frozen=True, slots=True)
class Quirks:
    """What the codec must know of an API; the defaults are OpenAI's own.

    Args:
        documented_ranges: numbers are refused outside the ranges that OpenAI documents; other servers have their own.
        cache_hints: `cache_control` on content parts, messages and tools is sent on rather than dropped.
        output_limit_renamed: prefixes of models that take `max_completion_tokens` and refuse the older `max_tokens`.
        lenient: answers are made to say what callers expect (see `tidy.Tidy`).
        renamed: parameters that have another name there: ours → theirs. Some of ours may have the same.
        dropped: advisory parameters that the server refuses: they are left out, and named in `edge.dropped_params`.
        stream_options: whether the server takes them; without them, it sends the usage of a stream unasked.
        developer_role: whether the server knows it; else `system` is sent.
        refused: parameters that change what is asked for and that the server refuses: it is not asked.
        message_names: whether messages may have a `name`.
        result_media: tools' results may hold images, audio and files; OpenAI reads text there only.
        logprobs_number: `logprobs` is the number of alternatives, as in the older completions (Together).
        think_tags: the text begins with reasoning between `<think>` and `</think>`.
        replayed: fields of reasoning in earlier answers that are sent back (DeepSeek wants it between tool calls).
        parts_replayed: content that came in parts (Mistral's thinking) is sent back in parts.
        continues: a conversation that ends with the beginning of an answer is answered with the rest of it.
        call_id_length: tool calls have ids of exactly so many letters and digits; other ids are replaced by such.
        call_id_max: longer ids of tool calls (of another vendor's) are replaced.
        file_names: files that are given as bytes must have a name: one without gets one.
        required_choice: the word for `tool_choice: "required"`.
        values: advisory parameters of which the server takes these values only: others are dropped.
    """

    documented_ranges: bool = True
    cache_hints: bool = False
    output_limit_renamed: tuple[str, ...] = ("gpt-5", "o1", "o3", "o4")
    lenient: bool = False
    renamed: tuple[tuple[str, str], ...] = ()
    dropped: tuple[str, ...] = ()
    stream_options: bool = True
    developer_role: bool = True
    refused: tuple[str, ...] = ()
    message_names: bool = True
    result_media: bool = False
    logprobs_number: bool = False
    think_tags: bool = False
    replayed: tuple[str, ...] = ()
    parts_replayed: bool = False
    continues: bool = False
    call_id_length: int | None = None
    call_id_max: int | None = CALL_ID_MAX
    file_names: bool = True
    required_choice: str = "required"
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()


OWN: Final = Quirks()
"""OpenAI and Azure OpenAI. `max_tokens` is "not compatible with o-series models" by the API reference, and GPT-5 models
refuse it in the same way."""

COMPATIBLE: Final = Quirks(
    documented_ranges=False,
    cache_hints=True,
    output_limit_renamed=(),
    lenient=True,
    result_media=True,
    replayed=("reasoning", "reasoning_details"),
    call_id_max=None,
    file_names=False,
)
"""A server of which nothing is known: it is sent what the caller said."""

ADVISORY: Final = (
    *("metadata", "moderation", "parallel_tool_calls", "prediction", "prompt_cache_key", "prompt_cache_options"),
    *("prompt_cache_retention", "safety_identifier", "service_tier", "store", "user", "verbosity"),
)
"""OpenAI's parameters that change no answer's meaning, for servers that refuse what they do not know (`dropped`)."""
