"""The official SDK beside us, to be closed: what is left to the collector of garbage may lose its sockets before its
client, which is a warning in whichever test runs then.
"""

from __future__ import annotations

from typing import Any

import openai

from tests.support.loopback import Loopback

__all__ = ["openai_client"]


def openai_client(server: Loopback) -> Any:
    """openai's own client of a server; a context manager."""
    return openai.OpenAI(api_key="k", base_url=f"{server.url}/v1")
