"""Places that vendors' answers count: those of the texts as the caller has them, whole and streamed, in each format."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic, Gemini
from edgeagent.shield import Shield
from edgeagent.shield.places import Document, within
from edgeagent.shield.restore import Restorer
from edgeagent.transports import transport
from tests.shield.finding import Forms
from tests.support.loopback import Loopback, Request, events, reply

MAIL = "bernadette.longer@x.com"
SAID = "Grüße an <EMAIL_1>: die Sonne scheint."
SHOWN = SAID.replace("<EMAIL_1>", MAIL)


def segment(words: str) -> dict[str, Any]:
    """Where words of the masked answer stand, in bytes; a zero is left out, as on the wire."""
    start = len(SAID[: SAID.index(words)].encode())
    return {**({"startIndex": start} if start else {}), "endIndex": start + len(words.encode()), "text": words}


METADATA = {
    "groundingMetadata": {
        "groundingChunks": [{"web": {"uri": "https://a.example", "title": "A"}}],
        "groundingSupports": [
            {"segment": segment("die Sonne scheint."), "groundingChunkIndices": [0]},
            {"segment": segment("Grüße an <EMAIL_1>"), "groundingChunkIndices": [0]},
            {"groundingChunkIndices": []},
            "other",
        ],
    },
    "citationMetadata": {"citations": [{**segment("die Sonne"), "uri": "https://b.example"}]},
}
WORDS = ["die Sonne scheint.", f"Grüße an {MAIL}", "die Sonne"]


def gemini(request: Request) -> Any:
    """The answer, streamed in pieces that cut a placeholder."""
    top = {"usageMetadata": {"totalTokenCount": 1}, "modelVersion": "m", "responseId": "r"}

    def told(text: str, **more: Any) -> dict[str, Any]:
        content = {"role": "model", "parts": [{"text": text}]}
        return {"candidates": [{"content": content, "index": 0, **more}], **top}

    if "stream" not in request.path:
        return reply(200, told(SAID, finishReason="STOP", **METADATA))
    return events([told(SAID[:13]), told(SAID[13:]), told("", finishReason="STOP", **METADATA)])


def places(holder: Any) -> Iterator[tuple[int, int]]:
    """Those of the grounding and of the citations."""
    supports = (holder.get("groundingMetadata") or {}).get("groundingSupports", ())
    segments = [support["segment"] for support in supports if isinstance(support, dict) and "segment" in support]
    for place in (*segments, *(holder.get("citationMetadata") or {}).get("citations", ())):
        yield place.get("startIndex", 0), place["endIndex"]


def read(answer: httpx.Response, stream: bool) -> list[dict[str, Any]]:
    """The JSON documents of an answer."""
    lines = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in (lines if stream else [answer.text])]


@pytest.mark.parametrize("stream", [False, True])
def test_google_counts_bytes(stream: bool) -> None:
    """Grounding and citations of Google's format name the restored words, in bytes."""
    with Loopback(gemini) as server:
        edge = EdgeClient(providers=[Gemini(api_key="k", base_url=server.url)], shield=Shield([Forms()]))
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        url = f"https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:{verb}"
        with edge, httpx.Client(transport=transport(edge)) as client:
            answer = client.post(url, json={"contents": [{"role": "user", "parts": [{"text": f"I am {MAIL}"}]}]})
    candidates = [told["candidates"][0] for told in read(answer, stream)]
    text = "".join(part.get("text", "") for one in candidates for part in one.get("content", {}).get("parts", ()))
    assert text == SHOWN
    found = [text.encode()[start:end].decode() for one in candidates for start, end in places(one)]
    assert found == WORDS


