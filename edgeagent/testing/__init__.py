"""For tests of code that uses edgeagent: providers that need no network."""

from __future__ import annotations

from edgeagent.testing.fake import FakeProvider

__all__ = ["FakeProvider"]
