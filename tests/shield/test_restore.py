"""Restoring: what models make of placeholders, and streams cut in every way."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from html import escape
from json import dumps
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.shield.placeholders import Names, name_of
from edgeagent.shield.restore import Restorer

HELD = {"<EMAIL_1>": "bob@x.com", "<EMAIL_12>": "eve@x.com", "<IP_ADDRESS_3>": "10.1.2.3", "<PERSON_1>": 'A "B" <C>'}
STANDINS = {
    "robin.marsh1@example.org": "carol@y.de",
    "robin.marsh11@example.org": "dan@y.de",
    "+1 202 555 0101": "+1 9",
}


def restorer() -> Restorer:
    return Restorer(HELD, STANDINS, {"EMAIL_1": "bob@x.com"})


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("to <EMAIL_1>.", "to bob@x.com."),
        ("<EMAIL_12><EMAIL_1>", "eve@x.combob@x.com"),
        ("<email_1> <Email_1>", "bob@x.com bob@x.com"),
        ("< EMAIL 1 > <EMAIL-1>", "bob@x.com bob@x.com"),
        ("<EMAIL\n_1>", "bob@x.com"),
        (r"<EMAIL\_1> \<EMAIL\_1\>", "bob@x.com bob@x.com"),
        (r"{'md': '\\<EMAIL\\_1\\>'}", "{'md': 'bob@x.com'}"),
        (r"C:\<EMAIL_1>\x \\<EMAIL_1>\x \\\<EMAIL_1>\\", r"C:\bob@x.com\x \\bob@x.com\x \\\bob@x.com\\"),
        (r"\\\u003cEMAIL_1\u003e \\\<EMAIL_1\>", r"\\bob@x.com \\bob@x.com"),
        ("**<EMAIL_1>** <**EMAIL_1**>", "**bob@x.com** bob@x.com"),
        ("&lt;EMAIL_1&gt; &#60;EMAIL_1&#62; &LT;EMAIL_1&GT;", "bob@x.com bob@x.com bob@x.com"),
        ("&lt;PERSON_1&gt;", 'A "B" &lt;C&gt;'),
        ("&amp;lt;PERSON_1&amp;gt;", 'A "B" &amp;lt;C&amp;gt;'),
        ("?q=%3CEMAIL_1%3E", "?q=bob%40x.com"),
        ("?to=%2Fx%3Fq%3D%253cEMAIL_1%253E", "?to=%2Fx%3Fq%3Dbob%2540x.com"),
        (r"\u003cEMAIL_1\u003e", "bob@x.com"),
        ("\uff1cEMAIL_1\uff1e \u2039EMAIL_1\u203a", "bob@x.com bob@x.com"),
        ("<EMAIL_1>'s <EMAIL_1's> <EMAIL_1ig>", "bob@x.com's bob@x.com's bob@x.comig"),
        ("<IP_ADDRESS_3> <IPADDRESS3>", "10.1.2.3 10.1.2.3"),
        ("robin.marsh1@example.org, Robin.Marsh11@Example.org", "carol@y.de, dan@y.de"),
        ("call +1 202 555 0101!", "call +1 9!"),
    ],
)
def test_what_models_write(text: str, wanted: str) -> None:
    """Case, markup, escapes, breaks and endings that a model adds do not hide a placeholder."""
    assert restorer().text(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "<EMAIL_2>",
        "<EMAIL_11>",
        "<EMAIL_1",
        "EMAIL_1",
        "EMAIL_1>",
        "<h1>Email 1</h1>",
        "a < b > c",
        "<EMAIL_1 2>",
        "<EMAILS_1>",
        "<EMAIL_1 and much more that follows>",
        "<EMAIL>",
        "<PERSON_2> <LITERAL_1>",
        "xrobin.marsh1@example.org",
        "robin.marsh1@example.organic",
        "robin.marsh111@example.org",
        "<" * 50,
        "&lt;" * 20,
        "\\" * 30,
    ],
)
def test_what_is_none(text: str) -> None:
    """Nothing is restored that the request did not hold, or that only looks alike."""
    assert restorer().text(text) == text


def test_nothing_held() -> None:
    """Without values there is nothing to restore and nothing is held back."""
    empty = Restorer({}, {})
    assert not empty
    stream = empty.stream()
    assert stream.feed("<EMAIL_1") == "<EMAIL_1"
    assert stream.end() == ""
    assert empty.text("<EMAIL_1>") == "<EMAIL_1>"


def test_json_text() -> None:
    """In JSON text a value is written as inside of a string, whatever is in it."""
    nasty = 'a"b\\c\nd'
    held = Restorer({"<KEY_1>": nasty}, {"standin": "x\ny"})
    assert json.loads(held.text('{"k": "<KEY_1>", "s": "\\nstandin"}', json=True)) == {"k": nasty, "s": "\nx\ny"}
    assert json.loads(held.tree({"arguments": '{"k": "<KEY_1>"}'})["arguments"]) == {"k": nasty}


@given(st.text("\\\\ab:", max_size=5), st.text("\\\\ab<>", max_size=3), st.lists(st.integers(0, 60), max_size=4))
def test_paths(before: str, after: str, cuts: list[int]) -> None:
    """A backslash before a value stays: nothing of a path is lost, and JSON text stays JSON, however cut."""
    said = f"{before}bob@x.com{after}"
    text = said.replace("bob@x.com", "<EMAIL_1>")
    assert restorer().text(text) == said
    written = json.dumps({"path": text})
    whole = restorer().text(written, json=True)
    assert json.loads(whole) == {"path": said}
    stream, ends = restorer().stream(json=True), [0, *sorted(cuts), 60]
    assert "".join(stream.feed(written[a:b]) for a, b in itertools.pairwise(ends)) + stream.end() == whole


NASTY = 'a"b\\c\nd'


@pytest.mark.parametrize(
    "value",
    [
        {"k": "<KEY_1>"},
        {"deep": json.dumps({"k": "<KEY_1>", "deeper": json.dumps(["<KEY_1>"])})},
        {"said": 'he said "<KEY_1>"', "after": json.dumps({"k": "\u00e9"}), "more": "<KEY_1>"},
        {"note": "[Note] it is <KEY_1>", "list": [" {<KEY_1>}", "<KEY_1>"]},
        [json.dumps({"a": "b"}), "<KEY_1>", " [<KEY_1>", json.dumps([" {", "<KEY_1>"])],
    ],
)
def test_json_text_in_json_text(value: object) -> None:
    """JSON text in a string of JSON text stays JSON, whatever is in the value: in text and in objects, however cut."""

    def said(value: Any, key: str = "<KEY_1>") -> Any:
        """What its strings say, with another word for the placeholder; those that are JSON as what they are."""
        if isinstance(value, str):
            try:
                return said(json.loads(value), key)
            except ValueError:
                return value.replace("<KEY_1>", key)
        if isinstance(value, list):
            return [said(part, key) for part in value]
        return {name: said(part, key) for name, part in value.items()}

    held, text = Restorer({"<KEY_1>": NASTY}, {}), json.dumps(value)
    whole = held.text(text, json=True)
    assert said(whole) == said(value, NASTY)
    stream = held.stream(json=True)
    assert "".join([*map(stream.feed, text), stream.end()]) == whole
    if isinstance(value, dict):
        assert held.tree({"input": value})["input"] == json.loads(whole)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("https://a.de/?to=robin.marsh1%40example.org&x", "https://a.de/?to=b%C3%B6b%40x.com&x"),
        ("https://a.de/?who=kim+archer", "https://a.de/?who=b%26b"),
        ("https://a.de/?who=Kim%20Archer#x", "https://a.de/?who=b%26b#x"),
        (r'{"k": "Q\"w\\9"}', r'{"k": "p\"p\\p"}'),
        (r'{"k": "{\"l\": \"Q\\\"w\\\\9\"}"}', r'{"k": "{\"l\": \"p\\\"p\\\\p\"}"}'),
        (r'he said Q"w\9', r'he said p"p\p'),
    ],
)
@pytest.mark.parametrize("json", [False, True])
def test_forms_of_stand_ins(text: str, wanted: str, json: bool) -> None:
    """A stand-in in a URL or in JSON text is written as these have it, and so is the value."""
    standins = {"robin.marsh1@example.org": "b\u00f6b@x.com", "Kim Archer": "b&b", r'Q"w\9': r'p"p\p'}
    held = Restorer({}, standins)
    if json and not text.startswith(("{", "http")):
        text, wanted = dumps(text), dumps(wanted)
    assert held.text(text, json=json) == wanted
    stream = held.stream(json=json)
    assert "".join([*map(stream.feed, text), stream.end()]) == wanted
    assert repr(held) == "<Restorer of 3 values>"


RESPELLED = [
    ("4000 0000 0000 0019", "4111 1111 1111 1111", "4000000000000019", "4111111111111111"),
    ("4000 0000 0000 0019", "4111 1111 1111 1111", "4000-0000-0000-0019", "4111-1111-1111-1111"),
    ("4000000000000019", "4111111111111111", "4000 0000 0000 0019", "4111 1111 1111 1111"),
    ("+49 30 1200001", "+49 30 1234567", "+49301200001", "+49301234567"),
    ("+49 30 1200001", "+49 (30) 123-45 67", "+49301200001", "+49301234567"),
    ("(415) 555-0101", "(415) 867-5309", "415-555-0101", "415-867-5309"),
    ("DE99000000000000000001", "DE89370400440532013000", "DE99 0000 0000 0000 0000 01", "DE89 3704 0044 0532 0130 00"),
    ("000-12-0001", "536-22-4111", "000120001", "536224111"),
    ("+49 30 1200001", "+49 30 1234567 ext. 8", "+49-30-1200001", "+49 30 1234567 ext. 8"),
]


@pytest.mark.parametrize(("standin", "value", "said", "wanted"), RESPELLED)
def test_numbers_that_a_model_groups_otherwise(standin: str, value: str, said: str, wanted: str) -> None:
    """They come back, with the value grouped as the model did; in text and in arguments, however cut."""
    held = Restorer({}, {standin: value})
    assert held.text(f"It is {said}.") == f"It is {wanted}."
    assert held.tree({"arguments": dumps({"to": said})}) == {"arguments": dumps({"to": wanted})}
    stream = held.stream()
    assert "".join([*map(stream.feed, f"It is {said}, or {standin}"), stream.end()]) == f"It is {wanted}, or {value}"


@pytest.mark.parametrize(
    ("standin", "said"),
    [
        ("1989-12-12", "19891212"),
        ("192.0.2.111", "192-0-2-111"),
        ("robin.marsh1@example.org", "robin marsh1@example org"),
        ("00:00:5E:00:53:01", "00005E005301"),
        ("4000 0000 0000 0019", "14000000000000019"),
    ],
)
def test_what_is_no_other_spelling(standin: str, said: str) -> None:
    """Dates and addresses have signs of their own; a part of a longer number is none."""
    assert Restorer({}, {standin: "x"}).text(said) == said


def test_a_spelling_that_two_would_share() -> None:
    """It may be either, and stays; each is restored in its own spelling."""
    held = Restorer({}, {"12 34 567 89": "a", "1234 567 89": "b", "123-456-789": "c"})
    assert held.text("123456789, 12 34 567 89, 1234 567 89, 123-456-789") == "123456789, a, b, c"


def test_structured_answers_in_vendors_formats() -> None:
    """Text that is JSON stays JSON in a vendor's own format; prose is prose."""
    held = Restorer({"<KEY_1>": NASTY}, {})
    parts = [{"text": '{"k": "<KEY_1>'}, {"text": "<KEY_1>"}]
    structured = held.tree({"content": parts}, structured=True)["content"]
    assert structured == [{"text": '{"k": "' + json.dumps(NASTY)[1:-1]}, {"text": NASTY}]
    assert held.tree({"content": parts})["content"][0] == {"text": '{"k": "' + NASTY}


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("name", ["text", "content"])
def test_places_of_citations_in_vendors_formats(name: str, wrapped: bool) -> None:
    """A citation's places are those of the restored text, in the order of the members that was."""
    cited: dict[str, Any] = {"start_index": 3, "end_index": 12, "title": "<EMAIL_1>"}
    note = {"type": "url_citation", **({"url_citation": cited} if wrapped else cited)}
    told = restorer().tree({"type": "x", name: "to <EMAIL_1>.", "annotations": [note, "other"]})
    assert list(told) == ["type", name, "annotations"]
    place = told["annotations"][0]["url_citation"] if wrapped else told["annotations"][0]
    assert told[name][place["start_index"] : place["end_index"]] == "bob@x.com"
    assert place["title"] == "bob@x.com"
    assert cited["end_index"] == 12
    empty = {"content": None, "annotations": [note]}
    assert restorer().tree(empty)["content"] is None


