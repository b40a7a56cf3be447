"""Which parts of a request are read, and what each must stay."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.shield.json_text import is_json, legible, rewritten, tokens
from edgeagent.shield.shield import Shield
from edgeagent.shield.spans import Span, beside, merged
from edgeagent.shield.walk import walked

LONG = base64.b64encode(b"some bytes that are a text, too").decode()


class Seen:
    """Writes down what it is shown; texts become upper case."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str, bool]] = []
        self.parts: list[tuple[str, str]] = []
        self.objects: list[str] = []

    def text(self, text: str, where: str, bare: bool, /) -> str:
        self.texts.append((text, where, bare))
        return text.upper()

    def number(self, number: float, where: str, /) -> Any:
        self.texts.append((str(number), where, False))
        return number

    def data(self, _value: Any, where: str, /) -> None:
        self.objects.append(where)

    def media(self, part: dict[str, Any], kind: str, where: str, /) -> dict[str, Any]:
        self.parts.append((kind, where))
        return part


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ({"role": "user", "content": "a"}, [("a", "x.content", False)]),
        ({"role": "user", "name": "ann", "content": "a"}, [("ann", "x.name", True), ("a", "x.content", False)]),
        ({"type": "function", "function": {"name": "f", "parameters": {}}}, [("f", "x.function.name", True)]),
        ({"name": "just data", "age": 3}, [("just data", "x.name", False)]),
        (
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"id": "1"}},
            [("f", "x.name", True), ("id", "x.input", False), ("1", "x.input.id", False)],
        ),
        (
            {"input": {"type": "letter", "signature": "c2ln", "id": "call_1", "n": [7, True, None], "data": "data:,x"}},
            [
                ("type", "x.input", False),
                ("letter", "x.input.type", False),
                ("signature", "x.input", False),
                ("c2ln", "x.input.signature", False),
                ("id", "x.input", False),
                ("call_1", "x.input.id", False),
                ("n", "x.input", False),
                ("7", "x.input.n[0]", False),
                ("data", "x.input", False),
                ("data:,x", "x.input.data", False),
            ],
        ),
        ({"max_tokens": 9_999_999, "default": 10_000_000}, [("10000000", "x.default", False)]),
        ({"role": "tool", "tool_call_id": "call_ab12"}, []),
        ({"role": "tool", "tool_call_id": "ann@x"}, [("ann@x", "x.tool_call_id", True)]),
        ({"type": "thinking", "signature": "c2lnbmF0dXJl"}, []),
        ({"type": "thinking", "signature": "of ann"}, [("of ann", "x.signature", False)]),
        ({"type": "redacted_thinking", "data": "c2lnbmF0dXJl"}, []),
        ({"type": "reasoning.encrypted", "data": "c2lnbmF0dXJl", "index": 0}, []),
        ({"functionCall": {}, "thoughtSignature": "c2ln+/=="}, []),
        ({"thoughtSignature": "4111111111111111"}, [("4111111111111111", "x.thoughtSignature", False)]),
        ({"signature": "of ann"}, [("of ann", "x.signature", False)]),
        ({"type": "a type with spaces"}, [("a type with spaces", "x.type", False)]),
        ({"e@mail": [1, None, True, "t"]}, [("e@mail", "x", False), ("t", "x[…][3]", False)]),
        ({"url": "data:image/png;base64,AAAA"}, []),
        ({"url": "data:text/plain,hello"}, [("data:text/plain,hello", "x.url", False)]),
        ({"url": "data:no comma"}, [("data:no comma", "x.url", False)]),
        ({"url": "data:text/plain;base64,####"}, [("####", "x.url", False)]),
        ({"data": LONG, "format": "wav"}, []),
        ({"data": LONG, "media_type": "text/plain"}, [("some bytes that are a text, too", "x.data", False)]),
        ({"data": LONG}, [(LONG, "x.data", False)]),
    ],
)
def test_texts(value: Any, texts: list[tuple[str, str, bool]]) -> None:
    """Words of the format, ids of vendors and media are left alone; everything else is read in its order."""
    seen = Seen()
    walked(value, seen, "x")
    assert seen.texts == texts


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": LONG}}, "images"),
        ({"type": "input_image", "image_url": "https://a"}, "images"),
        ({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": LONG}}, "files"),
        ({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "t"}}, None),
        ({"type": "input_file", "file_data": "data:application/json;base64,e30="}, None),
        ({"inlineData": {"mimeType": "image/png", "data": LONG}}, "images"),
        ({"inline_data": {"mime_type": "video/mp4", "data": LONG}}, "images"),
        ({"fileData": {"mimeType": "audio/mp3", "fileUri": "gs://a"}}, "audio"),
        ({"inlineData": {"mimeType": "application/pdf", "data": LONG}}, "files"),
        ({"inlineData": {"mimeType": "text/plain", "data": LONG}}, None),
        ({"image": {"format": "png", "source": {"bytes": LONG}}}, "images"),
        ({"document": {"format": "pdf", "source": {"s3Location": {"uri": "s3://a"}}}}, "files"),
        ({"document": "text"}, None),
        ({"type": "computer_screenshot", "image_url": "https://a"}, "images"),
        ({"type": "audio_url", "audio_url": {"url": "https://a"}}, "audio"),
        ({"type": "document_url", "document_url": "https://a"}, "files"),
        ({"type": "file_url", "file_url": {"url": "https://a"}}, "files"),
        ({"type": "container_upload", "file_id": "file_1"}, "files"),
        ({"type": "image_file", "image_file": {"file_id": "file_1"}}, "images"),
        ({"type": "input_video", "video_url": "https://a"}, "images"),
        ({"image_url": {"url": "https://a"}}, "images"),
        ({"video_url": "https://a"}, "images"),
        ({"image_url": {"type": "string"}, "url": {"type": "string"}}, None),
        ({"type": "object", "properties": {"image_url": {"type": "string"}}}, None),
        ({"type": "image_generation_call", "id": "ig_1", "result": LONG}, "images"),
        ({"type": "input_audio", "input_audio": {"data": LONG, "format": "wav"}}, "audio"),
    ],
)
def test_media(part: dict[str, Any], kind: str | None) -> None:
    """Parts that no detector reads go by a policy of their own, in every vendor's format."""
    seen = Seen()
    walked([part], seen, "x")
    assert seen.parts == ([] if kind is None else [(kind, "x[0]")])


