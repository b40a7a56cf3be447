"""openai's HTTP clients and their limits, under its names: for `OpenAI(http_client=DefaultHttpxClient(proxy=…))`."""

from __future__ import annotations

from typing import Any, Final

import httpx
from httpx import Timeout

__all__ = [
    "DEFAULT_CONNECTION_LIMITS",
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_TIMEOUT",
    "DefaultAsyncHttpxClient",
    "DefaultHttpxClient",
    "Timeout",
]

DEFAULT_TIMEOUT: Final = Timeout(timeout=600, connect=5.0)
DEFAULT_MAX_RETRIES: Final = 2
DEFAULT_CONNECTION_LIMITS: Final = httpx.Limits(max_connections=1000, max_keepalive_connections=100)

_DEFAULTS: Final = {"timeout": DEFAULT_TIMEOUT, "limits": DEFAULT_CONNECTION_LIMITS, "follow_redirects": True}


class DefaultHttpxClient(httpx.Client):
    """`httpx.Client`, with what openai's client sets where nothing else is said."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**_DEFAULTS, **options})


class DefaultAsyncHttpxClient(httpx.AsyncClient):
    """`httpx.AsyncClient`, with what openai's client sets where nothing else is said."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**_DEFAULTS, **options})
