"""The parts of a model's content, read: what of them has an OpenAI-shaped place, and whether that is all.

Text parts are joined in order without separators, so are thoughts. A call without an id (most have none) gets one that
depends on the answer's id, the candidate, the call's number and its name only, so that it is the same each time the
answer is read; an id of this kind (`is_made`) is never sent back, since the vendor did not give it.

Source: https://ai.google.dev/api/caching#Part.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from edgeagent.providers.calls import arguments_of, custom_input, input_of
from edgeagent.providers.texts import text_of

__all__ = [
    "WIRE",
    "AudioJoin",
    "InvalidAnswerError",
    "Reading",
    "call_of",
    "check_part",
    "is_made",
    "is_plain",
    "made_id",
    "media_of",
    "native_content",
    "native_parts",
    "read_parts",
]

Part = Mapping[str, Any]

WIRE: Final = "google.generate"

_MADE: Final = "call_gemini_"
_PLAIN_CALL: Final = frozenset({"name", "args", "id"})


class InvalidAnswerError(ValueError):
    """The answer is not what the vendor documents; the text says where, and quotes no value."""


@dataclass(slots=True)
class Reading:
    """What parts say in OpenAI's terms; `plain` says that they hold nothing that the other attributes do not."""

    text: str = ""
    reasoning: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    audio: dict[str, Any] | None = None
    plain: bool = True


class AudioJoin:
    """Pieces of base64 → one base64, though each piece ends with its own padding."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def add(self, data: str) -> str:
        """What can be told of it by now. Raises `InvalidAnswerError` for what is not base64."""
        try:
            raw = self._rest + b64decode(data, validate=True)
        except ValueError:
            raise InvalidAnswerError("inlineData.data is not base64") from None
        whole = len(raw) - len(raw) % 3
        self._rest = raw[whole:]
        return b64encode(raw[:whole]).decode()

    def end(self) -> str:
        """The last bytes."""
        rest, self._rest = self._rest, b""
        return b64encode(rest).decode()


def check_part(part: Any, where: str) -> None:
    """Raise `InvalidAnswerError` unless this part can be read."""
    if not isinstance(part, dict):
        raise InvalidAnswerError(f"{where} is not an object")
    if not isinstance(part.get("text", ""), str):
        raise InvalidAnswerError(f"{where}.text is not a string")
    call = part.get("functionCall")
    if "functionCall" in part:
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            raise InvalidAnswerError(f"{where}.functionCall has no name")
        if not isinstance(call.get("args") or {}, dict) or not isinstance(call.get("id") or "", str):
            raise InvalidAnswerError(f"{where}.functionCall is wrong")
    data = part.get("inlineData")
    if "inlineData" in part and not (isinstance(data, dict) and isinstance(data.get("data", ""), str)):
        raise InvalidAnswerError(f"{where}.inlineData is wrong")


def read_parts(parts: Sequence[Part], response_id: str = "", index: int = 0) -> Reading:
    """Read the parts of one candidate. They are checked (`check_part`)."""
    reading = Reading(plain=all(is_plain(part, i) for i, part in enumerate(parts)))
    texts: list[str] = []
    thoughts: list[str] = []
    spoken: list[str] = []
    join = AudioJoin()
    for part in parts:
        if "text" in part:
            (thoughts if part.get("thought") is True else texts).append(part["text"])
        if "functionCall" in part:
            reading.calls.append(call_of(part["functionCall"], response_id, index, len(reading.calls)))
        kind, data = media_of(part)
        if kind.startswith("image/"):
            reading.images.append(_image(kind, data))
        elif kind.startswith("audio/"):
            spoken.append(join.add(data))
            reading.audio = {"id": made_id(response_id, index, 0, "audio"), "format": kind}
    if reading.audio is not None:
        reading.audio["data"] = "".join([*spoken, join.end()])
    reading.text, reading.reasoning = "".join(texts), "".join(thoughts)
    return reading


def media_of(part: Part) -> tuple[str, str]:
    """Media type and base64 of an answer's inline data; two empty strings where there is none, or only thought of."""
    data = part.get("inlineData")
    if not isinstance(data, Mapping) or part.get("thought") is True:
        return "", ""
    return str(data.get("mimeType") or "").lower(), data.get("data") or ""


def _image(kind: str, data: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}


def is_plain(part: Part, index: int) -> bool:
    """Whether text and tool calls say all that this part does: one text, the first, and function calls behind it."""
    if part.keys() == {"text"}:
        return index == 0
    return part.keys() == {"functionCall"} and part["functionCall"].keys() <= _PLAIN_CALL


def call_of(call: Part, response_id: str, index: int, number: int) -> dict[str, Any]:
    """A functionCall as OpenAI's tool call."""
    name, arguments = call["name"], call.get("args") or {}
    call_id = call.get("id") or made_id(response_id, index, number, name)
    free_form = custom_input(arguments)
    if free_form is not None:
        return {"id": call_id, "type": "custom", "custom": {"name": name, "input": free_form}}
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments_of(arguments)}}


def made_id(response_id: str, index: int, number: int, name: str) -> str:
    """The id of a call that the vendor gave none."""
    seed = f"{response_id}\0{index}\0{number}\0{name}".encode("utf-8", "replace")
    return _MADE + blake2b(seed, digest_size=12).hexdigest()


def is_made(id: str) -> bool:
    """Whether an id is one of those that are made here."""
    return id.startswith(_MADE)


def native_content(parts: Sequence[Part]) -> dict[str, Any]:
    """The value of `native_content` for these parts."""
    return {"wire": WIRE, "content": list(parts)}


def native_parts(message: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The vendor's own parts of an assistant message, if it has them and they still say what the message says.

    A caller who changed the text or the calls of a message (or a shield that masked them) meant the change: None.
    """
    native = message.get("native_content")
    if not isinstance(native, Mapping) or native.get("wire") != WIRE or not isinstance(native.get("content"), list):
        return None
    parts: list[dict[str, Any]] = native["content"]
    try:
        for part in parts:
            check_part(part, "part")
        reading = read_parts(parts)
        calls = message.get("tool_calls") or []
        same = len(calls) == len(reading.calls) and all(map(_same_call, calls, reading.calls))
    except (ValueError, KeyError, TypeError, AttributeError):  # a caller's own, not in the documented form
        return None
    return parts if same and reading.text == text_of(message.get("content")) else None


def _same_call(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Ids count where the vendor gave one, arguments as values."""
    if not is_made(other["id"]) and one["id"] != other["id"]:
        return False
    mine, theirs = one.get("function") or {}, other.get("function") or {}
    if (mine.get("name"), one.get("custom")) != (theirs.get("name"), other.get("custom")):
        return False
    return bool(
        mine.get("arguments") == theirs.get("arguments")
        or input_of(mine.get("arguments")) == input_of(theirs.get("arguments"))
    )
