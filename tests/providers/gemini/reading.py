"""An independent reading of Google's answers and bodies: plain dicts, none of the codec's code."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["answers_in", "joined", "lost", "normal_answer", "normal_body"]

FILTERS = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII"}
WIRE = "google.generate"


def answers_in(text: str) -> list[dict[str, Any]]:
    """The answers of a stream, of either kind."""
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    lines = text.replace("\r\n", "\n").split("\n")
    return [json.loads(line[5:]) for line in lines if line.startswith("data:")]


def joined(answers: list[dict[str, Any]]) -> dict[str, Any]:
    """The one answer that a stream tells: text in pieces is one part; of the rest the last word counts."""
    whole: dict[str, Any] = {}
    candidates: dict[int, dict[str, Any]] = {}
    for answer in answers:
        for name, value in answer.items():
            if name == "usageMetadata":
                whole.setdefault(name, {}).update(value)
            elif name != "candidates":
                whole[name] = value
        for place, candidate in enumerate(answer.get("candidates", [])):
            into = candidates.setdefault(candidate.get("index", place), {"content": {"parts": []}})
            for part in candidate.get("content", {}).get("parts", []):
                parts = into["content"]["parts"]
                if parts and part.keys() == parts[-1].keys() and part.keys() <= {"text", "thought"}:
                    parts[-1] = {**parts[-1], "text": parts[-1]["text"] + part["text"]}
                else:
                    parts.append(part)
            for name, value in candidate.items():
                if name == "content":
                    continue
                if isinstance(value, dict):
                    into[name] = {**into.get(name, {}), **value}
                else:
                    into[name] = value
    whole["candidates"] = [candidates[index] for index in sorted(candidates)]
    return whole


def _finish(candidate: dict[str, Any], calls: bool) -> tuple[str | None, str | None]:
    reason = candidate.get("finishReason")
    reason = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY"}.get(reason, reason)
    if reason is None:
        return None, None
    if reason == "MAX_TOKENS":
        return "length", reason
    return ("content_filter" if reason in FILTERS else "tool_calls" if calls else "stop"), reason


def lost(completion: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What of the vendor's answer the completion (as a dict) does not say; empty if it says it all."""
    faults = []
    if completion["id"] != answer.get("responseId", "") or completion["model"] != answer.get("modelVersion", ""):
        faults.append("id or model")
    faults += _usage_faults(completion.get("usage") or {}, answer.get("usageMetadata") or {})
    if len(completion["choices"]) != len(answer["candidates"]):
        return [*faults, "choices"]
    for choice, candidate in zip(completion["choices"], answer["candidates"], strict=True):
        faults += _choice_faults(choice, candidate)
    known = {"candidates", "usageMetadata", "modelVersion", "responseId"}
    return faults + [name for name, value in answer.items() if name not in known and completion.get(name) != value]


def _choice_faults(choice: dict[str, Any], candidate: dict[str, Any]) -> list[str]:
    parts = candidate.get("content", {}).get("parts", [])
    message = choice["message"]
    texts = [p["text"] for p in parts if "text" in p and not p.get("thought")]
    thoughts = [p["text"] for p in parts if "text" in p and p.get("thought")]
    calls = [p["functionCall"] for p in parts if "functionCall" in p]
    said = {
        "text": message.get("content") or "",
        "reasoning": message.get("reasoning_content") or "",
        "calls": [
            (c["function"]["name"], json.loads(c["function"]["arguments"])) for c in message.get("tool_calls") or []
        ],
        "finish": (choice["finish_reason"], choice.get("native_finish_reason")),
    }
    expected = {
        "text": "".join(texts),
        "reasoning": "".join(thoughts),
        "calls": [(c["name"], c.get("args", {})) for c in calls],
        "finish": _finish(candidate, bool(calls)),
    }
    faults = [name for name in expected if said[name] != expected[name]]
    ids = [c["id"] for c in message.get("tool_calls") or []]
    if len(set(ids)) != len(ids) or any("id" in c and c["id"] != i for c, i in zip(calls, ids, strict=False)):
        faults.append("ids")
    only_text = all(p.keys() == {"text"} for p in parts[:1]) and len(parts) <= 1
    plain = only_text or all(
        p.keys() == ({"functionCall"} if i or "functionCall" in p else {"text"}) for i, p in enumerate(parts)
    )
    native = message.get("native_content")
    if plain != (native is None):
        faults.append("native_content is there or not")
    elif native is not None and native != {"wire": WIRE, "content": parts}:
        faults.append("native_content differs")
    for name, value in candidate.items():
        if name not in {"content", "index", "finishReason"} and choice.get(name) != value:
            faults.append(name)
    faults += _citation_faults(message, candidate, "".join(texts))
    result = candidate.get("logprobsResult", {}).get("chosenCandidates")
    if result and [(t["token"], t["logprob"]) for t in choice["logprobs"]["content"]] != [
        (t["token"], t["logProbability"]) for t in result
    ]:
        faults.append("logprobs")
    return faults


