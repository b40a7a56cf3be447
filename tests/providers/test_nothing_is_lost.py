"""Whatever a recorded answer says is somewhere in the completion: each text and each number of the vendor's JSON.

The other tests of recorded traffic ask whether what they know of was read rightly. This one knows nothing of a vendor's
fields: whatever one invents tomorrow is to be found on our object.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from edgeagent.errors import APIError
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse
from tests.providers.bedrock.reading import events as aws_events
from tests.providers.every import CODECS, Wire
from tests.providers.test_every_codec import decode
from tests.support import report
from tests.support.corpus import SELECTION, WHOLE, Record, body, records

__all__: list[str] = []

Path_ = tuple[str, ...]
Leaf = tuple[Path_, Any]

SAID_OTHERWISE = {
    "type": "what kind of thing an object is: we have a class or a field for each",
    "object": "the same",
    "role": "the model's name for itself",
    "index": "a place in a list",
    "contentBlockIndex": "the same",
    "output_index": "the same",
    "summary_index": "the same",
    "annotation_index": "the same",
    "sequence_number": "an event's number",
    "obfuscation": "padding, to hide how long a text is",
    "p": "the same",
}
"""By the name of the field: what is not repeated, and why."""

USAGE = {
    "input_tokens": "ours counts what a prompt's cache has held as a part of the prompt, as OpenAI does",
    "prompt_tokens": "the same",
    "inputTokens": "the same",
    "promptTokenCount": "ours has the tokens of tools' results in it",
    "candidatesTokenCount": "ours has the thoughts' in it",
    "completion_tokens": "ours has the reasoning's in it (xAI's does not)",
}
"""Counts that ours has in another sum; whether it is the right one is what the readers of single vendors judge."""

OF_ONE_EVENT = {
    "created": "each chunk has a time of its own; the first is kept",
    "created_at": "the same",
    "status": "how far an item has come",
    "id": "ids of single events",
    "item_id": "the same",
    "service_tier": "what was asked for, until the last event tells what was had",
    "estimated_tokens": "progress",
    "ts_us": "each chunk's own time",
    "token_id": "each chunk's own, beside its text",
    "partial_json": "a piece of arguments, which are JSON that is written anew",
    "input": "the same",
    "encrypted_content": "the last event's is the seal to send back",
}
"""What a stream says on its way."""

LEFT = {
    "*.responses: output.[].id": "an item's, where a conversation goes on with plain messages",
    "*.responses: status": "completed, or incomplete and why, which are finish reasons",
    "bedrock.invoke: model": "a path in a server of Amazon's; we name the model that was asked",
    "bedrock.invoke: generations.[].id": "of Command, which is read only",
    "bedrock.invoke: generation_token_count": "Llama's, counted as it goes",
    "groq.chat: choices.[].message.tool_calls.[].function.arguments": "null: a call without arguments is {}",
    "huggingface.chat: choices.[].logprobs.*bytes": "base64 there, numbers as OpenAI has them here",
}
"""Single fields of single APIs."""
ESCAPED = [one.replace("[]", "[[]]") for one in LEFT]
"""As patterns: `[[]` is a bracket."""


def leaves(value: Any, path: Path_ = ()) -> Iterator[Leaf]:
    """Every text and number in a JSON value, and where it stands."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from leaves(item, (*path, name))
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item, (*path, "[]"))
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield path, value


class Said:
    """What a completion says: its texts, those in the JSON of arguments too, and its numbers."""

    def __init__(self, completion: Any) -> None:
        self.texts: set[str] = set()
        self.numbers: set[float] = set()
        self._take(completion)
        self._all = "\0".join(self.texts)

    def _take(self, value: Any) -> None:
        for _, leaf in leaves(value):
            if not isinstance(leaf, str):
                self.numbers.add(float(leaf))
            elif leaf not in self.texts:
                self.texts.add(leaf)
                if leaf.lstrip()[:1] in ("{", "["):
                    try:
                        self._take(json.loads(leaf))
                    except ValueError:
                        continue

    def __contains__(self, leaf: Any) -> bool:
        if not isinstance(leaf, str):
            return leaf in (0, 1) or float(leaf) in self.numbers or str(leaf) in self.texts
        return leaf in self.texts or leaf in self._all or (leaf.isdecimal() and float(leaf) in self.numbers)


