"""The same calls with openai 0.28.1 and with edgeagent, against the same answers: same results, chunks, exceptions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.legacy.server import ANSWERS, STREAMS, answer
from tests.support.children import bare_environment
from tests.support.loopback import Loopback, Request

__all__: list[str] = []

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
HEADERS = (
    "authorization",
    "api-key",
    "content-type",
    "openai-organization",
    "openai-version",
    "x-mine",
    "x-request-id",
)

RAW = {
    "requests.exceptions.ChunkedEncodingError",
    "aiohttp.client_exceptions.ClientPayloadError",
    "aiohttp.client_exceptions.ClientOSError",
    "aiohttp.client_exceptions.ServerDisconnectedError",
}
"""What openai<1 let through from its HTTP libraries when a stream broke off; here it is an APIConnectionError."""

OWN_WORDS = {"APIConnectionError", "Timeout", "InvalidAPIType"}
"""Exceptions whose message is another library's there."""

UNTOLD = {("content-type", "text/event-stream")}
"""An error inside a stream has no headers here."""


class Run:
    """What one library made of all the calls."""

    def __init__(self, python: str, library: str) -> None:
        with Loopback(answer) as server:
            self.url = server.url
            command = [python, str(HERE / "cases.py"), library, server.url]
            command += [json.dumps(list(ANSWERS)), json.dumps(list(STREAMS))]
            path = {"PYTHONPATH": str(ROOT)} if library == "edgeagent" else {}
            environment = {n: v for n, v in bare_environment(**path).items() if not n.startswith("OPENAI_")}
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
            assert done.returncode == 0, done.stderr
            self.outcomes: dict[str, dict[str, Any]] = json.loads(done.stdout)
            self.requests = [_sent(request) for request in server.requests]


def _sent(request: Request) -> dict[str, Any]:
    headers = {name: request.headers[name] for name in HEADERS if name in request.headers}
    return {"path": request.path, "headers": headers, "body": request.json() if request.body else {}}


@pytest.fixture(scope="module")
def runs(peer: str) -> tuple[Run, Run]:
    """Theirs, ours."""
    return Run(peer, "openai"), Run(sys.executable, "edgeagent")


@pytest.mark.parametrize("manner", ["sync", "async"])
def test_results_are_the_same(runs, manner):
    """Every answer is the same dict, reads the same by attribute, key, `get` and text, and is of the same class."""
    theirs, ours = (run.outcomes[manner] for run in runs)
    assert theirs.keys() == ours.keys()
    there = {name: outcome["result"] for name, outcome in theirs.items() if "result" in outcome}
    assert {name: outcome["result"] for name, outcome in ours.items() if "result" in outcome} == there
    assert len(there) > 15


@pytest.mark.parametrize("manner", ["sync", "async"])
def test_chunks_are_the_same(runs, manner):
    """Every stream has the same chunks in the same kind of generator, up to where it broke off."""
    theirs, ours = (run.outcomes[manner] for run in runs)
    there = {
        name: (outcome["generator"], outcome["chunks"]) for name, outcome in theirs.items() if outcome.get("chunks")
    }
    here = {name: (ours[name]["generator"], ours[name]["chunks"]) for name in there}
    assert here == there
    assert len(there) > 8


@pytest.mark.parametrize("manner", ["sync", "async"])
def test_exceptions_are_the_same(runs, manner):
    """Every failure has the same class, bases and attributes; what was None there may be told here."""
    theirs, ours = (run.outcomes[manner] for run in runs)
    there = {name: outcome["error"] for name, outcome in theirs.items() if "error" in outcome}
    here = {name: outcome["error"] for name, outcome in ours.items() if "error" in outcome}
    assert here.keys() == there.keys()
    differences = {name: found for name in there if (found := _differences(there[name], here[name]))}
    assert differences == {}
    assert len(there) > 25


def _differences(theirs: dict[str, Any], ours: dict[str, Any]) -> dict[str, Any]:
    if theirs["name"] in RAW:
        return {} if ours["name"] == "APIConnectionError" else {"name": ours["name"]}
    found: dict[str, Any] = {}
    if (theirs["name"], theirs["known"]) != (ours["name"], ours["known"]):
        found["name"] = (theirs["name"], ours["name"])
    for name, value in theirs["attributes"].items():
        if name == "user_message":
            if not _same_message(theirs["name"], value, ours["attributes"][name]):
                found[name] = (value, ours["attributes"][name])
        elif value is not None and ours["attributes"][name] != value and (name, value) not in UNTOLD:
            found[name] = (value, ours["attributes"][name])
    return found


def _same_message(kind: str, theirs: str, ours: str) -> bool:
    if kind in OWN_WORDS:
        return theirs.split(":")[0].split(" with")[0][:12] == ours[:12]
    if kind == "APIError":  # there, the whole answer follows: body, status, dict, headers
        return theirs.startswith((ours, "Invalid response object"))
    return theirs == ours or theirs.startswith("Must provide an")


def test_requests_are_the_same(runs):
    """The same paths, credentials, headers and bodies reach the server.

    But for an engine's or deployment's name, which is in the body here; a stream's usage, which is asked for where it
    can be; and the list of models, which is looked through for one that is not found by its name.
    """
    theirs, ours = (run.requests for run in runs)
    for request in theirs:
        engine = re.search(r"/engines/([^/]+)", request["path"])
        if engine:
            request["path"] = request["path"].replace(engine[0], "")
            request["body"]["model"] = engine[1]
    for request in ours:
        if "/deployments/" in request["path"]:
            del request["body"]["model"]
        if "/v1/" in request["path"] and request["body"].get("stream"):
            assert request["body"].pop("stream_options") == {"include_usage": True}
    looked = next(i for i, request in enumerate(ours) if request["path"].endswith("/models/gpt-7"))
    assert ours[looked + 1]["path"] == "/v1/models"
    assert ours[: looked + 1] + ours[looked + 2 :] == theirs
