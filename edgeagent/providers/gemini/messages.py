"""The conversation: OpenAI's messages → `systemInstruction` and `contents`.

- System and developer messages at the beginning are the `systemInstruction`, a part each; a later one becomes text
  between `<system>` tags in the user's turn (an edit), since contents know users and models only.
- Tool results that follow each other are one content; a call's id is sent back as the vendor gave it, and an id that
  was made here is not.
- An assistant message with `native_content` of this wire is sent back as those parts, exactly (signatures must survive:
  https://ai.google.dev/gemini-api/docs/thought-signatures), as long as it still says what they say.
- Calls that another vendor's model made have no signature; where the model demands one, the value that the vendor
  documents for such histories is put in (an edit).
- A result that is marked as failed is under `error`, the documented key of those.
- Results with images hold them where the model can read them there; else they follow as the user's parts (an edit).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final

from pydantic_core import from_json

from edgeagent.errors import RequestValidationError
from edgeagent.providers.calls import CUSTOM_INPUT, RAW_ARGUMENTS, input_of
from edgeagent.providers.gemini.content import parts_of_content
from edgeagent.providers.gemini.models import ModelFacts
from edgeagent.providers.gemini.parts import is_made, native_parts
from edgeagent.providers.notes import Notes
from edgeagent.providers.texts import text_of

__all__ = ["NO_SIGNATURE", "encode_messages"]

Part = dict[str, Any]
Message = Mapping[str, Any]

NO_SIGNATURE: Final = b64encode(b"skip_thought_signature_validator").decode()

_SYSTEM: Final = ("system", "developer")
_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name", "is_error"}),
    "assistant": frozenset(
        {
            *("role", "content", "refusal", "audio", "tool_calls", "function_call"),
            *("annotations", "images", "native_content", "parsed", "reasoning_content"),
        }
    ),
}
"""Fields of a message that are read, or that only an answer has; others are dropped and named."""


def encode_messages(
    messages: list[dict[str, Any]], facts: ModelFacts, notes: Notes
) -> tuple[list[Part], list[dict[str, Any]]]:
    """The parts of the system instruction, and the contents. Raises `RequestValidationError`."""
    start = 0
    system: list[Part] = []
    while start < len(messages) and messages[start].get("role") in _SYSTEM:
        system += _system(messages[start], notes, f"messages[{start}]")
        start += 1
    conversation = _Conversation(facts, notes)
    for index in range(start, len(messages)):
        conversation.add(messages[index], f"messages[{index}]")
    contents = conversation.contents()
    if not contents and system:
        notes.edit("The system prompt is sent as the user's turn: the vendor needs one.")
        return [], [{"role": "user", "parts": system}]
    if not contents:
        raise RequestValidationError("There is no message with content.", param="messages")
    return system, contents


def _drop_unknown(message: Message, role: str, notes: Notes, where: str) -> None:
    for name, value in message.items():
        if name not in _KNOWN[role] and value is not None:
            notes.drop(f"{where}.{name}")


def _system(message: Message, notes: Notes, where: str) -> list[Part]:
    _drop_unknown(message, "system", notes, where)
    parts = parts_of_content(message.get("content"), notes, where)
    if any("text" not in part for part in parts):
        raise RequestValidationError("A system prompt is text.", param=f"{where}.content")
    return parts


class _Conversation:
    """Collects the contents, and remembers the calls that results answer."""

    def __init__(self, facts: ModelFacts, notes: Notes) -> None:
        self._facts = facts
        self._notes = notes
        self._contents: list[dict[str, Any]] = []
        self._results: list[Part] = []
        self._beside: list[Part] = []  # images of results, for models that do not read them inside
        self._calls: dict[str, tuple[str, str | None]] = {}  # by our id: the name, and the vendor's id

    def add(self, message: Message, where: str) -> None:
        role = message.get("role")
        if role == "tool":
            return self._add_result(message, where)
        self._end_results()
        if role == "user":
            _drop_unknown(message, "user", self._notes, where)
            self._append("user", parts_of_content(message.get("content"), self._notes, where), where)
        elif role in _SYSTEM:
            self._notes.edit("A later system message is sent as text between <system> tags, in the user's turn.")
            parts = _system(message, self._notes, where)
            told = "".join(part["text"] for part in parts)
            self._append("user", [{"text": f"<system>\n{told}\n</system>"}] if told else [], where)
        elif role == "assistant":
            _drop_unknown(message, "assistant", self._notes, where)
            self._append("model", self._assistant(message, where), where)
        else:
            raise RequestValidationError(f"Unknown role {role!r}.", param=f"{where}.role")
        return None

    def contents(self) -> list[dict[str, Any]]:
        self._end_results()
        return self._contents

    def _append(self, role: str, parts: list[Part], where: str) -> None:
        if role == "user" and not parts:
            parts = [{"text": ""}]
        if parts:
            self._contents.append({"role": role, "parts": parts})
        else:
            self._notes.edit(f"{where} is left out: it is empty.")

    # tool results

    def _add_result(self, message: Message, where: str) -> None:
        _drop_unknown(message, "tool", self._notes, where)
        call_id = message.get("tool_call_id")
        if not isinstance(call_id, str):
            raise RequestValidationError("A tool message needs its tool_call_id.", param=f"{where}.tool_call_id")
        unknown = (str(message.get("name") or call_id), None if is_made(call_id) else call_id)
        name, given = self._calls.get(call_id, unknown)
        response: Part = {"name": name, **({"id": given} if given is not None else {})}
        content = message.get("content")
        result = _result_of(text_of(content))
        response["response"] = _failed(result) if message.get("is_error") else result
        media = [part for part in self._media(content, where) if "text" not in part]
        if media and self._facts.media_results:
            response["parts"] = media
        elif media:
            self._notes.edit("Images of tool results follow as the user's parts: this model reads them there only.")
            self._beside += media
        self._results.append({"functionResponse": response})

    def _media(self, content: Any, where: str) -> list[Part]:
        return parts_of_content(content, self._notes, where) if isinstance(content, list) else []

    def _end_results(self) -> None:
        if self._results:
            self._contents.append({"role": "user", "parts": [*self._results, *self._beside]})
            self._results, self._beside = [], []

    # the assistant's side

    def _assistant(self, message: Message, where: str) -> list[Part]:
        native = native_parts(message)
        if native is not None:
            self._remember(message, native)
            return [dict(part) for part in native]
        if message.get("native_content"):
            self._notes.edit(f"{where} is built from its text and calls, not from its native_content.")
        parts = parts_of_content(message.get("content"), self._notes, where)
        refusal, audio = message.get("refusal"), message.get("audio")
        if isinstance(refusal, str) and refusal:
            parts.append({"text": refusal})
        if isinstance(audio, Mapping) and not parts:
            spoken = audio.get("transcript")
            if not isinstance(spoken, str):
                raise RequestValidationError("Gemini cannot read another vendor's audio by id.", param=f"{where}.audio")
            parts.append({"text": spoken})
        calls = message.get("tool_calls") or []
        if not isinstance(calls, list):
            raise RequestValidationError("tool_calls is a list.", param=f"{where}.tool_calls")
        made = [self._call(call, f"{where}.tool_calls[{i}]") for i, call in enumerate(calls)]
        if made and self._facts.signatures:
            self._notes.edit("Tool calls without a thought signature are sent with the one that skips its check.")
            made[0]["thoughtSignature"] = NO_SIGNATURE
        return [*parts, *made]

    def _remember(self, message: Message, parts: list[Part]) -> None:
        """Calls of one message and of its native parts are the same, in the same order."""
        theirs = [part["functionCall"] for part in parts if "functionCall" in part]
        for call, native in zip(message.get("tool_calls") or [], theirs, strict=False):
            self._calls[str(call.get("id"))] = (native["name"], native.get("id") or None)

    def _call(self, call: Any, where: str) -> Part:
        if not isinstance(call, Mapping) or not isinstance(call.get("id"), str):
            raise RequestValidationError("A tool call needs an id.", param=f"{where}.id")
        custom, function = call.get("custom"), call.get("function")
        if isinstance(custom, Mapping):
            name, value = custom.get("name"), {CUSTOM_INPUT: str(custom.get("input") or "")}
        elif isinstance(function, Mapping):
            name, value = function.get("name"), self._arguments(function.get("arguments"), where)
        else:
            raise RequestValidationError("A tool call needs a function.", param=f"{where}.function")
        if not isinstance(name, str):
            raise RequestValidationError("A tool call needs a name.", param=f"{where}.function.name")
        given = None if is_made(call["id"]) else call["id"]
        self._calls[call["id"]] = (name, given)
        return {"functionCall": {**({"id": given} if given is not None else {}), "name": name, "args": value}}

    def _arguments(self, arguments: Any, where: str) -> dict[str, Any]:
        value = input_of(arguments if arguments is not None else "")
        if value is not None:
            return value
        self._notes.edit(f"{where}: arguments that are no JSON object are sent inside one.")
        return {RAW_ARGUMENTS: arguments if isinstance(arguments, str) else str(arguments)}


def _result_of(text: str) -> dict[str, Any]:
    """A result that is a JSON object as that object, any other text under the documented key."""
    if text.lstrip().startswith("{"):
        try:
            value = from_json(text, allow_inf_nan=False)
        except ValueError:
            value = None
        if isinstance(value, dict):
            return value
    return {"output": text}


def _failed(result: dict[str, Any]) -> dict[str, Any]:
    """Google knows a failed result by its key: https://ai.google.dev/api/caching#FunctionResponse."""
    if result.keys() == {"error"}:
        return result
    return {"error": result["output"] if result.keys() == {"output"} else result}
