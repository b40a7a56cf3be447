"""The server that fails: each of its faults, as a client meets it."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.errors import (
    APIConnectionError,
    APITimeoutError,
    ConfigurationError,
    EdgeAgentError,
    InternalServerError,
    OverloadedError,
    RateLimitError,
    ResponseValidationError,
    StreamInterruptedError,
)
from edgeagent.providers import OpenAICompatible
from edgeagent.testing import FAULTS, Fault, FaultServer

QUESTION: list[Any] = [{"role": "user", "content": "Is all well?"}]

MET: list[tuple[Fault | None, type[Exception] | None, type[Exception] | None]] = [
    (None, None, None),
    ("silence", APITimeoutError, APITimeoutError),
    ("reset", APIConnectionError, APIConnectionError),
    ("429", RateLimitError, RateLimitError),
    ("429-retry-after", RateLimitError, RateLimitError),
    ("500", InternalServerError, InternalServerError),
    ("529", OverloadedError, OverloadedError),
    ("truncated-json", ResponseValidationError, StreamInterruptedError),
    ("html", ResponseValidationError, ResponseValidationError),
    ("short-body", APIConnectionError, StreamInterruptedError),
    ("half-stream", APIConnectionError, StreamInterruptedError),
    ("error-event", APIConnectionError, StreamInterruptedError),
    ("garbage", None, None),
    ("slow", APITimeoutError, APITimeoutError),
    ("endless", APITimeoutError, StreamInterruptedError),
]


def test_the_table_is_whole() -> None:
    """Every fault is met in the tests."""
    assert {fault for fault, *_ in MET} == {None, *FAULTS}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("fault", "whole", "streamed"), MET, ids=[str(fault) for fault, *_ in MET])
def test_what_a_client_meets(
    fault: Fault | None, whole: type[Exception] | None, streamed: type[Exception] | None, stream: bool
) -> None:
    """The error of the tree that says what happened, in time, and no connection that stays."""
    expected = streamed if stream else whole
    with FaultServer(choose=lambda request: fault) as server:
        with EdgeClient(
            providers=[OpenAICompatible(name="a", base_url=server.url, api_key="x")],
            cache=False,
            retry=0,
            timeout=0.2,
            deadline=0.6,
        ) as client:

            def ask() -> str:
                made: Any = client.chat.completions.create(model="m", messages=QUESTION, stream=stream)
                if stream:
                    return "".join(chunk.choices[0].delta.content or "" for chunk in made if chunk.choices)
                return str(made.choices[0].message.content)

            began = time.monotonic()
            if expected is None:
                assert ask() == "All is well."
            else:
                with pytest.raises(EdgeAgentError) as caught:
                    ask()
                assert isinstance(caught.value, expected)
            assert time.monotonic() - began < 5
        assert server.met == {fault or "none": 1}
        limit = time.monotonic() + 10
        while server.open:
            assert time.monotonic() < limit
            time.sleep(0.01)


def test_a_seed_says_which_call_meets_what() -> None:
    """The same one, the same faults; a share of them."""

    def met(seed: int) -> dict[str, int]:
        with FaultServer(share=0.5, faults=["500", "429"], seed=seed) as server:
            provider = OpenAICompatible(name="a", base_url=server.url, api_key="x")
            with EdgeClient(providers=[provider], cache=False, retry=0) as client:
                for _ in range(40):
                    with contextlib.suppress(EdgeAgentError):
                        client.chat.completions.create(model="m", messages=QUESTION)
            assert server.requests == 40
            return dict(server.met)

    first = met(1)
    assert first == met(1)
    assert 5 <= first["none"] <= 35
    assert set(first) == {"none", "500", "429"}


@pytest.mark.parametrize("arguments", [{"share": 2}, {"faults": ["fire"]}, {"faults": []}])
def test_what_it_cannot_be(arguments: dict[str, Any]) -> None:
    """The message says what to do."""
    with pytest.raises(ConfigurationError, match="FaultServer"):
        FaultServer(**arguments)
