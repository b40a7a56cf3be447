"""A body of generateContent → our request.

The inverse of `request`: encoding the result for the same model gives an equivalent body. What has no OpenAI-shaped
place is kept: parameters as extra ones under their own names (`generationConfig` holds those of its fields), a model's
parts in `native_content`, other parts as parts of type `gemini_part`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from pydantic import ValidationError

from edgeagent.errors import RequestValidationError
from edgeagent.providers.gemini.content import AUDIO_FORMATS, MEDIA_TYPES, NATIVE_PART, PART_FIELDS
from edgeagent.providers.gemini.names import camel
from edgeagent.providers.gemini.parts import (
    InvalidAnswerError,
    check_part,
    is_plain,
    made_id,
    native_content,
    read_parts,
)
from edgeagent.providers.gemini.request import TIERS
from edgeagent.providers.gemini.schema import json_schema_of
from edgeagent.providers.gemini.signing import has_seal, sealed_in, without_seals
from edgeagent.providers.gemini.thinking import effort_of
from edgeagent.types import ChatRequest
from edgeagent.types.faults import first_fault
from edgeagent.wire.json import dump_json

__all__ = ["decode_request"]

Part = dict[str, Any]
Message = dict[str, Any]

_CONFIG: Final[Mapping[str, str]] = {
    "temperature": "temperature",
    "topP": "top_p",
    "candidateCount": "n",
    "maxOutputTokens": "max_completion_tokens",
    "stopSequences": "stop",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "responseLogprobs": "logprobs",
    "logprobs": "top_logprobs",
}
_READ: Final = frozenset(
    {"model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig", "serviceTier"}
)
_FILES: Final = "https://generativelanguage.googleapis.com/"
"""Where uploaded files are: nobody else can read them there."""
_SEEN: Final[Mapping[str, str]] = {"image": "image_url", "video": "video_url"}
"""Types of parts, by the kind of what they show."""
_AUDIO: Final = {media_type: name for name, media_type in AUDIO_FORMATS.items()}


def decode_request(body: Mapping[str, Any]) -> ChatRequest:
    """The vendor's body → our request; its model is in the URL, so it may be empty. Raises `RequestValidationError`.

    The error's `.param` names the vendor's field.
    """
    try:
        given: dict[str, Any] = camel(body)
    except RecursionError:
        _refuse("is nested too deeply", "contents")
    values: dict[str, Any] = {name: value for name, value in given.items() if name not in _READ and value is not None}
    values["model"] = given.get("model") or ""
    contents = _contents(_list(given.get("contents"), "contents"))
    values["messages"] = [*_system(given.get("systemInstruction")), *contents]
    _config(given.get("generationConfig"), values)
    if given.get("tools"):
        values["tools"] = [
            tool for i, entry in enumerate(_list(given["tools"], "tools")) for tool in _tools(entry, f"tools[{i}]")
        ]
    _choice(given.get("toolConfig"), values)
    tier = given.get("serviceTier")
    if tier is not None:
        words = {word: ours for ours, word in TIERS.items()}
        values["service_tier"] = words.get(str(tier).lower(), tier)
    try:
        return ChatRequest.model_validate(values)
    except ValidationError as error:
        where, reason = first_fault(error)
        names = {ours: f"generationConfig.{theirs}" for theirs, ours in _CONFIG.items()}
        where = names.get(where.partition("[")[0], where)
        raise RequestValidationError(f"{where}: {reason}.", param=where) from None


# parameters


def _config(config: Any, values: dict[str, Any]) -> None:
    if config is None:
        return
    rest = {k: v for k, v in _object(config, "generationConfig").items() if v is not None}
    for theirs, ours in _CONFIG.items():
        value = rest.pop(theirs, None)
        if value is not None:
            values[ours] = value or None if theirs == "stopSequences" else value
    if (effort := effort_of(rest.get("thinkingConfig"))) is not None:
        values["reasoning_effort"] = effort
    json_schema, schema = rest.get("responseJsonSchema"), rest.get("responseSchema")
    if rest.get("responseMimeType") == "application/json":
        wanted = json_schema if isinstance(json_schema, Mapping) else json_schema_of(schema)
        if isinstance(wanted, Mapping):
            named = {"name": "answer", "schema": dict(wanted)}
            values["response_format"] = {"type": "json_schema", "json_schema": named}
        else:
            values["response_format"] = {"type": "json_object"}
        for name in ("responseMimeType", "responseJsonSchema", "responseSchema"):
            rest.pop(name, None)
    if rest:
        values["generationConfig"] = rest


def _tools(entry: Any, where: str) -> Iterator[dict[str, Any]]:
    fields = {name: value for name, value in _object(entry, where).items() if value is not None}
    for i, declared in enumerate(
        _list(fields.pop("functionDeclarations", None) or [], f"{where}.functionDeclarations")
    ):
        yield _function(_object(declared, f"{where}.functionDeclarations[{i}]"))
    if fields:
        yield fields


def _function(declared: Mapping[str, Any]) -> dict[str, Any]:
    function = {name: value for name, value in declared.items() if value is not None}
    schema = function.pop("parametersJsonSchema", None)
    openapi = function.pop("parameters", None)
    if schema is None and openapi is not None:
        schema = json_schema_of(openapi)
    if schema is not None:
        function["parameters"] = schema
    return {"type": "function", "function": function}


def _choice(config: Any, values: dict[str, Any]) -> None:
    if config is None:
        return
    rest = {k: v for k, v in _object(config, "toolConfig").items() if v is not None}
    calling = rest.get("functionCallingConfig")
    if calling is not None:
        fields = {k: v for k, v in _object(calling, "toolConfig.functionCallingConfig").items() if v not in (None, [])}
        names, mode = fields.get("allowedFunctionNames"), str(fields.get("mode"))
        known = {"AUTO": "auto", "NONE": "none", "ANY": "required"}
        if fields.keys() == {"mode"} and mode in known:
            values["tool_choice"] = known[mode]
            del rest["functionCallingConfig"]
        elif fields.keys() == {"mode", "allowedFunctionNames"} and mode == "ANY" and isinstance(names, list):
            named = [{"type": "function", "function": {"name": name}} for name in names]
            allowed = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": named}}
            values["tool_choice"] = named[0] if len(named) == 1 else allowed
            del rest["functionCallingConfig"]
    if rest:
        values["toolConfig"] = rest


# messages


def _system(instruction: Any) -> Iterator[Message]:
    if not instruction:
        return
    if isinstance(instruction, str):
        yield {"role": "system", "content": instruction}
        return
    parts = _object(instruction, "systemInstruction").get("parts") or []
    parts = [parts] if isinstance(parts, Mapping) else _list(parts, "systemInstruction.parts")
    content = []
    for i, part in enumerate(parts):
        text = _object(part, f"systemInstruction.parts[{i}]").get("text")
        if not isinstance(text, str):
            _refuse("is missing", f"systemInstruction.parts[{i}].text")
        content.append({"type": "text", "text": text})
    yield {"role": "system", "content": content[0]["text"] if len(content) == 1 else content}


def _contents(contents: list[Any]) -> list[Message]:
    messages: list[Message] = []
    waiting: dict[str, list[str]] = {}  # ids of calls that no result has answered yet, by name
    run: list[tuple[int, list[Part]]] = []  # contents of the model's that follow each other
    for i, value in enumerate(contents):
        where = f"contents[{i}]"
        content = _object(value, where)
        parts = content.get("parts") or []
        parts = [parts] if isinstance(parts, Mapping) else _list(parts, f"{where}.parts")
        for number, part in enumerate(parts):
            _check(part, f"{where}.parts[{number}]")
        role = content.get("role") or "user"
        if role == "model":
            run.append((i, parts))
            if has_seal(parts):  # the end of one answer
                messages += _told_by_others(run, waiting)
                run = []
            continue
        messages += [_assistant(parts, number, waiting) for number, parts in run]
        run = []
        if role in ("user", "function", "tool"):
            messages += _user([_without_no(part) for part in parts], where, waiting)
        else:
            _refuse("is neither user nor model", f"{where}.role")
    return messages + [_assistant(parts, number, waiting) for number, parts in run]


def _told_by_others(run: list[tuple[int, list[Part]]], waiting: dict[str, list[str]]) -> list[Message]:
    """The answer of another vendor that these contents are, as one message; several where they carry nothing."""
    sealed = sealed_in(run[-1][1])
    bare = [(number, without_seals(parts)) for number, parts in run]
    if sealed is None:
        return [_assistant(parts, number, waiting) for number, parts in bare if parts]
    message = _assistant([part for _, parts in bare for part in parts], run[-1][0], waiting)
    said = message["content"] or sealed.text  # some SDKs send back the calls alone
    return [{**message, "content": said or message["content"], "native_content": sealed.native}]


def _assistant(parts: list[Part], number: int, waiting: dict[str, list[str]]) -> Message:
    try:
        reading = read_parts(parts, f"contents[{number}]", 0)
    except InvalidAnswerError as error:
        raise RequestValidationError(f"{error}.", param=f"contents[{number}]") from None
    message: Message = {"role": "assistant", "content": reading.text or None if reading.calls else reading.text}
    if reading.calls:
        message["tool_calls"] = reading.calls
        for call in reading.calls:
            named = call.get("function") or call["custom"]
            waiting.setdefault(named["name"], []).append(call["id"])
    if reading.reasoning:
        message["reasoning_content"] = reading.reasoning
    if not all(is_plain(part, i) for i, part in enumerate(parts)):
        message["native_content"] = native_content(parts)
    return message


def _without_no(part: Part) -> Part:
    """Some clients say of what a user says that it is no thought."""
    return {name: value for name, value in part.items() if name != "thought"} if part.get("thought") is False else part


def _user(parts: list[Part], where: str, waiting: dict[str, list[str]]) -> Iterator[Message]:
    """The results of a content as tool messages, what stands between them as the user's."""
    held: list[Part] = []
    for i, part in enumerate(parts):
        response = part.get("functionResponse")
        if not isinstance(response, Mapping) or part.keys() != {"functionResponse"}:
            held.append(_part(part))
            continue
        if held:
            yield {"role": "user", "content": held}
            held = []
        yield _result(response, f"{where}.parts[{i}].functionResponse", waiting)
    if held:
        texts = [part["text"] for part in held if part["type"] == "text"]
        yield {"role": "user", "content": texts[0] if len(held) == len(texts) == 1 else held}


