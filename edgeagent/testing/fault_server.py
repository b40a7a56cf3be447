"""A vendor on loopback whose faults are planned.

    with FaultServer("Paris.", faults=[Status(429, retry_after=1), HalfStream(), None]) as server:
        client = EdgeClient(providers=[OpenAI(api_key="any", base_url=server.base_url)])

It speaks OpenAI's chat completions, whole and streamed. Only the standard library's sockets and threads are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from edgeagent.errors import APIStatusError, EdgeAgentError
from edgeagent.testing.fake import Answer, FakeProvider
from edgeagent.testing.faults import Plan, Schedule
from edgeagent.testing.loopback import Loopback, Request, reply
from edgeagent.testing.on_wire import Good, error_body, pieces
from edgeagent.types import ChatCompletionChunk, ChatRequest

__all__ = ["FaultServer"]

PATH = "/chat/completions"


class FaultServer(Loopback):
    """A server for tests, on a free port of 127.0.0.1 while its `with` block runs.

    What it saw: `requests`, all of them, with `.headers`, `.json()` and the number of their `.connection`;
    `connections`, how many were ever made; `open`, how many there are now; `peak`, how many there were at most;
    `injected`, how often each fault was done, by name.

    Args:
        answers: as of a `FakeProvider`; an `APIStatusError` is answered with its status.
        faults: a plan (see `edgeagent.testing.faults`); a request is given its fault as it arrives.

    Raises:
        ConfigurationError: no answer was given.
    """

    def __init__(self, *answers: Answer, faults: Plan = ()) -> None:
        super().__init__(self._answer)
        self.provider = FakeProvider(*(answers or ("Hello.",)), name="server")
        """What answers; `provider.requests` are the requests as objects."""
        self._schedule = Schedule(faults)

    @property
    def base_url(self) -> str:
        """For a provider's `base_url`."""
        return f"{self.url}/v1"

    @property
    def injected(self) -> Counter[str]:
        """How often each fault was done, by the name of its class."""
        return self._schedule.injected

    def _answer(self, request: Request) -> Iterator[Any] | bytes:
        if not request.path.partition("?")[0].endswith(PATH):
            return reply(404, error_body(f"There is only {PATH} here.", "not_found"))
        try:
            asked = ChatRequest.model_validate_json(request.body)
        except ValidationError:
            return reply(400, error_body("This is no request for a chat completion.", "invalid_request"))
        try:
            good = self._good(asked)
        except APIStatusError as error:
            return reply(error.status_code, error_body(error.message, error.code))
        except EdgeAgentError as error:
            return reply(500, error_body(str(error)))
        return pieces(self._schedule.next(), good)

    def _good(self, asked: ChatRequest) -> Good:
        if not asked.stream:
            completion: Any = self.provider.complete(asked)
            return Good([completion.as_json()], streamed=False)
        chunks: Any = self.provider.stream(asked)
        return Good([*_events(chunks), b"data: [DONE]\n\n"], streamed=True)


def _events(chunks: Iterable[ChatCompletionChunk]) -> Iterator[bytes]:
    return (b"data: %b\n\n" % chunk.as_json() for chunk in chunks)
