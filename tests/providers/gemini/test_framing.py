"""One form of a stream as the other: recorded streams, any documents at any cuts, and what is wrong with them."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import APIError
from edgeagent.providers.gemini.array import ArrayScanner
from edgeagent.providers.gemini.framing import ArrayForm, EventsForm, array_of, events_of
from edgeagent.wire.json import dump_json
from tests.providers.gemini.reading import answers_in
from tests.providers.gemini.support import chunks_of, codec, is_stream
from tests.support.corpus import body, records
from tests.support.judge import pieces as cut_at
from tests.support.timing import is_linear

Form = Callable[[], ArrayForm | EventsForm]

DOCUMENTS = [{"candidates": [{"content": {"parts": [{"text": 'Größe "3"\\\n'}]}}]}, {"a": [{"b": "]}"}, [], 1.5e300]}]
ERROR = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
STREAMS = [(api, r) for api in ("gemini.generate", "vertex.generate") for r in records(api) if is_stream(r)]


def told(form: Form, pieces: list[bytes]) -> bytes:
    made = form()
    return b"".join([*(made.feed(piece) for piece in pieces), made.end()])


def every_byte(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


def as_events(documents: list[Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(document).encode() + b"\r\n\r\n" for document in documents)


def as_array(documents: list[Any]) -> bytes:
    return b"[" + b"\n,\r\n".join(json.dumps(document, indent=2).encode() for document in documents) + b"\n]"


def events_in(data: bytes) -> list[Any]:
    lines = [line for line in data.split(b"\r\n") if line]
    assert all(line.startswith(b"data: ") for line in lines)
    return [json.loads(line[6:]) for line in lines]


@pytest.mark.bulk
def test_recorded_streams() -> None:
    """Each is the same documents in either form, whatever the cuts; in its own form it is the same bytes."""
    arrays = 0
    for number, (_, record) in enumerate(STREAMS):
        data = body(record)
        is_array = data.lstrip().startswith(b"[")
        arrays += is_array
        documents = json.loads(data) if is_array else answers_in(data.decode())
        for pieces in ([data], cut_at(data, 12, number), [*every_byte(data[:3000]), data[3000:]]):
            array, events = told(ArrayForm, pieces), told(EventsForm, pieces)
            assert json.loads(array) == documents
            assert answers_in(events.decode()) == documents
            assert (array if is_array else events) == data
        assert told(ArrayForm, [events]) == array if not is_array else events_in(events) == documents
    assert 0 < arrays < len(STREAMS)


def test_a_stream_is_the_same_answer_in_either_form() -> None:
    """The decoder reads the same chunks."""
    for api, record in STREAMS:
        data = body(record)
        if chunks := _chunks(api, data):
            assert _chunks(api, told(ArrayForm, [data])) == chunks
            assert _chunks(api, told(EventsForm, [data])) == chunks


def _chunks(api: str, data: bytes) -> Any:
    try:
        return chunks_of([data], api)
    except APIError:
        return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.bulk
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), max_size=5), st.data())
def test_any_documents_at_any_cuts(documents: list[Any], data: st.DataObject) -> None:
    """Whole, byte by byte and at random cuts, from either form into either form."""
    for raw in (as_events(documents), as_array(documents) if documents else b"[]"):
        places = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
        pieces = [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]
        for cut in ([raw], every_byte(raw), pieces):
            assert json.loads(told(ArrayForm, cut)) == documents
            assert events_in(told(EventsForm, cut)) == documents


@given(st.binary(max_size=60), st.data())
def test_any_bytes_at_any_cuts(raw: bytes, data: st.DataObject) -> None:
    """What comes out does not depend on the cuts, and nothing raises."""
    place = data.draw(st.integers(0, len(raw)))
    for form in (ArrayForm, EventsForm):
        assert told(form, [raw[:place], raw[place:]]) == told(form, [raw]) == told(form, every_byte(raw))


@pytest.mark.parametrize("lead", [b"", b"\n", b"\xef\xbb\xbf", b": keep-alive\n\n"])
def test_what_says_nothing(lead: bytes) -> None:
    """Blank lines, marks and comments before events; a word of proxies behind them."""
    data = lead + as_events(DOCUMENTS[:1]) + b"data: [DONE]\n\n"
    assert json.loads(told(ArrayForm, [data])) == DOCUMENTS[:1]
    assert told(EventsForm, [data]) == data


def test_an_event_without_its_blank_line() -> None:
    """The end of the stream ends it."""
    assert json.loads(told(ArrayForm, [as_events(DOCUMENTS[:1]).rstrip()])) == DOCUMENTS[:1]


def test_a_single_object() -> None:
    """Where a stream was asked for, it is one of one piece."""
    raw = json.dumps(DOCUMENTS[0], indent=2).encode()
    assert json.loads(told(ArrayForm, every_byte(raw))) == DOCUMENTS[:1]
    assert events_in(told(EventsForm, every_byte(raw))) == DOCUMENTS[:1]


def test_nothing() -> None:
    """A stream without documents is an empty array."""
    assert told(ArrayForm, []) == told(ArrayForm, [b": ping\n\n"]) == b"[]"
    assert told(EventsForm, []) == b""


@pytest.mark.parametrize("error", [dump_json(ERROR), json.dumps(ERROR, indent=2).encode(), as_array([ERROR])])
def test_an_error_behind_the_events(error: bytes) -> None:
    """Google writes it as bare JSON: it is an element of the array, and goes on with the events as it is."""
    data = as_events(DOCUMENTS[:1]) + error
    for cut in ([data], every_byte(data)):
        assert json.loads(told(ArrayForm, cut)) == [*DOCUMENTS[:1], ERROR]
        assert told(EventsForm, cut) == data


@pytest.mark.parametrize(
    "data",
    [
        b"[1]",
        b'[{"a": 1}',
        b'[{"a": 1}, {"b":',
        b'{"a": 1} x',
        b'[{"a": 1}] x',
        as_events(DOCUMENTS[:1]) + b'{"error": {',
        as_events(DOCUMENTS[:1]) + b"[7",
        as_events(DOCUMENTS[:1]) + b'{"a": 1} x',
    ],
)
def test_what_is_broken_has_no_end(data: bytes) -> None:
    """A stream that was cut, or is none, must not look as if it were whole."""
    for cut in ([data], every_byte(data)):
        array = told(ArrayForm, cut)
        assert not array.endswith(b"\n]")
        made = ArrayForm()
        made.feed(data + b"x")
        assert made.feed(as_events(DOCUMENTS)) == b""


def test_an_element_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held is bounded."""
    monkeypatch.setattr(ArrayScanner.__init__, "__defaults__", (64,))
    data = as_array([{"a": 1}, {"a": "x" * 100}])
    assert told(ArrayForm, [data]) == told(ArrayForm, every_byte(data)) == b'[{\n  "a": 1\n}'