@pytest.mark.parametrize("stream", [False, True])
def test_google_counts_bytes_told_to_chat(stream: bool) -> None:
    """The same in what a chat completion keeps of them; annotations count characters."""
    with Loopback(gemini) as server:
        edge = EdgeClient(providers=[Gemini(api_key="k", base_url=server.url)], shield=Shield([Forms()]))
        ask: Any = {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": f"I am {MAIL}"}]}
        with edge:
            told = edge.chat.completions.create(**ask, stream=True) if stream else None
            answers = list(told) if told is not None else [edge.chat.completions.create(**ask)]
    choices = [choice for answer in answers for choice in answer.choices]
    messages: list[Any] = [choice.delta if stream else choice.message for choice in choices]  # type: ignore[union-attr]
    text = "".join(message.content or "" for message in messages)
    assert text == SHOWN
    found = [text.encode()[start:end].decode() for one in choices for start, end in places(one.model_extra)]
    assert found == WORDS
    notes = [note.url_citation for message in messages for note in message.annotations or ()]
    assert [text[note.start_index : note.end_index] for note in notes] == WORDS


def test_parts_of_their_own() -> None:
    """A segment of a later part is one of that part, if its words are there; thoughts are no part of the whole text."""
    restorer = Restorer({"<EMAIL_1>": MAIL}, {})
    words = {"startIndex": 14, "endIndex": 17, "text": "end", "partIndex": 2}
    whole = {"startIndex": 10, "endIndex": 14, "text": " to ", "partIndex": 1}
    parts = [{"text": "hm <EMAIL_1>", "thought": True}, {"text": "<EMAIL_1>"}, {"text": " to <EMAIL_1> end"}, 7]
    candidate = {
        "content": {"parts": parts},
        "groundingMetadata": {"groundingSupports": [{"segment": words}, {"segment": {**whole, "startIndex": 9}}]},
    }
    told = restorer.tree(candidate)
    later, first = [support["segment"] for support in told["groundingMetadata"]["groundingSupports"]]
    assert told["content"]["parts"][2]["text"][later["startIndex"] : later["endIndex"]] == "end"
    assert first["startIndex"] == len(MAIL)
    assert words["startIndex"] == 14
    odd = {"content": {"parts": None}, "groundingMetadata": None, "citationMetadata": {"citations": [1]}}
    assert restorer.tree(odd) == odd


DOCUMENT = f"Kontakt: {MAIL}. Der Himmel ist blau."
MASKED = DOCUMENT.replace(MAIL, "<EMAIL_1>")


def anthropic(request: Request) -> Any:
    """An answer that cites the masked document by its characters."""
    place = {"start_char_index": MASKED.index("Der"), "end_char_index": len(MASKED)}
    cited = {"type": "char_location", "cited_text": "Der Himmel ist blau.", "document_index": 0, **place}
    block = {"type": "text", "text": "Er ist blau", "citations": [cited]}
    top = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
    used = {"usage": {"input_tokens": 1, "output_tokens": 1}}
    if not request.json().get("stream"):
        return reply(200, {**top, **used, "content": [block], "stop_reason": "end_turn"})
    return events(
        [
            {"type": "message_start", "message": {**top, **used, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "", "citations": []}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": block["text"]}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "citations_delta", "citation": cited}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]
    )


def citations(value: Any) -> Iterator[dict[str, Any]]:
    """Those of a JSON value."""
    if isinstance(value, dict):
        if value.get("type") == "char_location":
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from citations(part)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("native", [False, True])
def test_anthropic_counts_a_document(native: bool, stream: bool) -> None:
    """A citation of a document has the places of the document as the caller sent it."""
    with Loopback(anthropic) as server:
        edge = EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)], shield=Shield([Forms()]))
        with edge, httpx.Client(transport=transport(edge)) as client:
            if native:
                source = {"type": "text", "media_type": "text/plain", "data": DOCUMENT}
                content = [{"type": "document", "source": source, "citations": {"enabled": True}}]
                body = {"model": "claude-haiku-4-5", "max_tokens": 9, "stream": stream}
                asked = {**body, "messages": [{"role": "user", "content": content}]}
                headers = {"x-api-key": "k", "anthropic-version": "2023-06-01"}
                told: list[Any] = read(client.post(f"{server.url}/v1/messages", json=asked, headers=headers), stream)
            else:
                data = "data:text/plain;base64," + base64.b64encode(DOCUMENT.encode()).decode()
                part = {"type": "file", "file": {"filename": "d.txt", "file_data": data}}
                ask: Any = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": [part]}]}
                answer: Any = edge.chat.completions.create(**ask, stream=stream)
                told = [chunk.to_dict() for chunk in answer] if stream else [answer.to_dict()]
    (found,) = citations(told)
    assert DOCUMENT[found["start_char_index"] : found["end_char_index"]] == found["cited_text"]


def test_which_document_is_meant() -> None:
    """The one with the number, if it has the words there; else the first that has; else none is known."""
    cited = {"start_char_index": 8, "end_char_index": 11, "cited_text": "sky", "document_index": 1}
    documents = [Document("<NAME_1>sky", [(0, 1)]), Document("<NAME_2>sky", [(0, 5), (99, 7)])]
    assert within(cited, documents) == {"start_char_index": 13, "end_char_index": 16}
    assert within({**cited, "document_index": 7}, documents) == {"start_char_index": 9, "end_char_index": 12}
    assert within({**cited, "document_index": None}, documents[1:]) == {"start_char_index": 13, "end_char_index": 16}
    assert within({**cited, "cited_text": "sea"}, documents) is None
    assert within({**cited, "end_char_index": None}, documents) is None


def test_cohere_counts_its_blocks() -> None:
    """Its citations have the places of the restored block that they are of."""
    value = {
        "content": [{"type": "text", "text": "a <EMAIL_1> b"}, {"type": "text", "text": "<EMAIL_1> end"}, 7],
        "citations": [
            {"start": 12, "end": 13, "text": "b"},
            {"start": 10, "end": 13, "text": "end", "content_index": 1, "type": "TEXT_CONTENT"},
            {"start": 10, "end": 13, "type": "THINKING_CONTENT"},
            "other",
        ],
    }
    told = Restorer({"<EMAIL_1>": MAIL}, {}).tree(value)
    first, second, third, _ = told["citations"]
    assert told["content"][0]["text"][first["start"] : first["end"]] == "b"
    assert told["content"][1]["text"][second["start"] : second["end"]] == "end"
    assert third["start"] == 10
