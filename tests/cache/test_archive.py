"""Entries as lines of JSON: what is written is read again to the byte, and nothing else is an entry."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache.archive import HEADER, entry_of, is_header, line_of
from edgeagent.cache.entry import Entry
from tests.cache.test_entry import ENTRIES, ENTRY

FINITE = ENTRIES.filter(lambda e: abs(e.created) < 1e300 and (e.expires is None or abs(e.expires) < 1e300))


@given(st.binary(min_size=1, max_size=32), FINITE, st.text())
def test_a_line_is_its_entry(key: bytes, entry: Entry, said: str) -> None:
    """Every field, on one line."""
    entry = entry._replace(completion=json.dumps(said).encode())
    line = line_of(key, entry)
    assert "\n" not in line
    found = entry_of(line)
    assert found == (key, entry)
    assert found is not None
    assert str(found[1].cost_usd) == str(entry.cost_usd)


@given(st.data())
def test_a_changed_line_is_no_entry(data: st.DataObject) -> None:
    """Any one character replaced by another: the sum covers key and fields (but for the spelling of JSON)."""
    line = line_of(b"k", ENTRY)
    at = data.draw(st.integers(0, len(line) - 1))
    changed = line[:at] + data.draw(st.characters(exclude_characters=line[at], codec="ascii")) + line[at + 1 :]
    found = entry_of(changed)
    assert found is None or found == (b"k", ENTRY)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        "null",
        "7",
        "{",
        "[" * 100_000,
        '{"key":"zz","entry":{},"sum":""}',
        '{"key":1,"entry":[],"sum":1}',
    ],
)
def test_other_lines_are_no_entries(line: str) -> None:
    """Nothing raises."""
    assert entry_of(line) is None
    assert not is_header(line)


def test_a_right_sum_over_other_fields_is_no_entry() -> None:
    """A field more, one less, or one that is something else, as another version might write it."""
    from edgeagent.cache.archive import _sum

    fields = json.loads(line_of(b"k", ENTRY))["entry"]
    for changed in (
        {**fields, "more": 1},
        {name: value for name, value in fields.items() if name != "tags"},
        {**fields, "completion": 7},
        {**fields, "native": "*"},
        {**fields, "cost_usd": "much"},
        {**fields, "tags": None},
        {**fields, "tags": [7]},
        {**fields, "created": "today"},
        {**fields, "keep": None},
        {**fields, "provider": 7},
        {**fields, "namespace": ["a"]},
        {**fields, "native_streamed": 7},
        {**fields, "cost_usd": "NaN"},
    ):
        line = json.dumps({"key": b"k".hex(), "entry": changed, "sum": _sum(b"k".hex(), changed)})
        assert entry_of(line) is None


def test_the_first_line() -> None:
    """What it is, and the version; another version is another file."""
    assert is_header(HEADER)
    assert is_header('{ "version": 1, "format": "edgeagent cache" }')
    assert not is_header(HEADER.replace("1", "2"))
