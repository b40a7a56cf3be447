"""Calls as log lines: silent by default, one line for each call, no text of prompts or answers."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from edgeagent.errors import RateLimitError
from edgeagent.telemetry import CallEnded, LoggingObserver
from edgeagent.types import Attempt, ResponseMetadata
from tests.telemetry.calls import CLAUDE, OK, OPENAI, SECRET, cached, coalesced, ended, failed, started


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (ended(), "answered by openai/gpt-4o-mini, 812 ms, 100 + 20 tokens, $0.000027, request req_1"),
        (cached(), "memory hit of openai/gpt-4o-mini, 0.02 ms, 100 + 20 tokens, $0.000027 saved"),
        (coalesced(), "joined a call to openai/gpt-4o-mini, 812 ms, 100 + 20 tokens, $0.000027 saved"),
        (failed(RateLimitError(SECRET), (OK, OK)), "failed with RateLimitError, 812 ms, 2 attempts"),
        (ended(completion=None, edge=ResponseMetadata()), "closed early, 812 ms"),
        (
            ended(time_to_first_chunk=0.25, duration=2.0, edge=ResponseMetadata(provider="a\nb", model="m")),
            "answered by 'a\\nb/m', 2.00 s, first chunk after 250 ms, 100 + 20 tokens",
        ),
    ],
)
def test_line(event: CallEnded, line: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each end of a call has its line at INFO."""
    observation = LoggingObserver()
    with caplog.at_level(logging.INFO, "edgeagent"):
        entry = observation.start(started())
        assert entry is not None
        entry.end(event)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("edgeagent", "INFO")
    assert record.getMessage() == f"chat gpt-4o-mini: {line}"


def test_story(caplog: pytest.LogCaptureFixture) -> None:
    """Attempts, retries, fallbacks and cache faults have their lines at DEBUG; no line holds any text."""
    observer = LoggingObserver()
    with caplog.at_level(logging.DEBUG, "edgeagent"):
        observer.cache_lookup("disk", hit=False)
        observer.cache_fault("disk", OSError(SECRET))
        entry = observer.start(started(stream=True))
        assert entry is not None
        assert entry.activate() is None
        entry.attempt(Attempt(OPENAI, "RateLimitError", 429, 3.0), RateLimitError(SECRET))
        entry.retry(OPENAI, 0.5)
        entry.attempt(Attempt(OPENAI, "APITimeoutError", None, 3.0), None)
        entry.fallback(OPENAI, CLAUDE)
        entry.end(ended())
    name = "chat gpt-4o-mini (stream)"
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "cache tier disk failed: OSError"),
        ("DEBUG", f"{name}: openai/gpt-4o-mini: RateLimitError (429) in 3.00 ms"),
        ("DEBUG", f"{name}: openai/gpt-4o-mini again in 500 ms"),
        ("DEBUG", f"{name}: openai/gpt-4o-mini: APITimeoutError in 3.00 ms"),
        ("DEBUG", f"{name}: anthropic/claude-haiku-4-5 after openai/gpt-4o-mini failed"),
        ("INFO", f"{name}: answered by openai/gpt-4o-mini, 812 ms, 100 + 20 tokens, $0.000027, request req_1"),
    ]
    assert SECRET not in caplog.text


def test_no_line_can_be_forged(caplog: pytest.LogCaptureFixture) -> None:
    """A model name with a line break stays on one line."""
    with caplog.at_level(logging.INFO, "edgeagent"):
        entry = LoggingObserver().start(started(model="m\nINFO forged"))
        assert entry is not None
        entry.end(ended())
    assert "\n" not in caplog.records[0].getMessage()


def test_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    """Above INFO nothing is made ready."""
    with caplog.at_level(logging.WARNING, "edgeagent"):
        assert LoggingObserver().start(started()) is None


def test_own_logger(caplog: pytest.LogCaptureFixture) -> None:
    """The application may name another logger."""
    with caplog.at_level(logging.INFO, "app.llm"):
        entry = LoggingObserver(logging.getLogger("app.llm")).start(started())
        assert entry is not None
        entry.end(ended())
    assert caplog.records[0].name == "app.llm"


def test_silent_by_default() -> None:
    """In a program that configures no logging, nothing of edgeagent is written anywhere."""
    code = "import logging, edgeagent.telemetry; logging.getLogger('edgeagent.cache').error('x')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("", "")
