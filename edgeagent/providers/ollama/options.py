"""Parameters that Ollama takes under `options`, and their names in OpenAI's requests.

Source: https://docs.ollama.com/modelfile#parameter, https://github.com/ollama/ollama/blob/main/api/types.go (Options).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.types import ChatRequest

__all__ = ["decode_options", "encode_options"]

_SAME: Final = ("temperature", "top_p", "seed", "frequency_penalty", "presence_penalty")
"""Options that OpenAI has under the same name."""

_OWN: Final = frozenset(
    {
        *("num_keep", "top_k", "min_p", "tfs_z", "typical_p", "repeat_last_n", "repeat_penalty"),
        *("mirostat", "mirostat_tau", "mirostat_eta", "penalize_newline", "num_predict", "draft_num_predict"),
        *("numa", "num_ctx", "num_batch", "num_gpu", "main_gpu", "low_vram", "f16_kv", "logits_all", "vocab_only"),
        *("use_mmap", "use_mlock", "embedding_only", "num_thread"),
    }
)
"""Ollama's own: as extra parameters of a request they may stand for themselves, beside `options`."""


def encode_options(request: ChatRequest, extra: dict[str, Any]) -> dict[str, Any]:
    """The `options` of a request; takes out of `extra` what belongs there. What the caller put there itself counts."""
    options = {name: value for name in _SAME if (value := getattr(request, name)) is not None}
    if request.output_limit is not None:
        options["num_predict"] = request.output_limit
    if request.stop is not None:
        options["stop"] = [request.stop] if isinstance(request.stop, str) else list(request.stop)
    options.update({name: extra.pop(name) for name in sorted(_OWN & extra.keys())})
    given = extra.pop("options", None)
    return {**options, **given} if isinstance(given, Mapping) else options


def decode_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that these options are; what has no name of its own stays under `options`."""
    params: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    for name, value in options.items():
        if value is None:
            continue
        if name in _SAME or name == "stop":
            params[name] = value
        elif name == "num_predict" and isinstance(value, int) and value >= 0:  # negative ones are words: -1, no limit
            params["max_completion_tokens"] = value
        elif name in _OWN:
            params[name] = value
        else:
            rest[name] = value
    return {**params, "options": rest} if rest else params
