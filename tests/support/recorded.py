"""What the tests of each vendor's recorded traffic share: its records by kind, and how a check of them is reported."""

from __future__ import annotations

from dataclasses import dataclass

from edgeagent.wire.http import HTTPResponse
from tests.support import report
from tests.support.corpus import Record, body, records

__all__ = ["Recorded", "response_of"]


@dataclass(frozen=True)
class Recorded:
    """The records of one API."""

    api: str

    def wholes(self) -> list[Record]:
        """Answers that were not streamed."""
        return [r for r in records(self.api) if r["status"] == 200 and not r["stream"]]

    def streams(self) -> list[Record]:
        """Streamed answers."""
        return [r for r in records(self.api) if r["status"] == 200 and r["stream"]]

    def check(self, name: str, total: int, faults: list[str], note: str = "") -> None:
        """A row of the table of what was run; fail if there is a fault, or nothing was looked at."""
        report.add(self.api, name, total - len(faults), len(faults), note)
        assert total
        assert faults == []


def response_of(record: Record) -> HTTPResponse:
    """The recorded answer."""
    return HTTPResponse(record["status"], record["response"]["headers"], body(record))