def test_tree() -> None:
    """In JSON values keys and texts are restored, names without brackets only where a name stands."""
    value = {"<EMAIL_1>": ["<EMAIL_1>", 1, None], "name": "EMAIL_1", "other": "EMAIL_1"}
    assert restorer().tree(value) == {"bob@x.com": ["bob@x.com", 1, None], "name": "bob@x.com", "other": "EMAIL_1"}


def test_repr() -> None:
    """Its repr shows how many values it knows and none of them."""
    assert repr(restorer()) == "<Restorer of 7 values>"


ESCAPES: dict[str, Callable[[str], str]] = {
    "HTML": lambda text: escape(text, quote=False),
    "entities": lambda text: text.replace("&", "&#38;").replace("<", "&#60;").replace(">", "&#x3E;"),
    "zeros": lambda text: text.replace("&", "&#038;").replace("<", "&#x003C;").replace(">", "&#062;"),
    "URL": lambda text: quote(text, safe=""),
    "JSON": lambda text: dumps(text)[1:-1],
    "HTML's JSON": lambda text: (
        dumps(text)[1:-1].replace("<", "\\u003C").replace(">", "\\u003e").replace("&", "\\u0026")
    ),
    "JavaScript": lambda text: dumps(text)[1:-1].replace("<", "\\x3c").replace(">", "\\u{3e}"),
}


