"""Independent readers: they judge a codec without using any of it.

Plain dict code over the recorded JSON. What OpenAI's streams mean is told a second time here, on purpose.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

__all__ = ["documents", "fold", "pieces", "same"]

JSON = Any


def same(value: JSON, thing: object, path: str = "$") -> Iterator[str]:
    """Where an object tree (read through its attributes) differs from the JSON it was made of; nothing if nowhere."""
    if isinstance(thing, BaseModel):
        if not isinstance(value, dict):
            yield f"{path}: {value!r} became an object"
            return
        for name, item in value.items():
            yield from same(item, getattr(thing, name, "nothing"), f"{path}.{name}")
        for name in thing.model_fields_set - value.keys():
            if getattr(thing, name) is not None:
                yield f"{path}.{name}: came from nowhere"
    elif isinstance(value, dict) and isinstance(thing, dict):
        if value.keys() != thing.keys():
            yield f"{path}: {value.keys() ^ thing.keys()}"
        for name, item in value.items():
            yield from same(item, thing.get(name), f"{path}.{name}")
    elif isinstance(value, list) and isinstance(thing, list):
        if len(value) != len(thing):
            yield f"{path}: {len(value)} items, not {len(thing)}"
        for i, (item, other) in enumerate(zip(value, thing, strict=False)):
            yield from same(item, other, f"{path}[{i}]")
    elif isinstance(value, bool) != isinstance(thing, bool) or value != thing:
        yield f"{path}: {value!r} became {thing!r}"


def documents(text: str) -> list[dict[str, JSON]]:
    """The JSON documents of a stream of server-sent events, read in the simplest way."""
    lines = text.replace("\r\n", "\n").split("\n")
    values = [line[len("data:") :].strip() for line in lines if line.startswith("data:")]
    return [json.loads(value) for value in values if value != "[DONE]"]


def fold(chunks: Iterable[dict[str, JSON]]) -> dict[str, JSON]:
    """The completion that chunks of OpenAI's shape say."""
    chunks = list(chunks)
    whole: dict[str, JSON] = {}
    for name in {name for chunk in chunks for name in chunk} - {"choices", "object", "obfuscation"}:
        values = [chunk[name] for chunk in chunks if chunk.get(name) is not None]
        if name in ("id", "model", "created"):
            whole[name] = next((value for value in values if value), values[0])
        else:
            whole[name] = values[-1] if values else None
            if name != "usage" and len(values) > 1 and all(isinstance(value, dict) for value in values):
                whole[name] = {field: told for value in values for field, told in value.items()}
    parts = [part for chunk in chunks for part in chunk.get("choices") or []]
    whole["choices"] = [
        _choice(index, [part for part in parts if part["index"] == index])
        for index in sorted({part["index"] for part in parts})
    ]
    return whole


def _choice(index: int, parts: list[dict[str, JSON]]) -> dict[str, JSON]:
    choice: dict[str, JSON] = {"index": index, "finish_reason": None}
    for part in parts:
        for name, value in part.items():
            if name not in ("index", "delta", "logprobs") and (value is not None or name not in choice):
                before = choice.get(name)
                both = isinstance(before, dict) and isinstance(value, dict)
                choice[name] = {**before, **value} if both else value
    if any("logprobs" in part for part in parts):
        choice["logprobs"] = None
        for logprobs in [part["logprobs"] for part in parts if part.get("logprobs")]:
            whole = choice["logprobs"] = choice["logprobs"] or {"content": None, "refusal": None}
            for name, tokens in logprobs.items():
                if tokens is not None:
                    whole[name] = (whole[name] or []) + tokens
    choice["message"] = _message([part.get("delta") or {} for part in parts])
    return choice


def _message(deltas: list[dict[str, JSON]]) -> dict[str, JSON]:
    message: dict[str, JSON] = {"content": None, "role": "assistant"}
    for delta in deltas:
        for name, value in delta.items():
            if name == "tool_calls":
                if value is not None:
                    _add_calls(message.setdefault(name, []), value)
            elif name == "role":
                message[name] = value or message[name]
            elif name in ("function_call", "audio"):
                if value is not None:
                    _add(message.setdefault(name, {}), value, whole=("name", "id"))
            elif isinstance(value, str):
                message[name] = (message.get(name) or "") + value
            elif value is not None:
                message[name] = message.get(name, []) + value if isinstance(value, list) else value
            elif name == "refusal":
                message.setdefault(name, None)
    for call in message.get("tool_calls", ()):
        del call["index"]
    return message


def _add_calls(calls: list[dict[str, JSON]], fragments: list[dict[str, JSON]]) -> None:
    for fragment in fragments:
        call = next((call for call in calls if call["index"] == fragment["index"]), None)
        if call is None:
            call = {"index": fragment["index"], "type": "function", "function": {"arguments": ""}}
            calls.append(call)
        for name in ("id", "type"):
            if fragment.get(name):
                call[name] = fragment[name]
        _add(call["function"], fragment.get("function") or {}, whole=("name",))


def _add(whole_object: dict[str, JSON], fragment: dict[str, JSON], *, whole: tuple[str, ...]) -> None:
    for name, value in fragment.items():
        if isinstance(value, str) and name not in whole:
            whole_object[name] = whole_object.get(name, "") + value
        elif value is not None:
            whole_object[name] = value


def pieces(data: bytes, cuts: int, seed: int) -> list[bytes]:
    """`data` cut at random places, the same for the same seed."""
    places = sorted(random.Random(seed).randrange(len(data) + 1) for _ in range(cuts))
    return [data[a:b] for a, b in pairwise([0, *places, len(data)])]
