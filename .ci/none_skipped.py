"""Fails unless a JUnit report tells of at least one test that needs a local model, and of none that was skipped."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET

__all__: list[str] = []

report = ET.parse(sys.argv[1]).getroot()  # pytest wrote it a moment ago
needing = [
    case for case in report.iter("testcase") if case.find("./properties/property[@value='local_model']") is not None
]
skipped = sum(case.find("skipped") is not None for case in needing)
print(f"{len(needing)} tests with a local model, {skipped} skipped")
sys.exit(not needing or skipped > 0)
