"""Files of text: however they are encoded, they are read, and stay in their encoding."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from edgeagent.shield.files import DataURL, text_file
from edgeagent.shield.shield import Shield
from tests.shield.finding import Forms

TEXT = "M\u00fcller writes to anna@x.com? Yes ~~~ and so on, far beyond the width of one line of a mail's base64"
MASKED = TEXT.replace("anna@x.com", "<EMAIL_1>")


def base64_of(text: str, encoding: str = "utf-8") -> str:
    return base64.b64encode(text.encode(encoding)).decode()


def sent(part: dict[str, Any], **policy: Any) -> Any:
    masking = Shield([Forms()], **policy).masking()
    return masking.run({"messages": [{"role": "user", "content": [part]}]})["messages"][0]["content"][0]


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ("data:text/plain;base64,", "utf-8"),
        ("data:;base64,", "utf-8"),
        ("data:TEXT/Plain;Base64,", "utf-8"),
        ("DATA:text/plain;base64,", "utf-8"),
        ("data:text/csv;base64,", "latin-1"),
        ("data:text/csv;charset=cp1252;base64,", "cp1252"),
        ("data:text/csv;charset=idna;base64,", "utf-8"),
        ("data:text/csv;charset=utf-8;base64,", "latin-1"),
        ("data:text/csv;base64,", "utf-8-sig"),
        ("data:text/csv;base64,", "utf-16"),
        ("data:text/csv;base64,", "utf-16-le"),
        ("data:text/csv;base64,", "utf-16-be"),
        ("data:text/csv;base64,", "utf-32"),
        ("data:message/rfc822;base64,", "utf-8"),
        ("data:application/octet-stream;base64,", "utf-8"),
        ("data:application/ld+json;base64,", "utf-8"),
        ("", "utf-8"),
    ],
)
def test_encodings(head: str, encoding: str) -> None:
    """Every way of writing a text as a file is read, whatever the policy for files is, and written the same way."""
    part = {"type": "file", "file": {"filename": "a.txt", "file_data": head + base64_of(TEXT, encoding)}}
    out = sent(part, files="block")["file"]["file_data"]
    assert out.startswith(head)
    assert base64.b64decode(out[len(head) :]).decode(encoding) == MASKED


@pytest.mark.parametrize(
    "change",
    [
        lambda text: base64.encodebytes(text.encode()).decode(),
        lambda text: base64_of(text).rstrip("="),
        lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    ],
)
def test_forms_of_base64(change: Any) -> None:
    """Base64 in lines, without its padding, and of the alphabet for URLs."""
    part = {
        "type": "input_file",
        "filename": "a.txt",
        "file_data": "data:text/plain;base64," + change(TEXT + "\xff>?~~"),
    }
    out = sent(part)["file_data"].partition(",")[2]
    assert base64.urlsafe_b64decode(out.replace("+", "-").replace("/", "_")).decode() == MASKED + "\xff>?~~"


@pytest.mark.parametrize(
    "source",
    [
        {"inlineData": {"mimeType": "text/plain; charset=utf-8", "data": base64_of(TEXT)}},
        {"document": {"format": "txt", "name": "a", "source": {"bytes": base64_of(TEXT)}}},
        {"type": "document", "source": {"type": "base64", "media_type": "text/plain", "data": base64_of(TEXT)}},
    ],
)
def test_formats_of_vendors(source: dict[str, Any]) -> None:
    """Files of text in the formats of Gemini, Bedrock and Anthropic."""
    assert base64_of(MASKED) in str(sent(source))


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(bytes(range(256))).decode(),
        base64.b64encode(b"%PDF-1.4 a@x.com and more of what only looks like a text").decode(),
        "data:application/pdf;base64," + base64_of(TEXT),
        "data:image/svg+xml;utf8,%3Csvg%3E",
    ],
)
def test_what_is_no_text(data: str) -> None:
    """Other files stay as they are."""
    assert sent({"file": {"filename": "a", "file_data": data}})["file"]["file_data"] == data


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("data:csv/json, my mail is a@x.com", "data:csv/json, my mail is <EMAIL_1>"),
        ("data:image/png;base64,a@x.com", "data:image/png;base64,<EMAIL_1>"),
        ("data:image/svg+xml,<svg>a@x.com</svg>", "data:image/svg+xml,<svg><EMAIL_1></svg>"),
        ("data: a@x.com", "data: <EMAIL_1>"),
    ],
)
def test_prose_that_begins_like_a_url(text: str, wanted: str) -> None:
    """A text is not left unread because it begins as a `data:` URL does."""
    assert sent({"type": "text", "text": text})["text"] == wanted


def test_raw_text_of_a_document() -> None:
    """Anthropic's documents of type `text` hold no base64, whatever they look like."""
    number = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "4111111111111111"}}
    assert sent(number)["source"]["data"] == "<CARD_1>"


def test_short_bytes() -> None:
    """What may be base64 by chance is looked at as it is written."""
    assert sent({"file": {"filename": "a", "file_data": "4111111111111111"}})["file"]["file_data"] == "<CARD_1>"


def test_parts() -> None:
    """The parts of a URL; what is none."""
    assert DataURL.of("data:no comma") is None
    assert DataURL.of("data:,x") == DataURL("data:,", "text/plain", is_base64=False, is_proper=True, payload="x")
    assert text_file("####", "text/plain") is None