def _result(response: Mapping[str, Any], where: str, waiting: dict[str, list[str]]) -> Message:
    name, value = response.get("name"), response.get("response")
    if not isinstance(name, str):
        _refuse("is missing", f"{where}.name")
    open_ids = waiting.get(name, [])
    call_id = response.get("id")
    if not isinstance(call_id, str) or not call_id:
        call_id = open_ids[0] if open_ids else made_id(where, 0, 0, name)
    message: Message = {"role": "tool", "tool_call_id": call_id}
    if call_id in open_ids:
        open_ids.remove(call_id)
    else:
        message["name"] = name
    value = {} if value is None else _object(value, f"{where}.response")
    text = value["output"] if value.keys() == {"output"} and isinstance(value["output"], str) else None
    if text is None or text.lstrip().startswith("{"):
        text = dump_json(value).decode()
    media = []
    for i, part in enumerate(_list(response.get("parts") or [], f"{where}.parts")):
        _check(part, f"{where}.parts[{i}]")
        media.append(_part(part))
    message["content"] = [{"type": "text", "text": text}, *media] if media else text
    if value.keys() == {"error"} and value["error"]:
        message["is_error"] = True  # the text says it too, for those who have no such mark
    return message


def _part(part: Mapping[str, Any]) -> Part:
    """The part as OpenAI's where it has one that holds all of it, else as it is."""
    if part.keys() == {"text"}:
        return {"type": "text", "text": part["text"]}
    beside = {name: part[name] for name in PART_FIELDS if part.get(name) is not None}
    said = {name: value for name, value in part.items() if name not in PART_FIELDS}
    translated: Part | None = None
    if said.keys() == {"text"}:
        translated = {"type": "text", "text": said["text"]}
    elif len(said) == 1 and isinstance(held := next(iter(said.values())), Mapping):
        if held.get("displayName") is not None:
            beside["displayName"] = held["displayName"]
        held = {name: value for name, value in held.items() if name != "displayName"}
        if "inlineData" in said and held.keys() == {"mimeType", "data"}:
            translated = _inline(held["mimeType"], held["data"])
        elif "fileData" in said:
            translated = _linked(held)
    return {"type": NATIVE_PART, "part": dict(part)} if translated is None else {**translated, **beside}


