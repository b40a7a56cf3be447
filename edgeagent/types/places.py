"""Places in a caller's values, as errors name them: `messages[0].content`."""

from __future__ import annotations

import re
from typing import Any, Final

__all__ = ["place_in"]

_NAME: Final = re.compile(r"(?![\w$-]*[0-9]{4})[A-Za-z_$][A-Za-z0-9_$-]{0,31}")
"""What a member is called. Another key of an object may be anything, an address or a number: it is not told."""


def place_in(path: str, step: Any) -> str:
    """The place of a member, or of an item of a list, of what stands at `path`."""
    if isinstance(step, int) and not isinstance(step, bool):
        return f"{path}[{step}]"
    if not isinstance(step, str) or _NAME.fullmatch(step) is None:
        return f"{path}[…]"
    return f"{path}.{step}" if path else step
