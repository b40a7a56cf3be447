"""Errors of servers of OpenAI's shape to embedding requests: as for chat, and what only embeddings meet."""

from __future__ import annotations

import re
from typing import Final

from edgeagent.errors import APIStatusError, ContextWindowExceededError
from edgeagent.providers.openai.errors import decode_error as decode_chat_error
from edgeagent.wire.http import HTTPResponse

__all__ = ["decode_error"]

_TOO_LONG: Final = re.compile(r"input( \(\d+ tokens\))? is too (large|long)|too large to process")
"""llama.cpp's server, as an error of its own (500), where an input does not fit its batch; no code says it."""
_READ: Final = 2000


def decode_error(response: HTTPResponse) -> APIStatusError:
    """An answer of 4xx or 5xx → the typed error. Never raises.

    OpenAI too has no code for an input that is too long here, so texts are read as for servers of its shape.
    """
    error = decode_chat_error(response, lenient=True)
    if response.status_code in (400, 500) and _TOO_LONG.search(error.message[:_READ]):
        body = error.body if isinstance(error.body, dict) else {"message": error.message}
        return ContextWindowExceededError(error.message, response=response, body=body)
    return error
