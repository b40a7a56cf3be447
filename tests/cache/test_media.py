"""Images, sounds and files count by content: one key for one sequence of bytes, whatever its spelling."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.cache.key import raw_key
from edgeagent.cache.media import canonical_content
from edgeagent.types import ChatRequest

__all__: list[str] = []

PNG = bytes(range(256)) * 3 + b"\xff"
B64 = base64.b64encode(PNG).decode()


def lines(text: str, width: int = 76, end: str = "\r\n") -> str:
    return "".join(text[at : at + width] + end for at in range(0, len(text), width))


def key(*parts: Any, role: str = "user") -> bytes:
    return raw_key(ChatRequest(model="m", messages=[{"role": role, "content": list(parts)}]), b"")


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, "detail": "low"}}


def sound(data: str) -> dict[str, Any]:
    return {"type": "input_audio", "input_audio": {"data": data, "format": "wav"}}


def file(data: str) -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": data, "filename": "a.pdf"}}


def source(data: str, kind: str = "base64") -> dict[str, Any]:
    return {"type": "document", "source": {"type": kind, "media_type": "text/plain", "data": data}}


def inside(data: str) -> dict[str, Any]:
    return {"type": "tool_result", "content": [{"type": "text", "text": "see"}, source(data)]}


URLS = {
    "line breaks": f"data:image/png;base64,{lines(B64)}",
    "spaces and tabs": f"data:image/png;base64, {lines(B64, 10, ' 	')}",
    "no padding": f"data:image/png;base64,{B64.rstrip('=')}",
    "stray bits": f"data:image/png;base64,{B64[:-3]}x==",
    "capitals": f"DATA:Image/PNG;Base64,{B64}",
    "blanks in the head": f"data: image/png ; base64 ,{B64}",
    "percent-encoded base64": f"data:image/png;base64,{quote(B64, safe='')}",
    "percent-encoded bytes": f"data:image/png,{quote(PNG)}",
}

OTHER_URLS = {
    "another media type": f"data:image/jpeg;base64,{B64}",
    "another parameter": f"data:image/png;a=b;base64,{B64}",
    "other bytes": f"data:image/png;base64,{base64.b64encode(PNG[:-1]).decode()}",
    "its base64 as text": f"data:image/png,{B64}",
    "no data URL": B64,
    "not base64": f"data:image/png;base64,{B64}!",
    "one character too many": f"data:image/png;base64,{B64.rstrip('=')}AAA",
    "the wrong padding": f"data:image/png;base64,{B64}=",
    "padding within": f"data:image/png;base64,AA=A{B64}",
    "the alphabet of URLs": f"data:image/png;base64,{B64.replace('/', '_').replace('+', '-')}",
    "no comma": f"data:image/png;base64{B64}",
}


def test_the_examples_are_what_they_say() -> None:
    """The stray bits really are stray, and the two alphabets differ here."""
    assert base64.b64decode(B64[:-3] + "x==") == PNG
    assert B64[-3] != "x"
    assert "/" in B64


@pytest.mark.parametrize("case", URLS)
def test_spellings_of_one_image(case: str) -> None:
    """They share a key, in a part of any kind that takes a data URL."""
    usual = f"data:image/png;base64,{B64}"
    assert key(image(URLS[case])) == key(image(usual))
    assert key(file(URLS[case])) == key(file(usual))
    assert key({"type": "input_image", "image_url": URLS[case]}) == key({"type": "input_image", "image_url": usual})
    assert key(image(URLS[case]), role="tool") == key(image(usual), role="tool")


@pytest.mark.parametrize("case", OTHER_URLS)
def test_other_images(case: str) -> None:
    """They look alike, and do not share."""
    assert key(image(OTHER_URLS[case])) != key(image(f"data:image/png;base64,{B64}"))


@pytest.mark.parametrize("part", [sound, file, source, inside], ids=lambda part: part.__name__)
def test_spellings_of_plain_base64(part: Any) -> None:
    """Where the bytes stand without a data URL."""
    for same in (lines(B64), B64.rstrip("="), B64[:-3] + "x=="):
        assert key(part(same)) == key(part(B64))
    for other in (B64[4:], B64 + "AAA", B64 + "!", "!" + B64, f"data:image/png;base64,{B64}"):
        assert key(part(other)) != key(part(B64))


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (source("AAAA BBBB", "text"), source("AAAABBBB", "text")),
        ({"type": "text", "text": f"data:a/b;base64,{B64}"}, {"type": "text", "text": f"data:A/B;base64,{B64}"}),
        ({"type": "text", "text": "x", "data": "data:A/B,x"}, {"type": "text", "text": "x", "data": "data:a/b,x"}),
        ({"type": "redacted_thinking", "data": "AAAA"}, {"type": "redacted_thinking", "data": "AA AA"}),
        (image("https://h/a b"), image("https://h/ab")),
        (image("https://h/A"), image("https://h/a")),
        (sound("AAAA"), file("AAAA")),
    ],
)
def test_what_is_no_medium_counts_as_it_is_written(left: dict[str, Any], right: dict[str, Any]) -> None:
    """Texts, addresses on the web, data of other kinds."""
    assert key(left) != key(right)


def test_a_text_that_is_no_list_is_no_part() -> None:
    """A data URL as the whole content is a text."""
    one, two = (
        raw_key(ChatRequest(model="m", messages=[{"role": "user", "content": text}]), b"")
        for text in ("data:a/b,x", "data:A/B,x")
    )
    assert one != two


@given(
    content=st.binary(max_size=60),
    media_type=st.sampled_from(["", "image/png", "text/plain;charset=utf-8"]),
    width=st.integers(1, 80),
    upper=st.booleans(),
    plain=st.booleans(),
    padded=st.booleans(),
)
def test_any_bytes_in_any_spelling(
    content: bytes, media_type: str, width: int, upper: bool, plain: bool, padded: bool
) -> None:
    """The usual spelling is its own; every other one becomes it."""
    usual = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    kind, semicolon, parameter = media_type.partition(";")
    head = (kind.upper() if upper else kind) + semicolon + parameter
    encoded = base64.b64encode(content).decode()
    body = quote(content) if plain else lines(encoded if padded else encoded.rstrip("="), width, "\n")
    spelled = f"data:{head}{'' if plain else ';base64'},{body}"
    ((part,),) = (message["content"] for message in canonical_content([{"role": "user", "content": [image(spelled)]}]))
    assert part["image_url"]["url"] == usual
    assert key(image(usual)) == key(image(spelled))


@given(left=st.text("AB/+= -_\n%data:;,", max_size=12), right=st.text("AB/+= -_\n%data:;,", max_size=12))
def test_equal_only_if_the_bytes_are(left: str, right: str) -> None:
    """Whatever was written: two that share a key are one text, or stand for the same bytes."""

    def bytes_of(text: str) -> Any:
        packed = "".join(text.split())
        bare = packed.rstrip("=")
        if len(packed) - len(bare) > 2 or (packed != bare and len(packed) % 4):
            return text
        try:
            return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
        except ValueError:
            return text

    assert (key(sound(left)) == key(sound(right))) is (bytes_of(left) == bytes_of(right))


def test_requests_are_left_as_they_were() -> None:
    """What is sent is what the caller wrote; other messages are not even copied."""
    content = [image(URLS["capitals"]), sound(lines(B64))]
    messages: list[Any] = [{"role": "user", "content": content}, {"role": "assistant", "content": "x"}]
    request = ChatRequest(model="m", messages=messages)
    raw_key(request, b"")
    assert request.messages[0]["content"] == [image(URLS["capitals"]), sound(lines(B64))]
    assert canonical_content(messages)[1] is messages[1]


def test_nesting_has_an_end() -> None:
    """Deeper parts count as they are written."""
    part: Any = {"url": "data:A/B,x"}
    for _ in range(40):
        part = [part]
    assert key(part) != key(image("x"))
    assert canonical_content([{"content": part}])[0]["content"] == part