@pytest.mark.parametrize("ways", [ways for n in (1, 2, 3) for ways in itertools.product(ESCAPES, repeat=n)])
def test_text_escaped_in_escaped_text(ways: tuple[str, ...]) -> None:
    """What escapes the text around a placeholder, once, twice or thrice, hides none and escapes its value likewise."""
    written, value = "to <EMAIL_1>!", "bob@x.com"
    for way in ways:
        written, value = ESCAPES[way](written), ESCAPES[way](value)
    start, _, end = written.partition("EMAIL_1")
    told = restorer().text(written)
    assert value in told
    assert "EMAIL" not in told
    assert len(told) < len(start) + len(value) + len(end)


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_json_in_json(levels: int) -> None:
    """A placeholder that a program escaped in JSON text comes back in each level of JSON text in JSON text."""
    text = '{"to": "\\u003cPERSON_1\\u003e"}'
    for _ in range(levels - 1):
        text = dumps({"in": text})
    told = json.loads(restorer().text(text, json=True))
    for _ in range(levels - 1):
        told = json.loads(told["in"])
    assert told == {"to": HELD["<PERSON_1>"]}


PIECES = st.sampled_from(
    [
        *HELD, *STANDINS, "robin.marsh1%40example.org", "+1+202+555+0101",
        "<", ">", "&lt;", "&gt;", "\\", "\\u003c", "\\u003e", "EMAIL", "_", "1", "2", " ", "**", "'s",
        "<email 1>", "<EMAIL\\_12\\>", "&lt;IP_ADDRESS_3&gt;", "%3CEMAIL_1%3E", "robin.marsh1", "x", ".", "Ü", "\n",
        "<EMAIL_1's", "\u200b", "\\n", "+1 202 555 010", "&amp;lt;EMAIL_1&amp;gt;",
        "&#060;EMAIL_1&#x003E;", "\\\\\\\\u003cEMAIL_1\\\\\\\\u003e", "%26lt%3BEMAIL_1%26gt%3B", "%5Cu003c",
        "&#", "\\u{3c}",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join), st.data(), st.booleans())
