"""Content parts as Anthropic's blocks."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.providers.anthropic.support import encode, refused

PDF = b64encode(b"%PDF-1.4").decode()
NOTE = b64encode("Grüße".encode()).decode()
CACHE = {"type": "ephemeral", "ttl": "1h"}


def image(url: Any, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def file(**fields: Any) -> dict[str, Any]:
    return {"type": "file", "file": fields}


def source(kind: str, media_type: str, data: str) -> dict[str, str]:
    return {"type": kind, "media_type": media_type, "data": data}


PDF_BLOCK = {"type": "document", "source": source("base64", "application/pdf", PDF)}
NOTE_BLOCK = {"type": "document", "source": source("text", "text/plain", "Grüße")}
PNG_BLOCK = {"type": "image", "source": source("base64", "image/png", "AA==")}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        ({"type": "text", "text": "x", "cache_control": CACHE}, {"type": "text", "text": "x", "cache_control": CACHE}),
        (image("https://x/y.png"), {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}),
        (image("data:image/png;base64,AA=="), PNG_BLOCK),
        ({"type": "image_url", "image_url": "data:image/png;base64,AA=="}, PNG_BLOCK),
        (image("data:image/PNG;base64,AA==", detail="auto"), PNG_BLOCK),
        (
            image("data:image/jpg;base64,AA=="),
            {"type": "image", "source": source("base64", "image/jpeg", "AA==")},
        ),
        ({**image("data:image/png;base64,AA=="), "cache_control": CACHE}, {**PNG_BLOCK, "cache_control": CACHE}),
        (image("data:image/gif,%00"), {"type": "image", "source": source("base64", "image/gif", "AA==")}),
        (file(file_data=f"data:application/pdf;base64,{PDF}"), PDF_BLOCK),
        (file(file_data=f"data:application/pdf;base64,{PDF}", filename="a.pdf"), {**PDF_BLOCK, "title": "a.pdf"}),
        (file(file_data=PDF, filename="a.PDF"), {**PDF_BLOCK, "title": "a.PDF"}),
        (file(file_data=PDF), PDF_BLOCK),
        (file(file_data=f"data:text/plain;base64,{NOTE}"), NOTE_BLOCK),
        (file(file_data=f"data:text/csv;charset=utf-8;base64,{NOTE}"), NOTE_BLOCK),
        (file(file_data=f"data:application/json;base64,{NOTE}"), NOTE_BLOCK),
        (file(file_data="data:,Gr%C3%BC%C3%9Fe"), NOTE_BLOCK),
        (file(file_data=NOTE, filename="a.md"), {**NOTE_BLOCK, "title": "a.md"}),
        (file(file_data="data:image/png;base64,AA==", filename="a.png"), PNG_BLOCK),
        (file(file_id="file_011"), {"type": "document", "source": {"type": "file", "file_id": "file_011"}}),
        (
            {**file(file_id="file_011"), "citations": {"enabled": True}, "context": "c"},
            {
                "type": "document",
                "source": {"type": "file", "file_id": "file_011"},
                "citations": {"enabled": True},
                "context": "c",
            },
        ),
        ({"type": "container_upload", "file_id": "f"}, {"type": "container_upload", "file_id": "f"}),
        ({"type": "search_result", "source": "s"}, {"type": "search_result", "source": "s"}),
        ({"type": "mcp_tool_result", "x": 1}, {"type": "mcp_tool_result", "x": 1}),
    ],
)
def test_parts(part: dict[str, Any], block: dict[str, Any]) -> None:
    """Text, images, documents in OpenAI's form, and the vendor's own blocks."""
    encoded = encode(messages=[{"role": "user", "content": [part]}], max_tokens=1)
    assert encoded.body["messages"] == [{"role": "user", "content": [block]}]
    assert encoded.dropped == ()


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ("text", "messages[0].content[0]"),
        ({"text": "x"}, "messages[0].content[0].type"),
        ({"type": "text"}, "messages[0].content[0].text"),
        ({"type": "text", "text": 5}, "messages[0].content[0].text"),
        ({"type": "refusal"}, "messages[0].content[0].refusal"),
        ({"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}, "messages[0].content[0].type"),
        ({"type": "video_url", "video_url": {"url": "https://x"}}, "messages[0].content[0].type"),
        ({"type": "image_url"}, "messages[0].content[0].image_url.url"),
        (image(None), "messages[0].content[0].image_url.url"),
        (image("http://x/y.png"), "messages[0].content[0].image_url.url"),
        (image("data:image/png;base64"), "messages[0].content[0].image_url.url"),
        (image("data:image/tiff;base64,AA=="), "messages[0].content[0].image_url.url"),
        ({"type": "file"}, "messages[0].content[0].file"),
        (file(filename="a.pdf"), "messages[0].content[0].file"),
        (file(file_id="file-openai"), "messages[0].content[0].file.file_id"),
        (file(file_id="gs://bucket/a.pdf"), "messages[0].content[0].file.file_id"),
        (file(file_url="https://x/a.mp4", format="video/mp4"), "messages[0].content[0].file.format"),
        (file(file_data="data:audio/wav;base64,AA=="), "messages[0].content[0].file.file_data"),
        (file(file_data="AAAA"), "messages[0].content[0].file.file_data"),
        (file(file_data="AAAA", filename="a.zip"), "messages[0].content[0].file.file_data"),
        (file(file_data="data:text/plain;base64,!"), "messages[0].content[0].file.file_data"),
        (file(file_data="data:text/plain;base64,/w=="), "messages[0].content[0].file.file_data"),
        (file(file_data="data:image/tiff;base64,AA=="), "messages[0].content[0].file.file_data"),
    ],
)
def test_refused_parts(part: Any, field: str) -> None:
    """What Claude cannot read is refused by the place where it stands."""
    assert refused(messages=[{"role": "user", "content": [part]}]) == field


@pytest.mark.parametrize(
    ("part", "dropped"),
    [
        (image("https://x", detail="low"), "image_url.detail"),
        ({"type": "text", "text": "x", "annotations": []}, "messages.content.annotations"),
        ({**file(file_id="f"), "prompt_hint": 1}, "messages.content.prompt_hint"),
    ],
)
def test_dropped_fields(part: dict[str, Any], dropped: str) -> None:
    """Fields of a part that have no place are dropped and named, without the place."""
    encoded = encode(messages=[{"role": "user", "content": [part]}], max_tokens=1)
    assert encoded.dropped == (dropped,)
