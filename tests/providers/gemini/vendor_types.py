"""Bodies judged by the `google-genai` package's own types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.genai import types

__all__ = ["unknown_fields"]

KINDS: Mapping[str, Any] = {
    "contents": types.Content,
    "systemInstruction": types.Content,
    "tools": types.Tool,
    "toolConfig": types.ToolConfig,
    "generationConfig": types.GenerationConfig,
    "safetySettings": types.SafetySetting,
}
NAMES = {"category": "HARM_CATEGORY_UNSPECIFIED", "threshold": "HARM_BLOCK_THRESHOLD_UNSPECIFIED"}
OTHERS = {"cachedContent", "labels", "serviceTier", "store"}


def unknown_fields(body: Mapping[str, Any]) -> list[str]:
    """Validate a body (the types forbid unknown fields); return the fields of its top level that are not known.

    Raises:
        pydantic.ValidationError: a field is not known, or a value is of a wrong type.
    """
    for name, kind in KINDS.items():
        value = body.get(name)
        for item in value if isinstance(value, list) else [value] if value is not None else []:
            kind.model_validate(_readable(item))
    return [name for name in body if name not in KINDS and name not in OTHERS]


def _readable(value: Any) -> Any:
    """Signatures and data that the recordings replaced by words are no base64: bytes that are stand for them."""
    if isinstance(value, list):
        return [_readable(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {k: "AAAA" if k in ("thoughtSignature", "data") else _readable(v) for k, v in value.items()}
    # the package has no numbers for enumerations
    return {k: NAMES[k] if k in NAMES and isinstance(v, int) else v for k, v in result.items()}