def test_streams(text: str, data: st.DataObject, json: bool) -> None:
    """However a text is cut, a stream gives what the whole text gives."""
    places = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    stream = restorer().stream(json=json)
    out = [stream.feed(text[a:b]) for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    assert "".join([*out, stream.end()]) == restorer().text(text, json=json)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_byte_by_byte(text: str) -> None:
    """Character by character the result is the same, and what waits is never longer than a placeholder can be."""
    stream = restorer().stream()
    out = ""
    for character in text:
        out += stream.feed(character)
        assert stream.waiting <= 96
    assert out + stream.end() == restorer().text(text)


@pytest.mark.parametrize(
    ("text", "waiting"),
    [
        ("Hello", 0),
        ("a < b", 0),
        ("a <e", 2),
        ("<em>", 0),
        ("<EMAIL_1", 8),
        ("<EMAIL_1>", 0),
        ("<EMAIL_2", 0),
        ("mar", 0),
    ],
)
def test_what_waits(text: str, waiting: int) -> None:
    """Only what may still become a placeholder of this request waits."""
    stream = restorer().stream()
    stream.feed(text)
    assert stream.waiting == waiting


def test_places() -> None:
    """A place in the written text is told as the same place in the restored one."""
    stream = Restorer({"<A_1>": "xyzxyzxyz", "<A_2>": ""}, {}).stream()
    assert stream.feed("0 <A_1> 8 <A_2> 16") == "0 xyzxyzxyz 8  16"
    assert [stream.place(at) for at in (0, 2, 7, 8, 15, 16)] == [0, 2, 11, 12, 14, 15]


def test_names_with_any_number() -> None:
    """In a request, what looks like one of ours is found whatever its number."""
    names = Names({"EMAIL", "LITERAL"}, any_number=True)
    text = "<EMAIL_1> <email 77> <CARD_1> <LITERAL_3> <h1> <EMAIL>"
    assert [text[a:b] for a, b in names.find(text)] == ["<EMAIL_1>", "<email 77>", "<LITERAL_3>"]
    assert not Names(())


def test_name_of() -> None:
    """A name is letters and number."""
    assert name_of("<IP_ADDRESS_3>") == "IPADDRESS3"


def test_misses() -> None:
    """An answer to another question may speak of a value that this request does not hold."""
    assert restorer().misses("a <EMAIL_2> b")
    assert not restorer().misses("a <EMAIL_1> <b>")


def test_numbers_in_objects() -> None:
    """A number that stands for one comes back in an object as in JSON text; what has no digits to lose is a text."""
    held = Restorer({}, {"4000000000000019": "4111111111111111", "10000007": "01234567"})
    value = {"card": 4000000000000019, "many": [10000007, 4000000000000018, 1.5, True, None], "huge": 10**5000}
    wanted = {"card": 4111111111111111, "many": ["01234567", *value["many"][1:]], "huge": value["huge"]}  # type: ignore[index]
    assert held.tree({"input": value})["input"] == wanted
    assert json.loads(held.text(json.dumps({"card": value["card"]}), json=True)) == {"card": wanted["card"]}