def unsaid(documents: Iterable[Any], completion: Any, *, stream: bool, api: str = "") -> set[str]:
    """Where the vendor says what the completion does not."""
    said = Said(completion)
    missing = {path for document in documents for path, leaf in leaves(document) if leaf not in said}
    return {".".join(path) for path in missing if not excused(path, stream, api)}


def excused(path: Path_, stream: bool, api: str) -> bool:
    name = path[-1]
    if name in SAID_OTHERWISE or name in USAGE or any(fnmatchcase(f"{api}: {'.'.join(path)}", one) for one in ESCAPED):
        return True
    counted = any(part in ("usage", "usageMetadata", "x_groq") for part in path)
    return stream and (name in OF_ONE_EVENT or counted)  # a stream counts as it goes


def documents(record: Record) -> list[Any]:
    """The JSON values of an answer: of a stream one for each event."""
    response = record["response"]
    if "body_json" in response:
        return [response["body_json"]]
    if "body_b64" in response:
        return [inner(told) for _, told in aws_events(body(record))]
    text = response["body_text"].replace("\r\n", "\n").strip()
    if text.startswith("["):
        return list(json.loads(text))
    lines = (line.strip().removeprefix("data:").strip() for line in text.split("\n"))
    return [json.loads(line) for line in lines if line.startswith("{")]


def inner(event: dict[str, Any]) -> Any:
    """What InvokeModel's events hold: the model's own JSON."""
    return json.loads(base64.b64decode(event["bytes"])) if "bytes" in event else event


def api_of(path: Path) -> str:
    return path.name.removesuffix(".jsonl.gz")


def readers() -> dict[str, Wire]:
    """The codec that reads each API's records."""
    by_name = {wire.name: wire for wire in CODECS}
    found = {wire.api: wire for wire in reversed(CODECS) if wire.name != "watsonx"}
    paths = [*SELECTION.glob("*.jsonl.gz"), *WHOLE.glob("*.jsonl.gz")]
    for api in sorted(map(api_of, paths)):
        if api.endswith("chat"):
            found.setdefault(api, by_name["compatible"])
        elif api.endswith(".responses"):
            found.setdefault(api, by_name["responses"])
    return found


READERS = readers()


@pytest.mark.bulk
@pytest.mark.parametrize("api", READERS)
def test_recorded_answers(api: str) -> None:
    """Of every answer, and of every stream when it is put together."""
    wire = READERS[api]
    lost: dict[str, set[str]] = {}
    read = 0
    for record in records(api):
        if record["status"] != 200:
            continue
        stream = "body_json" not in record["response"]
        head = record["response"]["headers"]
        try:
            if stream:
                completion = assemble(decode(wire, [body(record)], head))
            else:
                completion = wire.codec.decode_response(HTTPResponse(200, head, body(record)))
        except APIError:
            continue  # an error inside a 200, or no chat: other tests say which
        read += 1
        if missing := unsaid(documents(record), completion.model_dump(), stream=stream, api=api):
            lost[record["id"]] = missing
    report.add(api, "nothing of an answer is lost", read - len(lost), len(lost))
    assert not lost
    assert read or not records(api)


def test_it_would_be_noticed() -> None:
    """The judge finds a text, a number and a part of a stream that are gone."""
    answer = {"a": {"text": "one two"}, "calls": [{"arguments": '{"city": "Rome"}'}], "n": 7, "usage": {"more": 12}}
    whole = [answer, {"deep": [[3.5]]}]
    assert not unsaid(whole, {"x": ["one two, and", '{"city":"Rome"}', '{"city": "Rome"}', 7, 12, 3.5]}, stream=False)
    assert unsaid(whole, {"x": ["one", 3.5]}, stream=False) == {
        "a.text",
        "calls.[].arguments",
        "n",
        "usage.more",
    }
    assert unsaid([{"usage": {"more": 12}}, {"text": "b"}], {"text": "a"}, stream=True) == {"text"}
