"""The official SDKs that are installed here, over the transport; `scripts/sdks` runs the same for other versions."""

from __future__ import annotations

import pytest

from tests.transports.sdks import CHECKS


@pytest.mark.parametrize("name", CHECKS)
def test_an_sdk_works_over_the_transport(name: str) -> None:
    """Whole answers, streams, async, hits, its own errors without its own retries, other vendors' answers."""
    CHECKS[name]()