def _inline(media_type: Any, data: str) -> Part | None:
    if not isinstance(media_type, str) or media_type != media_type.strip().lower() or not media_type:
        return None
    media_type = MEDIA_TYPES.get(media_type, media_type)
    url = f"data:{media_type};base64,{data}"
    if media_type in _AUDIO:
        return {"type": "input_audio", "input_audio": {"data": data, "format": _AUDIO[media_type]}}
    if (seen := _SEEN.get(media_type.partition("/")[0])) is not None:
        return {"type": seen, seen: {"url": url}}
    return None if ";" in media_type else {"type": "file", "file": {"file_data": url}}


def _linked(file: Mapping[str, Any]) -> Part | None:
    uri, media_type = file.get("fileUri"), file.get("mimeType")
    if not isinstance(uri, str) or not file.keys() <= {"fileUri", "mimeType"} or "://" not in uri:
        return None
    if not isinstance(media_type, str) or not media_type:
        return None
    if not uri.startswith(("https://", "http://", "gs://")):
        return None
    kept = uri.startswith(("gs://", _FILES))
    if not kept and (seen := _SEEN.get(media_type.partition("/")[0])) is not None and uri.startswith("https://"):
        return {"type": seen, seen: {"url": uri, "format": media_type}}
    return {"type": "file", "file": {"file_id" if kept else "file_url": uri, "format": media_type}}


# the body's types


def _check(part: Any, where: str) -> None:
    try:
        check_part(part, where)
    except InvalidAnswerError as error:
        raise RequestValidationError(f"{error}.", param=where) from None


def _object(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        _refuse("is not an object", where)
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        _refuse("is not a list", where)
    return value


def _refuse(reason: str, param: str) -> NoReturn:
    raise RequestValidationError(f"{param}: {reason}.", param=param)