@pytest.mark.parametrize(
    ("part", "wanted"),
    [
        ({"type": "image_url", "image_url": {"url": "https://a"}}, {"type": "text", "text": "gone"}),
        ({"type": "input_image", "image_url": "https://a"}, {"type": "input_text", "text": "gone"}),
        ({"inlineData": {"mimeType": "image/png", "data": LONG}}, {"text": "gone"}),
        ({"image": {"format": "png", "source": {"bytes": LONG}}}, {"text": "gone"}),
        ({"role": "user", "images": [LONG]}, {"role": "user", "images": []}),
    ],
)
def test_a_text_in_the_place_of_a_picture(part: dict[str, Any], wanted: dict[str, Any]) -> None:
    """What a function makes of a part is written as the format of the request has it."""
    masking = Shield([], images=lambda _: {"type": "text", "text": "gone"}).masking()
    assert masking.run({"x": [part]})["x"] == [wanted]


def test_another_picture() -> None:
    """Ollama's pictures are shown to the function as parts, too."""
    masking = Shield([], images=lambda part: {**part, "data": "Ymx1cg=="}).masking()
    assert masking.run({"x": [{"role": "user", "images": [LONG]}]})["x"] == [{"role": "user", "images": ["Ymx1cg=="]}]


def test_json_tokens() -> None:
    """Strings, keys and numbers with their places; what is not changed stays as it is written."""
    text = '{"a\\u0062": ["x", -1.50e3, true, "\\""]}'
    assert [token.value for token in tokens(text)] == ["ab", "x", "-1.50e3", '"']
    assert rewritten(text, lambda token: '"y"' if token.value == "x" else None) == text.replace('"x"', '"y"')


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('{"a": 1}', True),
        (" [1]", True),
        ("{", False),
        ("1", False),
        ("", False),
        ("[" * 100000, False),
        ("{}x", False),
    ],
)
def test_is_json(text: str, wanted: bool) -> None:
    """Objects and lists are JSON text; what is nested beyond sense is not."""
    assert is_json(text) is wanted


def test_spans() -> None:
    """What overlaps becomes one, of the type of the longest; what lies beside stays."""
    one, two, three = (Span(0, 4, "A", "mask"), Span(2, 9, "B", "mask"), Span(9, 12, "C", "mask"))
    assert merged([three, two, one]) == [Span(0, 9, "B", "mask"), three]
    assert merged([Span(0, 4, "A", "mask", 0.5), Span(0, 4, "B", "mask", 0.9)]) == [Span(0, 4, "B", "mask", 0.9)]
    assert beside([one, three], [Span(3, 5, "D", "mask"), Span(4, 9, "E", "mask")]) == [
        one,
        Span(4, 9, "E", "mask"),
        three,
    ]


def test_credentials_for_servers_of_tools() -> None:
    """They stay as they are in OpenAI's and in Anthropic's format; elsewhere the same names stand beside texts."""
    openai = {"type": "mcp", "server_url": "a", "authorization": "one", "headers": {"x": "two"}}
    anthropic = {"type": "url", "url": "b", "authorization_token": "three"}
    other = {"type": "note", "authorization": "four", "headers": {"x": "five"}}
    seen = Seen()
    first, second, third = walked([openai, anthropic, other], seen, "tools")
    assert (first, second) == ({**openai, "server_url": "A"}, {**anthropic, "url": "B"})
    assert third == {"type": "note", "authorization": "FOUR", "headers": {"x": "FIVE"}}


@given(st.dictionaries(st.text(max_size=4), st.text('a"\\\n/ü\ud83d😀', max_size=6) | st.integers(), max_size=4))
def test_legible(value: dict[str, Any]) -> None:
    """Each token stands in the text without escapes at the places that it says, with as many characters as it says."""
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        plain, found = legible(text)
        assert [token.value for token in found] == [token.value for token in tokens(text)]
        for token in found:
            inside = plain[token.start : token.end] if token.is_number else plain[token.start + 1 : token.end - 1]
            assert inside == token.value.replace('"', "'").replace("\\", "/")
