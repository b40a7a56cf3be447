"""Tool calls between JSON text and JSON objects, and the reserved names by which translated calls are known again.

OpenAI's `arguments` are text as the model wrote it; Anthropic, Google and Bedrock have an object. What has no object
form is wrapped in an object of one reserved key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.wire.json import dump_json

__all__ = ["CUSTOM_INPUT", "JSON_TOOL", "RAW_ARGUMENTS", "arguments_of", "custom_input", "input_of", "wire_id"]

JSON_TOOL: Final = "edgeagent_json_output"
"""The tool that a model is made to call where `response_format` cannot be had natively; its input is the content."""

CUSTOM_INPUT: Final = "edgeagent_custom_input"
"""The one property of the input of a free-form (`type: "custom"`) tool."""

RAW_ARGUMENTS: Final = "edgeagent_raw_arguments"
"""The one property of the input that stands for arguments which are no JSON object (a model's mistake, or cut off)."""

_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,256}")


def arguments_of(value: Any) -> str:
    """An input object → the text of its arguments: `{}` → `"{}"`."""
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(value.get(RAW_ARGUMENTS), str):
        return str(value[RAW_ARGUMENTS])
    return dump_json(value).decode()


def input_of(arguments: Any) -> dict[str, Any] | None:
    """The text of arguments → the input object; None if it is not a JSON object. No text is an empty object."""
    if not isinstance(arguments, str):
        return dict(arguments) if isinstance(arguments, Mapping) else None
    if not arguments.strip():
        return {}
    try:
        value = from_json(arguments, allow_inf_nan=False)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def custom_input(value: Any) -> str | None:
    """The text that a free-form tool was called with, if this is the input of such a call."""
    if isinstance(value, Mapping) and len(value) == 1 and isinstance(value.get(CUSTOM_INPUT), str):
        return str(value[CUSTOM_INPUT])
    return None


def wire_id(id: str) -> str:
    """A tool call's id as the vendor takes it (`^[a-zA-Z0-9_-]+$`): itself, or a hash of it."""
    if _ID.fullmatch(id):
        return id
    return "call_" + blake2b(id.encode("utf-8", "replace"), digest_size=16).hexdigest()
