"""What every contender is asked, and what the upstream answers: the same bytes for all."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, Iterable
from typing import Any, Final

__all__ = ["CHUNKS", "COMPLETION", "MODEL", "STREAMED", "TEXT", "atext_of", "messages", "stream_events", "text_of"]

MODEL: Final = "gpt-4o-mini"
CHUNKS: Final = 200
"""Chunks with content in a streamed answer."""

_WORDS: Final = "The gateway that is a library answers from the process that asks. "
TEXT: Final = (_WORDS * 8)[:480]
ANSWER: Final = {
    "id": "chatcmpl-BYpCk2hPzQ9tV1aXw7sLr3NdE8uGf",
    "object": "chat.completion",
    "created": 1760000000,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": TEXT, "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {
        "prompt_tokens": 231,
        "completion_tokens": 96,
        "total_tokens": 327,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
    "service_tier": "default",
    "system_fingerprint": "fp_34a54ae93c",
}
COMPLETION: Final = json.dumps(ANSWER, indent=2).encode()  # OpenAI's own answers are indented

_PIECES: Final = [f"{word} " for word in (_WORDS * (CHUNKS // 8)).split()][:CHUNKS]
STREAMED: Final = "".join(_PIECES)


def messages(kilobytes: int, number: int = 0) -> list[dict[str, Any]]:
    """A prompt of that many KB (1,024 bytes of text, JSON's own quotes apart); `number` makes it another one."""
    head = f"Question {number:08d}. "
    size = kilobytes * 1024 - len(head)
    body = "Summarise what the record says, line by line. "
    return [{"role": "user", "content": head + (body * (size // len(body) + 1))[:size]}]


def text_of(chunks: Iterable[Any]) -> str:
    """What an application does with a stream of an SDK."""
    return "".join([chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices])


async def atext_of(chunks: AsyncIterable[Any]) -> str:
    """The same, awaiting."""
    return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])


def stream_events() -> list[bytes]:
    """A streamed answer as server-sent events: a role, the pieces, a finish reason, the usage, the end."""
    shared = {
        "id": ANSWER["id"],
        "object": "chat.completion.chunk",
        "created": ANSWER["created"],
        "model": ANSWER["model"],
        "service_tier": "default",
        "system_fingerprint": ANSWER["system_fingerprint"],
    }
    deltas: list[tuple[dict[str, Any], str | None]] = [({"role": "assistant", "content": "", "refusal": None}, None)]
    deltas += [({"content": piece}, None) for piece in _PIECES]
    deltas.append(({}, "stop"))
    chunks: list[dict[str, Any]] = [
        {
            **shared,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
            "usage": None,
        }
        for delta, finish in deltas
    ]
    chunks.append({**shared, "choices": [], "usage": ANSWER["usage"]})
    lines = [json.dumps(chunk, separators=(",", ":")) for chunk in chunks]
    return [f"data: {line}\n\n".encode() for line in (*lines, "[DONE]")]
