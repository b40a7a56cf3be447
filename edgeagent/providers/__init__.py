"""The vendors, one module or package each; loaded when first named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from edgeagent.providers.anthropic import Anthropic
    from edgeagent.providers.compatible import Mistral, OpenAICompatible
    from edgeagent.providers.local import Local
    from edgeagent.providers.openai import AzureOpenAI, OpenAI

__all__ = ["Anthropic", "AzureOpenAI", "Local", "Mistral", "OpenAI", "OpenAICompatible"]

_HOMES: Final = {
    "Anthropic": "edgeagent.providers.anthropic",
    "AzureOpenAI": "edgeagent.providers.openai",
    "Local": "edgeagent.providers.local",
    "Mistral": "edgeagent.providers.compatible",
    "OpenAI": "edgeagent.providers.openai",
    "OpenAICompatible": "edgeagent.providers.compatible",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
