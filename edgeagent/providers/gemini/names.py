"""Names on the wire: both spellings of fields, and enumerations that come as numbers.

Google's JSON takes `inlineData` and `inline_data` for the same field (https://protobuf.dev/programming-guides/json),
and answers with numbers for enumerations where `$alt=json;enum-encoding=int` asks for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

__all__ = ["FINISH_NUMBERS", "FINISH_NUMBERS_VERTEX", "camel", "camel_name", "schema_camel"]

_UNDERSCORE: Final = re.compile(r"_([a-z0-9])")

_FREE: Final = frozenset(
    {
        *("args", "labels", "parametersJsonSchema", "partMetadata", "response", "responseJsonSchema"),
        *("customMetadata", "extra", "metadata"),
    }
)
"""Fields whose inside is the caller's, not the vendor's."""
_SCHEMAS: Final = frozenset({"parameters", "responseSchema"})

_COMMON: Final = {0: "FINISH_REASON_UNSPECIFIED", 1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}
FINISH_NUMBERS: Final[Mapping[int, str]] = {
    **_COMMON,
    6: "LANGUAGE",
    7: "BLOCKLIST",
    8: "PROHIBITED_CONTENT",
    9: "SPII",
    10: "MALFORMED_FUNCTION_CALL",
    11: "IMAGE_SAFETY",
    12: "UNEXPECTED_TOOL_CALL",
    13: "TOO_MANY_TOOL_CALLS",
    14: "IMAGE_PROHIBITED_CONTENT",
    15: "IMAGE_OTHER",
    16: "NO_IMAGE",
    17: "IMAGE_RECITATION",
}
"""`Candidate.FinishReason` of google.ai.generativelanguage.v1beta (package google-ai-generativelanguage 0.12.1)."""
FINISH_NUMBERS_VERTEX: Final[Mapping[int, str]] = {
    **_COMMON,
    6: "BLOCKLIST",
    7: "PROHIBITED_CONTENT",
    8: "SPII",
    9: "MALFORMED_FUNCTION_CALL",
    10: "MODEL_ARMOR",
}
"""`Candidate.FinishReason` of google.cloud.aiplatform.v1 (package google-cloud-aiplatform 2.7.0): other numbers."""


def camel_name(name: str) -> str:
    """`max_output_tokens` → `maxOutputTokens`; a name that is in that form stays."""
    return _UNDERSCORE.sub(lambda match: match[1].upper(), name) if "_" in name else name


def camel(value: Any, depth: int = 0) -> Any:
    """A body with all the vendor's field names in one spelling; what the caller filled freely is left alone.

    Raises `RecursionError` for what no vendor accepts: more than 200 levels.
    """
    if depth > 200:
        raise RecursionError("The body is nested too deeply.")
    if isinstance(value, list):
        return [camel(item, depth + 1) for item in value]
    if not isinstance(value, Mapping):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        name = camel_name(str(key))
        if name in _SCHEMAS:
            result[name] = schema_camel(item, depth + 1)
        else:
            result[name] = item if name in _FREE else camel(item, depth + 1)
    return result


def schema_camel(schema: Any, depth: int = 0) -> Any:
    """A schema of the vendor's with its keywords in one spelling; names of properties are the caller's."""
    if depth > 200:
        raise RecursionError("The schema is nested too deeply.")
    if isinstance(schema, list):
        return [schema_camel(item, depth + 1) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    result: dict[str, Any] = {}
    for key, item in schema.items():
        name = camel_name(str(key))
        if name in {"properties", "$defs", "defs"} and isinstance(item, Mapping):
            result[name] = {one: schema_camel(other, depth + 1) for one, other in item.items()}
        else:
            result[name] = item if name in {"default", "enum", "example"} else schema_camel(item, depth + 1)
    return result
