"""Entries that were taken apart are kept, and are those of the bytes that are there now."""

from __future__ import annotations

import pytest

from edgeagent.cache import decoded
from edgeagent.cache.decoded import DecodedEntries
from edgeagent.cache.entry import Entry, encode_entry


def data_of(text: str) -> bytes:
    """An entry whose completion is a text."""
    return encode_entry(Entry(0.0, "fake", "gpt", "fake", None, None, text.encode()))


def said(entries: DecodedEntries, key: bytes, data: bytes) -> str | None:
    """The text of an entry."""
    entry = entries.of(key, data)
    return None if entry is None else entry.completion.decode()


def test_the_same_bytes_are_taken_apart_once() -> None:
    """Others under the same key are another entry, equal or not; damaged ones are none."""
    entries, data = DecodedEntries(), data_of("one")
    assert entries.of(b"k", data) is entries.of(b"k", data)
    assert said(entries, b"k", data_of("two")) == "two"
    assert said(entries, b"k", data[:-1] + b"?") is None
    assert said(entries, b"k", data) == "one"


def test_little_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many entries nor large ones; all of them are read all the same."""
    monkeypatch.setattr(decoded, "MOST", 3)
    monkeypatch.setattr(decoded, "LARGEST", 200)
    entries = DecodedEntries()
    for number in range(10):
        text = str(number) * (1 if number % 2 else 500)
        data = data_of(text)
        for _ in range(2):
            assert said(entries, bytes([number]), data) == text
        assert len(entries._entries) <= 3
        assert all(len(data) <= 200 for data, _ in entries._entries.values())


def test_forgetting() -> None:
    """Nothing of them is left."""
    entries = DecodedEntries()
    entries.of(b"k", data_of("private"))
    entries.forget()
    assert not entries._entries
