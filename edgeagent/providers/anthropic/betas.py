"""Which beta features a body uses, and the `anthropic-beta` header that they need.

Source: https://platform.claude.com/docs/en/api/beta-headers and the pages of the features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["BETA_HEADER", "betas_of", "merged_betas"]

BETA_HEADER: Final = "anthropic-beta"

_FIELDS: Final[Mapping[str, str]] = {
    "compaction": "compact-2026-09-04",
    "context_management": "context-management-2025-06-27",
    "output_format": "structured-outputs-2025-11-13",
    "speed": "fast-mode-2026-02-01",
}
_TOOLS: Final[Mapping[str, str]] = {
    "advisor_20260301": "advisor-tool-2026-03-01",
    "code_execution_20250522": "code-execution-2025-05-22",
    "computer_20241022": "computer-use-2024-10-22",
    "computer_20250124": "computer-use-2025-01-24",
    "computer_20251124": "computer-use-2025-11-24",
}
_EDITS: Final[Mapping[str, str]] = {"compact_20260112": "compact-2026-01-12"}
_MESSAGE_FIELDS: Final[Mapping[str, str]] = {
    "clear_at": "mid-conversation-system-clear-at-2026-08-21",
    "output_config": "mid-conversation-output-config-2026-07-01",
}


def betas_of(body: Mapping[str, Any]) -> list[str]:
    """The beta features that an encoded body needs, in order, each once."""
    found = [beta for name, beta in _FIELDS.items() if body.get(name) is not None]
    found += [_TOOLS[kind] for kind in _types(body.get("tools")) if kind in _TOOLS]
    found += _of_servers(body)
    management, config = body.get("context_management"), body.get("output_config")
    if isinstance(management, Mapping):
        found += [_EDITS[kind] for kind in _types(management.get("edits")) if kind in _EDITS]
    if isinstance(config, Mapping) and "task_budget" in config:
        found.append("task-budgets-2026-03-13")
    for message in body["messages"]:
        if message["role"] == "system":
            found += _of_system(message)
    return list(dict.fromkeys(found))


def _types(values: Any) -> list[str]:
    """The types of the objects in a list, whatever a caller's extra parameter holds."""
    if not isinstance(values, list):
        return []
    return [str(value.get("type")) for value in values if isinstance(value, Mapping)]


def _of_servers(body: Mapping[str, Any]) -> list[str]:
    """The connector's older form has the tools' configuration at the server, the newer a toolset among the tools."""
    if not body.get("mcp_servers"):
        return []
    return ["mcp-client-2025-11-20" if "mcp_toolset" in _types(body.get("tools")) else "mcp-client-2025-04-04"]


def _of_system(message: Mapping[str, Any]) -> list[str]:
    found = [beta for name, beta in _MESSAGE_FIELDS.items() if name in message]
    changes = not {"tool_addition", "tool_removal"}.isdisjoint(_types(message["content"]))
    return [*found, "inline-tools-2026-09-15"] if changes else found


def merged_betas(*values: str | Iterable[str] | None) -> str:
    """Header values and lists of betas as one header value, each beta once."""
    names: dict[str, None] = {}
    for value in values:
        for name in value.split(",") if isinstance(value, str) else value or ():
            if name.strip():
                names[name.strip()] = None
    return ",".join(names)