def _citation_faults(message: dict[str, Any], candidate: dict[str, Any], text: str) -> list[str]:
    metadata = candidate.get("groundingMetadata", {})
    chunks = metadata.get("groundingChunks", [])
    expected = [
        (chunks[number]["web"]["uri"], support["segment"]["text"])
        for support in metadata.get("groundingSupports", [])
        for number in support.get("groundingChunkIndices", [])
        if "web" in chunks[number]
    ]
    cited = [note["url_citation"] for note in message.get("annotations") or []]
    if not expected:
        return []
    if [page["url"] for page in cited] != [url for url, _ in expected]:
        return ["annotations"]
    wrong = [
        page
        for page, (_, words) in zip(cited, expected, strict=True)
        if page.get("start_index") is not None and text[page["start_index"] : page["end_index"]] != words
    ]
    return ["annotations' places"] if wrong or all(page.get("start_index") is None for page in cited) else []


def _usage_faults(ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    if not theirs:
        return [] if not ours else ["usage"]
    prompt = theirs.get("promptTokenCount", 0) + theirs.get("toolUsePromptTokenCount", 0)
    output = theirs.get("candidatesTokenCount", 0) + theirs.get("thoughtsTokenCount", 0)
    said = (ours["prompt_tokens"], ours["completion_tokens"], ours["total_tokens"])
    faults = [] if said == (prompt, output, prompt + output) else ["usage"]
    cached = (ours.get("prompt_tokens_details") or {}).get("cached_tokens")
    thought = (ours.get("completion_tokens_details") or {}).get("reasoning_tokens")
    if (cached, thought) != (theirs.get("cachedContentTokenCount"), theirs.get("thoughtsTokenCount")):
        faults.append("usage details")
    merged = {"promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"}
    return faults + [k for k, v in theirs.items() if k not in merged | {"totalTokenCount"} and ours.get(k) != v]


# equivalence of answers and of bodies


def normal_answer(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what the vendor's documentation calls the same: defaults, numbers of enumerations."""
    result = {name: value for name, value in answer.items() if name != "candidates"}
    usage = {k: v for k, v in (answer.get("usageMetadata") or {}).items() if v != 0}
    counts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
    usage.setdefault("totalTokenCount", sum(usage.get(name, 0) for name in counts))
    result["usageMetadata"] = usage
    result["candidates"] = []
    for place, candidate in enumerate(answer["candidates"]):
        one = {"index": place, **candidate}
        one["content"] = {"parts": [], **candidate.get("content", {}), "role": "model"}
        one["finishReason"] = {1: "STOP"}.get(one.get("finishReason"), one.get("finishReason"))
        if "logprobsResult" in one:
            one["logprobsResult"] = one["logprobsResult"]["chosenCandidates"]
        result["candidates"].append(one)
    return result


def _camel(name: str) -> str:
    return re.sub("_([a-z])", lambda found: found[1].upper(), name)


FREE = {"args", "response", "labels", "customMetadata"}
SCHEMAS = {"parameters": "schema", "parametersJsonSchema": "schema", "responseSchema": "schema"}


def _named(value: Any) -> Any:
    """One spelling of all names, without nulls and empty values; schemas in one form."""
    if isinstance(value, list):
        return [_named(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for key, item in value.items():
        name = _camel(key)
        if item is None:
            continue
        if name in ("parameters", "parametersJsonSchema"):
            written = schema(item)
            if written != {"type": ["object"]}:  # says no more than a function without parameters
                result["parameters"] = written
        elif name in ("responseSchema", "responseJsonSchema"):
            result["responseSchema"] = schema(item)
        else:
            result[name] = item if name in FREE else _named(item)
    return result


NUMBERS = {1: "string", 2: "number", 3: "integer", 4: "boolean", 5: "array", 6: "object"}


def schema(value: Any) -> Any:
    """A schema of either form: types in lower case and as lists, nullable as a type, references in their places."""
    return _schema(value, (value or {}).get("$defs", {}) if isinstance(value, dict) else {}, 0)


def _schema(value: Any, defs: dict[str, Any], depth: int) -> Any:
    if not isinstance(value, dict):
        return value
    if "$ref" in value and depth < 6:
        return _schema(defs.get(value["$ref"].rpartition("/")[2], {}), defs, depth + 1)
    result: dict[str, Any] = {}
    for key, item in value.items():
        name = _camel(key)
        if name == "properties":
            result[name] = {k: _schema(v, defs, depth) for k, v in item.items()}
        elif name in ("anyOf", "prefixItems"):
            result[name] = [_schema(v, defs, depth) for v in item]
        elif name in ("items", "additionalProperties"):
            result[name] = _schema(item, defs, depth)
        elif name == "type":
            kinds = [item] if isinstance(item, str | int) else item
            result[name] = sorted({NUMBERS.get(kind, str(kind).lower()) for kind in kinds})
        elif name == "required":
            result[name] = sorted(item)
        elif name not in ("nullable", "$defs", "$schema", "defs"):
            result[name] = item
    if value.get("nullable"):
        if "enum" in result:
            result["enum"] = [*result["enum"], None]
        result["type"] = sorted({*result.get("type", []), "null"})
    return {k: v for k, v in result.items() if v not in ({}, [])}


def normal_body(body: dict[str, Any]) -> dict[str, Any]:
    """A body without what means nothing: nulls, empty objects, the model's name, roles and lists that are defaults.

    Neighbouring contents of one role are one content, and results stand before the rest of it.
    """
    result = _named(body)
    result.pop("model", None)
    contents: list[dict[str, Any]] = []
    for content in result["contents"]:
        role = content.get("role", "user")
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"] += content.get("parts", [])
        else:
            contents.append({"role": role, "parts": list(content.get("parts", []))})
    for content in contents:
        content["parts"] = [_part(part) for part in content["parts"]]
    result["contents"] = [content for content in contents if content["parts"]]
    system = result.pop("systemInstruction", None) or {}
    texts = system.get("parts") or []
    texts = [texts] if isinstance(texts, dict) else texts
    if "".join(part["text"] for part in texts):
        result["systemInstruction"] = [part["text"] for part in texts]
    functions = [f for tool in result.get("tools", []) for f in tool.get("functionDeclarations", [])]
    others = [
        {k: v for k, v in tool.items() if k != "functionDeclarations"}
        for tool in result.pop("tools", [])
        if tool.keys() - {"functionDeclarations"}
    ]
    result["functions"], result["others"] = functions, others
    config = result.get("generationConfig") or {}
    result["generationConfig"] = {k: v for k, v in config.items() if v not in ([], {})}
    calling = (result.get("toolConfig") or {}).get("functionCallingConfig", {})
    if not calling.get("allowedFunctionNames", True):
        del calling["allowedFunctionNames"]
    return {k: v for k, v in result.items() if v not in ({}, [], None)}


def _part(part: dict[str, Any]) -> dict[str, Any]:
    part = {k: v for k, v in part.items() if not (k == "thought" and v is False)}
    if "inlineData" in part and part["inlineData"].get("mimeType") == "audio/mpeg":  # two names of one type
        part["inlineData"] = {**part["inlineData"], "mimeType": "audio/mp3"}
    call = part.get("functionCall")
    if call is not None:
        part["functionCall"] = {"args": {}, **call}
    return part