def test_whole_bodies() -> None:
    """In either form; None for what is no stream."""
    assert json.loads(array_of(dump_json(ERROR)) or b"") == [ERROR]
    assert json.loads(array_of(as_events([ERROR])) or b"") == [ERROR]
    assert events_in(events_of(as_array(DOCUMENTS)) or b"") == DOCUMENTS
    assert [array_of(raw) for raw in (b"", b"<html>", b"[", b"[]", b"{} x")] == [None] * 5
    assert codec().native_stream(dump_json(ERROR)) == b"data: " + dump_json(ERROR) + b"\r\n\r\n"


@pytest.mark.parametrize("form", [ArrayForm, EventsForm])
@pytest.mark.parametrize("write", [as_events, as_array])
def test_time_is_linear(form: Form, write: Callable[[list[Any]], bytes]) -> None:
    """Four times the bytes take about four times as long, in tiny pieces and in one long element."""

    def work(size: int) -> Callable[[], object]:
        data = write([{"text": 'x"\\' * size}, *[{"text": "y"}] * (size // 50)])
        pieces = [data[i : i + 64] for i in range(0, len(data), 64)]
        return lambda: told(form, pieces)

    assert is_linear(work(10_000), work(40_000))


def test_memory_is_one_element() -> None:
    """However long the stream is."""
    piece = as_events([{"text": "x" * 10_000}])
    form = ArrayForm()
    form.feed(piece)
    tracemalloc.start()
    try:
        for _ in range(200):
            form.feed(piece[:5000])
            form.feed(piece[5000:])
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 50_000
